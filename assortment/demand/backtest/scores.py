"""How far forecasts of choice shares are from what was bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from assortment.demand.arrays import Bools, Floats, Ints

LEVEL = 0.90
"""Nominal coverage of the intervals that are judged."""
LEAST_UNITS = 10.0
"""Expected units from which on a share is judged against its interval; below, chance decides."""
_TINY = 1e-300

MEASURES = ("wape", "kl", "log_loss")


@dataclass(frozen=True)
class States:
    """Store-weeks that are forecast (T states of S stores, N products).

    Parameters
    ----------
    store
        (T,), row of the store.
    offered
        (T, N), what stood on the shelf.
    units
        (T, N), units bought.
    """

    store: Ints
    offered: Bools
    units: Floats

    def totals(self, shares: Floats, stores: int) -> tuple[Floats, Floats]:
        """Return (S, N) units bought, and units expected when the size of each state is known."""
        bought, expected = np.zeros((2, stores, self.units.shape[1]))
        np.add.at(bought, self.store, self.units)
        np.add.at(expected, self.store, shares * self.units.sum(axis=1, keepdims=True))
        return bought, expected


def errors(states: States, shares: Floats, store_ids: tuple[str, ...]) -> pd.DataFrame:
    r"""Return the errors of a forecast by store.

    .. math::

        WAPE = \frac{\sum_j |\sum_t n_t p_{tj} - n_{tj}|}{\sum_t n_t} \qquad
        KL = \frac{\sum_{tj} n_{tj} \log (n_{tj} / n_t p_{tj})}{\sum_t n_t} \qquad
        log\,loss = -\frac{\sum_{tj} n_{tj} \log p_{tj}}{\sum_t n_t}

    for n units and the forecast share p of product j in week t, n without j being their sum over the products.

    Parameters
    ----------
    states
        What was bought.
    shares
        (T, N), forecast.
    store_ids
        S ids.

    Returns
    -------
    pandas.DataFrame
        store_id, units, wape, kl, log_loss; stores with states only.
    """
    S = len(store_ids)
    bought, expected = states.totals(shares, S)
    size = states.units.sum(axis=1, keepdims=True)
    # What is not offered is not bought, so its logarithm counts with weight zero.
    loss = -(states.units * np.log(np.where(states.offered, np.maximum(shares, _TINY), 1.0))).sum(axis=1)
    actual = np.where(states.units > 0, states.units / size, 1.0)
    kl = loss + (states.units * np.log(actual)).sum(axis=1)
    units = np.bincount(states.store, size[:, 0], S)
    there = units > 0
    table = pd.DataFrame(
        {
            "store_id": np.asarray(store_ids, dtype=object),
            "units": units,
            "wape": np.abs(expected - bought).sum(axis=1),
            "kl": np.bincount(states.store, kl, S),
            "log_loss": np.bincount(states.store, loss, S),
        }
    )[there].reset_index(drop=True)
    table[list(MEASURES)] = table[list(MEASURES)].div(table["units"], axis=0)
    return table


def coverage(states: States, shares: Floats, limits: tuple[Floats, Floats], store_ids: tuple[str, ...]) -> pd.DataFrame:
    """Return how often the share of a store's purchases over all states lies within its interval.

    The intervals are of the share itself. What was bought strays from it by chance as well, so when it is judged, the
    interval is widened by the sampling error of the units bought (multinomial, on the log scale).

    Parameters
    ----------
    states
        What was bought.
    shares
        (T, N), forecast.
    limits
        (S, N) each: lower and upper limit of the share, as multiples of the share itself; NaN: none.
    store_ids
        S ids.

    Returns
    -------
    pandas.DataFrame
        store_id, judged (products with at least 10 expected units), coverage (part of them inside), width (mean of
        (high − low) ÷ share); stores with states only.
    """
    bought, expected = states.totals(shares, len(store_ids))
    size = expected.sum(axis=1, keepdims=True)
    low, high = limits
    judged = (expected >= LEAST_UNITS) & np.isfinite(low) & np.isfinite(high)
    safe = np.where(judged, expected, 1.0)
    chance = float(norm.ppf(0.5 + LEVEL / 2)) * np.sqrt(np.maximum(1.0 - safe / np.maximum(size, 1.0), 0.0) / safe)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.log(bought / safe)
        inside = judged & (distance >= -np.hypot(np.log(low), chance)) & (distance <= np.hypot(np.log(high), chance))
        counts = judged.sum(axis=1).astype(np.float64)
        table = pd.DataFrame(
            {
                "store_id": np.asarray(store_ids, dtype=object),
                "judged": counts,
                "coverage": inside.sum(axis=1) / counts,
                "width": np.where(judged, high - low, 0.0).sum(axis=1) / counts,
            }
        )
    return table[np.bincount(states.store, minlength=len(store_ids)) > 0].reset_index(drop=True)
