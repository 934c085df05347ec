"""What is asked of the forecasts on Dominick's orange juice, and the forecasts that they are held against.

All forecast shares of store-weeks whose total, prices and promotions are known (T store-weeks, S stores, N brands):

A. stores never seen: five folds over the stores, all weeks.
B. the last 20 weeks, after 101 weeks; after the 8 weeks before them; after those 8 weeks with 1 % of the units (each
   unit kept with probability 1 %: binomial thinning).
D. two brands hidden in 41 stores for 101 weeks, then introduced: these brands in these stores, in the last 20 weeks.

Draws: A, another partition; B after 101 and after 8 weeks, all stores, then the chain without a fifth of them, each
fifth in turn; 1 %, other units; D, other stores and brands. Draw 0 of A and B is what the method page measured.
"Earlier" is B after 8 weeks at four other origins, each 20 weeks before: how far one origin speaks for another.

Scores: WAPE = Σ_sj |Σ_t forecast − Σ_t actual| ÷ Σ actual, units of the store × brand totals; KL = Σ_st n_st KL(actual
share ‖ forecast share) ÷ Σ n_st, per unit. In D only the hidden cells count, and there is no KL: own history gives zero
to what was never there, so its WAPE is 1 whatever is drawn. The chain average is that of the stores that offered all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from orange_juice import DEMOGRAPHICS, OrangeJuice

from assortment.demand import ChoiceModel, fit_demand
from assortment.geo import StoreProfiles

FOLDS, AHEAD, LONG, SHORT = 5, 20, 101, 8
THINNED = 0.01
HIDDEN_STORES, HIDDEN_BRANDS = 41, 2
UNSEEN = "as if unseen "
LEAST = 1e-9
SHRINKAGE = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)


@dataclass(frozen=True)
class Split:
    """What a forecast may learn from and what it is held against.

    Parameters
    ----------
    task, draw
        Its name and which of the draws it is.
    juice
        The data.
    train, test
        (T,) of bool.
    units
        (T, N), what was sold as far as the forecast knows; read where ``train``.
    hidden
        (S, N), brands that a store is taken not to have offered while ``train``; ``None``: none.
    """

    task: str
    draw: int
    juice: OrangeJuice
    train: np.ndarray
    test: np.ndarray
    units: np.ndarray
    hidden: np.ndarray | None = None

    @cached_property
    def history(self) -> np.ndarray:
        """(S, N) units sold in ``train``, as far as they are known."""
        return self.known(self.train)

    def known(self, states: np.ndarray) -> np.ndarray:
        """(S, N) units sold in the store-weeks of a mask within ``train``; nothing of what is hidden."""
        sums = self.by_store(states, self.units)
        return sums if self.hidden is None else np.where(self.hidden, 0.0, sums)

    def chain(self, history: np.ndarray) -> np.ndarray:
        """(N,) shares of the chain in (S, N) units; of the stores that offered all where some are hidden."""
        there = history if self.hidden is None else history[~self.hidden.any(axis=1)]
        total: np.ndarray = there.sum(axis=0) + LEAST
        return np.asarray(total / total.sum())

    def by_store(self, states: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return (S, N) sums of (T, N) values over the store-weeks of a mask."""
        sums = np.zeros((len(self.juice.stores.ids), values.shape[1]))
        np.add.at(sums, self.juice.store[states], values[states])
        return sums

    def score(self, shares: np.ndarray) -> dict[str, float]:
        """Return WAPE, KL and the units they rest on, for forecast shares of the tested store-weeks in their order."""
        actual = self.juice.units[self.test]
        total = actual.sum(axis=1, keepdims=True)
        sums = np.zeros((2, len(self.juice.stores.ids), actual.shape[1]))
        np.add.at(sums[0], self.juice.store[self.test], actual)
        np.add.at(sums[1], self.juice.store[self.test], shares * total)
        cells = np.ones(sums.shape[1:], dtype=np.bool_) if self.hidden is None else self.hidden
        wape = float(np.abs(sums[1] - sums[0])[cells].sum() / sums[0][cells].sum())
        if self.hidden is not None:
            return {"WAPE": wape, "units": float(sums[0][cells].sum())}
        ratio = np.where(actual > 0, actual, 1.0) / total / np.maximum(shares, LEAST)
        kl = float((actual * np.log(ratio)).sum() / actual.sum())
        return {"WAPE": wape, "KL": kl, "units": float(actual.sum())}


def unseen_stores(juice: OrangeJuice, draw: int) -> list[Split]:
    """Task A: one split per fold; each store is tested once."""
    count = len(juice.stores.ids)
    fold = np.empty(count, dtype=np.intp)
    fold[np.random.default_rng(draw).permutation(count)] = np.arange(count) % FOLDS
    part = fold[juice.store]
    return [Split("A unseen stores", draw, juice, part != f, part == f, juice.units) for f in range(FOLDS)]


def later_weeks(juice: OrangeJuice, draw: int, weeks: int = LONG) -> Split:
    """Task B after 101 weeks, or fewer."""
    there = np.ones(len(juice.week), dtype=np.bool_)
    if draw > 0:
        there = unseen_stores(juice, FOLDS)[(draw - 1) % FOLDS].train
    known = np.unique(juice.week)
    train, test = np.isin(juice.week, known[-AHEAD - weeks : -AHEAD]), np.isin(juice.week, known[-AHEAD:])
    return Split(f"B {weeks} weeks", draw, juice, there & train, there & test, juice.units)


def after_few_weeks(juice: OrangeJuice, draw: int) -> Split:
    """Task B after 8 weeks."""
    return later_weeks(juice, draw, SHORT)


