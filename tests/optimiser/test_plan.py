"""Plan: what it lists, what each change is worth and why, and what its own check finds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optimiser_worlds import small_problem, store_worth
from store_worlds import branching

from assortment.optimiser import Costs, Plan, Problem, Rules, solve
from assortment.optimiser.plan.changes import change_worths, charges_with_core, takers
from assortment.optimiser.plan.plan import relative_gap


@pytest.fixture
def plan(corner: Problem) -> Plan:
    """The plan of the corner problem."""
    return solve(corner)


def test_listings(plan: Plan) -> None:
    """One row per pick, ids as given, with role, units, money and space that agree with the problem."""
    frame = plan.listings
    units = plan.problem.units(plan.carried)
    assert len(frame) == plan.carried.sum()
    assert list(frame) == [
        "store_id",
        "product_id",
        "role",
        "units_per_week",
        "sales_per_week",
        "margin_per_week",
        "space_cm",
    ]
    assert frame["units_per_week"].sum() == pytest.approx(units.sum())
    assert frame["sales_per_week"].sum() == pytest.approx((units * plan.problem.price).sum())
    assert frame["margin_per_week"].sum() == pytest.approx((units * plan.problem.margin).sum())
    assert set(frame["store_id"]) == {"007", "s p-a/ce [1]"}
    assert (frame["role"] == "core").sum() == plan.core.sum()
    core = np.array(plan.problem.product_ids)[plan.core[0]]
    assert set(frame.loc[frame["role"] == "core", "product_id"]) == set(core)


def test_sales_without_prices_are_unknown(corner: Problem) -> None:
    """Without prices the sales of a listing are unknown, not zero."""
    assert solve(corner.replace(price=None)).listings["sales_per_week"].isna().all()


@settings(deadline=None)
@given(st.integers(0, 100_000))
def test_worths_add_up(seed: int) -> None:
    """The parts of a store's change add up to the change to 1e-9, and what does not change has no part."""
    problem = small_problem(seed, numbers="torture" if seed % 3 == 0 else "plain")
    rng = np.random.default_rng(seed)
    before, after = rng.random((2, problem.N)) < 0.5
    core = np.tile(rng.random(problem.N) < 0.3, (problem.S, 1))
    worth = change_worths(problem, 0, before, after, charges_with_core(problem, core)[0])
    rest = rng.random((problem.S, problem.N)) < 0.5
    values = []
    for own in (after, before):
        rest[0] = own
        values.append(problem.store_values(rest, core)[0])
    whole = values[0] - values[1]
    assert worth.sum() == pytest.approx(whole, rel=1e-9, abs=1e-9 * max(1.0, np.abs(worth).sum()))
    assert (worth[before == after] == 0).all()


def test_alone_a_change_is_worth_what_it_brings(corner: Problem) -> None:
    """A single change is worth exactly the difference of value; twins that enter together share alike."""
    before, after = np.array([True, False, False]), np.array([True, True, False])
    difference = store_worth(corner, 0, (0, 1)) - store_worth(corner, 0, (0,))
    charges = charges_with_core(corner, np.zeros((2, 3), bool))[0]
    assert change_worths(corner, 0, before, after, charges)[1] == pytest.approx(difference, rel=1e-12)
    attraction, margin = corner.attraction.copy(), corner.margin.copy()
    attraction[:, :, 2], margin[:, 2] = attraction[:, :, 1], margin[:, 1]
    alike = corner.replace(attraction=attraction, margin=margin, costs=Costs())
    twins = change_worths(alike, 0, before, np.ones(3, bool), charges_with_core(alike, np.zeros((2, 3), bool))[0])
    assert twins[1] == pytest.approx(twins[2])


def test_changes(plan: Plan) -> None:
    """Every product of today or of the plan has one row; adds and drops sum to the store's change, keeps to losses."""
    frame, problem = plan.changes, plan.problem
    today = problem.rules.today
    assert len(frame) == (today | plan.carried).sum()
    assert set(frame["action"]) <= {"add", "drop", "keep"}
    moved = frame[frame["action"] != "keep"].groupby("store_id")["worth_per_week"].sum()
    change = pd.Series(problem.store_values(plan.carried) - problem.store_values(today), index=problem.store_ids)
    for store, worth in change.items():
        assert moved.get(store, 0.0) == pytest.approx(worth, abs=1e-9)
    kept = frame[frame["action"] == "keep"].iloc[0]
    s, j = problem.store_ids.index(kept["store_id"]), problem.product_ids.index(kept["product_id"])
    without = plan.carried.copy()
    without[s, j] = False
    loss = problem.store_values(plan.carried)[s] - problem.store_values(without)[s]
    assert kept["worth_per_week"] == pytest.approx(loss)


def test_no_changes_without_today(corner: Problem) -> None:
    """Without a listing of today there is nothing to compare with: an empty frame with the same columns."""
    rules = Rules(**{**corner.rules.__dict__, "today": None, "changes_max": None})
    frame = solve(corner.replace(rules=rules)).changes
    assert frame.empty
    assert list(frame) == ["store_id", "product_id", "action", "worth_per_week", "reason"]


