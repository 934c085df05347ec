"""How strongly purchases respond to price, by class of shoppers and store."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Bools, Floats
from assortment.demand.demand import Demand
from assortment.errors import AssortmentWarning, DemandError, listed
from assortment.inputs import given_frame

if TYPE_CHECKING:
    from assortment.demand.model.choice_model import ChoiceModel
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products, Stores

_STEP = 0.005  # of the price, to either side
_NOTHING = 1e-9
_COLUMNS = ("price_coefficient", "elasticity", "elasticity_among_purchases")


def price_sensitivity(
    model: ChoiceModel,
    stores: Stores,
    products: Products,
    profiles: StoreProfiles,
    *,
    at: pd.DataFrame | None = None,
    listing: pd.DataFrame | None = None,
    by_product: bool = False,
) -> pd.DataFrame:
    """Tabulate price coefficients and own-price elasticities; see ``ChoiceModel.price_sensitivity``."""
    demand = model.predict(stores, products, profiles, at=at, listing=listing)
    grid = _grid(demand, products, at)
    there = np.ones(demand.log_sd.shape, dtype=np.bool_) if demand.today is None else demand.today
    up, down = (
        model.predict(
            stores, products, profiles, at=grid.assign(price=grid["price"] * (1.0 + step)), listing=listing
        ).attraction
        for step in (_STEP, -_STEP)
    )
    width = np.log1p(_STEP) - np.log1p(-_STEP)
    coefficient = (np.log(up) - np.log(down)) / width
    if not (np.abs(coefficient) > _NOTHING).any():
        raise DemandError(
            "The model knows no effect of price: in what it was fitted on no product was sold at more than one price, "
            "or dearer sold better (see its notes). Fit it on sales that tell, or take elasticities from elsewhere."
        )
    elasticity = [
        coefficient - (_log_total(demand, there, up, none) - _log_total(demand, there, down, none)) / width
        for none in (demand.no_purchase, np.zeros_like(demand.no_purchase))
    ]
    table = _by_product(demand, there, (coefficient, *elasticity))
    _warn_of_positive(table)
    return table if by_product else _averaged(table)


def _grid(demand: Demand, products: Products, at: pd.DataFrame | None) -> pd.DataFrame:
    """store_id, product_id, price of every store and product, with the promotions of ``at``."""
    index = pd.MultiIndex.from_product([demand.store_ids, demand.product_ids], names=["store_id", "product_id"])
    regular = products.frame["price"].to_numpy(np.float64)
    grid = pd.DataFrame({"price": np.tile(regular, len(demand.store_ids))}, index=index)
    if at is not None:
        given = given_frame("prices", at, name="at").set_index(["store_id", "product_id"]).reindex(index)
        promotions = [name for name in given.columns if name not in ("price", "unit_cost", "facings")]
        grid = grid.join(given[promotions])
        if "price" in given.columns:
            grid["price"] = given["price"].astype(np.float64).fillna(grid["price"])
    return grid.reset_index()


def _log_total(demand: Demand, there: Bools, attraction: Floats, none: Floats) -> Floats:
    """(S, K, N) logarithm of what a class chooses from, when the price of product n alone has changed."""
    carried = demand.attraction * there[:, None, :]
    total = (none + carried.sum(axis=2))[:, :, None]
    changed = total + (attraction - demand.attraction)
    logs: Floats = np.log(np.where(there[:, None, :], changed, 1.0))
    return logs


def _by_product(demand: Demand, there: Bools, measures: tuple[Floats, ...]) -> pd.DataFrame:
    s, k, n = np.nonzero(np.broadcast_to(there[:, None, :], demand.attraction.shape))
    carried = demand.attraction * there[:, None, :]
    total = demand.no_purchase + carried.sum(axis=2)
    units = (demand.class_weight / total)[:, :, None] * carried
    table = pd.DataFrame(
        {
            "store_id": np.asarray(demand.store_ids, dtype=object)[s],
            "class": np.asarray(demand.class_names, dtype=object)[k],
            "product_id": np.asarray(demand.product_ids, dtype=object)[n],
            "share": (carried / carried.sum(axis=2, keepdims=True, where=there[:, None, :]))[s, k, n],
            "units_per_week": units[s, k, n],
            **{name: values[s, k, n] for name, values in zip(_COLUMNS, measures, strict=True)},
        }
    )
    return table.assign(positive=table["price_coefficient"] > _NOTHING)


def _averaged(table: pd.DataFrame) -> pd.DataFrame:
    """One row per store and class: means weighted by what the class chooses."""
    keys = ["store_id", "class"]
    weighted = table.assign(**{name: table[name] * table["share"] for name in _COLUMNS})
    sums = weighted.groupby(keys, sort=False).agg(
        {"units_per_week": "sum", **dict.fromkeys(_COLUMNS, "sum"), "positive": "any"}
    )
    return sums.reset_index()


def _warn_of_positive(table: pd.DataFrame) -> None:
    wrong = table[table["positive"]]
    if wrong.empty:
        return
    shown = listed(dict.fromkeys(wrong["product_id"]))
    warnings.warn(
        f"The price coefficient is positive in {wrong['store_id'].nunique()} store(s), for {shown}: dearer sold "
        "better there, which prices alone cannot explain. Do not set prices by these rows (column `positive`).",
        AssortmentWarning,
        stacklevel=4,
    )
