"""Cells of one column turned into the kind that its declaration asks for; what cannot be turned is pointed out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from assortment.inputs.tables import Column, Kind
from assortment.inputs.weeks import read_weeks

# Words that stand for an unknown number in published tables. Ids and texts named so are left alone.
_UNKNOWN = ("", "na", "n/a", "nan", "null", "none", "<na>")
_SHORTENED = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+?\d+")


@dataclass(frozen=True)
class Wrong:
    """Cells of a column that have one thing wrong.

    Parameters
    ----------
    cells
        Which, shape (n,).
    expected
        What should stand there.
    once
        The fault is of the column as a whole and is to be told once.
    """

    cells: NDArray[np.bool_]
    expected: str
    once: bool = False


Converted = tuple["pd.Series[Any]", list[Wrong]]


def convert(column: Column, cells: pd.Series[Any]) -> Converted:
    """The cells of a column in their canonical type.

    Parameters
    ----------
    column
        Declaration of the column.
    cells
        Cells as they came, length n.

    Returns
    -------
    Series
        Canonical cells with a RangeIndex; missing where a cell is blank or wrong.
    list of Wrong
        What is wrong, one for each reason.
    """
    series, wrongs = _CONVERTERS[column.kind](column, cells)
    return series, [wrong for wrong in wrongs if wrong.cells.any()]


def inferred(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Cells of an undeclared column of a text file: numbers where all are, else text.

    A column with a leading zero anywhere, such as a postal code, stays text.
    """
    numbers, missing = _numbers(cells)
    known = ~missing
    if not known.any() or not np.isfinite(numbers[known]).all():
        return cells.astype("str").reset_index(drop=True)
    if cells.astype("str").str.match(r"\s*[+-]?0\d").fillna(False).any():
        return cells.astype("str").reset_index(drop=True)
    whole = known.all() and bool((numbers == np.floor(numbers)).all())
    return pd.Series(numbers.astype(np.int64) if whole else numbers)


def as_numbers(cells: pd.Series[Any]) -> NDArray[np.float64]:
    """Cells as numbers, shape (n,), NaN where one is blank or none."""
    return _numbers(cells)[0]


def _numbers(cells: pd.Series[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers, NaN where there is none, and which cells are blank."""
    missing = cells.isna().to_numpy(dtype=bool).copy()
    if pd.api.types.is_datetime64_any_dtype(cells) or pd.api.types.is_timedelta64_dtype(cells):
        return np.full(len(cells), np.nan), missing
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(object)
    coerced = pd.to_numeric(cells, errors="coerce")
    numbers = coerced.to_numpy(dtype=np.float64, na_value=np.nan).copy()
    doubtful = np.flatnonzero(np.isnan(numbers) & ~missing)
    if len(doubtful):
        words = cells.iloc[doubtful].astype("str").str.strip().str.casefold()
        missing[doubtful] = words.isin(_UNKNOWN).to_numpy(dtype=bool)
    return numbers, missing


def _number(column: Column, cells: pd.Series[Any]) -> Converted:
    numbers, missing = _numbers(cells)
    unreadable = np.isnan(numbers) & ~missing
    expected = column.expected
    if any(set("$€£,") & set(str(cell)) for cell in cells[unreadable].head(100)):
        expected += "; with a decimal point, without currency sign or thousands separator"
    outside = ~np.isfinite(numbers) & ~np.isnan(numbers)
    if column.above is not None:
        outside |= numbers <= column.above
    if column.at_least is not None:
        outside |= numbers < column.at_least
    if column.at_most is not None:
        outside |= numbers > column.at_most
    numbers[outside] = np.nan
    return pd.Series(numbers), [Wrong(unreadable, expected), Wrong(outside, column.expected)]


def _whole(column: Column, cells: pd.Series[Any]) -> Converted:
    series, wrongs = _number(column, cells)
    numbers = series.to_numpy(dtype=np.float64).copy()
    broken = numbers != np.floor(numbers)
    broken &= ~np.isnan(numbers)
    numbers[broken] = np.nan
    return as_whole(numbers), [*wrongs, Wrong(broken, column.expected)]


def as_whole(numbers: NDArray[np.float64]) -> pd.Series[Any]:
    """Numbers without a fraction as ``int64``, or as they are when some are missing."""
    return pd.Series(numbers if np.isnan(numbers).any() else numbers.astype(np.int64))


def _id(column: Column, cells: pd.Series[Any]) -> Converted:
    if pd.api.types.is_float_dtype(cells.dtype):
        advice = "text or whole numbers; ids turn into decimals when one is missing, so read them as text (dtype=str)"
        codes, uniques = pd.factorize(cells)
        series = _taken([_text_of_number(value) for value in uniques], codes)
        return series, [Wrong(cells.notna().to_numpy(dtype=bool), advice, once=True)]
    codes, uniques = pd.factorize(cells)
    texts = [_id_text(value) for value in uniques]
    shortened = [text is not None and bool(_SHORTENED.fullmatch(text)) and "." in text for text in texts]
    series = _taken([text or None for text in texts], codes)
    return series, [
        Wrong(_hit([text is None for text in texts], codes), column.expected),
        Wrong(_hit(shortened, codes), "the whole id; a spreadsheet has shortened it, so format the column as text"),
    ]


def _id_text(value: object) -> str | None:
    """An id as text, ``None`` when it is of a type that no id should have."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return str(int(value))
    return None


def _text(_: Column, cells: pd.Series[Any]) -> Converted:
    codes, uniques = pd.factorize(cells)
    return _taken([_plain_text(value) for value in uniques], codes), []


def _plain_text(value: object) -> str:
    if isinstance(value, float):
        return _text_of_number(value)
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    return str(value).strip()


def _text_of_number(value: float) -> str:
    """A number as text: 12.0 stands for the 12 that it was before a missing value made it a decimal."""
    return str(int(value)) if float(value).is_integer() else str(value)


def _choice(column: Column, cells: pd.Series[Any]) -> Converted:
    codes, uniques = pd.factorize(cells)
    texts = [str(value).strip().casefold() for value in uniques]
    wrong = [text not in column.choices and text != "" for text in texts]
    series = _taken([None if bad or text == "" else text for bad, text in zip(wrong, texts, strict=True)], codes)
    return series, [Wrong(_hit(wrong, codes), column.expected)]


def _week(_: Column, cells: pd.Series[Any]) -> Converted:
    values, wrong = read_weeks(cells)
    series = as_whole(values) if values.dtype.kind == "f" else pd.Series(values)
    return series, [Wrong(mask, expected) for expected, mask in wrong.items()]


def _taken(texts: list[str | None], codes: NDArray[np.intp]) -> pd.Series[Any]:
    """Text of each cell from the texts of the distinct values; code -1 is a missing cell."""
    distinct = pd.Series([*texts, None], dtype="str")
    return distinct.take(np.where(codes < 0, len(texts), codes)).reset_index(drop=True)


def _hit(wrong: list[bool], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which cells hold one of the wrong distinct values."""
    return np.append(np.array(wrong, dtype=bool), False)[codes]


_CONVERTERS: dict[Kind, Callable[[Column, pd.Series[Any]], Converted]] = {
    "id": _id,
    "text": _text,
    "number": _number,
    "whole": _whole,
    "week": _week,
    "choice": _choice,
}
