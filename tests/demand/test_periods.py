"""Time: periods counted back from the last week."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assortment.demand.design.periods import SEASON, Calendar


@given(weeks=st.integers(1, 120), length=st.sampled_from([1, 4, SEASON]))
def test_periods_are_counted_back_from_the_last_week(weeks: int, length: int) -> None:
    """The last ``length`` weeks are period 0, those before them period 1, and so on; only the first may be short."""
    calendar = Calendar(pd.Index(range(weeks)), length)
    sizes = np.bincount(calendar.period)
    assert len(sizes) == calendar.periods
    assert (sizes[:-1] == length).all() and 1 <= sizes[-1] <= length
    assert (np.diff(calendar.period) <= 0).all() and calendar.period[-1] == 0


def test_what_comes_later_belongs_to_the_last_season() -> None:
    """A future week has the last season and no week of its own; one in a gap, the season of the week before it."""
    weeks = [*range(10), *range(12, 30)]
    period, week = Calendar(pd.Index(weeks), SEASON).locate(pd.Series([0, 10, 29, 50, -3]))
    assert list(period) == [2, 1, 0, 0, 2] and list(week) == [0, -1, 27, -1, -1]


def test_single_weeks_say_nothing_of_others() -> None:
    """With a period per week, a week that is not in the record has none; weeks that are alike have none at all."""
    period, week = Calendar(pd.Index(range(5)), 1).locate(pd.Series([4, 0, 5]))
    assert list(period) == [0, 4, -1] and list(week) == [4, 0, -1]
    calendar = Calendar(pd.Index(range(5)))
    assert list(calendar.locate(pd.Series([4, 5]))[0]) == [-1, -1] and calendar.periods == 0


@pytest.mark.parametrize(("length", "latest"), [(0, -1), (1, -1), (SEASON, 0)])
def test_only_seasons_are_carried_into_the_future(length: int, latest: int) -> None:
    """The last season goes on; weeks do not."""
    assert Calendar(pd.Index(range(20)), length).latest() == latest


def test_weeks_may_be_dates() -> None:
    """Mondays are found like numbers."""
    mondays = pd.date_range("2024-01-01", periods=30, freq="7D")
    period, week = Calendar(pd.Index(mondays), SEASON).locate(pd.Series([mondays[3], pd.Timestamp("2025-01-06")]))
    assert list(period) == [2, 0] and list(week) == [3, -1]
