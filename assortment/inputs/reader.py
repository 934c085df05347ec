"""``read_chain``: a folder in, a chain out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from assortment.errors import AssortmentWarning, Fault, InputError
from assortment.inputs.chain import PLAIN, Chain, checked_tables
from assortment.inputs.check import check_frame
from assortment.inputs.crosscheck import keys_doubtful
from assortment.inputs.files import read_table
from assortment.inputs.neighbourhoods import Neighbourhoods, checked_neighbourhoods
from assortment.inputs.products import Products
from assortment.inputs.sales import Sales, checked_sales
from assortment.inputs.settings import FILE, ChainSettings, read_settings
from assortment.inputs.source import Source
from assortment.inputs.stores import Stores, checked_stores
from assortment.inputs.tables import TABLES

_ID = "neighbourhood_id"
_SHAPEFILE = (".dbf", ".shx", ".prj", ".cpg")


def read_chain(folder: str | Path) -> Chain:
    """A chain from its folder.

    Parameters
    ----------
    folder
        Folder with ``chain.toml``, which names the chain and the file of each table (CSV, Parquet, Excel; geometry as
        GeoPackage, GeoJSON, Shapefile or GeoParquet), relative to the folder.

    Returns
    -------
    Chain
        Checked; ``files`` has the absolute path of each table, of ``chain.toml`` under that name, and of what belongs
        to a Shapefile under names such as ``neighbourhoods (.dbf)``.

    Raises
    ------
    InputError
        With every fault of the settings, or of all tables and between them, each with file, row, column, what was
        found and what was expected.
    """
    folder = Path(folder)
    settings = read_settings(folder)
    found = _Found()
    for table, file in settings.tables.items():
        _read(found, folder, table, file, settings)
    notes = settings.notes + _supplied(found, settings)
    _miss(found, str(folder / FILE))
    typed = {name: _typed(found, name, settings) for name in TABLES if name in found.frames and name not in PLAIN}
    if found.faults:
        # What could be understood is still compared, so that one run tells everything.
        _, faults = checked_tables(found.frames, found.sources, found.doubtful)
        order = {source.name: number for number, source in enumerate(found.sources.values())}
        raise InputError(sorted([*found.faults, *faults], key=lambda fault: order.get(fault.file, -1)))
    plain = {name: frame for name, frame in found.frames.items() if name in PLAIN}
    return Chain(
        name=settings.name,
        currency=settings.currency,
        notes=notes,
        files={FILE: (folder / FILE).resolve(), **found.files},
        sources=found.sources,
        **typed,
        **plain,
    )


@dataclass
class _Found:
    """What was read so far; a table that is there but cannot be read has ``None`` for a frame.

    Of a table that is ``doubtful`` it is not known which keys it holds.
    """

    frames: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)


def _read(found: _Found, folder: Path, table: str, file: str, settings: ChainSettings) -> None:
    path = (folder / file).resolve()
    frame, source, faults = read_table(path, file, TABLES[table], crs=settings.crs)
    # What is left of a file without one whole row would only be said to be empty.
    found.frames[table] = None if faults and frame is not None and frame.empty else frame
    found.sources[table], found.files[table] = source, path
    found.faults += faults
    if faults:
        found.doubtful.add(table)
    found.files.update(_beside(table, path))


def _beside(table: str, path: Path) -> dict[str, Path]:
    """The files without which a Shapefile is not whole, such as ``neighbourhoods (.dbf)``."""
    if path.suffix.casefold() != ".shp" or not path.is_file():
        return {}
    siblings = [file for file in sorted(path.parent.iterdir()) if file.stem == path.stem and file != path]
    endings = {file.suffix.casefold(): file for file in siblings}
    return {f"{table} ({ending})": endings[ending] for ending in _SHAPEFILE if ending in endings}


def _supplied(found: _Found, settings: ChainSettings) -> tuple[str, ...]:
    """Tables that the section ``[completejourney]`` brings where the folder has none; its notes come back."""
    if settings.completejourney is None:
        return ()
    # The package behind it is an extra that most chains do without.
    from assortment.inputs import completejourney  # noqa: PLC0415

    # It chooses what stands on the shelves today, where it knows the shelves.
    shelves, faults = check_frame(TABLES["shelves"], found.frames.get("shelves"), Source("shelves"))
    try:
        supplied: dict[str, Any] = dict(completejourney.read(settings.completejourney, None if faults else shelves))
    except InputError as error:
        found.faults += error.faults
        return ()
    notes = tuple(supplied.pop("notes", ()))
    found.files.update(supplied.pop("files", {}))
    for table, frame in supplied.items():
        if table not in found.frames:
            found.frames[table], found.sources[table] = frame, Source(f"{table} of completejourney")
    return notes


def _miss(found: _Found, name: str) -> None:
    found.faults += [
        Fault(name, None, f"tables.{table.name}", "nothing", f"the file of the {table.name}, one row per {table.row}")
        for table in TABLES.values()
        if table.required and table.name not in found.frames
    ]


def _typed(found: _Found, name: str, settings: ChainSettings) -> Any:
    """The type of a table from its frame; when that fails, the faults, and a frame of what could be understood."""
    frame, source = found.frames[name], found.sources[name]
    if frame is None:
        return None
    columns = settings.neighbourhoods
    if name == "neighbourhoods" and columns.id != _ID and columns.id in frame:
        frame = frame.rename(columns={columns.id: _ID})
    makers: dict[str, tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]] = {
        "stores": (Stores.from_frame, checked_stores, {"crs": settings.crs}),
        "neighbourhoods": (
            partial(Neighbourhoods.from_frame, attribution=columns.source),
            checked_neighbourhoods,
            {"counts": columns.counts, "rates": columns.rates, "units": columns.units},
        ),
        "products": (Products.from_frame, partial(check_frame, TABLES["products"]), {}),
        "sales": (Sales.from_frame, checked_sales, {"promotion": settings.promotion}),
    }
    make, check, arguments = makers[name]
    try:
        return make(frame, source=source, **arguments)
    except InputError as error:
        if keys_doubtful(TABLES[name], error.faults):
            found.doubtful.add(name)
        renamed = {_ID: columns.id} if name == "neighbourhoods" else {}
        found.faults += [replace(fault, column=renamed.get(fault.column or "", fault.column)) for fault in error.faults]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssortmentWarning)
        found.frames[name], _ = check(frame, source=source, **arguments)
    return None
