"""Small stores, and their best assortments by trying all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import numpy as np
import pytest
from optimiser_worlds import small_problem

from assortment.optimiser.store.charges import Charges
from assortment.optimiser.store.store import Store, stores_of


def a_store(seed: int, numbers: str) -> Store:
    """A store of a small problem, with prices paid as a relaxation pays them."""
    store = stores_of(small_problem(seed, numbers=numbers))[0]
    rng = np.random.default_rng(seed)
    return store.priced(rng.normal(0, rng.choice([0.1, 3.0, 30.0]), len(store.cost)))


def wider_store(seed: int, products: int = 14) -> Store:
    """A store whose products are near to indifferent, with a shelf and two groups, every product allowed."""
    rng = np.random.default_rng(seed)
    K = int(rng.integers(2, 5))
    space = rng.integers(1, 5, products) / 4
    group = np.arange(products) < products // 2
    store = Store(
        pull=rng.lognormal(-1, 1, (K, products)),
        weight=rng.uniform(5, 50, K),
        worth=rng.normal(2, 1, products),
        cost=np.zeros(products),
        matrix=np.array([space, group, ~group], float),
        low=np.array([-np.inf, 1.0, -np.inf]),
        high=np.array([np.floor(2 * space.sum()) / 4, np.inf, products // 3]),
        must=np.zeros(products, bool),
        may=np.ones(products, bool),
        charges=Charges.none(products),
    )
    start = rng.random(products) < 0.4
    return store.priced(-0.9 * store.gains(start))


def bent_store(seed: int, products: int = 60) -> Store:
    """A store with one product that most would buy, priced so that it is as good with it as without; few changes."""
    rng = np.random.default_rng(seed)
    K, first = 3, np.arange(products) == 0
    pull = rng.lognormal(-3, 0.6, (K, products))
    pull[:, 0] = 1.5 * rng.uniform(0.8, 1.2, K)
    today = rng.random(products) < 0.5
    worth = np.where(first, 3.0, rng.normal(2, 0.4, products))
    store = Store(
        pull=pull,
        weight=rng.uniform(20, 50, K),
        worth=worth,
        cost=np.zeros(products),
        matrix=np.where(today, -1.0, 1.0)[None],
        low=np.array([-np.inf]),
        high=np.array([4.0 - today.sum()]),
        must=np.zeros(products, bool),
        may=np.ones(products, bool),
        charges=Charges.none(products),
    )
    price = store.slopes(np.where(first, 0.5, 0.9 * today + 0.05)) * rng.normal(1, 0.1, products)
    price[0] = store.value(today | first) - store.value(today & ~first)
    return store.priced(-price)


def every(store: Store) -> list[np.ndarray]:
    """All assortments, whether they obey or not."""
    return [np.array(picks) for picks in product([False, True], repeat=len(store.cost))]


def best_of(store: Store) -> float | None:
    """The best value of a store by trying every assortment."""
    values = [store.value(picks) for picks in every(store) if store.fits(picks)]
    return max(values, default=None)


def best_of_many(store: Store) -> float:
    """The same for more products, in arrays, from the formula; no charges."""
    N = len(store.cost)
    picks = ((np.arange(2**N)[:, None] >> np.arange(N)) & 1).astype(float)
    sums = picks @ store.matrix.T
    fits = ((sums <= store.high + 1e-9) & (sums >= store.low - 1e-9)).all(axis=1)
    rates = (picks @ (store.pull * store.worth).T) / (1 + picks @ store.pull.T)
    return float((rates @ store.weight - picks @ store.cost)[fits].max())


@contextmanager
def branching(few: int = 0) -> Iterator[None]:
    """Stores are bounded as large ones are: boxes are looked through only with at most ``few`` free products."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assortment.optimiser.store.log.FEW_PRODUCTS", few)
        yield
