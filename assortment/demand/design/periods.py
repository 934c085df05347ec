"""Time: what changes for the whole chain from season to season, or from week to week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.demand.arrays import Ints

SEASON = 13
"""Weeks of a season, a quarter of a year."""


@dataclass(frozen=True)
class Calendar:
    """The weeks of a record and the periods that they fall into.

    Periods are counted back from the last week, in recorded weeks: period 0 is the latest.

    Parameters
    ----------
    weeks
        (W,), in order.
    length
        Weeks per period: 0 when all weeks are alike, 1 when each stands for itself, else a season.
    """

    weeks: pd.Index
    length: int = 0

    @property
    def period(self) -> Ints:
        """(W,) period of each week; -1 for all when weeks are alike."""
        age = np.arange(len(self.weeks), dtype=np.intp)[::-1]
        return age // self.length if self.length else np.full(len(age), -1, dtype=np.intp)

    @property
    def periods(self) -> int:
        """Number of periods, P; none when all weeks are alike."""
        return -(-len(self.weeks) // self.length) if self.length else 0

    def locate(self, weeks: pd.Series | pd.Index) -> tuple[Ints, Ints]:
        """Return period and week of any weeks, -1 where there is none.

        A week that is not in the record belongs to the period of the week before it, so what comes later belongs to the
        last season; a single week says nothing of others.
        """
        week = np.asarray(self.weeks.get_indexer(pd.Index(weeks)), dtype=np.intp)
        if self.periods == 0:
            return np.full(len(week), -1, dtype=np.intp), week
        if self.length == 1:
            return np.where(week >= 0, self.period[week], -1), week
        before = np.clip(self.weeks.searchsorted(pd.Index(weeks), side="right") - 1, 0, None)
        return self.period[before], week

    def latest(self) -> int:
        """Return the period that is carried into the future; -1 where there is none."""
        return 0 if self.length > 1 else -1
