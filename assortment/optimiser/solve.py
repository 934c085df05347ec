"""solve: from a problem to a plan with a proven gap."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Mask
from assortment.optimiser.chain.assortments import best_shared_draft, first_shared_draft
from assortment.optimiser.chain.bound import Certificate, Proven, certify, trivial_certificate
from assortment.optimiser.chain.branching import branched, parts_most
from assortment.optimiser.chain.draft import Draft
from assortment.optimiser.chain.programme import PLACES_MOST, ChainProgramme
from assortment.optimiser.chain.search import improve
from assortment.optimiser.chain.start import first_draft, free_stores
from assortment.optimiser.chain.warm import warm_draft
from assortment.optimiser.infeasible.counting import counting_shows
from assortment.optimiser.infeasible.infeasible import explain
from assortment.optimiser.plan.plan import Plan, relative_gap, rounding_of
from assortment.optimiser.plan.status import Status
from assortment.optimiser.rules.audit import audit
from assortment.optimiser.store.store import Store, stores_of
from assortment.optimiser.workers import Clock, Workers, lend

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_STAGES = 5
_SEARCH_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class _Known:
    """What a run begins from: what stores carry and what is core there, (S, N) each, and the plan if it is one."""

    carried: Mask
    core: Mask
    plan: Plan | None = None


@dataclass
class _Run:
    """What a run has reached so far, so that a stop loses nothing."""

    draft: Draft | None = None
    certificate: Certificate | None = None
    interrupted: bool = False
    hurried: bool = False
    progress: Callable[[int, int], None] | None = field(default=None, repr=False)

    def step(self, done: int) -> None:
        if self.progress is not None:
            self.progress(done, _STAGES)


def solve(
    problem: Problem,
    *,
    gap: float = 2e-4,
    time_limit_s: float | None = 60.0,
    workers: int = 1,
    prove: bool = True,
    executor: Executor | None = None,
    start: Plan | Mask | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Choose the core and every store's local products together.

    Free stores show what the core costs where; the cheapest core is fixed; the stores are solved around it; products
    too many or too thin are cut; stores, listings and core are then improved in turn. The bound sets the stores free at
    prices and proves each of them.

    Parameters
    ----------
    problem
        What to decide.
    gap
        Relative gap to prove; the search for a better bound stops there.
    time_limit_s
        Stop improving and proving after so many seconds; the first plan is always finished. ``None``: no limit. The
        work is limited in itself, so that a run that the clock does not stop gives the same plan every time.
    workers
        Processes where they can be forked, else threads; the plan does not depend on their number.
    prove
        Whether to prove a bound; without, it is infinite.
    executor
        Works instead of these, through the interface of `concurrent.futures`; it is not shut down.
    start
        Where to begin: the plan of an earlier run, also of a problem with other rules or numbers, or a listing, (S, N),
        as ``problem.rules.today``. Only the way changes, and with it the time; what is proven does not rest on it.
    progress
        Called as progress(stages done, stages in all).

    Raises
    ------
    Infeasible
        When no assortment obeys all rules; names the rules and the stores.
    ProblemError
        When a setting cannot be used.
    """
    if not (0 <= gap < np.inf) or workers < 1 or (time_limit_s is not None and not time_limit_s >= 0):
        raise ProblemError(
            f"found gap={gap}, workers={workers}, time_limit_s={time_limit_s}; "
            "expected a gap of 0 or more, at least one worker and a time limit of 0 s or more"
        )
    if counting_shows(problem):
        raise explain(problem)
    known = None if start is None else _known(problem, start)
    clock, run = Clock(time_limit_s), _Run(progress=progress)
    try:
        with lend(workers, executor) as team:
            _work(problem, run, gap=gap, prove=prove, known=known, team=team, clock=clock)
    except KeyboardInterrupt:
        if run.draft is None:
            raise
        run.interrupted = True
    return _plan(problem, run, gap, prove, clock)


def _work(
    problem: Problem, run: _Run, *, gap: float, prove: bool, known: _Known | None, team: Workers, clock: Clock
) -> None:
    stores = stores_of(problem)
    apart = problem
    if problem.rules.assortments_max is not None:
        # Everything but the sharing of assortments.
        apart = problem.with_rules(assortments_max=None)
    programme = ChainProgramme(apart) if problem.S * problem.N <= PLACES_MOST else None
    run.step(0)
    free, draft = _first(apart, run, stores, programme, known=known, team=team)
    # A plan without proof is worth little: the search leaves the proof its share of the time.
    searching = clock.part(_SEARCH_SHARE) if prove else clock
    run.draft = first_shared_draft(problem, stores, draft, _obeying(problem, known), searching)
    run.step(2)
    draft = improve(
        apart, stores, draft, programme, anew=known is None or known.plan is None, gap=gap, team=team, clock=searching
    )
    run.draft = best_shared_draft(problem, stores, draft, run.draft, searching)
    run.hurried = searching.stopped
    run.step(3)
    if prove:
        run.certificate = trivial_certificate(problem, stores)
        run.certificate = certify(
            apart,
            stores,
            draft,
            free,
            programme,
            gap=gap,
            least=run.certificate,
            known=_proven(apart, known),
            team=team,
            clock=clock,
        )
        run.step(4)
        if not clock.expired and _gap(problem, run) > gap and parts_most(problem):
            value = run.draft.value(problem)
            run.certificate, run.draft = branched(
                problem,
                stores,
                run.draft,
                run.certificate,
                slack=max(gap * abs(value), rounding_of(problem)),
                clock=clock,
            )
    run.step(_STAGES)


