"""Weeks: ISO Mondays or whole numbers, one kind."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.inputs.weeks import read_weeks

MONDAY = dt.date(2024, 1, 1)


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series(["2024-01-01", " 2024-01-08 "]),
        pd.Series(["2024-01-01T00:00:00", "2024-01-08 00:00"]),
        pd.Series([MONDAY, dt.date(2024, 1, 8)]),
        pd.Series(pd.to_datetime(["2024-01-01", "2024-01-08"])),
        pd.Series(pd.to_datetime(["2024-01-01", "2024-01-08"], utc=True)),
        pd.Series(pd.to_datetime(["2024-01-01", "2024-01-08"])).astype("timestamp[ns][pyarrow]"),
        pd.Series(["2024-01-01", "2024-01-08"], dtype="category"),
    ],
)
def test_dates_come_in_many_types(cells: pd.Series) -> None:
    """Text, dates, timestamps and categories of Mondays all give the same days."""
    weeks, wrong = read_weeks(cells)
    assert not wrong
    assert weeks.dtype == "datetime64[us]"
    assert list(weeks.astype("datetime64[D]").tolist()) == [MONDAY, dt.date(2024, 1, 8)]


@pytest.mark.parametrize("cells", [[1, 2], ["1", " 2"], [1.0, 2.0], np.array([1, 2], dtype="uint8")])
def test_whole_numbers_come_in_many_types(cells: object) -> None:
    """Whole numbers are weeks, as text, integers or decimals without a fraction."""
    weeks, wrong = read_weeks(pd.Series(cells))
    assert not wrong
    assert weeks.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2024-01-03", "the Monday"),
        ("2024-02-30", "a date that exists"),
        ("2024-W05", "ISO date"),
        ("01/08/2024", "ISO date"),
        ("20240101", "hyphens"),
        (20240101, "hyphens"),
        (1.5, "whole number"),
        (True, "whole number"),
        (dt.datetime(2024, 1, 1, 12), "time of day"),
    ],
)
def test_what_is_no_week_is_said(cell: object, expected: str) -> None:
    """Each way not to be a week has its own advice, and the cell becomes blank."""
    weeks, wrong = read_weeks(pd.Series([cell], dtype=object))
    assert [expected in reason for reason in wrong] == [True]
    assert pd.isna(weeks).all()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.one_of(st.integers(1, 500), st.integers(0, 500).map(lambda n: MONDAY + n * dt.timedelta(7))), min_size=1
    )
)
def test_of_mixed_kinds_the_fewer_are_the_wrong_ones(cells: list[object]) -> None:
    """In a column of both kinds, the kind of most cells stays and just the others are pointed out."""
    weeks, wrong = read_weeks(pd.Series(cells, dtype=object))
    dates = np.array([isinstance(cell, dt.date) for cell in cells])
    few = dates if dates.sum() <= (~dates).sum() else ~dates
    pointed = np.logical_or.reduce(list(wrong.values())) if wrong else np.zeros(len(cells), bool)
    assert pointed.tolist() == few.tolist()
    assert pd.isna(weeks).tolist() == few.tolist()
