"""Linear rows: each rule of an assortment as inequalities over the variables of `Columns`, produced once, as data.

The PuLP model and the arrays for HiGHS are both made from these rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Ints
from assortment.optimiser.rules.columns import columns_of

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


@dataclass(frozen=True, eq=False)
class Row:
    """One inequality: low ≤ Σ coefficient × variable ≤ high, named ``<rule>_<store>_<product>`` by number."""

    name: str
    columns: Ints
    coefficients: Floats
    low: float
    high: float


def sparse_rows(rows: list[Row], count: int) -> tuple[sparse.csr_matrix, Floats, Floats]:
    """Return the matrix (rows × ``count`` variables) and the low and high ends of ``rows``."""
    starts = np.cumsum([0, *(len(row.columns) for row in rows)])
    columns = np.concatenate([row.columns for row in rows]) if rows else np.zeros(0, np.int64)
    values = np.concatenate([row.coefficients for row in rows]) if rows else np.zeros(0)
    matrix = sparse.csr_matrix((values, columns, starts), shape=(len(rows), count))
    return matrix, np.array([row.low for row in rows]), np.array([row.high for row in rows])


def listed(problem: Problem) -> Iterator[Row]:
    r"""Define z and a: :math:`x_{sj} \le z_j \le \sum_s x_{sj}` and :math:`y_{cj} \le a_j \le \sum_c y_{cj}`."""
    columns = columns_of(problem)
    z = columns.z()
    for s in range(columns.S):
        for j, x in enumerate(columns.x(s)):
            yield _row(f"listed_{s}_{j}", [x, z[j]], [1, -1], high=0)
    for j in range(columns.N):
        stores = np.arange(columns.S) * columns.N + j
        yield _row(f"listed_{j}", [z[j], *stores], [1, *-np.ones(columns.S)], high=0)
    yield from listed_core(problem)


def listed_core(problem: Problem) -> Iterator[Row]:
    """Yield the rows of ``listed`` that define a; there are none where there is one core group."""
    columns = columns_of(problem)
    for j, a in enumerate(columns.a() if columns.C > 1 else ()):
        groups = np.array([columns.y(c)[j] for c in range(columns.C)])
        yield _row(f"listed_core_{j}", [a, *groups], [1, *-np.ones(columns.C)], high=0)
        for c, y in enumerate(groups):
            yield _row(f"listed_core_{c}_{j}", [y, a], [1, -1], high=0)


def delivered(problem: Problem) -> Iterator[Row]:
    r"""Define d: :math:`x_{sj} \le d_{sf}` for each product j that supplier f delivers, where that costs something."""
    columns = columns_of(problem)
    for s in range(columns.S):
        d = columns.d(s)
        for j, f in enumerate(problem.supplier_of):
            if f >= 0 and problem.delivery_cost[s, f] > 0:
                yield _row(f"delivered_{s}_{f}_{j}", [columns.x(s)[j], d[f]], [1, -1], high=0)


def softened(problem: Problem, rows: Iterator[Row]) -> Iterator[Row]:
    """Yield each end of ``rows`` as a row of its own with its slack: low ≤ Σ + under, Σ - over ≤ high."""
    slack_at = columns_of(problem).slack_at
    for row in rows:
        both = np.isfinite(row.low) and np.isfinite(row.high)
        for over, sign, end in ((False, 1.0, "least"), (True, -1.0, "most")):
            if (row.name, over) in slack_at:
                numbers = np.append(row.columns, slack_at[row.name, over])
                low, high = (-np.inf, row.high) if over else (row.low, np.inf)
                yield Row(
                    f"{row.name}_{end}" if both else row.name, numbers, np.append(row.coefficients, sign), low, high
                )


def core(problem: Problem) -> Iterator[Row]:
    r""":math:`y_{c(s)j} \le x_{sj}` and :math:`core\_min \le \sum_j y_{cj} \le core\_max`."""
    columns = columns_of(problem)
    for s, c in enumerate(problem.core_group):
        for j, (x, y) in enumerate(zip(columns.x(s), columns.y(int(c)), strict=True)):
            yield _row(f"core_{s}_{j}", [y, x], [1, -1], high=0)
    yield from core_count(problem)


def core_count(problem: Problem) -> Iterator[Row]:
    """Yield the rows of ``core`` that count; they do not touch the stores."""
    columns, rules = columns_of(problem), problem.rules
    if rules.core_min > 0 or rules.core_max is not None:
        for c in range(columns.C):
            yield _row(f"core_count_{c}", columns.y(c), low=rules.core_min, high=rules.core_max)


def shelf(problem: Problem) -> Iterator[Row]:
    r""":math:`\sum_j space_{sj} x_{sj} \le shelf_s`."""
    columns = columns_of(problem)
    for s in range(columns.S):
        yield _row(f"shelf_{s}", columns.x(s), problem.space_cm[s], high=problem.shelf_cm[s])


def allowed(problem: Problem) -> Iterator[Row]:
    r""":math:`x_{sj} \le 0` where product j may not stand in store s."""
    columns = columns_of(problem)
    for s, j in np.argwhere(~problem.allowed):
        yield _row(f"allowed_{s}_{j}", [columns.x(s)[j]], high=0)


def required(problem: Problem) -> Iterator[Row]:
    r""":math:`x_{sj} \ge 1` where product j must stand in store s."""
    columns = columns_of(problem)
    for s, j in np.argwhere(problem.required):
        yield _row(f"required_{s}_{j}", [columns.x(s)[j]], low=1)


def groups(problem: Problem) -> Iterator[Row]:
    r""":math:`least_g \le \sum_{j \in g} x_{sj} \le most_g`."""
    columns = columns_of(problem)
    for g, group in enumerate(problem.rules.groups):
        if group.least is None and group.most is None:
            continue
        for s in range(columns.S):
            yield _row(f"groups_{g}_{s}", columns.x(s)[group.members], low=group.least, high=group.most)


def products_max(problem: Problem) -> Iterator[Row]:
    r""":math:`\sum_j z_j \le products\_max`."""
    if problem.rules.products_max is not None:
        yield _row("products_max", columns_of(problem).z(), high=problem.rules.products_max)


def local_products_max(problem: Problem) -> Iterator[Row]:
    r""":math:`\sum_j (z_j - a_j) \le local\_products\_max`."""
    if problem.rules.local_products_max is not None:
        columns = columns_of(problem)
        ones = np.ones(columns.N)
        both = np.concatenate([columns.z(), columns.a()])
        yield _row("local_products_max", both, np.r_[ones, -ones], high=problem.rules.local_products_max)


def local_min_stores(problem: Problem) -> Iterator[Row]:
    r""":math:`\sum_s x_{sj} \ge M_j (z_j - a_j)`."""
    if problem.rules.local_min_stores is None:
        return
    columns = columns_of(problem)
    for j, (z, a) in enumerate(zip(columns.z(), columns.a(), strict=True)):
        stores = np.arange(columns.S) * columns.N + j
        least = problem.min_stores[j]
        yield _row(f"local_min_stores_{j}", [*stores, z, a], [*np.ones(columns.S), -least, least], low=0)


def local_per_store(problem: Problem) -> Iterator[Row]:
    r""":math:`least \le \sum_j (x_{sj} - y_{c(s)j}) \le most`."""
    least, most = problem.rules.local_per_store
    if least is None and most is None:
        return
    columns = columns_of(problem)
    ones = np.ones(columns.N)
    for s, c in enumerate(problem.core_group):
        both = np.concatenate([columns.x(s), columns.y(int(c))])
        yield _row(f"local_per_store_{s}", both, np.r_[ones, -ones], low=least, high=most)


def local_share(problem: Problem) -> Iterator[Row]:
    r""":math:`least \sum_j x_{sj} \le \sum_j (x_{sj} - y_{c(s)j}) \le most \sum_j x_{sj}`, all on one side."""
    columns = columns_of(problem)
    ones = np.ones(columns.N)
    least, most = problem.rules.local_share
    for s, c in enumerate(problem.core_group):
        both = np.concatenate([columns.x(s), columns.y(int(c))])
        if least is not None:
            yield _row(f"local_share_least_{s}", both, np.r_[(1 - least) * ones, -ones], low=0)
        if most is not None:
            yield _row(f"local_share_most_{s}", both, np.r_[(1 - most) * ones, -ones], high=0)


def changes_max(problem: Problem) -> Iterator[Row]:
    r""":math:`\sum_{j \notin today} x_{sj} + \sum_{j \in today} (1 - x_{sj}) \le changes\_max_s`."""
    if problem.changes_max is None:
        return
    columns, today = columns_of(problem), problem.rules.today
    assert today is not None
    for s in range(columns.S):
        sign = np.where(today[s], -1.0, 1.0)
        yield _row(f"changes_max_{s}", columns.x(s), sign, high=int(problem.changes_max[s] - today[s].sum()))


def assortments_max(problem: Problem) -> Iterator[Row]:
    r""":math:`\sum_t g_{tt} \le assortments\_max`, :math:`\sum_{t \le s} g_{st} = 1`, :math:`g_{st} \le g_{tt}` and
    :math:`|x_{sj} - x_{tj}| \le 1 - g_{st}`: each store carries what the first of its kind carries.
    """
    most = problem.rules.assortments_max
    if most is None:
        return
    columns = columns_of(problem)
    yield _row("assortments_max", [columns.g(t)[t] for t in range(columns.S)], high=most)
    for s in range(columns.S):
        yield _row(f"assortments_max_{s}", columns.g(s), low=1, high=1)
        for t, g in enumerate(columns.g(s)[:-1]):
            yield _row(f"assortments_max_{s}_{t}", [g, columns.g(t)[t]], [1, -1], high=0)
            for j, (mine, theirs) in enumerate(zip(columns.x(s), columns.x(t), strict=True)):
                yield _row(f"assortments_max_{s}_{t}_{j}_more", [mine, theirs, g], [1, -1, 1], high=1)
                yield _row(f"assortments_max_{s}_{t}_{j}_less", [theirs, mine, g], [1, -1, 1], high=1)


def _row(
    name: str,
    columns: Ints | list[int],
    coefficients: Floats | list[float] | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Row:
    numbers = np.asarray(columns, np.int64)
    values = np.ones(len(numbers)) if coefficients is None else np.asarray(coefficients, np.float64)
    kept = values != 0
    least, most = -np.inf if low is None else float(low), np.inf if high is None else float(high)
    return Row(name, numbers[kept], values[kept], least, most)
