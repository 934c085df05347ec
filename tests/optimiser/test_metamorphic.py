"""What must not change, or must not get worse, when a problem is changed; over all rules, within the proven gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optimiser_worlds import best_value, obeys, small_problem

from assortment.errors import Infeasible
from assortment.optimiser import RULES, Costs, Plan, Problem, Rules, solve
from assortment.optimiser.rules.rules import SOFT
from assortment.optimiser.worth.rule_prices import lifted

FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 100_000)


def solved(problem: Problem) -> Plan | None:
    """The plan; ``None`` where there is none."""
    try:
        return solve(problem, gap=1e-4)
    except Infeasible:
        return None


def assert_not_worse(looser: Problem, plan: Plan, what: str) -> None:
    """Whatever obeys the stricter rules obeys the looser ones: their bound is not below the plan's value."""
    freer = solved(looser)
    assert freer is not None, what
    slack = 1e-9 * max(1.0, abs(plan.value))
    assert freer.bound >= plan.value - slack, what
    # Where it is proven to 1e-4 the plan itself is not worse by more than that.
    if freer.status == "optimal":
        assert freer.value >= plan.value - 1.1e-4 * max(1.0, abs(plan.value)), what


def test_small_problems_have_every_rule_on_and_off() -> None:
    """The small problems that brute force is held against have each rule in force, with and without a price."""
    problems = [small_problem(seed) for seed in range(150)]
    for rule in RULES:
        on = [any(True for _ in rule.rows(problem)) for problem in problems]
        assert sum(on) >= 15, rule.name
        assert rule.name in ("shelf", "core") or sum(on) <= 135, rule.name
    for name in SOFT:
        assert sum(name in problem.rules.soft for problem in problems) >= 10, name
    assert sum(problem.C > 1 for problem in problems) >= 10
    assert sum(bool(problem.delivery_cost.any()) for problem in problems) >= 30


@FEW
@given(SEEDS)
def test_one_rule_less_never_lowers_the_value(seed: int) -> None:
    """Without any one of the rules there is a plan, and it is not worse."""
    problem = small_problem(seed)
    plan = solved(problem)
    if plan is not None:
        for rule, without in lifted(problem):
            assert_not_worse(without, plan, rule.name)


@FEW
@given(SEEDS)
def test_more_room_never_lowers_the_value(seed: int) -> None:
    """More shelf, more core freedom, one more of what is counted, a cheaper price of a rule: never worse."""
    problem = small_problem(seed)
    plan = solved(problem)
    if plan is None:
        return
    rules = problem.rules
    looser = {
        "shelf": problem.replace(shelf_cm=problem.shelf_cm + 1.0),
        "core_min": problem.with_rules(core_min=max(0, rules.core_min - 1)),
        "local_share": problem.with_rules(local_share=(None, rules.local_share[1])),
        "soft": problem.with_rules(soft={name: 0.5 * price for name, price in rules.soft.items()}),
    }
    for name in ("core_max", "products_max", "local_products_max", "assortments_max"):
        most = getattr(rules, name)
        if most is not None:
            looser[name] = problem.with_rules(**{name: most + 1})
    for name, problem_then in looser.items():
        assert_not_worse(problem_then, plan, name)


@FEW
@given(SEEDS)
def test_order_and_scale_change_nothing(seed: int) -> None:
    """Stores, products and classes in another order, other units of money, space and attraction: the same value."""
    problem = small_problem(seed)
    plan, other = solved(problem), solved(scaled(turned(problem, seed), money=64.0, space=0.25, pull=1024.0))
    assert (plan is None) == (other is None)
    if plan is not None and other is not None:
        slack = 1e-9 * max(1.0, abs(plan.value))
        assert other.value / 64.0 <= plan.bound + slack
        assert plan.value <= other.bound / 64.0 + slack
        if plan.status == other.status == "optimal":
            assert other.value / 64.0 == pytest.approx(plan.value, rel=2.1e-4, abs=1e-6)


