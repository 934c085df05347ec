"""Files of every format give the same table; files that cannot be read say why."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xlsxwriter

from assortment.inputs import TABLES, Neighbourhoods, Sales, Stores
from assortment.inputs.files import read_table

SALES = TABLES["sales"]
STORES = TABLES["stores"]
BLOCKS = TABLES["neighbourhoods"]


def workbook(path: Path, rows: list[list[object]], *, sheets: tuple[str, ...] = ("Sheet1",)) -> Path:
    """A workbook with the rows in its last sheet."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        for sheet in sheets:
            page = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return path


def test_a_workbook_gives_what_it_shows(tmp_path: Path) -> None:
    """Text keeps its zeros, whole numbers have no fraction, days are dates; the sheet of the table's name is taken."""
    path = workbook(
        tmp_path / "a.xlsx",
        [
            ["week", "store_id", "product_id", "units", "price"],
            [dt.date(2024, 1, 1), "01", 7, 3, 2.5],
            [],
            [dt.date(2024, 1, 8), "01", 7, "many", 2.5],
        ],
        sheets=("notes", "sales"),
    )
    frame, source, faults = read_table(path, "a.xlsx", SALES)
    assert not faults
    assert frame is not None
    assert frame.iloc[0].tolist() == ["2024-01-01", "01", "7", "3", "2.5"]
    assert source.rows(np.arange(len(frame))) == [2, 4]


def test_a_workbook_without_header_is_told(tmp_path: Path) -> None:
    """An empty first row of a workbook is a fault of row 1."""
    frame, _, (fault,) = read_table(workbook(tmp_path / "a.xlsx", [[], ["week"]]), "a.xlsx", SALES)
    assert frame is None
    assert fault.row == 1


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    """Text ids keep their zeros and dates stay dates; the first record is row 1."""
    path = tmp_path / "sales [1].parquet"
    duckdb.sql(
        "SELECT date '2024-01-01' + 7 * i::int AS week, '01' AS store_id, '007' AS product_id, "
        "i::decimal(9, 2) AS units FROM range(3) t(i)"
    ).write_parquet(str(path))
    frame, source, faults = read_table(path, "s.parquet", SALES)
    assert not faults
    assert frame is not None
    sales = Sales.from_frame(frame, source=source)
    assert sales.frame["product_id"].tolist() == ["007"] * 3
    assert sales.frame["week"].dtype == "datetime64[us]"
    assert source.rows(np.arange(3)) == [1, 2, 3]


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "shp", "parquet"])
def test_geometry_of_every_format(tmp_path: Path, squares: gpd.GeoDataFrame, ending: str) -> None:
    """Neighbourhoods are the same from each format; a Shapefile's short names aside."""
    squares = squares.rename(columns={"neighbourhood_id": "tract", "median_income": "income"})
    path = tmp_path / f"blocks.{ending}"
    squares.to_parquet(path) if ending == "parquet" else squares.to_file(path)
    frame, source, faults = read_table(path, path.name, BLOCKS)
    assert not faults
    assert frame is not None
    made = Neighbourhoods.from_frame(frame.rename(columns={"tract": "neighbourhood_id"}), ["people"], source=source)
    assert made.ids == ("001", "002", "003", "004")
    assert made.frame["people"].isna().tolist() == [False, False, False, True]
    assert shapely.area(made.frame.geometry).tolist() == pytest.approx([0.01] * 4)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_the_chains_crs_fills_a_gap(tmp_path: Path, squares: gpd.GeoDataFrame) -> None:
    """A Shapefile without .prj has the CRS that the chain states, and none without it."""
    squares.set_crs(None, allow_override=True)[["geometry"]].to_file(tmp_path / "b.shp")
    with_crs, _, _ = read_table(tmp_path / "b.shp", "b.shp", BLOCKS, crs="EPSG:4269")
    without, _, _ = read_table(tmp_path / "b.shp", "b.shp", BLOCKS)
    assert isinstance(with_crs, gpd.GeoDataFrame)
    assert isinstance(without, gpd.GeoDataFrame)
    assert with_crs.crs == "EPSG:4269"
    assert without.crs is None


