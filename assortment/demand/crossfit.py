"""Cross-fitting: every store (or household) is forecast by a fit that has not seen it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.choices import Choices
from assortment.demand.estimate import maximise, precisions, rounding_shape
from assortment.demand.evidence import Evidence
from assortment.demand.likelihood import Likelihood
from assortment.demand.prior import Prior

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class CrossFit:
    """What was learnt by holding out.

    Parameters
    ----------
    scale
        Standard deviation of the demographic effects that forecast best; ``None``: demographics are not used.
    vector
        (M,) parameters fitted on everything.
    folds
        For each fold, the (M,) parameters fitted without it; empty when nothing could be held out.
    evidence
        Demographics against the chain average.
    """

    scale: float | None
    vector: Floats
    folds: tuple[Floats, ...]
    evidence: Evidence


class Folds:
    """The fits on everything and without each fold, for one data set.

    Parameters
    ----------
    choices
        States with their folds.
    attributes, demographics
        (N, Q) and (S, D).
    prior
        Standard deviations of the priors.
    has_price
        Whether the first covariate is the log price.
    workers
        Threads for the folds.
    """

    def __init__(
        self,
        choices: Choices,
        attributes: Floats,
        demographics: Floats,
        *,
        prior: Prior,
        has_price: bool,
        workers: int = 1,
    ) -> None:
        self._prior, self._has_price, self._workers = prior, has_price, workers
        self._choices = choices
        numbers = [int(fold) for fold in np.unique(choices.fold)]
        self._held = [choices.fold == fold for fold in numbers] if len(numbers) > 1 else []
        nobody = np.zeros((len(demographics), 0))
        self._all = [Likelihood(choices, attributes, Z) for Z in (nobody, demographics)]
        parts = [choices.take(~held) for held in self._held]
        self._trained = [[Likelihood(part, attributes, Z) for part in parts] for Z in (nobody, demographics)]
        rest = [choices.take(held) for held in self._held]
        self._tested = [Likelihood(part, attributes, demographics) for part in rest]

    def fit(self, blocked_by: str, *, fallback: bool, progress: Progress | None = None) -> CrossFit:
        """Fit with and without demographics, choose the scale of their prior, and judge them.

        Parameters
        ----------
        blocked_by
            What a block is, in words.
        fallback
            Whether to leave demographics out when they do not help.
        progress
            Called as ``progress(done, total)``.
        """
        layout = self._all[1].layout
        scales = self._prior.candidates if layout.demographics else ()
        total = (len(scales) + 1) * len(self._held) + 1
        count = _counter(progress, total)
        chain, curvature = self._chain_fit()
        next(count)
        chain_folds = self._fold_fits(0, [chain] * len(self._held), 1.0, curvature, count)
        wide, wide_folds = self._padded(chain), [self._padded(vector) for vector in chain_folds]
        rows = self._choices.purchases
        units = np.bincount(rows.block, rows.units).astype(np.float64)
        chain_loss = self._losses(wide_folds)
        evidence = Evidence.none(blocked_by, int((units > 0).sum()), float(self._choices.counts.sum()))
        best: tuple[float, list[Floats]] | None = None
        curvature = self._all[1].hessian(wide)
        vectors = wide_folds
        for scale in scales:
            vectors = self._fold_fits(1, vectors, scale, curvature, count)
            loss = self._losses(vectors)
            found = Evidence.of(loss, chain_loss, units, blocked_by) if self._held else evidence
            # With nothing held out the middle of the grid is as good a guess as any.
            if best is None or found.log_loss_demographics < evidence.log_loss_demographics:
                best, evidence = (scale if self._held else scales[len(scales) // 2], vectors), found
            else:
                break  # the loss falls, then rises: wider priors only cost time
        if progress is not None:
            progress(total, total)
        if best is None or (fallback and self._held and not evidence.demographics_help):
            return CrossFit(None, wide, tuple(wide_folds), evidence)
        precision = precisions(layout, self._prior, best[0], has_price=self._has_price)
        vector = maximise(self._all[1], precision, wide, rounding_shape(curvature, precision)).vector
        return CrossFit(best[0], vector, tuple(best[1]), evidence)

    def _chain_fit(self) -> tuple[Floats, Floats]:
        """The fit on everything without demographics, and the curvature there."""
        likelihood = self._all[0]
        precision = precisions(likelihood.layout, self._prior, 1.0, has_price=self._has_price)
        start = np.zeros(likelihood.layout.size)
        shape = rounding_shape(likelihood.hessian(start), precision)
        vector = maximise(likelihood, precision, start, shape).vector
        return vector, likelihood.hessian(vector)

    def _fold_fits(
        self, which: int, starts: list[Floats], scale: float, curvature: Floats, count: Iterator[None]
    ) -> list[Floats]:
        precision = precisions(self._all[which].layout, self._prior, scale, has_price=self._has_price)
        shape = rounding_shape(curvature, precision)

        def one(fold: int) -> Floats:
            return maximise(self._trained[which][fold], precision, starts[fold], shape).vector

        with ThreadPoolExecutor(max(1, self._workers)) as pool:
            vectors = []
            for vector in pool.map(one, range(len(self._held))):
                vectors.append(vector)
                next(count)
        return vectors

    def _padded(self, chain: Floats) -> Floats:
        """The parameters of a fit without demographics, in the layout with them."""
        narrow, wide = self._all[0].layout, self._all[1].layout
        vector = np.zeros(wide.size)
        for part in ("attribute", "product", "covariate"):
            vector[wide.position(part)] = chain[narrow.position(part)]
        return vector

    def _losses(self, vectors: list[Floats]) -> Floats:
        """The (B,) loss of each block, forecast by the fit that has not seen it."""
        blocks = int(self._choices.purchases.block.max()) + 1
        total = np.zeros(blocks)
        for tested, vector in zip(self._tested, vectors, strict=True):
            rows = tested.choices.purchases
            loss = -rows.units * tested.log_shares(vector)[rows.state, rows.product]
            total += np.bincount(rows.block, loss, blocks)
        return total


def _counter(progress: Progress | None, total: int) -> Iterator[None]:
    for done in range(1, total + 1):
        if progress is not None:
            progress(done, total)
        yield
    while True:
        yield
