"""What a forecast has to beat: the average of the chain, a store's own history, and the one pulled to the other.

Each is a share per store and product among what was offered; a forecast divides it over what is offered then.
"""

from __future__ import annotations

import numpy as np

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.observed.record import TillRecord

CHAIN, OWN, SHRUNKEN = "chain average", "own history", "shrunken history"

_ONE_UNIT = 1.0
"""Pseudo-count of the plain averages: keeps a product that was not yet sold from being impossible."""
_PSEUDO_COUNTS = 10.0 ** np.arange(0.0, 7.01, 0.25)


def baselines(record: TillRecord, train: Bools, *, own: bool) -> dict[str, Floats]:
    """Return the (S, N) shares that each simple method forecasts.

    The chain average of a product is its units over all units of the store-weeks that offered it; own history is the
    same of one store. Shrunken history is

    .. math:: (n_{sj} + \\kappa c_j) / (m_{sj} + \\kappa)

    with n units of the product, m units of the store's weeks that offered it, c the chain average, and the pseudo-count
    κ that would have forecast the last quarter of the training weeks best (log-loss) from those before it: one that
    allows for what changes from week to week, which counting units as independent does not. Plain averages begin with
    one unit: the chain's at equal shares, a store's at the chain's.

    Parameters
    ----------
    record
        Sales.
    train
        (S, W), the store-weeks to learn from.
    own
        Whether the stores that are to be forecast have a history.
    """
    chain = _chain(record, train)
    shares = {CHAIN: np.broadcast_to(chain, (len(record.store_ids), len(chain)))}
    if own:
        counts = _counts(record, train)
        shares[OWN] = _pulled(counts, chain, _ONE_UNIT)
        shares[SHRUNKEN] = _pulled(counts, chain, pseudo_count(record, train))
    return shares


def forecast(shares: Floats, store: Ints, offered: Bools) -> Floats:
    """Return (T, N) choice shares: those of the states' stores, divided over what is offered."""
    there = shares[store] * offered
    total: Floats = there / there.sum(axis=1, keepdims=True)
    return total


def pseudo_count(record: TillRecord, train: Bools) -> float:
    """Return the pseudo-count (units) with which older weeks of the training data forecast its latest weeks best."""
    weeks = np.flatnonzero(train.any(axis=0))
    late = np.zeros(train.shape[1], dtype=np.bool_)
    late[weeks[-max(1, len(weeks) // 4) :]] = True
    old, new = train & ~late, train & late
    store, week = np.nonzero(new)
    units, offered = record.units[store, week], record.offered[store, week]
    counts, chain = _counts(record, old), _chain(record, old)
    losses = []
    for count in _PSEUDO_COUNTS:
        p = forecast(_pulled(counts, chain, float(count)), store, offered)
        losses.append(-float((units * np.log(np.where(offered, p, 1.0))).sum()))
    return float(_PSEUDO_COUNTS[int(np.argmin(losses))])


def _chain(record: TillRecord, use: Bools) -> Floats:
    sold, shown = (part.sum(axis=0) for part in _counts(record, use))
    average: Floats = (sold + _ONE_UNIT / len(sold)) / (shown + _ONE_UNIT)
    return average


def _counts(record: TillRecord, use: Bools) -> tuple[Floats, Floats]:
    """(S, N) units of each product, and units of all products in the weeks that offered it."""
    units = record.units * use[:, :, None]
    shown = np.einsum("sw,swn->sn", units.sum(axis=2), record.offered)
    return units.sum(axis=1), shown


def _pulled(counts: tuple[Floats, Floats], chain: Floats, pseudo: float) -> Floats:
    sold, shown = counts
    shares: Floats = (sold + pseudo * chain) / (shown + pseudo)
    return shares
