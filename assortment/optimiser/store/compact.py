"""The compact form of one store: what a class earns per occasion is a mark less a shortfall over 1 + V.

For any mark, R/(1 + V) = mark − short/(1 + V) with the shortfall short = mark (1 + V) − R, which is linear in what is
carried. Where 0 ≤ low ≤ short ≤ high and t = 1 + V > 0, the ratio lies above its convex envelope (Zamora and Grossmann,
Journal of Global Optimization 1999), hence above each tangent of it:

    short/t ≥ ((short + √(low·high)) / (√low + √high))² / t ≥ slope·short − curve·t + level,

    curve = (slope (√low + √high) / 2)²,  level = min over y in {low, high} of 2 √(curve·y) − slope·y,  any slope ≥ 0.

So two ends per class are all that is not linear. A mark near what the class earns at the optimum makes the range of the
shortfall, and the error, small; it must lie above everything that the class can earn, so it falls as the box shrinks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from assortment.optimiser.arrays import Floats, Ints, Mask, every_choice
from assortment.optimiser.store.store import Store

Powers: TypeAlias = npt.NDArray[np.int8]

_ROUNDING = 4e-16


@dataclass(frozen=True, eq=False)
class Duals:
    """What P bounds on a box rest on; any numbers give true bounds, good ones good bounds.

    Parameters
    ----------
    money
        Of "worth more than the cut-off", ≥ 0, (P,).
    slope
        Of the tangent of each class, ≥ 0, (P, K).
    ends
        Of the range of each shortfall, above 0 for its high end, (P, K).
    rows
        Of the store's rows, above 0 for the high end of a row, (P, M).
    """

    money: Floats
    slope: Floats
    ends: Floats
    rows: Floats

    @classmethod
    def none(cls, P: int, K: int, M: int) -> Duals:
        """Return duals that prove what the ends of each variable alone prove."""
        return cls(np.zeros(P), np.zeros((P, K)), np.zeros((P, K)), np.zeros((P, M)))

    @classmethod
    def stacked(cls, parts: list[Duals]) -> Duals:
        """Return all duals of ``parts``, in order."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in dataclasses.fields(cls)))


class Compact:
    """The numbers of a store's compact form that do not depend on a box.

    Parameters
    ----------
    store
        The store.
    powers
        1 + V at a good assortment as powers of two, (K,); attractions are divided by these, without rounding.

    Beside the products stand the columns w of the store's charges, 0 ≤ w ≤ ``most``; its rows are those of its own
    rules and of its charges.
    """

    def __init__(self, store: Store, powers: Powers) -> None:
        self.store, self.powers = store, powers
        self.scale = scale = np.exp2(powers.astype(float))
        self.K, self.N = store.pull.shape
        self.pull, self.none = store.pull / scale[:, None], 1 / scale
        self.earned = store.earned / scale[:, None]
        whole = store.polytope
        self.rows, self.beside = np.hsplit(np.asarray(whole.matrix), [self.N])
        self.most, self.charge = whole.upper[self.N :], -store.objective(np.zeros(self.N))[self.N :]
        self.M = len(whole.low)
        # Rows and right-hand sides are compared in floats; loosen them as the audit does.
        loose = np.concatenate([store.tolerance, np.zeros(self.M - len(store.low))])
        self.low, self.high = whole.low - loose, whole.high + loose
        self.row_size, self.beside_size = np.abs(self.rows), np.abs(self.beside) @ self.most
        self.charge_size = float(self.charge @ self.most)
        self.size = float(store.weight.sum() * np.abs(store.worth).max(initial=0.0) + np.abs(store.cost).sum())
        self.size += self.charge_size
        self.rounding = _ROUNDING * (self.N + self.M + len(self.most) + 10 * self.K + 20)

    @classmethod
    def near(cls, store: Store, carried: Mask) -> Compact:
        """Return the compact form scaled to an assortment, (N,)."""
        return cls(store, np.clip(np.round(np.log2(1 + store.pull @ carried)), 0, 127).astype(np.int8))

    def root(self) -> Box:
        """Return the box of every assortment, each class marked with the worth of the store's best product."""
        store = self.store
        # A store's classes may differ in what a product is worth to them.
        mark = np.zeros(self.K) + np.where(store.may | store.must, store.worth, 0.0).max(axis=-1, initial=0.0)
        fold = Fold(self, store.must, ~store.may)
        low, high = fold.short(mark)
        # No product is worth more than the mark, so no shortfall is negative, whatever rounding says.
        return Box(fold, mark, np.maximum(low, 0.0), np.maximum(high, 0.0))


