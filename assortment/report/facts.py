"""What every page draws from: the run's results by store, printable names, and what may be claimed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from assortment.optimiser.plan.changes import charges_with_core
from assortment.optimiser.store.charges import Charges
from assortment.report.claim import Claim, chain_claim, store_claims
from assortment.report.demographics import shown
from assortment.report.evidence import Comparison, Shelf, compare
from assortment.report.names import Printer
from assortment.report.numbers import money, number
from assortment.report.rule_words import sentences_by_rule
from assortment.report.run import Run

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """A run, made ready for pages.

    Attributes
    ----------
    run
        The run itself.
    printed
        Makes names printable and remembers what it had to replace.
    claims, chain_claim
        By store and for the chain: predicted against actual, and whether money may be shown.
    carried, today
        (S, N) of bool; ``today`` is ``None`` without a listing of today.
    value, value_today
        (S,) worth per week of each store under the plan and today, less what its listings, deliveries and broken rules
        with a price cost, in the unit of the objective.
    units, units_today
        (S,) units per week that each store is expected to sell.
    """

    run: Run
    printed: Printer
    claims: dict[str, Claim]
    chain_claim: Claim
    carried: Mask
    today: Mask | None
    value: Floats
    value_today: Floats | None
    units: Floats
    units_today: Floats | None
    _listings: dict[str, pd.DataFrame] = field(repr=False)
    _changes: dict[str, pd.DataFrame] = field(repr=False)
    _products: dict[str, str] = field(repr=False)
    _stores: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, run: Run) -> Facts:
        """Gather the facts of a run."""
        printed = Printer()
        problem, plan = run.problem, run.plan
        stores = run.chain.stores.frame
        products = run.chain.products.frame
        today = problem.rules.today
        derived = str(run.demand.weight_source) == "units"
        return cls(
            run=run,
            printed=printed,
            claims=store_claims(run.calibration, tuple(problem.store_ids), derived=derived),
            chain_claim=chain_claim(run.calibration, derived=derived),
            carried=np.asarray(plan.carried, dtype=bool),
            today=None if today is None else np.asarray(today, dtype=bool),
            value=np.asarray(problem.store_values(plan.carried, plan.core)),
            value_today=None if today is None else np.asarray(problem.store_values(today, plan.core)),
            units=np.asarray(problem.units(plan.carried)).sum(axis=1),
            units_today=None if today is None else np.asarray(problem.units(today)).sum(axis=1),
            _listings={str(store): rows for store, rows in plan.listings.groupby("store_id")},
            _changes={str(store): rows for store, rows in plan.changes.groupby("store_id")},
            _products={str(i): printed(name) for i, name in zip(products["product_id"], products["name"], strict=True)},
            _stores={str(i): printed(name) for i, name in zip(stores["store_id"], stores["name"], strict=True)},
        )

    @property
    def store_ids(self) -> tuple[str, ...]:
        """Ids of the stores, in the order of all arrays."""
        return tuple(self.run.problem.store_ids)

    @property
    def product_ids(self) -> tuple[str, ...]:
        """Ids of the products, in the order of all arrays."""
        return tuple(self.run.problem.product_ids)

    def product(self, product_id: str) -> str:
        """Return the printable name of a product."""
        return self._products.get(product_id, self.printed(product_id))

    def number_of(self, product_id: str) -> str:
        """Return the printable id of a product to stand beside its name; ``""`` where the name ends with it."""
        shown = self.printed(product_id)
        return "" if self.product(product_id).split()[-1:] == [shown] else shown

    def store(self, store_id: str) -> str:
        """Return the printable name of a store."""
        return self._stores.get(store_id, self.printed(store_id))

    def supplier(self, product: int) -> str:
        """Return the printable name of who delivers a product, by its number."""
        problem, suppliers = self.run.problem, self.run.chain.suppliers
        supplier = problem.supplier_ids[problem.supplier_of[product]]
        names = {} if suppliers is None else dict(zip(suppliers["supplier_id"], suppliers["name"], strict=True))
        return self.printed(names.get(supplier, supplier))

    def listings(self, store_id: str) -> pd.DataFrame:
        """Return the plan's listings of a store, most units first."""
        rows: pd.DataFrame = self._listings.get(store_id, self.run.plan.listings.iloc[:0])
        return rows.sort_values(["units_per_week", "product_id"], ascending=[False, True])

    def changes(self, store_id: str) -> pd.DataFrame:
        """Return what a store adds and drops, the most worthwhile first; empty without a listing of today."""
        rows: pd.DataFrame = self._changes.get(store_id, self.run.plan.changes.iloc[:0])
        if self.today is None:
            return rows.iloc[:0]
        return rows[rows["action"] != "keep"].sort_values(["worth_per_week", "product_id"], ascending=[False, True])

    def amount(self, value: float | None, digits: int = 0, *, signed: bool = False) -> str:
        """Return a worth in the unit of the objective: money for margin and sales, units otherwise."""
        if self.run.problem.objective == "units":
            return number(value, digits, signed=signed)
        return money(value, self.run.chain.currency, digits, signed=signed)

    def money(self, value: float | None, digits: int = 0) -> str:
        """Return an amount in the chain's currency, whatever the objective."""
        return money(value, self.run.chain.currency, digits)

    @property
    def worth_is_units(self) -> bool:
        """Whether a worth is nothing but units sold."""
        return self.net_words == "units"

    @property
    def net_words(self) -> str:
        """What the worth of a store or of the chain is: "margin after costs", or "margin" where nothing costs."""
        problem = self.run.problem
        paid = np.array([item.cost_per_week for item in self.run.plan.priced])
        costs = (problem.listing_cost, problem.product_cost, problem.local_product_cost, problem.delivery_cost, paid)
        return f"{problem.objective} after costs" if any(np.any(cost) for cost in costs) else str(problem.objective)

    def sells(self, product_id: str, store_id: str) -> bool:
        """Return whether anybody would buy a product in a store."""
        s, n = self.store_ids.index(store_id), self.product_ids.index(product_id)
        return bool((self.run.problem.attraction[s, :, n] @ self.run.problem.class_weight[s]) > 0)

    @property
    def everywhere(self) -> Mask:
        """(N,) of bool, products that stand in every store without being core; none in a chain of one store."""
        core = np.asarray(self.run.plan.core).any(axis=0)
        found: Mask = np.asarray(self.carried.all(axis=0) & ~core & (len(self.store_ids) > 1))
        return found

    @property
    def chain_today(self) -> float | None:
        """Worth of today's shelves in the whole chain, costs of the chain included, as ``plan.value`` has them.

        What every store carries today counts as core. ``None`` without a listing of today.
        """
        if self.today is None:
            return None
        everywhere = np.broadcast_to(self.today.all(axis=0), self.today.shape)
        return float(self.run.problem.value(self.today, everywhere))

    @cached_property
    def comparisons(self) -> dict[tuple[str, str], Comparison]:
        """Each local product of each store against its best stand-in, by store and product id."""
        local = self.carried & ~np.asarray(self.run.plan.core)
        return {
            (self.store_ids[s], self.product_ids[n]): compare(self.shelf(s), self.carried[s], int(n))
            for s in range(len(self.store_ids))
            for n in np.flatnonzero(local[s])
        }

    def evidence(self, store_id: str, product_id: str) -> str:
        """Return what the comparison of a local product says: better, no evidence, for the chain, or fixed."""
        s, n = self.store_ids.index(store_id), self.product_ids.index(product_id)
        if self.run.problem.required[s, n]:
            return "fixed"
        compared = self.comparisons[store_id, product_id]
        return "better" if compared.low > 0 else "for the chain" if compared.high < 0 else "no evidence"

    def demographics(self, store_id: str) -> list[tuple[str, float, float, float]]:
        """Return (expression, value of a store, its margin of error, value of the chain) of what is shown.

        The margin is NaN where it is not known.
        """
        values, margins, chain = self._profiles
        here, margin, usual = values.loc[store_id].to_dict(), margins.loc[store_id].to_dict(), chain.to_dict()
        return [(str(name), float(here[name]), float(margin[name]), float(usual[name])) for name in here]

    @cached_property
    def _profiles(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
        profiles = self.run.profiles
        used = self.run.demand.drivers(self.product_ids[0], self.store_ids[0])["demographic"].astype(str)
        names = shown(profiles, used)
        return profiles.values(names), profiles.margins(names), profiles.chain(names)

    @cached_property
    def rule_sentences(self) -> dict[str, list[str]]:
        """The sentences of each rule that the scenario sets, with its limits, by the name of the rule."""
        return sentences_by_rule(self.run.problem, self.printed)

    @cached_property
    def charges(self) -> list[Charges]:
        """What each store pays for deliveries and for breaking rules with a price."""
        return charges_with_core(self.run.problem, np.asarray(self.run.plan.core, bool))

    def shelf(self, index: int) -> Shelf:
        """Return a store's side of the problem, for comparing products."""
        problem, soft = self.run.problem, self.run.problem.rules.soft
        most_changes = None if "changes_max" in soft else problem.changes_max
        groups = () if "groups" in soft else problem.rules.groups
        return Shelf(
            attraction=problem.attraction[index],
            class_weight=problem.class_weight[index],
            no_purchase=problem.no_purchase[index],
            worth=problem.worth[index],
            space_cm=problem.space_cm[index],
            listing_cost=problem.listing_cost[index],
            log_sd=self.run.demand.log_sd[index],
            shelf_cm=float("inf") if "shelf" in soft else float(problem.shelf_cm[index]),
            may=problem.allowed[index],
            today=None if self.today is None else self.today[index],
            changes_max=None if most_changes is None else int(most_changes[index]),
            groups=tuple((group.members, group.least, group.most) for group in groups),
            charges=self.charges[index],
        )
