"""Small worlds in which shoppers follow a known multinomial logit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales

KINDS = ("whole", "skim", "plant")
PRODUCT_SD = 0.4
PRICE, FLYER = -1.8, 0.6
EFFECT = {  # of one standard deviation of a demographic on the utility of a kind
    "income": {"whole": -0.3, "skim": 0.0, "plant": 0.5},
    "old / people": {"whole": 0.1, "skim": 0.3, "plant": -0.2},
}


@dataclass(frozen=True)
class World:
    """A chain with its truth: ``utility`` (S, N) at price 1, before price and flyer."""

    products: Products
    profiles: StoreProfiles
    sales: Sales
    offered: pd.DataFrame
    utility: np.ndarray
    store_ids: tuple[str, ...]


def make_products(count: int = 9) -> Products:
    rng = np.random.default_rng(5)
    return Products.from_frame(
        pd.DataFrame(
            {
                "product_id": [f"{j:03d}" for j in range(count)],
                "category": "milk",
                "kind": [KINDS[j % 3] for j in range(count)],
                "brand": ["North" if j < count / 2 else "South" for j in range(count)],
                "price": np.round(rng.uniform(1.0, 2.0, count), 2),
                "unit_cost": 0.5,
                "width_cm": 10.0,
            }
        )
    )


def make_profiles(stores: int = 24, seed: int = 1) -> StoreProfiles:
    rng = np.random.default_rng(seed)
    people = rng.uniform(5_000, 20_000, stores)
    table = pd.DataFrame(
        {
            "people": people,
            "old": people * rng.uniform(0.1, 0.4, stores),
            "income": rng.uniform(20_000, 90_000, stores),
        },
        index=pd.Index([f"S{s:02d}" for s in range(stores)], name="store_id"),
    )
    return StoreProfiles.from_frame(table, counts=["people", "old"], rates={"income": "people"})


def true_utility(products: Products, profiles: StoreProfiles, effect: dict[str, dict[str, float]]) -> np.ndarray:
    rng = np.random.default_rng(9)
    values = profiles.values(list(EFFECT)).to_numpy()
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    kind = products.frame["kind"]
    slopes = np.array([[effect.get(name, {}).get(k, 0.0) for k in kind] for name in EFFECT])
    level = kind.map({"whole": 0.5, "skim": 0.0, "plant": -0.5}).to_numpy() + rng.normal(0, PRODUCT_SD, len(kind))
    return level + z @ slopes


def simulate(
    *,
    stores: int = 24,
    weeks: int = 20,
    products: int = 9,
    buyers: int = 400,
    effect: dict[str, dict[str, float]] | None = None,
    never: tuple[int, ...] = (),
    store_sd: float = 0.0,
    seed: int = 1,
) -> World:
    """Simulate sales; each store lacks one product in the first half, and all lack those of ``never``."""
    rng = np.random.default_rng(seed)
    goods, profiles = make_products(products), make_profiles(stores)
    utility = true_utility(goods, profiles, EFFECT if effect is None else effect)
    utility = utility + rng.normal(0, store_sd, utility.shape)  # tastes of a store that no demographic explains
    store_ids = tuple(profiles.table.index)
    rows, spells = [], []
    for s, store in enumerate(store_ids):
        missing = s % products
        for j, product in enumerate(goods.ids):
            if j not in never:
                spells.append((store, product, weeks // 2 if j == missing else 0, weeks - 1))
        for week in range(weeks):
            there = np.array([j not in never and not (j == missing and week < weeks // 2) for j in range(products)])
            price = goods.frame["price"].to_numpy() * rng.choice([1.0, 0.85, 0.7], products)
            flyer = rng.random(products) < 0.15
            worth = np.where(there, np.exp(utility[s] + PRICE * np.log(price) + FLYER * flyer), 0.0)
            units = rng.multinomial(buyers, worth / worth.sum())
            rows += [(week, store, goods.ids[j], units[j], price[j], int(flyer[j])) for j in np.flatnonzero(there)]
    frame = pd.DataFrame(rows, columns=["week", "store_id", "product_id", "units", "price", "flyer"])
    offered = pd.DataFrame(spells, columns=["store_id", "product_id", "from_week", "to_week"])
    return World(goods, profiles, Sales.from_frame(frame, promotion=["flyer"]), offered, utility, store_ids)
