"""The model as a file: another solver that reads it finds the optimum of the brute force."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import highspy
import pytest
from optimiser_worlds import best_value, small_problem

from assortment.errors import ProblemError
from assortment.optimiser import Problem

SEEDS = range(300, 312)


def solved(file: Path) -> float | None:
    """The optimum that HiGHS finds when it reads ``file``, as a maximum; ``None`` when there is none."""
    highs: Any = highspy.Highs()
    for name, value in {"output_flag": False, "threads": 1, "mip_rel_gap": 1e-9}.items():
        highs.setOptionValue(name, value)
    highs.readModel(str(file))
    sign = -1.0 if file.suffix == ".mps" else 1.0
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return sign * float(highs.getInfo().objective_function_value)


@pytest.mark.parametrize("seed", SEEDS)
def test_another_solver_finds_the_same_optimum(seed: int, tmp_path: Path) -> None:
    """HiGHS, reading the LP and the MPS file, finds the best of all plans, or finds that there is none."""
    problem = small_problem(seed)
    best = best_value(problem)
    for name in ("model.lp", "model.mps"):
        assert problem.write(tmp_path / name) == tmp_path / name
        found = solved(tmp_path / name)
        assert (found is None) == (best is None)
        if best is not None:
            assert found == pytest.approx(best, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["model.lp", "model.mps"])
def test_names_survive_and_are_told(corner: Problem, tmp_path: Path, name: str) -> None:
    """Every variable of the file is in the table of names with its ids, and no id is in the file."""
    corner.write(tmp_path / name)
    highs: Any = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(tmp_path / name))
    read = set(highs.getLp().col_names_)
    with (tmp_path / "model.names.csv").open(encoding="utf-8", newline="") as file:
        told = {row["variable"]: row for row in csv.DictReader(file)}
    assert read == set(told) == {variable.name for variable in corner.to_pulp().variables()}
    assert told["x_1_2"]["store_id"] == "s p-a/ce [1]"
    assert told["x_1_2"]["product_id"] == "Milch & Honig"
    assert told["q_0_1_0"]["class_name"] == "old"
    assert told["d_1_1"]["supplier_id"] == "f2"
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert not any(item in text for item in (*corner.store_ids, *corner.product_ids))


def test_what_a_slack_is_of_is_told(corner: Problem, tmp_path: Path) -> None:
    """A variable that lets a rule be broken says which row it is of, in which store or for which product."""
    rules = {**corner.rules.__dict__, "soft": {"shelf": 1.0, "local_min_stores": 2.0, "products_max": 1.0}}
    corner.replace(rules=type(corner.rules)(**rules)).write(tmp_path / "model.lp")
    with (tmp_path / "model.names.csv").open(encoding="utf-8", newline="") as file:
        told = {row["variable"]: row for row in csv.DictReader(file)}
    assert told["over_shelf_0"]["meaning"] == "by how much the row shelf_0 goes over its high end"
    assert told["over_shelf_0"]["store_id"] == "007"
    assert told["under_local_min_stores_1"]["product_id"] == "=x>y"
    assert told["over_products_max"]["store_id"] == ""


def test_another_ending_is_refused(corner: Problem, tmp_path: Path) -> None:
    """The ending says which format; without one of the two nothing is written."""
    with pytest.raises(ProblemError, match=r"a model is written as \.lp or \.mps"):
        corner.write(tmp_path / "model.txt")
    with pytest.raises(ProblemError, match="cannot be written"):
        corner.write(tmp_path / "missing" / "model.lp")
    assert list(tmp_path.iterdir()) == []
