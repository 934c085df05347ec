"""A chain whose stores sell to a known mixture of two segments, seen by tills, household cards and a survey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales, Stores

KINDS = ("fresh", "plant", "flavoured")
SEGMENTS = {"young": "people_young", "old": "people_old"}
LIKED = np.array([[0.0, 1.2, 0.3], [0.9, -1.2, -0.3]])  # segment × kind
PRICE = -1.5


@dataclass(frozen=True)
class SegmentWorld:
    """S stores, two segments, N products.

    Parameters
    ----------
    worth
        (2, N), attraction at price 1, that of buying nothing being 1.
    mix
        (S, 2), share of the segments in the occasions of a store.
    """

    products: Products
    stores: Stores
    profiles: StoreProfiles
    sales: Sales
    offered: pd.DataFrame
    baskets: pd.DataFrame
    households: pd.DataFrame
    survey: pd.DataFrame
    worth: np.ndarray
    mix: np.ndarray

    def truth(self) -> np.ndarray:
        """(2, N) shares of each segment's purchases when all is offered at price 1."""
        return self.worth / self.worth.sum(axis=1, keepdims=True)

    def transfers(self, product: int) -> np.ndarray:
        """(S, N) share of the lost sales of a product that each other takes in each store, all being offered."""

        def units(there: np.ndarray) -> np.ndarray:
            worth = self.worth * there
            return self.mix @ (worth / (1.0 + worth.sum(axis=1, keepdims=True)))

        before, after = units(np.ones(self.worth.shape[1])), units(np.arange(self.worth.shape[1]) != product)
        taken = (after - before) / before[:, [product]]
        taken[:, product] = 0.0
        return taken


def two_segments(
    *,
    seed: int = 11,
    stores: int = 12,
    weeks: int = 8,
    units: int = 400,
    households: int = 80,
    trips: float = 3.0,
    asked: int = 300,
    spread: float = 0.03,
    each: int = 3,
) -> SegmentWorld:
    """Simulate; ``spread`` is how much the share of the young varies between stores, ``asked`` is by segment."""
    rng = np.random.default_rng(seed)
    N = each * len(KINDS)
    names, ids = [f"{j}" for j in range(N)], [f"S{s:02d}" for s in range(stores)]
    goods = pd.DataFrame(
        {
            "product_id": names,
            "category": "milk",
            "kind": np.repeat(KINDS, each),
            "price": 1.0,
            "unit_cost": 0.3,
            "width_cm": 8.0,
        }
    )
    worth = np.exp(np.repeat(LIKED, each, axis=1) + rng.normal(0.0, 0.4, N))
    worth *= 9.0 / worth.sum(axis=1, keepdims=True)  # each walks away from one occasion in ten
    young = 0.5 + spread * rng.uniform(-1.0, 1.0, stores)
    mix = np.column_stack([young, 1.0 - young])
    rows = []
    for s, store in enumerate(ids):
        for week in range(weeks):
            price = rng.choice([1.0, 0.8], N)
            there = worth * price**PRICE
            share = mix[s] @ (there / (1.0 + there.sum(axis=1, keepdims=True)))
            sold = rng.multinomial(units, share / share.sum())
            rows += [(week, store, names[j], sold[j], price[j]) for j in range(N)]
    bought, members = [], []
    for h in range(households):
        kind = h % 2
        members.append((f"h{h:03d}", list(SEGMENTS)[kind]))
        for week in range(weeks):
            price = rng.choice([1.0, 0.8], N)
            there = worth[kind] * price**PRICE
            count = rng.multinomial(rng.poisson(trips / weeks), there / there.sum())
            bought += [(f"h{h:03d}", week, names[j], count[j]) for j in np.flatnonzero(count)]
    answers = []
    for kind, name in enumerate(SEGMENTS):
        picks = rng.multinomial(asked, worth[kind] / worth[kind].sum())
        answers += [(name, names[j], asked, picks[j]) for j in range(N)]
    table = pd.DataFrame(
        {"people_young": 1000.0 * mix[:, 0], "people_old": 1000.0 * mix[:, 1]}, index=pd.Index(ids, name="store_id")
    )
    return SegmentWorld(
        products=Products.from_frame(goods),
        stores=Stores.from_frame(pd.DataFrame({"store_id": ids, "longitude": 0.0, "latitude": 0.0})),
        profiles=StoreProfiles.from_frame(table, counts=list(table.columns)),
        sales=Sales.from_frame(pd.DataFrame(rows, columns=["week", "store_id", "product_id", "units", "price"])),
        offered=pd.DataFrame([(s, p) for s in ids for p in names], columns=["store_id", "product_id"]),
        baskets=pd.DataFrame(bought, columns=["household_id", "week", "product_id", "units"]),
        households=pd.DataFrame(members, columns=["household_id", "band"]),
        survey=pd.DataFrame(answers, columns=["band", "product_id", "respondents", "chose"]),
        worth=worth,
        mix=mix,
    )
