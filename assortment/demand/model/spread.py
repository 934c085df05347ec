"""How far stores that the model has not seen stray from its forecast, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assortment.demand.arrays import Bools, Floats

UNKNOWN_SD = 0.5
"""Assumed where too few blocks were held out to measure it."""
_LEVEL, _NORMAL = 0.90, 1.6449
_LEAST_UNITS = 10.0
_PSEUDO_BLOCKS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Of which one is chosen: blocks whose variance is that of all products, added to those of each."""
_REMOTE = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Of which one is chosen: by how much the variance grows with the remoteness of a block."""


@dataclass(frozen=True)
class Spread:
    """How far unseen blocks stray from their forecast, as standard deviations of the log share beyond chance.

    The variance in a block of remoteness d² is that of a product times (1 + c d²) / (1 + c mean d²).

    Parameters
    ----------
    log_sd
        (N,), of blocks of mean remoteness.
    slope, mean
        c, and the mean d².
    """

    log_sd: Floats
    slope: float = 0.0
    mean: float = 1.0

    def stretch(self, remoteness: Floats) -> Floats:
        """Return (B,), by which standard deviations are multiplied at (B,) values of d²."""
        return np.sqrt((1.0 + self.slope * remoteness) / (1.0 + self.slope * self.mean))


def residual_spread(observed: Floats, expected: Floats, remoteness: Floats | None = None) -> Spread:
    """Estimate how far shares stray from their forecast beyond multinomial sampling error.

    Each product's variance is estimated by moments and pulled towards that of all products; how firmly, and how much
    the variance grows with remoteness, is chosen by how well each residual is forecast from those of the other blocks.
    Then all are scaled so that nine in ten of the residuals lie within the 90 % interval (what is heavy-tailed gets
    wider).

    Parameters
    ----------
    observed, expected
        (B, N) units bought by block, and expected from a fit that had not seen the block.
    remoteness
        (B,), d², how unlike the others each block is; ``None``: all are alike.

    Returns
    -------
    Spread
        With ``UNKNOWN_SD`` where nothing can be said.
    """
    known: Bools = expected >= _LEAST_UNITS
    if (known.sum(axis=1) > 0).sum() < 2:
        return Spread(np.full(observed.shape[1], UNKNOWN_SD))
    apart = np.ones(len(observed)) if remoteness is None else remoteness
    mean = float(apart[known.any(axis=1)].mean())
    slopes = _REMOTE if np.ptp(apart) > 0 else (0.0,)
    tried = [_Tried.of(observed, expected, known, Spread(np.zeros(0), slope, mean).stretch(apart)) for slope in slopes]
    best, slope = min(zip(tried, slopes, strict=True), key=lambda pair: pair[0].loss)
    return Spread(best.log_sd, slope, mean)


@dataclass(frozen=True)
class _Tried:
    """Standard deviations (N,) at a given stretch of the blocks, and how badly they forecast each other's residuals."""

    log_sd: Floats
    loss: float

    @classmethod
    def of(cls, observed: Floats, expected: Floats, known: Bools, stretch: Floats) -> _Tried:
        safe, wide = np.where(known, expected, 1.0), stretch[:, None] ** 2
        excess = np.where(known, ((observed - safe) / safe) ** 2 - 1.0 / safe, 0.0) / wide
        # Small expectations are noisy witnesses of the variance: weigh each by what it can tell.
        everywhere = max(float(excess.sum() / known.sum()), 1e-4)
        weight = np.where(known, (everywhere / (everywhere + 1.0 / (safe * wide))) ** 2, 0.0)
        everywhere = max(float((weight * excess).sum() / weight.sum()), 1e-4)
        sums, weights = (weight * excess).sum(axis=0), weight.sum(axis=0)
        # Each residual is judged by the variance of the others, as a new store's would be.
        rest, rest_weights = sums - weight * excess, weights - weight
        residual = np.abs(np.log((observed + 0.5) / (safe + 0.5)))[known]
        found = []
        for pseudo in _PSEUDO_BLOCKS:
            others = _log_sd(rest, rest_weights, everywhere, pseudo) * stretch[:, None]
            others = np.sqrt(others**2 + 1.0 / safe)[known]
            loss = float((np.log(others) + 0.5 * (residual / others) ** 2).sum())
            found.append((loss, pseudo, float(np.quantile(residual / others, _LEVEL)) / _NORMAL))
        loss, pseudo, factor = min(found)
        return cls(_log_sd(sums, weights, everywhere, pseudo) * float(np.clip(factor, 0.5, 3.0)), loss)


def _log_sd(sums: Floats, weights: Floats, everywhere: float, pseudo: float) -> Floats:
    """Variances by product, pulled towards that of all products, as standard deviations of the log."""
    variance = (sums + pseudo * everywhere) / (weights + pseudo)
    log_sd: Floats = np.sqrt(np.log1p(np.maximum(variance, 1e-4)))
    return log_sd


def with_unknown(spread: Floats, told: Floats, products: Floats) -> Floats:
    """Add what is not known of products that sold little to the spread of their shares.

    Parameters
    ----------
    spread
        (N,), of what stores differ by.
    told
        (N,), curvature of the likelihood in each product's constant.
    products
        (N,), what each product has beyond its attributes; a product of which nothing is known may have as much.
    """
    variance = max(float(np.var(products)), 1e-12)
    total: Floats = np.sqrt(spread**2 + 1.0 / (told + 1.0 / variance))
    return total


def sampling_sd(observed: Floats, expected: Floats) -> Floats:
    """Estimate the standard error of the log shares when households, not purchases, are independent.

    Parameters
    ----------
    observed, expected
        (H, N) units by household.

    Returns
    -------
    numpy.ndarray
        (N,); at most ``UNKNOWN_SD`` doubled, which also stands where nothing was expected.
    """
    total = expected.sum(axis=0)
    error = np.sqrt(((observed - expected) ** 2).sum(axis=0))
    sd: Floats = np.divide(error, total, out=np.full(len(total), 2 * UNKNOWN_SD), where=total > 0)
    return np.minimum(sd, 2 * UNKNOWN_SD)
