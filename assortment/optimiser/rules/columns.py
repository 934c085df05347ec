"""Columns: one numbering of all variables of a problem, with their ends and what each costs per week.

x[s,j] store s carries product j; y[c,j] product j is core of core group c; a[j] product j is core of some group (the
same as y when there is one group); z[j] product j is listed. These are 0 or 1. The others lie between 0 and an end of
their own and are whole of themselves once x, y, a and z are: a slack by which a rule with a price is broken; d[s,f]
supplier f delivers to store s; g[s,t] store s carries what store t ≤ s carries, g[t,t] store t is the first to do so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from assortment.optimiser.arrays import Floats, Ints, Mask

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


@dataclass(frozen=True)
class Slack:
    """A variable by which one end of a row may be passed, for a price.

    Parameters
    ----------
    row
        Name of the row.
    over
        Whether the row's high end may be passed; else its low end.
    price
        Per week and unit.
    most
        By how much it can be passed at most.
    store, product
        Numbers of the store and the product that the row is about; -1 for none.
    """

    row: str
    over: bool
    price: float
    most: float
    store: int = -1
    product: int = -1

    @property
    def name(self) -> str:
        """Name of the variable: its row's, and which way."""
        return f"{'over' if self.over else 'under'}_{self.row}"


@dataclass(frozen=True, eq=False)
class Columns:
    """The numbering of the variables; blocks in the order of the fields' letters: x y a z, slacks, d, g.

    Parameters
    ----------
    S, C, N
        Stores, core groups, products.
    F
        Suppliers whose delivery costs something.
    shares
        Whether stores may have to share assortments, so that g is there.
    slacks
        Those of the chain before those of single stores.
    """

    S: int
    C: int
    N: int
    F: int = 0
    shares: bool = False
    slacks: tuple[Slack, ...] = ()

    def x(self, s: int) -> Ints:
        """Return the numbers of x[s, all products]."""
        return np.arange(s * self.N, (s + 1) * self.N)

    def y(self, c: int) -> Ints:
        """Return the numbers of y[c, all products]."""
        return self.S * self.N + np.arange(c * self.N, (c + 1) * self.N)

    def a(self) -> Ints:
        """Return the numbers of a[all products]; those of y[0, …] when there is one core group."""
        return self.y(0) if self.C == 1 else self.y(self.C)

    def z(self) -> Ints:
        """Return the numbers of z[all products]."""
        return self.y(self.C + (self.C > 1))

    @property
    def picks(self) -> int:
        """How many variables are 0 or 1 by declaration: x, y, a and z, which come first."""
        return self.S * self.N + (self.C + (self.C > 1) + 1) * self.N

    @property
    def shared(self) -> slice:
        """The numbers of what belongs to no single store: y, a, z and the slacks of the chain."""
        return slice(self.S * self.N, self.picks + sum(slack.store < 0 for slack in self.slacks))

    @cached_property
    def slack_at(self) -> dict[tuple[str, bool], int]:
        """The number of each slack, by the name of its row and whether it passes the high end."""
        return {(slack.row, slack.over): self.picks + i for i, slack in enumerate(self.slacks)}

    def d(self, s: int) -> Ints:
        """Return the numbers of d[s, all suppliers]."""
        return self.picks + len(self.slacks) + np.arange(s * self.F, (s + 1) * self.F)

    def g(self, s: int) -> Ints:
        """Return the numbers of g[s, stores 0 … s]."""
        start = self.picks + len(self.slacks) + self.S * self.F + s * (s + 1) // 2
        return np.arange(start, start + s + 1)

    @property
    def count(self) -> int:
        """Number of variables."""
        shares = self.S * (self.S + 1) // 2 if self.shares else 0
        return self.picks + len(self.slacks) + self.S * self.F + shares

    @property
    def upper(self) -> Floats:
        """The high end of each variable; the low ends are 0."""
        upper = np.ones(self.count)
        upper[self.picks : self.picks + len(self.slacks)] = [slack.most for slack in self.slacks]
        return upper

    @property
    def whole(self) -> Mask:
        """Which variables must be declared whole."""
        whole: Mask = np.arange(self.count) < self.picks
        return whole

    def names(self) -> list[str]:
        """Return the name of every variable, by number, letters and figures only."""
        names = [f"x_{s}_{j}" for s in range(self.S) for j in range(self.N)]
        names += [f"y_{c}_{j}" for c in range(self.C) for j in range(self.N)]
        names += [f"a_{j}" for j in range(self.N) if self.C > 1]
        names += [f"z_{j}" for j in range(self.N)]
        names += [slack.name for slack in self.slacks]
        names += [f"d_{s}_{f}" for s in range(self.S) for f in range(self.F)]
        return names + [f"g_{s}_{t}" for s in range(self.S) for t in range(s + 1) if self.shares]


