"""The proof of one store's bound while it is made: programmes propose, the log's steps prove, boxes are split."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.programme.linear import Answer
from assortment.optimiser.store.box_programme import BoxProgramme, Point, first_slopes, spread_slopes
from assortment.optimiser.store.compact import Box, Compact, Duals, Fold
from assortment.optimiser.store.log import Branch, Kind, Split, Step, StoreLog, Walk
from assortment.optimiser.store.search import climb
from assortment.optimiser.store.store import Store
from assortment.optimiser.workers import Clock

# Rounds of narrowing: at the root, and in each later box.
_ROOT_ROUNDS = 20
_NODE_ROUNDS = 6
# A round is worth another when it takes this share of what is missing.
_PROGRESS = 0.15
# Tangents are added where they are off by so much of what is missing, so often at most.
_OFF = 0.3
_REFINEMENTS = 3
# Classes whose error is below this share of what is missing are not narrowed.
_WORTH_A_LOOK = 0.05
# How often a mark is raised when it turns out to lie below what the class can earn.
_AIMS = 3
# A class is split when its error is this share of what is missing, else a product.
_EXPLAINS = 0.3
_WHOLE = 1e-6
_ORDERS = 1000.0
# No decision is taken closer to its limit than this, relatively, so that a replay on another machine takes it too.
_MARGIN = 1e-11


@dataclass(eq=False)
class _Item:
    """A box that is being worked on, what was done to it, and the slopes of its tangents to begin with, (n, K)."""

    branch: Branch
    walk: Walk
    slopes: Floats


class Proof:
    """The proof of one store's bound, box by box.

    Parameters
    ----------
    store
        The store.
    carried
        The best assortment known, (N,).
    tolerance
        Only what is worth more than the best known and this is looked for.
    known
        An earlier proof of the store as it was, or ``None``; it begins with the steps that one took at the root.
    """

    def __init__(self, store: Store, carried: Mask, tolerance: float, known: StoreLog | None = None) -> None:
        self.store, self.tolerance = store, tolerance
        self.best, self.value, self.count = carried, store.value(carried), 0
        steps = [] if known is None else known.root_steps(store)
        self._compact = Compact(store, known.powers) if known is not None and steps else Compact.near(store, carried)
        self._rate: Floats = (store.earned @ carried) / (1 + store.pull @ carried)
        self._root = Branch()
        self._open: list[tuple[float, int, _Item]] = []
        self._pushed = 0
        # The highest cut-off that a step has asked for, and what boxes may be worth that are not worked on any more.
        self._asked = self._left = -np.inf
        box = self._compact.root()
        root = _Item(self._root, Walk(box, np.inf, _MARGIN), first_slopes(box))
        for step in steps:
            if not self._settled(root.walk):
                self._take(root, step.kind, step.duals, step.mark)
        self._push(root)

    @property
    def cutoff(self) -> float:
        """Only what is worth more than this is looked for."""
        return self.value + self.tolerance

    @property
    def bound(self) -> float:
        """What is proven so far: never less than a cut-off that steps have asked to be beaten."""
        return max(self._asked, self._left, *(-item[0] for item in self._open))

    @property
    def log(self) -> StoreLog:
        """The log of what was done so far."""
        return StoreLog.written(self._compact.powers, self._root)

    def run(self, nodes: int, clock: Clock | None = None) -> None:
        """Look at ``nodes`` boxes at most, the most promising first, until the clock stops it."""
        while self._open and self.count < nodes and -self._open[0][0] > self.cutoff:
            if clock is not None and clock.expired:
                break
            item = heapq.heappop(self._open)[2]
            self.count += 1
            self._look(item, _ROOT_ROUNDS if item.branch is self._root else _NODE_ROUNDS)
            if not item.walk.closed and item.branch.split is None:
                self._left = max(self._left, item.walk.bound)

    def _push(self, item: _Item) -> None:
        self._learn(item.walk)
        if not item.walk.closed:
            # Equal bounds go by age, so that the order is that of any run.
            heapq.heappush(self._open, (-item.walk.bound, self._pushed, item))
            self._pushed += 1

    def _settled(self, walk: Walk) -> bool:
        return walk.closed or walk.bound <= self.cutoff

    def _take(self, item: _Item, kind: Kind, duals: Duals, mark: Floats | None = None) -> None:
        step = Step(kind, self.cutoff, item.walk.box.mark if mark is None else mark, duals)
        item.branch.steps.append(step)
        self._asked = max(self._asked, step.cutoff)
        item.walk.take(step)
        self._learn(item.walk)

    def _learn(self, walk: Walk) -> None:
        """Take the best assortment of a box that was looked through."""
        if walk.found is not None and walk.bound > self.value and self.store.value(walk.found) > self.value:
            self.best, self.value = walk.found, self.store.value(walk.found)

    def _look(self, item: _Item, rounds: int) -> None:
        """Narrow a box as long as it is worth it, and split it when that does not settle it."""
        walk, missing = item.walk, np.inf
        if walk.found is not None:
            return
        for round_ in range(rounds + 1):
            programme = BoxProgramme(walk.box, self._rate, item.slopes, self.cutoff)
            point = self._bound(item, programme)
            if self._settled(walk):
                return
            before, missing = missing, walk.bound - self.cutoff
            if point is None or round_ == rounds or missing > (1 - _PROGRESS) * before:
                break
            points = self._narrow(item, programme, missing)
            if self._settled(walk):
                return
            if not points:
                break
            item.slopes = spread_slopes(programme.slopes_at([point, *points]))
        if walk.found is None:
            self._split(item, self._where(walk.box, programme, point, missing))

    def _bound(self, item: _Item, programme: BoxProgramme) -> Point | None:
        """Bound a box; return the solution behind the bound, if there is one."""
        for refined in range(_REFINEMENTS + 1):
            answer = programme.solve()
            if answer.columns is None:
                self._close(item, programme, answer)
                return None
            point, missing = programme.point(answer), programme.value(answer) - self.cutoff
            enough = missing <= 0 or refined == _REFINEMENTS or point.above.sum() <= _OFF * missing
            if enough or not programme.refine(point, 0.1 * _OFF * missing):
                break
        self._candidates(programme.box, point.x)
        self._take(item, Kind.BOUND, programme.duals(answer, objective=True))
        return point

    def _close(self, item: _Item, programme: BoxProgramme, answer: Answer) -> None:
        """Close a box whose programme has no solution, where the ray that says so holds; HiGHS may give it negated."""
        for sign in (1.0, -1.0):
            duals = programme.duals(answer, sign=sign)
            if item.walk.box.beaten(duals, self.cutoff):
                self._take(item, Kind.EMPTY, duals)
                return

    def _candidates(self, box: Box, x: Floats) -> None:
        """Take a solution, rounded or rounded down, as the best assortment where it is one."""
        for limit in (0.5, 1 - _WHOLE):
            carried = box.fold.ones.copy()
            carried[box.fold.free[x > limit]] = True
            if self.store.value(carried) > self.value and self.store.fits(carried):
                self.best = climb(self.store, carried)
                self.value = self.store.value(self.best)

    def _narrow(self, item: _Item, programme: BoxProgramme, missing: float) -> list[Point]:
        """Narrow the classes that are worth it; return the solutions found on the way."""
        box, K = item.walk.box, self._compact.K
        chosen = np.flatnonzero(programme.box.error > _WORTH_A_LOOK * missing)
        if len(chosen) == 0:
            return []
        programme.demand(box)
        # A mark that moves forgets where the shortfall was split.
        gaps = self._gaps(box) if item.branch is self._root else box.mark - self._rate
        mark, points = box.mark.copy(), list[Point]()
        duals = [Duals.none(1, K, self._compact.M)] * (2 * K)
        for k in chosen:
            for end, sign in ((k, -1.0), (K + k, 1.0)):
                for _ in range(_AIMS):
                    answer, most = programme.extreme(int(k), gaps[k], sign)
                    if answer.columns is None:
                        self._close(item, programme, answer)
                        return points
                    points.append(programme.point(answer))
                    if sign > 0 or most <= 0:
                        break
                    # The mark lies below what the class earns here: raise it.
                    gaps[k] += 1.1 * most / points[-1].t[k]
                duals[end] = programme.duals(answer)
            mark[k] = self._rate[k] + gaps[k]
        self._take(item, Kind.NARROW, Duals.stacked(duals), mark)
        return points

    def _gaps(self, box: Box) -> Floats:
        """Return how far above its rate each class is best marked: about how much worth varies among what is open.

        The error of a class is least when the shortfall moves as much with 1 + V as with what is earned.
        """
        fold = box.fold
        total = (fold.pull**2).sum(axis=1)
        spread = ((fold.earned - fold.pull * self._rate[:, None]) ** 2).sum(axis=1)
        gaps = np.sqrt(np.divide(spread, total, out=np.zeros(len(total)), where=total > 0))
        return np.where(gaps > 0, gaps, np.maximum(box.mark - self._rate, 0.0))

    def _split(self, item: _Item, split: Split) -> None:
        halves = [
            _Item(Branch(), Walk(box, item.walk.bound, _MARGIN), item.slopes) for box in split.halves(item.walk.box)
        ]
        item.branch.split, item.branch.halves = split, tuple(half.branch for half in halves)
        for half in halves:
            self._push(half)

    def _where(self, box: Box, programme: BoxProgramme, point: Point | None, missing: float) -> Split:
        """Say where to split: the product or the class that accounts for most of what is missing."""
        fold, error = box.fold, box.error
        broken, bent = np.zeros(len(fold.free)), np.zeros(len(fold.free))
        if point is not None:
            x = point.x[np.searchsorted(programme.box.fold.free, fold.free)]
            broken = np.minimum(x, 1 - x)
            bent = x * (1 - x) * self._bend(fold, x)
        k = int(error.argmax()) if len(error) else 0
        wide = len(error) > 0 and box.high[k] > box.low[k] * (1 + 1e-9)
        whole = point is not None and broken.max() <= _WHOLE
        if wide and (whole or (error[k] > _EXPLAINS * missing and error[k] > bent.max())):
            return Split(k, _middle(box.low[k], box.high[k]))
        if broken.max() <= _WHOLE and self._compact.K:
            return Split(int(fold.free[(self.store.weight @ fold.pull).argmax()]))
        score = bent if bent.max() > 0 else broken
        return Split(int(fold.free[score.argmax()]))

    def _bend(self, fold: Fold, x: Floats) -> Floats:
        """Return how much each product bends the store's value between left out and carried, about, (n,).

        Half a product that many buy can be worth far more than half of what the whole one is. A relaxation that may
        halve it is off by that much, however narrow the ranges of the classes; of the products that it leaves broken
        the one that is most broken may hardly matter.
        """
        t = fold.t + fold.pull @ x
        share = fold.pull / t[:, None]
        above = np.abs(fold.earned - fold.pull * ((fold.income + fold.earned @ x) / t)[:, None]) / t[:, None]
        bend: Floats = self.store.weight @ (share * above)
        return bend


def _middle(low: float, high: float) -> float:
    """Return where to split a range so that both halves err alike, or by orders of size where it spans many."""
    if low > 0 and high > _ORDERS * low:
        return float(np.sqrt(low * high))
    return float((np.sqrt(low) + np.sqrt(high)) ** 2 / 4)
