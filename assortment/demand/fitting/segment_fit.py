"""The estimation from household baskets: the scale of what segments do is chosen on households held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.fitting.estimate import Coordinates, maximise
from assortment.demand.fitting.evidence import Evidence
from assortment.demand.fitting.precision import Precision
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices
from assortment.demand.prior import Prior

_CHAIN = ("attribute", "product", "covariate")
_WIDE = ("attribute", "product", "demographic", "covariate")
_NOTHING = 1e-6


@dataclass(frozen=True)
class SegmentFit:
    """What baskets tell.

    Parameters
    ----------
    likelihood
        Of all choices.
    precision
        Of the prior.
    parts
        The parameters.
    local
        Whether segments differ.
    folds
        For each fold, the parameters fitted without it; empty when nothing could be held out.
    evidence
        Segments against the tastes of all households.
    """

    likelihood: Likelihood
    precision: Precision
    parts: Coefficients
    local: bool
    folds: tuple[Coefficients, ...]
    evidence: Evidence

    def unseen_shares(self) -> Floats:
        """Return the (T, N) choice shares as forecast by the fits that had not seen the households."""
        choices, terms, free = self.likelihood.choices, self.likelihood.terms, self.likelihood.layout.free
        shares = np.zeros(choices.counts.shape)
        if not self.folds:
            for rows, part in self.likelihood.shares(self.parts):
                shares[rows] = part
            return shares
        # A fold may be without a state, when none of its households bought.
        for fold, parts in zip(np.unique(choices.fold), self.folds, strict=True):
            held = choices.fold == fold
            unseen = Likelihood(choices.take(held), terms, free)
            shares[held] = np.concatenate([part for _, part in unseen.shares(parts)])
        return shares


def fit_segments(
    choices: Choices,
    terms: Terms,
    prior: Prior,
    *,
    covariates: tuple[str, ...],
    fallback: bool,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SegmentFit:
    """Fit with and without segments, choose the scale of their prior, and judge them.

    Parameters
    ----------
    choices
        States with their folds and purchases by household.
    terms
        What the parameters are multiplied with; the demographics tell the segments apart.
    prior
        Standard deviations of the priors.
    covariates
        Their names.
    fallback
        Whether to take all segments as alike when that forecasts as well.
    workers
        Threads for the folds.
    progress
        Called as ``progress(done, total)``.
    """
    folds = _Folds(choices, terms, prior, covariates, workers)
    scales = prior.candidates
    total = (len(scales) + 1) * len(folds.held) + 1
    count = _counter(progress, total)
    nothing = Coefficients.zeros(terms.shapes)
    chain = folds.fit_all(_CHAIN, 1.0, nothing)
    next(count)
    chain_folds = folds.fit(_CHAIN, 1.0, [chain] * len(folds.held), count)
    assert choices.purchases is not None
    counted = choices.purchases.units * choices.weights[choices.purchases.state]
    units = np.bincount(choices.purchases.block, counted).astype(np.float64)
    chain_loss = folds.losses(chain_folds)
    evidence = Evidence.untested(units, "household")
    best: tuple[float, list[Coefficients]] | None = None
    found = chain_folds
    for scale in scales:
        found = folds.fit(_WIDE, scale, found, count)
        now = Evidence.of(folds.losses(found), chain_loss, units, "household") if folds.held else evidence
        # With nothing held out the middle of the grid is as good a guess as any.
        if best is None or now.log_loss_demographics < evidence.log_loss_demographics:
            best, evidence = (scale if folds.held else scales[len(scales) // 2], found), now
        else:
            break  # the loss falls, then rises: wider priors only cost time
    if progress is not None:
        progress(total, total)
    if best is None or (fallback and folds.held and not evidence.demographics_help):
        return folds.result(_NOTHING, chain, chain_folds, evidence, local=False)
    return folds.result(best[0], folds.fit_all(_WIDE, best[0], chain), best[1], evidence, local=True)


class _Folds:
    """The fits on everything and without each fold, for one data set."""

    def __init__(self, choices: Choices, terms: Terms, prior: Prior, covariates: tuple[str, ...], workers: int) -> None:
        self._choices, self._terms, self._prior, self._covariates, self._workers = (
            choices,
            terms,
            prior,
            covariates,
            workers,
        )
        numbers = np.unique(choices.fold)
        self.held = [choices.fold == fold for fold in numbers] if len(numbers) > 1 else []
        self._seen = [choices.take(~held) for held in self.held]
        self._rest = [Likelihood(choices.take(held), terms, _WIDE) for held in self.held]

    def components(self, scale: float) -> Components:
        prior = replace(self._prior, demographic=scale)
        return Components.first(prior, demographics=len(self._terms.demographics), covariates=self._covariates)

    def fit_all(self, free: tuple[str, ...], scale: float, start: Coefficients) -> Coefficients:
        return self._one(self._choices, free, scale, start)

    def fit(
        self, free: tuple[str, ...], scale: float, starts: list[Coefficients], count: Iterator[None]
    ) -> list[Coefficients]:
        with ThreadPoolExecutor(max(1, self._workers)) as pool:
            found = []
            for parts in pool.map(lambda seen, start: self._one(seen, free, scale, start), self._seen, starts):
                found.append(parts)
                next(count)
        return found

    def _one(self, choices: Choices, free: tuple[str, ...], scale: float, start: Coefficients) -> Coefficients:
        likelihood = Likelihood(choices, self._terms, free)
        precision = self.components(scale).precision(likelihood)
        coordinates = Coordinates.of(likelihood, start, precision)
        found = maximise(likelihood, precision, likelihood.layout.join(start), coordinates)
        return likelihood.parts(found.vector)

    def losses(self, folds: list[Coefficients]) -> Floats:
        """The (B,) loss of each household, forecast by the fit that has not seen it."""
        assert self._choices.purchases is not None
        blocks = int(self._choices.purchases.block.max()) + 1
        total = np.zeros(blocks)
        for unseen, parts in zip(self._rest, folds, strict=True):
            bought = unseen.choices.purchases
            assert bought is not None
            shares = np.concatenate([part for _, part in unseen.shares(parts)])
            counted = bought.units * unseen.choices.weights[bought.state]
            loss = -counted * np.log(shares[bought.state, bought.product])
            total += np.bincount(bought.block, loss, blocks)
        return total

    def result(
        self, scale: float, parts: Coefficients, folds: list[Coefficients], evidence: Evidence, *, local: bool
    ) -> SegmentFit:
        likelihood = Likelihood(self._choices, self._terms, _WIDE if local else _CHAIN)
        precision = self.components(scale).precision(likelihood)
        return SegmentFit(likelihood, precision, parts, local, tuple(folds), evidence)


def _counter(progress: Callable[[int, int], None] | None, total: int) -> Iterator[None]:
    for done in range(1, total + 1):
        if progress is not None:
            progress(done, total)
        yield
    while True:
        yield