def _first(
    problem: Problem,
    run: _Run,
    stores: list[Store],
    programme: ChainProgramme | None,
    *,
    known: _Known | None,
    team: Workers,
) -> tuple[Mask, Draft]:
    """Return what the stores carry alone (or in the known plan), (S, N), and a plan that obeys every rule."""
    if known is not None:
        draft = warm_draft(problem, stores, known.carried, known.core, team)
        same = _obeying(problem, known)
        if same is not None:
            draft = same if draft is None or same.value(problem) > draft.value(problem) else draft
        if draft is not None:
            return draft.carried, draft
    free = free_stores(problem, stores, team)
    run.step(1)
    return free, first_draft(problem, stores, free, programme, team)


def _obeying(problem: Problem, known: _Known | None) -> Draft | None:
    """Return the known plan where it obeys every rule of ``problem``."""
    if known is None or audit(problem, known.carried, known.core):
        return None
    return Draft.of(problem, known.carried, known.core)


def _known(problem: Problem, start: Plan | Mask) -> _Known:
    """Return what ``start`` says of the stores and products of ``problem``; those of a plan are found by their ids."""
    if not isinstance(start, Plan):
        carried = np.asarray(start, bool)
        if carried.shape != (problem.S, problem.N):
            raise ProblemError(
                f"start: found shape {carried.shape}; expected a Plan or {(problem.S, problem.N)}, stores × products"
            )
        return _Known(carried, np.zeros_like(carried))
    store_at = {item: i for i, item in enumerate(start.problem.store_ids)}
    product_at = {item: i for i, item in enumerate(start.problem.product_ids)}
    s = [store_at.get(item, -1) for item in problem.store_ids]
    j = [product_at.get(item, -1) for item in problem.product_ids]
    old = np.zeros((2, start.problem.S + 1, start.problem.N + 1), bool)  # the last of each is one that is not there
    old[:, :-1, :-1] = start.carried, start.core
    places = old[:, s][:, :, j]
    return _Known(places[0], places[1], start)


def _proven(problem: Problem, known: _Known | None) -> Proven | None:
    """Return the proof of a known plan, where that is of the same stores and products in the same order."""
    plan = None if known is None else known.plan
    if plan is None or plan.certificate is None:
        return None
    if (plan.problem.store_ids, plan.problem.product_ids) != (problem.store_ids, problem.product_ids):
        return None
    return Proven(plan.certificate, stores_of(plan.problem))


def _gap(problem: Problem, run: _Run) -> float:
    assert run.draft is not None
    bound = np.inf if run.certificate is None else run.certificate.bound(problem)
    return relative_gap(problem, run.draft.value(problem), bound)


def _plan(problem: Problem, run: _Run, gap: float, prove: bool, clock: Clock) -> Plan:
    assert run.draft is not None
    core = run.draft.core_by_store(problem)
    broken = audit(problem, run.draft.carried, core)
    if broken:
        raise AssertionError(f"the optimiser broke a rule, which is a fault of this package: {broken[0]}")
    value = run.draft.value(problem)
    certificate = run.certificate
    if prove and certificate is None:
        certificate = trivial_certificate(problem, stores_of(problem))
    bound = np.inf if certificate is None else certificate.bound(problem)
    # The value is computed in another order of sums than the bound; what rounding puts between them is no gap.
    rounding = rounding_of(problem)
    if not bound >= value - rounding:
        raise AssertionError(
            f"the optimiser proved {bound}, but its plan is worth {value}, which is a fault of this package"
        )
    bound = value if bound - value <= rounding else bound
    reached = relative_gap(problem, value, bound) <= gap
    if reached:
        status = Status.OPTIMAL
    elif run.interrupted:
        status = Status.INTERRUPTED
    else:
        status = Status.TIME_LIMIT if clock.stopped or run.hurried else Status.GAP_OPEN
    reproducible = not (run.interrupted or run.hurried or clock.stopped)
    return Plan(problem, run.draft.carried, core, value, bound, status, reproducible, certificate)