class Fold:
    """The compact form with products that are carried or left out for certain folded into constants.

    Parameters
    ----------
    compact
        The compact form.
    ones, zeros
        Products carried, and products left out, (N,). What is in both makes the fold torn: it holds nothing.
    """

    def __init__(self, compact: Compact, ones: Mask, zeros: Mask) -> None:
        store = compact.store
        self.compact, self.ones, self.zeros = compact, ones, zeros
        self.torn = bool((ones & zeros).any())
        self.free: Ints = np.flatnonzero(~(ones | zeros))
        self.pull, self.earned = compact.pull[:, self.free], compact.earned[:, self.free]
        self.cost = store.cost[self.free]
        carried, live = ones.astype(float), (~zeros).astype(float)
        self.t, self.income = compact.none + compact.pull @ carried, compact.earned @ carried
        self.paid = float(store.cost @ carried)
        self.sums = compact.rows @ carried
        # Sizes of the sums, of folded and of free products, for what rounding may have done to them.
        self.t_size, self.income_size = compact.none + compact.pull @ live, np.abs(compact.earned) @ live
        self.paid_size = float(np.abs(store.cost) @ live) + compact.charge_size
        self.sums_size = compact.row_size @ live + compact.beside_size

    def best(self) -> tuple[float, Mask]:
        """Look through all assortments; return the best, (N,), and what none is worth more than; -inf: none fits."""
        compact, store, picks = self.compact, self.compact.store, every_choice(self.ones, self.free)
        some = picks[:, self.free].astype(float)
        own = slice(0, len(store.low))
        sums = self.sums[own] + some @ compact.rows[own, self.free].T
        fits = ((sums <= compact.high[own]) & (sums >= compact.low[own])).all(axis=1)
        rates = (self.income + some @ self.earned.T) / (self.t + some @ self.pull.T)
        values = rates @ store.weight - self.paid - some @ self.cost - store.charges.of_each(picks)
        values[~fits] = -np.inf
        best = int(values.argmax())
        return float(values[best] + compact.rounding * compact.size), picks[best]

    def short(self, mark: Floats) -> tuple[Floats, Floats]:
        """Return what the free products alone say of the shortfall from ``mark``, (K,): its ends."""
        rows = self.pull * mark[:, None] - self.earned
        base = mark * self.t - self.income
        slack = self.compact.rounding * (np.abs(mark) * self.t_size + self.income_size)
        return base + np.minimum(rows, 0.0).sum(axis=1) - slack, base + np.maximum(rows, 0.0).sum(axis=1) + slack


