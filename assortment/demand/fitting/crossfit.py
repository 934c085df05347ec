"""Cross-fitting: every store is forecast by a fit that has not seen it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.fitting.estimate import Coordinates
from assortment.demand.fitting.evidence import Evidence
from assortment.demand.fitting.shrinkage import Shrunken, shrunken_fit, with_shocks
from assortment.demand.likelihood.by_group import expected_by_group
from assortment.demand.likelihood.kinds import likelihood_of
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices
from assortment.demand.prior import Prior

LOCAL = ("demographic", "demographic_product", "covariate_demographic", "mix_demographic")
"""What demographics do; the chain average is the same model without."""


@dataclass(frozen=True)
class Unseen:
    """Forecasts of stores that the fits had not seen (S stores, N products).

    Parameters
    ----------
    parts
        For each fold, the parameters fitted without it.
    loss
        (S,), minus the log probability of what each store sold.
    expected
        (S, N), units by product, when the total of each week is known.
    """

    parts: tuple[Coefficients, ...]
    loss: Floats
    expected: Floats


def cross_fit(
    choices: Choices,
    fit: Shrunken,
    prior: Prior,
    *,
    local: bool,
    workers: int = 1,
    tick: Callable[[], None],
) -> Unseen:
    """Fit without each fold in turn, the variance components as they are, and forecast it.

    A store that was not seen has no effect of its own; weekly shocks are those of the other stores.

    Parameters
    ----------
    choices
        A state per store and week.
    fit
        On everything.
    prior
        Of the parameters.
    local
        With demographics.
    workers
        Threads.
    tick
        Called after each fold.
    """
    likelihood = fit.likelihood
    terms, shape = likelihood.terms, fit.parts.store.shape
    free = tuple(name for name in likelihood.layout.free if local or name not in LOCAL)
    as_it_is = fit.held if local else fit.without(*LOCAL).held
    loss, expected = np.zeros(shape[0]), np.zeros(shape)
    # No two states of different folds are counted together; only weekly shocks need them week by week.
    alike = likelihood.choices
    weekly = choices if fit.parts.week.any() else alike
    coordinates = _coordinates(fit, free)

    def one(fold: int) -> tuple[Coefficients, Floats, Floats]:
        seen = alike.take(alike.fold != fold)
        inside = np.isin(np.arange(shape[0]), seen.group)[:, None]
        start = replace(fit.parts, store=np.where(inside, fit.parts.store, 0.0))
        near = coordinates.seeing(seen.group)
        blind = shrunken_fit(
            seen, terms, free, prior, fit.components, start=start, rounds=0, coordinates=near, held=as_it_is
        )
        if weekly is choices:
            blind = with_shocks(blind, choices.take(choices.fold != fold), prior, start=start, rounds=0)
        unseen = likelihood_of(weekly.take(weekly.fold == fold), terms, free)
        return blind.parts, *expected_by_group(unseen, blind.parts)

    found = []
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for parts, units, own_loss in pool.map(one, np.unique(choices.fold)):
            found.append(parts)
            expected += units
            loss += own_loss
            tick()
    return Unseen(tuple(found), loss, expected)


def _coordinates(fit: Shrunken, free: tuple[str, ...]) -> Coordinates:
    """Those of the fit on everything, for all folds."""
    likelihood = fit.likelihood
    everything = likelihood_of(
        likelihood.choices, likelihood.terms, free, known=fit.parts, overdispersion=fit.components.overdispersion
    )
    precision = fit.components.precision(everything)
    fixed = everything.layout.first_product() if fit.components.needs_reference else None
    parts = fit.parts.without(*(name for name in LOCAL if name not in free))
    return Coordinates.of(everything, parts, precision, fixed=fixed)


def held_units(choices: Choices, terms: Terms) -> Floats:
    """Return (S,) units of the groups that can be held out whole: stores, as far as they have effects of their own."""
    units = np.bincount(choices.group, choices.counted, len(terms.demographics)).astype(np.float64)
    return terms.of_own(units[:, None])[:, 0]


def compare(local: Unseen | None, chain: Unseen, units: Floats) -> Evidence:
    """Demographics against the chain average, from the (S,) units of the stores."""
    if local is None or len(chain.parts) < 2:
        return Evidence.untested(units, "store")
    return Evidence.of(local.loss, chain.loss, units, "store")