def turned(problem: Problem, seed: int) -> Problem:
    """The same problem with its stores, classes and products in another order."""
    rng = np.random.default_rng(seed)
    s, k, j = (rng.permutation(count) for count in (problem.S, problem.K, problem.N))
    rules = problem.rules

    def pick(mask: np.ndarray | None) -> np.ndarray | None:
        return None if mask is None else mask[s][:, j]

    return problem.replace(
        attraction=problem.attraction[s][:, k][:, :, j],
        class_weight=problem.class_weight[s][:, k],
        no_purchase=problem.no_purchase[s][:, k],
        margin=problem.margin[s][:, j],
        space_cm=problem.space_cm[s][:, j],
        shelf_cm=problem.shelf_cm[s],
        rules=replace(
            rules,
            groups=[replace(group, members=group.members[j]) for group in rules.groups],
            allowed=pick(rules.allowed),
            required=pick(rules.required),
            today=pick(rules.today),
            changes_max=None if rules.changes_max is None else rules.changes_max[s],
            local_min_stores=None if rules.local_min_stores is None else problem.rules.local_min_stores[j],
            core_groups=None if rules.core_groups is None else rules.core_groups[s],
        ),
        costs=Costs(
            listing=problem.listing_cost[s][:, j],
            product=problem.product_cost[j],
            local_product=problem.local_product_cost[j],
            delivery=problem.delivery_cost[s],
            supplier_of=problem.supplier_of[j],
        ),
    )


def scaled(problem: Problem, *, money: float, space: float, pull: float) -> Problem:
    """The same problem in other units."""
    soft = {name: price * money / (space if name == "shelf" else 1.0) for name, price in problem.rules.soft.items()}
    return problem.replace(
        attraction=pull * problem.attraction,
        no_purchase=pull * problem.no_purchase,
        margin=money * problem.margin,
        space_cm=space * problem.space_cm,
        shelf_cm=space * problem.shelf_cm,
        rules=replace(problem.rules, soft=soft),
        costs=Costs(
            listing=money * problem.listing_cost,
            product=money * problem.product_cost,
            local_product=money * problem.local_product_cost,
            delivery=money * problem.delivery_cost,
            supplier_of=problem.supplier_of,
        ),
    )


@FEW
@given(SEEDS)
def test_a_forbidden_product_is_never_picked(seed: int) -> None:
    """What the plan picks, forbidden in turn, is not picked again, whatever other rules ask for or price."""
    problem = small_problem(seed)
    plan = solved(problem)
    if plan is None:
        return
    for s, j in np.argwhere(plan.carried & ~problem.required)[:2]:
        allowed = problem.allowed.copy()
        allowed[s, j] = False
        other = solved(problem.with_rules(allowed=allowed))
        if other is not None:
            assert not other.carried[s, j] and not (other.carried & ~allowed).any()
            assert not other.core[problem.core_group == problem.core_group[s], j].any()
            assert obeys(problem, other.carried, other.core)
            assert other.value <= plan.bound + 1e-9 * max(1.0, abs(plan.value))


@pytest.mark.parametrize("S", [1, 2])
@pytest.mark.parametrize("N", [1, 3])
@pytest.mark.parametrize("case", ["plain", "alike", "no margin", "no weight", "no pull", "tiny", "huge", "far apart"])
def test_the_least_and_the_oddest(case: str, N: int, S: int) -> None:
    """One store or two, one product or three: alike, worth nothing, never bought, 18 powers of ten apart."""
    pull = np.ones((S, 2, N)) if case == "alike" else np.arange(1.0, 2 * S * N + 1).reshape(S, 2, N)
    factor = {"no pull": 0.0, "tiny": 1e-9, "huge": 1e9}.get(case, 1.0)
    margin = np.ones(N) if case == "alike" else np.arange(1.0, N + 1)
    problem = Problem(
        attraction=pull * (10.0 ** np.linspace(-9, 9, N) if case == "far apart" else factor),
        class_weight=np.full((S, 2), 0.0 if case == "no weight" else 5.0),
        no_purchase=1.0,
        margin=margin * (case != "no margin"),
        space_cm=np.ones(N),
        shelf_cm=float(min(N, 2)),
        rules=Rules(core_max=1, local_min_stores=S, local_share=(0.0, 1.0), assortments_max=S, soft={"shelf": 0.5}),
        costs=Costs(listing=0.01, delivery=0.1, supplier_of=np.zeros(N, int)),
    )
    plan, best = solve(problem, gap=1e-6), best_value(problem)
    assert best is not None
    assert plan.value == pytest.approx(best, rel=1e-6, abs=1e-9)
    assert plan.bound >= best - 1e-9 * max(1.0, abs(best))
    assert plan.status == "optimal"
    assert plan.verify().ok
