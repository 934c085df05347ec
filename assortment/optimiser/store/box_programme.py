"""The linear programme of a store's compact form over a box: it proposes duals, which `Box` turns into bounds.

Variables: the free products x (n); per class t (scaled 1 + V), e (what it earns above the incumbent's rate: scaled
R − rate·t) and p (what it earns per occasion above that rate); the columns w of the store's charges. Nothing here needs
to be exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.programme.linear import Answer, LinearProgram, Polytope, packed
from assortment.optimiser.store.compact import Box, Duals

_TINY = 1e-300
# HiGHS takes no larger coefficients.
_LARGE = 1e14
# How many tangents a class starts with.
_TANGENTS = 4


@dataclass(frozen=True, eq=False)
class Point:
    """A solution: the free products x, (n,); t and the shortfall, (K,); how far p lies above the envelope, in money."""

    x: Floats
    t: Floats
    short: Floats
    above: Floats


class BoxProgramme:
    """The linear programme over one box.

    Parameters
    ----------
    box
        The box.
    rate
        What each class earns per occasion at the incumbent, (K,).
    slopes
        Of the tangents to begin with, (n, K), near 1/t of the solutions to be expected.
    cutoff
        What `extreme` asks to be beaten.
    """

    def __init__(self, box: Box, rate: Floats, slopes: Floats, cutoff: float) -> None:
        self.box, self.rate = box, rate
        fold, compact, store = box.fold, box.fold.compact, box.fold.compact.store
        n, K = len(fold.free), compact.K
        self.n, self.K = n, K
        self.gap = box.mark - rate
        self._slopes = np.zeros((0, K))
        matrix = compact.rows[:, fold.free]
        low, high = compact.low - fold.sums, compact.high - fold.sums
        # Rows that no choice of the free products can break are left out.
        least = np.minimum(matrix, 0.0).sum(axis=1) + np.minimum(compact.beside, 0.0) @ compact.most
        most = np.maximum(matrix, 0.0).sum(axis=1) + np.maximum(compact.beside, 0.0) @ compact.most
        breakable = (most > high) | (least < low)
        self._side = np.flatnonzero(breakable)
        M = len(self._side)
        self._cut, self._range, self._tangent = M + 2 * K, M + 2 * K + 1, M + 3 * K + 1
        self.objective = np.concatenate([-fold.cost, np.zeros(2 * K), store.weight, -compact.charge])
        self._scale = max(np.abs(self.objective).max(initial=0.0), _TINY)
        self._target = (cutoff - float(store.weight @ rate) + fold.paid) / self._scale
        rows, ends = np.zeros((self._tangent, len(self.objective))), np.empty((2, self._tangent))
        one, products = np.eye(K), slice(0, n)
        t, e, p = (slice(n + i * K, n + (i + 1) * K) for i in range(3))
        w = slice(n + 3 * K, None)
        rows[:M, products], rows[:M, w] = matrix[self._side], compact.beside[self._side]
        ends[:, :M] = low[self._side], high[self._side]
        at = slice(M, M + K)
        rows[at, products], rows[at, t], ends[:, at] = -fold.pull, one, fold.t
        at = slice(M + K, M + 2 * K)
        rows[at, products], rows[at, e] = fold.pull * rate[:, None] - fold.earned, one
        ends[:, at] = fold.income - rate * fold.t
        rows[self._cut], ends[:, self._cut] = self.objective / self._scale, (-np.inf, np.inf)
        at = slice(self._range, self._tangent)
        rows[at, t], rows[at, e], ends[:, at] = one * self.gap, -one, (box.low, box.high)
        tangents, tops = self._tangents(slopes, np.ones(slopes.shape, bool))
        ends = np.hstack([ends, [np.full(len(tops), -np.inf), tops]])
        lower, upper = np.full(len(self.objective), -np.inf), np.full(len(self.objective), np.inf)
        lower[products], upper[products] = 0.0, 1.0
        lower[w], upper[w], upper[p] = 0.0, compact.most, self.gap
        self._bounds = lower, upper
        matrix = packed(np.clip(np.vstack([rows, tangents]), -_LARGE, _LARGE))
        self._programme = LinearProgram(Polytope(matrix, ends[0], ends[1], lower, upper))

    def solve(self) -> Answer:
        """Maximise the store's value over the box."""
        return self._programme.maximise(self.objective)

    def value(self, answer: Answer) -> float:
        """Return the value of the solution of ``answer``, which must have one; not safe against rounding."""
        assert answer.columns is not None
        paid = float(self.box.fold.compact.store.weight @ self.rate) - self.box.fold.paid
        return float(self.objective @ answer.columns) + paid

    def refine(self, point: Point, worth_it: float) -> bool:
        """Add tangents at ``point`` to classes off there by more than ``worth_it``; return whether there was one."""
        chosen = (point.above > worth_it)[None]
        if not chosen.any():
            return False
        matrix, tops = self._tangents(self.slopes_at([point]), chosen)
        self._programme.add_rows(packed(np.clip(matrix, -_LARGE, _LARGE)), np.full(len(tops), -np.inf), tops)
        return True

    def demand(self, box: Box) -> None:
        """Ask from now on for more than the cut-off, and for the products that ``box`` has folded since."""
        self._programme.set_row(self._cut, self._target, np.inf)
        if len(box.fold.free) < self.n:
            lower, upper = (end.copy() for end in self._bounds)
            free = self.box.fold.free
            lower[: self.n], upper[: self.n] = box.fold.ones[free], ~box.fold.zeros[free]
            self._programme.set_bounds(lower, upper)

    def extreme(self, k: int, gap: float, sign: float) -> tuple[Answer, float]:
        """Maximise ``sign`` times the shortfall of class ``k`` from a mark ``gap`` above its rate; also the maximum."""
        cost = np.zeros(len(self.objective))
        cost[self.n + k], cost[self.n + self.K + k] = sign * gap, -sign
        answer = self._programme.maximise(cost)
        return answer, np.inf if answer.columns is None else float(cost @ answer.columns)

    def duals(self, answer: Answer, *, objective: bool = False, sign: float = 1.0) -> Duals:
        """Return the duals of ``answer``; ``objective``: of `solve`, ``sign``: -1 for a negated ray."""
        compact = self.box.fold.compact
        found = Duals.none(1, self.K, compact.M)
        if answer.duals is None:
            return found
        # HiGHS minimises: its duals change sign.
        raw = -sign * answer.duals
        found.rows[0, self._side] = raw[: len(self._side)]
        found.money[0] = 1.0 if objective else -raw[self._cut] / self._scale
        found.ends[0] = raw[self._range : self._tangent]
        by_tangent = np.zeros(self._slopes.shape)
        by_tangent[~np.isnan(self._slopes)] = np.maximum(raw[self._tangent :], 0.0)
        # The mean of tangents lies under the tangent of mean slope; the end of p is a tangent without slope.
        weighed, total = (by_tangent * np.nan_to_num(self._slopes)).sum(axis=0), found.money[0] * compact.store.weight
        found.slope[0] = np.divide(weighed, total, out=np.zeros(self.K), where=total > 0)
        return found

    def point(self, answer: Answer) -> Point:
        """Return the solution of ``answer``, which must have one."""
        assert answer.columns is not None
        n, K, columns = self.n, self.K, answer.columns
        t, e, p = (columns[n + i * K : n + (i + 1) * K] for i in range(3))
        # What torture makes of a solution is brought back to where it can be.
        box = self.box
        t = np.clip(t, box.fold.t, box.fold.t + box.fold.pull.sum(axis=1))
        short = np.clip(self.gap * t - e, box.low, np.maximum(box.low, box.high))
        above = p - self.gap + self._root(short) ** 2 / t
        return Point(columns[:n], t, short, box.fold.compact.store.weight * above)

    def slopes_at(self, points: Iterable[Point]) -> Floats:
        """Return the slopes of the envelope at points, (points, K)."""
        width = np.maximum(np.sqrt(self.box.low) + np.sqrt(self.box.high), _TINY)
        return np.array([2 * self._root(point.short) / (point.t * width) for point in points])

    def _root(self, short: Floats) -> Floats:
        """Return the root of envelope times t at a shortfall, (K,)."""
        low, high = np.sqrt(self.box.low), np.sqrt(self.box.high)
        root: Floats = np.maximum(short + low * high, 0.0) / np.maximum(low + high, _TINY)
        return root

    def _tangents(self, slopes: Floats, chosen: Mask) -> tuple[Floats, Floats]:
        """Return rows and right-hand sides of tangents: p ≤ gap − slope·short + curve·t − level."""
        n, K = self.n, self.K
        numbers, classes = np.nonzero(chosen)
        self._slopes = np.vstack([self._slopes, np.where(chosen, slopes, np.nan)])
        curve, level = self.box.tangents(slopes)
        rows, at = np.zeros((len(classes), len(self.objective))), np.arange(len(classes))
        slope, curve = slopes[numbers, classes], curve[numbers, classes]
        rows[at, n + 2 * K + classes] = 1
        rows[at, n + classes] = slope * self.gap[classes] - curve
        rows[at, n + K + classes] = -slope
        return rows, self.gap[classes] - level[numbers, classes]


def first_slopes(box: Box) -> Floats:
    """Return slopes to begin with when no solution is known, (n, K)."""
    fold = box.fold
    return np.geomspace(1 / (fold.t + fold.pull.sum(axis=1)), 1 / fold.t, _TANGENTS)


def spread_slopes(slopes: Floats) -> Floats:
    """Return few slopes over the range of those at known solutions, (points, K), and the first of them."""
    low, high = np.maximum(slopes.min(axis=0), 1e-3), np.maximum(slopes.max(axis=0), 2e-3)
    return np.vstack([np.geomspace(low, high * 1.0001, _TANGENTS), np.maximum(slopes[0], 1e-3)])