def test_reasons_are_true() -> None:
    """What a reason claims holds: the share that another product takes over, and "more than anything left out"."""
    problem = Problem(
        attraction=np.array([[[8.0, 8.0, 1.0, 0.5]]]),
        class_weight=np.array([[100.0]]),
        no_purchase=1.0,
        margin=np.array([3.0, 2.0, 1.0, 2.0]),
        space_cm=np.array([10.0, 10.0, 10.0, 10.0]),
        shelf_cm=20.0,
        rules=Rules(today=np.array([[False, True, True, False]]), core_max=0),
        product_ids=("rich", "fair", "poor", "odd"),
    )
    plan = solve(problem)
    reasons = plan.changes.set_index("product_id")["reason"]
    # Rich alone earns 100 · 3 · 8 / 9; eight in nine of those who bought poor would take it.
    assert plan.carried[0].tolist() == [True, False, False, False]
    assert reasons["rich"] == "earns 266.67 a week per 10 cm, more than anything left out"
    assert reasons["poor"] == "89 % of its buyers take rich instead"
    shares, nothing = takers(problem, 0, plan.carried[0], 2)
    assert (shares[0], nothing) == pytest.approx((8 / 9, 1 / 9))


def test_verify_finds_what_was_changed(plan: Plan) -> None:
    """The check passes for a plan as solved, and names what is wrong once a part of it is changed."""
    assert plan.verify().ok
    assert plan.verify().value == plan.value
    assert "worth" in dataclasses.replace(plan, value=plan.value + 1).verify().faults[0]
    broken = dataclasses.replace(plan, carried=np.ones((2, 3), bool)).verify()
    assert {violation.rule for violation in broken.violations} >= {"shelf", "allowed"}
    below = dataclasses.replace(plan, bound=plan.value - 1, certificate=None).verify()
    assert "below the value" in below.faults[0]


def test_verify_reads_the_certificate() -> None:
    """A certificate with a negative price, a store bound too low, or a bound it does not give, is found out."""
    problem = small_problem(11).replace(rules=Rules(core_min=1))
    plan = solve(problem, gap=1.0)
    certificate = plan.certificate
    assert certificate is not None
    assert plan.verify().ok
    low = dataclasses.replace(certificate, store_bounds=certificate.store_bounds - 1e6)
    assert any("above its bound" in fault for fault in dataclasses.replace(plan, certificate=low).verify().faults)
    high = dataclasses.replace(certificate, store_bounds=certificate.store_bounds + 1e6)
    assert any("the certificate proves" in f for f in dataclasses.replace(plan, certificate=high).verify().faults)
    prices = dataclasses.replace(certificate.prices, spread=certificate.prices.spread - 1)
    odd = dataclasses.replace(certificate, prices=prices)
    assert any("negative" in fault for fault in dataclasses.replace(plan, certificate=odd).verify().faults)


def test_verify_replays_the_logs() -> None:
    """A store bound that its log does not give is found out: by the root where it was not split, else in full."""
    problem = small_problem(11).replace(rules=Rules(core_min=1))
    with branching():
        plan = solve(problem, gap=1e-4)
        certificate = plan.certificate
        assert certificate is not None
        root, full = plan.verify(), plan.verify(full=True)
        assert root.ok
        assert full.ok
        assert full.taken == 0
        assert full.replayed == pytest.approx(full.bound, rel=1e-12)
        split = [log is not None and log.split for log in certificate.logs]
        assert root.taken == sum(split)
        assert root.replayed >= full.replayed - 1e-9
        none = dataclasses.replace(plan, certificate=dataclasses.replace(certificate, logs=(None,) * problem.S))
        assert any("its log proves" in fault for fault in none.verify().faults)
        for s in range(problem.S):
            bounds = certificate.store_bounds.copy()
            bounds[s] -= 1e-3
            changed = dataclasses.replace(plan, certificate=dataclasses.replace(certificate, store_bounds=bounds))
            word = f"store '{problem.store_ids[s]}'"
            assert any(word in fault for fault in changed.verify(full=True).faults)
            assert split[s] or any(word in fault for fault in changed.verify().faults)


def test_summary(plan: Plan) -> None:
    """The summary says stores, core, local, value, gap and status."""
    words = plan.summary()
    assert "stores 2" in words
    assert f"{plan.core[0].sum()} core" in words
    assert "status optimal" in words


def test_gap(corner: Problem) -> None:
    """The gap is relative to the value, never negative, 0 when both are 0, and finite when only the value is 0."""
    assert relative_gap(corner, 100.0, 101.0) == pytest.approx(0.01)
    assert relative_gap(corner, 100.0, 99.0) == 0.0
    assert relative_gap(corner, -100.0, -99.0) == pytest.approx(0.01)
    assert relative_gap(corner, 0.0, 0.0) == 0.0
    assert 0 < relative_gap(corner, 0.0, 1.0) < np.inf
