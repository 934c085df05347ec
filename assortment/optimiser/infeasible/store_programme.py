"""StoreProgramme: whether one store can obey a choice of its rows, which stand in the way, and how little helps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.infeasible.store_rows import CARRIED, StoreRows
from assortment.optimiser.programme.linear import LinearProgram, Polytope

_ROUNDING = 4e-16
# Rows are scaled to a largest coefficient of 1; what they miss together must be more than any solver's tolerance.
SHORT = 1e-6
_NODES = 2_000
_NEAR = 1e-7


@dataclass(frozen=True, eq=False)
class Box:
    """Where a store's picks may lie: ``core`` ≤ x ≤ ``listed``, (N,), and ``count`` products of it are core.

    ``count`` is ``None`` where it is free.
    """

    core: Floats
    listed: Floats
    count: float | None

    @staticmethod
    def free(N: int) -> Box:
        """Return the box of a store that stands alone."""
        return Box(np.zeros(N), np.ones(N), None)


@dataclass(frozen=True, eq=False)
class Cut:
    """x · ``x`` + k · ``k`` ≤ ``most`` + given · ``weights``: what a store's rows, weighted and added up, say.

    ``given`` is by how much each row is relaxed, (M,). True for any weights of 0 or more.
    """

    weights: Floats
    x: Floats
    k: float
    most: float

    def excess(self, box: Box, given: Floats) -> float:
        """Return by how much the cut fails at least wherever x lies in ``box``; above 0 proves that no x does."""
        x = np.where(self.x > 0, self.x * box.core, self.x * box.listed)
        k = min(0.0, self.k * len(x)) if box.count is None else self.k * box.count
        right = self.most + float(self.weights @ given)
        size = np.abs(self.x).sum() + abs(self.k) * len(x) + abs(self.most) + np.abs(self.weights @ given)
        return float(x.sum() + k - right - _ROUNDING * (len(x) + len(self.weights)) * size)


@dataclass(frozen=True, eq=False)
class Least:
    """The least relaxation of some rows: ``given`` by row, (M,), what the store carries then and how much is core.

    ``proven`` says whether less was ruled out.
    """

    given: Floats
    carried: Mask
    core: int
    proven: bool


class StoreProgramme:
    """The rows of one store as a programme over x, k, one shortfall v that all rows share, and a relaxation u of each.

    Parameters
    ----------
    rows
        The rows.
    """

    def __init__(self, rows: StoreRows) -> None:
        largest = np.maximum(np.abs(rows.matrix).max(axis=1, initial=0.0), np.abs(rows.core))
        self.scale = np.where(largest > 0, largest, 1.0)
        self.parts = rows.parts
        # Sparse, because a chain has thousands of stores.
        self._matrix = sparse.csr_matrix(rows.matrix / self.scale[:, None])
        self._core = rows.core / self.scale
        self._most = rows.most / self.scale
        every = np.column_stack([rows.matrix, rows.core, rows.most])
        # Rows that whole picks miss by whole numbers.
        self._by_whole: Mask = (every == np.round(every)).all(axis=1)
        self.always: Mask = np.array([part == CARRIED for part in rows.parts])

    @property
    def scaled(self) -> tuple[sparse.csr_matrix, Floats]:
        """The coefficients of x, (M, N), and of k, (M,), each row divided by ``scale`` (M,)."""
        return self._matrix, self._core

    def most(self, on: Mask, given: Floats) -> Floats:
        """Return the right-hand sides of the scaled rows, ``given`` (M,) more, infinite where a row is not ``on``."""
        return np.where(on | self.always, self._most + given / self.scale, np.inf)

    @property
    def M(self) -> int:  # noqa: N802 - the field's letter
        """Number of rows."""
        return len(self.parts)

    @property
    def N(self) -> int:  # noqa: N802
        """Number of products."""
        return int(self._matrix.shape[1])

    @cached_property
    def every(self) -> Mask:
        """All rows, (M,)."""
        return np.ones(self.M, bool)

    @cached_property
    def unrelaxed(self) -> Floats:
        """No relaxation, (M,)."""
        return np.zeros(self.M)

    def box(self, core: Floats, listed: Floats) -> Box:
        """Return the box between core and listed products, (N,) each."""
        core = np.clip(core, 0.0, 1.0)
        return Box(core, np.maximum(core, np.clip(listed, 0.0, 1.0)), float(core.sum()))

    def cut(self, weights: Floats) -> Cut:
        """Return what the rows say when weighted and added up; ``weights`` (M,) of 0 or more, for the scaled rows."""
        relaxed = weights / self.scale
        return Cut(relaxed, weights @ self._matrix, float(weights @ self._core), float(weights @ self._most))

    def short(self, on: Mask, box: Box, given: Floats | None = None) -> tuple[Cut | None, Floats]:
        """Return the cut that shows that no x in ``box`` obeys the rows ``on``, or ``None``, and an x that comes near.

        A relaxation says nothing about whole picks: ``None`` does not mean that the store can obey.
        """
        given = self.unrelaxed if given is None else given
        self._bound(self._linear, box, shortfall=np.inf)
        self._open(self._linear, on, given)
        cost = np.zeros(self.N + 2 + self.M)
        cost[self.N + 1] = -1.0
        answer = self._linear.maximise(cost)
        if answer.columns is None or answer.duals is None:
            return None, np.zeros(self.N)
        weights = np.where(on | self.always, np.maximum(0.0, -answer.duals), 0.0)
        cut = self.cut(weights / max(1.0, float(weights.sum())))
        return (cut if cut.excess(box, given) > SHORT else None), answer.columns[: self.N]

    def picks(self, on: Mask, box: Box, given: Floats | None = None) -> tuple[Mask | None, bool]:
        """Return whole picks that obey the rows ``on`` and whether the answer is certain; ``None`` for none found."""
        given = self.unrelaxed if given is None else given
        cut, near = self.short(on, box, given)
        if cut is not None:
            return None, True
        for guess in (near > 0.5, near > 1 - _NEAR, near > _NEAR):
            if self.holds(guess, on, box, given):
                return guess, True
        return self.choose(on, box, np.zeros(self.N), given)

    def holds(self, carried: Mask, on: Mask, box: Box, given: Floats | None = None) -> bool:
        """Return whether ``carried`` (N,) obeys the rows ``on``, with a fitting number of core products if free."""
        given = self.unrelaxed if given is None else given
        if (carried < box.core - 0.5).any() or (carried > box.listed + 0.5).any():
            return False
        right = self._most + given / self.scale
        room = right + 1e-9 * np.maximum(1.0, np.abs(right)) - self._matrix @ carried
        on = on | self.always
        if box.count is not None:
            return bool((self._core * box.count <= room)[on].all())
        bound = on & (self._core != 0)
        ends = room[bound] / self._core[bound]
        least = np.ceil(max(0.0, float(ends[self._core[bound] < 0].max(initial=0.0))) - 1e-6)
        most = np.floor(float(ends[self._core[bound] > 0].min(initial=float(self.N))) + 1e-6)
        return bool((room[on & ~bound] >= 0).all() and least <= most)

    def least(self, on: Mask, soft: Mask, box: Box) -> tuple[Least | None, bool]:
        """Return the least relaxation of the rows ``soft``, in sum, under which the rows ``on`` can be obeyed.

        ``None`` when no relaxation of them helps; the second value says whether that is certain.
        """
        self._bound(self._linear, box, shortfall=0.0, soft=soft)
        self._open(self._linear, on | soft, self.unrelaxed)
        cost = np.zeros(self.N + 2 + self.M)
        cost[self.N + 2 :][soft] = -1.0
        answer = self._linear.maximise(cost)
        if answer.infeasible:
            return None, True
        rounded = None if answer.columns is None else self._rounded(answer.columns, on, soft, box)
        return self._whole_answer(on, soft, box) if rounded is None else (rounded, True)

    def choose(self, on: Mask, box: Box, gain: Floats, given: Floats | None = None) -> tuple[Mask | None, bool]:
        """Return whole picks that obey the rows ``on`` and gain much, ``gain`` (N,) each; see `picks`."""
        found, certain = self._whole_answer(on, np.zeros(self.M, bool), box, given=given, gain=gain)
        return (None, certain) if found is None else (found.carried, True)

    def _rounded(self, columns: Floats, on: Mask, soft: Mask, box: Box) -> Least | None:
        """Return whole picks near a fractional least that are known to be the least too, if rounding finds any."""
        least = float(columns[self.N + 2 :][soft].sum())
        if self._by_whole[soft].all():
            least = np.ceil(least - 1e-6)
        near = columns[: self.N]
        for picks in (near > 0.5, near > 1 - _NEAR, near > _NEAR):
            for k in dict.fromkeys((np.floor(columns[self.N] + _NEAR), np.ceil(columns[self.N] - _NEAR))):
                given = self._missed(picks, k, soft)
                fixed = Box(box.core, box.listed, float(k))
                if given.sum() <= least + _NEAR and self.holds(picks, on | soft, fixed, given):
                    return Least(given, picks, int(k), proven=True)
        return None

    def _whole_answer(
        self, on: Mask, soft: Mask, box: Box, *, given: Floats | None = None, gain: Floats | None = None
    ) -> tuple[Least | None, bool]:
        given = self.unrelaxed if given is None else given
        polytope = self._polytope(box, on | soft, given, soft)
        whole = np.arange(self.N + 2 + self.M) < self.N + 1
        cost = np.zeros(len(whole))
        cost[self.N + 2 :][soft] = -1.0
        if gain is not None:
            cost[: self.N] = gain
        answer = LinearProgram(polytope, whole=whole, nodes=_NODES, sure=True).maximise(cost)
        if answer.columns is None:
            return None, answer.infeasible
        proven = float(cost @ answer.columns) >= answer.bound - 1e-6 * max(1.0, abs(answer.bound))
        picks, k = answer.columns[: self.N] > 0.5, round(float(answer.columns[self.N]))
        return Least(self._missed(picks, k, soft), picks, k, proven), True

    def _missed(self, picks: Mask, k: float, soft: Mask) -> Floats:
        """Return by how much picks and their number of core products miss each of the rows ``soft``, (M,)."""
        over = (self._matrix @ picks + self._core * k - self._most) * self.scale
        return np.where(soft & (over > _NEAR), over, 0.0)

    def forget(self) -> None:
        """Let go of the solver, which is made again when it is needed: thousands of them fill a machine."""
        self.__dict__.pop("_linear", None)

    @cached_property
    def _linear(self) -> LinearProgram:
        return LinearProgram(self._polytope(Box.free(self.N), self.every, self.unrelaxed, np.zeros(self.M, bool)))

    def _polytope(self, box: Box, on: Mask, given: Floats, soft: Mask) -> Polytope:
        slack = -np.diag(1 / self.scale)
        matrix = np.hstack([self._matrix.toarray(), self._core[:, None], -np.ones((self.M, 1)), slack])
        lower, upper = self._ends(box, 0.0, soft)
        return Polytope(matrix, np.full(self.M, -np.inf), self.most(on, given), lower, upper)

    def _ends(self, box: Box, shortfall: float, soft: Mask) -> tuple[Floats, Floats]:
        low, high = (0.0, float(self.N)) if box.count is None else (box.count, box.count)
        lower = np.concatenate([box.core, [low, 0.0], np.zeros(self.M)])
        upper = np.concatenate([box.listed, [high, shortfall], np.where(soft, np.inf, 0.0)])
        return lower, np.maximum(lower, upper)

    def _bound(self, linear: LinearProgram, box: Box, *, shortfall: float, soft: Mask | None = None) -> None:
        linear.set_bounds(*self._ends(box, shortfall, np.zeros(self.M, bool) if soft is None else soft))

    def _open(self, linear: LinearProgram, on: Mask, given: Floats) -> None:
        linear.set_rows(np.full(self.M, -np.inf), self.most(on, given))
