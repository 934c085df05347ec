"""A better plan for the chain: stores improved one by one, the chain linearised again, products and core moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Ints, Mask
from assortment.optimiser.chain.draft import Draft, limited_store, rules_hold, take
from assortment.optimiser.chain.moves import moves_that_help
from assortment.optimiser.chain.programme import ChainProgramme
from assortment.optimiser.chain.warm import warm_draft
from assortment.optimiser.store.bound import prove
from assortment.optimiser.store.search import search
from assortment.optimiser.store.store import Store
from assortment.optimiser.workers import Clock, Workers

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_PASSES = 4
_REDRAFTS = 3
_MOVE_PASSES = 12
_RESTARTS = 2
# Most linearised programmes of a store between two climbs.
_ROUNDS = 2
_NODES = 8
_PROGRAMME_NODES = 50


def improve(
    problem: Problem,
    stores: list[Store],
    draft: Draft,
    programme: ChainProgramme | None,
    *,
    anew: bool,
    gap: float,
    team: Workers,
    clock: Clock,
) -> Draft:
    """Return a plan that is no worse than ``draft`` and obeys every rule, as ``draft`` must.

    Parameters
    ----------
    problem, stores, draft
        The problem, its stores and a plan.
    programme
        The chain's linear programme, or ``None`` for a chain too large for it.
    anew
        Whether to begin anew from the plan that is reached; of little use where the draft was begun from a good plan.
    gap
        The relative gap asked for; a store is not looked into closer than a share of it.
    team, clock
        Who works, and when to stop.
    """
    best = draft
    for restart in range(1 + _RESTARTS * anew):
        if restart:
            # Begun anew from itself, as the plan's margins may ask for another core or range.
            again = warm_draft(problem, stores, best.carried, best.core_by_store(problem), team)
            if again is None or (again.carried == best.carried).all():
                break
            draft = again
        draft = polish(problem, stores, draft, clock)
        if programme is not None:
            draft = _relinearised(problem, stores, draft, programme, gap=gap, clock=clock)
        draft = _moved(problem, stores, draft, gap=gap, clock=clock)
        # In large chains the search of single stores is as good, and a proof of each would take most of the time.
        if programme is not None:
            draft = _proven_stores(problem, stores, draft, gap=gap, team=team, clock=clock)
        draft = designated(problem, draft)
        if restart and draft.value(problem) <= best.value(problem) * (1 + 1e-9):
            break
        best = draft
        if clock.expired:
            break
    return best


def _moved(problem: Problem, stores: list[Store], draft: Draft, *, gap: float, clock: Clock) -> Draft:
    """List, delist and swap products as long as that helps, and polish the stores after each pass."""
    for _ in range(_MOVE_PASSES):
        moved = moves_that_help(problem, stores, draft, gap=gap, clock=clock)
        if moved is None:
            break
        draft = polish(problem, stores, moved, clock)
    return draft


def _proven_stores(
    problem: Problem, stores: list[Store], draft: Draft, *, gap: float, team: Workers, clock: Clock
) -> Draft:
    """Look for what the search missed: each store's optimum, all others fixed, by branch and bound."""
    draft, tolerance = draft.copy(), gap * abs(draft.value(problem)) / problem.S
    for _ in range(_PASSES):
        tasks = [
            (limited_store(problem, store, s, draft), draft.carried[s], tolerance) for s, store in enumerate(stores)
        ]
        better = False
        for s, found in enumerate(team.map_until(clock, _best_of_store, tasks, _as_it_is)):
            own = limited_store(problem, stores[s], s, draft)  # the others may have changed since
            better |= take(problem, draft, own, np.array([s]), found)
        if not better:
            break
    return draft


def _best_of_store(task: tuple[Store, Mask, float]) -> Mask:
    store, carried, tolerance = task
    return prove(store, carried, tolerance, nodes=_NODES).carried


def _as_it_is(task: tuple[Store, Mask, float]) -> Mask:
    return task[1]


def designated(problem: Problem, draft: Draft) -> Draft:
    """Return the plan with the products that sell most of those in all stores of a group designated core.

    As many as the rules let it, where the rules speak of a core; what stands where does not change, and no designation
    costs anything.
    """
    rules = problem.rules
    if rules.core_min == 0 and rules.core_max is None and not problem.local_product_cost.any():
        return draft
    units = problem.units(draft.carried)
    for c in range(problem.C):
        stores = problem.core_group == c
        everywhere = np.flatnonzero(draft.carried[stores].all(axis=0))
        best_sellers = everywhere[np.argsort(-units[stores].sum(axis=0)[everywhere], kind="stable")]
        draft = _with_core_if_free(problem, draft, c, best_sellers[: draft.core[c].sum()])
        for j in best_sellers:
            if not draft.core[c, j]:
                draft = _with_core_if_free(problem, draft, c, np.append(np.flatnonzero(draft.core[c]), j))
    return draft


def _with_core_if_free(problem: Problem, draft: Draft, c: int, core: Ints) -> Draft:
    other = draft.copy()
    other.core[c] = False
    other.core[c, core] = True
    return other if rules_hold(problem, other) and other.value(problem) >= draft.value(problem) else draft


def polish(problem: Problem, stores: list[Store], draft: Draft, clock: Clock) -> Draft:
    """Improve one store after the other, all others fixed, until a pass brings nothing."""
    draft = draft.copy()
    for _ in range(_PASSES):
        better = False
        for s, store in enumerate(stores):
            if clock.expired:
                return draft
            better |= _improve_store(problem, store, s, draft)
        if not better:
            break
    return draft


def _improve_store(problem: Problem, store: Store, s: int, draft: Draft) -> bool:
    own = limited_store(problem, store, s, draft)
    found = search(own, draft.carried[s], rounds=_ROUNDS)
    return found is not None and take(problem, draft, own, np.array([s]), found)


def _relinearised(
    problem: Problem, stores: list[Store], draft: Draft, programme: ChainProgramme, *, gap: float, clock: Clock
) -> Draft:
    """Linearise the whole chain at the plan, solve that with every rule, improve its stores, as long as it helps."""
    for _ in range(_REDRAFTS):
        value = draft.value(problem)
        gains = np.array([store.gains(draft.carried[s]) for s, store in enumerate(stores)])
        # Solving with whole numbers takes seconds; the relaxation shows first whether there is anything to win.
        if clock.expired or programme.promise(gains, draft) <= gap * abs(value):
            break
        found = programme.draft_near_relaxation(gains, nodes=_PROGRAMME_NODES)
        if found is None:
            break
        candidate = polish(problem, stores, found, clock)
        if candidate.value(problem) <= value + 1e-12 * abs(value):
            break
        draft = candidate
    return draft
