"""How far stores that the model has not seen stray from its forecast, beyond chance."""

from __future__ import annotations

import numpy as np

from assortment.demand.arrays import Bools, Floats

UNKNOWN_SD = 0.5
"""Assumed where too few blocks were held out to measure it."""
_LEVEL, _NORMAL = 0.90, 1.6449
_LEAST_UNITS = 10.0
_PSEUDO_BLOCKS = 10.0


def residual_sd(observed: Floats, expected: Floats) -> Floats:
    """Estimate the standard deviation of the log share beyond multinomial sampling error.

    Each product's variance is estimated by moments and pulled towards that of all products; then all are scaled so that
    nine in ten of the residuals lie within the 90 % interval (what is heavy-tailed gets wider).

    Parameters
    ----------
    observed, expected
        (B, N) units bought by block, and expected from a fit that had not seen the block.

    Returns
    -------
    numpy.ndarray
        (N,); ``UNKNOWN_SD`` where nothing can be said.
    """
    known: Bools = expected >= _LEAST_UNITS
    if (known.sum(axis=1) > 0).sum() < 2:
        return np.full(observed.shape[1], UNKNOWN_SD)
    safe = np.where(known, expected, 1.0)
    excess = np.where(known, ((observed - safe) / safe) ** 2 - 1.0 / safe, 0.0)
    # Small expectations are noisy witnesses of the variance: weigh each by what it can tell.
    everywhere = max(float(excess.sum() / known.sum()), 1e-4)
    weight = np.where(known, (everywhere / (everywhere + 1.0 / safe)) ** 2, 0.0)
    everywhere = max(float((weight * excess).sum() / weight.sum()), 1e-4)
    sums, weights = (weight * excess).sum(axis=0), weight.sum(axis=0)
    log_sd = _log_sd(sums, weights, everywhere)
    # Each residual is judged by the variance of the others, as a new store's would be.
    others = _log_sd(sums - weight * excess, weights - weight, everywhere)
    distance = np.abs(np.log((observed + 0.5) / (safe + 0.5))) / np.sqrt(others**2 + 1.0 / safe)
    factor = float(np.quantile(distance[known], _LEVEL)) / _NORMAL
    return log_sd * float(np.clip(factor, 0.5, 3.0))


def _log_sd(sums: Floats, weights: Floats, everywhere: float) -> Floats:
    """Variances by product, pulled towards that of all products, as standard deviations of the log."""
    variance = (sums + _PSEUDO_BLOCKS * everywhere) / (weights + _PSEUDO_BLOCKS)
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