@dataclass(frozen=True, eq=False)
class Box:
    """A part of a store's assortments: products folded, and for each class a mark and the ends of the shortfall.

    Parameters
    ----------
    fold
        What is carried and left out for certain.
    mark, low, high
        (K,) each; 0 ≤ low.
    """

    fold: Fold
    mark: Floats
    low: Floats
    high: Floats

    @property
    def error(self) -> Floats:
        """How far the tangents can be off in each class, about, in money, (K,)."""
        error: Floats = self.fold.compact.store.weight * (np.sqrt(self.high) - np.sqrt(self.low)) ** 2 / 4
        return error

    def empty(self, margin: float = 0.0) -> bool:
        """Whether the fold is torn or the ends leave nothing between them, by more than ``margin``, relatively."""
        return self.fold.torn or bool((self.low > self.high + margin * np.abs(self.high)).any())

    def maxima(self, on_t: Floats, on_income: Floats, duals: Duals, cutoff: float) -> tuple[Floats, Floats]:
        """Bound P linear functions over what is worth more than ``cutoff``.

        Parameters
        ----------
        on_t, on_income
            Coefficients of t and of R, both scaled, (P, K).
        duals
            P of them.
        cutoff
            Money.

        Returns
        -------
        tuple
            Bounds, (P,), and the reduced costs of the free products behind them, (P, n). Where duals are no numbers
            the bound is infinite.
        """
        fold, compact, store = self.fold, self.fold.compact, self.fold.compact.store
        money, slope = np.maximum(duals.money, 0.0), np.maximum(duals.slope, 0.0)
        rows, row_ends, used = self._rows(duals.rows)
        weight = money[:, None] * store.weight
        curve, level = self.tangents(slope)
        push = weight * slope + duals.ends
        a, b = on_t + weight * curve - push * self.mark, on_income + push
        reduced = a @ fold.pull + b @ fold.earned - money[:, None] * fold.cost
        reduced -= rows @ compact.rows[np.ix_(used, fold.free)]
        beside = -money[:, None] * compact.charge - rows @ compact.beside[used]
        ends = duals.ends * np.where(duals.ends > 0, self.high, self.low)
        constant = (a @ fold.t) + (b @ fold.income) - money * (fold.paid + cutoff)
        constant += (weight * (self.mark - level) + ends).sum(axis=1) + (rows * (row_ends - fold.sums[used])).sum(
            axis=1
        )
        size = (np.abs(on_t) + weight * curve + np.abs(push * self.mark)) @ fold.t_size
        size += (np.abs(on_income) + np.abs(push)) @ fold.income_size + money * (fold.paid_size + abs(cutoff))
        size += (weight * (np.abs(self.mark) + np.abs(level)) + np.abs(ends)).sum(axis=1)
        size += (np.abs(rows) * (np.abs(row_ends) + fold.sums_size[used])).sum(axis=1)
        bounds = constant + np.maximum(reduced, 0.0).sum(axis=1) + np.maximum(beside, 0.0) @ compact.most
        bounds += compact.rounding * size
        return np.where(np.isfinite(bounds), bounds, np.inf), reduced

    def worth_most(self, duals: Duals) -> tuple[float, Floats]:
        """Bound the store's value in the box by one of ``duals``; also return the reduced costs, (n,).

        Whatever the duals say, a unit of money counts one.
        """
        nothing, one = np.zeros((1, self.fold.compact.K)), dataclasses.replace(duals, money=np.ones(1))
        bounds, reduced = self.maxima(nothing, nothing, one, 0.0)
        return float(bounds[0]), reduced[0]

    def beaten(self, duals: Duals, cutoff: float) -> bool:
        """Whether ``duals`` prove that nothing in the box is worth more than ``cutoff``."""
        nothing = np.zeros((1, self.fold.compact.K))
        return bool(self.maxima(nothing, nothing, duals, cutoff)[0][0] < 0)

    def fixed(self, bound: float, reduced: Floats, cutoff: float) -> Box:
        """Fold products whose other choice cannot beat the cut-off (reduced costs)."""
        fold = self.fold
        never = fold.free[(reduced < 0) & (bound + reduced <= cutoff)]
        always = fold.free[(reduced > 0) & (bound - reduced <= cutoff)]
        return self.folded(always, never) if len(never) + len(always) else self

    def folded(self, carried: Ints, left_out: Ints) -> Box:
        """Fold the products ``carried`` and ``left_out``, given by their numbers."""
        ones, zeros = self.fold.ones.copy(), self.fold.zeros.copy()
        ones[carried], zeros[left_out] = True, True
        fold = Fold(self.fold.compact, ones, zeros)
        low, high = fold.short(self.mark)
        return Box(fold, self.mark, np.maximum(self.low, low), np.minimum(self.high, high))

    def narrowed(self, mark: Floats, duals: Duals, cutoff: float) -> Box:
        """Move each class to ``mark``, (K,), between the ends that ``duals`` prove: first K low ends, then K high ends.

        A class for which a shortfall from its new mark may be negative stays as it is.
        """
        one = np.eye(len(mark))
        on_t, on_income = np.vstack([-one * mark, one * mark]), np.vstack([one, -one])
        most, _ = self.maxima(on_t, on_income, duals, cutoff)
        low, high = self.fold.short(mark)
        low, high = np.maximum(low, -most[: len(mark)]), np.minimum(high, most[len(mark) :])
        same = mark == self.mark
        low, high = (
            np.where(same, np.maximum(low, self.low), low),
            np.where(same, np.minimum(high, self.high), high),
        )
        good = low >= 0
        return Box(
            self.fold,
            np.where(good, mark, self.mark),
            np.where(good, low, self.low),
            np.where(good, high, self.high),
        )

    def halved(self, k: int, at: float) -> tuple[Box, Box]:
        """Split the range of the shortfall of class ``k`` at ``at``."""
        high, low = self.high.copy(), self.low.copy()
        high[k], low[k] = min(high[k], at), max(low[k], at)
        return dataclasses.replace(self, high=high), dataclasses.replace(self, low=low)

    def tangents(self, slope: Floats) -> tuple[Floats, Floats]:
        """Return curve and level of the tangents with ``slope``, (P, K) each; the level rounded down."""
        low, high = np.sqrt(self.low), np.sqrt(self.high)
        root = slope * (low + high) / 2
        level = np.minimum(2 * root * low - slope * self.low, 2 * root * high - slope * self.high)
        return root**2, level - 8 * _ROUNDING * (2 * root * high + slope * self.high)

    def _rows(self, duals: Floats) -> tuple[Floats, Floats, Ints]:
        """Return the duals of rows that have one, without those of ends that do not exist, the ends, and which rows."""
        compact = self.fold.compact
        duals = np.where(np.isposinf(compact.high), np.minimum(duals, 0.0), duals)
        duals = np.where(np.isneginf(compact.low), np.maximum(duals, 0.0), duals)
        used = np.flatnonzero((duals != 0).any(axis=0))
        duals = duals[:, used]
        ends = np.where(duals > 0, compact.high[used], compact.low[used])
        return duals, np.where(duals != 0, ends, 0.0), used
