"""The price of a rule: what the chain and each store would earn more without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.optimiser.rules.rule import RULES
from assortment.optimiser.solve import solve

if TYPE_CHECKING:
    from assortment.optimiser.plan.plan import Plan
    from assortment.optimiser.problem.problem import Problem


@dataclass(frozen=True, eq=False)
class RulePrices:
    """What each rule costs, per week, in the unit of the objective.

    Parameters
    ----------
    chain
        One row per rule that is in force: rule, sentence, cost_per_week (what the best plan found without the rule is
        worth more), at_most_per_week (what it can be at most: the bound without the rule less the plan's value; NaN
        without a proof).
    stores
        One row per rule and store: rule, store_id, cost_per_week (below 0 where a store does better with the rule, as
        when others must carry what it needs). Costs of the chain, such as those per distinct product, are in ``chain``
        only.
    """

    chain: pd.DataFrame
    stores: pd.DataFrame


def _without_core(problem: Problem) -> Problem:
    return problem.with_rules(core_min=0, core_max=None, core_groups=None)


def _without_shelf(problem: Problem) -> Problem:
    return problem.replace(shelf_cm=np.maximum(problem.shelf_cm, problem.space_cm.sum(axis=1)))


# How each rule is lifted; a rule that is not in force is lifted without any change.
LIFTED: dict[str, Callable[[Problem], Problem]] = {
    "core": _without_core,
    "shelf": _without_shelf,
    "allowed": lambda problem: problem.with_rules(allowed=None),
    "required": lambda problem: problem.with_rules(required=None),
    "groups": lambda problem: problem.with_rules(groups=()),
    "products_max": lambda problem: problem.with_rules(products_max=None),
    "local_products_max": lambda problem: problem.with_rules(local_products_max=None),
    "local_min_stores": lambda problem: problem.with_rules(local_min_stores=None),
    "local_per_store": lambda problem: problem.with_rules(local_per_store=(None, None)),
    "local_share": lambda problem: problem.with_rules(local_share=(None, None)),
    "changes_max": lambda problem: problem.with_rules(changes_max=None),
    "assortments_max": lambda problem: problem.with_rules(assortments_max=None),
}


def rule_prices(
    plan: Plan, *, gap: float = 2e-4, time_limit_s: float | None = 60.0, workers: int = 1, prove: bool = False
) -> RulePrices:
    """Return what each rule costs: the problem solved again without it, beginning from the plan.

    Prices of rules do not add up: two rules that forbid the same thing each cost nothing alone.

    Parameters
    ----------
    plan
        The plan with all rules.
    gap, time_limit_s, workers
        Of each solve, as for `solve`.
    prove
        Whether to bound what each rule can cost at most; takes as long as a proof for each rule.

    Raises
    ------
    Infeasible, ProblemError
        As `solve`.
    """
    chain, stores = [], []
    before = plan.problem.store_values(plan.carried, plan.core)
    for name, sentence, problem in _lifted(plan.problem):
        free = solve(problem, gap=gap, time_limit_s=time_limit_s, workers=workers, prove=prove, start=plan)
        at_most = free.bound - plan.value if np.isfinite(free.bound) else np.nan
        chain.append((name, sentence, max(0.0, free.value - plan.value), at_most))
        more = problem.store_values(free.carried, free.core) - before
        stores += [(name, store, float(gain)) for store, gain in zip(problem.store_ids, more, strict=True)]
    columns = ["rule", "sentence", "cost_per_week", "at_most_per_week"]
    return RulePrices(
        pd.DataFrame(chain, columns=columns).sort_values("cost_per_week", ascending=False, ignore_index=True),
        pd.DataFrame(stores, columns=["rule", "store_id", "cost_per_week"]),
    )


def _lifted(problem: Problem) -> Iterator[tuple[str, str, Problem]]:
    """Yield name, sentence and the problem without it of each rule in force."""
    rules = problem.rules
    for rule in RULES:
        # A core of any size asks for nothing; of every other rule there are rows when it is in force.
        idle = rule.name == "core" and rules.core_min == 0 and rules.core_max is None
        if not idle and any(True for _ in rule.rows(problem)):
            yield rule.name, rule.sentence, LIFTED[rule.name](problem)
