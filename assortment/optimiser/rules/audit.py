"""audit: every rule re-checked on a finished plan, in numpy, without the linear programme; priced: what is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Mask
from assortment.optimiser.rules.rule import RULES
from assortment.optimiser.rules.violation import Excess, Violation

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


def audit(problem: Problem, carried: Mask, core: Mask) -> list[Violation]:
    """Return every place where an assortment breaks a rule; an empty list when it obeys all.

    Rules that have a price (``Rules.soft``) may be broken and are not told here but by `priced`.

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
    picks = _masks(problem, carried, core)
    return [violation for rule in RULES for violation in rule.check(problem, *picks)]


def priced(problem: Problem, carried: Mask, core: Mask) -> list[Excess]:
    """Return every place where an assortment breaks a rule that has a price, by how much, and what that costs.

    Parameters
    ----------
    problem, carried, core
        As for `audit`.

    Raises
    ------
    ProblemError
        When a mask does not have the shape (S, N).
    """
    picks, soft = _masks(problem, carried, core), problem.rules.soft
    return [
        Excess(rule.name, v.store_id, v.product_id, v.sentence, v.amount, rule.unit, v.amount * soft[rule.name])
        for rule in RULES
        if rule.name in soft
        for v in rule.breaks(problem, *picks)
    ]


def _masks(problem: Problem, carried: Mask, core: Mask) -> tuple[Mask, Mask]:
    shape, masks = (problem.S, problem.N), []
    for name, given in (("carried", carried), ("core", core)):
        mask = np.asarray(given, bool)
        if mask.shape != shape:
            raise ProblemError(f"{name}: found shape {mask.shape}; expected {shape}, stores × products")
        masks.append(mask)
    return masks[0], masks[1]
