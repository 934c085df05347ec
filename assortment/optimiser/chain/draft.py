"""Draft: a plan in the making, and what each store may still do without breaking a rule that ties stores together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.programme.linear import LinearProgram, safe_maximum
from assortment.optimiser.rules.rule import RULES
from assortment.optimiser.store.store import Store

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


@dataclass
class Draft:
    """What each store carries, (S, N), and what is core in each core group, (C, N)."""

    carried: Mask
    core: Mask

    def copy(self) -> Draft:
        """Return a draft that can change without changing this one."""
        return Draft(self.carried.copy(), self.core.copy())

    def core_by_store(self, problem: Problem) -> Mask:
        """Return what is core in each store, (S, N)."""
        by_store: Mask = self.core[problem.core_group]
        return by_store

    def value(self, problem: Problem) -> float:
        """Return the value of the chain less all costs."""
        return problem.value(self.carried, self.core_by_store(problem))

    @property
    def local(self) -> Mask:
        """Which products are listed and core nowhere, (N,)."""
        local: Mask = np.any(self.carried, axis=0) & ~np.any(self.core, axis=0)
        return local


def rules_hold(problem: Problem, draft: Draft) -> bool:
    """Return whether a plan obeys the rules that tie stores together."""
    core = draft.core_by_store(problem)
    return not any(True for rule in RULES if rule.couples for _ in rule.check(problem, draft.carried, core))


def limited_store(problem: Problem, store: Store, s: int, draft: Draft, listed: Mask | None = None) -> Store:
    """Return store ``s`` as it may change while all others stay: no step of it breaks a rule of the chain.

    The core stays; a product that stands in just enough stores may not leave; one that stands in too few others may not
    enter; the costs of a product that only this store carries are its own.

    Parameters
    ----------
    problem, store, s, draft
        The problem, its store, the store's number and the plan in the making.
    listed
        Products that may be listed, (N,); ``None``: those that are, and others where no rule counts products.
    """
    elsewhere = draft.carried.sum(axis=0) - draft.carried[s]
    core, anywhere_core = draft.core[problem.core_group[s]], draft.core.any(axis=0)
    least = problem.min_stores
    thin = ~anywhere_core & (elsewhere > 0) & (elsewhere < least)
    enough = anywhere_core | (elsewhere + 1 >= least)
    if listed is None:
        counted = problem.rules.products_max is not None or problem.rules.local_products_max is not None
        listed = (elsewhere > 0) | draft.carried[s] if counted else np.ones(problem.N, bool)
    may = (enough & listed) | core | draft.carried[s]
    alone = elsewhere == 0
    price = np.where(alone, problem.product_cost + np.where(anywhere_core, 0.0, problem.local_product_cost), 0.0)
    with_core = store_with_core(problem, store, core)
    return with_core.limited(must=thin & draft.carried[s], may=may).priced(-price)


def store_with_core(problem: Problem, store: Store, core: Mask) -> Store:
    """Return the store that must carry ``core``, (N,), and so many local products as the rules say."""
    least, most = problem.rules.local_per_store
    size = int(core.sum())
    fixed = store.limited(must=core)
    if least is None and most is None:
        return fixed
    return fixed.counted((least or 0) + size, np.inf if most is None else most + size)


def marginal_values(store: Store, carried: Mask) -> Floats:
    """Return the change of value per product forced into or out of a linearised store, (N,).

    Positive: worth having in. Reduced costs of the linear relaxation at ``carried``.
    """
    gains, polytope = store.gains(carried), store.polytope
    answer = LinearProgram(polytope).maximise(gains)
    duals = np.zeros(len(store.low)) if answer.duals is None or answer.infeasible else answer.duals
    return safe_maximum(gains, polytope, duals)[1]
