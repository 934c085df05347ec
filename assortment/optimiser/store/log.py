"""The log of a store's proof: the steps in order, from which its bound follows without a solver.

A step holds duals, and duals hold whatever their numbers: each step is worked out again, nothing in a log is believed.
A step that is missing or changed makes the replayed bound weaker, or leaves it as it is; it never makes it false.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice

import numpy as np
import numpy.typing as npt

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.store.compact import Box, Compact, Duals, Powers
from assortment.optimiser.store.store import Store

# A box with at most so many free products is looked through.
FEW_PRODUCTS = 10
# Most steps that a proof takes over from an earlier one.
_TAKEN_OVER_MOST = 100


class Kind(IntEnum):
    """What a step does to a box."""

    BOUND = 0  # bounds the value and folds products by reduced costs
    NARROW = 1  # moves marks and ends
    EMPTY = 2  # shows that nothing beats the cut-off


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a proof.

    Parameters
    ----------
    kind
        What it does.
    cutoff
        Only what is worth more is looked for.
    mark
        Where each class is moved to, (K,); used by `Kind.NARROW`.
    duals
        One; 2K for `Kind.NARROW`.
    """

    kind: Kind
    cutoff: float
    mark: Floats
    duals: Duals


@dataclass(frozen=True)
class Split:
    """How a box is split in two.

    Parameters
    ----------
    number
        A product (left out, carried), or where ``at`` is given, a class (shortfall up to ``at``, from ``at``).
    at
        Where the shortfall is split; NaN: a product.
    """

    number: int
    at: float = np.nan

    def halves(self, box: Box) -> tuple[Box, ...]:
        """Return both halves of ``box``, of which one may be empty; nothing when there is no such product or class."""
        if not np.isnan(self.at):
            return box.halved(self.number, self.at) if 0 <= self.number < len(box.mark) else ()
        if not 0 <= self.number < len(box.fold.ones):
            return ()
        one, none = np.array([self.number]), np.array([], int)
        return box.folded(none, one), box.folded(one, none)


@dataclass(eq=False)
class Branch:
    """What a proof did to one box.

    Parameters
    ----------
    steps
        The steps taken, in order.
    split
        How it was split then; ``None``: not.
    halves
        What was done to either half.
    """

    steps: list[Step] = field(default_factory=list)
    split: Split | None = None
    halves: tuple[Branch, ...] = ()

    def ordered(self) -> list[Branch]:
        """Return this branch and all below it, halves side by side, after the box that they come from."""
        branches = [self]
        # The list grows while it is gone through.
        for branch in branches:
            branches += branch.halves
        return branches


class Walk:
    """A box on its way through the steps of a proof; the proof and its replay both go this way.

    A box with few free products is looked through, assortment by assortment, as soon as it has so few.

    Parameters
    ----------
    box
        Where it begins.
    bound
        What is known of its value.
    margin
        How far, relatively, a decision must be from its limit; 0 in a replay, so that rounding cannot undo a decision.
    """

    def __init__(self, box: Box, bound: float, margin: float = 0.0) -> None:
        self.box, self.bound, self.closed = box, bound, False
        self._margin = margin
        self._money = margin * box.fold.compact.size
        self._objective: Duals | None = None
        self.found: Mask | None = None
        self._judge(-np.inf)

    def take(self, step: Step) -> None:
        """Take ``step``; ``found`` is then the best assortment of the box if it has been looked through."""
        if step.kind == Kind.EMPTY:
            self.closed = self.box.beaten(step.duals, step.cutoff)
            return
        if step.kind == Kind.BOUND:
            self._objective = step.duals
        else:
            self.box = self.box.narrowed(step.mark, step.duals, step.cutoff)
            self._judge(step.cutoff)
            # The same duals prove more from the ends that they have moved.
            if not self.closed:
                self.box = self.box.narrowed(self.box.mark, step.duals, step.cutoff)
                self._judge(step.cutoff)
        if not self.closed and self.found is None and self._objective is not None:
            self._bound(self._objective, step.cutoff)

    def _bound(self, duals: Duals, cutoff: float) -> None:
        bound, reduced = self.box.worth_most(duals)
        self.bound = min(self.bound, bound)
        if self.bound > cutoff - self._money:
            self.box = self.box.fixed(bound, reduced, cutoff - self._money)
        self._judge(cutoff)

    def _judge(self, cutoff: float) -> None:
        """Close the box when nothing in it is worth more than ``cutoff``, as far as can be seen without duals."""
        if self.box.empty(self._margin):
            self.closed = True
        elif self.found is None and len(self.box.fold.free) <= FEW_PRODUCTS:
            most, self.found = self.box.fold.best()
            self.bound = min(self.bound, most)
        self.closed = self.closed or self.bound <= cutoff - self._money


