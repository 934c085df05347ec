"""audit: every rule re-checked on a finished plan, in numpy, without the linear programme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Mask
from assortment.optimiser.rules.checks import Violation
from assortment.optimiser.rules.rule import RULES

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


def audit(problem: Problem, carried: Mask, core: Mask) -> list[Violation]:
    """Return every place where an assortment breaks a rule; an empty list when it obeys all.

    Parameters
    ----------
    problem
        Holds the rules.
    carried
        What each store carries, (S, N).
    core
        What is designated core in each store, (S, N); never inferred from ``carried``.

    Raises
    ------
    ProblemError
        When a mask does not have the shape (S, N).
    """
    shape = (problem.S, problem.N)
    masks = {"carried": np.asarray(carried, bool), "core": np.asarray(core, bool)}
    for name, mask in masks.items():
        if mask.shape != shape:
            raise ProblemError(f"{name}: found shape {mask.shape}; expected {shape}, stores × products")
    return [violation for rule in RULES for violation in rule.check(problem, masks["carried"], masks["core"])]
