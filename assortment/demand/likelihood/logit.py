"""The multinomial logit: log-likelihood, gradient, and the information on each parameter.

The utility of product j in state t, of group s (a store or a segment), week i and period p, is

.. math:: u_{tj} = A_j \\theta + r_j + z_s (G A_j + R_j) + e_{sj} + w_{pj} + v_{ij}
                   + \\sum_c x_{ctj} (m_c + M_{cj} + z_s h_c)

with attributes A (N, Q), standardised demographics z (S, D) and covariates x (log price, promotions). Slopes by product
and by demographic never become covariates of their own: an evaluation costs one exponential and a few multiplications
per offered cell, and works through the states in pieces that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.likelihood.layout import Coefficients, Layout
from assortment.demand.likelihood.terms import Sums, Terms
from assortment.demand.observed.choices import TILLS, Choices

Rows = slice | Ints
_CELLS = 60_000  # of a piece: half a megabyte
LEAST = 1e-300  # what was bought cannot have been impossible


@dataclass(frozen=True)
class _Piece:
    """Some consecutive states, with the matrices that sum them by group, by those groups it holds, period and week."""

    rows: slice
    by_group: sparse.csr_array
    groups: Ints
    by_own_group: sparse.csr_array
    by_period: sparse.csr_array
    by_week: sparse.csr_array


class Likelihood:
    """Log-likelihood of choices among what was offered (M free parameters).

    Till sales within a state are alike beyond what the model explains: a state with n units a week weighs
    n / (1 + n δ) of them, δ being the overdispersion. Households and respondents each choose for themselves.

    Parameters
    ----------
    choices
        Offers and purchases.
    terms
        What the parameters are multiplied with.
    free
        Names of the parts to estimate.
    known
        Values of the other parts; default: zero.
    overdispersion
        δ; 0 counts every unit fully.
    """

    def __init__(
        self,
        choices: Choices,
        terms: Terms,
        free: tuple[str, ...],
        *,
        known: Coefficients | None = None,
        overdispersion: float = 0.0,
    ) -> None:
        self.choices, self.terms, self.known, self.overdispersed = choices, terms, known, overdispersion
        self.layout = Layout(terms.shapes, free)
        self.units: Floats = choices.counts.sum(axis=1)
        together = self.units / choices.weeks * (choices.sources == TILLS)
        self.weight: Floats = choices.weights / (1.0 + overdispersion * together)
        self._pieces = list(self._cut())
        bought = self._summed(lambda rows: choices.counts[rows] * self.weight[rows, None], all_parts=True)
        # What was bought enters the likelihood through sums only.
        derivative = terms.derivative(bought)
        self._bought = self.layout.join(derivative)
        parts = self.parts(np.zeros(self.layout.size))
        self._bought_known = sum(
            float((getattr(parts, name) * getattr(derivative, name)).sum()) for name in terms.shapes
        )

    def with_nothing(self, parts: Coefficients) -> Coefficients:
        """Return the same with the utility of buying nothing that the walk-away rate asks for; one class needs none."""
        return parts

    def parts(self, vector: Floats) -> Coefficients:
        """Return all parameters by name."""
        return self.layout.split(vector, self.known)

    def value_and_gradient(self, vector: Floats) -> tuple[float, Floats]:
        """Return minus the log-likelihood and its (M,) gradient."""
        forecast = self.forecast(self.parts(vector))
        value = -self._bought_known - float(self._bought @ vector)

        def expected(rows: slice) -> Floats:
            nonlocal value
            shares, log_sum = forecast(rows)
            units = self.units[rows] * self.weight[rows]
            value += float(units @ log_sum)
            shares *= units[:, None]
            return shares

        gradient = self.layout.join(self.terms.derivative(self._summed(expected))) - self._bought
        return value, gradient

    def forecast(self, parts: Coefficients) -> Callable[[Rows], tuple[Floats, Floats]]:
        """Return a function of states that gives their (t, N) choice shares and (t,) log sums of attraction."""
        utilities = self._utilities(parts)
        return lambda rows: _shares(utilities(rows), self.choices.offered[rows])

    def by_class(self, parts: Coefficients) -> Callable[[Rows], Floats]:
        """Return a function of states: (K, t, N), the part of their purchases that each class makes of each product."""
        forecast = self.forecast(parts)
        return lambda rows: forecast(rows)[0][None]

    def shares(self, parts: Coefficients) -> Iterator[tuple[slice, Floats]]:
        """Give the (t, N) choice shares among what was offered, some states at a time."""
        forecast = self.forecast(parts)
        for piece in self._pieces:
            yield piece.rows, forecast(piece.rows)[0]

    def log_sums(self, parts: Coefficients) -> Floats:
        """Return (T, K) logarithms of the sum of the attractions of what was offered, by class."""
        forecast = self.forecast(parts)
        return np.concatenate([forecast(piece.rows)[1] for piece in self._pieces])[:, None]

    def log_loss(self, parts: Coefficients) -> Floats:
        """Return (T,) minus the log probability of what was bought, each source as it counts; surprises fully."""
        loss = np.empty(len(self.units))
        for rows, shares in self.shares(parts):
            counts = self.choices.counts[rows]
            loss[rows] = -(counts * np.log(np.maximum(shares, LEAST))).sum(axis=1)
        return loss if self.choices.weight is None else loss * self.choices.weight

    def information(self, parts: Coefficients, *, store_variance: float = 0.0) -> Coefficients:
        """Return the diagonal of the Hessian of minus the log-likelihood, by name.

        Stores tell of demographics only as far as their own effects allow: with information h of a store and variance
        σ² of its effect, as much as 1 / (1 / h + σ²).
        """
        A, Z, x = self.terms.attributes, self.terms.demographics, self.choices.covariates
        total = Sums.zeros(self.terms.shapes)
        for piece, (rows, shares) in zip(self._pieces, self.shares(parts), strict=True):
            units = (self.units[rows] * self.weight[rows])[:, None]
            variance = shares * (1.0 - shares) * units
            _add(total, piece, variance)
            for c, centre in enumerate(self.terms.centre):
                total.covariate[c] += np.einsum("tn,tn,tn->n", variance, x[c, rows] - centre, x[c, rows] - centre)
                mean = np.einsum("tn,tn->t", shares, x[c, rows])[:, None]
                spread = np.einsum("tn,tn->t", shares * units, (x[c, rows] - mean) ** 2)
                total.slope[c] += piece.by_group @ spread
        product = total.group.sum(axis=0)
        by_demographic = (Z**2).T @ (total.group / (1.0 + self.terms.of_own(total.group) * store_variance))
        return replace(
            Coefficients.zeros(self.terms.shapes),
            attribute=(A**2).T @ product,
            product=product,
            demographic=by_demographic @ A**2,
            demographic_product=by_demographic,
            store=self.terms.of_own(total.group),
            period=total.period,
            week=total.week,
            covariate=total.slope.sum(axis=1),
            covariate_product=total.covariate,
            covariate_demographic=total.slope @ Z**2,
        )

    def expected(self, parts: Coefficients) -> tuple[Coefficients, Floats]:
        """Return the weighted units expected, by name of the effect (store, period, week), and typical covariates.

        The covariates are (C, S, N) means over the states of a group, weighed by the units.
        """
        total = Sums.zeros(self.terms.shapes)
        covariates = np.zeros((len(self.terms.centre), *total.group.shape))
        for piece, (rows, shares) in zip(self._pieces, self.shares(parts), strict=True):
            units = shares * (self.units[rows] * self.weight[rows])[:, None]
            _add(total, piece, units)
            for c, values in enumerate(self.choices.covariates):
                covariates[c, piece.groups] += piece.by_own_group @ (units * values[rows])
        covariates /= np.maximum(total.group, 1e-300)
        return self.terms.derivative(total), covariates

    def overdispersion(self, parts: Coefficients) -> float:
        """Estimate δ by moments: how far shares stray from the forecast beyond what independent purchases would.

        The mean over states of (Σ (share − p)² / Σ p (1 − p) − 1 / n) × weeks, each with its present weight; only till
        sales are asked.
        """
        excess, weights = 0.0, 0.0
        tills = self.choices.sources == TILLS
        for rows, shares in self.shares(parts):
            units = self.units[rows]
            seen = self.choices.counts[rows] / units[:, None]
            spread = (shares * (1.0 - shares)).sum(axis=1)
            use = (spread > 1e-9) & tills[rows]
            beyond = ((seen - shares) ** 2).sum(axis=1)[use] / spread[use] - 1.0 / units[use]
            weight = (units * self.weight[rows])[use]
            excess += float(weight @ (beyond * self.choices.weeks[rows][use]))
            weights += float(weight.sum())
        return max(0.0, excess / weights) if weights > 0 else 0.0

    def _cut(self) -> Iterator[_Piece]:
        T, N = self.choices.counts.shape
        shapes = self.terms.shapes
        step = max(1, _CELLS // max(1, N * self.terms.classes))
        for start in range(0, T, step):
            rows = slice(start, min(start + step, T))
            group, week = self.choices.group[rows], self.choices.week[rows]
            period = np.append(self.terms.period, -1)[week] if shapes["period"][0] else week
            groups, own = np.unique(group, return_inverse=True)
            yield _Piece(
                rows,
                _summing(group, shapes["store"][0]),
                groups,
                _summing(own, len(groups)),
                _summing(period, shapes["period"][0]),
                _summing(week, shapes["week"][0]),
            )

    def _utilities(self, parts: Coefficients) -> Callable[[Rows], Floats]:
        """A function that gives the (t, N) utilities of some states, whatever was offered."""
        choices, terms = self.choices, self.terms
        base = terms.base(parts) - (parts.covariate_product * terms.centre).sum(axis=0)
        slopes = terms.slopes(parts)
        seasons = terms.shapes["period"][0] > 0 and parts.period.any()
        shocks = parts.week.any()
        # The last row, which index -1 finds, is nothing.
        nothing = np.zeros((1, len(terms.attributes)))
        by_period, by_week = np.vstack([parts.period, nothing]), np.vstack([parts.week, nothing])
        period_of = np.append(terms.period, -1)

        def utilities(rows: Rows) -> Floats:
            group, week = choices.group[rows], choices.week[rows]
            total: Floats = base[group]
            if seasons:
                total += by_period[period_of[week]]
            if shocks:
                total += by_week[week]
            for slope, special, values in zip(slopes, parts.covariate_product, choices.covariates, strict=True):
                total += (slope[group][:, None] + special) * values[rows]
            return total

        return utilities

    def _summed(self, units: Callable[[slice], Floats], *, all_parts: bool = False) -> Sums:
        """Sum (t, N) units of all pieces, so far as the free parameters need."""
        total = Sums.zeros(self.terms.shapes)
        free = self.terms.shapes if all_parts else self.layout.free
        with_slopes = any(name.startswith("covariate") for name in free)
        for piece in self._pieces:
            part = units(piece.rows)
            _add(total, piece, part, with_period="period" in free, with_week="week" in free)
            if with_slopes:
                for c, values in enumerate(self.choices.covariates):
                    product = part * values[piece.rows]
                    total.covariate[c] += product.sum(axis=0)
                    total.slope[c] += piece.by_group @ product.sum(axis=1)
        return total


def _summing(index: Ints, size: int) -> sparse.csr_array:
    if size == 0:
        return sparse.csr_array((0, len(index)))
    some = np.flatnonzero(index >= 0)
    return sparse.csr_array((np.ones(len(some)), (index[some], some)), shape=(size, len(index)))


def _add(total: Sums, piece: _Piece, units: Floats, *, with_period: bool = True, with_week: bool = True) -> None:
    total.group[piece.groups] += piece.by_own_group @ units
    if with_period and len(total.period):
        total.period[...] += piece.by_period @ units
    if with_week:
        total.week[...] += piece.by_week @ units


def _shares(utilities: Floats, offered: Bools) -> tuple[Floats, Floats]:
    """The (t, N) choice shares, in the place of the utilities, and the (t,) logarithms of the sums of attractions."""
    np.copyto(utilities, -np.inf, where=~offered)
    peak = utilities.max(axis=1)
    utilities -= peak[:, None]
    np.exp(utilities, out=utilities)
    total = utilities.sum(axis=1)
    utilities /= total[:, None]
    return utilities, np.log(total) + peak
