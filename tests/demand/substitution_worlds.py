"""Stores that change what they list, and shoppers who choose by a nested logit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales

KINDS = ("whole", "skim", "plant")
PRICE = -2.0


@dataclass(frozen=True)
class Changing:
    """A chain whose stores add and drop products."""

    sales: Sales
    products: Products
    profiles: StoreProfiles
    offered: pd.DataFrame


def changing(
    seed: int, *, apart: float = 1.0, stores: int = 20, weeks: int = 30, products: int = 12, changes: int = 4
) -> Changing:
    """Simulate sales; ``apart`` is 1 in a logit, and the less the more kinds keep their buyers."""
    rng = np.random.default_rng(seed)
    kind, N = np.arange(products) % len(KINDS), products
    goods = pd.DataFrame(
        {
            "product_id": [f"{j:03d}" for j in range(N)],
            "category": "milk",
            "kind": np.array(KINDS)[kind],
            "brand": np.where(rng.permutation(N) < N / 2, "North", "South"),
            "price": np.round(rng.uniform(1.0, 2.0, N), 2),
            "unit_cost": 0.5,
            "width_cm": 10.0,
        }
    )
    ids = [f"S{s:02d}" for s in range(stores)]
    liked = rng.normal(0.0, 0.5, N)
    rows, spells = [], []
    for store in ids:
        listed = _listings(rng, weeks, N, changes)
        own = liked + rng.normal(0.0, 0.3, N)
        for week in range(weeks):
            price = goods["price"].to_numpy() * rng.choice([1.0, 0.8], N)
            shares = nested(own + PRICE * np.log(price) + rng.normal(0.0, 0.1, N), listed[week], kind, apart)
            units = rng.multinomial(500, shares)
            rows += [(week, store, goods["product_id"][j], units[j], price[j]) for j in np.flatnonzero(listed[week])]
        for j in range(N):
            turns = np.flatnonzero(np.diff(np.concatenate([[0], listed[:, j], [0]])))
            spells += [(store, goods["product_id"][j], a, b - 1) for a, b in zip(turns[::2], turns[1::2], strict=True)]
    return Changing(
        sales=Sales.from_frame(pd.DataFrame(rows, columns=["week", "store_id", "product_id", "units", "price"])),
        products=Products.from_frame(goods),
        profiles=StoreProfiles.from_frame(
            pd.DataFrame({"income": rng.normal(size=stores)}, index=pd.Index(ids, name="store_id"))
        ),
        offered=pd.DataFrame(spells, columns=["store_id", "product_id", "from_week", "to_week"]),
    )


def nested(utility: np.ndarray, there: np.ndarray, nest: np.ndarray, apart: float) -> np.ndarray:
    """Choice shares of a nested logit."""
    worth = np.where(there, np.exp(utility / apart), 0.0)
    inside = np.bincount(nest, worth)
    shares = np.where(there, worth * np.where(inside > 0, inside, 1.0)[nest] ** (apart - 1.0), 0.0)
    return shares / shares.sum()


def _listings(rng: np.random.Generator, weeks: int, products: int, changes: int) -> np.ndarray:
    """(W, N) of bool: two thirds of the products, of which one comes, goes or both in some weeks."""
    now = np.zeros(products, dtype=bool)
    now[rng.permutation(products)[: 2 * products // 3]] = True
    moments = rng.permutation(np.arange(1, weeks))[:changes]
    listed = np.empty((weeks, products), dtype=bool)
    for week in range(weeks):
        if week in moments:
            out, new = rng.choice(np.flatnonzero(now)), rng.choice(np.flatnonzero(~now))
            which = rng.integers(3)
            now[new] |= which != 0
            now[out] &= which == 0
        listed[week] = now
    return listed
