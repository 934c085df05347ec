"""Parts of a till record that a backtest hides: stores, or the last weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from assortment.demand.arrays import Bools
from assortment.demand.observed.folds import fold_of
from assortment.demand.observed.record import TillRecord
from assortment.errors import DemandError
from assortment.inputs import given_frame

if TYPE_CHECKING:
    from assortment.inputs import Sales

HoldOut = Literal["stores", "weeks"]

_MOST_WEEKS = 20
_LEAST_TO_LEARN = 2  # weeks


@dataclass(frozen=True)
class Part:
    """One refit of a backtest: what it may see and what it has to forecast.

    Parameters
    ----------
    hold_out
        What is hidden.
    train, test
        (S, W) masks of recorded store-weeks.
    """

    hold_out: HoldOut
    train: Bools
    test: Bools

    def seen(self, record: TillRecord, frame: pd.DataFrame) -> Bools:
        """Return which rows of a frame with store_id (week, when weeks are hidden) may be seen.

        Not what is hidden, nor what comes after it, nor what does not say when it was.
        """
        if self.hold_out == "stores":
            hidden = np.asarray(record.store_ids, dtype=object)[self.test.any(axis=1)]
            return np.logical_not(frame["store_id"].isin(hidden).to_numpy(np.bool_))
        first = record.weeks[int(np.flatnonzero(self.test.any(axis=0))[0])]
        earlier: Bools = (frame["week"] < first).to_numpy(np.bool_, na_value=False)
        return earlier


def parts_by_store(record: TillRecord, folds: int, seed: int) -> tuple[Part, ...]:
    """Deal the stores into ``folds`` parts, each hidden in turn; fewer where there are fewer stores.

    Raises
    ------
    DemandError
        Fewer than two folds or two stores.
    """
    S = len(record.store_ids)
    if folds < 2:
        raise DemandError(f"folds = {folds}: stores are held out in at least 2 parts, so that others are left to fit.")
    if S < 2:
        raise DemandError(
            f"Only store {record.store_ids[0]} has sales, so no store can be held out; "
            'ask for hold_out="weeks", which forecasts its last weeks from those before.'
        )
    fold = fold_of(record.store_ids, folds, seed)
    held = [(fold == part)[:, None] & record.recorded for part in range(int(fold.max()) + 1)]
    return tuple(Part("stores", record.recorded & ~test, test) for test in held)


def parts_by_week(record: TillRecord, folds: int, weeks: int | None) -> tuple[Part, ...]:
    """Cut the last ``weeks`` weeks into ``folds`` blocks, each forecast from all weeks before it.

    Parameters
    ----------
    record
        Sales.
    folds
        Number of blocks; no more than weeks are held out.
    weeks
        Default: a quarter of the record, at most 20.

    Raises
    ------
    DemandError
        Fewer than two weeks are left to learn from, or no week is held out.
    """
    W = len(record.weeks)
    if folds < 1:
        raise DemandError(f"folds = {folds}: give 1 or more blocks of weeks.")
    held = max(1, min(_MOST_WEEKS, W // 4)) if weeks is None else weeks
    if held < 1 or W - held < _LEAST_TO_LEARN:
        raise DemandError(
            f"The sales hold {W} week{'s' * (W != 1)}; with {held} of them held out {max(W - held, 0)} are left to "
            f"learn from, and at least {_LEAST_TO_LEARN} are needed. Give a longer record"
            + ("." if weeks is None else f", or `weeks` between 1 and {max(W - _LEAST_TO_LEARN, 1)}.")
        )
    position = np.arange(W)
    parts = []
    for block in np.array_split(position[-held:], min(folds, held)):
        test = record.recorded & np.isin(position, block)
        if test.any():
            parts.append(Part("weeks", record.recorded & (position < block[0]), test))
    return tuple(parts)


def training_sales(sales: Sales, record: TillRecord, part: Part) -> Sales:
    """Return the sales that the refit of a part may see.

    Raises
    ------
    DemandError
        Nothing was sold in them.
    """
    if not record.units[part.train].any():
        raise DemandError("Nothing was sold before the weeks held out; hold out fewer weeks.")
    return replace(sales, frame=sales.frame[part.seen(record, sales.frame)])


def training_settings(how: Mapping[str, Any], record: TillRecord, part: Part) -> dict[str, Any]:
    """Return the settings of a refit: baskets lose the rows of what is held out.

    Raises
    ------
    DemandError
        The baskets do not say where or when they were bought, so they cannot be held out.
    """
    given = dict(how)
    if given.get("baskets") is None:
        return given
    baskets = given_frame("baskets", given["baskets"], name="baskets")
    column = "week" if part.hold_out == "weeks" else "store_id"
    if column not in baskets.columns:
        raise DemandError(
            f"The baskets have no column {column}, so those of the {part.hold_out} held out cannot be "
            "hidden from the fit; add it, or leave the baskets out of the backtest."
        )
    given["baskets"] = baskets[part.seen(record, baskets)]
    return given
