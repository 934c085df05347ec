"""The linear programme of the whole chain for fixed gains: every rule, the value of each listing held constant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats
from assortment.optimiser.chain.coupling import Prices
from assortment.optimiser.chain.draft import Draft
from assortment.optimiser.programme.linear import LinearProgram, Polytope, safe_maximum
from assortment.optimiser.rules.audit import audit
from assortment.optimiser.rules.columns import columns_of, costs_of
from assortment.optimiser.rules.rows import Row, delivered, listed, sparse_rows
from assortment.optimiser.rules.rule import RULES

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Most places (stores × products) for which the whole chain is one linear programme.
PLACES_MOST = 12_000
_GAP = 0.01
_OPEN_SHARE = 0.25
_UNLIMITED = 2**31 - 1


class ChainProgramme:
    """Every rule of the chain as one programme over all its variables; made once, solved for many gains.

    Parameters
    ----------
    problem
        The problem.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._columns = columns_of(problem)
        rules = (row for rule in RULES for row in rule.rows(problem))
        self._rows: list[Row] = [*listed(problem), *delivered(problem), *rules]
        upper = self._columns.upper
        matrix, low, high = sparse_rows(self._rows, self._columns.count)
        # Rows of centimetres and rows of ones are held to the same tolerance.
        self._scale = np.maximum(abs(matrix).max(axis=1).toarray().ravel(), 1e-300)
        scaled = sparse.csr_matrix(sparse.diags_array(1 / self._scale) @ matrix)
        self._polytope = Polytope(scaled, low / self._scale, high / self._scale, 0 * upper, upper)

    def draft(self, gains: Floats) -> Draft | None:
        """Return a plan that obeys every rule, within 1 % of the best for ``gains`` (S, N).

        Parameters
        ----------
        gains
            What each listing is worth, (S, N).

        Returns
        -------
        Draft or None
            ``None`` when there is no plan, or none that the audit's tolerance bears.
        """
        cost = self._cost(gains)
        return self._draft(cost, self._polytope, _UNLIMITED)

    def draft_near_relaxation(self, gains: Floats, *, nodes: int) -> Draft | None:
        """Return a good plan for ``gains`` (S, N), or ``None``; only listings that the relaxation finds close are open.

        All others are fixed where the relaxation has them; that leaves a programme of a size whose time can be borne.
        """
        cost = self._cost(gains)
        answer = LinearProgram(self._polytope).maximise(cost)
        if answer.columns is None or answer.duals is None:
            return None
        _, reduced = safe_maximum(cost, self._polytope, answer.duals)
        places = self._problem.S * self._problem.N
        clear = np.zeros(len(cost), bool)
        clear[np.argsort(np.abs(reduced[:places]), kind="stable")[int(_OPEN_SHARE * places) :]] = True
        clear &= np.abs(answer.columns - np.round(answer.columns)) < 1e-6
        lower, upper = self._polytope.lower.copy(), self._polytope.upper.copy()
        lower[clear] = upper[clear] = np.round(answer.columns[clear])
        return self._draft(cost, replace(self._polytope, lower=lower, upper=upper), nodes)

    def _draft(self, cost: Floats, polytope: Polytope, nodes: int) -> Draft | None:
        programme = LinearProgram(polytope, whole=self._columns.whole, nodes=nodes, gap=_GAP)
        answer = programme.maximise(cost / max(1e-12, float(np.abs(cost).max())))
        if answer.columns is None:
            return None
        problem, picks = self._problem, answer.columns > 0.5
        carried = picks[: problem.S * problem.N].reshape(problem.S, problem.N)
        draft = Draft(carried, np.array([picks[self._columns.y(c)] for c in range(problem.C)]))
        # HiGHS keeps rows to its tolerance only.
        return None if audit(problem, carried, draft.core_by_store(problem)) else draft

    def promise(self, gains: Floats, draft: Draft) -> float:
        """Return how much more than ``draft`` a plan can be worth at most if the gains (S, N) are held constant."""
        cost = self._cost(gains)
        answer = LinearProgram(self._polytope).maximise(cost)
        if answer.columns is None:
            return np.inf
        problem, core = self._problem, draft.core_by_store(self._problem)
        paid = problem.chain_costs(draft.carried, core) + problem.charges(draft.carried, core).sum()
        return float(cost @ answer.columns - (gains * draft.carried).sum() + paid)

    def prices(self, gains: Floats) -> Prices | None:
        """Return the duals of the rows that tie stores together, for ``gains`` (S, N), as prices."""
        answer = LinearProgram(self._polytope).maximise(self._cost(gains))
        if answer.duals is None or answer.infeasible:
            return None
        S, N = self._problem.S, self._problem.N
        prices = Prices(np.zeros((S, N)), np.zeros((S, N)), np.zeros(N))
        by_place = {"core": prices.core, "listed": prices.listed}
        for row, dual in zip(self._rows, answer.duals / self._scale, strict=True):
            parts = row.name.split("_")
            if parts[0] in by_place and len(parts) == 3 and parts[1].isdigit():
                by_place[parts[0]][int(parts[1]), int(parts[2])] = max(0.0, -dual)
            elif row.name.startswith("local_min_stores_"):
                prices.spread[int(parts[-1])] = max(0.0, dual)
        return prices

    def _cost(self, gains: Floats) -> Floats:
        cost = -costs_of(self._problem)
        cost[: gains.size] = gains.ravel()
        return cost
