"""Charges: what a store pays that is not the sum of what its products cost.

A supplier that delivers is paid once, however many of its products are carried; a rule with a price is paid for by each
unit by which it is broken. Both are linear once a column is added to a programme: d ≥ x for each product of the
supplier, low ≤ row·x + under, row·x - over ≤ high.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.rules.rows import Row
from assortment.optimiser.rules.rule import RULES
from assortment.optimiser.store.own_rows import dense, local_counts, store_of

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


@dataclass(frozen=True, eq=False)
class Charges:
    """Deliveries and rules with a price of one store.

    Parameters
    ----------
    supplier_of
        Number of the supplier of each product, (N,); -1 for none.
    delivery
        What each supplier costs once it delivers, (F,), ≥ 0.
    matrix, low, high
        The rows that may be broken, (R, N), (R,), (R,).
    price
        Per unit by which a row is broken, (R,), ≥ 0.
    rules
        The rule of each row.
    """

    supplier_of: Ints
    delivery: Floats
    matrix: Floats
    low: Floats
    high: Floats
    price: Floats
    rules: tuple[str, ...]

    @classmethod
    def none(cls, N: int) -> Charges:
        """Return the charges of a store that has none, for N products."""
        nothing = np.zeros(0)
        return cls(np.full(N, -1), nothing, np.zeros((0, N)), nothing, nothing, nothing, ())

    def __bool__(self) -> bool:
        return len(self.delivery) > 0 or len(self.price) > 0

    def of(self, carried: Mask) -> float:
        """Return what is paid with ``carried``, (N,)."""
        if not self:
            return 0.0
        present = self.supplier_of[carried]
        paid = self.delivery[np.unique(present[present >= 0])].sum()
        return float(paid + self.price @ self._broken((self.matrix @ carried)[:, None])[:, 0])

    @property
    def most(self) -> float:
        """What no assortment pays more than."""
        return float(self.cost @ self.upper)

    def of_each(self, picks: Mask) -> Floats:
        """Return what is paid with each of P assortments, (P, N) to (P,)."""
        paid: Floats = self.price @ self._broken(self.matrix @ picks.T)
        for f, cost in enumerate(self.delivery):
            paid = paid + cost * picks[:, self.supplier_of == f].any(axis=1)
        return paid

    def of_moves(self, carried: Mask, leaving: Ints, entering: Ints) -> Floats:
        """Return how what is paid changes when one product leaves and one enters, (1 + leaving, 1 + entering).

        Row and column 0 are for none.
        """
        L, E = len(leaving) + 1, len(entering) + 1
        change = np.zeros((L, E))
        if len(self.price):
            sums = self.matrix @ carried
            out = np.concatenate([np.zeros((len(sums), 1)), self.matrix[:, leaving]], axis=1)
            into = np.concatenate([np.zeros((len(sums), 1)), self.matrix[:, entering]], axis=1)
            moved = (sums[:, None, None] - out[:, :, None] + into[:, None, :]).reshape(len(sums), L * E)
            before = float(self.price @ self._broken(sums[:, None])[:, 0])
            change += (self.price @ self._broken(moved)).reshape(L, E) - before
        if len(self.delivery):
            change += self._deliveries(carried, leaving, entering)
        return change

    def _deliveries(self, carried: Mask, leaving: Ints, entering: Ints) -> Floats:
        """Return the part of the suppliers in ``of_moves``."""
        # A supplier of number F stands for none.
        F = len(self.delivery)
        supplier = np.where(self.supplier_of >= 0, self.supplier_of, F)
        cost = np.append(self.delivery, 0.0)
        products = np.bincount(supplier[carried], minlength=F + 1)
        from_, to = supplier[leaving], supplier[entering]
        saved = np.append(0.0, np.where(products[from_] == 1, cost[from_], 0.0))
        new = np.append(0.0, np.where(products[to] == 0, cost[to], 0.0))
        # What leaves as the last of a supplier and is replaced by one of the same saves nothing.
        same = np.append(-1, from_)[:, None] == np.append(-2, to)[None, :]
        return np.where(same, 0.0, new[None, :] - saved[:, None])

    @property
    def cost(self) -> Floats:
        """What each column beside x costs: d (F), under (R), over (R)."""
        return np.concatenate([self.delivery, self.price, self.price])

    @property
    def upper(self) -> Floats:
        """The high ends of d, under and over; their low ends are 0."""
        least, most = np.minimum(self.matrix, 0.0).sum(axis=1), np.maximum(self.matrix, 0.0).sum(axis=1)
        under = np.where(np.isfinite(self.low), np.maximum(0.0, self.low - least), 0.0)
        over = np.where(np.isfinite(self.high), np.maximum(0.0, most - self.high), 0.0)
        return np.concatenate([np.ones(len(self.delivery)), under, over])

    @property
    def rows(self) -> tuple[Floats, Floats, Floats]:
        """The rows over x, d, under and over: x ≤ d for each product that is delivered, row + under, row - over."""
        N, F, R = len(self.supplier_of), len(self.delivery), len(self.price)
        of = np.flatnonzero(self.supplier_of >= 0)
        ones, places = np.ones(len(of)), np.arange(len(of))
        pick = sparse.csr_matrix((ones, (places, of)), shape=(len(of), N))
        supplier = sparse.csr_matrix((-ones, (places, self.supplier_of[of])), shape=(len(of), F))
        row, one = sparse.csr_matrix(self.matrix), sparse.identity(R, format="csr")
        blocks = [[pick, supplier, None, None], [row, None, one, None], [row, None, None, -one]]
        free = np.full(R, np.inf)
        low, high = np.concatenate([np.full(len(of), -np.inf), self.low, -free]), np.r_[0 * ones, free, self.high]
        return sparse.csr_matrix(sparse.block_array(blocks)).toarray(), low, high

    def parts(self, before: Mask, after: Mask) -> Floats:
        """Return each product's part of what is paid more with ``after`` than with ``before``, (N,).

        The integral of the slope along the straight way from one to the other, as `Plan.changes` shares out all that
        changes. Rows rise or fall evenly on the way, so a row is broken on one stretch of it. A supplier is paid as
        much as its largest product is carried: until the last one leaves, from the first one that enters.
        """
        step = after.astype(float) - before
        start, rise = self.matrix @ before, self.matrix @ step
        over, under = _stretch(start - self.high, rise), _stretch(self.low - start, -rise)
        parts: Floats = step * ((self.price * (over - under)) @ self.matrix)
        for f, cost in enumerate(self.delivery):
            own = self.supplier_of == f
            if not (own & before & after).any():
                leaving, entering = own & before & ~after, own & after & ~before
                share = 0.5 if leaving.any() and entering.any() else 1.0
                parts[leaving] -= share * cost / max(1, leaving.sum())
                parts[entering] += share * cost / max(1, entering.sum())
        return parts

    def with_core(self, core: Mask, least: int | None, most: int | None) -> Charges:
        """Return the charges with a row of ``local_per_store`` that counts what is not ``core``, (N,)."""
        own = np.array([rule == "local_per_store" for rule in self.rules], bool)
        return replace(
            self,
            matrix=np.where(own[:, None], ~core, self.matrix),
            low=np.where(own, -np.inf if least is None else least, self.low),
            high=np.where(own, np.inf if most is None else most, self.high),
        )

    def counted(self, least: float, most: float) -> Charges:
        """Return the charges in which ``local_per_store`` asks for so many products, core included."""
        own = np.array([rule == "local_per_store" for rule in self.rules], bool)
        return replace(self, low=np.where(own, least, self.low), high=np.where(own, most, self.high))

    def _broken(self, sums: Floats) -> Floats:
        """Return by how much each row is broken at each column of its sums, (R, P)."""
        over = np.maximum(0.0, sums - self.high[:, None])
        under = np.maximum(0.0, self.low[:, None] - sums)
        broken: Floats = over + under
        return broken


def charges_of(problem: Problem) -> list[Charges]:
    """Return the charges of each store, for the least that a core of any size leaves to be paid."""
    soft = problem.rules.soft
    rows: list[list[tuple[str, Row]]] = [[] for _ in range(problem.S)]
    for rule in RULES:
        for row in rule.inequalities(problem) if rule.name in soft and not rule.couples else ():
            rows[store_of(problem, row)].append((rule.name, row))
    if "local_per_store" in soft:
        rules = problem.rules
        ends = local_counts(problem, rules.core_min, np.inf if rules.core_max is None else rules.core_max)
        for s, own in enumerate(rows):
            every = np.arange(s * problem.N, (s + 1) * problem.N)
            own.append(("local_per_store", Row("local_per_store", every, np.ones(problem.N), *ends)))
    return [_charges(problem, s, own) for s, own in enumerate(rows)]


def _charges(problem: Problem, s: int, rows: list[tuple[str, Row]]) -> Charges:
    matrix, low, high = dense(problem, s, [row for _, row in rows])
    paid = np.flatnonzero(problem.delivery_cost[s] > 0)
    number = np.full(problem.F + 1, -1)
    number[paid] = np.arange(len(paid))
    return Charges(
        supplier_of=number[problem.supplier_of],
        delivery=problem.delivery_cost[s, paid],
        matrix=matrix,
        low=low,
        high=high,
        price=np.array([problem.rules.soft[name] for name, _ in rows]),
        rules=tuple(name for name, _ in rows),
    )


def _stretch(start: Floats, rise: Floats) -> Floats:
    """Return on which part of the way from 0 to 1 start + way × rise is above 0, for each row."""
    with np.errstate(invalid="ignore", divide="ignore"):
        zero = np.clip(-start / rise, 0.0, 1.0)
    part: Floats = np.where(rise > 0, 1.0 - zero, np.where(rise < 0, zero, (start > 0).astype(float)))
    return np.where(np.isfinite(start), part, 0.0)
