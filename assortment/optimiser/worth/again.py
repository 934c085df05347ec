"""Again: a plan's problem solved anew with something changed, as often as asked, in one time for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import Infeasible, ProblemError
from assortment.optimiser.plan.status import Status
from assortment.optimiser.solve import solve
from assortment.optimiser.workers import Clock

if TYPE_CHECKING:
    from assortment.optimiser.plan.plan import Plan
    from assortment.optimiser.problem.problem import Problem

INFEASIBLE = "infeasible"
NOT_FOUND = "not_found"
NOT_REACHED = "not_reached"


@dataclass(frozen=True, eq=False)
class Answer:
    """What solving a changed problem gave.

    Parameters
    ----------
    status
        That of the plan, or ``infeasible`` (no plan obeys the changed rules), ``not_found`` (none was found, which
        proves nothing) or ``not_reached`` (stopped before).
    plan
        The plan; ``None`` where there is none.
    more
        What the plan is worth more than the one with all rules, per week; NaN where there is none.
    at_least, at_most
        Between what the best plan of the changed problem and the best plan with all rules are proven to differ, since
        both plans have a gap; -inf and inf where nothing is proven.
    """

    status: str
    plan: Plan | None = None
    more: float = np.nan
    at_least: float = -np.inf
    at_most: float = np.inf


@dataclass
class Again:
    """Solves changed problems, each beginning from the plan.

    Parameters
    ----------
    plan
        The plan with all rules.
    gap, time_limit_s, workers, prove
        Of each solve, as for `solve`.
    total_time_limit_s
        Of all of them together; what is not begun by then is not reached. ``None``: no limit.
    progress
        Called as progress(problems solved, problems in all).
    count
        Problems in all.
    """

    plan: Plan
    gap: float
    time_limit_s: float | None
    workers: int
    prove: bool
    total_time_limit_s: float | None = None
    progress: Callable[[int, int], None] | None = field(default=None, repr=False)
    count: int = 0

    def __post_init__(self) -> None:
        limit = self.total_time_limit_s
        if limit is not None and not limit >= 0:
            raise ProblemError(f"total_time_limit_s: found {limit}; expected 0 s or more, or None for no limit")
        self.interrupted = self._late = False
        self._clock = Clock(self.total_time_limit_s)
        self._done = 0

    @property
    def stopped(self) -> bool:
        """Whether the user or the clock has stopped it, so that something may be missing or looser than asked for."""
        return self.interrupted or self._late

    def solve(self, problem: Problem) -> Answer:
        """Solve a changed problem, unless the user or the clock has stopped."""
        answer = Answer(NOT_REACHED)
        self._late |= self._clock.expired
        if self.stopped:
            return answer
        try:
            answer = self._solved(problem)
            self._done += 1
            if self.progress is not None:
                self.progress(self._done, self.count)
        except KeyboardInterrupt:
            self.interrupted = True
        self.interrupted |= answer.status == Status.INTERRUPTED
        # The time of all together may have run out in the midst of the last one.
        self._late |= answer.status == Status.TIME_LIMIT and self._clock.expired
        return answer

    def _solved(self, problem: Problem) -> Answer:
        limits = [limit for limit in (self.time_limit_s, self._clock.left_s) if limit is not None]
        try:
            found = solve(
                problem,
                gap=self.gap,
                time_limit_s=min(limits, default=None),
                workers=self.workers,
                prove=self.prove,
                start=self.plan,
            )
        except Infeasible as error:
            return Answer(INFEASIBLE if error.obstacles else NOT_FOUND)
        return Answer(
            status=str(found.status),
            plan=found,
            more=found.value - self.plan.value,
            at_least=found.value - self.plan.bound,
            at_most=found.bound - self.plan.value,
        )


def proven(value: float) -> float:
    """Return an end of a proven range as a table holds it: NaN where nothing is proven."""
    return value if np.isfinite(value) else np.nan
