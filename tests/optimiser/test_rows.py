"""Rules as linear rows: a golden file each, the same in PuLP and in arrays, and in agreement with the audit."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pulp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimiser_worlds import obeys, small_problem

from assortment.optimiser import RULES, Problem, Rules, audit
from assortment.optimiser.rules.rows import columns_of, listed, sparse_rows

GOLDEN = Path(__file__).parent / "golden"
DEFINITIONS = ("listed_", "purchase_")


def rule_file(problem: Problem, rule: str, file: Path) -> str:
    """The rows of one rule as an LP file."""
    model = pulp.LpProblem(rule, pulp.LpMaximize)
    for row in problem.to_pulp().constraints():
        if row.name == rule or row.name.startswith(f"{rule}_"):
            model.addConstraint(row)
    model.writeLP(str(file))
    return file.read_text()


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_golden(rule: str, corner: Problem, tmp_path: Path) -> None:
    """The rows of each rule are what its golden LP file says."""
    golden = GOLDEN / f"{rule}.lp"
    assert golden.exists(), f"no golden file for the rule '{rule}'"
    assert rule_file(corner, rule, tmp_path / "rule.lp") == golden.read_text()


def test_no_golden_file_too_many() -> None:
    """Every golden file belongs to a rule, and every rule to a field of Rules."""
    names = {rule.name for rule in RULES}
    assert {file.stem for file in GOLDEN.glob("*.lp")} == names
    fields = set(Rules.__dataclass_fields__)
    assert names - {"core", "shelf"} <= fields
    assert {"core_min", "core_max", "core_groups"} <= fields


def test_every_row_is_named_after_its_rule(corner: Problem) -> None:
    """Each row of the model bears the name of its rule, or of the definition it belongs to; ids never enter."""
    prefixes = tuple(f"{rule.name}" for rule in RULES) + DEFINITIONS
    names = [row.name for row in corner.to_pulp().constraints()]
    assert len(set(names)) == len(names)
    assert all(name.startswith(prefixes) for name in names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz_0123456789") for name in names)


def test_no_deprecated_pulp(corner: Problem) -> None:
    """Building the model raises no warning of PuLP's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        corner.to_pulp()


@given(st.integers(0, 10_000))
def test_pulp_and_arrays_say_the_same(seed: int) -> None:
    """Every row of the arrays is in the PuLP model with the same numbers, and PuLP has no other rule rows."""
    problem = small_problem(seed)
    columns = columns_of(problem)
    names = columns.names()
    expected = {}
    for row in [*listed(problem), *(row for rule in RULES for row in rule.rows(problem))]:
        terms = dict(zip((names[i] for i in row.columns), row.coefficients.tolist(), strict=True))
        expected[row.name] = (terms, row.low, row.high)
    found: dict[str, tuple[dict[str, float], float, float]] = {}
    for row in problem.to_pulp().constraints():
        if row.name.startswith("purchase_"):
            continue
        name = row.name.removesuffix("_least").removesuffix("_most") if row.name not in expected else row.name
        low = row.getLb() if row.getLb() is not None else found.get(name, ({}, -np.inf, np.inf))[1]
        high = row.getUb() if row.getUb() is not None else found.get(name, ({}, -np.inf, np.inf))[2]
        found[name] = ({variable.name: c for variable, c in row.items()}, low, high)
    assert found == expected


@given(st.integers(0, 10_000))
def test_rows_audit_and_sentences_agree(seed: int) -> None:
    """On any picks, the rows hold exactly when the audit finds nothing, and when plain Python says so."""
    problem = small_problem(seed)
    rng = np.random.default_rng(seed)
    carried = rng.random((problem.S, problem.N)) < rng.choice([0.3, 0.6, 0.9])
    core = np.tile(carried.all(axis=0) & (rng.random(problem.N) < 0.7), (problem.S, 1))
    columns = columns_of(problem)
    rows = [*listed(problem), *(row for rule in RULES for row in rule.rows(problem))]
    matrix, low, high = sparse_rows(rows, columns.count)
    picks = np.concatenate([carried.ravel(), core[0], carried.any(axis=0)]).astype(float)
    sums = matrix @ picks
    hold = bool(((sums >= low - 1e-9) & (sums <= high + 1e-9)).all())
    broken = audit(problem, carried, core)
    assert hold == (not broken) == obeys(problem, carried, core)
    assert all(violation.rule in {rule.name for rule in RULES} for violation in broken)


def test_audit_names_rule_and_place(corner: Problem) -> None:
    """A violation names the rule, the store, the product, and says in words what is wrong."""
    carried = np.array([[True, True, True], [False, True, False]])
    core = np.array([[True, False, False]] * 2)
    found = {(v.rule, v.store_id, v.product_id): v.sentence for v in audit(corner, carried, core)}
    odd = "s p-a/ce [1]"
    assert found["core", odd, "00+1"] == f"store '{odd}' lacks the core product '00+1'"
    assert found["required", odd, "00+1"] == f"store '{odd}' lacks '00+1', which it must carry"
    assert found["allowed", odd, "=x>y"] == f"store '{odd}' carries '=x>y', which it may not"
    assert found["shelf", "007", None] == "store '007' needs 30.5 cm, its shelf has 20"
    assert found["changes_max", odd, None] == f"store '{odd}' changes 3 products, more than 1"
    assert ("groups", odd, None) not in found


def test_floats_fit(corner: Problem) -> None:
    """0.1 + 0.2 cm fit on a shelf of 0.3 cm although the sum of the floats is larger."""
    problem = corner.replace(space_cm=np.array([0.1, 0.2, 0.0]), shelf_cm=0.3, rules=Rules())
    assert audit(problem, np.ones((2, 3), bool), np.zeros((2, 3), bool)) == []


def write_golden(problem: Problem) -> None:
    """Write all golden files anew; call it by hand after a rule has changed, and read the difference."""
    for rule in RULES:
        rule_file(problem, rule.name, GOLDEN / f"{rule.name}.lp")
