"""Conflicts, against every assortment tried: they are conflicts, nothing in them is idle, and the ways out are true."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from chain_instances import chain_problem
from conflict_worlds import can_hold, hard, stores_meant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optimiser_worlds import obeys, small_problem

from assortment.errors import Infeasible, Obstacle, Relaxation, Step
from assortment.optimiser import Group, Problem, Rules, audit
from assortment.optimiser.infeasible.any_plan import any_plan
from assortment.optimiser.infeasible.conflict import rules_in_order
from assortment.optimiser.infeasible.infeasible import explain, is_impossible
from assortment.optimiser.infeasible.relaxation import relaxed
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
    """Rules and stores cannot agree, but do so without any one of them and with each way out, and with nothing less."""

    def holds(eased: Problem, several: list[list[int]]) -> bool:
        return all(can_hold(eased, obstacle.rules, stores) for stores in several)

    meant = stores_meant(problem, obstacle)
    for stores in meant:
        assert not can_hold(problem, obstacle.rules, stores)
        for rule in obstacle.rules:
            assert can_hold(problem, set(obstacle.rules) - {rule}, stores), rule
        for s in stores if len(stores) == len(obstacle.stores) > 1 else ():
            assert can_hold(problem, obstacle.rules, set(stores) - {s}), s
    for way in obstacle.relaxations:
        if way.checked:
            assert holds(relaxed(problem, [way]), meant), way
        for less in lesser(way) if way.least else ():
            eased = relaxed(problem, [less])
            # The ways out of stores together are the least for all rules.
            assert not (can_hold(eased, hard(problem)) if len(meant) == 1 else holds(eased, meant)), less


def held_to_be_least(problem: Problem, ways: tuple[Relaxation, ...]) -> None:
    """With less of a single way there is no plan, where it is said to be the least."""
    for less in lesser(ways[0]) if len(ways) == 1 and ways[0].least else ():
        assert not can_hold(relaxed(problem, [less]), hard(problem)), less


def lesser(way: Relaxation) -> Iterator[Relaxation]:
    """Relaxations with one setting a little less changed; of settings that go together, all of them."""
    if way.rule in ("changes_max", "local_min_stores"):
        most = max(abs(step.to - step.now) for step in way.steps)
        steps = [less_of(step) if abs(step.to - step.now) == most else step for step in way.steps]
        yield dataclasses.replace(way, steps=tuple(steps))
        return
    for i, step in enumerate(way.steps):
        yield dataclasses.replace(way, steps=(*way.steps[:i], less_of(step), *way.steps[i + 1 :]))


def less_of(step: Step) -> Step:
    """A setting changed by one less, a shelf by a twentieth less, a share not at all."""
    more = step.to - step.now
    # Shelves are told to a hundredth of a centimetre here.
    by = min(more, max(0.05 * more, 0.011)) if step.setting == "shelf_cm" else np.sign(more)
    return dataclasses.replace(step, to=step.now if step.setting.startswith("local_share") else step.to - by)


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


@pytest.mark.parametrize("seed", [9340, 9582, 9864, 7])
def test_shelves_of_fractions_are_told_far_enough(seed: int) -> None:
    """A shelf that is told in hundredths of a centimetre is never told a hair too short."""
    held_against_all(problem_of(seed, fractions=True))


def test_explanations_repeat_to_the_letter() -> None:
    """The same problem gives the same sentences every time."""
    for seed in INFEASIBLE:
        problem = small_problem(seed)
        assert str(explain(problem)) == str(explain(problem))


def test_rules_are_tried_in_one_order() -> None:
    """The order of a set of names differs from process to process; that in which rules are left out does not."""
    names = [rule.name for rule in RULES]
    turned = [rules_in_order(names[i:] + names[:i]) for i in range(len(names))]
    assert all(order == turned[0] and set(order) == set(names) for order in turned)


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


def planted(seed: int, S: int, N: int) -> Problem:
    """A problem whose rules are as tight as they can be around some plan, so that there is one and hardly another."""
    rng = np.random.default_rng(seed)
    chain = chain_problem(S, N, 1, seed=seed)
    group = rng.integers(0, 2, S) if seed % 2 else np.zeros(S, np.int64)
    core = np.array([rng.random(N) < 0.15 for _ in range(group.max() + 1)])
    carried = (rng.random((S, N)) < 0.35) & (rng.random(N) < 0.7) | core[group]
    counts, local = carried.sum(axis=0), carried.any(axis=0) & ~core.any(axis=0)
    today = carried ^ (rng.random((S, N)) < 0.1)
    kinds = [g.members for g in chain.rules.groups]
    return chain.replace(
        shelf_cm=(chain.space_cm * carried).sum(axis=1),
        rules=Rules(
            core_min=int(core.sum(axis=1).min()),
            core_max=int(core.sum(axis=1).max()),
            core_groups=group,
            products_max=int(carried.any(axis=0).sum()),
            local_products_max=int(local.sum()),
            local_min_stores=int(counts[local].min()),
            groups=[Group(f"g{i}", m, *_ends(carried[:, m].sum(axis=1))) for i, m in enumerate(kinds)],
            allowed=carried | (rng.random((S, N)) < 0.7),
            required=carried & (rng.random((S, N)) < 0.05),
            today=today,
            changes_max=(carried ^ today).sum(axis=1),
        ),
    )


def _ends(counts: np.ndarray) -> tuple[int, int]:
    return int(counts.min()), int(counts.max())


@pytest.mark.parametrize(("seed", "S", "N"), [(0, 12, 30), (1, 12, 30), (2, 25, 40), (3, 25, 40), (4, 40, 60)])
def test_a_plan_that_is_there_is_never_denied(seed: int, S: int, N: int) -> None:
    """In chains too large to try everything, rules drawn tight around a plan are never said to be impossible."""
    problem = planted(seed, S, N)
    draft, certain = any_plan(problem)
    assert draft is not None or not certain
    assert draft is None or not audit(problem, draft.carried, draft.core_by_store(problem))
    assert not is_impossible(problem)
    assert "does not prove that there is none" in str(explain(problem))
