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
        """The store's own rules over its products, each between 0 and 1."""
        lower = self.must.astype(float)
        return Polytope(self.matrix, self.low, self.high, lower, np.maximum(lower, self.may))

    def value(self, carried: Mask) -> float:
        """Return what the store earns with ``carried``, (N,), less costs."""
        pull = self.pull[:, carried]
        earned = self.weight @ (self.earned[:, carried].sum(axis=1) / (1 + pull.sum(axis=1)))
        return float(earned - self.cost[carried].sum())

    def fits(self, carried: Mask) -> bool:
        """Return whether ``carried`` obeys the store's own rules."""
        if (self.must & ~carried).any() or (carried & ~self.may).any():
            return False
        sums = self.matrix @ carried
        return bool(((sums <= self.high + self.tolerance) & (sums >= self.low - self.tolerance)).all())

    def gains(self, carried: Mask) -> Floats:
        """Return the worth of each product at ``carried``, (N,), as if value were linear there.

        Exact for adding one product. For one that is carried, it is the slope when it leaves.
        """
        total = 1 + self.pull[:, carried].sum(axis=1)
        mean = self.earned[:, carried].sum(axis=1) / total
        spread = total[:, None] + np.where(carried, 0.0, self.pull)
        gains: Floats = self.weight @ ((self.earned - self.pull * mean[:, None]) / spread) - self.cost
        return gains

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
        if not rule.couples:
            for row in rule.rows(problem):
                rows[int(row.columns[0]) // problem.N if len(row.columns) else _store_in(row.name)].append(row)
    return [_store(problem, s, rows[s] + implied_rows(problem, s)) for s in range(problem.S)]


def can_be_core(problem: Problem) -> Mask:
    """Return which products may stand in every store of a core group, (C, N)."""
    return np.array([problem.allowed[problem.core_group == c].all(axis=0) for c in range(problem.C)])


def _store_in(name: str) -> int:
    # A row without variables (a group none of whose products exist) still belongs to the store at the end of its name.
    return int(name.rsplit("_", 1)[1])


def implied_rows(problem: Problem, s: int) -> list[Row]:
    """Rows that hold in every plan because of the core: it must fit, and local products come on top of it."""
    rules, N = problem.rules, problem.N
    offset = s * N
    rows = []
    if rules.core_min > 0:
        numbers = offset + np.flatnonzero(can_be_core(problem)[problem.core_group[s]])
        rows.append(Row("core", numbers, np.ones(len(numbers)), rules.core_min, np.inf))
    least, most = rules.local_per_store
    low = 0 if least is None else least + rules.core_min
    high = np.inf if most is None or rules.core_max is None else most + rules.core_max
    if low > 0 or high < N:
        rows.append(Row("local_per_store", np.arange(offset, offset + N), np.ones(N), low, high))
    return rows


def _store(problem: Problem, s: int, rows: list[Row]) -> Store:
    N = problem.N
    must, may = problem.required[s].copy(), problem.allowed[s].copy()
    kept = [row for row in rows if not (len(row.columns) == 1 and row.name.startswith(("allowed_", "required_")))]
    matrix, low, high = np.zeros((len(kept), N)), np.zeros(len(kept)), np.zeros(len(kept))
    for i, row in enumerate(kept):
        scale = np.abs(row.coefficients).max(initial=0.0) or 1.0
        matrix[i, row.columns - s * N] = row.coefficients / scale
        low[i], high[i] = row.low / scale, row.high / scale
    used = problem.class_weight[s] > 0
    return Store(
        pull=problem.attraction[s, used] / problem.no_purchase[s, used][:, None],
        weight=problem.class_weight[s, used],
        worth=problem.worth[s],
        cost=problem.listing_cost[s],
        matrix=matrix,
        low=low,
        high=high,
        must=must,
        may=may,
    )
