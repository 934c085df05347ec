"""CSV files read as text, with the row of every line that cannot be read."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from assortment.errors import Fault
from assortment.inputs.source import FAULTS_KEPT, Source

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_QUERY = """
SELECT * FROM read_csv(
    $path, auto_detect = false, header = true, columns = $columns, delim = ',', quote = '"', escape = '"'
)
"""


def read_csv(path: Path, name: str) -> tuple[pd.DataFrame, Source, list[Fault]]:
    """A CSV file as text.

    Parameters
    ----------
    path
        The file: comma-separated, UTF-8 with or without a byte order mark, header in its first row.
    name
        How the user knows it.

    Returns
    -------
    DataFrame
        Cells as text, missing where blank; rows that hold nothing are left out. Without columns when the header
        cannot be used.
    Source
        Which counts rows as a spreadsheet shows them.
    list of Fault
        What cannot be read.
    """
    header, faults = _header(path, name)
    # DuckDB skips blank lines unless there is but one column.
    source = Source(name, first_row=2, is_file=True, is_text=True, blank_lines_in=path if len(header) > 1 else None)
    if not header:
        return pd.DataFrame(), source, faults
    try:
        frame = _by_duckdb(path, header)
    except duckdb.Error:
        # Slower, but it goes on behind a broken row and knows its number.
        frame, records, found = _by_row(path, name, header)
        source, faults = replace(source, records=records, blank_lines_in=None), faults + found
    frame, found = named_columns(frame, name)
    frame, source = filled_rows(frame, source)
    return frame, source, faults + found


def filled_rows(frame: pd.DataFrame, source: Source) -> tuple[pd.DataFrame, Source]:
    """The rows that hold something, and a source that still knows their numbers."""
    filled = frame.notna().any(axis=1).to_numpy(dtype=bool)
    if filled.all():
        return frame, source
    records = np.flatnonzero(filled) if source.records is None else source.records[filled]
    return frame[filled].reset_index(drop=True), replace(source, records=records)


def _header(path: Path, name: str) -> tuple[list[str], list[Fault]]:
    """Names of the columns, none when the file cannot be a comma-separated table."""
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return [], [Fault(name, 1, None, "text in UTF-16", "text in UTF-8: save the file as 'CSV UTF-8'")]
    if start == b"PK\x03\x04":
        return [], [Fault(name, None, None, "a workbook or archive", "comma-separated text; a workbook ends in .xlsx")]
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        first = next(csv.reader(lines), None)
    if first is None:
        return [], [Fault(name, None, None, "an empty file", "a header in row 1 and data below")]
    header = [cell.strip() for cell in first]
    if not any(header):
        return [], [Fault(name, 1, None, "a blank row", "the header, names of columns separated by commas")]
    if len(header) == 1:
        for separator, word in _SEPARATORS.items():
            if separator in header[0]:
                return [], [
                    Fault(name, 1, None, f"columns separated by {word}", "commas: save the file as CSV with commas")
                ]
    return header, []


def _by_duckdb(path: Path, header: list[str]) -> pd.DataFrame:
    columns = {str(number): "VARCHAR" for number in range(len(header))}
    with duckdb.connect() as connection:
        frame: pd.DataFrame = connection.execute(_QUERY, {"path": literal_path(path), "columns": columns}).df()
    frame.columns = pd.Index(header)
    return frame


def literal_path(path: Path) -> str:
    """The path with characters that DuckDB would take for a pattern of file names put in brackets."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def _by_row(path: Path, name: str, header: list[str]) -> tuple[pd.DataFrame, np.ndarray[Any, Any], list[Fault]]:
    """The rows that can be read, the number of each from 0, and faults of the others."""
    rows: list[list[str | None]] = []
    records: list[int] = []
    faults: list[Fault] = []
    number = -1
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            next(reader)
            for number, row in enumerate(reader):
                if not any(cell.strip() for cell in row):
                    continue
                fault = _row_fault(name, number + 2, row, header)
                if fault is not None:
                    faults.append(fault)
                    continue
                rows.append([cell or None for cell in row[: len(header)]])
                records.append(number)
        except csv.Error as error:
            expected = "each quoted cell closed by a quotation mark, and quotation marks inside it doubled"
            faults.append(Fault(name, number + 3, None, f"a row that cannot be read ({error})", expected))
    if len(faults) > FAULTS_KEPT:
        more = f"{len(faults) - FAULTS_KEPT:,} more rows that cannot be read, the last is row {faults[-1].row}"
        faults = [*faults[:FAULTS_KEPT], Fault(name, None, None, more, faults[-1].expected)]
    frame = pd.DataFrame(rows, columns=pd.Index(header), dtype="str")
    return frame, np.array(records, dtype=np.int64), faults


def _row_fault(name: str, row: int, cells: list[str], header: list[str]) -> Fault | None:
    # A spreadsheet leaves commas behind the last column; they are no cells.
    if len(cells) < len(header) or any(cells[len(header) :]):
        expected = f"{len(header)} cells, as the header has; a comma inside a cell needs quotation marks around it"
        return Fault(name, row, None, f"{len(cells)} cells", expected)
    for column, cell in zip(header, cells, strict=False):
        if any("\udc80" <= char <= "\udcff" for char in cell):
            found = "'" + "".join("�" if "\udc80" <= char <= "\udcff" else char for char in cell) + "'"
            return Fault(name, row, column, found, "text in UTF-8: save the file as 'CSV UTF-8'")
    return None


def named_columns(frame: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list[Fault]]:
    """The columns that have a name; one without a name may only be blank, as spreadsheets leave them."""
    nameless = np.array([column == "" for column in frame.columns], dtype=bool)
    filled = np.flatnonzero(nameless & frame.notna().any().to_numpy(dtype=bool))
    faults = [Fault(name, 1, None, f"column {at + 1} without a name", "a name in the header") for at in filled]
    return frame.loc[:, ~nameless], faults
