"""The likelihood of what single weeks did to products in all stores, when everything else is known.

With a the attractions of what a state offered, known but for its week i, and v the shocks of the week,

.. math:: P_{tj} = a_{tj} e^{v_{ij}} / \\sum_l a_{tl} e^{v_{il}}

so that an evaluation is two products of a matrix and a vector per week, and no exponential. States that differ in
nothing but their week share a row of attractions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from assortment.demand.arrays import Floats, Ints
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices

_TOGETHER = 200  # states


class ShockLikelihood(Likelihood):
    """Log-likelihood of one class of shoppers with nothing free but the shocks of single weeks.

    Parameters
    ----------
    choices
        A state per store and week.
    terms
        What the parameters are multiplied with; of one class.
    known
        All other parameters.
    overdispersion
        As for ``Likelihood``.
    """

    def __init__(self, choices: Choices, terms: Terms, *, known: Coefficients, overdispersion: float) -> None:
        super().__init__(choices, terms, ("week",), known=known, overdispersion=overdispersion)
        first = choices.first_equal(terms.period)
        kept = np.flatnonzero(first == np.arange(len(first)))
        self._row: Ints = np.searchsorted(kept, first)
        self._attraction, peak = self._known_attraction(known, kept)
        # What was chosen at no time (week -1, as in a survey) tells nothing of a week.
        timeless = choices.week < 0
        total = np.log(self._attraction[self._row[timeless]].sum(axis=1))
        units = self.units * self.weight
        self._constant = float(units @ peak[self._row]) + float(units[timeless] @ total)
        order = np.argsort(choices.week, kind="stable")
        weeks, start = np.unique(choices.week[order], return_index=True)
        split = zip(weeks, np.split(order, start[1:]), strict=True)
        self._weeks = [(week, states) for week, states in split if week >= 0]

    def value_and_gradient(self, vector: Floats) -> tuple[float, Floats]:
        """Return minus the log-likelihood and its (M,) gradient."""
        shocks = self.parts(vector).week
        value = self._constant - self._bought_known - float(self._bought @ vector)
        gradient = np.zeros(shocks.shape)
        for week, worth, attraction, units, total in self._by_week(shocks):
            value += float(units @ np.log(total))
            gradient[week] = worth * (units / total @ attraction)
        return value, gradient.ravel() - self._bought

    def expected(self, parts: Coefficients) -> tuple[Coefficients, Floats]:
        """Return the weighted units expected by week; of other effects, and of covariates, nothing."""
        found = np.zeros(parts.week.shape)
        for week, worth, attraction, units, total in self._by_week(parts.week):
            found[week] = worth * (units / total @ attraction)
        return replace(Coefficients.zeros(self.terms.shapes), week=found), np.zeros((len(self.terms.centre), 0, 0))

    def information(self, parts: Coefficients, *, store_variance: float = 0.0) -> Coefficients:  # noqa: ARG002
        """Return the diagonal of the Hessian in the shocks; nothing in all else."""
        found = np.zeros(parts.week.shape)
        for week, worth, attraction, units, total in self._by_week(parts.week):
            found[week] = worth * (units / total @ attraction) - worth**2 * (units / total**2 @ attraction**2)
        return replace(Coefficients.zeros(self.terms.shapes), week=found)

    def _known_attraction(self, known: Coefficients, states: Ints) -> tuple[Floats, Floats]:
        """The (t, N) attractions without shocks, 1 being the largest of a state, and the (t,) logarithms of that."""
        attraction, peak = np.empty((len(states), self.choices.counts.shape[1])), np.empty(len(states))
        utilities = self._utilities(known.without("week"))
        for start in range(0, len(states), _TOGETHER):
            rows, place = states[start : start + _TOGETHER], slice(start, start + _TOGETHER)
            utility = np.where(self.choices.offered[rows], utilities(rows), -np.inf)
            peak[place] = utility.max(axis=1)
            np.exp(utility - peak[place, None], out=attraction[place])
        return attraction, peak

    def _by_week(self, shocks: Floats) -> Iterator[tuple[int, Floats, Floats, Floats, Floats]]:
        """By week: its index, the (N,) factors of its shocks, and (t, N) known attractions, (t,) weighted units and
        (t,) sums of attraction of its states."""
        for week, states in self._weeks:
            worth = np.exp(shocks[week])
            attraction = self._attraction[self._row[states]]
            yield int(week), worth, attraction, self.units[states] * self.weight[states], attraction @ worth
