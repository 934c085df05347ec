"""What fits does not hang on how a width is stored, and what is refused is refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from assortment.errors import Infeasible, ProblemError
from assortment.optimiser import Problem, Rules, RuleSpec, solve


def exactly_full(seed: int, *, narrow: bool) -> Problem:
    """Three stores whose shelves hold exactly three of six products, widths as 64-bit or 32-bit floats."""
    rng = np.random.default_rng(seed)
    width = rng.integers(50, 300, 6) / 10
    return Problem(
        attraction=np.exp(rng.normal(0, 1, (3, 2, 6))),
        class_weight=rng.uniform(10, 100, (3, 2)),
        no_purchase=np.ones((3, 2)),
        margin=rng.uniform(1, 3, 6),
        space_cm=width.astype(np.float32).astype(float) if narrow else width,
        shelf_cm=np.array([round(width[rng.choice(6, 3, replace=False)].sum(), 1) for _ in range(3)]),
        rules=Rules(core_min=1, core_max=2),
    )


def one_store(rules: Rules) -> Problem:
    """One store with room for its two products."""
    return Problem(
        attraction=np.ones((1, 1, 2)),
        class_weight=np.full((1, 1), 10.0),
        no_purchase=np.ones((1, 1)),
        margin=np.array([1.0, 2.0]),
        space_cm=np.ones(2),
        shelf_cm=np.array([5.0]),
        rules=rules,
    )


@pytest.mark.parametrize("seed", range(12))
def test_widths_from_32_bit_floats_give_the_plan_of_the_decimals(seed: int) -> None:
    """A shelf that is exactly full in decimals is not overrun because a file stored 41.4 as 41.400002."""
    decimal, stored = solve(exactly_full(seed, narrow=False)), solve(exactly_full(seed, narrow=True))
    assert (decimal.carried == stored.carried).all()
    assert decimal.value == pytest.approx(stored.value, rel=1e-12)


def test_a_conflict_of_core_and_local_products_names_both() -> None:
    """Two products, both core, leave no room for a local one: core is named beside local_per_store."""
    problem = one_store(Rules(core_min=2, local_per_store=(1, None)))
    with pytest.raises(Infeasible) as caught:
        solve(problem)
    assert set(caught.value.rules) == {"core", "local_per_store"}
    assert "by 0" not in str(caught.value)


def test_a_chain_that_may_list_nothing_is_solved_to_the_end() -> None:
    """A value of 0 is proven, not left open by rounding."""
    plan = solve(one_store(Rules(products_max=0)), gap=1e-6)
    assert (plan.value, plan.gap, plan.status) == (0.0, 0.0, "optimal")


def test_rules_in_words_are_refused_where_arrays_are_expected() -> None:
    """Who hands a RuleSpec to Problem is told where it belongs."""
    with pytest.raises(ProblemError, match="from_demand"):
        one_store(RuleSpec())  # type: ignore[arg-type]


def test_of_what_stands_everywhere_the_best_sellers_are_core() -> None:
    """With room for all of five products and a core of two, the core is the two that sell most."""
    attraction = np.array([0.5, 3.0, 1.0, 2.0, 0.1])
    problem = Problem(
        attraction=np.broadcast_to(attraction, (4, 1, 5)),
        class_weight=np.full((4, 1), 100.0),
        no_purchase=np.ones((4, 1)),
        margin=np.ones(5),
        space_cm=np.ones(5),
        shelf_cm=np.full(4, 5.0),
        rules=Rules(core_min=2, core_max=2),
    )
    plan = solve(problem)
    assert plan.carried.all()
    assert np.flatnonzero(plan.core[0]).tolist() == [1, 3]
