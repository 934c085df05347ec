"""Stores that share assortments: who cannot, what the search finds, and how far it is from the best."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from chain_instances import chain_problem
from hypothesis import given, settings
from hypothesis import strategies as st
from optimiser_worlds import best_value, obeys, small_problem

from assortment.errors import Infeasible
from assortment.optimiser import Problem, Rules, solve
from assortment.optimiser.infeasible.sharing import apart_by_rule, apart_from_each_other
from assortment.optimiser.store.joined import joined
from assortment.optimiser.store.store import stores_of


def alike(rules: Rules, S: int = 4) -> Problem:
    """Stores with one class each that like six products alike, but for their number."""
    rng = np.random.default_rng(1)
    return Problem(
        attraction=np.tile(rng.lognormal(0, 1, 6), (S, 1, 1)),
        class_weight=np.arange(1.0, S + 1)[:, None],
        no_purchase=1.0,
        margin=np.arange(1.0, 7.0),
        space_cm=np.full(6, 10.0),
        shelf_cm=30.0,
        rules=rules,
    )


def test_stores_that_like_the_same_lose_nothing_by_sharing() -> None:
    """Where all shoppers are alike one assortment is as good as many."""
    free, shared = solve(alike(Rules())), solve(alike(Rules(assortments_max=1)))
    assert shared.value == pytest.approx(free.value)
    assert shared.status == "optimal"
    assert (shared.carried == shared.carried[0]).all()


def test_who_cannot_share_is_named() -> None:
    """What one store must carry another may not: they need an assortment each, and the message counts them."""
    required, allowed = np.zeros((4, 6), bool), np.ones((4, 6), bool)
    for s in range(3):
        required[s, s], allowed[s, [j for j in range(3) if j != s]] = True, False
    rules = Rules(required=required, allowed=allowed, assortments_max=2)
    with pytest.raises(Infeasible) as caught:
        solve(alike(rules))
    assert caught.value.rules == ("assortments_max", "required", "allowed")
    assert caught.value.stores == ("s1", "s2", "s3")
    assert "no two can share an assortment (what one must carry another may not)" in str(caught.value)
    assert "at least 3 are needed, rules.assortments_max is 2; raise" in str(caught.value)
    plan = solve(alike(dataclasses.replace(rules, assortments_max=3)))
    assert len(np.unique(plan.carried, axis=0)) == 3
    # The fourth store is free to join any of them.
    assert any((plan.carried[3] == plan.carried[s]).all() for s in range(3))


def test_today_keeps_stores_apart() -> None:
    """Two stores whose shelves differ by more than both may change cannot share; with a price for changes they can."""
    today = np.zeros((4, 6), bool)
    today[:2, :3], today[2:, 3:] = True, True
    rules = Rules(today=today, changes_max=2, assortments_max=1)
    with pytest.raises(Infeasible, match="their shelves of today differ by more than their changes"):
        solve(alike(rules))
    plan = solve(alike(dataclasses.replace(rules, soft={"changes_max": 0.01})))
    assert len(np.unique(plan.carried, axis=0)) == 1
    assert {item.rule for item in plan.priced} == {"changes_max"}


@given(st.integers(0, 5_000))
def test_stores_said_to_be_apart_are_apart(seed: int) -> None:
    """No assortment obeys the rules of two stores said to be apart; of those chosen each is apart from each."""
    problem = small_problem(seed)
    apart = np.any(list(apart_by_rule(problem).values()), axis=0)
    stores = stores_of(problem)
    every = (np.arange(2**problem.N)[:, None] >> np.arange(problem.N)) & 1 == 1
    fits = np.array([[store.fits(picks) for picks in every] for store in stores])
    for s, t in np.argwhere(apart):
        assert not (fits[s] & fits[t]).any()
    chosen = apart_from_each_other(apart)
    assert all(apart[s, t] for s in chosen for t in chosen if s != t)


@given(st.integers(0, 5_000))
def test_a_joined_store_is_the_sum_of_its_stores(seed: int) -> None:
    """An assortment is worth in it what it is worth in all its stores, and fits where it fits in all."""
    problem = small_problem(seed)
    stores = stores_of(problem)
    one = joined(stores, problem.supplier_of, problem.delivery_cost.sum(axis=0))
    rng = np.random.default_rng(seed)
    for _ in range(5):
        picks = rng.random(problem.N) < 0.5
        assert one.value(picks) == pytest.approx(sum(store.value(picks) for store in stores), abs=1e-9)
        assert one.fits(picks) == all(store.fits(picks) for store in stores)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100_000))
def test_the_search_alone_finds_a_plan_wherever_there_is_one(seed: int) -> None:
    """Without the proof's help: a plan that obeys every rule and claims no more than the best has."""
    problem = small_problem(seed)
    rules = dataclasses.replace(problem.rules, assortments_max=1 + seed % problem.S)
    problem = problem.replace(rules=rules)
    best = best_value(problem)
    if best is None:
        with pytest.raises(Infeasible):
            solve(problem)
        return
    plan = solve(problem, prove=False)
    assert obeys(problem, plan.carried, plan.core)
    assert plan.value <= best + 1e-9 * max(1.0, abs(best))


def test_the_search_alone_is_mostly_the_best() -> None:
    """In at least four of five small chains the search finds the best plan without the proof's help."""
    found = []
    for seed in range(30):
        problem = small_problem(seed)
        rules = dataclasses.replace(problem.rules, assortments_max=1 + seed % problem.S)
        shared = problem.replace(rules=rules)
        best = best_value(shared)
        if best is not None:
            found.append(solve(shared, prove=False).value >= best - 1e-6 * abs(best))
    assert len(found) > 15
    assert np.mean(found) >= 0.8


def test_a_chain_that_shares() -> None:
    """Twelve stores with four assortments: every rule holds, and little is lost against an assortment each."""
    problem = chain_problem(12, 30, 2, seed=1, core=4)
    rules = dataclasses.replace(problem.rules, changes_max=None)
    shared = problem.replace(rules=dataclasses.replace(rules, assortments_max=4))
    plan = solve(shared, gap=2e-3)
    assert obeys(shared, plan.carried, plan.core)
    assert len(np.unique(plan.carried, axis=0)) <= 4
    assert plan.gap <= 0.01
    assert plan.verify().ok
    again = solve(shared, gap=2e-3, workers=2)
    assert (again.carried == plan.carried).all()
