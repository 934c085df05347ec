"""A solve that begins from a known plan: the same rules, the same truth, less work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chain_instances import chain_problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optimiser_worlds import best_value, obeys, small_problem, small_rules

from assortment.errors import Infeasible, ProblemError
from assortment.optimiser import Plan, Problem, solve


@pytest.fixture(scope="module")
def problem() -> Problem:
    return chain_problem(8, 30, 2, seed=3, core=4)


@pytest.fixture(scope="module")
def plan(problem: Problem) -> Plan:
    return solve(problem, gap=1e-3)


def test_from_itself(problem: Problem, plan: Plan) -> None:
    """Begun from its own plan, a problem gives a plan at least as good, proven by the same steps."""
    again = solve(problem, gap=1e-3, start=plan)
    assert again.value >= plan.value - 1e-9 * abs(plan.value)
    assert again.status == "optimal"
    assert again.verify(full=True).ok


def test_never_worse_than_where_it_begins() -> None:
    """A plan that obeys every rule is not lost, even where it is hard to share so few assortments once more."""
    problem = small_problem(590)
    plan = solve(problem, gap=1e-4)
    again = solve(problem, prove=False, start=plan)
    assert again.value >= plan.value - 1e-9 * abs(plan.value)


def test_from_today(problem: Problem) -> None:
    """A listing will do as a start; it is used as far as the rules let it."""
    warm = solve(problem, gap=1e-3, start=problem.rules.today)
    assert warm.status == "optimal"
    assert obeys(problem, warm.carried, warm.core)


def test_shape_of_a_listing(problem: Problem) -> None:
    """A listing of another chain is refused, with both shapes."""
    with pytest.raises(ProblemError, match=r"start: found shape \(2, 30\); expected a Plan or \(8, 30\)"):
        solve(problem, start=np.ones((2, 30), bool))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 100_000))
def test_changed_rules_and_numbers_against_every_assortment(seed: int) -> None:
    """However rules and numbers have changed since the known plan, nothing false is claimed."""
    old = small_problem(seed)
    try:
        known = solve(old, gap=1e-4)
    except Infeasible:
        return
    rng = np.random.default_rng(seed)
    new = old.replace(
        rules=small_rules(rng, old.S, old.N),
        attraction=old.attraction * rng.uniform(0.5, 2.0, old.attraction.shape),
        margin=old.margin + rng.normal(0, 0.5, old.margin.shape),
    )
    best = best_value(new)
    if best is None:
        with pytest.raises(Infeasible):
            solve(new, gap=1e-4, start=known)
        return
    warm = solve(new, gap=1e-4, start=known)
    scale = max(1e-6, abs(best))
    assert obeys(new, warm.carried, warm.core)
    assert warm.value <= best + 1e-9 * scale
    assert warm.bound >= best - 1e-9 * scale
    assert warm.verify().ok


def test_stores_and_products_are_found_by_their_ids(problem: Problem, plan: Plan) -> None:
    """A plan of a chain with other stores and products in another order serves for those that are the same."""
    order = np.arange(problem.N)[::-1]
    rules = problem.rules
    turned = problem.replace(
        attraction=problem.attraction[:, :, order],
        margin=problem.margin[:, order],
        price=None,
        space_cm=problem.space_cm[:, order],
        product_ids=tuple(problem.product_ids[j] for j in order),
        rules=replace(
            rules,
            groups=[replace(group, members=group.members[order]) for group in rules.groups],
            allowed=rules.allowed[:, order],
            today=rules.today[:, order],
            local_min_stores=rules.local_min_stores[order],
        ),
        costs=replace(problem.costs, listing=problem.listing_cost[:, order]),
    )
    warm = solve(turned, prove=False, start=plan)
    assert warm.value == pytest.approx(plan.value, rel=1e-3)
    cheap = solve(turned.replace(store_ids=tuple(f"new {s}" for s in range(8))), prove=False, start=plan)
    assert obeys(turned, cheap.carried, cheap.core)
