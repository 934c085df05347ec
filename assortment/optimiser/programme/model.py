"""The reference model: the complete programme of a problem in PuLP, for people, small chains and other solvers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pulp

from assortment.optimiser.rules.columns import columns_of, costs_of
from assortment.optimiser.rules.rows import Row, delivered, listed
from assortment.optimiser.rules.rule import RULES

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


def reference_model(problem: Problem) -> pulp.LpProblem:
    r"""Return the mixed-integer linear programme of ``problem``, to be maximised.

    With v the attraction relative to buying nothing, :math:`u_{sk} = 1 / (1 + \sum_j v_{skj} x_{sj})` is the
    probability of buying nothing and :math:`q_{skj} = u_{sk} x_{sj}`, so that product j is bought with probability
    :math:`v_{skj} q_{skj}`:

    .. math::

        u_{sk} + \sum_j v_{skj} q_{skj} = 1, \quad L x \le q \le U x, \quad L (1 - x) \le u - q \le U (1 - x)

    where L and U are the least and the largest value that u can take. Rows of that definition are named ``purchase_…``,
    those that define z and a ``listed_…``, those that define d ``delivered_…``, all others after their rule. What the
    other variables are is told in `columns`.
    """
    columns = columns_of(problem)
    model = pulp.LpProblem("assortment", pulp.LpMaximize)
    picks = [
        # Plain floats: PuLP's comparisons raise on numpy scalars.
        model.add_variable(name, cat="Binary") if whole else model.add_variable(name, 0.0, float(most))
        for name, whole, most in zip(columns.names(), columns.whole, columns.upper, strict=True)
    ]
    objective = [(pick, -float(cost)) for pick, cost in zip(picks, costs_of(problem), strict=True) if cost]
    rows = [*listed(problem), *delivered(problem)]
    for rule in RULES:
        rows += rule.rows(problem)
    _add(model, rows, picks)
    for s in range(problem.S):
        for k in np.flatnonzero(problem.class_weight[s]):
            objective += _purchases(model, problem, s, int(k), [picks[i] for i in columns.x(s)])
    model.setObjective(pulp.LpAffineExpression(objective))
    return model


def _add(model: pulp.LpProblem, rows: list[Row], picks: list[pulp.LpVariable]) -> None:
    for row in rows:
        terms = [(picks[i], float(c)) for i, c in zip(row.columns, row.coefficients, strict=True)]
        expression = pulp.LpAffineExpression(terms)
        if row.low == row.high:
            model.addConstraint(pulp.LpConstraint(expression, pulp.LpConstraintEQ, row.name, row.low))
            continue
        # PuLP has no two-sided rows.
        both = np.isfinite(row.low) and np.isfinite(row.high)
        if np.isfinite(row.low):
            name = f"{row.name}_least" if both else row.name
            model.addConstraint(pulp.LpConstraint(expression, pulp.LpConstraintGE, name, row.low))
        if np.isfinite(row.high):
            name = f"{row.name}_most" if both else row.name
            model.addConstraint(pulp.LpConstraint(expression.copy(), pulp.LpConstraintLE, name, row.high))


def _purchases(
    model: pulp.LpProblem, problem: Problem, s: int, k: int, picks: list[pulp.LpVariable]
) -> list[tuple[pulp.LpVariable, float]]:
    """Add the definition of u and q of one store and class; return their terms of the objective."""
    pull = problem.attraction[s, k] / problem.no_purchase[s, k]
    low = float(1 / (1 + (pull * problem.allowed[s]).sum()))
    high = float(1 / (1 + (pull * (problem.required[s] & problem.allowed[s])).sum()))
    u = model.add_variable(f"u_{s}_{k}", low, high)
    one = [(u, 1.0)]
    terms = []
    for j in np.flatnonzero((pull > 0) & problem.allowed[s]):
        q, x = model.add_variable(f"q_{s}_{k}_{j}", 0, high), picks[j]
        one.append((q, float(pull[j])))
        terms.append((q, float(problem.class_weight[s, k] * problem.worth[s, j] * pull[j])))
        name = f"purchase_{s}_{k}_{j}"
        for row, sense, parts, right in (
            ("q_low", pulp.LpConstraintGE, [(q, 1.0), (x, -low)], 0.0),
            ("q_high", pulp.LpConstraintLE, [(q, 1.0), (x, -high)], 0.0),
            ("u_low", pulp.LpConstraintGE, [(u, 1.0), (q, -1.0), (x, low)], low),
            ("u_high", pulp.LpConstraintLE, [(u, 1.0), (q, -1.0), (x, high)], high),
        ):
            model.addConstraint(pulp.LpConstraint(pulp.LpAffineExpression(parts), sense, f"{name}_{row}", right))
    model.addConstraint(pulp.LpConstraint(pulp.LpAffineExpression(one), pulp.LpConstraintEQ, f"purchase_{s}_{k}", 1.0))
    return terms
