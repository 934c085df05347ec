"""A frame checked against the declaration of its table: canonical columns out, and every fault."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from assortment.errors import AssortmentWarning, Fault
from assortment.inputs.cells import Wrong, convert, inferred
from assortment.inputs.source import Source, cell_faults, shown
from assortment.inputs.spelling import nearest
from assortment.inputs.swapped import put_right
from assortment.inputs.tables import Column, Table


def check_frame(table: Table, frame: object, source: Source) -> tuple[pd.DataFrame, list[Fault]]:
    """A frame in canonical form and its faults.

    Parameters
    ----------
    table
        Declaration of the table.
    frame
        Frame as it came; it is not written to.
    source
        Where it came from, for the messages.

    Returns
    -------
    DataFrame
        Own copy with a RangeIndex: the declared columns that are there, then the others as they were. Where there are
        faults it holds what could be understood, so that other tables can still be compared with it.
    list of Fault
        All faults, bounded for each column.
    """
    if not isinstance(frame, pd.DataFrame):
        return pd.DataFrame(), [Fault(source.name, None, None, f"a {type(frame).__name__}", "a pandas DataFrame")]
    frame, faults = _with_plain_header(table, frame, source)
    if "longitude" in table.names:
        frame, swapped = put_right(frame, source)
        faults += swapped
    if len(frame) == 0 and not table.empty:
        faults.append(Fault(source.name, None, None, "no rows", f"at least one {table.row}"))
    faults += _absent(table, frame, source)
    columns: dict[Any, pd.Series[Any]] = {}
    for column in table.columns:
        if column.kind == "geometry":
            continue
        if column.name in frame:
            columns[column.name], found = _checked_column(column, frame[column.name], source)
            faults += found
        elif column.default is not None and not (column.required and source.is_file):
            columns[column.name] = _constant(column.default, len(frame))
        if column.default_from in columns:
            own, other = columns.get(column.name), columns[column.default_from]
            columns[column.name] = other.copy() if own is None else own.where(own.notna() & (own != ""), other)
    for name in (name for name in frame.columns if name not in table.names):
        extra = frame[name]
        columns[name] = inferred(extra) if source.is_text else extra.reset_index(drop=True).copy()
    clean = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
    return clean, faults + _row_faults(table, clean, source)


def _with_plain_header(table: Table, frame: pd.DataFrame, source: Source) -> tuple[pd.DataFrame, list[Fault]]:
    """The frame with declared names taken from its index to its columns, and no column twice."""
    levels = [name for name in frame.index.names if name in table.names and name not in frame.columns]
    if levels:
        frame = frame.reset_index(level=levels)
    twice = frame.columns.duplicated()
    faults = [
        Fault(source.name, _header_row(source), str(name), "the column more than once", "each column once")
        for name in frame.columns[twice].unique()
    ]
    return (frame.loc[:, ~twice] if faults else frame), faults


def _absent(table: Table, frame: pd.DataFrame, source: Source) -> list[Fault]:
    """Faults of required columns that are not there; a warning for extra ones that look like a misspelled name."""
    extras = [str(name) for name in frame.columns if name not in table.names]
    faults = []
    for column in table.columns:
        if column.name in frame or column.kind == "geometry":
            continue
        has_default = column.default is not None or column.default_from is not None
        if column.required and (source.is_file or not has_default):
            match = nearest(column.name, extras)
            found = "no such column" + (f"; the nearest is '{match}'" if match else "")
            faults.append(
                Fault(source.name, _header_row(source), column.name, found, f"a column with {column.expected}")
            )
        elif not column.required and (match := nearest(column.name, extras, cutoff=0.9)) is not None:
            warnings.warn(
                f"{source.name}: '{match}' is kept as a further column; if it is '{column.name}', name it so",
                AssortmentWarning,
                stacklevel=2,
            )
    return faults


def _header_row(source: Source) -> int | None:
    return 1 if source.is_text else None


def _checked_column(column: Column, cells: pd.Series[Any], source: Source) -> tuple[pd.Series[Any], list[Fault]]:
    series, wrongs = convert(column, cells)
    if column.kind == "text" and source.is_file:
        series = series.mask(series == "")
    if not column.may_be_blank:
        explained = np.logical_or.reduce(
            [wrong.cells for wrong in wrongs if not wrong.once] or [np.zeros(len(cells), bool)]
        )
        blank = series.isna().to_numpy(dtype=bool) & ~explained
        wrongs.append(Wrong(blank, column.expected))
    if column.default is not None and column.may_be_blank:
        series = series.fillna(column.default)
        series = series.astype(np.int64) if column.kind == "whole" else series
    faults = [fault for wrong in wrongs for fault in _told(wrong, column, cells, source)]
    return series, faults


def _told(wrong: Wrong, column: Column, cells: pd.Series[Any], source: Source) -> list[Fault]:
    if wrong.once:
        first = shown(cells.iloc[int(np.argmax(wrong.cells))])
        return [Fault(source.name, None, column.name, f"decimals such as {first}", wrong.expected)]

    def found(position: int) -> str:
        text = shown(cells.iloc[position])
        match = nearest(text.strip("'"), column.choices) if column.choices else None
        return f"{text} (near to '{match}')" if match else text

    return cell_faults(source, column.name, wrong.cells, found=found, expected=wrong.expected)


def _constant(value: str | int, length: int) -> pd.Series[Any]:
    return pd.Series([value] * length, dtype="str" if isinstance(value, str) else "int64")


def _row_faults(table: Table, clean: pd.DataFrame, source: Source) -> list[Fault]:
    """Faults of rows as a whole: keys that repeat, pairs in the wrong order."""
    faults = _repeated(table, clean, source) if table.key else []
    for low, high in table.ordered:
        if low in clean and high in clean and (clean[low].dtype.kind == "M") == (clean[high].dtype.kind == "M"):
            wrong = (clean[low] > clean[high]).to_numpy(dtype=bool)
            found = partial(_pair, clean, low, high)
            faults += cell_faults(source, high, wrong, found=found, expected=f"no less than {low}")
    return faults


def _pair(clean: pd.DataFrame, low: str, high: str, position: int) -> str:
    return f"{shown(clean[high].iloc[position])} with {low} {shown(clean[low].iloc[position])}"


def _repeated(table: Table, clean: pd.DataFrame, source: Source) -> list[Fault]:
    key = [name for name in table.key if name in clean]
    needed = [column.name for column in table.columns if column.name in table.key and column.required]
    if not set(needed) <= set(key):
        return []
    keys = clean[key]
    complete: NDArray[np.bool_] = clean[needed].notna().all(axis=1).to_numpy(dtype=bool)
    repeated = keys.duplicated().to_numpy(dtype=bool) & complete
    if not repeated.any():
        return []
    groups = keys.groupby(key, dropna=False, sort=False).ngroup().to_numpy()
    distinct, firsts = np.unique(groups, return_index=True)
    first = dict(zip(distinct.tolist(), source.rows(firsts), strict=True))

    def found(position: int) -> str:
        words = ", ".join(shown(value).strip("'") for value in keys.iloc[position] if not pd.isna(value))
        return f"{words} again, after row {first[int(groups[position])]}"

    return cell_faults(
        source, ", ".join(key), repeated, found=found, expected=f"no two rows with the same {', '.join(key)}"
    )
