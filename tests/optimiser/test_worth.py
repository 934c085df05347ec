"""The price of a rule and the worth of room: against every assortment tried, and against their definitions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from chain_instances import chain_problem
from optimiser_worlds import best_value, small_problem

from assortment.errors import Infeasible, ProblemError
from assortment.optimiser import (
    RULES,
    Plan,
    Problem,
    Rules,
    Status,
    plan_worth,
    room_worth,
    rule_prices,
    shelf_worth,
    solve,
)
from assortment.optimiser.infeasible.infeasible import not_found
from assortment.optimiser.worth.again import Again
from assortment.optimiser.worth.room import one_more
from assortment.optimiser.worth.rule_prices import LIFTED


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Six stores whose shelves and changes are scarce."""
    return solve(chain_problem(6, 24, 2, seed=1, core=4, changes=-4), gap=1e-3)


def test_every_rule_can_be_lifted() -> None:
    """Each rule has a way to solve without it, and no more."""
    assert list(LIFTED) == [rule.name for rule in RULES]


@pytest.mark.parametrize("seed", [3, 11, 19, 27])
def test_price_of_a_rule_against_every_assortment(seed: int) -> None:
    """Each rule costs what the best of all assortments without it is worth more than the plan."""
    problem = small_problem(seed)
    try:
        plan = solve(problem, gap=1e-6)
    except Infeasible:
        pytest.skip("this seed has no plan")
    prices = rule_prices(plan, gap=1e-6, prove=True).chain
    assert len(prices) > 0
    for row in prices.itertuples():
        free = best_value(LIFTED[row.rule](problem))
        assert free is not None
        scale = max(1.0, abs(free))
        assert row.cost_per_week <= free - plan.value + 1e-6 * scale
        best = best_value(problem)
        assert row.at_least_per_week - 1e-6 * scale <= free - best <= row.at_most_per_week + 1e-6 * scale
        assert row.cost_per_week >= free - plan.value - 1e-3 * scale


def test_only_rules_in_force_have_a_price() -> None:
    """A rule that nothing asks for is not told."""
    problem = Problem(
        attraction=np.ones((2, 1, 3)),
        class_weight=np.ones((2, 1)),
        no_purchase=1.0,
        margin=np.arange(1.0, 4.0),
        space_cm=np.ones(3),
        shelf_cm=1.0,
        rules=Rules(products_max=1),
    )
    prices = rule_prices(solve(problem))
    assert set(prices.chain["rule"]) == {"shelf", "products_max"}
    # A store that may carry one product earns 3/2 with the dearest, with all three (2 + 3)/3 or 6/4 at most.
    shelf = prices.chain.set_index("rule").loc["shelf", "cost_per_week"]
    assert shelf == pytest.approx(0.0)
    assert prices.chain.set_index("rule").loc["products_max", "cost_per_week"] == pytest.approx(0.0)


def test_stores_add_up_to_the_chain(plan: Plan) -> None:
    """What the stores earn more without a rule is the chain's gain, but for the chain's own costs."""
    prices = rule_prices(plan)
    rows = prices.chain.set_index("rule")
    assert (prices.stores.groupby("rule").size() == plan.problem.S).all()
    free = solve(LIFTED["changes_max"](plan.problem), prove=False, start=plan)
    own = prices.stores[prices.stores["rule"] == "changes_max"]["cost_per_week"].sum()
    chain_costs = (free.value - plan.value) - rows.loc["changes_max", "cost_per_week"]
    assert chain_costs == pytest.approx(0.0, abs=1e-9)
    before, after = plan.problem.store_values(plan.carried), plan.problem.store_values(free.carried)
    assert own == pytest.approx((after - before).sum())
    assert rows.loc["changes_max", "cost_per_week"] > 0


def test_a_centimetre_of_shelf(plan: Plan) -> None:
    """Shelf is worth something only where it is full, and then about what more of it brings."""
    worth = shelf_worth(plan)
    used = (plan.problem.space_cm * plan.carried).sum(axis=1)
    assert worth["free_cm"].tolist() == pytest.approx((plan.problem.shelf_cm - used).tolist())
    assert (worth["worth_per_cm_per_week"] >= 0).all()
    # Twice the widest product free: no product is kept out by the shelf.
    wide = plan.problem.replace(shelf_cm=plan.problem.space_cm.sum(axis=1))
    assert (shelf_worth(solve(wide, prove=False))["worth_per_cm_per_week"] == 0).all()


def test_shelf_of_one_store_in_closed_form() -> None:
    """With one class and tiny attractions, value is nearly linear: a centimetre is worth the last product's density."""
    pull = np.array([4e-4, 3e-4, 2e-4, 1e-4])
    problem = Problem(
        attraction=pull.reshape(1, 1, 4),
        class_weight=np.full((1, 1), 1000.0),
        no_purchase=1.0,
        margin=np.ones(4),
        space_cm=np.full(4, 10.0),
        shelf_cm=25.0,
    )
    worth = shelf_worth(solve(problem))
    assert worth.loc[0, "free_cm"] == pytest.approx(5.0)
    assert worth.loc[0, "worth_per_cm_per_week"] == pytest.approx(1000 * 2e-4 / 10, rel=1e-2)
    # Where the shelf may be passed for less than that, a centimetre saves what it costs to pass it.
    plan = solve(problem.replace(rules=Rules(soft={"shelf": 0.015})))
    assert shelf_worth(plan).loc[0, "free_cm"] == pytest.approx(-5.0)
    assert shelf_worth(plan).loc[0, "worth_per_cm_per_week"] == pytest.approx(0.015)
    assert [(item.amount, item.cost_per_week) for item in plan.priced] == [(5.0, pytest.approx(0.075))]


