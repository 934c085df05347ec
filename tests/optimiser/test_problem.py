"""Problem, Rules and Costs: what they refuse, and the value they compute."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimiser_worlds import chain_broken, paid, small_problem, store_broken, store_worth

from assortment.errors import ProblemError
from assortment.optimiser import Costs, Group, Problem, Rules, audit, priced


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


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"assortments_max": 0}, "assortments_max: found 0; expected 1 or more"),
        ({"local_share": (0.2, 1.5)}, "local_share most: found 1.5; expected a part between 0 and 1"),
        ({"soft": {"shelve": 1.0}}, "there is no rule 'shelve' that may have a price; did you mean 'shelf'?"),
        ({"soft": {"core": 1.0}}, "there is no rule 'core' that may have a price; known: shelf, groups"),
        ({"soft": {"shelf": -1.0}}, "found -1.0 for 'shelf'; expected a price per week, 0 or more"),
        ({"soft": {"shelf": np.inf}}, "expected a price per week"),
    ],
)
def test_rules_say_what_they_cannot_be(rules: dict[str, Any], words: str) -> None:
    """A share beyond 1, no assortment at all, a price for a rule that cannot have one: told in plain words."""
    with pytest.raises(ProblemError) as caught:
        Rules(**rules)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({"delivery": 3.0}, "costs.delivery: nothing says who delivers which product; give costs.supplier_of"),
        ({"delivery": -3.0, "supplier_of": [0, 0, 1]}, "costs.delivery: expected money per week, 0 or more"),
        (
            {"delivery": [3.0, 2.0], "supplier_of": [0, 2, 1]},
            "costs.supplier_of: found supplier 2; costs.delivery has 2",
        ),
        ({"delivery": 3.0, "supplier_of": [0, 0.5, 1]}, "costs.supplier_of: expected whole numbers"),
        ({"delivery": 3.0, "supplier_of": [0, 1]}, "costs.supplier_of: found shape (2,); expected (3,)"),
        (
            {"delivery": 3.0, "supplier_of": [0, 1, 1], "supplier_ids": ("A",)},
            "supplier_ids: found 1 names; expected 2",
        ),
    ],
)
def test_costs_of_deliveries_say_what_they_cannot_be(corner: Problem, costs: dict[str, Any], words: str) -> None:
    """Who delivers what must be told, whole, and cost something or nothing."""
    with pytest.raises(ProblemError) as caught:
        corner.replace(costs=Costs(**costs))
    assert words in str(caught.value)


def test_a_supplier_is_paid_once_per_store_that_it_delivers_to(corner: Problem) -> None:
    """However many of its products a store carries; a product without supplier costs no delivery."""
    problem = corner.replace(costs=Costs(delivery=[[5.0, 7.0], [11.0, 13.0]], supplier_of=[1, 1, -1]), rules=Rules())
    carried = np.array([[True, True, False], [False, False, True]])
    free = problem.replace(costs=Costs())
    assert problem.delivered(carried).tolist() == [[False, True], [False, False]]
    assert (free.store_values(carried) - problem.store_values(carried)).tolist() == pytest.approx([7.0, 0.0])


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
    """The value in numpy is the formula of the design page, less prices of broken rules, summed in plain Python."""
    problem = small_problem(seed)
    rng = np.random.default_rng(seed)
    carried = rng.random((problem.S, problem.N)) < 0.5
    cores = rng.random((problem.C, problem.N)) < 0.3
    core, soft = cores[problem.core_group], problem.rules.soft
    picks = [set(np.flatnonzero(row).tolist()) for row in carried]
    stores = []
    for s, own in enumerate(picks):
        broken = {rule: amount for rule, amount in store_broken(problem, s, own).items() if rule in soft}
        stores.append(store_worth(problem, s, tuple(own)) - paid(problem, broken))
    broken = chain_broken(problem, picks, [set(np.flatnonzero(row).tolist()) for row in cores])
    chain = {rule: amount for rule, amount in broken.items() if rule in soft}
    own = chain.pop("local_per_store", 0) * soft.get("local_per_store", 0.0)
    assert problem.store_values(carried, core).sum() == pytest.approx(sum(stores) - own, abs=1e-9)
    local = carried.any(axis=0) & ~cores.any(axis=0)
    costs = problem.product_cost[carried.any(axis=0)].sum() + problem.local_product_cost[local].sum()
    value = sum(stores) - own - costs - paid(problem, chain)
    assert problem.value(carried, core) == pytest.approx(value, abs=1e-9)


@given(st.integers(0, 10_000))
def test_what_is_paid_for_is_told(seed: int) -> None:
    """Each place where a rule with a price is broken is told, with amount and cost, and not by the audit."""
    problem = small_problem(seed)
    rng, soft = np.random.default_rng(seed), problem.rules.soft
    carried = rng.random((problem.S, problem.N)) < 0.5
    cores = rng.random((problem.C, problem.N)) < 0.3
    core = cores[problem.core_group]
    picks = [set(np.flatnonzero(row).tolist()) for row in carried]
    every = Counter(chain_broken(problem, picks, [set(np.flatnonzero(row).tolist()) for row in cores]))
    for s, own in enumerate(picks):
        every.update(store_broken(problem, s, own))
    told = priced(problem, carried, core)
    amounts: Counter[str] = Counter()
    for excess in told:
        amounts[excess.rule] += excess.amount
        assert excess.cost_per_week == pytest.approx(soft[excess.rule] * excess.amount)
    assert dict(amounts) == pytest.approx({rule: amount for rule, amount in every.items() if rule in soft})
    assert {violation.rule for violation in audit(problem, carried, core)} == set(every) - set(soft)


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
