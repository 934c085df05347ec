"""How long it takes to explain that there is no plan; what is said and processor times are asserted."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chain_instances import chain_problem

from assortment.errors import Infeasible
from assortment.inputs import read_chain
from assortment.optimiser import Costs, Group, Problem, require_possible
from assortment.optimiser.infeasible.any_plan import any_plan
from assortment.optimiser.infeasible.infeasible import explain
from assortment.optimiser.infeasible.relaxation import relaxed
from assortment.scenario import Scenario

SEED = int(os.environ.get("ASSORTMENT_SEED", "1"))


def with_rules(problem: Problem, **rules: Any) -> Problem:
    """The problem with some rules changed."""
    return problem.replace(rules=replace(problem.rules, **rules))


def with_groups(problem: Problem, least: int, **rules: Any) -> Problem:
    """The problem with as many of each type as ``least`` in every store."""
    groups = [
        Group(group.name, group.members, least if group.least else None, group.most) for group in problem.rules.groups
    ]
    return with_rules(problem, groups=groups, **rules)


def with_required(problem: Problem) -> Problem:
    """The problem in which every fourth product must stand wherever it may."""
    required = np.zeros((problem.S, problem.N), bool)
    required[:, ::4] = problem.allowed[:, ::4]
    return with_rules(problem, required=required)


ROOT = Path(__file__).parents[2]
MILK = ("local_min_stores=39", "core_min=40", "changes_max=0", "products_max=5")
# Fault, goal in seconds of processor time.
CHAIN = {
    "core of half": (lambda p: with_rules(p, core_min=p.N // 2, core_max=p.N), 3),
    "core of a third": (lambda p: with_rules(p, core_min=p.N // 3, core_max=p.N), 3),
    "few products": (lambda p: with_rules(p, products_max=p.N // 5), 3),
    "no changes": (lambda p: with_rules(p, changes_max=0), 3),
    "many stores": (lambda p: with_rules(p, local_min_stores=p.S - 1), 3),
    "large groups": (lambda p: with_groups(p, p.N // 8), 3),
}
STORES = {
    "groups and few changes": (lambda p: with_groups(p, p.N // 12, changes_max=5), 10),
    "required products": (with_required, 10),
    "core of a third": (lambda p: with_rules(p, core_min=p.N // 3, core_max=p.N), 10),
    "few products": (lambda p: with_rules(p, products_max=p.N // 5), 10),
}


@pytest.mark.parametrize("limit", MILK)
def test_milk(limit: str) -> None:
    """The milk scenario with one limit that cannot be kept: explained within 3 s, with what is enough for a plan."""
    asked = Scenario.read(ROOT / "scenarios" / "milk.toml", [f"rules.{limit}"])
    chain = read_chain(asked.chain)
    begin = time.process_time()
    with pytest.raises(Infeasible) as caught:
        require_possible(chain, category=asked.category, rules=asked.rules.spec(), costs=Costs(**asked.costs.given()))
    seconds = time.process_time() - begin
    print(f"\n{limit}: {seconds:.1f} s (goal 3)\n{caught.value}")
    assert seconds < 3
    assert limit.partition("=")[0] in str(caught.value)
    assert caught.value.enough


@pytest.mark.parametrize("name", CHAIN)
def test_chain_of_forty(name: str) -> None:
    """Forty stores: conflicts of the chain with ways out, after which there is a plan."""
    make, goal = CHAIN[name]
    problem = make(chain_problem(40, 60, 4, seed=SEED, changes=0))
    if any_plan(problem)[0] is not None:
        pytest.skip("with this seed there is a plan")
    begin = time.process_time()
    error = explain(problem)
    seconds = time.process_time() - begin
    print(f"\n{name}: {seconds:.1f} s (goal {goal})\n{error}")
    assert seconds < goal
    assert error.obstacles
    for ways in error.enough:
        assert any_plan(relaxed(problem, ways))[0] is not None


@pytest.mark.parametrize("name", STORES)
def test_faults_of_two_thousand_stores(name: str) -> None:
    """2,000 stores × 500 products: stores that cannot keep their own rules are named, those alike as one."""
    make, goal = STORES[name]
    problem = make(chain_problem(2000, 500, 1, seed=SEED))
    begin = time.process_time()
    error = explain(problem)
    seconds = time.process_time() - begin
    print(f"\n{name}: {seconds:.1f} s (goal {goal}), {len(error.stores)} stores\n{error}")
    assert seconds < goal
    assert error.stores
    assert len(error.obstacles) <= 40


@pytest.mark.parametrize("size", [(200, 200), (1000, 300), (2000, 500)])
def test_any_plan(size: tuple[int, int]) -> None:
    """A plan that obeys every rule, for a core so large that few choices of it fit."""
    chain = chain_problem(*size, 1, seed=SEED)
    core = round(0.24 * chain.N)
    problem = with_rules(chain, core_min=core, core_max=core)
    begin = time.process_time()
    draft, certain = any_plan(problem)
    print(
        f"\n{size}: {time.process_time() - begin:.1f} s (goal 20), {'none' if draft is None else 'a plan'}, {certain}"
    )
    assert time.process_time() - begin < 20
    assert certain
