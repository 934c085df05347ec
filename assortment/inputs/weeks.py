"""Weeks: the ISO date of a Monday, or a whole number, one kind in a column."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_WHOLE = re.compile(r"[+-]?\d{1,9}")
_EITHER = "the ISO date of a Monday, such as 2024-01-01, or a whole number"

Week = dt.date | int
Parsed = Week | str


def read_weeks(cells: pd.Series[Any]) -> tuple[NDArray[Any], dict[str, NDArray[np.bool_]]]:
    """Weeks of a column.

    Parameters
    ----------
    cells
        Cells as they came: text, numbers, dates or timestamps; length n.

    Returns
    -------
    ndarray
        ``datetime64[us]`` with NaT, or ``float64`` with NaN, where a cell is blank or wrong; the kind is that of most
        cells, shape (n,).
    dict
        What was expected → which cells break it, shape (n,).
    """
    codes, uniques = pd.factorize(cells)
    parsed = [_parsed(value) for value in uniques]
    counts = np.bincount(codes[codes >= 0], minlength=len(parsed))
    kind, other, rest = _kind(parsed, counts)
    reasons = dict.fromkeys(value for value in parsed if isinstance(value, str) and value)
    wrong = {reason: _cells([value == reason for value in parsed], codes) for reason in reasons}
    mixed = _cells([isinstance(value, other) for value in parsed], codes)
    if mixed.any():
        wrong[f"{rest}, as in most rows: one kind of week per chain"] = mixed
    distinct: list[Any] = [value if isinstance(value, kind) else None for value in parsed]
    # Code -1 is a blank cell and takes the last.
    values = np.array([*distinct, None], dtype="datetime64[us]" if kind is dt.date else np.float64)
    return values[codes], wrong


def _kind(parsed: list[Parsed], counts: NDArray[np.intp]) -> tuple[type, type, str]:
    """The kind most cells are of, the other kind, and the former in words."""
    dates = sum(int(n) for value, n in zip(parsed, counts, strict=True) if isinstance(value, dt.date))
    wholes = sum(int(n) for value, n in zip(parsed, counts, strict=True) if isinstance(value, int))
    if dates > wholes:
        return dt.date, int, "the ISO date of a Monday"
    return int, dt.date, "a whole number"


def _cells(wrong: list[bool], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    return np.append(np.array(wrong, dtype=bool), False)[codes]


def _parsed(value: Any) -> Parsed:
    """The Monday, the number, or what was expected instead; empty text for a blank."""
    if isinstance(value, str):
        return _of_text(value.strip())
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, dt.datetime):
        return _monday(value.date()) if value.time() == dt.time() else "a date without a time of day"
    if isinstance(value, dt.date):
        return _monday(value)
    if isinstance(value, int | float | np.number) and not isinstance(value, bool) and float(value).is_integer():
        return _numbered(int(value))
    return _EITHER


def _of_text(text: str) -> Parsed:
    if _WHOLE.fullmatch(text):
        return _numbered(int(text))
    matched = _DATE.fullmatch(text)
    if matched is None:
        return _EITHER if text else ""
    try:
        return _monday(dt.date.fromisoformat(matched[1]))
    except ValueError:
        return "a date that exists"


def _monday(date: dt.date) -> Parsed:
    return date if date.isoweekday() == 1 else "the Monday that begins the week"


def _numbered(number: int) -> Parsed:
    # 20240101 would pass as a number, and weeks would then lie 7, 77 or 8870 apart.
    return "the date with hyphens, such as 2024-01-01" if 19_000_101 <= number <= 22_001_231 else number
