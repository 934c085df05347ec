"""Branching: parts that leave no plan out, bounds of which each is proven, and a check that misses nothing."""

from __future__ import annotations

import dataclasses
import pickle
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from optimiser_worlds import best_value, obeys, small_problem
from store_worlds import branching

from assortment.errors import Infeasible
from assortment.optimiser import Plan, Problem, Status, solve
from assortment.optimiser.chain.bound import Certificate
from assortment.optimiser.chain.branches import Branches
from assortment.optimiser.chain.branching import _Node
from assortment.optimiser.chain.fixing import Decision, Fixing, Kind


def split_plan(problem: Problem, *, few: bool = True) -> Plan | None:
    """The plan of a problem whose proof rests on branching alone, from nothing; ``None`` when there is no plan.

    Without ``few``, stores are bounded as those with many products are.
    """
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("assortment.optimiser.chain.bound.polish_prices", lambda *args, **kwargs: args[2])
        patch.setattr("assortment.optimiser.chain.bound._start", lambda problem, *_: _nothing(problem))
        if not few:
            stack.enter_context(branching())
            patch.setattr("assortment.optimiser.chain.branching._few", lambda problem: False)
        try:
            return solve(problem, gap=1e-4)
        except Infeasible:
            return None


def _nothing(problem: Problem) -> object:
    from assortment.optimiser.chain.coupling import Prices  # noqa: PLC0415

    return Prices(np.zeros((problem.S, problem.N)), np.zeros((problem.S, problem.N)), np.zeros(problem.N))


def with_branches(plan: Plan, branches: Branches) -> Plan:
    """The plan with other branches in its certificate."""
    assert plan.certificate is not None
    return dataclasses.replace(plan, certificate=dataclasses.replace(plan.certificate, branches=branches))


def branches_of(plan: Plan) -> Branches:
    """The branches of a plan's certificate."""
    assert plan.certificate is not None
    assert plan.certificate.branches is not None
    return plan.certificate.branches


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from(["plain", "torture", "many"]))
def test_branching_alone_finds_and_proves_the_best(seed: int, numbers: str) -> None:
    """From no prices at all: the plan is the best there is, the bound not below it, and both are checked."""
    problem = small_problem(seed, numbers=numbers)
    best, plan = best_value(problem), split_plan(problem, few=numbers != "many")
    assert (best is None) == (plan is None)
    if plan is None or best is None:
        return
    scale = max(1e-9, abs(best), 1e-9 * float((problem.class_weight.sum(1) * np.abs(problem.worth).max(1)).sum()))
    assert plan.status == Status.OPTIMAL or numbers == "many"
    assert obeys(problem, plan.carried, plan.core)
    assert plan.value <= best + 1e-9 * scale
    assert plan.value >= best - (max(1e-4, plan.gap) + 1e-9) * scale
    assert plan.bound >= best - 1e-9 * scale
    again = pickle.loads(pickle.dumps(plan))
    assert again.verify().ok
    assert again.verify(full=True).ok


def changed(branches: Branches, rng: np.random.Generator) -> Branches:
    """Branches with one thing changed: a leaf or a decision gone, another decision, leaves swapped, a part proven."""
    decisions, leaves = list(branches.decisions), list(branches.leaves)
    what = rng.choice(["leaf", "decision", "other", "swap", "half", "bound", "log", "price"])
    inner = [i for i, decision in enumerate(decisions) if decision is not None]
    at = int(rng.integers(len(leaves)))
    part = leaves[at]
    if what == "leaf":
        leaves.pop(at)
    elif what == "decision" and inner:
        decisions.pop(int(rng.choice(inner)))
    elif what == "other" and inner:
        decisions[int(rng.choice(inner))] = Decision(Kind(int(rng.integers(4))), *rng.integers(0, 3, 2).tolist())
    elif what == "swap":
        other = int(rng.integers(len(leaves)))
        leaves[at], leaves[other] = leaves[other], leaves[at]
    elif what == "half":
        twins = [i for i in inner if decisions[i + 1 : i + 3] == [None, None]]
        if twins:
            i = int(rng.choice(twins))
            leaf = sum(decision is None for decision in decisions[:i])
            decisions[i : i + 3] = [None]
            leaves.pop(leaf + int(rng.integers(2)))
    elif part is None:
        leaves[at] = next((leaf for leaf in leaves if leaf is not None), None)
    elif what == "bound":
        leaves[at] = dataclasses.replace(part, store_bounds=part.store_bounds - rng.choice([1e-3, 1.0, 100.0]))
    elif what == "log":
        leaves[at] = dataclasses.replace(part, logs=(None,) * len(part.logs))
    else:
        price = dataclasses.replace(part.prices, core=part.prices.core - rng.choice([1e-3, 1.0]))
        leaves[at] = dataclasses.replace(part, prices=price)
    return Branches(tuple(decisions), tuple(leaves))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100_000))
