"""A first plan from one that is known: today's listing, an earlier run, the plan before a lock or a changed limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.chain.draft import Draft, marginal_values
from assortment.optimiser.chain.start import around_core, loss_as_core
from assortment.optimiser.store.own_rows import can_be_core
from assortment.optimiser.store.store import Store
from assortment.optimiser.workers import Workers

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


def warm_draft(problem: Problem, stores: list[Store], carried: Mask, core: Mask, team: Workers) -> Draft | None:
    """Return a plan near a known one that obeys every rule, or ``None`` when none is found.

    The known core stays as far as the rules let it; each store is searched from what it carries; products are delisted
    or spread until the rules of the chain hold.

    Parameters
    ----------
    problem, stores
        The problem and its stores.
    carried, core
        What each store carries in the known plan and what is core there, (S, N) each; need not obey the rules.
    team
        Who works.
    """
    margins = np.array([marginal_values(store, carried[s]) for s, store in enumerate(stores)])
    kept = _core_near(problem, margins, core)
    return None if kept is None else around_core(problem, stores, carried, kept, team)


def _core_near(problem: Problem, margins: Floats, core: Mask) -> Mask | None:
    """Return the core that differs least from a known one, (C, N); ``None`` when too few products may be core."""
    rules, near = problem.rules, np.zeros((problem.C, problem.N), bool)
    for c, candidates in enumerate(can_be_core(problem)):
        stores = problem.core_group == c
        known = core[stores].all(axis=0) & candidates
        loss = loss_as_core(problem, margins, c)
        # Known ones first, then those that cost least.
        order = [j for j in np.lexsort((np.arange(problem.N), loss, ~known)) if candidates[j]]
        most = problem.N if rules.core_max is None else rules.core_max
        size = min(most, max(rules.core_min, int(known.sum())))
        if len(order) < size:
            return None
        near[c, order[:size]] = True
    return near
