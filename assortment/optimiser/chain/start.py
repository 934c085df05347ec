"""A first plan for the chain: free stores, the core that costs least to force, then surplus and thin products cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.chain.draft import Draft, marginal_values, rules_hold, store_with_core
from assortment.optimiser.chain.programme import ChainProgramme
from assortment.optimiser.infeasible.alone import conflicts_alone
from assortment.optimiser.infeasible.any_plan import any_plan
from assortment.optimiser.infeasible.infeasible import explain
from assortment.optimiser.store.own_rows import can_be_core
from assortment.optimiser.store.search import search
from assortment.optimiser.store.store import Store
from assortment.optimiser.workers import Workers

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_ROUNDS = 3
# Most places (stores × products) for which the programme of the whole chain is the last resort.
_PLACES_MOST = 50_000


def free_stores(problem: Problem, stores: list[Store], team: Workers) -> Mask:
    """Return what each store would carry if it stood alone, (S, N); where a search fails, what it began from.

    Raises
    ------
    Infeasible
        When a store cannot obey its own rules.
    """
    today = problem.rules.today
    begins = [store.must if today is None else today[s] for s, store in enumerate(stores)]
    found = list(team.map(_search_from, zip(stores, begins, strict=True)))
    stuck = [s for s, item in enumerate(found) if item is None]
    # A search that fails proves nothing: its programmes are small, and HiGHS may pass a row by its tolerance.
    if stuck and conflicts_alone(problem, stuck):
        raise explain(problem)
    return np.array([begin if item is None else item for item, begin in zip(found, begins, strict=True)])


def first_draft(
    problem: Problem, stores: list[Store], free: Mask, programme: ChainProgramme | None, team: Workers
) -> Draft:
    """Return a plan that obeys every rule.

    The way by stores is quick and may fail. Then the stores are asked what they can live with, and the programme of the
    whole chain (``None`` in a larger chain, which needs it only when the stores leave it open) finds a plan worth more.

    Raises
    ------
    Infeasible
        When there is none, or, which the message then says, when none was found.
    """
    margins = np.array([marginal_values(store, free[s]) for s, store in enumerate(stores)])
    core = cheapest_core(problem, margins)
    draft = None if core is None else around_core(problem, stores, free, core, team)
    if draft is not None:
        return draft
    gains = np.array([store.gains(free[s]) for s, store in enumerate(stores)])
    found, certain = any_plan(problem, gains)
    if found is None and not certain and problem.S * problem.N <= _PLACES_MOST:
        programme = programme or ChainProgramme(problem)
    better = None if programme is None or (found is None and certain) else programme.draft(gains)
    draft = better or found
    if draft is None:
        raise explain(problem)
    return draft


def cheapest_core(problem: Problem, margins: Floats) -> Mask | None:
    """Return the products whose forcing into every store costs least, (C, N); ``None`` when too few may be core.

    Parameters
    ----------
    problem
        The problem.
    margins
        Marginal value of each product in each store, (S, N).
    """
    candidates, rules = can_be_core(problem), problem.rules
    # Without any wish for a core nothing is core, whatever stands everywhere.
    asked = rules.core_min > 0 or rules.core_max is not None
    asked |= rules.local_products_max is not None or bool(problem.local_product_cost.any())
    core = np.zeros((problem.C, problem.N), bool)
    for c in range(problem.C):
        loss = loss_as_core(problem, margins, c)
        order = [j for j in np.lexsort((np.arange(problem.N), loss)) if candidates[c, j]]
        if len(order) < rules.core_min:
            return None
        most = problem.N if rules.core_max is None else rules.core_max
        gladly = sum(1 for j in order if loss[j] <= 0) if asked else 0
        core[c, order[: min(most, max(rules.core_min, gladly))]] = True
    return core


def loss_as_core(problem: Problem, margins: Floats, c: int) -> Floats:
    """Return what forcing each product into every store of core group ``c`` costs, (N,); margins as above."""
    loss: Floats = np.maximum(0.0, -margins[problem.core_group == c]).sum(axis=0) - problem.local_product_cost
    return loss


def _search_from(task: tuple[Store, Mask]) -> Mask | None:
    return search(task[0], task[1], wide=True)


def _search_again(task: tuple[Store, Mask]) -> Mask | None:
    return search(task[0], task[1], rounds=_ROUNDS, wide=True)


def around_core(problem: Problem, stores: list[Store], free: Mask, core: Mask, team: Workers) -> Draft | None:
    """Return a plan with this core, (C, N), that obeys every rule, or ``None`` when the way by stores finds none.

    Parameters
    ----------
    problem, stores, core, team
        The problem, its stores, the core of each core group, and who works.
    free
        What each store is searched from, (S, N); need not obey its rules.
    """
    fixed = [store_with_core(problem, store, core[problem.core_group[s]]) for s, store in enumerate(stores)]
    found = list(team.map(_search_again, zip(fixed, free, strict=True)))
    if any(item is None for item in found):
        return None
    draft = Draft(np.array([item for item in found if item is not None]), core)
    return _repaired(problem, fixed, draft, team)


def _repaired(problem: Problem, fixed: list[Store], draft: Draft, team: Workers) -> Draft | None:
    """Delist or spread products until the rules that count products and stores hold.

    Ends: in each round a product is delisted for good, or held in enough stores for good.
    """
    listed_now: Mask = np.any(draft.carried, axis=0)
    held = np.zeros_like(draft.carried)
    for _ in range(2 * problem.N + 1):
        fitted = [store.limited(must=held[s], may=listed_now) for s, store in enumerate(fixed)]
        margins = np.array([marginal_values(store, draft.carried[s]) for s, store in enumerate(fitted)])
        away, hold = surplus(problem, draft, margins, held, problem.allowed)
        if not away.any() and not hold.any():
            return draft if rules_hold(problem, draft) else None
        touched = draft.carried[:, away].any(axis=1) | (hold & ~draft.carried).any(axis=1)
        left, holding, numbers = listed_now & ~away, held | hold, np.flatnonzero(touched)
        tasks = [(fixed[s].limited(must=holding[s], may=left), draft.carried[s]) for s in numbers]
        found = list(team.map(_search_again, tasks))
        stuck = [s for s, carried in zip(numbers, found, strict=True) if carried is None]
        if stuck:
            # A store cannot do without what was to leave: it keeps that, and other products leave.
            needed = draft.carried[stuck] & away
            if not needed.any():
                return None
            held[stuck] |= needed
            continue
        listed_now, held = left, holding
        for s, carried in zip(numbers, found, strict=True):
            draft.carried[s] = carried
    return None


def surplus(problem: Problem, draft: Draft, margins: Floats, held: Mask, can: Mask) -> tuple[Mask, Mask]:
    """Return the products to delist, (N,), and the places where a product that is too thin is to be held, (S, N).

    Parameters
    ----------
    problem, draft
        The problem and a plan that obeys the rules of single stores.
    margins
        Marginal value of each product in each store, (S, N).
    held
        Where products are held already, (S, N).
    can
        Where they can be held, (S, N).
    """
    rules, local, count = problem.rules, draft.local, draft.carried.sum(axis=0)
    worth = (np.maximum(0.0, margins) * draft.carried).sum(axis=0) - problem.product_cost - problem.local_product_cost
    bound: Mask = np.any(problem.required, axis=0) | np.any(held, axis=0)
    away, hold = np.zeros(problem.N, bool), np.zeros_like(draft.carried)
    soft = rules.soft  # what has a price does not force anything out
    most = None if "products_max" in soft else rules.products_max
    most_local = None if "local_products_max" in soft else rules.local_products_max
    excess = max(
        0 if most is None else int((count > 0).sum()) - most,
        0 if most_local is None else int(local.sum()) - most_local,
    )
    leaving = [j for j in np.lexsort((np.arange(problem.N), worth)) if local[j] and not bound[j]]
    away[leaving[: max(0, excess)]] = True
    thin = local & (count < problem.min_stores) & ~away & ("local_min_stores" not in soft)
    for j in np.flatnonzero(thin):
        missing = int(problem.min_stores[j] - count[j])
        free = np.flatnonzero(can[:, j] & ~draft.carried[:, j])
        order = free[np.argsort(-margins[free, j], kind="stable")][:missing]
        loss = -np.minimum(0.0, margins[order, j]).sum()
        if len(order) == missing and (bound[j] or loss < worth[j]):
            hold[order, j] = True
            hold[:, j] |= draft.carried[:, j]
        elif not bound[j]:
            away[j] = True
    return away, hold
