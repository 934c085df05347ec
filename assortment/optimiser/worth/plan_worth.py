"""PlanWorth: what the rules of a plan cost and what a little more room would be worth, in one go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assortment.optimiser.worth.again import Again
from assortment.optimiser.worth.room import one_more, room_of, shelf_worth
from assortment.optimiser.worth.rule_prices import RulePrices, lifted, prices_of

if TYPE_CHECKING:
    import pandas as pd

    from assortment.optimiser.plan.plan import Plan


@dataclass(frozen=True, eq=False)
class PlanWorth:
    """What `rule_prices`, `room_worth` and `shelf_worth` tell of a plan.

    Parameters
    ----------
    rules, room, shelf
        As these functions give them.
    interrupted
        Whether Ctrl-C stopped it, so that some rules or steps are missing.
    stopped
        Whether Ctrl-C or the time limit of all together stopped it.
    """

    rules: RulePrices
    room: pd.DataFrame
    shelf: pd.DataFrame
    interrupted: bool = False
    stopped: bool = False


def plan_worth(
    plan: Plan,
    *,
    gap: float = 2e-4,
    time_limit_s: float | None = 60.0,
    total_time_limit_s: float | None = None,
    workers: int = 1,
    prove: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> PlanWorth:
    """Return what each rule costs and what a little more room is worth.

    Parameters
    ----------
    plan, gap, time_limit_s, workers, prove
        As for `rule_prices`.
    total_time_limit_s
        Of all rules and steps together; ``None``: no limit.
    progress
        Called as progress(done, rules and steps in all).
    """
    rules, steps = list(lifted(plan.problem)), list(one_more(plan.problem))
    again = Again(plan, gap, time_limit_s, workers, prove, total_time_limit_s, progress, len(rules) + len(steps))
    prices = prices_of(rules, again)
    room = room_of(steps, again)
    return PlanWorth(prices, room, shelf_worth(plan), again.interrupted, again.stopped)
