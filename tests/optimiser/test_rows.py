"""Rules as linear rows: a golden file each, the same in PuLP and in arrays, and in agreement with the audit."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pulp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimiser_worlds import obeys, small_problem

from assortment.optimiser import RULES, Problem, Rules, audit
from assortment.optimiser.programme.linear import LinearProgram, Polytope
from assortment.optimiser.rules.columns import _ENDS, columns_of, costs_of
from assortment.optimiser.rules.rows import delivered, listed, sparse_rows
from assortment.optimiser.rules.rules import SOFT

GOLDEN = Path(__file__).parent / "golden"
DEFINITIONS = ("listed_", "delivered_", "purchase_")


def golden_texts(problem: Problem, file: Path) -> dict[str, str]:
    """The LP file of each rule's rows, the same where it has a price, and that of deliveries."""
    texts = {rule.name: rule_file(problem, rule.name, file) for rule in RULES}
    texts["delivered"] = rule_file(problem, "delivered", file)
    for rule in SOFT:
        priced = problem.replace(rules=dataclasses.replace(problem.rules, soft={rule: 0.5}))
        texts[f"soft_{rule}"] = rule_file(priced, rule, file)
    return texts


def rule_file(problem: Problem, rule: str, file: Path) -> str:
    """The rows of one rule as an LP file, with what the variables that they alone have cost."""
    model, whole = pulp.LpProblem(rule, pulp.LpMaximize), problem.to_pulp()
    for row in whole.constraints():
        if row.name == rule or row.name.startswith(f"{rule}_"):
            model.addConstraint(row)
    slacks = [
        (variable, cost) for variable, cost in whole.objective.items() if variable.name.startswith(("over", "under"))
    ]
    model.setObjective(pulp.LpAffineExpression(slacks))
    model.writeLP(str(file))
    return file.read_text()


def test_golden(corner: Problem, tmp_path: Path) -> None:
    """The rows of each rule are what its golden LP file says; none is missing and none is left over."""
    texts = golden_texts(corner, tmp_path / "rule.lp")
    assert {file.stem for file in GOLDEN.glob("*.lp")} == set(texts)
    for name, text in texts.items():
        assert text == (GOLDEN / f"{name}.lp").read_text(), name


def test_every_rule_is_a_field_of_rules() -> None:
    """A rule has the same name everywhere, and those that may have a price are those that say what it is paid for."""
    names = {rule.name for rule in RULES}
    fields = set(Rules.__dataclass_fields__)
    assert names - {"core", "shelf"} <= fields
    assert {"core_min", "core_max", "core_groups"} <= fields
    assert {rule.name for rule in RULES if rule.unit} == set(SOFT) == set(_ENDS)


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
    for row in [*listed(problem), *delivered(problem), *(row for rule in RULES for row in rule.rows(problem))]:
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
def test_pulp_and_arrays_have_the_same_variables_and_costs(seed: int) -> None:
    """Each column of the arrays is a variable of PuLP with the same ends, kind and cost, and PuLP has no other pick."""
    problem = small_problem(seed)
    columns = columns_of(problem)
    model = problem.to_pulp()
    variables = {variable.name: variable for variable in model.variables() if variable.name[:2] not in ("u_", "q_")}
    assert set(variables) <= set(columns.names())
    costs = {variable.name: cost for variable, cost in model.objective.items()}
    rows = zip(columns.names(), columns.upper, columns.whole, costs_of(problem), strict=True)
    for name, upper, whole, cost in rows:
        if name not in variables:  # a supplier of nothing, which PuLP leaves out because no row has it
            assert name.startswith("d_") and cost == 0
            continue
        variable = variables[name]
        assert (variable.lowBound, variable.upBound) == (0, upper)
        assert (variable.cat == pulp.LpInteger) == whole
        assert costs.get(name, 0.0) == -cost


@given(st.integers(0, 10_000))
def test_rows_audit_and_sentences_agree(seed: int) -> None:
    """On any picks, the rows can hold exactly when the audit finds nothing, and when plain Python says so.

    What the variables beside the picks then have to cost is what the value has taken off.
    """
    problem = small_problem(seed)
    rng = np.random.default_rng(seed)
    carried = rng.random((problem.S, problem.N)) < rng.choice([0.3, 0.6, 0.9])
    if rng.random() < 0.5:
        carried[:] = carried[0]
    core = np.zeros_like(carried)
    for c in range(problem.C):
        stores = problem.core_group == c
        core[stores] = carried[stores].all(axis=0) & (rng.random(problem.N) < 0.7)
    cost = least_cost(problem, carried, core)
    broken = audit(problem, carried, core)
    assert (cost is not None) == (not broken) == obeys(problem, carried, core)
    assert all(violation.rule in {rule.name for rule in RULES} for violation in broken)
    if cost is not None:
        earned = float((problem.units(carried) * problem.worth).sum())
        assert earned - cost == pytest.approx(problem.value(carried, core), abs=1e-6)


def least_cost(problem: Problem, carried: np.ndarray, core: np.ndarray) -> float | None:
    """The least that picks can cost by the rows, or ``None`` where they break a row."""
    columns = columns_of(problem)
    rules = [row for rule in RULES for row in rule.rows(problem)]
    matrix, low, high = sparse_rows([*listed(problem), *delivered(problem), *rules], columns.count)
    by_group = [core[problem.core_group == c][0] for c in range(problem.C)]
    anywhere = [np.any(by_group, axis=0)] if problem.C > 1 else []
    picks = np.concatenate([carried.ravel(), *by_group, *anywhere, carried.any(axis=0)]).astype(float)
    ends = np.zeros(columns.count), columns.upper
    for end in ends:
        end[: columns.picks] = picks
    answer = LinearProgram(Polytope(matrix, low, high, *ends)).maximise(-costs_of(problem))
    return None if answer.columns is None else float(costs_of(problem) @ answer.columns)


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
