"""The likelihood of shoppers who are loyal to a nest: a nested logit as classes that an optimiser can read.

Products of a nest (say, all plant drinks) share buyers. A nested logit says so by a shock common to the products of a
nest; here that shock takes two values. Class m = 1 … M values the products of nest m by δ_m more than others do, class
0 has no nest of its own and leaves all products by 0.4 δ sooner, as those do who are set on something else. With
b_m = exp(δ_m), attractions E of what is offered, their sums G_m by nest and G over all, attraction v of buying nothing,
and shares π of the classes,

.. math:: P_j \\propto E_j F_{m(j)}, \\quad
          F_m = \\frac{\\pi_0 c}{v + c G} + \\sum_l \\frac{\\pi_l}{v + S_l} + \\frac{\\pi_m (b_m - 1)}{v + S_m}, \\quad
          S_m = G + (b_m - 1) G_m, \\quad c = e^{-0.4 \\delta},

so an evaluation costs little more than that of one class, however many nests there are. Over nested logits with
dissimilarities from 0.35 to 0.9, 0.4 came nearest to where their sales go when a product leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from assortment.demand.arrays import Floats, Ints
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import LEAST, Likelihood, Rows
from assortment.demand.likelihood.outside import root
from assortment.demand.observed.choices import TILLS

AWAY = 0.4
"""Of the loyalty of the others, by which the class without a nest values all products less."""


def nest_bonus(loyalty: Floats) -> Floats:
    """Return the (M,) utility by which a loyal class values its nest more, from the (1 + M,) parameters."""
    bonus: Floats = loyalty[0] + loyalty[1:]
    return bonus


def constants_of_classes(nest: Ints, loyalty: Floats) -> Floats:
    """Return the (1 + M, N) utilities by which the classes deviate from what is common.

    Parameters
    ----------
    nest
        (N,), nest of each product; -1 for none.
    loyalty
        (1 + M,).
    """
    bonus = nest_bonus(loyalty)
    own = np.where(nest == np.arange(len(bonus))[:, None], bonus[:, None], 0.0)
    return np.vstack([np.full((1, len(nest)), -AWAY * loyalty[0]), own])


@dataclass(frozen=True)
class Nested:
    """Some states (t of them, M nests and one more for the products of none).

    Parameters
    ----------
    worth
        (t, N), E, relative to the largest of its state.
    nests
        (t, M + 1), G.
    sums
        (t, M + 1), v + S of the class without a nest, then of the others.
    factor
        (t, M + 1), F.
    chance
        (t,), of a purchase.
    peak
        (t,), log of the largest attraction.
    """

    worth: Floats
    nests: Floats
    sums: Floats
    factor: Floats
    chance: Floats
    peak: Floats

    @property
    def share(self) -> Floats:
        """(t, M + 1), of each nest among the purchases."""
        share: Floats = self.nests * self.factor / self.chance[:, None]
        return share


@dataclass(frozen=True)
class Fixed:
    """What is the same in all states: π and its products with what a class adds."""

    mix: Floats
    """(M + 1,), π."""
    away: float
    """c."""
    bonus: Floats
    """(M,), b."""
    log_nothing: float
    """log v."""

    @classmethod
    def of(cls, parts: Coefficients, mix: Floats) -> Fixed:
        return cls(
            mix, float(np.exp(-AWAY * parts.loyalty[0])), np.exp(nest_bonus(parts.loyalty)), parts.class_nothing[0]
        )


class LoyalLikelihood(Likelihood):
    """Log-likelihood of the purchases of classes that are loyal to a nest each; made as ``Likelihood`` is.

    The utility of buying nothing (``class_nothing``, the same for all classes) is taken as known.
    """

    def value_and_gradient(self, vector: Floats) -> tuple[float, Floats]:
        """Return minus the log-likelihood and its (M,) gradient."""
        parts = self.parts(vector)
        nested, fixed = self.nested(parts)
        K = self.terms.classes
        value, loyalty, odds = 0.0, np.zeros(K), np.zeros(K)

        def less_bought(rows: slice) -> Floats:
            nonlocal value
            seen = nested(rows)
            loss, change, of_loyalty, of_odds = self._slope(seen, fixed, rows)
            value += loss
            loyalty[...] += of_loyalty
            odds[...] += of_odds
            return change

        common = self.terms.derivative(self._summed(less_bought))
        return value, self.layout.join(replace(common, loyalty=loyalty, mix=odds))

    def forecast(self, parts: Coefficients) -> Callable[[Rows], tuple[Floats, Floats]]:
        """Return a function of states: their (t, N) shares of the purchases, and the (t,) log chance of one."""
        nested, _ = self.nested(parts)

        def forecast(rows: Rows) -> tuple[Floats, Floats]:
            seen = nested(rows)
            return self.shares_of(seen), np.log(seen.chance)

        return forecast

    def log_sums(self, parts: Coefficients) -> Floats:
        """Return (T, K) logarithms of the sum of the attractions of what was offered, against buying nothing."""
        nested, fixed = self.nested(parts)
        found = []
        for piece in self._pieces:
            seen = nested(piece.rows)
            nothing = np.exp(fixed.log_nothing - seen.peak)[:, None]
            found.append(np.log(seen.sums - nothing) + seen.peak[:, None] - fixed.log_nothing)
        return np.concatenate(found)

    def with_nothing(self, parts: Coefficients) -> Coefficients:
        """Return the same with a utility of buying nothing at which shoppers walk away at the assumed rate.

        On average over the observed offers, each counted by the units bought; on those of stores, where there are any.
        """
        log_sums = self.log_sums(parts) + parts.class_nothing[0]
        shelves = self.choices.sources == TILLS
        counted = self.choices.counted * (shelves if shelves.any() else 1.0)
        weight = counted[:, None] * self.terms.mix(parts)[self.choices.group]
        nothing = root(log_sums.ravel(), weight.ravel(), self.terms.walk_away)
        return replace(parts, class_nothing=np.full(self.terms.classes, nothing))

    def information(self, parts: Coefficients, *, store_variance: float = 0.0) -> Coefficients:
        """Return the diagonal of the expected Hessian of minus the log-likelihood, by name.

        What all classes share counts as if there was one.
        """
        nested, fixed = self.nested(parts)
        K = self.terms.classes
        loyalty, odds = np.zeros(K), np.zeros(K)
        for piece in self._pieces:
            seen = nested(piece.rows)
            units = self.units[piece.rows] * self.weight[piece.rows]
            share = seen.share
            by_bonus, by_away, by_mix = drifts(seen, fixed)
            common = by_bonus.sum(axis=1) - AWAY * by_away
            by_loyalty = np.concatenate([common[:, None], by_bonus], axis=1)
            loyalty += units @ _variances(by_loyalty, share)
            odds += units @ _variances(by_mix, share)
        return replace(super().information(parts, store_variance=store_variance), loyalty=loyalty, mix=odds)

    @cached_property
    def nest(self) -> Ints:
        """(N,), nest of each product, M for none."""
        assert self.terms.nest is not None
        nest: Ints = np.where(self.terms.nest < 0, self.terms.classes - 1, self.terms.nest)
        return nest

    def shares_of(self, seen: Nested) -> Floats:
        """Return the (t, N) choice shares among purchases."""
        shares: Floats = seen.worth * (seen.factor / seen.chance[:, None])[:, self.nest]
        return shares

    def slope_of_states(self, seen: Nested, fixed: Fixed, rows: Rows) -> tuple[Floats, Floats]:
        """Slopes of minus the log-likelihood in the (t, N) utilities, and (2 K,) in loyalty and log odds."""
        _, change, loyalty, odds = self._slope(seen, fixed, rows)
        return change, np.concatenate([loyalty, odds])

    def _slope(self, seen: Nested, fixed: Fixed, rows: Rows) -> tuple[float, Floats, Floats, Floats]:
        """Minus the log-likelihood of some states, its slopes in their (t, N) utilities, in loyalty and log odds."""
        bought = self.choices.counts[rows] * self.weight[rows, None]
        units, by_nest = bought.sum(axis=1), bought @ self.member
        shares = self.shares_of(seen)
        loss = -float(np.where(bought > 0, bought * np.log(np.maximum(shares, LEAST)), 0.0).sum())
        # φ, the slope of the log-likelihood in F, then in the sums of the classes.
        slope = by_nest / seen.factor - units[:, None] * seen.nests / seen.chance[:, None]
        total, own = slope.sum(axis=1), slope[:, :-1]
        first, sums, more = seen.sums[:, 0], seen.sums[:, 1:], fixed.bonus - 1.0
        seats = np.column_stack([total * fixed.away / first, (total[:, None] + more * own) / sums])
        of_first = -fixed.mix[0] * fixed.away * total / first**2
        of_sums = -fixed.mix[1:] * (total[:, None] + more * own) / sums**2
        of_nests = (
            -units[:, None] * seen.factor / seen.chance[:, None]
            + (fixed.away * of_first + of_sums.sum(axis=1))[:, None]
        )
        of_nests[:, :-1] += more * of_sums
        change = -(bought + seen.worth * of_nests[:, self.nest])
        of_bonus = (own * fixed.mix[1:] / sums + of_sums * seen.nests[:, :-1]).sum(axis=0) * fixed.bonus
        of_away = fixed.mix[0] * fixed.away * total / first + of_first * fixed.away * seen.nests.sum(axis=1)
        common = of_bonus.sum() - AWAY * of_away.sum()
        return loss, change, -np.array([common, *of_bonus]), -fixed.mix * seats.sum(axis=0)

    def nested(self, parts: Coefficients) -> tuple[Callable[[Rows], Nested], Fixed]:
        utilities = self._utilities(parts)
        fixed = Fixed.of(parts, self.terms.mix(parts)[0])

        def nested(rows: Rows) -> Nested:
            worth = utilities(rows)
            np.copyto(worth, -np.inf, where=~self.choices.offered[rows])
            peak = worth.max(axis=1)
            worth -= peak[:, None]
            np.exp(worth, out=worth)
            nests, nothing = worth @ self.member, np.exp(fixed.log_nothing - peak)
            everything = nests.sum(axis=1)
            sums = np.column_stack(
                [
                    nothing + fixed.away * everything,
                    (nothing + everything)[:, None] + (fixed.bonus - 1.0) * nests[:, :-1],
                ]
            )
            share = fixed.mix * np.array([fixed.away, *np.ones(len(fixed.bonus))]) / sums
            factor = np.repeat(share.sum(axis=1, keepdims=True), nests.shape[1], axis=1)
            factor[:, :-1] += (fixed.bonus - 1.0) * share[:, 1:]
            return Nested(worth, nests, sums, factor, (nests * factor).sum(axis=1), peak)

        return nested, fixed

    @cached_property
    def member(self) -> Floats:
        """(N, M + 1), 1 where a product belongs to a nest, the last one being none."""
        return np.eye(self.terms.classes)[self.nest]


def drifts(seen: Nested, fixed: Fixed) -> tuple[Floats, Floats, Floats]:
    """Derivatives of log F by δ (t, M, M + 1), by log c (t, M + 1) and by the log odds (t, M + 1, M + 1)."""
    M, nests = len(fixed.bonus), seen.nests
    more, first, sums = fixed.bonus - 1.0, seen.sums[:, 0], seen.sums[:, 1:]
    alone = np.eye(M, M + 1)
    share = fixed.mix[1:] / sums
    by_bonus = alone * (share * fixed.bonus)[:, :, None]
    by_bonus = by_bonus - (share / sums * fixed.bonus * nests[:, :-1])[:, :, None] * (1.0 + more[:, None] * alone)
    away = fixed.mix[0] * fixed.away / first
    by_away = np.repeat((away - away * fixed.away * nests.sum(axis=1) / first)[:, None], M + 1, axis=1)
    by_mix = np.concatenate(
        [np.repeat(away[:, None, None], M + 1, axis=2), share[:, :, None] * (1.0 + more[:, None] * alone)], axis=1
    )
    factor = seen.factor[:, None]
    return by_bonus / factor, by_away / seen.factor, by_mix / factor


def _variances(values: Floats, share: Floats) -> Floats:
    """(t, V) variances of V kinds of (t, V, M + 1) values with (t, M + 1) shares."""
    weight = share[:, None]
    mean = (values * weight).sum(axis=2, keepdims=True)
    variance: Floats = ((values - mean) ** 2 * weight).sum(axis=2)
    return variance
