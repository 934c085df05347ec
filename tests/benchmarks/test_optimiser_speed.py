"""How long the optimiser takes and what it proves; rules and gaps are asserted, times are printed."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import replace
from typing import Any

import pytest
from chain_instances import chain_problem

from assortment.optimiser import Problem, audit, solve

# Stores, products, classes; seconds asked for the plan and for the plan with its proof, on two free cores.
CHAINS = {
    "50x100x4": ((50, 100, 4), 3, 7),
    "200x200x5": ((200, 200, 5), 15, 45),
    "1000x300x6": ((1000, 300, 6), 60, 200),
    "2000x500x6": ((2000, 500, 6), 120, 1200),
}
# Made to be run on seeds of one's own: ASSORTMENT_SEED=7 make bench.
SEED = int(os.environ.get("ASSORTMENT_SEED", "1"))
GAP = 3e-4


@pytest.mark.parametrize("name", CHAINS)
def test_chain(name: str) -> None:
    """A plan that obeys every rule, proven within 0.03 % of the best."""
    size, plan_s, proof_s = CHAINS[name]
    problem = chain_problem(*size, seed=SEED)
    begin = time.perf_counter()
    alone = solve(problem, gap=2e-4, time_limit_s=None, workers=2, prove=False)
    planned = time.perf_counter()
    plan = solve(problem, gap=2e-4, time_limit_s=None, workers=2)
    proven = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"\n{name}: plan {planned - begin:.1f} s (goal {plan_s}), "
        f"with proof {proven - planned:.1f} s (goal {proof_s}), gap {plan.gap:.4%}, {plan.status}, peak {peak:.1f} GB"
    )
    assert (plan.carried == alone.carried).all()
    assert audit(problem, plan.carried, plan.core) == []
    assert plan.gap <= GAP
    begin = time.perf_counter()
    assert plan.verify().ok
    print(f"verified in {time.perf_counter() - begin:.2f} s")


@pytest.mark.parametrize("K", [1, 4])
def test_few_changes(K: int) -> None:
    """A chain whose stores may change little and list half of the products: harder, proven within 1 %."""
    problem = chain_problem(40, 60, K, seed=SEED, changes=0, listed=0.5)
    begin = time.perf_counter()
    plan = solve(problem, gap=2e-4, time_limit_s=None, workers=2)
    print(f"\nfew changes, {K} classes: {time.perf_counter() - begin:.1f} s, gap {plan.gap:.4%}, {plan.status}")
    assert audit(problem, plan.carried, plan.core) == []
    assert plan.gap <= 1e-2


def changed(problem: Problem) -> dict[str, Problem]:
    """The same chain after the changes that a category manager makes."""
    rules = problem.rules
    required = problem.required.copy()
    required[0, int((problem.allowed[0] & ~rules.today[0]).argmax())] = True
    versions: dict[str, Any] = {
        "two core products more": {"core_min": rules.core_min + 2, "core_max": rules.core_max + 2},
        "five products fewer": {"products_max": rules.products_max - 5},
        "two changes fewer": {"changes_max": rules.changes_max - 2},
        "one lock": {"required": required},
    }
    return {name: problem.replace(rules=replace(rules, **version)) for name, version in versions.items()}


def test_warm_start() -> None:
    """From the plan before, a changed scenario takes a third of the time, and is proven as well."""
    problem = chain_problem(200, 200, 5, seed=SEED)
    settings: dict[str, Any] = {"gap": 3e-4, "time_limit_s": None, "workers": 2}
    before = solve(problem, **settings)
    for name, version in changed(problem).items():
        begin = time.perf_counter()
        cold = solve(version, **settings)
        between = time.perf_counter()
        warm = solve(version, start=before, **settings)
        end = time.perf_counter()
        print(f"\n{name}: cold {between - begin:.1f} s, warm {(end - between) / (between - begin):.2f} of that")
        assert warm.gap <= 3e-4
        assert warm.value >= cold.value * (1 - 3e-4)
        assert warm.verify().ok
