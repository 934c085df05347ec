"""A small chain whose shoppers choose by a nested logit; the plain one where the dissimilarity of the kinds is 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales, Stores

KINDS, EACH = ("flavoured", "plant", "whole"), 4
PRICE, NOTHING = -1.5, 1.5


@dataclass(frozen=True)
class NestedWorld:
    """S stores, N products of three kinds and three sizes.

    Parameters
    ----------
    worth
        (S, N), exp(u) at the regular price.
    """

    products: Products
    stores: Stores
    profiles: StoreProfiles
    sales: Sales
    offered: pd.DataFrame
    listing: pd.DataFrame
    worth: np.ndarray
    dissimilarity: float

    def shares(self, carried: np.ndarray) -> np.ndarray:
        """(S, N) choice shares among all occasions if the stores carried (S, N)."""
        return nested_shares(np.where(carried, self.worth, 0.0), self.dissimilarity)

    def diversion(self, carried: np.ndarray, n: int) -> np.ndarray:
        """(S, N) where the sales of product n go when it leaves; what is missing to 1 walks away."""
        before, after = self.shares(carried), self.shares(carried & (np.arange(carried.shape[1]) != n))
        gain = np.where(carried & (np.arange(carried.shape[1]) != n), after - before, 0.0)
        return np.asarray(gain / before[:, [n]])


def nested_shares(worth: np.ndarray, dissimilarity: float) -> np.ndarray:
    within = worth ** (1.0 / dissimilarity)
    nests = within.reshape(*within.shape[:-1], len(KINDS), EACH).sum(axis=-1)
    together = nests**dissimilarity
    chosen = together / (NOTHING + together.sum(axis=-1, keepdims=True))
    return np.asarray(within / np.repeat(nests, EACH, axis=-1).clip(1e-300) * np.repeat(chosen, EACH, axis=-1))


def nested_world(dissimilarity: float, *, stores: int = 16, weeks: int = 26, seed: int = 0) -> NestedWorld:
    """Stores that list eight of twelve products, other ones every half year quarter, with prices that change weekly."""
    rng = np.random.default_rng(seed)
    N = len(KINDS) * EACH
    ids, names = [f"S{s:02d}" for s in range(stores)], [f"{j:02d}" for j in range(N)]
    goods = pd.DataFrame(
        {
            "product_id": names,
            "category": "milk",
            "kind": np.repeat(KINDS, EACH),
            "size": np.tile(["large", "middle", "small", "small"], len(KINDS)),
            "price": 1.0,
            "unit_cost": 0.3,
            "width_cm": 8.0,
        }
    )
    z = rng.normal(size=(stores, 1))
    worth = np.exp(rng.normal(0.0, 0.4, N) + z * np.repeat([0.3, 0.0, -0.3], EACH))
    rows, spells, last = [], [], []
    for s, store in enumerate(ids):
        for start in range(0, weeks, weeks // 2):
            shelf = np.sort(rng.permutation(N)[:8])
            last = [*(pair for pair in last if pair[0] != store), *((store, names[j]) for j in shelf)]
            spells += [(store, names[j], start, start + weeks // 2 - 1) for j in shelf]
            for week in range(start, start + weeks // 2):
                price = np.where(np.isin(np.arange(N), shelf), rng.choice([1.0, 0.75], N, p=[0.7, 0.3]), np.inf)
                share = nested_shares(np.where(np.isfinite(price), worth[s] * price**PRICE, 0.0), dissimilarity)
                sold = rng.multinomial(3000, [*share, 1.0 - share.sum()])
                rows += [(week, store, names[j], sold[j], price[j]) for j in shelf]
    table = pd.DataFrame(z, columns=["income"], index=pd.Index(ids, name="store_id"))
    return NestedWorld(
        products=Products.from_frame(goods),
        stores=Stores.from_frame(pd.DataFrame({"store_id": ids, "longitude": 0.0, "latitude": 0.0})),
        profiles=StoreProfiles.from_frame(table),
        sales=Sales.from_frame(pd.DataFrame(rows, columns=["week", "store_id", "product_id", "units", "price"])),
        offered=pd.DataFrame(spells, columns=["store_id", "product_id", "from_week", "to_week"]),
        listing=pd.DataFrame(last, columns=["store_id", "product_id"]),
        worth=np.asarray(worth),
        dissimilarity=dissimilarity,
    )
