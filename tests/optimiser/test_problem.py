"""Problem, Rules and Costs: what they refuse, and the value they compute."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimiser_worlds import small_problem, store_worth

from assortment.errors import ProblemError
from assortment.optimiser import Costs, Group, Problem, Rules


def test_all_faults_at_once(corner: Problem) -> None:
    """Every fault is named with store, class and product, all in one message."""
    attraction, margin = corner.attraction.copy(), corner.margin.copy()
    attraction[0, 1, 2], margin[1, 0] = -1.0, np.nan
    with pytest.raises(ProblemError) as caught:
        corner.replace(attraction=attraction, margin=margin, no_purchase=0.0)
    message = str(caught.value)
    assert "attraction of store '007', class 'old', product 'Milch & Honig': found -1.0" in message
    assert "margin of store 's p-a/ce [1]', product '00+1': found nan" in message
    assert message.count("no_purchase of store") == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"attraction": np.ones((2, 3))}, "expected (stores, classes, products)"),
        ({"margin": np.ones(4)}, "margin: found shape (4,); expected (2, 3)"),
        ({"shelf_cm": np.array([1.0, -1.0])}, "shelf_cm of store 's p-a/ce [1]'"),
        ({"class_weight": np.full((2, 2), np.inf)}, "class_weight of store '007', class 'young'"),
        ({"store_ids": ("a", "a")}, "'a' more than once"),
        ({"product_ids": ("a",)}, "found 1 names; expected 3"),
        ({"objective": "profit"}, "'margin', 'sales' or 'units'"),
        ({"objective": "sales", "price": None}, "'sales' needs it"),
        ({"no_purchase": 1e-40}, "times no_purchase"),
        ({"rules": Rules(changes_max=3)}, "give rules.today"),
        ({"rules": Rules(allowed=np.ones((3, 3), bool))}, "rules.allowed: found shape (3, 3)"),
        ({"rules": Rules(allowed=np.full((2, 3), 0.5))}, "expected a mask"),
        ({"rules": Rules(local_min_stores=-1)}, "rules.local_min_stores: expected whole numbers"),
        ({"rules": Rules(groups=[Group("g", np.ones(2, bool))])}, "rules.groups 'g' members"),
        ({"costs": Costs(product=np.inf)}, "costs.product"),
    ],
)
def test_refuses(corner: Problem, change: dict[str, object], words: str) -> None:
    """What does not state a problem is refused, with the name of what is wrong and what is expected."""
    with pytest.raises(ProblemError) as caught:
        corner.replace(**change)
    assert words in str(caught.value)


def test_rule_not_there_yet() -> None:
    """A rule of the design that is not available yet is refused in plain words, never ignored."""
    with pytest.raises(ProblemError, match="assortments_max: this rule is not available yet"):
        Rules(assortments_max=3)


@pytest.mark.parametrize("limits", [{"core_min": -1}, {"products_max": 2.5}, {"local_per_store": (None, -2)}])
def test_rules_are_whole_numbers(limits: dict[str, object]) -> None:
    """A limit that is not a whole number of 0 or more is refused."""
    with pytest.raises(ProblemError, match="expected a whole number"):
        Rules(**limits)


def test_arrays_are_copied_and_read_only(corner: Problem) -> None:
    """A problem does not change when the caller's array does, and its own arrays cannot be written."""
    margin = np.array([1.0, 2.0, 3.0])
    problem = corner.replace(margin=margin)
    margin[:] = 0
    assert problem.margin[0].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="read-only"):
        problem.attraction[0, 0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.price = None


def test_replace_keeps_the_rest(corner: Problem) -> None:
    """A variant differs in what was given only."""
    more = corner.replace(shelf_cm=corner.shelf_cm + 5)
    assert more.shelf_cm.tolist() == [25, 36]
    assert more.rules.core_max == 2
    assert more.store_ids == corner.store_ids


@given(st.integers(0, 10_000))
def test_value_is_the_formula(seed: int) -> None:
    """The value in numpy is the formula of the design page summed in plain Python."""
    problem = small_problem(seed)
    carried = np.random.default_rng(seed).random((problem.S, problem.N)) < 0.5
    stores = [store_worth(problem, s, tuple(np.flatnonzero(carried[s]))) for s in range(problem.S)]
    assert problem.store_values(carried) == pytest.approx(stores, abs=1e-9)
    chain = problem.product_cost[carried.any(axis=0)].sum() + problem.local_product_cost[carried.any(axis=0)].sum()
    assert problem.value(carried) == pytest.approx(sum(stores) - chain, abs=1e-9)


def test_core_does_not_pay_for_being_local(corner: Problem) -> None:
    """A core product pays the cost of a product but not that of a local one."""
    carried = np.ones((2, 3), bool)
    core = np.array([[True, False, False]] * 2)
    assert corner.value(carried, core) == pytest.approx(corner.value(carried) + 0.1)


@pytest.mark.parametrize(("objective", "worth"), [("margin", 1.0), ("sales", 3.0), ("units", 1.0)])
def test_objective(corner: Problem, objective: str, worth: float) -> None:
    """One unit counts its margin, its price, or one."""
    problem = corner.replace(objective=objective, costs=Costs())
    carried = np.array([[True, False, False]] * 2)
    assert problem.value(carried) == pytest.approx(worth * problem.units(carried).sum())


def test_wrong_picks(corner: Problem) -> None:
    """Picks of another shape are refused."""
    with pytest.raises(ProblemError, match="stores × products"):
        corner.value(np.ones((2, 2), bool))