@dataclass(frozen=True, eq=False)
class StoreLog:
    """What the bound of a store rests on: a proof by relaxation, narrowing and branching.

    Parameters
    ----------
    powers
        Of each class, (K,); see `Compact`.
    kinds, cutoffs
        Of the steps.
    marks
        Of the steps that narrow, in order, (narrowings, K).
    money, slope, ends
        Duals of all steps, one after another; see `Duals`.
    row_starts, row_numbers, row_duals
        Those of rows, which are few.
    steps
        How many steps each box takes; see `Branch.ordered` for the order of boxes.
    splits, split_at
        Product or class on which each box is split, -1 when it is not, and where.
    """

    powers: Powers
    kinds: npt.NDArray[np.int8]
    cutoffs: Floats
    marks: Floats
    money: Floats
    slope: Floats
    ends: Floats
    row_starts: npt.NDArray[np.int32]
    row_numbers: npt.NDArray[np.int32]
    row_duals: Floats
    steps: npt.NDArray[np.int32]
    splits: npt.NDArray[np.int32]
    split_at: Floats

    @classmethod
    def written(cls, powers: Powers, root: Branch) -> StoreLog:
        """Return the log of what was done to the root and all boxes that came of it."""
        branches = root.ordered()
        steps = [step for branch in branches for step in branch.steps]
        splits = [branch.split or Split(-1) for branch in branches]
        K = len(powers)
        duals = Duals.stacked([step.duals for step in steps]) if steps else Duals.none(0, K, 0)
        there = np.nonzero(duals.rows)
        return cls(
            powers=powers,
            kinds=np.array([step.kind for step in steps], np.int8),
            cutoffs=np.array([step.cutoff for step in steps]),
            marks=np.vstack([np.zeros((0, K)), *(step.mark for step in steps if step.kind == Kind.NARROW)]),
            money=duals.money,
            slope=duals.slope,
            ends=duals.ends,
            row_starts=np.searchsorted(there[0], np.arange(len(duals.money) + 1)).astype(np.int32),
            row_numbers=there[1].astype(np.int32),
            row_duals=duals.rows[there],
            steps=np.array([len(branch.steps) for branch in branches], np.int32),
            splits=np.array([split.number for split in splits], np.int32),
            split_at=np.array([split.at for split in splits]),
        )

    @property
    def size(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in vars(self).values())

    @property
    def split(self) -> bool:
        """Whether there are boxes beside the root."""
        return len(self.steps) > 1

    def replay(self, store: Store, *, full: bool = True) -> float:
        """Return the bound that follows from the steps; from those of the root alone when not ``full``.

        Infinite for the log of a store with other classes or rows.
        """
        if not self._fits(store):
            return np.inf
        compact = Compact(store, self.powers)
        steps = self._unpacked(compact.M)
        walks, cutoff, top = [Walk(compact.root(), np.inf)], -np.inf, -np.inf
        for b, walk in enumerate(walks):
            known = b < len(self.steps)
            for step in islice(steps, int(self.steps[b]) if known else 0):
                if not walk.closed:
                    cutoff = max(cutoff, step.cutoff)
                    walk.take(step)
            if walk.closed:
                continue
            halves = Split(int(self.splits[b]), float(self.split_at[b])).halves(walk.box) if known and full else ()
            # The list grows while it is gone through, in the order of `Branch.ordered`.
            walks += [Walk(half, walk.bound) for half in halves]
            if not halves:
                top = max(top, walk.bound)
        return float(max(cutoff, top))

    def root_steps(self, store: Store) -> list[Step]:
        """Return the last steps of the root; none where the log is of a store with other classes or rows.

        Later ones do most, and from proof to proof there would be ever more.
        """
        if not self._fits(store):
            return []
        return list(islice(self._unpacked(len(store.polytope.low)), int(self.steps[0])))[-_TAKEN_OVER_MOST:]

    def _fits(self, store: Store) -> bool:
        return len(self.powers) == len(store.pull) and self.row_numbers.max(initial=-1) < len(store.polytope.low)

    def _unpacked(self, M: int) -> Iterator[Step]:
        K, at, narrowed = len(self.powers), 0, 0
        for kind, cutoff in zip(self.kinds, self.cutoffs, strict=True):
            narrows = kind == Kind.NARROW
            count = 2 * K if narrows else 1
            some, rows = slice(at, at + count), np.zeros((count, M))
            starts = self.row_starts[at : at + count + 1]
            there = slice(starts[0], starts[-1])
            rows[np.repeat(np.arange(count), np.diff(starts)), self.row_numbers[there]] = self.row_duals[there]
            duals = Duals(self.money[some], self.slope[some], self.ends[some], rows)
            yield Step(Kind(kind), float(cutoff), self.marks[narrowed] if narrows else np.zeros(K), duals)
            at, narrowed = at + count, narrowed + narrows