def test_one_more_of_each(plan: Plan) -> None:
    """One more product, where the rules count them, is never worth less than nothing unless it must be."""
    worth = room_worth(plan).set_index("rule")["worth_per_week"]
    assert {"core", "products_max", "changes_max"} == set(worth.index)
    assert worth["products_max"] >= 0
    assert worth["changes_max"] >= 0


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_one_more_of_each_against_every_assortment(seed: int) -> None:
    """What one more of a counted thing is worth lies in the proven range, below 0 only where it must then be."""
    problem = small_problem(seed).with_rules(core_min=1, core_max=1, core_groups=None, products_max=4, soft={})
    plan = solve(problem, gap=1e-6)
    steps = {rule: changed for rule, _, changed, _ in one_more(problem)}
    best = best_value(problem)
    worth = room_worth(plan, gap=1e-6, prove=True)
    assert {"core", "products_max"} <= set(worth["rule"])
    for row in worth.itertuples():
        then = best_value(steps[row.rule])
        assert (row.status == "infeasible") == (then is None)
        if then is not None:
            scale = max(1.0, abs(best))
            assert row.at_least_per_week - 1e-6 * scale <= then - best <= row.at_most_per_week + 1e-6 * scale
            assert row.rule == "core" or row.at_least_per_week >= 0


def test_a_step_that_no_plan_can_take_is_told() -> None:
    """Exactly one core product, a shelf for one: a second core product is infeasible, and the others still told."""
    problem = Problem(
        attraction=np.ones((1, 1, 3)),
        class_weight=np.ones((1, 1)),
        no_purchase=1.0,
        margin=np.arange(1.0, 4.0),
        space_cm=np.ones(3),
        shelf_cm=1.0,
        rules=Rules(core_min=1, core_max=1, products_max=1),
    )
    worth = room_worth(solve(problem), prove=True).set_index("rule")
    assert worth["status"].to_dict() == {"core": "infeasible", "products_max": "optimal"}
    assert np.isnan(
        worth.loc["core", ["worth_per_week", "at_least_per_week", "at_most_per_week"]].to_numpy(float)
    ).all()


def test_a_core_per_format_is_lifted_with_its_formats() -> None:
    """Without the core rule a product may still be core in one format only, so the price is never below 0."""
    problem = Problem(
        attraction=np.array([[[4.0, 0.01]], [[4.0, 0.01]], [[0.01, 4.0]], [[0.01, 4.0]]]),
        class_weight=np.full((4, 1), 10.0),
        no_purchase=1.0,
        margin=np.ones(2),
        space_cm=np.ones(2),
        shelf_cm=1.0,
        rules=Rules(core_min=1, core_max=1, core_groups=np.array([0, 0, 1, 1]), local_products_max=0),
    )
    plan = solve(problem)
    core = rule_prices(plan, prove=True).chain.set_index("rule").loc["core"]
    assert core["cost_per_week"] == core["at_most_per_week"] == 0.0


def test_ctrl_c_leaves_what_was_reached(plan: Plan) -> None:
    """The rule at work when Ctrl-C comes is told, later ones are named as not reached, and nothing is raised."""

    def stop(done: int, total: int) -> None:
        assert total == 10
        if done == 2:
            raise KeyboardInterrupt

    worth = plan_worth(plan, progress=stop)
    states = worth.rules.chain["status"]
    assert worth.interrupted and worth.stopped
    assert (states == "not_reached").sum() == len(states) - 2
    assert worth.rules.chain.loc[states == "not_reached", "cost_per_week"].isna().all()
    assert worth.rules.chain["cost_per_week"].head(2).notna().all()
    assert (worth.room["status"] == "not_reached").all()
    assert worth.rules.stores["rule"].nunique() == 2
    assert len(worth.shelf) == plan.problem.S


def test_no_time_for_all_together(plan: Plan) -> None:
    """When the time for all has passed, what is not begun is named as not reached; it is no interruption."""
    worth = plan_worth(plan, total_time_limit_s=0)
    assert set(worth.rules.chain["status"]) == set(worth.room["status"]) == {"not_reached"}
    assert worth.stopped and not worth.interrupted


def test_the_last_one_cut_short_is_said_to_be(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the time of all together ends in the midst of the last problem, it counts as stopped."""
    again = Again(plan, 1e-3, None, 1, prove=False, total_time_limit_s=60.0)

    def late(problem: Problem, **_: object) -> Plan:
        again._clock.limit_s = 0.0
        return dataclasses.replace(plan, problem=problem, status=Status.TIME_LIMIT)

    monkeypatch.setattr("assortment.optimiser.worth.again.solve", late)
    assert not again.stopped
    assert again.solve(plan.problem).status == "time_limit"
    assert again.stopped and not again.interrupted


def test_a_plan_that_was_not_found_is_not_said_to_be_impossible(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a changed problem is left undecided, its status claims nothing."""

    def undecided(*_: object, **__: object) -> Plan:
        raise not_found()

    monkeypatch.setattr("assortment.optimiser.worth.again.solve", undecided)
    assert set(room_worth(plan)["status"]) == {"not_found"}


def test_a_time_limit_that_is_none_is_refused(plan: Plan) -> None:
    """A total time limit below 0, or no number, is an error that says so."""
    for limit in (-1.0, float("nan")):
        with pytest.raises(ProblemError, match="total_time_limit_s: found"):
            plan_worth(plan, total_time_limit_s=limit)
