"""A small chain with three kinds of shoppers, and choices drawn at random, both known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices
from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales, Stores

KINDS = ("fresh", "plant", "flavoured")
LIKED = np.array([[2.5, -1.5, -0.5], [-1.5, 2.5, -0.5], [-0.5, -0.5, 2.5]])  # class × kind
ODDS = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 1.5]])  # class × demographic
PRICE = -1.5
DEMOGRAPHICS = ("income", "students")


@dataclass(frozen=True)
class ThreeKinds:
    """S stores, three classes, N products."""

    products: Products
    stores: Stores
    profiles: StoreProfiles
    sales: Sales
    offered: pd.DataFrame
    shares: np.ndarray


def three_kinds(*, stores: int = 18, weeks: int = 8, units: int = 2000, each: int = 2) -> ThreeKinds:
    """Stores that list two products of three, other ones in the second half of the weeks."""
    rng = np.random.default_rng(3)
    N = each * len(KINDS)
    ids, names = [f"S{s:02d}" for s in range(stores)], [f"{j}" for j in range(N)]
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
    z = rng.normal(size=(stores, len(DEMOGRAPHICS)))
    mix = np.exp(z @ ODDS.T)
    mix /= mix.sum(axis=1, keepdims=True)
    worth = np.exp(np.repeat(LIKED, each, axis=1) + rng.normal(0.0, 0.3, (len(LIKED), N)))
    rows, spells = [], []
    for s, store in enumerate(ids):
        for start in (0, weeks // 2):
            shelf = np.sort(rng.permutation(N)[: 2 * N // 3])
            spells += [(store, names[j], start, start + weeks // 2 - 1) for j in shelf]
            for week in range(start, start + weeks // 2):
                price = rng.choice([1.0, 0.8], len(shelf))
                there = worth[:, shelf] * price**PRICE
                share = mix[s] @ (there / (1.0 + there.sum(axis=1, keepdims=True)))
                sold = rng.multinomial(units, share / share.sum())
                rows += [(week, store, names[j], n, p) for j, n, p in zip(shelf, sold, price, strict=True)]
    table = pd.DataFrame(z, columns=list(DEMOGRAPHICS), index=pd.Index(ids, name="store_id"))
    return ThreeKinds(
        products=Products.from_frame(goods),
        stores=Stores.from_frame(pd.DataFrame({"store_id": ids, "longitude": 0.0, "latitude": 0.0})),
        profiles=StoreProfiles.from_frame(table),
        sales=Sales.from_frame(pd.DataFrame(rows, columns=["week", "store_id", "product_id", "units", "price"])),
        offered=pd.DataFrame(spells, columns=["store_id", "product_id", "from_week", "to_week"]),
        shares=worth / worth.sum(axis=1, keepdims=True),
    )


def random_choices(*, classes: int = 3) -> tuple[Choices, Terms]:
    """Six stores, five weeks, seven products, with whatever the terms can hold."""
    rng = np.random.default_rng(0)
    S, W, N, Q, D, C = 6, 5, 7, 3, 2, 2
    group, week = np.repeat(np.arange(S), W), np.tile(np.arange(W), S)
    offered = rng.random((S * W, N)) > 0.2
    offered[:, 0] = True
    choices = Choices(
        group=group,
        fold=group % 3,
        week=week,
        offered=offered,
        covariates=rng.normal(size=(C, S * W, N)),
        counts=np.where(offered, rng.poisson(5, (S * W, N)), 0.0),
        weeks=np.ones(S * W),
    )
    period = np.arange(W, dtype=np.intp) // 2
    terms = Terms(rng.normal(size=(N, Q)), rng.normal(size=(S, D)), rng.normal(size=(C, N)), period, classes)
    return choices, terms
