"""Counts and rates of neighbourhoods summed up over areas, whatever gives the weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assortment.geo.arrays import FloatArray
from assortment.geo.profiles.demographics import Demographics


def totals(people: Demographics, sums: Callable[[FloatArray], FloatArray]) -> tuple[FloatArray, FloatArray]:
    r"""Sum counts up, and average rates by their base.

    .. math::

        C_a = \sum_m w_{am} c_m \qquad R_a = \frac{\sum_m w_{am} b_m r_m}{\sum_m w_{am} b_m}

    for a count c and a rate r with base count b, each sum over the neighbourhoods where the terms are known.

    Parameters
    ----------
    people
        What the M neighbourhoods tell.
    sums
        Gives the sums of values of shape (M, ·), without NaN, over A areas: shape (A, ·).

    Returns
    -------
    values
        Shape (A, C + R), counts before rates; NaN where nothing is known.
    known
        Same shape, 0 to 1: of a rate the part of its base, of a count the part of the neighbourhoods by share.
    """
    count, rate, base = people.count, people.rate, people.base
    parts = {
        "count": np.nan_to_num(count),
        "count known": np.isfinite(count).astype(np.float64),
        "share": np.ones((len(count), 1)),
        "rate × base": np.nan_to_num(rate * base),
        "base where rate": np.where(np.isfinite(rate), np.nan_to_num(base), 0.0),
        "base": np.nan_to_num(base),
    }
    ends = np.cumsum([part.shape[1] for part in parts.values()])
    summed = sums(np.hstack(list(parts.values())))
    total = dict(zip(parts, np.split(summed, ends[:-1], axis=1), strict=True))
    values = [
        np.where(total["count known"] > 0.0, total["count"], np.nan),
        part(total["rate × base"], total["base where rate"]),
    ]
    known = [part(total["count known"], total["share"]), part(total["base where rate"], total["base"])]
    return np.hstack(values), np.nan_to_num(np.hstack(known))


def part(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return above / below, NaN where there is nothing below."""
    quotient = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    np.divide(above, below, out=quotient, where=below > 0.0)
    return quotient
