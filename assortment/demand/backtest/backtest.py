"""``backtest``: does the model forecast what it has not seen better than simple averages do?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assortment.demand.arrays import Bools, Floats
from assortment.demand.backtest.backtest_result import MODEL, Backtest
from assortment.demand.backtest.baselines import baselines, forecast
from assortment.demand.backtest.held_out import (
    HoldOut,
    Part,
    parts_by_store,
    parts_by_week,
    training_sales,
    training_settings,
)
from assortment.demand.backtest.scores import LEVEL, States, coverage, errors
from assortment.demand.fit import fit_demand
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.observed.record import TillRecord, till_record
from assortment.errors import AssortmentWarning, DemandError, listed
from assortment.inputs import Stores, given_frame

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products, Sales

_STEPS = 100  # of the progress of one refit
_ROWS = 2_000_000  # offers that are forecast at once


def backtest(
    sales: Sales | None,
    products: Products,
    profiles: StoreProfiles,
    *,
    hold_out: HoldOut = "stores",
    folds: int = 5,
    weeks: int | None = None,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    **how: Any,
) -> Backtest:
    """Refit the model with parts of the sales hidden, forecast them, and compare with simple averages.

    Forecast is how the purchases of a store-week divide over what was offered. How many there were, what was offered,
    prices and promotions of the hidden weeks are taken as known, for all methods alike. Compared on the same rows are
    the chain average; with hidden weeks also each store's own history and shrunken history (see ``baselines``); and the
    model.

    Parameters
    ----------
    sales
        Units by week, store and product; a chain without any (``None``) is refused.
    products
        Products of one category.
    profiles
        Who each store serves.
    hold_out
        "stores": how well are stores forecast that the model has not seen? The stores are dealt into ``folds`` parts,
        each hidden in turn. "weeks": how well is the future forecast? The last ``weeks`` weeks are cut into ``folds``
        blocks, each forecast from all weeks before it; ``folds=1`` forecasts all of them at once.
    folds
        Number of parts, and of refits.
    weeks
        Weeks held out, with "weeks" only; default: a quarter of the record, at most 20.
    seed
        Chooses the parts, and the folds inside each refit.
    workers
        Threads of each refit; the result does not depend on it.
    progress
        Called as ``progress(done, total)``.
    **how
        Further settings of ``fit_demand``, for each refit; those that it chooses, it chooses without the hidden part.

    Raises
    ------
    DemandError
        Too few stores or weeks; a word that is not known; whatever ``fit_demand`` cannot use.
    InputError
        Faults of a frame among the settings.

    Warns
    -----
    AssortmentWarning
        What the refits warn of, once each.
    """
    if hold_out not in ("stores", "weeks"):
        raise DemandError(f'hold_out = {hold_out!r}: hold out "stores" or "weeks".')
    if hold_out == "stores" and weeks is not None:
        raise DemandError(f'weeks = {weeks} goes with hold_out="weeks"; with "stores" whole stores are held out.')
    if sales is None:
        raise DemandError("A backtest hides and forecasts till sales; give sales.")
    promotion = how.get("promotion")
    offered = how.get("offered")
    record = till_record(
        sales,
        products,
        offered=None if offered is None else given_frame("offered", offered, name="offered"),
        promotion=(promotion,) if isinstance(promotion, str) else promotion,
    )
    parts = parts_by_store(record, folds, seed) if hold_out == "stores" else parts_by_week(record, folds, weeks)
    scored, notes = [], [*record.notes, *_only_hidden(record, parts)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AssortmentWarning)
        for number, part in enumerate(parts):
            model = fit_demand(
                training_sales(sales, record, part),
                products,
                profiles,
                seed=seed,
                workers=workers,
                progress=None if progress is None else partial(_refit_progress, progress, number, len(parts)),
                **training_settings(how, record, part),
            )
            scored.append(_scored(model, record, part, products, profiles).assign(fold=number + 1))
            notes += [note for note in model.notes if note not in notes]
    _hand_on(caught)
    return Backtest(
        hold_out=hold_out, scores=pd.concat(scored, ignore_index=True), held_out=_in_words(parts), notes=tuple(notes)
    )


def _scored(
    model: ChoiceModel, record: TillRecord, part: Part, products: Products, profiles: StoreProfiles
) -> pd.DataFrame:
    """Errors of all methods by store, for what a part hides."""
    store, week = np.nonzero(part.test)
    states = States(store, record.offered[store, week], record.units[store, week])
    tables = [
        errors(states, forecast(shares, store, states.offered), record.store_ids).assign(method=method)
        for method, shares in baselines(record, part.train, own=part.hold_out == "weeks").items()
    ]
    shares = _model_shares(model, record, part.test, profiles)
    limits = _limits(model, record, part, products, profiles)
    judged = coverage(states, shares, limits, record.store_ids)
    own = errors(states, shares, record.store_ids).assign(method=MODEL)
    return pd.concat([*tables, own.merge(judged, on="store_id", how="left")], ignore_index=True)


def _model_shares(model: ChoiceModel, record: TillRecord, test: Bools, profiles: StoreProfiles) -> Floats:
    """(T, N) shares that the model forecasts for the store-weeks of the mask, at their prices and promotions."""
    store, week = np.nonzero(test)
    shares = np.zeros((len(store), len(record.product_ids)))
    names = {"price": np.exp(record.log_price)} | dict(zip(record.promotion, record.promotions, strict=True))
    step = max(1, _ROWS // len(record.product_ids))
    for first in range(0, len(store), step):
        states = slice(first, first + step)
        t, n = np.nonzero(record.offered[store[states], week[states]])
        s, w = store[states][t], week[states][t]
        offers = pd.DataFrame(
            {
                "week": record.weeks[w],
                "store_id": np.asarray(record.store_ids, dtype=object)[s],
                "product_id": np.asarray(record.product_ids, dtype=object)[n],
                **{name: values[s, w, n] for name, values in names.items()},
            }
        )
        shares[first + t, n] = model.shares(offers, profiles).to_numpy(np.float64)
    return shares


def _limits(
    model: ChoiceModel, record: TillRecord, part: Part, products: Products, profiles: StoreProfiles
) -> tuple[Floats, Floats]:
    """(S, N) limits of the interval as multiples of the share, for what was offered in the hidden weeks."""
    shape = (len(record.store_ids), len(record.product_ids))
    there = np.asarray((record.offered & part.test[:, :, None]).any(axis=1))
    rows = np.flatnonzero(part.test.any(axis=1))
    ids = np.asarray(record.store_ids, dtype=object)[rows]
    units = (record.units * part.test[:, :, None]).sum(axis=(1, 2)) / np.maximum(part.test.sum(axis=1), 1)
    s, n = np.nonzero(there[rows])
    demand = model.predict(
        # Only the ids count here.
        Stores.from_frame(pd.DataFrame({"store_id": ids, "longitude": 0.0, "latitude": 0.0})),
        products,
        profiles,
        listing=pd.DataFrame({"store_id": ids[s], "product_id": np.asarray(record.product_ids, dtype=object)[n]}),
        shelves=pd.DataFrame({"store_id": ids, "occasions_per_week": units[rows]}),
    )
    found = demand.interval(LEVEL)
    limits = np.full((2, *shape), np.nan)
    at = (
        pd.Index(record.store_ids).get_indexer(pd.Index(found["store_id"])),
        pd.Index(record.product_ids).get_indexer(pd.Index(found["product_id"])),
    )
    for side, name in enumerate(("low", "high")):
        limits[side][at] = (found[name] / found["share"]).to_numpy(np.float64)
    return limits[0], limits[1]


def _only_hidden(record: TillRecord, parts: tuple[Part, ...]) -> list[str]:
    """What a refit cannot know of some products, in words."""
    new: dict[str, None] = {}
    for part in parts:
        sold = [record.units[mask].sum(axis=0) > 0 for mask in (part.train, part.test)]
        only = np.logical_and(sold[1], np.logical_not(sold[0]))
        new |= dict.fromkeys(product for product, hidden in zip(record.product_ids, only, strict=True) if hidden)
    if not new:
        return []
    return [
        f"Sold only in what was held out, so forecast from attributes by the model and as an equal share by the "
        f"averages: {listed(new)}."
    ]


def _refit_progress(progress: Callable[[int, int], None], number: int, parts: int, done: int, total: int) -> None:
    progress(number * _STEPS + _STEPS * done // max(total, 1), parts * _STEPS)


def _hand_on(caught: list[warnings.WarningMessage]) -> None:
    """Repeat the warnings of the refits once each."""
    seen: set[str] = set()
    for warning in caught:
        if str(warning.message) not in seen:
            seen.add(str(warning.message))
            warnings.warn(str(warning.message), warning.category, stacklevel=3)


def _in_words(parts: tuple[Part, ...]) -> str:
    hidden = np.asarray(np.array([part.test for part in parts]).any(axis=0))
    stores, weeks = int(hidden.any(axis=1).sum()), int(hidden.any(axis=0).sum())
    return f"{stores} store{'s' * (stores != 1)}, {weeks} week{'s' * (weeks != 1)}"
