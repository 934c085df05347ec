"""Latent classes of shoppers: how many there are, and what sets them apart."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.fitting.class_starts import best_start
from assortment.demand.fitting.crossfit import LOCAL, Unseen, cross_fit, held_units
from assortment.demand.fitting.evidence import LEAST_GAIN, Evidence
from assortment.demand.fitting.shrinkage import Shrunken, shrunken_fit, with_shocks
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.layout import CLASSES, GIVEN, Coefficients
from assortment.demand.observed.choices import Choices
from assortment.demand.prior import Prior
from assortment.errors import AssortmentWarning, DemandError

LEAST_STORES = 8
"""With fewer stores the number of classes is not sought."""
_LIKING = 0.02
"""What a store makes of an attribute is left to the mix of its classes first."""
_MOST_CELLS = 1_500_000
"""Of distinct states and products: with more, classes are fitted only where they are asked for."""
_COLLAPSED = 0.02
_ALIKE = 0.02
_ROUNDS = 3


@dataclass(frozen=True)
class Trial:
    """A number of classes against one less.

    Parameters
    ----------
    classes
        The larger number.
    gain, standard_error
        Nats per unit by which it forecasts stores that were not seen better; the error from the stores as blocks.
    """

    classes: int
    gain: float
    standard_error: float

    @property
    def pays(self) -> bool:
        """Whether the gain exceeds its standard error, and is one at all."""
        return bool(self.gain > self.standard_error and self.gain > LEAST_GAIN)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        verb = "forecast" if self.pays else "do not forecast"
        fewer = f"{self.classes - 1} class{'es' if self.classes > 2 else ''}"
        figures = f"gain {self.gain:.4f} ± {self.standard_error:.4f} nats per unit"
        return f"{self.classes} latent classes of shoppers {verb} unseen stores better than {fewer} ({figures})."


@dataclass(frozen=True)
class Count:
    """How many latent classes of shoppers.

    Parameters
    ----------
    classes
        Their number; ``None``: to be found.
    most
        Most classes to try.
    walk_away
        Share of the choice occasions of each class that end without a purchase.
    """

    classes: int | None
    most: int
    walk_away: float


@dataclass(frozen=True)
class ClassFit:
    """The fit with as many classes as pay.

    Parameters
    ----------
    fit
        On everything.
    unseen
        Its forecasts of stores not seen; ``None`` where they have not been made.
    trials
        What was tried.
    notes
        What was not tried, and classes that collapsed.
    """

    fit: Shrunken
    unseen: Unseen | None
    trials: tuple[Trial, ...] = ()
    notes: tuple[str, ...] = ()


def fit_classes(
    choices: Choices,
    alike: Shrunken,
    unseen: Unseen | None,
    prior: Prior,
    *,
    count: Count,
    local: bool,
    workers: int,
    tick: Callable[[], None],
) -> ClassFit:
    """Add classes as long as they forecast stores better that the fit has not seen.

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
    count
        How many classes.
    local
        Whether demographics may tell the classes apart.
    workers, tick
        Threads, and what is called after each step.
    """
    search = _Search(choices, alike, prior, walk_away=count.walk_away, local=local, workers=workers)
    if count.classes == 1 or (count.classes is None and count.most < 2):
        return ClassFit(alike, unseen)
    if count.classes is not None:
        return search.given(count.classes)
    if (reason := untold(choices, alike)) is not None or unseen is None:
        reason = reason or "no store could be held out"
        return ClassFit(
            alike, unseen, notes=(f"Whether there are several classes of shoppers was not tested: {reason}.",)
        )
    units = held_units(choices, alike.likelihood.terms)
    best, known, trials = alike, unseen, list[Trial]()
    for number in range(2, count.most + 1):
        try:
            fit = search.fit(number, best)
        except DemandError:
            message = f"The search for {number} classes of shoppers did not end; {number - 1} of them are used."
            return ClassFit(best, known, tuple(trials), (message,))
        tick()
        if (fault := collapsed(fit)) is not None:
            message = f"{number} classes of shoppers were tried and {fault}; there are {number - 1}."
            return ClassFit(best, known, tuple(trials), (message,))
        found = cross_fit(choices, fit, prior, local=True, workers=workers, tick=tick)
        against = Evidence.of(found.loss, known.loss, units, "store")
        trials.append(Trial(number, against.gain, against.standard_error))
        if not trials[-1].pays:
            break
        best, known = fit, found
    return ClassFit(best, known, tuple(trials))


class _Search:
    """Fits with several classes of one data set."""

    def __init__(
        self,
        choices: Choices,
        alike: Shrunken,
        prior: Prior,
        *,
        walk_away: float,
        local: bool,
        workers: int,
    ) -> None:
        self._choices, self._alike, self._prior = choices, alike, prior
        self._walk_away, self._workers = walk_away, workers
        terms, free = alike.likelihood.terms, alike.likelihood.layout.free
        own_attributes = "demographic" in free and "demographic_product" not in free
        self._own = tuple(
            name
            for name in CLASSES
            if not (name in LOCAL and not local) and not (name == "class_product" and own_attributes)
        )
        first = Components.first(prior, demographics=terms.demographics.shape[1], covariates=("",) * len(terms.centre))
        self._components = replace(
            alike.components,
            demographic=np.minimum(alike.components.demographic, first.demographic),
            demographic_product=np.minimum(alike.components.demographic_product, first.demographic_product),
            store=min(alike.components.store, first.store),
            store_attribute=np.minimum(alike.components.store_attribute, _LIKING),
        )

    def fit(self, count: int, fewer: Shrunken) -> Shrunken:
        """Fit so many classes, ordered by their share."""
        alike = self._alike
        terms = replace(alike.likelihood.terms, classes=count, walk_away=self._walk_away)
        free = (*alike.likelihood.layout.free, *self._own)
        start = best_start(
            alike.likelihood.choices,
            terms,
            free,
            self._components,
            alike=alike,
            fewer=fewer,
            workers=self._workers,
        )
        found = shrunken_fit(self._choices, terms, free, self._prior, self._components, start=start, rounds=_ROUNDS)
        found = replace(found, parts=_ordered(found))
        return with_shocks(found, self._choices, self._prior)

    def given(self, count: int) -> ClassFit:
        """Fit so many classes, or the most below that of which none collapses."""
        notes: list[str] = []
        fits = [self._alike]
        for number in range(2, count + 1):
            fits.append(self.fit(number, fits[-1]))
        for fewer in range(count, 1, -1):
            fault = collapsed(fits[fewer - 1])
            if fault is None:
                return ClassFit(fits[fewer - 1], None, notes=tuple(notes))
            message = f"With {fewer} classes of shoppers {fault}; {fewer - 1} are fitted instead."
            warnings.warn(message, AssortmentWarning, stacklevel=6)
            notes.append(message)
        return ClassFit(self._alike, None, notes=tuple(notes))


def untold(choices: Choices, alike: Shrunken) -> str | None:
    """Return why classes are not sought in this record, or ``None``.

    Parameters
    ----------
    choices
        A state per store and week.
    alike
        The fit with one class, to equal states counted together.
    """
    if (cells := alike.likelihood.choices.offered.size) > _MOST_CELLS:
        return f"with {cells:,} distinct offers it would take hours; ask for it by `classes` or `nests`"
    stores = len(np.unique(choices.group))
    if stores < LEAST_STORES:
        return f"{stores} store{'s have' if stores != 1 else ' has'} sales, and at least {LEAST_STORES} are needed"
    same_offers = (choices.offered == choices.offered[0]).all()
    if same_offers and not (np.ptp(choices.covariates, axis=1) > 0).any():
        return "neither offers nor prices ever vary"
    return None


def collapsed(fit: Shrunken) -> str | None:
    """Return what is wrong with the classes: one that nobody belongs to, or two that choose alike; or ``None``."""
    terms = fit.likelihood.terms
    largest = terms.mix(fit.parts).max(axis=0)
    if (largest < _COLLAPSED).any():
        k = int(largest.argmin())
        return f"class {k + 1} collapsed (below {_COLLAPSED:.0%} of the shoppers of every store)"
    shares, slopes = class_shares(fit.parts, terms.attributes), fit.parts.class_covariate
    for k in range(terms.classes):
        for other in range(k):
            apart = 0.5 * float(np.abs(shares[k] - shares[other]).sum())
            if apart < _ALIKE and float(np.abs(slopes[k] - slopes[other]).max(initial=0.0)) < _ALIKE * 10:
                return f"classes {other + 1} and {k + 1} came out alike"
    return None


def class_shares(parts: Coefficients, attributes: Floats) -> Floats:
    """Return (K, N) choice shares of the classes if all products were offered at typical prices."""
    utility = attributes @ parts.attribute + parts.product + parts.class_attribute @ attributes.T + parts.class_product
    worth = np.exp(utility - utility.max(axis=1, keepdims=True))
    shares: Floats = worth / worth.sum(axis=1, keepdims=True)
    return shares


def _ordered(fit: Shrunken) -> Coefficients:
    """The classes by their share of the purchases, largest first."""
    likelihood = fit.likelihood
    units = np.bincount(likelihood.choices.group, likelihood.units, len(fit.parts.store))
    order = np.argsort(-(units @ likelihood.terms.mix(fit.parts)), kind="stable")
    return replace(fit.parts, **{name: getattr(fit.parts, name)[order] for name in (*CLASSES, GIVEN)})
