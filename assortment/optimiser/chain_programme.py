"""The linear programme of the whole chain for fixed gains: every rule, the value of each listing held constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats
from assortment.optimiser.coupling import Prices
from assortment.optimiser.draft import Draft
from assortment.optimiser.linear import LinearProgram, Polytope
from assortment.optimiser.rows import Row, columns_of, listed, sparse_rows
from assortment.optimiser.rule import RULES

if TYPE_CHECKING:
    from assortment.optimiser.problem import Problem

# Most places (stores × products) for which the whole chain is one linear programme.
PLACES_MOST = 12_000
_GAP = 0.01
_UNLIMITED = 2**31 - 1


class ChainProgramme:
    """Every rule of the chain as one programme over x, y, a and z; made once, solved for many gains.

    Parameters
    ----------
    problem
        The problem.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._columns = columns_of(problem)
        self._rows: list[Row] = [*listed(problem), *(row for rule in RULES for row in rule.rows(problem))]
        ones = np.ones(self._columns.count)
        self._polytope = Polytope(*sparse_rows(self._rows, self._columns.count), 0 * ones, ones)

    def draft(self, gains: Floats, *, nodes: int = _UNLIMITED) -> Draft | None:
        """Return a plan that obeys every rule, within 1 % of the best for ``gains`` (S, N).

        Parameters
        ----------
        gains
            What each listing is worth, (S, N).
        nodes
            Most branch-and-bound nodes.

        Returns
        -------
        Draft or None
            ``None`` when there is no plan, or none was found within a limit on the nodes.
        """
        cost = self._cost(gains)
        ones = np.ones(self._columns.count)
        programme = LinearProgram(self._polytope, whole=ones > 0, nodes=nodes, gap=_GAP)
        answer = programme.maximise(cost / max(1e-12, float(np.abs(cost).max())))
        if answer.columns is None:
            return None
        problem, picks = self._problem, answer.columns > 0.5
        carried = picks[: problem.S * problem.N].reshape(problem.S, problem.N)
        return Draft(carried, np.array([picks[self._columns.y(c)] for c in range(problem.C)]))

    def promise(self, gains: Floats, draft: Draft) -> float:
        """Return how much more than ``draft`` a plan can be worth at most if the gains (S, N) are held constant."""
        cost = self._cost(gains)
        answer = LinearProgram(self._polytope).maximise(cost)
        if answer.columns is None:
            return np.inf
        local = self._problem.local_product_cost[draft.local].sum()
        listed_cost = self._problem.product_cost[draft.carried.any(axis=0)].sum()
        return float(cost @ answer.columns - (gains * draft.carried).sum() + listed_cost + local)

    def prices(self, gains: Floats) -> Prices | None:
        """Return the duals of the rows that tie stores together, for ``gains`` (S, N), as prices."""
        answer = LinearProgram(self._polytope).maximise(self._cost(gains))
        if answer.duals is None or answer.infeasible:
            return None
        S, N = self._problem.S, self._problem.N
        prices = Prices(np.zeros((S, N)), np.zeros((S, N)), np.zeros(N))
        by_place = {"core": prices.core, "listed": prices.listed}
        for row, dual in zip(self._rows, answer.duals, strict=True):
            parts = row.name.split("_")
            if parts[0] in by_place and len(parts) == 3 and parts[1].isdigit():
                by_place[parts[0]][int(parts[1]), int(parts[2])] = max(0.0, -dual)
            elif row.name.startswith("local_min_stores_"):
                prices.spread[int(parts[-1])] = max(0.0, dual)
        return prices

    def _cost(self, gains: Floats) -> Floats:
        problem, cost = self._problem, np.zeros(self._columns.count)
        cost[: problem.S * problem.N] = gains.ravel()
        cost[self._columns.z()] -= problem.product_cost + problem.local_product_cost
        cost[self._columns.a()] += problem.local_product_cost
        return cost
