"""Published hard stores: known optima, and an oracle where the family has one."""

from __future__ import annotations

import numpy as np
import pytest
from hard_stores import guo, sen

from assortment.optimiser import Problem, solve


@pytest.mark.parametrize(("most", "best"), [(10, 1.54609), (20, 1.97196)])
def test_sen(most: int, best: float) -> None:
    """The known optima of the dense family of Şen, Atamtürk and Kaminsky, seed 1, are found and proven to 1e-4."""
    plan = solve(sen(1, most, 5.0), gap=1e-4, time_limit_s=None)
    assert plan.value == pytest.approx(best, abs=5e-6)
    assert best - 5e-6 <= plan.bound <= plan.value * (1 + 1e-4)
    assert plan.carried.sum() <= most
    assert plan.verify(full=True).ok


@pytest.mark.parametrize(("n", "m"), [(50, 5), (50, 25), (100, 10)])
def test_guo(n: int, m: int) -> None:
    """The family of Guo and others: products of one half differ in price only, so the dearest of each half are best."""
    problem = guo(n, m, seed=n + m)
    plan = solve(problem, gap=1e-6, time_limit_s=None)
    best = best_of_two_halves(problem)
    assert plan.value == pytest.approx(best, rel=1e-6)
    assert best * (1 - 1e-12) <= plan.bound <= plan.value * (1 + 1e-6)


def best_of_two_halves(problem: Problem) -> float:
    """The best value over how many of the dearest of each half are carried; prices fall within each half."""
    margin, pull, weight = problem.margin[0], problem.attraction[0], problem.class_weight[0]
    half = (problem.N + 1) // 2
    best = 0.0
    for first in range(half + 1):
        for second in range(problem.N - half + 1):
            picks = np.r_[0:first, half : half + second]
            worth = pull[:, picks] @ margin[picks] / (problem.no_purchase[0] + pull[:, picks].sum(axis=1))
            best = max(best, float(weight @ worth))
    return best
