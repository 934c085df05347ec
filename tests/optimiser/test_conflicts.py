"""Conflicts, against every assortment tried: they are conflicts, nothing in them is idle, and the ways out are true."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from chain_instances import chain_problem
from conflict_worlds import can_hold, hard, stores_meant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optimiser_worlds import obeys, small_problem

from assortment.errors import Infeasible, Obstacle, Relaxation
from assortment.optimiser import Problem, audit
from assortment.optimiser.infeasible.any_plan import any_plan
from assortment.optimiser.infeasible.infeasible import explain, is_impossible
from assortment.optimiser.infeasible.mends import relaxed
from assortment.optimiser.infeasible.store_rows import rows_of
from assortment.optimiser.rules.rule import RULES

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# About one in five is infeasible; these are, so that no run of the tests is without some.
INFEASIBLE = (2, 18, 20, 24, 59, 76, 90, 115)


def problem_of(seed: int, *, fractions: bool) -> Problem:
    """A small problem; with ``fractions`` in spaces and shelves that no whole number fits."""
    problem = small_problem(seed)
    if not fractions:
        return problem
    rng = np.random.default_rng(seed)
    return problem.replace(space_cm=rng.uniform(0.5, 30, problem.N), shelf_cm=rng.uniform(10, 90, problem.S))


def held_against_all(problem: Problem) -> Infeasible | None:
    """The explanation of a problem without a plan, each claim held against everything tried; ``None`` with a plan."""
    draft, certain = any_plan(problem)
    if draft is not None:
        assert obeys(problem, draft.carried, draft.core_by_store(problem))
        assert not is_impossible(problem)
        return None
    shares = problem.rules.assortments_max is not None
    if can_hold(problem, hard(problem)):
        assert shares and not certain
        return None
    assert certain or shares
    error = explain(problem)
    assert error.obstacles
    for obstacle in error.obstacles:
        held_to_be_smallest(problem, obstacle)
    for ways in error.enough:
        assert can_hold(relaxed(problem, ways), hard(problem)), ways
        held_to_be_least(problem, ways)
    assert error.enough or "Other conflicts may show" in str(error)
    return error


def held_to_be_smallest(problem: Problem, obstacle: Obstacle) -> None:
    """The rules cannot hold together, do so without any one of them, and with each way out."""
    for stores in stores_meant(problem, obstacle):
        assert not can_hold(problem, obstacle.rules, stores)
        for rule in obstacle.rules:
            assert can_hold(problem, set(obstacle.rules) - {rule}, stores), rule
        for way in obstacle.relaxations:
            if way.checked:
                assert can_hold(relaxed(problem, [way]), obstacle.rules, stores), way


def held_to_be_least(problem: Problem, ways: tuple[Relaxation, ...]) -> None:
    """A single whole number that is said to be the least is one too many when it is one less."""
    steps = [step for way in ways for step in way.steps]
    if len(steps) != 1 or not ways[0].least or steps[0].setting in ("shelf_cm", "allowed", "required"):
        return
    back = np.sign(steps[0].now - steps[0].to)
    less = dataclasses.replace(ways[0], steps=(dataclasses.replace(steps[0], to=steps[0].to + back),))
    assert steps[0].to + back == steps[0].now or not can_hold(relaxed(problem, [less]), hard(problem))


@pytest.mark.parametrize("fractions", [False, True])
def test_explanations_are_true(fractions: bool) -> None:
    """Whatever is said of a small problem without a plan is so, and with a plan nothing is said."""

    @SLOW
    @given(st.integers(0, 1_000_000))
    def check(seed: int) -> None:
        held_against_all(problem_of(seed, fractions=fractions))

    check()


def test_some_are_explained() -> None:
    """The check above is not idle: these have no plan, and each is explained."""
    assert all(held_against_all(problem_of(seed, fractions=False)) is not None for seed in INFEASIBLE)


def test_explanations_repeat_to_the_letter() -> None:
    """The same problem gives the same sentences every time."""
    for seed in INFEASIBLE:
        problem = small_problem(seed)
        assert str(explain(problem)) == str(explain(problem))


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_rows_of_stores_say_what_the_rules_say(seed: int) -> None:
    """The arrays that explain and the rows that the programmes are made of refuse the same assortments."""
    problem = small_problem(seed)
    rng = np.random.default_rng(seed)
    make = rows_of(problem)
    known = {part.rule for s in range(problem.S) for part in make(s).parts}
    core = problem.allowed.all(axis=0) & (rng.random(problem.N) < 0.4)
    carried = np.array([core | (rng.random(problem.N) < 0.5) for _ in range(problem.S)])
    values = np.concatenate([carried.ravel(), np.tile(core, problem.C)]).astype(float)
    for rule in RULES:
        if rule.name in problem.rules.soft or rule.name not in known or rule.name.endswith("products_max"):
            continue
        broken = False
        for row in rule.rows(problem):
            total = float(row.coefficients @ values[row.columns])
            broken |= total < row.low - 1e-9 or total > row.high + 1e-9
        told = False
        for s in range(problem.S):
            rows = make(s)
            over = rows.matrix @ carried[s] + rows.core * core.sum() > rows.most + 1e-9
            told |= any(over[i] for i, part in enumerate(rows.parts) if part.rule == rule.name)
        assert told == broken, rule.name


def test_what_is_enough_is_enough_for_a_chain() -> None:
    """In a chain too large to try everything, each way out leads to a plan, one core product more to none."""
    chain = chain_problem(40, 60, 1, seed=5)
    problem = chain.replace(rules=dataclasses.replace(chain.rules, core_min=30, core_max=60))
    error = explain(problem)
    assert error.enough
    for ways in error.enough:
        eased = relaxed(problem, ways)
        draft, _ = any_plan(eased)
        assert draft is not None
        assert not audit(eased, draft.carried, draft.core_by_store(eased))
    (core,) = next(ways for ways in error.enough if ways[0].rule == "core")
    assert core.least
    fewer = int(core.steps[0].to) + 1
    assert any_plan(problem.replace(rules=dataclasses.replace(problem.rules, core_min=fewer))) == (None, True)


def test_a_plan_can_be_asked_to_be_worth_much() -> None:
    """With what listings are worth, the plan found is worth more by that than the one near today's listing."""
    problem = chain_problem(40, 60, 1, seed=5)
    gains = np.random.default_rng(0).uniform(0, 1, (problem.S, problem.N))
    near, worth = (any_plan(problem, given)[0] for given in (None, gains))
    assert near is not None and worth is not None
    assert not audit(problem, worth.carried, worth.core_by_store(problem))
    assert (gains * worth.carried).sum() > (gains * near.carried).sum()


def test_a_large_chain_is_explained_without_plans() -> None:
    """In a chain of many places what helps at least is told by the relaxation alone, and said to be that."""
    chain = chain_problem(260, 400, 1, seed=5)
    rules = dataclasses.replace(chain.rules, core_min=135, core_max=400)
    error = explain(chain.replace(rules=rules))
    assert "core" in error.rules
    assert 0 < len(error.stores) < 60
    assert "Other conflicts may show" in str(error)
