"""A proven bound on what one store can earn: all assortments of a small store, else relax, tighten and branch."""

from __future__ import annotations

import dataclasses
import heapq
from dataclasses import dataclass

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.store.box_programme import BoxProgramme
from assortment.optimiser.store.compact import OUTWARD, ROUNDING, Box, Compact
from assortment.optimiser.store.store import Store

_FEW_PRODUCTS = 10
_ROOT_ROUNDS = 6
_NODE_ROUNDS = 1
_WHOLE = 1e-6
_EXPLAINS = 0.5


@dataclass(frozen=True, eq=False)
class StoreBound:
    """What a store can earn at most.

    Parameters
    ----------
    bound
        No assortment of the store earns more.
    carried
        The best assortment known, (N,).
    closed
        Whether the bound is within the tolerance of that assortment's value.
    nodes
        Boxes looked at.
    """

    bound: float
    carried: Mask
    closed: bool
    nodes: int


def prove(store: Store, carried: Mask, tolerance: float, *, nodes: int) -> StoreBound:
    """Bound the value of ``store`` from above.

    Parameters
    ----------
    store
        The store.
    carried
        The best assortment known, (N,); it must obey the store's rules.
    tolerance
        The bound is not pushed below the value of the best assortment plus this.
    nodes
        Most boxes to look at. A store with few free products is looked through instead, assortment by assortment.
    """
    if int((store.may & ~store.must).sum()) <= _FEW_PRODUCTS:
        return look_through(store)
    return branch(store, carried, tolerance, nodes=nodes)


def look_through(store: Store) -> StoreBound:
    """Return the best of all assortments of a store that can carry at least one, and its value as the bound."""
    free = np.flatnonzero(store.may & ~store.must)
    picks = np.tile(store.must, (2 ** len(free), 1))
    picks[:, free] = (np.arange(2 ** len(free))[:, None] >> np.arange(len(free))) & 1
    sums = picks @ store.matrix.T
    fits = ((sums <= store.high + store.tolerance) & (sums >= store.low - store.tolerance)).all(axis=1)
    total = 1 + picks @ store.pull.T
    values = (picks @ store.earned.T / total) @ store.weight - picks @ store.cost
    values -= store.charges.of_each(picks)
    best = int(np.where(fits, values, -np.inf).argmax())
    size = store.weight.sum() * np.abs(store.worth).max() + np.abs(store.cost).sum() + store.charges.most
    return StoreBound(float(values[best] + ROUNDING * size), picks[best], closed=True, nodes=len(picks))


def branch(store: Store, carried: Mask, tolerance: float, *, nodes: int) -> StoreBound:
    """Bound the value of a store by relaxation, tightening and branching; parameters as for `prove`."""
    compact = Compact(store, carried)
    boxes = _Boxes(compact)
    best, value = carried, store.value(carried)
    count, root = 0, compact.root()
    open_boxes: list[tuple[float, int, Box]] = [(-trivial_bound(store), 0, root)]
    while open_boxes and count < nodes and -open_boxes[0][0] > value + tolerance:
        bound, _, box = heapq.heappop(open_boxes)
        count += 1
        node = boxes.tighten(box, value + tolerance, -bound, _ROOT_ROUNDS if count == 1 else _NODE_ROUNDS)
        found = node.found
        if found is not None and store.value(found) > value:
            best, value = found, store.value(found)
        for i, child in enumerate(node.children):
            heapq.heappush(open_boxes, (-node.bound, 2 * count + i, child))
    # Boxes were tightened with "more than the cut-off", so they never prove less than it.
    top = max((-item[0] for item in open_boxes), default=-np.inf)
    reached = max(value + tolerance, top)
    return StoreBound(min(reached, trivial_bound(store)), best, top <= value + tolerance, count)


def trivial_bound(store: Store) -> float:
    """Return a bound that needs no programme: every occasion buys the best product, only paid listings are made."""
    best = np.where(store.may, store.worth, 0.0).max(initial=0.0)
    paid = np.where(store.must, -store.cost, np.maximum(0.0, -store.cost))[store.may | store.must].sum()
    return float((store.weight.sum() * best + paid) + OUTWARD * (abs(best) * store.weight.sum() + abs(paid)))


@dataclass(frozen=True, eq=False)
class _Node:
    bound: float
    children: tuple[Box, ...]
    found: Mask | None


