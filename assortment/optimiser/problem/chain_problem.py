"""chain_problem: the problem of one category, from a demand forecast and the tables of a chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.infeasible.infeasible import explain, is_impossible
from assortment.optimiser.problem.costs import Costs
from assortment.optimiser.problem.problem import Problem
from assortment.optimiser.rules.rules import Rules
from assortment.optimiser.rules.rulespec import RuleSpec

if TYPE_CHECKING:
    from assortment.demand import Demand
    from assortment.inputs import Chain

_EARTH_KM = 6371.0088


def chain_problem(
    demand: Demand | _AllAlike,
    chain: Chain,
    *,
    category: str,
    rules: RuleSpec | Rules | None = None,
    costs: Costs | None = None,
    objective: Literal["margin", "sales", "units"] = "margin",
) -> Problem:
    """Return the problem of one category; `Problem.from_demand` with its words.

    A lock says what holds in its store, whatever the product's status: "in" over never, "out" over must. Neither brings
    a supplier to a store it does not reach. A supplier's ``minimum_stores`` is asked of each of its products that is
    listed and not core, which is more than the supplier asks. A supplier costs its ``delivery_cost`` in each store that
    it delivers to, or what ``costs.delivery`` says where that is not known.

    Raises
    ------
    ProblemError
        When the tables do not state a problem.
    """
    tables = _Tables(demand, chain.of(category))
    allowed, required = tables.places()
    if isinstance(rules, Rules):
        full = rules
    else:
        full = (rules or RuleSpec()).resolve(
            tables.stores,
            tables.products,
            allowed=allowed,
            required=required,
            today=tables.today(),
            min_stores=tables.min_stores(),
        )
    own_costs = tables.with_deliveries(costs or Costs())
    price, unit_cost = tables.by_place("price"), tables.by_place("unit_cost")
    return Problem(
        attraction=demand.attraction,
        class_weight=demand.class_weight,
        no_purchase=demand.no_purchase,
        margin=price - unit_cost,
        price=price,
        space_cm=tables.by_place("facings") * tables.products["width_cm"].to_numpy(float),
        shelf_cm=tables.shelf_cm(),
        rules=full,
        costs=own_costs,
        objective=objective,
        store_ids=demand.store_ids,
        product_ids=demand.product_ids,
        class_names=demand.class_names,
    )


def require_possible(
    chain: Chain, *, category: str, rules: RuleSpec | Rules | None = None, costs: Costs | None = None
) -> None:
    """Refuse rules that contradict the chain's tables or each other, before anything is estimated.

    Rules do not depend on what shoppers like, so the problem is stated with shoppers to whom all products are alike.

    Raises
    ------
    ProblemError
        A rule names a column or value that is not there, or cannot be used.
    Infeasible
        Counting or linear programmes show that no assortment obeys all rules.
    """
    own = chain.of(category)
    problem = chain_problem(
        _AllAlike(own.stores.ids, own.products.ids), own, category=category, rules=rules, costs=costs
    )
    if is_impossible(problem):
        raise explain(problem)


@dataclass(frozen=True)
class _AllAlike:
    """What is read of a forecast, for shoppers to whom all products are alike."""

    store_ids: tuple[str, ...]
    product_ids: tuple[str, ...]
    class_names: tuple[str, ...] = ("all",)
    today: None = None

    @property
    def attraction(self) -> Floats:
        return np.ones((len(self.store_ids), 1, len(self.product_ids)))

    @property
    def class_weight(self) -> Floats:
        return np.ones((len(self.store_ids), 1))

    no_purchase = class_weight


class _Tables:
    """The tables of one category in the order of a forecast's stores and products."""

    def __init__(self, demand: Demand | _AllAlike, chain: Chain) -> None:
        self._demand, self._chain = demand, chain
        self.stores = _ordered(chain.stores.frame, "store_id", demand.store_ids)
        self.products = _ordered(chain.products.frame, "product_id", demand.product_ids)
        self._store_at = {item: i for i, item in enumerate(demand.store_ids)}
        self._product_at = {item: i for i, item in enumerate(demand.product_ids)}
        self._shape = (len(demand.store_ids), len(demand.product_ids))

    def by_place(self, column: str) -> Floats:
        """Return a column of the products, (S, N), with what the prices table says of single stores."""
        values = np.tile(self.products[column].to_numpy(float), (self._shape[0], 1))
        prices = self._chain.prices
        if prices is not None and column in prices:
            known = prices[prices[column].notna()]
            s, j, kept = self._at(known)
            values[s, j] = known[column].to_numpy(float)[kept]
        return values

    def shelf_cm(self) -> Floats:
        """Return the shelf of each store, (S,)."""
        shelves = self._chain.shelves.groupby("store_id")["shelf_cm"].sum()
        missing = [item for item in self._demand.store_ids if item not in shelves.index]
        if missing:
            raise ProblemError(f"shelves: no shelf for the stores {', '.join(missing)}; add a row for each")
        cm: Floats = shelves.loc[list(self._demand.store_ids)].to_numpy(float)
        return cm

    def today(self) -> Mask | None:
        """Return today's listing, (S, N); the table's, else the one that the forecast knows."""
        if self._chain.listing is None:
            return self._demand.today
        today = np.zeros(self._shape, bool)
        s, j, _ = self._at(self._chain.listing)
        today[s, j] = True
        return today

    def places(self) -> tuple[Mask, Mask]:
        """Return where products may and where they must stand, (S, N) each: status, locks, supplier reach."""
        status = self.products["status"].astype(str).to_numpy()
        allowed = np.tile(status != "never", (self._shape[0], 1))
        required = np.tile(status == "must", (self._shape[0], 1))
        locks = self._chain.locks
        if locks is not None:
            for store, product, lock in zip(locks["store_id"], locks["product_id"], locks["lock"], strict=True):
                s = slice(None) if store == "*" else self._store_at.get(store)
                j = self._product_at.get(product)
                if s is not None and j is not None:
                    allowed[s, j], required[s, j] = lock == "in", lock == "in"
        return allowed & self._reach(), required

    def min_stores(self) -> Ints:
        """Return how many stores each product's supplier asks for, (N,)."""
        suppliers = self._chain.suppliers
        if suppliers is None or "supplier_id" not in self.products or "minimum_stores" not in suppliers:
            return np.ones(self._shape[1], np.int64)
        asked = suppliers.set_index("supplier_id")["minimum_stores"]
        found = self.products["supplier_id"].map(asked).astype(float).fillna(1.0)
        return found.to_numpy().astype(np.int64)

    def with_deliveries(self, costs: Costs) -> Costs:
        """Return the costs with who delivers each product and what that costs, unless they say so themselves."""
        if costs.supplier_of is not None:
            return costs
        if np.ndim(costs.delivery) != 0:
            raise ProblemError("costs.delivery: found an array; give costs.supplier_of with it, or one number")
        usual = float(np.asarray(costs.delivery, float))
        if "supplier_id" not in self.products:
            if usual != 0:
                raise ProblemError("costs.delivery: the products have no column 'supplier_id'; add it, or leave it out")
            return costs
        number, ids = pd.factorize(self.products["supplier_id"])
        names = tuple(str(item) for item in ids)
        suppliers = self._chain.suppliers
        told = {}
        if suppliers is not None and "delivery_cost" in suppliers:
            known = suppliers.dropna(subset=["delivery_cost"])
            told = dict(zip(known["supplier_id"], known["delivery_cost"].astype(float), strict=True))
        delivery = np.array([told.get(name, usual) for name in names])
        if not delivery.any():
            return costs
        return replace(costs, delivery=delivery, supplier_of=number, supplier_ids=names)

    def _reach(self) -> Mask:
        """Return which products' suppliers deliver to which stores, (S, N); by great circle, unknown: everywhere."""
        reach = np.ones(self._shape, bool)
        suppliers = self._chain.suppliers
        wanted = {"longitude", "latitude", "delivers_within_km"}
        if suppliers is None or "supplier_id" not in self.products or not wanted <= set(suppliers.columns):
            return reach
        points = self.stores.geometry.to_crs(4326)
        lon, lat = np.radians(points.x.to_numpy()), np.radians(points.y.to_numpy())
        supplier_of = self.products["supplier_id"].to_numpy()
        known = suppliers.dropna(subset=list(wanted))
        for row in known.to_dict("records"):
            at_lon, at_lat = np.radians(float(row["longitude"])), np.radians(float(row["latitude"]))
            half = np.sin((lat - at_lat) / 2) ** 2 + np.cos(lat) * np.cos(at_lat) * np.sin((lon - at_lon) / 2) ** 2
            km = 2 * _EARTH_KM * np.arcsin(np.sqrt(half))
            own = supplier_of == row["supplier_id"]
            reach[:, own] = (km <= float(row["delivers_within_km"]))[:, None]
        return reach

    def _at(self, frame: pd.DataFrame) -> tuple[Ints, Ints, Mask]:
        """Return store and product numbers of the rows that the forecast knows, and which rows these are."""
        s = frame["store_id"].map(self._store_at).to_numpy(float)
        j = frame["product_id"].map(self._product_at).to_numpy(float)
        kept = np.isfinite(s) & np.isfinite(j)
        return s[kept].astype(np.int64), j[kept].astype(np.int64), kept


def _ordered(frame: pd.DataFrame, key: str, ids: tuple[str, ...]) -> pd.DataFrame:
    at = {item: i for i, item in enumerate(frame[key])}
    missing = [item for item in ids if item not in at]
    if missing:
        raise ProblemError(
            f"{key}: the forecast has {', '.join(repr(item) for item in missing)}, the chain has not; "
            "make the forecast for the stores and products of this chain and category"
        )
    return frame.iloc[[at[item] for item in ids]].reset_index(drop=True)
