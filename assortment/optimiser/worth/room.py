"""The worth of a little more room: a centimetre of shelf, one more core product, one more local product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from assortment.optimiser.chain.draft import Draft, limited_store
from assortment.optimiser.programme.linear import LinearProgram
from assortment.optimiser.store.store import Store, stores_of
from assortment.optimiser.worth.again import Again, proven

if TYPE_CHECKING:
    from assortment.optimiser.arrays import Floats, Ints
    from assortment.optimiser.plan.plan import Plan
    from assortment.optimiser.problem.problem import Problem

Step: TypeAlias = "tuple[str, str, Problem, bool]"
"""A rule that counts, the step in words, the problem in which it allows one more, and whether it must then be."""


def shelf_worth(plan: Plan) -> pd.DataFrame:
    """Return what a centimetre more shelf is worth in each store.

    The dual value of the shelf in the store's programme with the plan's core and range, linearised at the plan: true
    for little more shelf in the mean, while a single product needs its whole width.

    Returns
    -------
    DataFrame
        store_id, shelf_cm, free_cm (what the plan leaves empty), worth_per_cm_per_week
        (in the unit of the objective).
    """
    problem, stores = plan.problem, stores_of(plan.problem)
    draft = Draft.of(problem, plan.carried, plan.core)
    used = (problem.space_cm * plan.carried).sum(axis=1)
    worth = [
        _dual_of_shelf(problem, s, limited_store(problem, store, s, draft), draft) for s, store in enumerate(stores)
    ]
    return pd.DataFrame(
        {
            "store_id": problem.store_ids,
            "shelf_cm": problem.shelf_cm,
            "free_cm": problem.shelf_cm - used,
            "worth_per_cm_per_week": worth,
        }
    )


def room_worth(
    plan: Plan,
    *,
    gap: float = 2e-4,
    time_limit_s: float | None = 60.0,
    total_time_limit_s: float | None = None,
    workers: int = 1,
    prove: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Return what one more of each counted thing is worth: the problem solved again with it, beginning from the plan.

    Parameters
    ----------
    plan, gap, time_limit_s, total_time_limit_s, workers, prove, progress
        As for `rule_prices`.

    Returns
    -------
    DataFrame
        rule, step (in words), worth_per_week (below 0 where the rules force the step, as with a core of exactly so many
        products), at_least_per_week and at_most_per_week (between what it is proven to lie; NaN where nothing is) and
        status: that of the plan with the step, ``infeasible`` where there is none, ``not_found`` where none was found,
        or ``not_reached``.
    """
    steps = list(one_more(plan.problem))
    again = Again(plan, gap, time_limit_s, workers, prove, total_time_limit_s, progress, len(steps))
    return room_of(steps, again)


def room_of(steps: list[Step], again: Again) -> pd.DataFrame:
    """Return what some steps are worth, each solved ``again`` with it."""
    rows = []
    for rule, words, problem, forced in steps:
        answer = again.solve(problem)
        # What is only allowed leaves every plan that there was.
        least = answer.at_least if forced or answer.plan is None else max(0.0, answer.at_least)
        rows.append((rule, words, answer.more, proven(least), proven(answer.at_most), answer.status))
    columns = ["rule", "step", "worth_per_week", "at_least_per_week", "at_most_per_week", "status"]
    return pd.DataFrame(rows, columns=columns)


def one_more(problem: Problem) -> Iterator[Step]:
    """Yield each rule that counts, the step in words, and the problem in which it allows one more."""
    rules = problem.rules
    if rules.core_max is not None:
        exactly = rules.core_min == rules.core_max
        least = rules.core_min + 1 if exactly else rules.core_min
        more = problem.with_rules(core_min=least, core_max=rules.core_max + 1)
        yield "core", "one more core product" + (", which must then be" if exactly else ""), more, exactly
    least_local, most_local = rules.local_per_store
    one_more_local = None if most_local is None else (least_local, most_local + 1)
    for name, what, limit in (
        ("products_max", "distinct product in the chain", _more(rules.products_max)),
        ("local_products_max", "distinct local product in the chain", _more(rules.local_products_max)),
        ("local_per_store", "local product in every store", one_more_local),
        ("changes_max", "change in every store", _more(problem.changes_max)),
        ("assortments_max", "assortment in the chain", _more(rules.assortments_max)),
    ):
        if limit is not None:
            yield name, f"one more {what}", problem.with_rules(**{name: limit}), False


def _more(limit: int | Ints | None) -> int | Ints | None:
    return None if limit is None else limit + 1


def _dual_of_shelf(problem: Problem, s: int, store: Store, draft: Draft) -> float:
    answer = LinearProgram(store.polytope).maximise(store.objective(store.gains(draft.carried[s])))
    if answer.duals is None or answer.infeasible:
        return 0.0
    # HiGHS minimises the negative.
    if "shelf" in store.charges.rules:
        # Those that may be passed for a price come last, as they are.
        priced = store.charges.rules.index("shelf") - len(store.charges.rules)
        return max(0.0, -float(answer.duals[priced]))
    row = _shelf_row(problem, s, store)
    # The others are scaled to a largest coefficient of 1.
    return 0.0 if row is None else max(0.0, -float(answer.duals[row])) / float(problem.space_cm[s].max())


def _shelf_row(problem: Problem, s: int, store: Store) -> int | None:
    largest = float(problem.space_cm[s].max())
    if largest <= 0:
        return None
    wanted: Floats = problem.space_cm[s] / largest
    found = [m for m, row in enumerate(store.matrix) if np.array_equal(row, wanted)]
    return found[0] if found else None
