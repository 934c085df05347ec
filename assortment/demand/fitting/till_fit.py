"""The estimation from till sales: structure in time, shrinkage, and forecasts of stores that were not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.design.nests import Nests
from assortment.demand.design.periods import Calendar
from assortment.demand.fitting.classes import ClassFit, Count, Trial, fit_classes
from assortment.demand.fitting.crossfit import LOCAL, Unseen, compare, cross_fit, held_units
from assortment.demand.fitting.evidence import Evidence
from assortment.demand.fitting.forward import choose_calendar, in_time
from assortment.demand.fitting.nests import NestFit, Nesting, NestTrial, fit_nests
from assortment.demand.fitting.price_guard import Replaced, guarded
from assortment.demand.fitting.settings import Ticks
from assortment.demand.fitting.shrinkage import Shrunken, shrunken_fit, with_shocks
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.layout import CLASSES, GIVEN, LOYAL, PARTS
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices
from assortment.demand.prior import Prior
from assortment.errors import DemandError

_FREE = tuple(name for name in PARTS if name not in ("week", GIVEN, *CLASSES, *LOYAL))


@dataclass(frozen=True)
class TillFit:
    """What till sales tell.

    Parameters
    ----------
    fit
        On everything; without demographics where they did not help.
    calendar
        Structure in time.
    local
        Whether demographics are used.
    unseen
        Forecasts of stores by fits that had not seen them; ``None`` where nothing could be held out.
    evidence
        Demographics against the chain average.
    nests
        Whose levels the classes are loyal to; ``None``: to none.
    trials
        Nests and numbers of latent classes that were tried.
    notes
        On the classes.
    replaced
        Price coefficients that came out positive; ``None`` where they were left as they are.
    """

    fit: Shrunken
    calendar: Calendar
    local: bool
    unseen: Unseen | None
    evidence: Evidence
    nests: Nests | None = None
    trials: tuple[Trial | NestTrial, ...] = ()
    notes: tuple[str, ...] = ()
    replaced: Replaced | None = None


def fit_tills(
    choices: Choices,
    terms: Terms,
    calendar: Calendar,
    prior: Prior,
    *,
    covariates: tuple[str, ...],
    each_its_own: bool,
    fallback: bool,
    count: Count,
    nesting: Nesting,
    workers: int,
    ticks: Ticks,
) -> TillFit:
    """Estimate with all that the prior leaves open.

    Parameters
    ----------
    choices
        A state per store and week, with folds.
    terms
        What the parameters are multiplied with, but for the periods.
    calendar
        The weeks of the record.
    prior
        What is fixed.
    covariates
        Their names.
    each_its_own
        Whether each product is its own attribute: then nothing lies beyond the attributes.
    fallback
        Leave demographics out when they do not help.
    count
        How many latent classes.
    nesting
        Which nests.
    workers, ticks
        Threads, and progress.
    """
    first = Components.first(
        prior,
        demographics=terms.demographics.shape[1],
        covariates=covariates,
        attributes=0 if each_its_own else terms.attributes.shape[1],
    )
    free = tuple(name for name in _FREE if not (each_its_own and name == "demographic_product"))
    if (held_units(choices, terms) > 0).sum() <= 1:
        free = tuple(name for name in free if name != "store")
    calendar = (
        choose_calendar(choices, terms, free, prior=prior, components=first, calendar=calendar)
        if prior.season is None
        else replace(calendar, length=prior.season)
    )
    ticks()
    terms = replace(terms, period=calendar.period)
    prior, first = in_time(prior, first, calendar.length)
    fit = _fit(choices, terms, free, prior, first)
    ticks()
    alike = judged(choices, fit, calendar, prior, fallback=fallback, workers=workers, ticks=ticks)
    if count.classes is not None and count.classes > 1:  # asked for instead
        nesting = replace(nesting, possible={})
    nested = fit_nests(choices, alike.fit, alike.unseen, prior, asked=nesting, workers=workers, tick=ticks)
    latent = fit_classes(
        choices, alike.fit, alike.unseen, prior, count=count, local=alike.local, workers=workers, tick=ticks
    )
    with_nests = _better(nested, latent, than=alike.fit)
    if with_nests:  # whether demographics help was found out without them
        alike = replace(alike, fit=nested.fit, unseen=nested.unseen, nests=nested.nests)
    elif latent.fit is not alike.fit:
        alike = judged(
            choices, latent.fit, calendar, prior, best=latent.unseen, fallback=fallback, workers=workers, ticks=ticks
        )
    safe, replaced = guarded(alike.fit, choices, prior, covariates)
    if replaced and with_nests:
        unseen = cross_fit(choices, safe, prior, local=True, workers=workers, tick=ticks) if alike.unseen else None
        alike = replace(alike, fit=safe, unseen=unseen)
    elif replaced:
        alike = judged(choices, safe, calendar, prior, fallback=fallback, workers=workers, ticks=ticks)
    return replace(
        alike,
        trials=(*((nested.trial,) if nested.trial else ()), *latent.trials),
        notes=(*nested.notes, *latent.notes),
        replaced=replaced,
    )


def _better(nested: NestFit, latent: ClassFit, *, than: Shrunken) -> bool:
    """Whether nests forecast better than latent classes; latent classes that were asked for stand."""
    if nested.fit is than or latent.fit is than:
        return nested.fit is not than
    if nested.unseen is None or latent.unseen is None:
        return False
    return bool(nested.unseen.loss.sum() < latent.unseen.loss.sum())


def fit_plain(choices: Choices, terms: Terms, calendar: Calendar, *, workers: int, ticks: Ticks) -> TillFit:
    """Estimate by maximum likelihood with no prior: one constant per product, and one per product and demographic."""
    components = Components.flat(demographics=terms.demographics.shape[1], covariates=len(terms.centre))
    terms = replace(terms, period=calendar.period)
    fit = shrunken_fit(choices, terms, _FREE, PLAIN, components, rounds=0)
    ticks()
    try:
        return judged(choices, fit, calendar, PLAIN, fallback=False, workers=workers, ticks=ticks)
    except DemandError:  # what all stores together tell, some of them may not
        evidence = Evidence.untested(held_units(choices, terms), "store")
        return TillFit(fit, calendar, terms.demographics.shape[1] > 0, None, evidence)


PLAIN = Prior(store=0.0, period=0.0, week=0.0, overdispersion=0.0, time="none")


def judged(
    choices: Choices,
    fit: Shrunken,
    calendar: Calendar,
    prior: Prior,
    *,
    best: Unseen | None = None,
    fallback: bool,
    workers: int,
    ticks: Ticks,
) -> TillFit:
    """Cross-fit with (``best``, where that is known) and without demographics.

    Fall back to the chain average when they do not help.
    """
    units = held_units(choices, fit.likelihood.terms)
    local = any(name in fit.likelihood.layout.free for name in LOCAL)
    if len(np.unique(choices.fold)) < 2:
        return TillFit(fit, calendar, local, None, Evidence.untested(units, "store"))
    if best is not None and not local:
        return TillFit(fit, calendar, False, best, compare(None, best, units))
    chain = cross_fit(choices, fit, prior, local=False, workers=workers, tick=ticks)
    if local and best is None:
        best = cross_fit(choices, fit, prior, local=True, workers=workers, tick=ticks)
    evidence = compare(best, chain, units)
    if best is None or (fallback and not evidence.demographics_help):
        if local:
            free = tuple(name for name in fit.likelihood.layout.free if name not in LOCAL)
            fit = _fit(choices, fit.likelihood.terms, free, prior, fit.components, start=fit.without(*LOCAL))
        return TillFit(fit, calendar, False, chain, evidence)
    return TillFit(fit, calendar, True, best, evidence)


def _fit(
    choices: Choices,
    terms: Terms,
    free: tuple[str, ...],
    prior: Prior,
    components: Components,
    *,
    start: Shrunken | None = None,
) -> Shrunken:
    held = () if start is None else start.held
    begin = None if start is None else start.parts
    fit = shrunken_fit(choices, terms, free, prior, components, start=begin, held=held)
    return with_shocks(fit, choices, prior)


def reliability(fit: Shrunken) -> Floats:
    """Return (S, N), the part of the variance of a store's effects that its own sales have settled."""
    if "store" not in fit.likelihood.layout.free:
        return np.zeros(fit.parts.store.shape)
    expected = fit.likelihood.expected(fit.parts)[0].store
    return fit.components.kinship(fit.likelihood.terms).settled(expected)


def inherited(fit: Shrunken) -> Floats:
    """Return (N, Q), by which the effects of a store are multiplied to tell what it makes of attributes."""
    shape = fit.likelihood.terms.attributes.shape
    return fit.components.kinship(fit.likelihood.terms).inherited if fit.components.store > 0 else np.zeros(shape)
