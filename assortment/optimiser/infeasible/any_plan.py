"""any_plan: some plan that obeys every rule, whatever it earns; for chains whose rules barely hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats
from assortment.optimiser.chain.draft import Draft
from assortment.optimiser.infeasible.together import Asked, Together
from assortment.optimiser.rules.audit import audit

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


def any_plan(problem: Problem, gains: Floats | None = None) -> tuple[Draft | None, bool]:
    """Return a plan that obeys every rule and whether the answer is certain.

    With ``gains``, what each listing is worth, (S, N), the plan is worth much by these; else it is near today's
    listing. What is core and what is listed is chosen by a small programme to which the stores send what they cannot
    live with (`Together`), so the work grows with the stores and not with a programme of them all. ``(None, True)``:
    there is no plan; ``(None, False)``: none was found within the work allowed.
    """
    together = Together(problem)
    found, certain = together.plan(Asked(together.parts(), tuple(range(problem.S))), gains=gains)
    if found is None:
        return None, certain
    draft = Draft(np.array([found.carried[s] for s in range(problem.S)]), found.core)
    # Rules that `Together` does not know, and solvers' tolerances, have the last word here.
    return (draft, True) if not audit(problem, draft.carried, draft.core_by_store(problem)) else (None, False)