def columns_of(problem: Problem) -> Columns:
    """Return the numbering of the variables of ``problem``, made once."""
    return problem.columns


def numbered(problem: Problem) -> Columns:
    """Number the variables of ``problem``."""
    slacks = tuple(sorted(_slacks(problem), key=lambda slack: slack.store >= 0))
    shares = problem.rules.assortments_max is not None
    return Columns(problem.S, problem.C, problem.N, problem.F, shares, slacks)


def costs_of(problem: Problem) -> Floats:
    """Return what each variable costs per week, in the numbering of ``columns_of``."""
    columns = columns_of(problem)
    cost = np.zeros(columns.count)
    cost[: problem.S * problem.N] = problem.listing_cost.ravel()
    cost[columns.z()] = problem.product_cost + problem.local_product_cost
    # What is core somewhere does not pay for being local.
    cost[columns.a()] -= problem.local_product_cost
    cost[columns.picks : columns.picks + len(columns.slacks)] = [slack.price for slack in columns.slacks]
    for s in range(problem.S):
        cost[columns.d(s)] = problem.delivery_cost[s]
    return cost


def _slacks(problem: Problem) -> Iterator[Slack]:
    """Yield a slack for each end of each row of the rules that have a price, named after the row."""
    for name, price in problem.rules.soft.items():
        for row, over, most, store, product in _ENDS[name](problem):
            yield Slack(row, over, price, most, store, product)


# Name of the row, whether it is the high end, by how much it can be passed, number of the store and of the product.
_End: TypeAlias = tuple[str, bool, float, int, int]


def _shelf(problem: Problem) -> Iterator[_End]:
    for s, room in enumerate(problem.shelf_cm):
        yield f"shelf_{s}", True, max(0.0, float(problem.space_cm[s].sum() - room)), s, -1


def _groups(problem: Problem) -> Iterator[_End]:
    for g, group in enumerate(problem.rules.groups):
        for s in range(problem.S):
            yield from _ends(problem, f"groups_{g}_{s}", group.least, group.most, s)


def _local_per_store(problem: Problem) -> Iterator[_End]:
    for s in range(problem.S):
        yield from _ends(problem, f"local_per_store_{s}", *problem.rules.local_per_store, s)


def _changes_max(problem: Problem) -> Iterator[_End]:
    for s, most in enumerate(() if problem.changes_max is None else problem.changes_max):
        yield from _ends(problem, f"changes_max_{s}", None, int(most), s)


def _products_max(problem: Problem) -> Iterator[_End]:
    yield from _ends(problem, "products_max", None, problem.rules.products_max)


def _local_products_max(problem: Problem) -> Iterator[_End]:
    yield from _ends(problem, "local_products_max", None, problem.rules.local_products_max)


def _local_min_stores(problem: Problem) -> Iterator[_End]:
    if problem.rules.local_min_stores is not None:
        for j, least in enumerate(problem.min_stores):
            yield f"local_min_stores_{j}", False, float(least), -1, j


def _ends(problem: Problem, row: str, least: int | None, most: int | None, store: int = -1) -> Iterator[_End]:
    """The ends of a row that counts products."""
    if least is not None:
        yield row, False, float(least), store, -1
    if most is not None:
        yield row, True, float(max(0, problem.N - most)), store, -1


_ENDS: dict[str, Callable[[Problem], Iterator[_End]]] = {
    "shelf": _shelf,
    "groups": _groups,
    "products_max": _products_max,
    "local_products_max": _local_products_max,
    "local_min_stores": _local_min_stores,
    "local_per_store": _local_per_store,
    "changes_max": _changes_max,
}
