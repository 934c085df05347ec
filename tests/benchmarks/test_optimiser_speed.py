"""How long the optimiser takes and what it proves; rules and gaps are asserted, times are printed."""

from __future__ import annotations

from typing import Any

import pytest
from chain_instances import chain_problem

from assortment.optimiser import audit, solve


@pytest.mark.parametrize(
    ("size", "hard", "most"),
    [
        ((40, 60, 1), {}, 1e-3),
        ((40, 60, 4), {}, 1e-3),
        ((40, 60, 1), {"changes": 0, "listed": 0.5}, 1e-2),
        ((40, 60, 4), {"changes": 0, "listed": 0.5}, 1e-2),
        ((50, 100, 4), {}, 1e-3),
    ],
    ids=["40x60x1", "40x60x4", "40x60x1 few changes", "40x60x4 few changes", "50x100x4"],
)
def test_chain(benchmark: Any, size: tuple[int, int, int], hard: dict[str, Any], most: float) -> None:
    """A plan that obeys every rule, proven within ``most`` of the best; the gap is in the benchmark's extra info."""
    problem = chain_problem(*size, **hard)
    plan = benchmark.pedantic(solve, args=(problem,), kwargs={"gap": 2e-4, "time_limit_s": None}, rounds=1)
    benchmark.extra_info.update(gap=plan.gap, status=str(plan.status))
    print(f"\n{size} {hard}: gap {plan.gap:.4%}, status {plan.status}")
    assert audit(problem, plan.carried, plan.core) == []
    assert plan.gap <= most
    assert plan.verify().ok
