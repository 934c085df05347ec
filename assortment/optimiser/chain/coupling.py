"""Coupling: what the stores of a chain have in common once each is set free at prices (Lagrangian relaxation).

Prices λ on "core stands in the store" (x ≥ y), μ on "only listed products stand" (x ≤ z) and ν on "enough stores"
(Σ_s x ≥ M (z − a)) let every store choose alone; what is left of y, a and z is one small linear programme. For any
prices ≥ 0 the sum of the parts is at least the value of every plan. ``local_per_store`` and ``local_share`` are relaxed
to what they imply for the number of products of a store, ``assortments_max`` is left out.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.programme.linear import LinearProgram, Polytope, safe_maximum
from assortment.optimiser.rules.columns import columns_of, costs_of
from assortment.optimiser.rules.rows import Row, core_count, listed_core, sparse_rows
from assortment.optimiser.rules.rule import RULES
from assortment.optimiser.store.own_rows import can_be_core

if TYPE_CHECKING:
    from assortment.optimiser.chain.fixing import Fixing
    from assortment.optimiser.problem.problem import Problem


@dataclass(frozen=True, eq=False)
class Prices:
    """Prices ≥ 0 of the rules that tie stores together: ``core`` (S, N), ``listed`` (S, N), ``spread`` (N,)."""

    core: Floats
    listed: Floats
    spread: Floats

    @property
    def per_store(self) -> Floats:
        """What a store is paid for carrying a product, (S, N)."""
        paid: Floats = self.core - self.listed + self.spread
        return paid

    @property
    def flat(self) -> Floats:
        """All prices in one row: ``core``, ``listed``, ``spread``."""
        return np.concatenate([self.core.ravel(), self.listed.ravel(), self.spread])

    @classmethod
    def from_flat(cls, flat: Floats, S: int, N: int) -> Prices:
        """Return prices from such a row; what rounding left below 0 becomes 0."""
        kept = np.maximum(0.0, flat)
        return cls(kept[: S * N].reshape(S, N), kept[S * N : 2 * S * N].reshape(S, N), kept[2 * S * N :])


def piece_row(b: int, blocks: int, stores: Sequence[int] | Ints, picks: Mask, S: int) -> tuple[Ints, Floats]:
    """Return the row "bound of a block − prices paid to it ≥ value" for an assortment: columns and coefficients.

    Parameters
    ----------
    b, blocks
        The number of the block, and how many there are.
    stores
        Its stores, which carry the same.
    picks
        What they carry, (N,).
    S
        Stores in all; the columns are [bounds of the blocks, prices as in `Prices.flat`].
    """
    carried, N = np.flatnonzero(picks), len(picks)
    at = np.concatenate([blocks + s * N + carried for s in stores])
    ones = np.ones(len(at))
    columns = np.concatenate([[b], at, at + S * N, blocks + 2 * S * N + carried])
    return columns, np.concatenate([[1.0], -ones, ones, np.full(len(carried), -float(len(stores)))])


class Coupling:
    """The part of the relaxation that the stores have in common: which products are core, which are listed.

    Parameters
    ----------
    problem
        The problem; variables are y (C, N), a (N,) when there are several core groups, and z (N,).
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._columns = columns_of(problem)
        own = self._columns.shared
        self._offset = own.start
        shared = [*shared_rows(problem), *self._implied()]
        matrix, low, high = sparse_rows(shared, self._columns.count)
        self.polytope = Polytope(matrix[:, own], low, high, *self._ends())
        self.fixed_cost, self.price_cost = self._costs()

    def within(self, fixing: Fixing) -> Coupling:
        """Return what the stores have in common in a part of all plans."""
        polytope, numbers, offset = self.polytope, self._columns, self._offset
        lower, upper = polytope.lower.copy(), polytope.upper.copy()
        for c in range(self.problem.C):
            lower[numbers.y(c) - offset], upper[numbers.y(c) - offset] = fixing.core[c], fixing.maybe_core[c]
        lower[numbers.z() - offset], upper[numbers.z() - offset] = fixing.listed, fixing.maybe_listed
        part = copy.copy(self)
        part.polytope = replace(polytope, lower=lower, upper=upper)
        return part

    def solve(self, prices: Prices) -> tuple[float, Floats]:
        """Return a safe bound on the shared part at ``prices`` and the duals behind it."""
        cost = self._cost(prices)
        answer = LinearProgram(self.polytope).maximise(cost)
        duals = np.zeros(len(self.polytope.low)) if answer.duals is None or answer.infeasible else answer.duals
        return self.bound(prices, duals), duals

    def bound(self, prices: Prices, duals: Floats) -> float:
        """Return the safe bound that follows from ``duals`` alone; nothing is solved."""
        cost = self._cost(prices)
        return safe_maximum(cost, self.polytope, duals)[0]

    @property
    def dual_matrix(self) -> sparse.csr_matrix:
        """What prices and duals must add up to: variables × [prices, duals]; equal to ``fixed_cost``.

        The duals are those of the high and of the low ends of the rows, then of the ends of the variables.
        """
        matrix, one = self.polytope.matrix, sparse.identity(len(self.fixed_cost), format="csr")
        return sparse.hstack([-self.price_cost, matrix.T, -matrix.T, one, -one]).tocsr()

    @property
    def dual_cost(self) -> Floats:
        """What each of these duals adds to the bound."""
        common = self.polytope
        high = np.where(np.isfinite(common.high), common.high, 0.0)
        low = np.where(np.isfinite(common.low), common.low, 0.0)
        return np.concatenate([high, -low, common.upper, -common.lower])

    def dual_ends(self, most: float) -> Floats:
        """Return the high ends of these duals: ``most`` for rows, none for variables, 0 where a row has no end."""
        common = self.polytope
        rows = [np.where(np.isfinite(end), most, 0.0) for end in (common.high, common.low)]
        return np.concatenate([*rows, np.full(2 * len(self.fixed_cost), np.inf)])

    def _cost(self, prices: Prices) -> Floats:
        cost: Floats = self.fixed_cost + self.price_cost @ prices.flat
        return cost

    def _costs(self) -> tuple[Floats, sparse.csr_matrix]:
        """Return the cost of y, a and z without prices, and the matrix (variables × prices) that prices add."""
        problem, numbers, offset, N = self.problem, self._columns, self._offset, self.problem.N
        z, a, products = numbers.z() - offset, numbers.a() - offset, np.arange(N)
        fixed = -costs_of(problem)[numbers.shared]
        rows, columns, values = [], [], []
        for s, c in enumerate(problem.core_group):
            rows += [numbers.y(int(c)) - offset, z]
            columns += [s * N + products, problem.S * N + s * N + products]
            values += [-np.ones(N), np.ones(N)]
        rows += [z, a]
        columns += [2 * problem.S * N + products] * 2
        values += [-problem.min_stores.astype(float), problem.min_stores.astype(float)]
        # Where "enough stores" has a price, what is missing earns the price of that rule too.
        missing = [(numbers.slack_at.get((f"local_min_stores_{j}", False)), j) for j in range(N)]
        slack = [(number - offset, j) for number, j in missing if number is not None]
        rows += [np.array([number for number, _ in slack], np.int64)]
        columns += [2 * problem.S * N + np.array([j for _, j in slack], np.int64)]
        values += [np.ones(len(slack))]
        places = (np.concatenate(rows), np.concatenate(columns))
        shape = (len(fixed), 2 * problem.S * N + N)
        return fixed, sparse.csr_matrix((np.concatenate(values), places), shape=shape)

    def _implied(self) -> list[Row]:
        """What is core is listed; kept because the rows that say so through the stores are priced."""
        numbers = self._columns
        pairs = [
            (int(y), int(z)) for c in range(self.problem.C) for y, z in zip(numbers.y(c), numbers.z(), strict=True)
        ]
        if self.problem.C > 1:
            pairs += [(int(a), int(z)) for a, z in zip(numbers.a(), numbers.z(), strict=True)]
        return [Row("core", np.array(pair), np.array([1.0, -1.0]), -np.inf, 0.0) for pair in pairs]

    def _ends(self) -> tuple[Floats, Floats]:
        problem, numbers, offset = self.problem, self._columns, self._offset
        upper = numbers.upper[numbers.shared]
        lower = np.zeros(len(upper))
        candidates = can_be_core(problem)
        for c in range(problem.C):
            upper[numbers.y(c) - offset] = candidates[c]
        lower[numbers.z() - offset] = problem.required.any(axis=0)
        upper[numbers.z() - offset] = problem.allowed.any(axis=0)
        return lower, upper


def shared_rows(problem: Problem) -> Iterator[Row]:
    """Yield the rows that touch no store; prices take the place of the others that couple, or they are left out.

    Written out, because in a large chain making a million rows to keep a hundred takes longer than solving them.
    """
    yield from core_count(problem)
    for rule in RULES:
        if rule.name in ("products_max", "local_products_max"):
            yield from rule.rows(problem)
    yield from listed_core(problem)
