"""The reference model of a tiny chain solved by HiGHS through PuLP, where the prices leave a duality gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pulp

from assortment.optimiser.chain.draft import Draft
from assortment.optimiser.programme.model import reference_model
from assortment.optimiser.rules.audit import audit
from assortment.optimiser.rules.columns import costs_of

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_PURCHASES_MOST = 80
_PULL_MOST = 1e3
_NODES = 1_500
_ALLOWANCE = 1e-6


def is_tiny(problem: Problem) -> bool:
    """Return whether the reference model is quick."""
    return problem.attraction.size <= _PURCHASES_MOST


def _sane(problem: Problem) -> bool:
    """Whether the attractions are of a size that HiGHS's tolerances can bear; else its bound proves nothing."""
    pull = (problem.attraction / problem.no_purchase[:, :, None])[problem.class_weight > 0]
    return bool(((pull == 0) | ((pull >= 1 / _PULL_MOST) & (pull <= _PULL_MOST))).all())


def solve_reference(problem: Problem, gap: float) -> tuple[Draft | None, float]:
    """Return a plan that obeys every rule, or ``None``, and a bound: HiGHS's own with an allowance for tolerances.

    HiGHS is asked twice, with presolve and without, and the higher bound counts: its presolve, at tight tolerances, has
    been seen to lose the optimum of one of two thousand small chains.
    """
    model = reference_model(problem)
    drafts, bounds = list[Draft](), list[float]()
    for presolve in ("on", "off"):
        model.solve(pulp.HiGHS(msg=False, threads=1, gapRel=gap / 4, mip_max_nodes=_NODES, presolve=presolve))
        # PuLP passes a maximisation negated. Its own status says "Optimal" for a stopped run too and is not read.
        bounds.append(-float(model.solverModel.getInfo().mip_dual_bound))
        draft = _picked(problem, model)
        drafts += [] if draft is None else [draft]
    weights = problem.class_weight.sum(axis=1) @ np.abs(problem.worth).max(axis=1)
    bound = max(bounds) + _ALLOWANCE * float(weights + np.abs(costs_of(problem)).sum())
    best = max(drafts, key=lambda draft: draft.value(problem), default=None)
    return best, bound if np.isfinite(bound) and _sane(problem) else np.inf


def _picked(problem: Problem, model: pulp.LpProblem) -> Draft | None:
    values = {variable.name: variable.varValue for variable in model.variables()}
    S, N, C = problem.S, problem.N, problem.C
    carried = np.array([[(values.get(f"x_{s}_{j}") or 0.0) > 0.5 for j in range(N)] for s in range(S)])
    core = np.array([[(values.get(f"y_{c}_{j}") or 0.0) > 0.5 for j in range(N)] for c in range(C)])
    draft = Draft(carried, core)
    return None if audit(problem, carried, draft.core_by_store(problem)) else draft
