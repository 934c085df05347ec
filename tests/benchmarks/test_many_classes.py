"""One store with many classes of shoppers: published hard families, and an open rival on the same instances."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hard_stores import guo, sen

from assortment.optimiser import Problem, solve


@pytest.mark.parametrize(("most", "best"), [(10, 1.54609), (20, 1.97196)])
def test_sen_published_optimum(most: int, best: float) -> None:
    """The known optima of seed 1 are found and proven."""
    plan = solve(sen(1, most, 5.0), gap=1e-4, time_limit_s=None)
    assert plan.value == pytest.approx(best, abs=5e-6)
    assert plan.gap <= 1e-4


def test_sen_family() -> None:
    """200 products, 20 classes: all proven to 1e-4; goal: median 10 s, worst 40 s."""
    seconds = []
    for seed in range(11, 16):
        for most in (10, 20):
            for no_purchase in (5.0, 10.0):
                problem = sen(seed, most, no_purchase)
                begin = time.perf_counter()
                plan = solve(problem, gap=1e-4, time_limit_s=None)
                seconds.append(time.perf_counter() - begin)
                assert plan.gap <= 1e-4
                assert plan.verify(full=True).ok
    print(f"\nŞen n=200 m=20: median {np.median(seconds):.2f} s, worst {max(seconds):.2f} s of {len(seconds)}")


@pytest.mark.parametrize("n", [50, 100, 200])
@pytest.mark.parametrize("m", [5, 10, 25])
def test_guo_family(n: int, m: int) -> None:
    """Every size is proven to 1e-6; goal: 45 s each."""
    seconds = []
    for seed in range(3):
        begin = time.perf_counter()
        plan = solve(guo(n, m, seed), gap=1e-6, time_limit_s=None)
        seconds.append(time.perf_counter() - begin)
        assert plan.gap <= 1e-6
        assert plan.verify(full=True).ok
    print(f"\nGuo n={n} m={m}: worst {max(seconds):.2f} s of {len(seconds)}")


RIVAL = """
import sys, time
import numpy as np
from choice_learn.toolbox.or_tools_opt import ORToolsLatentClassAssortmentOptimizer

given = np.load(sys.argv[1])
begin = time.perf_counter()
optimiser = ORToolsLatentClassAssortmentOptimizer(
    class_weights=given["weight"], class_utilities=given["attraction"], itemwise_values=given["worth"],
    assortment_size=int(given["most"]), outside_option_given=True,
)
picks = np.asarray(optimiser.solve()[0], float)
np.savez(sys.argv[2], picks=picks, seconds=time.perf_counter() - begin)
"""


def rival(problem: Problem, most: int, folder: Path) -> tuple[np.ndarray, float]:
    """The picks of choice-learn and its seconds; in a process of its own, as OR-Tools brings another HiGHS."""
    np.savez(
        folder / "given.npz",
        weight=problem.class_weight[0],
        attraction=np.concatenate([problem.no_purchase[0][:, None], problem.attraction[0]], axis=1),
        worth=np.concatenate([[0.0], problem.worth[0]]),
        most=most,
    )
    subprocess.run(
        [sys.executable, "-c", RIVAL, str(folder / "given.npz"), str(folder / "found.npz")],
        check=True,
        capture_output=True,
    )
    found = np.load(folder / "found.npz")
    return found["picks"][-problem.N :] > 0.5, float(found["seconds"])


def test_against_choice_learn(tmp_path: Path) -> None:
    """Never a worse value than choice-learn's latent-class optimiser on the same instances, and 20 times as fast."""
    if not (find_spec("choice_learn") and find_spec("ortools")):
        pytest.skip("choice-learn or OR-Tools is not installed")
    ratios = []
    for seed in range(4):
        problem = sen(seed, 5, 5.0, n=40, m=4)
        picks, theirs = rival(problem, 5, tmp_path)
        begin = time.perf_counter()
        plan = solve(problem, gap=1e-6, time_limit_s=None)
        ours = time.perf_counter() - begin
        assert plan.gap <= 1e-6
        assert plan.value >= problem.value(picks[None]) * (1 - 1e-6)
        ratios.append(theirs / ours)
        print(f"\nlatent classes, seed {seed}: {ours:.3f} s, choice-learn {theirs:.3f} s")
    print(f"median {np.median(ratios):.0f} times as fast")
