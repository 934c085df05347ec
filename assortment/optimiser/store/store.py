"""Store: one store's part of a problem, and the stores of a problem."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.programme.linear import Polytope
from assortment.optimiser.rules.rows import Row
from assortment.optimiser.rules.rule import RULES
from assortment.optimiser.store.charges import Charges, charges_of
from assortment.optimiser.store.own_rows import dense, implied_rows, store_of

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Store:
    """What one store can carry and what it earns: max Σ_k weight R/(1 + V) − cost·x, low ≤ matrix·x ≤ high.

    Classes without weight are left out. Plain arrays only, so that a store can travel to another process.

    Parameters
    ----------
    pull
        Attraction relative to buying nothing, (K, N).
    weight
        Occasions per week, (K,).
    worth
        Of one unit sold, (N,), or by class, (K, N), where stores whose margins differ are joined in one.
    cost
        Per week of carrying a product, (N,); prices of a relaxation are put in here.
    matrix, low, high
        The store's own rules, each row scaled to a largest coefficient of 1, (M, N), (M,), (M,).
    must, may
        What it must carry and what it may carry, (N,).
    charges
        What it pays beside ``cost``: deliveries and rules with a price.
    """

    pull: Floats
    weight: Floats
    worth: Floats
    cost: Floats
    matrix: Floats
    low: Floats
    high: Floats
    must: Mask
    may: Mask
    charges: Charges

    def __getstate__(self) -> dict[str, Any]:
        """What travels to another process: the rows without their many zeros."""
        state = {name: value for name, value in self.__dict__.items() if name != "earned"}
        return state | {"matrix": sparse.csr_matrix(self.matrix)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"matrix": state["matrix"].toarray()})

    @cached_property
    def earned(self) -> Floats:
        """Worth times ``pull``, (K, N): what a product adds to the numerator R of each class."""
        earned: Floats = self.pull * self.worth
        return earned

    @property
    def tolerance(self) -> Floats:
        """How far a row may be passed because its sum is rounded, (M,)."""
        ends = np.stack([np.where(np.isfinite(end), np.abs(end), 0) for end in (self.low, self.high)])
        tolerance: Floats = _TOLERANCE * np.maximum(1.0, ends.max(axis=0))
        return tolerance

    @property
    def polytope(self) -> Polytope:
        """The store's own rules over its products, each between 0 and 1, then over the columns of its charges."""
        lower = self.must.astype(float)
        upper = np.maximum(lower, self.may)
        if not self.charges:
            return Polytope(self.matrix, self.low, self.high, lower, upper)
        rows, low, high = self.charges.rows
        beside = self.charges.upper
        own = np.hstack([self.matrix, np.zeros((len(self.low), len(beside)))])
        return Polytope(
            np.vstack([own, rows]),
            np.concatenate([self.low, low]),
            np.concatenate([self.high, high]),
            np.concatenate([lower, np.zeros(len(beside))]),
            np.concatenate([upper, beside]),
        )

    def objective(self, gains: Floats) -> Floats:
        """Return what the variables of ``polytope`` are worth when products are worth ``gains``, (N,)."""
        return np.concatenate([gains, -self.charges.cost]) if self.charges else gains

    def value(self, carried: Mask) -> float:
        """Return what the store earns with ``carried``, (N,), less costs and charges."""
        pull = self.pull[:, carried]
        earned = self.weight @ (self.earned[:, carried].sum(axis=1) / (1 + pull.sum(axis=1)))
        return float(earned - self.cost[carried].sum()) - self.charges.of(carried)

    def fits(self, carried: Mask) -> bool:
        """Return whether ``carried`` obeys the store's own rules."""
        if (self.must & ~carried).any() or (carried & ~self.may).any():
            return False
        sums = self.matrix @ carried
        return bool(((sums <= self.high + self.tolerance) & (sums >= self.low - self.tolerance)).all())

    def values(self, picks: Mask) -> Floats:
        """Return what the store earns with each of P assortments, (P, N) to (P,)."""
        earned = (picks @ self.earned.T / (1 + picks @ self.pull.T)) @ self.weight
        values: Floats = earned - picks @ self.cost - self.charges.of_each(picks)
        return values

    def fit_each(self, picks: Mask) -> Mask:
        """Return which of P assortments obey the store's own rules, (P, N) to (P,)."""
        sums = picks @ self.matrix.T
        kept = (sums <= self.high + self.tolerance) & (sums >= self.low - self.tolerance)
        wrong = (self.must & ~picks) | (picks & ~self.may)
        fit: Mask = np.all(kept, axis=1) & ~np.any(wrong, axis=1)
        return fit

    def gains(self, carried: Mask | Floats) -> Floats:
        """Return the worth of each product at ``carried``, (N,), as if value were linear there, without charges.

        Exact for adding one product. For one that is carried, it is the slope when it leaves. Fractional assortments
        lie between.
        """
        total, mean = self._totals(carried)
        spread = total[:, None] + self.pull * (1.0 - carried)
        gains: Floats = self.weight @ ((self.earned - self.pull * mean[:, None]) / spread) - self.cost
        return gains

    def slopes(self, carried: Mask | Floats) -> Floats:
        """Return the slope of the value along each product at ``carried``, which may be fractional, (N,)."""
        total, mean = self._totals(carried)
        slopes: Floats = (self.weight / total) @ (self.earned - self.pull * mean[:, None]) - self.cost
        return slopes

    def _totals(self, carried: Mask | Floats) -> tuple[Floats, Floats]:
        """Return 1 + V and R/(1 + V) of each class, (K,) each."""
        total = 1 + self.pull @ carried
        return total, (self.earned @ carried) / total

    def priced(self, price: Floats) -> Store:
        """Return the store with ``price`` paid for each product it carries, (N,)."""
        return dataclasses.replace(self, cost=self.cost - price)

    def limited(self, *, must: Mask | None = None, may: Mask | None = None) -> Store:
        """Return the store that must also carry ``must`` and may only carry ``may``, (N,)."""
        return dataclasses.replace(
            self,
            must=self.must if must is None else self.must | must,
            may=self.may if may is None else self.may & may,
        )

    def counted(self, least: float, most: float) -> Store:
        """Return the store that carries at least and at most so many products."""
        return dataclasses.replace(
            self,
            matrix=np.vstack([self.matrix, np.ones(len(self.cost))]),
            low=np.r_[self.low, least],
            high=np.r_[self.high, most],
        )


