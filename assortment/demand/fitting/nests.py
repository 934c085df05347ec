"""Do products that share an attribute share buyers more than others do, and which attribute is it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Ints
from assortment.demand.design.nests import Nests
from assortment.demand.fitting.classes import untold
from assortment.demand.fitting.crossfit import Unseen, cross_fit, held_units
from assortment.demand.fitting.estimate import maximise_in_stages
from assortment.demand.fitting.evidence import Evidence
from assortment.demand.fitting.shrinkage import Shrunken, shrunken_fit, with_shocks
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.kinds import likelihood_of
from assortment.demand.likelihood.layout import CLASSES, GIVEN, LOYAL, PARTS, Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.loyalty import nest_bonus
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices
from assortment.demand.prior import Prior

_LOYALTY, _ODDS = 1.0, 1.5
"""Where the search begins: nests that matter a little, to a fifth of the shoppers who take anything."""
_STEPS, _ENOUGH = (8, 12, 15), 5.0
_COMMON = ("attribute", "product", "covariate")
_ROUNDS = 2
_CELLS = 400_000  # more do not choose another attribute


@dataclass(frozen=True)
class NestTrial:
    """Classes that are loyal to a level of one attribute against shoppers who are all alike.

    Parameters
    ----------
    attribute
        The attribute whose levels are the nests.
    loyalty
        Utility by which the products of its nest are worth more to a loyal class, on average over the nests.
    gain, standard_error
        Nats per unit by which stores that were not seen are forecast better; the error from the stores as blocks.
    """

    attribute: str
    loyalty: float
    gain: float
    standard_error: float

    @property
    def pays(self) -> bool:
        """Whether loyalty is above zero and the gain exceeds its standard error."""
        return bool(self.loyalty > 0 and self.gain > self.standard_error)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        figures = f"gain {self.gain:.4f} ± {self.standard_error:.4f} nats per unit on stores not seen"
        if self.pays:
            return f"Products of one {self.attribute} share buyers more than others do ({figures})."
        return f"Products of one {self.attribute} do not share buyers more than others do ({figures})."


@dataclass(frozen=True)
class NestFit:
    """The fit with nests, where there are any.

    Parameters
    ----------
    fit
        On everything; of one class where nests do not forecast better.
    unseen
        Its forecasts of stores not seen; ``None`` where they have not been made.
    nests
        The attribute whose levels are the nests of ``fit``; ``None``: none.
    trial
        What was tried; ``None``: nothing.
    notes
        Why nothing was.
    """

    fit: Shrunken
    unseen: Unseen | None
    nests: Nests | None = None
    trial: NestTrial | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nesting:
    """Which nests to look for.

    Parameters
    ----------
    possible
        Attributes whose levels may be nests, with the (N,) nest of each product, -1 for none.
    given
        Whether there are nests without a test.
    walk_away
        Share of the choice occasions that end without a purchase.
    """

    possible: Mapping[Nests, Ints]
    given: bool
    walk_away: float


def fit_nests(
    choices: Choices,
    alike: Shrunken,
    unseen: Unseen | None,
    prior: Prior,
    *,
    asked: Nesting,
    workers: int,
    tick: Callable[[], None],
) -> NestFit:
    """Fit the attribute whose levels are the likeliest nests, and keep it where it forecasts unseen stores better.

    Parameters
    ----------
    choices
        A state per store and week, with folds.
    alike
        The fit with one class.
    unseen
        Its forecasts of stores not seen; ``None`` where nothing could be held out.
    prior
        As for the fit with one class.
    asked
        Which nests to look for.
    workers, tick
        Threads, and what is called after each step.
    """
    if not asked.possible or (unseen is None and not asked.given):
        return NestFit(alike, unseen)
    if not asked.given and (reason := untold(choices, alike)) is not None:
        note = f"Whether products share buyers was not tested: {reason}."
        return NestFit(alike, unseen, notes=(note,))
    starts = [_start(alike, nests, member, prior, asked.walk_away) for nests, member in asked.possible.items()]
    best = min(starts, key=lambda start: start.loss)
    tick()
    free = (*alike.likelihood.layout.free, *LOYAL)
    fit = shrunken_fit(choices, best.terms, free, prior, best.components, start=best.parts, rounds=_ROUNDS)
    fit = with_shocks(fit, choices, prior)
    tick()
    if unseen is None:
        return NestFit(fit, None, best.nests)
    found = cross_fit(choices, fit, prior, local=True, workers=workers, tick=tick)
    against = Evidence.of(found.loss, unseen.loss, held_units(choices, best.terms), "store")
    loyalty = float(nest_bonus(fit.parts.loyalty).mean())
    trial = NestTrial(best.nests.attribute, loyalty, against.gain, against.standard_error)
    return NestFit(fit, found, best.nests, trial) if trial.pays or asked.given else NestFit(alike, unseen, None, trial)


@dataclass(frozen=True)
class _Start:
    """Where a short search for the nests of one attribute ended, with minus the penalised log-likelihood there."""

    nests: Nests
    terms: Terms
    components: Components
    parts: Coefficients
    loss: float


def _start(alike: Shrunken, nests: Nests, member: Ints, prior: Prior, walk_away: float) -> _Start:
    """Search from the fit with one class; what stores and weeks differ in stays as it is."""
    known, M = alike.likelihood, len(nests.levels)
    stride = 1 + known.choices.offered.size // _CELLS
    choices = known.choices.take(np.arange(len(known.choices.group)) % stride == 0)
    terms = replace(known.terms, classes=1 + M, walk_away=walk_away, nest=member)
    components = replace(alike.components, loyalty=np.array([prior.loyalty, *np.full(M, prior.loyalty_nest)]))
    empty = Coefficients.zeros(terms.shapes)
    common = {name: getattr(alike.parts, name) for name in PARTS if name not in (*CLASSES, *LOYAL, GIVEN)}
    loyalty, mix = np.zeros(1 + M), np.zeros(1 + M)
    loyalty[0], mix[0] = _LOYALTY, _ODDS
    parts = replace(empty, **common, loyalty=loyalty, mix=mix)
    free = (*(name for name in _COMMON if name in known.layout.free), *LOYAL)

    def likelihood_at(parts: Coefficients) -> Likelihood:
        return likelihood_of(choices, terms, free, known=parts, overdispersion=components.overdispersion)

    parts = likelihood_at(parts).with_nothing(parts)
    likelihood = likelihood_at(parts)
    precision = components.precision(likelihood)
    begin = likelihood.layout.join(parts)
    found = maximise_in_stages(likelihood, precision, begin, enough=_ENOUGH, steps=_STEPS)
    return _Start(nests, terms, components, likelihood.parts(found.vector), found.value)
