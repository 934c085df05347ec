"""The rows of single stores: which store a row is of, what the rules of the core imply for it, and rows as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.rules.rows import Row

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_TOLERANCE = 1e-9


def can_be_core(problem: Problem) -> Mask:
    """Return which products may stand in every store of a core group, (C, N)."""
    return np.array([problem.allowed[problem.core_group == c].all(axis=0) for c in range(problem.C)])


def store_of(problem: Problem, row: Row) -> int:
    """Return the number of the store that a row of a rule for single stores is of."""
    if len(row.columns):
        return int(row.columns[0]) // problem.N
    # A row without variables (a group none of whose products exist) still belongs to the store at the end of its name.
    return int(row.name.rsplit("_", 1)[1])


def implied_rows(problem: Problem, s: int) -> list[Row]:
    """Rows that hold in every plan because of the core: it must fit, and local products come on top of it."""
    rules, N = problem.rules, problem.N
    offset = s * N
    rows = []
    if rules.core_min > 0:
        numbers = offset + np.flatnonzero(can_be_core(problem)[problem.core_group[s]])
        rows.append(Row("core", numbers, np.ones(len(numbers)), rules.core_min, np.inf))
    every = np.arange(offset, offset + N)
    most_core = np.inf if rules.core_max is None else rules.core_max
    for name, low, high in (
        ("local_per_store", *local_counts(problem, rules.core_min, most_core)),
        ("local_share", *share_counts(problem, rules.core_min, most_core)),
    ):
        if (low > 0 or high < N) and name not in rules.soft:
            rows.append(Row(name, every, np.ones(N), low, high))
    return rows


def local_counts(problem: Problem, least_core: float, most_core: float) -> tuple[float, float]:
    """Return how many products a store has at least and at most by ``local_per_store``, for a core of such a size."""
    least, most = problem.rules.local_per_store
    return (0 if least is None else least + least_core), (np.inf if most is None else most + most_core)


def share_counts(problem: Problem, least_core: float, most_core: float) -> tuple[float, float]:
    """Return how many products a store has at least and at most by ``local_share``, for a core of such a size.

    Of n products n - core are local: n - core ≥ least n, n - core ≤ most n.
    """
    least, most = problem.rules.local_share
    low, high = 0.0, np.inf
    if least is not None and least_core > 0:
        low = problem.N + 1.0 if least == 1 else float(np.ceil(least_core / (1 - least) - _TOLERANCE))
    if most is not None and most < 1 and np.isfinite(most_core):
        high = float(np.floor(most_core / (1 - most) + _TOLERANCE))
    return low, high


def dense(problem: Problem, s: int, rows: list[Row]) -> tuple[Floats, Floats, Floats]:
    """Return rows over the products of store ``s`` as a matrix, (M, N), and their low and high ends, (M,) each."""
    matrix = np.zeros((len(rows), problem.N))
    for i, row in enumerate(rows):
        matrix[i, row.columns - s * problem.N] = row.coefficients
    return matrix, np.array([row.low for row in rows]), np.array([row.high for row in rows])