def stores_of(problem: Problem) -> list[Store]:
    """Return each store with its own rules and what the chain's rules imply for it alone."""
    rows: list[list[Row]] = [[] for _ in range(problem.S)]
    for rule in RULES:
        for row in () if rule.couples or rule.name in problem.rules.soft else rule.rows(problem):
            rows[store_of(problem, row)].append(row)
    charges = charges_of(problem)
    return [_store(problem, s, rows[s] + implied_rows(problem, s), charges[s]) for s in range(problem.S)]


def _store(problem: Problem, s: int, rows: list[Row], charges: Charges) -> Store:
    must, may = problem.required[s].copy(), problem.allowed[s].copy()
    kept = [row for row in rows if not (len(row.columns) == 1 and row.name.startswith(("allowed_", "required_")))]
    matrix, low, high = dense(problem, s, kept)
    scale = np.abs(matrix).max(axis=1, initial=0.0)
    scale[scale == 0] = 1.0
    used = problem.class_weight[s] > 0
    return Store(
        pull=problem.attraction[s, used] / problem.no_purchase[s, used][:, None],
        weight=problem.class_weight[s, used],
        worth=problem.worth[s],
        cost=problem.listing_cost[s],
        matrix=matrix / scale[:, None],
        low=low / scale,
        high=high / scale,
        must=must,
        may=may,
        charges=charges,
    )
