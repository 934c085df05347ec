"""The price of a rule: what the chain and each store would earn more without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from assortment.optimiser.rules.rule import RULES, Rule
from assortment.optimiser.worth.again import Again, Answer, proven

if TYPE_CHECKING:
    from assortment.optimiser.plan.plan import Plan
    from assortment.optimiser.problem.problem import Problem

Lifted: TypeAlias = "tuple[Rule, Problem]"
"""A rule and the problem without it."""


@dataclass(frozen=True, eq=False)
class RulePrices:
    """What each rule costs, per week, in the unit of the objective.

    Parameters
    ----------
    chain
        One row per rule that is in force, the dearest first: rule, sentence, cost_per_week (what the best plan found
        without the rule is worth more), at_least_per_week and at_most_per_week (between what the true cost is proven to
        lie, since neither plan need be the best; at most is NaN without a proof) and status: that of the plan without
        the rule, or ``not_reached``, whose figures are NaN.
    stores
        One row per store and rule that was reached: rule, store_id, cost_per_week (below 0 where a store does better
        with the rule, as when others must carry what it needs). Costs of the chain, such as those per distinct product,
        are in ``chain`` only.
    """

    chain: pd.DataFrame
    stores: pd.DataFrame


def _without_core(problem: Problem) -> Problem:
    # The groups stay: with one group for all, what is core in one format would be local, and no rule would be less.
    return problem.with_rules(core_min=0, core_max=None)


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
    plan: Plan,
    *,
    gap: float = 2e-4,
    time_limit_s: float | None = 60.0,
    total_time_limit_s: float | None = None,
    workers: int = 1,
    prove: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> RulePrices:
    """Return what each rule costs: the problem solved again without it, beginning from the plan.

    Prices of rules do not add up: two rules that forbid the same thing each cost nothing alone. Ctrl-C and the total
    time limit leave what was reached, and say in ``status`` what was not.

    Parameters
    ----------
    plan
        The plan with all rules.
    gap, time_limit_s, workers
        Of each solve, as for `solve`.
    total_time_limit_s
        Of all rules together; ``None``: no limit.
    prove
        Whether to bound what each rule can cost at most; takes as long as a proof for each rule.
    progress
        Called as progress(rules done, rules in all).

    Raises
    ------
    ProblemError
        As `solve`.
    """
    rules = list(lifted(plan.problem))
    again = Again(plan, gap, time_limit_s, workers, prove, total_time_limit_s, progress, len(rules))
    return prices_of(rules, again)


def prices_of(rules: list[Lifted], again: Again) -> RulePrices:
    """Return what some rules cost, each solved ``again`` without it."""
    plan = again.plan
    chain, stores = [], []
    before = plan.problem.store_values(plan.carried, plan.core)
    for rule, problem in rules:
        answer = again.solve(problem)
        chain.append((rule.name, rule.sentence, *_range(answer), answer.status))
        if answer.plan is not None:
            more = problem.store_values(answer.plan.carried, answer.plan.core) - before
            stores += [(rule.name, store, float(gain)) for store, gain in zip(problem.store_ids, more, strict=True)]
    columns = ["rule", "sentence", "cost_per_week", "at_least_per_week", "at_most_per_week", "status"]
    return RulePrices(
        pd.DataFrame(chain, columns=columns).sort_values(
            "cost_per_week", ascending=False, ignore_index=True, kind="stable"
        ),
        pd.DataFrame(stores, columns=["rule", "store_id", "cost_per_week"]),
    )


def _range(answer: Answer) -> tuple[float, float, float]:
    """Return what a rule costs, at least and at most: never below 0, since one rule less allows every plan it did."""
    if answer.plan is None:
        return np.nan, np.nan, np.nan
    return max(0.0, answer.more), max(0.0, answer.at_least), proven(max(0.0, answer.at_most))


def lifted(problem: Problem) -> Iterator[Lifted]:
    """Yield each rule in force with the problem without it."""
    rules = problem.rules
    for rule in RULES:
        # A core of any size asks for nothing; of every other rule there are rows when it is in force.
        idle = rule.name == "core" and rules.core_min == 0 and rules.core_max is None
        if not idle and any(True for _ in rule.rows(problem)):
            yield rule, LIFTED[rule.name](problem)
