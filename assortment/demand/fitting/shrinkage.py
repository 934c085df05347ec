"""A fit whose shrinkage is estimated along with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.fitting.estimate import Coordinates, maximise, maximise_in_stages
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.kinds import likelihood_of
from assortment.demand.likelihood.layout import GIVEN, PARTS, Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.shocks import ShockLikelihood
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices
from assortment.demand.prior import Prior

ROUNDS = 5
"""Rounds of estimating the variance components of a fit."""
_SHOCK_ROUNDS = 3
_COARSE, _FINE = 1e-2, 3e-4
_ROUGHLY, _LITTLE = 20.0, 2.0
_FAR = 3.0


@dataclass(frozen=True)
class Shrunken:
    """A penalised fit.

    Parameters
    ----------
    likelihood
        Of the choices, equal states counted together.
    parts
        The parameters, weekly shocks among them.
    components
        How far each kind of parameter strays.
    held
        Parts that were not fitted but held at what they are.
    """

    likelihood: Likelihood
    parts: Coefficients
    components: Components
    held: tuple[str, ...] = ()

    def without(self, *names: str) -> Shrunken:
        """Return the same with these parts no longer held."""
        return replace(self, held=tuple(name for name in self.held if name not in names))

    def whole(self) -> Likelihood:
        """Return the likelihood with everything free that is not nothing, for the errors of what was held too."""
        if not self.held:
            return self.likelihood
        seen = self.likelihood
        free = (*seen.layout.free, *self.held)
        return likelihood_of(
            seen.choices, seen.terms, free, known=self.parts, overdispersion=self.components.overdispersion
        )


def shrunken_fit(
    choices: Choices,
    terms: Terms,
    free: tuple[str, ...],
    prior: Prior,
    components: Components,
    *,
    start: Coefficients | None = None,
    rounds: int = ROUNDS,
    coordinates: Coordinates | None = None,
    held: tuple[str, ...] = (),
) -> Shrunken:
    """Fit, and estimate what the prior leaves open.

    Parameters
    ----------
    choices
        A state per store and week; equal ones are counted together.
    terms
        What the parameters are multiplied with.
    free
        Parts to estimate; those whose standard deviation is zero are left out, and those without parameters.
    prior
        Which components are fixed.
    components
        Where to begin, or what to keep when there are no rounds.
    start
        Where to begin.
    rounds
        Rounds of parameters and components in turn.
    coordinates
        Of the same parameters and similar data; they save the time to find them.
    held
        Parts that stay as they are at the start.
    """
    free = tuple(name for name in free if np.prod(terms.shapes[name]) > 0 and np.any(getattr(components, name) > 0))
    merged = choices.merged(terms.period)
    if all(getattr(prior, name, 0.0) is not None for name in (*free, "overdispersion")):
        rounds = 0
    parts = _as_sold(merged, terms) if start is None else start
    parts = parts.without(*(name for name in PARTS if name not in (*free, *held, GIVEN)))
    before = np.zeros(0)
    for done in range(rounds + 1):
        likelihood = likelihood_of(merged, terms, free, known=parts, overdispersion=components.overdispersion)
        precision = components.precision(likelihood)
        begin, last = likelihood.layout.join(parts), done == rounds
        if terms.classes > 1:
            enough = _LITTLE if last else _ROUGHLY
            found = maximise_in_stages(likelihood, precision, begin, enough=enough, first=coordinates)
        else:
            # As the components move, so do the coordinates that are round; old ones cost far more steps.
            if coordinates is None or done == 1 or (done > 1 and _moved(precision.diagonal, before)):
                fixed = likelihood.layout.first_product() if components.needs_reference else None
                coordinates, before = Coordinates.of(likelihood, parts, precision, fixed=fixed), precision.diagonal
            found = maximise(likelihood, precision, begin, coordinates, tolerance=_FINE if last else _COARSE)
        parts = likelihood.parts(found.vector)
        if not last:
            components = components.updated(likelihood, parts, prior)
            parts = likelihood.with_nothing(parts)
    return Shrunken(likelihood, parts, components, held)


def _moved(precision: Floats, before: Floats) -> bool:
    """Whether the precision of a prior is no longer what it was when the coordinates were made."""
    ratio = precision / before
    return bool(ratio.max(initial=1.0) > _FAR or ratio.min(initial=1.0) < 1.0 / _FAR)


def _as_sold(choices: Choices, terms: Terms) -> Coefficients:
    """Constants at which each product would sell what it did where it was offered: a start near the optimum."""
    units = choices.counted
    chances = np.array([units[there].sum() for there in choices.offered.T])
    constant = np.log((choices.weights @ choices.counts + 1.0) / (chances + len(chances)))
    return replace(Coefficients.zeros(terms.shapes), product=constant - constant[0])


def with_shocks(
    fit: Shrunken, choices: Choices, prior: Prior, *, start: Coefficients | None = None, rounds: int = _SHOCK_ROUNDS
) -> Shrunken:
    """Add what single weeks did to products in all stores, everything else as it was found.

    Parameters
    ----------
    fit
        Without shocks.
    choices
        The same choices, a state per store and week.
    prior
        Which components are fixed.
    start
        Shocks to begin with.
    rounds
        Rounds of shocks and their variance in turn.
    """
    components, terms = fit.components, fit.likelihood.terms
    if components.week == 0 or len(terms.period) < 2:
        return fit
    overdispersion = components.overdispersion
    likelihood = (
        ShockLikelihood(choices, terms, known=fit.parts, overdispersion=overdispersion)
        if terms.classes == 1 and terms.nest is None
        else likelihood_of(choices, terms, ("week",), known=fit.parts, overdispersion=overdispersion)
    )
    vector = np.zeros(likelihood.layout.size) if start is None else start.week.ravel()
    only_week = replace(prior, overdispersion=overdispersion)
    for remaining in range(0 if prior.week is not None else rounds, -1, -1):
        precision = components.precision(likelihood)
        coordinates = Coordinates.of(likelihood, likelihood.parts(vector), precision)
        vector = maximise(likelihood, precision, vector, coordinates, tolerance=_COARSE if remaining else _FINE).vector
        if remaining:
            components = components.updated(likelihood, likelihood.parts(vector), only_week)
    return Shrunken(fit.likelihood, likelihood.parts(vector), components, fit.held)
