"""Draft: a plan in the making, and what each store may still do without breaking a rule that ties stores together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.programme.linear import LinearProgram, safe_maximum
from assortment.optimiser.rules.excess import is_local
from assortment.optimiser.rules.rule import RULES
from assortment.optimiser.store.own_rows import local_counts, share_counts
from assortment.optimiser.store.store import Store

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


@dataclass
class Draft:
    """What each store carries, (S, N), and what is core in each core group, (C, N)."""

    carried: Mask
    core: Mask

    @classmethod
    def of(cls, problem: Problem, carried: Mask, core: Mask) -> Draft:
        """Return the draft of a plan: what each store carries and what is core there, (S, N) each."""
        return cls(carried.copy(), np.array([core[problem.core_group == c][0] for c in range(problem.C)]))

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
        return is_local(self.carried, self.core)


def rules_hold(problem: Problem, draft: Draft) -> bool:
    """Return whether a plan obeys the rules that tie stores together."""
    core = draft.core_by_store(problem)
    return not any(True for rule in RULES if rule.couples for _ in rule.check(problem, draft.carried, core))


def take(problem: Problem, draft: Draft, own: Store, members: Ints, found: Mask) -> bool:
    """Let stores that carry the same carry ``found``, (N,), if that is worth more and breaks no rule.

    Parameters
    ----------
    problem, draft
        The problem and the plan in the making, which is changed.
    own
        The stores as one, as they may change while all others stay.
    members
        Their numbers.
    found
        What they are to carry.

    Returns
    -------
    bool
        Whether they do.
    """
    last = draft.carried[members].copy()
    before = own.value(last[0])
    if not own.fits(found) or own.value(found) <= before + 1e-12 * abs(before):
        return False
    # Two products new to the chain may each be allowed alone but not together, or cost more together where that has a
    # price.
    priced = prices_chain(problem)
    worth = draft.value(problem) if priced else -np.inf
    draft.carried[members] = found
    if rules_hold(problem, draft) and (not priced or draft.value(problem) > worth):
        return True
    draft.carried[members] = last
    return False


def limited_store(problem: Problem, store: Store, s: int, draft: Draft) -> Store:
    """Return store ``s`` as it may change while all others stay: no step of it breaks a rule of the chain.

    Parameters
    ----------
    problem, store, s, draft
        The problem, its store, the store's number and the plan in the making.
    """
    must, may, price = limits(problem, np.array([s]), draft)
    with_core = store_with_core(problem, store, draft.core[problem.core_group[s]])
    return with_core.limited(must=must, may=may).priced(-price)


def limits(problem: Problem, members: Ints, draft: Draft) -> tuple[Mask, Mask, Floats]:
    """Return what stores that change together must and may carry, and what each product costs the chain more, (N,).

    The core stays; a product that stands in just enough stores may not leave; one that stands in too few others may not
    enter; the costs of a product that only these stores carry are their own, and so is what they save or cost where
    rules of the chain have a price.

    Parameters
    ----------
    problem, draft
        As for `limited_store`.
    members
        Numbers of the stores, all of which carry the same.
    """
    carried: Mask = draft.carried[members[0]]
    elsewhere = draft.carried.sum(axis=0) - len(members) * carried
    core: Mask = np.any(draft.core[problem.core_group[members]], axis=0)
    anywhere_core: Mask = np.any(draft.core, axis=0)
    least = problem.min_stores
    thin = ~anywhere_core & (elsewhere > 0) & (elsewhere < least)
    enough = anywhere_core | (elsewhere + len(members) >= least)
    if "local_min_stores" in problem.rules.soft:
        thin, enough = np.zeros(problem.N, bool), np.ones(problem.N, bool)
    # Where products are counted no other is listed.
    listed = (elsewhere > 0) | carried if counts_products(problem) else np.ones(problem.N, bool)
    may = (enough & listed) | core | carried
    return thin & carried, may, _shared_costs(problem, elsewhere, len(members), anywhere_core)


def counts_products(problem: Problem) -> bool:
    """Return whether a rule that must hold counts the distinct products of the chain."""
    rules = problem.rules
    limits = {"products_max": rules.products_max, "local_products_max": rules.local_products_max}
    return any(limit is not None and name not in rules.soft for name, limit in limits.items())


def prices_chain(problem: Problem) -> bool:
    """Return whether a rule of the chain has a price."""
    return any(rule.couples and rule.name in problem.rules.soft for rule in RULES)


def _shared_costs(problem: Problem, elsewhere: Ints, count: int, anywhere_core: Mask) -> Floats:
    """Return what the chain pays more when ``count`` stores beside those ``elsewhere`` carry a product too, (N,).

    Rules that count products are paid for as if one product were added at a time.
    """
    rules, alone, local = problem.rules, elsewhere == 0, ~anywhere_core
    price = problem.product_cost + np.where(local, problem.local_product_cost, 0.0)
    if rules.products_max is not None and int((~alone).sum()) >= rules.products_max:
        price = price + rules.soft.get("products_max", 0.0)
    if rules.local_products_max is not None and int((~alone & local).sum()) >= rules.local_products_max:
        price = price + rules.soft.get("local_products_max", 0.0) * local
    price = np.where(alone, price, 0.0)
    if "local_min_stores" in rules.soft:
        missing = np.maximum(0, problem.min_stores - elsewhere)
        more = np.maximum(0, missing - count) - np.where(alone, 0, missing)
        price = price + rules.soft["local_min_stores"] * np.where(local, more, 0)
    return price


def store_with_core(problem: Problem, store: Store, core: Mask) -> Store:
    """Return the store that must carry ``core``, (N,), and so many local products as the rules say."""
    rules, size = problem.rules, int(core.sum())
    fixed = store.limited(must=core)
    if rules.local_per_store != (None, None):
        if "local_per_store" in rules.soft:
            fixed = dataclasses.replace(fixed, charges=fixed.charges.with_core(core, *rules.local_per_store))
        else:
            fixed = fixed.counted(*local_counts(problem, size, size))
    return fixed if rules.local_share == (None, None) else fixed.counted(*share_counts(problem, size, size))


def marginal_values(store: Store, carried: Mask) -> Floats:
    """Return the change of value per product forced into or out of a linearised store, (N,).

    Positive: worth having in. Reduced costs of the linear relaxation at ``carried``.
    """
    polytope, cost = store.polytope, store.objective(store.gains(carried))
    answer = LinearProgram(polytope).maximise(cost)
    duals = np.zeros(len(polytope.low)) if answer.duals is None or answer.infeasible else answer.duals
    reduced: Floats = safe_maximum(cost, polytope, duals)[1][: len(carried)]
    return reduced