class _Boxes:
    """Bounds, tightens and splits the boxes of one store.

    Parameters
    ----------
    compact
        The store's relaxation.
    """

    def __init__(self, compact: Compact) -> None:
        self.compact = compact
        self.store = compact.store

    def tighten(self, box: Box, cutoff: float, bound: float, rounds: int) -> _Node:
        """Bound the box, tighten it by what must beat ``cutoff``, and split it when that does not close it."""
        for round_ in range(rounds + 1):
            if not (box.x_low < box.x_high).any():
                return self._leaf(box)
            if (box.x_low > box.x_high).any() or (box.t_low > box.t_high).any() or (box.n_low > box.n_high).any():
                return _Node(-np.inf, (), None)
            programme = BoxProgramme(self.compact, box)
            answer = programme.solve()
            proven, reduced = programme.bound(answer)
            bound = min(bound, proven)
            if bound <= cutoff or answer.columns is None:
                return _Node(bound, () if bound <= cutoff else self._halves(box), None)
            found = self._rounded(answer.columns)
            if found is not None and self.store.value(found) > cutoff:
                return _Node(bound, (box,), found)
            if round_ == rounds:
                return _Node(bound, self._split(box, answer.columns, bound - cutoff), found)
            before = box
            box = self.compact.follow(self._fix(box, reduced, proven, cutoff))
            box = programme.shrink(box, cutoff, bound)
            if not self._progress(before, box):
                return _Node(bound, self._split(box, answer.columns, bound - cutoff), found)
        raise AssertionError("the loop returns in its last round")

    def _leaf(self, box: Box) -> _Node:
        """Judge a box that holds one assortment by that assortment."""
        carried = box.x_low > 0.5
        if not self.store.fits(carried):
            return _Node(-np.inf, (), None)
        return _Node(self.store.value(carried), (), carried)

    def _fix(self, box: Box, reduced: Floats, proven: float, cutoff: float) -> Box:
        """Fix products whose other choice cannot beat the cut-off (reduced costs)."""
        slope = reduced[: self.compact.N]
        free = box.x_low < box.x_high
        never = free & (slope < 0) & (proven + slope <= cutoff)
        always = free & (slope > 0) & (proven - slope <= cutoff)
        return dataclasses.replace(box, x_high=np.where(never, 0.0, box.x_high), x_low=np.where(always, 1.0, box.x_low))

    def _progress(self, before: Box, after: Box) -> bool:
        error_before, error_after = self.compact.error(before), self.compact.error(after)
        fixed = ((after.x_high - after.x_low) < (before.x_high - before.x_low)).any()
        return bool(fixed or error_after.sum() < 0.9 * error_before.sum())

    def _rounded(self, columns: Floats) -> Mask | None:
        x = columns[: self.compact.N]
        carried = x > 0.5
        if np.abs(x - carried).max(initial=0.0) > _WHOLE or not self.store.fits(carried):
            return None
        return carried

    def _split(self, box: Box, columns: Floats, missing: float) -> tuple[Box, ...]:
        """Split the range of t of one class where that explains what is ``missing`` to the cut-off, else a product."""
        N, K = self.compact.N, self.compact.K
        x, t, n, p = columns[:N], columns[N : N + K], columns[N + K : N + 2 * K], columns[N + 3 * K :]
        wrong = self.store.weight * (p - n / np.maximum(t, OUTWARD))
        whole = np.minimum(x, 1 - x)
        if K and (wrong.max() > _EXPLAINS * missing or whole.max(initial=0.0) <= _WHOLE):
            k = int(wrong.argmax())
            low, high = box.t_low[k], box.t_high[k]
            if high - low > 1e-9 * high:
                # 1 + V may range over orders of size; halve those, not the difference.
                at = float(np.clip(t[k], low * (high / low) ** 0.2, low * (high / low) ** 0.8))
                return self._at(box, k, at)
        return self._halves(box, int(whole.argmax()))

    def _at(self, box: Box, k: int, at: float) -> tuple[Box, ...]:
        high, low = box.t_high.copy(), box.t_low.copy()
        high[k], low[k] = at, at
        return (dataclasses.replace(box, t_high=high), dataclasses.replace(box, t_low=low))

    def _halves(self, box: Box, j: int | None = None) -> tuple[Box, ...]:
        """Split on product ``j``, or on the free product that weighs most."""
        free = box.x_low < box.x_high
        if j is None or not free[j]:
            j = int(
                np.where(free, (self.store.weight @ self.compact.t_rows) if self.compact.K else 1.0, -np.inf).argmax()
            )
        high, low = box.x_high.copy(), box.x_low.copy()
        high[j], low[j] = 0.0, 1.0
        return (
            self.compact.follow(dataclasses.replace(box, x_high=high)),
            self.compact.follow(dataclasses.replace(box, x_low=low)),
        )
