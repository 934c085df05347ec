"""The estimation where segments of shoppers are observed and a store's purchases are a known mixture of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.design.periods import Calendar
from assortment.demand.fitting.crossfit import Unseen, cross_fit
from assortment.demand.fitting.evidence import Evidence
from assortment.demand.fitting.forward import choose_calendar, in_time
from assortment.demand.fitting.settings import Ticks
from assortment.demand.fitting.shrinkage import Shrunken, shrunken_fit, with_shocks
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.kinds import likelihood_of
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import SOURCES, TILLS, Choices
from assortment.demand.prior import Prior

APART = "class_attribute"
"""The part that sets segments apart: how they like attributes."""
_COMMON = ("attribute", "product", "covariate")
_OF_STORES = ("covariate_product", "store", "period")
_ROUNDS = 3
_HELD = {"sales": "store", "baskets": "household", "survey": "survey part"}


@dataclass(frozen=True)
class MixedFit:
    """What sources tell together of segments of shoppers.

    Parameters
    ----------
    fit
        On everything; of one class where segments do not differ.
    terms
        Of all segments.
    parts
        The parameters by segment.
    calendar
        Structure in time.
    local
        Whether segments differ.
    scale
        Standard deviation of what sets segments apart.
    unseen
        Forecasts of what the fits had not seen, or ``None`` where nothing could be held out.
    evidence
        Segments against the tastes of all.
    """

    fit: Shrunken
    terms: Terms
    parts: Coefficients
    calendar: Calendar
    local: bool
    scale: float
    unseen: Unseen | None
    evidence: Evidence


def fit_mixed(
    choices: Choices,
    terms: Terms,
    calendar: Calendar,
    prior: Prior,
    *,
    covariates: tuple[str, ...],
    fallback: bool,
    workers: int,
    ticks: Ticks,
) -> MixedFit:
    """Fit with and without segments, choose the scale of what sets them apart, and judge them.

    Stores, households and parts of the respondents are held out in turn. The scales are tried from wide to narrow until
    the forecast gets worse.

    Parameters
    ----------
    choices
        States of all sources with their folds; purchases of others than tills by who is held out together.
    terms
        With the known shares of the segments in each group.
    calendar
        The weeks of the record.
    prior
        What is fixed.
    covariates
        Their names.
    fallback
        Take all segments as alike when that forecasts as well.
    workers, ticks
        Threads, and progress.
    """
    search = _Search(choices, terms, calendar, prior, covariates=covariates, workers=workers, ticks=ticks)
    chain = search.forecast(search.alike)
    blocks = _Blocks(choices, terms)
    if chain is None:
        scales = search.scales
        middle = scales[len(scales) // 2]
        fit = search.apart(middle, search.alike.parts)
        evidence = Evidence.untested(blocks.units, blocks.name)
        return search.result(fit, middle, None, evidence)
    base = blocks.losses(search.alike, chain)
    best: tuple[Shrunken, float, Unseen] | None = None
    evidence = Evidence.untested(blocks.units, blocks.name)
    parts = search.alike.parts
    for scale in search.scales[::-1]:
        fit = search.apart(scale, parts)
        unseen = search.forecast(fit)
        assert unseen is not None
        now = Evidence.of(blocks.losses(fit, unseen), base, blocks.units, blocks.name)
        if best is not None and now.log_loss_demographics >= evidence.log_loss_demographics:
            break
        best, evidence, parts = (fit, scale, unseen), now, fit.parts
    assert best is not None
    if fallback and not evidence.demographics_help:
        return search.result(search.alike, 0.0, chain, evidence)
    return search.result(best[0], best[1], best[2], evidence)


class _Search:
    """Fits of one data set: with all shoppers alike, and with segments apart."""

    def __init__(
        self,
        choices: Choices,
        terms: Terms,
        calendar: Calendar,
        prior: Prior,
        *,
        covariates: tuple[str, ...],
        workers: int,
        ticks: Ticks,
    ) -> None:
        self._choices, self._workers, self._ticks = choices, workers, ticks
        self.scales = prior.candidates
        if prior.demographic is None:  # segments may differ as much as latent classes do
            self.scales = tuple(sorted({*self.scales, prior.class_attribute}))
        tills = bool((choices.sources == TILLS).any())
        self._free = (*_COMMON, *(_OF_STORES if tills else ()))
        first = Components.first(prior, demographics=0, covariates=covariates)
        alike = replace(terms, classes=1, mixes=None)
        if not tills:  # households and respondents choose for themselves, and at no time
            prior = replace(prior, overdispersion=0.0, time="none")
            first = replace(first, overdispersion=0.0)
        calendar = (
            choose_calendar(choices, alike, self._free, prior=prior, components=first, calendar=calendar)
            if prior.season is None
            else replace(calendar, length=prior.season)
        )
        ticks()
        self.calendar = calendar
        self._prior, first = in_time(prior, first, calendar.length)
        self.terms = replace(terms, period=calendar.period)
        self.alike = self._shocked(
            shrunken_fit(choices, replace(alike, period=calendar.period), self._free, self._prior, first)
        )
        ticks()

    def apart(self, scale: float, start: Coefficients) -> Shrunken:
        """Fit segments that differ on this scale."""
        components = replace(self.alike.components, class_attribute=scale)
        begin = self.by_segment(start)
        found = shrunken_fit(
            self._choices,
            self.terms,
            (*self._free, APART),
            self._prior,
            components,
            start=begin,
            rounds=_ROUNDS,
        )
        self._ticks()
        return self._shocked(found)

    def forecast(self, fit: Shrunken) -> Unseen | None:
        """Forecast each fold by a fit that has not seen it; ``None`` where there is only one."""
        if len(np.unique(self._choices.fold)) < 2:
            return None
        return cross_fit(self._choices, fit, self._prior, local=True, workers=self._workers, tick=self._ticks)

    def by_segment(self, parts: Coefficients) -> Coefficients:
        """The same tastes with parts for each segment, and with what buying nothing is worth to it."""
        if len(parts.class_nothing):
            return parts
        zeros = Coefficients.zeros(self.terms.shapes)
        own = {name: getattr(zeros, name) for name in zeros.__dataclass_fields__ if name.startswith(("class", "mix"))}
        parts = replace(parts, **own)
        return likelihood_of(self._choices, self.terms, self._free, known=parts).with_nothing(parts)

    def result(self, fit: Shrunken, scale: float, unseen: Unseen | None, evidence: Evidence) -> MixedFit:
        if unseen is not None:
            unseen = replace(unseen, parts=tuple(self.by_segment(parts) for parts in unseen.parts))
        return MixedFit(fit, self.terms, self.by_segment(fit.parts), self.calendar, scale > 0, scale, unseen, evidence)

    def _shocked(self, fit: Shrunken) -> Shrunken:
        return with_shocks(fit, self._choices, self._prior)


class _Blocks:
    """What is held out together: stores, and the blocks of the purchases of other sources."""

    def __init__(self, choices: Choices, terms: Terms) -> None:
        self._choices, self._stores = choices, len(terms.demographics)
        self._size = self._stores + choices.blocks
        self._tills = choices.sources == TILLS
        self.name = " and ".join(_HELD[SOURCES[source]] for source in np.unique(choices.sources))
        units = np.bincount(choices.group, choices.counted * self._tills, self._size).astype(np.float64)
        if choices.purchases is not None:
            rows = choices.purchases
            units += np.bincount(self._stores + rows.block, rows.units * choices.weights[rows.state], self._size)
        self.units: Floats = units

    def losses(self, fit: Shrunken, unseen: Unseen) -> Floats:
        """(B,) loss of each block, forecast by the fit that has not seen it, each source as it counts."""
        total = np.zeros(self._size)
        choices, rows = self._choices, self._choices.purchases
        shares = unseen_shares(choices, fit, unseen)
        loss = -(np.log(np.where(choices.counts > 0, shares, 1.0)) * choices.counts).sum(axis=1) * choices.weights
        total += np.bincount(choices.group, loss * self._tills, self._size)
        if rows is not None:
            loss = -rows.units * np.log(shares[rows.state, rows.product]) * choices.weights[rows.state]
            total += np.bincount(self._stores + rows.block, loss, self._size)
        return total


def unseen_shares(choices: Choices, fit: Shrunken, unseen: Unseen) -> Floats:
    """Return the (T, N) choice shares as forecast by the fits that had not seen the states."""
    terms, free = fit.likelihood.terms, fit.likelihood.layout.free
    shares = np.zeros(choices.counts.shape)
    for fold, parts in zip(np.unique(choices.fold), unseen.parts, strict=True):
        held = choices.fold == fold
        ahead = likelihood_of(choices.take(held), terms, free)
        shares[held] = np.concatenate([part for _, part in ahead.shares(parts)])
    return shares
