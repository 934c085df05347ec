"""Files of tables read as they are; what they should hold is checked elsewhere."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import python_calamine
from pyproj import CRS

from assortment.errors import Fault
from assortment.inputs.csv_file import filled_rows, literal_path, named_columns, read_csv
from assortment.inputs.source import Source
from assortment.inputs.spelling import nearest
from assortment.inputs.tables import Table

_PLAIN = (".csv", ".parquet", ".xlsx")
_GEOMETRY = (".geojson", ".json", ".gpkg", ".shp")

Read = tuple[pd.DataFrame | None, Source, list[Fault]]


def read_table(path: Path, name: str, table: Table, *, crs: str | None = None) -> Read:
    """The file of a table.

    Parameters
    ----------
    path
        The file; its ending tells its format.
    name
        How the user knows it.
    table
        The table it holds.
    crs
        CRS of geometry whose file states none. A GeoJSON that states none is in degrees by its standard (EPSG:4326);
        there it counts if it is geographic too, or if the coordinates are no degrees.

    Returns
    -------
    DataFrame or None
        As it stands in the file; ``None`` when it cannot be read.
    Source
        Where it came from and how its rows are counted.
    list of Fault
        What cannot be read.
    """
    ending = path.suffix.casefold()
    endings = _endings(table)
    source = Source(name, is_file=True)
    if ending not in endings:
        found = f"a file that ends in '{path.suffix}'" if path.suffix else "a file name without an ending"
        return None, source, [Fault(name, None, None, found, f"one of {', '.join(endings)}")]
    if not path.is_file():
        near = _near(path)
        expected = f"the file of the table {table.name}" + (f"; the folder has {near}" if near else "")
        return None, source, [Fault(name, None, None, "no such file", expected)]
    if path.stat().st_size == 0:
        return None, source, [Fault(name, None, None, "an empty file", f"the table {table.name}")]
    try:
        return _read(path, name, table, crs)
    except (duckdb.Error, python_calamine.CalamineError, RuntimeError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        return (
            None,
            source,
            [Fault(name, None, None, f"a file that cannot be read ({reason})", f"a whole {ending} file")],
        )


def _endings(table: Table) -> tuple[str, ...]:
    if any(column.kind == "geometry" for column in table.columns):
        return (*_GEOMETRY, ".parquet")
    return (*_PLAIN, *_GEOMETRY) if table.location else _PLAIN


def _near(path: Path) -> str:
    """The files of that folder with a like name, or of the same format."""
    if not path.parent.is_dir():
        return ""
    names = [file.name for file in sorted(path.parent.iterdir()) if file.is_file()]
    match = nearest(path.name, names)
    return f"'{match}'" if match else ""


def _read(path: Path, name: str, table: Table, crs: str | None) -> Read:
    ending = path.suffix.casefold()
    if ending == ".csv":
        frame, source, faults = read_csv(path, name)
        return (frame if len(frame.columns) else None), source, faults
    if ending == ".xlsx":
        return _read_xlsx(path, name, table)
    if ending in _GEOMETRY:
        return _read_geometry(path, name, table, crs)
    if table.location or any(column.kind == "geometry" for column in table.columns):
        return _read_geoparquet(path, name, table)
    return _read_parquet(path, name)


def _read_parquet(path: Path, name: str) -> Read:
    with duckdb.connect() as connection:
        frame = connection.execute("SELECT * FROM read_parquet($path)", {"path": literal_path(path)}).df()
    return frame, Source(name, is_file=True), []


def _read_geoparquet(path: Path, name: str, table: Table) -> Read:
    query = "SELECT count(*) FROM parquet_kv_metadata($path) WHERE key = 'geo'"
    with duckdb.connect() as connection:
        counted = connection.execute(query, {"path": literal_path(path)}).fetchone()
    if not counted or counted[0] == 0:
        if table.location:
            return _read_parquet(path, name)
        fault = Fault(
            name, None, "geometry", "Parquet without geometry", "GeoParquet, GeoPackage, GeoJSON or Shapefile"
        )
        return None, Source(name, is_file=True), [fault]
    try:
        return gpd.read_parquet(path), Source(name, is_file=True), []
    except ImportError:
        fault = Fault(
            name, None, None, "GeoParquet, for which pyarrow is missing", "pyarrow installed, or a GeoPackage"
        )
        return None, Source(name, is_file=True), [fault]


def _read_geometry(path: Path, name: str, table: Table, crs: str | None) -> Read:
    source = Source(name, is_file=True)
    layers = [str(layer) for layer in gpd.list_layers(path)["name"]]
    if not layers:
        return None, source, [Fault(name, None, None, "no layer", "one layer of geometry")]
    if len(layers) > 1 and table.name not in layers:
        expected = f"one layer, or one that is called {table.name}"
        return None, source, [Fault(name, None, None, f"the layers {', '.join(layers)}", expected)]
    frame = gpd.read_file(path, layer=table.name if len(layers) > 1 else layers[0])
    if path.suffix.casefold() in (".geojson", ".json"):
        if crs is not None and not _states_crs(path) and (CRS(crs).is_geographic or not _like_degrees(frame)):
            frame = frame.set_crs(crs, allow_override=True)
    elif frame.crs is None and crs is not None:
        frame = frame.set_crs(crs)
    return frame, source, []


def _like_degrees(frame: gpd.GeoDataFrame) -> bool:
    return bool((np.abs(frame.total_bounds) <= [180, 90, 180, 90]).all())


def _states_crs(path: Path) -> bool:
    """Whether a GeoJSON names its CRS, which the older standard allowed, before its features begin."""
    with path.open("rb") as file:
        return b'"crs"' in file.read(10_000).partition(b'"features"')[0]


def _read_xlsx(path: Path, name: str, table: Table) -> Read:
    source = Source(name, first_row=2, is_file=True, is_text=True)
    with python_calamine.CalamineWorkbook.from_path(path) as book:
        sheet = table.name if table.name in book.sheet_names else book.sheet_names[0]
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    if not rows or not any(cell != "" for cell in rows[0]):
        fault = Fault(name, 1, None, f"nothing in row 1 of the sheet '{sheet}'", "the header, names of columns")
        return None, source, [fault]
    header = pd.Index([str(cell).strip() for cell in rows[0]])
    frame = pd.DataFrame([[_cell(cell) for cell in row] for row in rows[1:]], columns=header, dtype="str")
    frame, faults = named_columns(frame, name)
    frame, source = filled_rows(frame, source)
    return frame, source, faults


def _cell(value: Any) -> str | None:
    """A cell of a workbook as the text that it shows: a workbook keeps 12 as 12.0 and a day as midnight."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return str(value)
