"""A chain whose shoppers are of three kinds, known exactly: what a fit must find out from sales and demographics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales, Stores

KINDS, EACH = ("fresh", "long life", "plant", "flavoured"), 3
CLASSES = 3
LIKED = np.array([[2.2, 0.0, -1.5, 0.0], [-1.5, 2.2, -1.0, 0.5], [-1.0, -1.5, 2.2, 0.5]])  # class × kind
PRICE = np.array([-1.0, -3.5, -2.0])  # by class, of the log price
MIX = np.array([[0.0, 0.0, 0.0], [-1.2, 1.0, 0.0], [1.2, 0.0, 1.0]]).T  # demographic × class, of the log share
DEMOGRAPHICS = ("income", "children", "students")
NOTHING = 1.0
PRODUCT_SD = 0.5


@dataclass(frozen=True)
class Truth:
    """S stores, K classes, N products.

    Parameters
    ----------
    products, stores, profiles, sales, offered, shelves
        What a fit may see.
    listing
        store_id, product_id: the last week's shelves.
    worth
        (K, N), attraction at price 1.
    mix
        (S, K), share of each class in the choice occasions.
    """

    products: Products
    stores: Stores
    profiles: StoreProfiles
    sales: Sales
    offered: pd.DataFrame
    shelves: pd.DataFrame
    listing: pd.DataFrame
    worth: np.ndarray
    mix: np.ndarray

    def diversion(self, store: str, product: str) -> pd.Series:
        """Where the sales of a listed product go when it is dropped, at regular prices; product, or "no purchase"."""
        s = self.stores.ids.index(store)
        names = list(self.listing["product_id"][self.listing["store_id"] == store])
        places = [self.products.ids.index(name) for name in names]
        price = self.products.frame["price"].to_numpy()[places]
        worth = np.column_stack([self.worth[:, places] * price ** PRICE[:, None], np.full(CLASSES, NOTHING)])
        chance = worth / worth.sum(axis=1, keepdims=True)
        dropped = names.index(product)
        buys = self.mix[s] * chance[:, dropped]
        goes = buys @ (chance / (1.0 - chance[:, [dropped]])) / buys.sum()
        return pd.Series(goes, index=[*names, "no purchase"]).drop(product)


def three_classes(seed: int, *, stores: int = 60, weeks: int = 26, occasions: int = 1500) -> Truth:
    """Simulate the chain: each store lists 8 to 10 of 12 products, swaps three halfway, and prices change by week."""
    rng = np.random.default_rng(seed)
    ids = [f"S{s:02d}" for s in range(stores)]
    names = [f"{j:02d}" for j in range(EACH * len(KINDS))]
    goods = pd.DataFrame(
        {
            "product_id": names,
            "category": "milk",
            "kind": np.repeat(KINDS, EACH),
            "litres": np.tile([0.5, 1.0, 2.0], len(KINDS)),
            "price": np.round(rng.uniform(0.8, 1.6, len(names)), 2),
            "unit_cost": 0.3,
            "width_cm": 8.0,
        }
    )
    z = rng.normal(size=(stores, len(DEMOGRAPHICS)))
    mix = np.exp(z @ MIX)
    mix /= mix.sum(axis=1, keepdims=True)
    worth = np.exp(np.repeat(LIKED, EACH, axis=1) + rng.normal(0.0, PRODUCT_SD, (CLASSES, len(names))))
    rows, spells, listing = [], [], []
    for s, store in enumerate(ids):
        first = rng.random(len(names)).argsort()[: rng.integers(8, 11)]
        second = np.append(first[3:], np.setdiff1d(np.arange(len(names)), first)[:3])
        for shelf, (start, end) in ((first, (0, weeks // 2)), (second, (weeks // 2, weeks))):
            spells += [(store, names[j], start, end - 1) for j in shelf]
            for week in range(start, end):
                price = goods["price"].to_numpy()[shelf] * rng.choice([1.0, 0.85, 0.7], len(shelf), p=[0.6, 0.2, 0.2])
                there = np.column_stack([worth[:, shelf] * price ** PRICE[:, None], np.full(CLASSES, NOTHING)])
                chance = mix[s] @ (there / there.sum(axis=1, keepdims=True))
                units = rng.multinomial(occasions, chance)[:-1]
                rows += [(week, store, names[j], n, p) for j, n, p in zip(shelf, units, price, strict=True)]
        listing += [(store, names[j]) for j in second]
    table = pd.DataFrame(z, columns=list(DEMOGRAPHICS), index=pd.Index(ids, name="store_id"))
    return Truth(
        products=Products.from_frame(goods),
        stores=Stores.from_frame(pd.DataFrame({"store_id": ids, "longitude": 0.0, "latitude": 0.0})),
        profiles=StoreProfiles.from_frame(table),
        sales=Sales.from_frame(pd.DataFrame(rows, columns=["week", "store_id", "product_id", "units", "price"])),
        offered=pd.DataFrame(spells, columns=["store_id", "product_id", "from_week", "to_week"]),
        shelves=pd.DataFrame({"store_id": ids, "occasions_per_week": occasions}),
        listing=pd.DataFrame(listing, columns=["store_id", "product_id"]),
        worth=worth,
        mix=mix,
    )