def earlier(juice: OrangeJuice, draw: int) -> Split:
    """Task B after 8 weeks, 20, 40, 60 or 80 weeks earlier."""
    known = np.unique(juice.week)
    known = known[: len(known) - AHEAD * (1 + draw % 4)]
    train, test = np.isin(juice.week, known[-AHEAD - SHORT : -AHEAD]), np.isin(juice.week, known[-AHEAD:])
    return Split("B 8 weeks, earlier", draw, juice, train, test, juice.units)


def after_few_units(juice: OrangeJuice, draw: int) -> Split:
    """Task B after 8 weeks and 1 % of the units."""
    thinned = np.random.default_rng(draw).binomial(juice.units.astype(np.int64), THINNED).astype(np.float64)
    return replace(after_few_weeks(juice, 0), task="B 8 weeks, 1 %", draw=draw, units=thinned)


def introduced(juice: OrangeJuice, draw: int) -> Split:
    """Task D."""
    rng = np.random.default_rng(draw)
    hidden = np.zeros((len(juice.stores.ids), juice.units.shape[1]), dtype=np.bool_)
    stores = rng.permutation(hidden.shape[0])[:HIDDEN_STORES]
    hidden[np.ix_(stores, rng.permutation(hidden.shape[1])[:HIDDEN_BRANDS])] = True
    return replace(later_weeks(juice, 0), task="D introduced", draw=draw, hidden=hidden)


def baselines(split: Split) -> Iterator[tuple[str, np.ndarray]]:
    """Name and forecast shares of the tested store-weeks, for each baseline that the task allows."""
    store, history = split.juice.store[split.test], split.history
    chain = split.chain(history)
    yield "chain average", np.broadcast_to(chain, (len(store), len(chain)))
    if (history[store].sum(axis=1) > 0).all():
        yield "own history", own(history)[store]
        yield "shrunken history", shrunken(history, chain, strength(split))[store]


def own(history: np.ndarray) -> np.ndarray:
    """(S, N) shares of each store in its own history."""
    total = history + LEAST
    return np.asarray(total / total.sum(axis=1, keepdims=True))


def shrunken(history: np.ndarray, chain: np.ndarray, units: float) -> np.ndarray:
    """(S, N) shares of each store's history and ``units`` more, spread as in the chain."""
    return own(history + units * chain)


def strength(split: Split) -> float:
    """Units of the chain to add to each store's history: what forecasts the last quarter of the training weeks best."""
    weeks = np.unique(split.juice.week[split.train])
    late = split.train & np.isin(split.juice.week, weeks[-max(1, len(weeks) // 4) :])
    early, later = split.known(split.train & ~late), split.known(late)
    typical, chain = float(np.median(early.sum(axis=1))), split.chain(early)
    loss = [-(later * np.log(shrunken(early, chain, typical * part))).sum() for part in SHRINKAGE]
    return typical * SHRINKAGE[int(np.argmin(loss))]


def fitted(split: Split) -> ChoiceModel:
    """The model of what the split may learn from."""
    juice = split.juice
    sales = juice.sales(split.train, units=split.units, hidden=split.hidden)
    return fit_demand(sales, juice.products, juice.profiles, demographics=DEMOGRAPHICS, seed=split.draw)


def forecasts(split: Split, model: ChoiceModel) -> Iterator[tuple[str, np.ndarray]]:
    """Name and forecast shares of the model, and of the model for stores of the same people that it has not seen."""
    juice = split.juice
    offers, shape = juice.offers(split.test), (int(split.test.sum()), juice.units.shape[1])
    yield "model", model.shares(offers, juice.profiles).to_numpy().reshape(shape)
    strangers = offers.assign(store_id=UNSEEN + offers["store_id"])
    table = juice.profiles.table.rename(index=lambda store: UNSEEN + store)
    shares = model.shares(strangers, StoreProfiles.from_frame(table))
    yield "demographics only", shares.to_numpy().reshape(shape)


def intervals(split: Split, model: ChoiceModel, shares: np.ndarray) -> pd.DataFrame:
    """Interval of each brand's share in each tested store over all its weeks, and the actual share.

    ``Demand.interval`` is asked at the store's mean log price and mean promotion, with all brands on the shelf; its
    bounds, relative to its own forecast, are laid around the forecast of the store's weeks.
    """
    juice = split.juice
    offers, here = juice.offers(split.test), split.by_store(split.test, juice.units)
    ids = np.unique(juice.store[split.test])
    usual = offers.assign(price=np.log(offers["price"])).groupby(["store_id", "product_id"], as_index=False)
    at = usual[["price", "deal", "feat"]].mean().assign(price=lambda frame: np.exp(frame["price"]))
    stores = juice.stores.frame.iloc[ids].reset_index(drop=True)
    demand = model.predict(
        type(juice.stores).from_frame(stores),
        juice.products,
        juice.profiles,
        at=at,
        listing=at[["store_id", "product_id"]],
        shelves=pd.DataFrame({"store_id": stores["store_id"], "occasions_per_week": here[ids].sum(axis=1) / 0.9}),
    )
    bounds = demand.interval(0.9)
    expected = np.zeros_like(here)
    np.add.at(expected, juice.store[split.test], shares * juice.units[split.test].sum(axis=1, keepdims=True))
    forecast = (expected / expected.sum(axis=1, keepdims=True).clip(LEAST))[ids].ravel()
    return pd.DataFrame(
        {
            "actual": (here / here.sum(axis=1, keepdims=True).clip(LEAST))[ids].ravel(),
            "forecast": forecast,
            "low": forecast * (bounds["low"] / bounds["share"]).to_numpy(),
            "high": forecast * (bounds["high"] / bounds["share"]).to_numpy(),
        }
    )
