"""Buying nothing: estimated where the size of the category is known, a stated parameter where it is not."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logsumexp

from assortment.demand.arrays import Bools, Floats
from assortment.errors import DemandError


def check_walk_away(rate: float) -> None:
    """Refuse a walk-away rate that is not a share.

    Raises
    ------
    DemandError
        The rate is not above 0 and below 1.
    """
    if not 0.0 < rate < 1.0:
        raise DemandError(f"walk_away = {rate}: the share of shoppers who buy nothing must be above 0 and below 1.")


def log_no_purchase(log_sums: Floats, occasions: Floats, units: Floats, mix: Floats | None = None) -> float | None:
    """Estimate the utility of buying nothing by maximum likelihood, one constant for the chain.

    With n units out of m occasions in a state whose offers have the log sum L, the likelihood is binomial with the
    probability 1 / (1 + exp(c − L)) of a purchase; at its optimum the expected purchases add up to the actual ones.
    With several classes c is set so that they do.

    Parameters
    ----------
    log_sums
        (T,) by state; with ``mix`` (T, K), by class of shoppers too.
    occasions, units
        (T,) by state.
    mix
        (T, K), share of each class in the occasions; ``None``: there is one.

    Returns
    -------
    float or None
        The constant c, or ``None`` when as many units were bought as there were occasions, or more.
    """
    if not 0.0 < units.sum() < occasions.sum():
        return None
    weight = occasions if mix is None else occasions[:, None] * mix
    return root(log_sums.ravel(), weight.ravel(), 1.0 - float(units.sum() / occasions.sum()))


def log_no_purchase_at(attraction: Floats, carried: Bools, weight: Floats, walk_away: float) -> float:
    """Find the utility of buying nothing at which the average walk-away is as assumed.

    Parameters
    ----------
    attraction
        (S, K, N), by class of shoppers.
    carried
        (S, N), what stands on the shelf.
    weight
        (S, K), how much each store and class counts in the average.
    walk_away
        The share of choice occasions that end without a purchase.
    """
    with np.errstate(divide="ignore"):
        log_sums: Floats = logsumexp(np.where(carried[:, None], np.log(attraction), -np.inf), axis=2)
    some = np.isfinite(log_sums) & (weight > 0)
    if not some.any():
        return 0.0
    return root(log_sums[some], weight[some], walk_away)


def root(log_sums: Floats, weight: Floats, walk_away: float) -> float:
    """The constant at which the weighted share of those who buy nothing is ``walk_away``."""
    shares = weight / weight.sum()

    def excess(constant: float) -> float:
        return float(shares @ expit(constant - log_sums)) - walk_away

    odds = float(np.log(walk_away / (1.0 - walk_away)))
    # Below the one and above the other every store alone is on the same side of the rate.
    low, high = float(log_sums.min()) + odds - 1.0, float(log_sums.max()) + odds + 1.0
    return float(brentq(excess, low, high, xtol=1e-12))