@example(24208)  # the log of another store, with other classes
def test_no_change_makes_a_false_bound(seed: int) -> None:
    """Whatever is changed in a certificate of parts: where its check finds nothing, its bound is true."""
    problem, rng = small_problem(seed), np.random.default_rng(seed)
    plan = split_plan(problem, few=seed % 3 > 0)
    best = best_value(problem)
    if plan is None or best is None or plan.certificate is None or plan.certificate.branches is None:
        return
    for _ in range(10):
        other = with_branches(plan, changed(branches_of(plan), rng))
        check = other.verify(full=True)
        assert not check.ok or check.bound >= best - 1e-9 * max(1.0, abs(best))


def test_what_was_changed_is_found() -> None:
    """A leaf or a decision that is missing, a bound lowered, a log left out, a price below 0: each is found."""
    plan = split_plan(small_problem(47))
    assert plan is not None
    branches = branches_of(plan)
    assert len(branches.leaves) > 3
    assert plan.verify().ok
    words = "leave plans out"
    for gone in range(len(branches.leaves)):
        leaves = branches.leaves[:gone] + branches.leaves[gone + 1 :]
        fault = with_branches(plan, Branches(branches.decisions, leaves)).verify().faults
        assert any(words in item for item in fault)
    first = next(i for i, decision in enumerate(branches.decisions) if decision is not None)
    cut = branches.decisions[:first] + branches.decisions[first + 1 :]
    assert any(words in item for item in with_branches(plan, Branches(cut, branches.leaves)).verify().faults)
    # All plans at once, with what was proven of a half of them.
    for leaf in branches.leaves:
        assert not with_branches(plan, Branches((None,), (leaf,))).verify().ok
    odd = [Decision(Kind.LISTED, 0, 99), Decision(Kind.CORE, -1, 0)]
    for decision in odd:
        decisions = (decision, *branches.decisions[first + 1 :])
        assert not with_branches(plan, Branches(decisions, branches.leaves)).verify().ok
    proven = next(
        i for i, leaf in enumerate(branches.leaves) if leaf is not None and np.isfinite(leaf.store_bounds).all()
    )
    part = branches.leaves[proven]
    assert part is not None
    for change in (
        {"store_bounds": part.store_bounds - 1e-3},
        {"logs": (None,) * len(part.logs)},
        {"prices": dataclasses.replace(part.prices, listed=part.prices.listed - 1e-3)},
    ):
        leaves = tuple(
            dataclasses.replace(part, **change) if i == proven else leaf for i, leaf in enumerate(branches.leaves)
        )
        assert not with_branches(plan, Branches(branches.decisions, leaves)).verify().ok


@given(st.integers(0, 100_000))
def test_an_answer_leaves_no_plan_out(seed: int) -> None:
    """A plan that obeys every rule is in exactly one half of every split, and never in a part said to be empty."""
    problem, rng = small_problem(seed), np.random.default_rng(seed)
    for _ in range(20):
        carried = rng.random((problem.S, problem.N)) < 0.6
        if rng.random() < 0.5:
            carried[:] = carried[0]
        everywhere = np.array([carried[problem.core_group == c].all(axis=0) for c in range(problem.C)])
        core = (everywhere & (rng.random(everywhere.shape) < 0.7))[problem.core_group]
        if not obeys(problem, carried, core):
            continue
        fixing = Fixing.none(problem)
        for _ in range(12):
            assert fixing.holds(carried, core)
            assert not fixing.empty
            decision = Decision(Kind(int(rng.integers(4))), *rng.integers(0, 3, 2).tolist())
            if not decision.fits(problem) or (decision.kind == Kind.ALIKE and decision.place == decision.other):
                continue
            halves = [fixing.decided(decision, answer) for answer in (False, True)]
            mine = [half for half in halves if half.holds(carried, core)]
            assert len(mine) == 1
            fixing = mine[0]


def test_a_certificate_is_of_all_plans() -> None:
    """A certificate without branches has one part, in which nothing is decided."""
    plan = solve(small_problem(11).with_rules(groups=(), local_share=(None, None)), gap=1.0)
    certificate = plan.certificate
    assert isinstance(certificate, Certificate)
    parts = list(certificate.parts(plan.problem))
    assert len(parts) == 1
    assert parts[0].fixing.holds(plan.carried, plan.core)
    assert parts[0].bound == certificate.bound(plan.problem)


def test_a_deep_tree_is_told_in_order() -> None:
    """However deep the splits go, each part comes before those that it is split into, the answer no before yes."""
    problem = small_problem(11)
    leaf = _Node(Fixing.none(problem), 0.0, _nothing(problem), np.zeros(0))  # type: ignore[arg-type]
    deep = leaf
    for _ in range(3000):
        deep = dataclasses.replace(leaf, halves=(dataclasses.replace(leaf), deep))
    nodes = deep.ordered()
    assert len(nodes) == 6001
    at = {id(node): i for i, node in enumerate(nodes)}
    for node in nodes:
        if node.halves:
            no, yes = node.halves
            assert at[id(no)] == at[id(node)] + 1 and at[id(yes)] == at[id(no)] + 1