@pytest.mark.parametrize(
    ("member", "crs", "expected"),
    [
        (None, None, "EPSG:4326"),
        (None, "EPSG:4269", "EPSG:4269"),
        (None, "EPSG:26910", "EPSG:4326"),
        ("urn:ogc:def:crs:EPSG::4269", "EPSG:4258", "EPSG:4269"),
    ],
)
def test_the_crs_of_a_geojson(
    tmp_path: Path, squares: gpd.GeoDataFrame, member: str | None, crs: str | None, expected: str
) -> None:
    """A GeoJSON is in degrees; the chain says on which datum, unless the file does; a projected CRS is not meant."""
    content = {key: value for key, value in json.loads(squares.to_json()).items() if key in ("type", "features")}
    if member:
        content = {"type": content["type"], "crs": {"type": "name", "properties": {"name": member}}, **content}
    path = tmp_path / "b.geojson"
    path.write_text(json.dumps(content), encoding="utf-8")
    frame, _, _ = read_table(path, "b.geojson", BLOCKS, crs=crs)
    assert isinstance(frame, gpd.GeoDataFrame)
    assert frame.crs == expected


def test_stores_may_be_points_in_a_file(tmp_path: Path) -> None:
    """Stores come from a GeoPackage as well as from a table."""
    points = gpd.GeoDataFrame({"store_id": ["01"], "name": ["A"]}, geometry=gpd.points_from_xy([-121], [38]), crs=4326)
    points.to_file(tmp_path / "s.gpkg")
    frame, source, _ = read_table(tmp_path / "s.gpkg", "s.gpkg", STORES)
    assert frame is not None
    assert Stores.from_frame(frame, source=source).ids == ("01",)


def test_of_several_layers_one_must_bear_the_name(tmp_path: Path, squares: gpd.GeoDataFrame) -> None:
    """A GeoPackage of two layers needs one that is called as the table."""
    path = tmp_path / "b.gpkg"
    squares.to_file(path, layer="roads")
    squares.to_file(path, layer="rivers")
    _, _, (fault,) = read_table(path, "b.gpkg", BLOCKS)
    assert "roads, rivers" in fault.found
    squares.iloc[:2].to_file(path, layer="neighbourhoods")
    frame, _, faults = read_table(path, "b.gpkg", BLOCKS)
    assert not faults
    assert frame is not None
    assert len(frame) == 2


def test_parquet_without_geometry_is_no_map(tmp_path: Path) -> None:
    """Neighbourhoods in plain Parquet are refused; stores in it are read."""
    pd.DataFrame({"store_id": ["01"]}).to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet", "a.parquet", BLOCKS)[2][0].column == "geometry"
    assert not read_table(tmp_path / "a.parquet", "a.parquet", STORES)[2]


@pytest.mark.parametrize(
    ("file", "content", "found"),
    [
        ("a.txt", b"x", "a file that ends in '.txt'"),
        ("a", b"x", "a file name without an ending"),
        ("a.csv", b"", "an empty file"),
        ("a.parquet", b"week", "cannot be read"),
        ("a.xlsx", b"week", "cannot be read"),
        ("a.csv", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, file: str, content: bytes | None, found: str) -> None:
    """Endings that no table has, empty, broken and missing files give one fault each."""
    if content is not None:
        (tmp_path / file).write_bytes(content)
    frame, _, (fault,) = read_table(tmp_path / file, file, SALES)
    assert frame is None
    assert fault.file == file
    assert found in fault.found


@pytest.mark.parametrize("file", ["b.geojson", "b.gpkg", "b.shp"])
def test_broken_geometry_files_say_so(tmp_path: Path, file: str) -> None:
    """A file that is no geometry gives a fault, not a traceback."""
    (tmp_path / file).write_bytes(b"{}")
    frame, _, faults = read_table(tmp_path / file, file, BLOCKS)
    assert frame is None
    assert "cannot be read" in faults[0].found


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    """A missing file is told with the file of the folder that has a like name."""
    (tmp_path / "sale.csv").touch()
    _, _, (fault,) = read_table(tmp_path / "sales.csv", "sales.csv", SALES)
    assert "'sale.csv'" in fault.expected
