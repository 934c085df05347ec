r"""Margins of error of profiles, from those of the neighbourhoods.

The margins are those of the American Community Survey: half the width of a 90 % interval, 1.645 standard errors. The
formulas take the estimates of the neighbourhoods, and of a rate and its base, as independent: what the survey gives in
public does not tell how they vary together.

References
----------
US Census Bureau (2020), Understanding and Using American Community Survey Data: What All Data Users Need to Know,
chapter 8, Calculating Measures of Error for Derived Estimates; for sums with several zero estimates: US Census Bureau
(2018), Using American Community Survey Estimates and Margins of Error (training slides).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assortment.geo.areas import CELLS, TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.profiles.demographics import Demographics
from assortment.geo.profiles.totals import part

NEGLECTED = 0.01
"""Part of an estimate whose margins may be missing: less than this hardly shows under the square root."""


def margins_of_error(people: Demographics, areas: TradeAreas) -> FloatArray | None:
    r"""Work out the margins of error of each store's counts and rates.

    A count :math:`C = \sum_m w_m c_m` and an average :math:`R = \sum_m w_m b_m r_m / B` with
    :math:`B = \sum_m w_m b_m` have

    .. math::

        E_C = \sqrt{\sum_m (w_m e_{c,m})^2} \qquad
        E_R = \frac{1}{B} \sqrt{\sum_m (w_m b_m e_{r,m})^2 + \sum_m (w_m (r_m - R) e_{b,m})^2}

    for margins e of the neighbourhoods. Of the neighbourhoods in which a count is estimated as 0, only the one with the
    largest :math:`w_m e_{c,m}` enters, as the Census Bureau advises: their margins are far too large together. The
    second is the delta method. Shares w are taken as exact.

    Parameters
    ----------
    people
        What the neighbourhoods tell.
    areas
        Shares of S stores in the same neighbourhoods.

    Returns
    -------
    numpy.ndarray or None
        Shape (S, C + R), counts before rates. NaN where the value is unknown, and where the neighbourhoods without a
        margin hold more than 1 % of the count or of the base; up to there they are left out. ``None``: the
        neighbourhoods have no margins.
    """
    if people.count_moe is None or people.rate_moe is None or people.base_moe is None:
        return None
    counts = _Terms.of_counts(people.count, people.count_moe)
    rates = _Terms.of_rates(people, people.rate_moe, people.base_moe)
    # All at once: to pass over the shares is what takes the time.
    sums = areas.sums(np.hstack([*counts.linear, *rates.linear]))
    squares, largest = _weighted(areas, np.hstack([*counts.squares, *rates.squares]), counts.zeros)
    in_counts = len(people.counts)
    linear_of_counts, linear_of_rates = np.split(sums, [4 * in_counts], axis=1)
    squares_of_counts, squares_of_rates = np.split(squares, [in_counts], axis=1)
    return np.hstack(
        [_of_counts(linear_of_counts, squares_of_counts + largest**2), _of_rates(linear_of_rates, squares_of_rates)]
    )


def margin_of_ratio(
    above: FloatArray, below: FloatArray, moe_above: FloatArray, moe_below: FloatArray, *, is_part: bool
) -> FloatArray:
    r"""Work out the margin of error of a ratio of two counts.

    .. math::

        E_{X/Y} = \frac{1}{Y} \sqrt{E_X^2 \mp \left(\frac{X}{Y}\right)^2 E_Y^2}

    with minus where X is part of Y and the root exists (the Census Bureau's formula for proportions), otherwise with
    plus (its formula for ratios).

    Parameters
    ----------
    above, below, moe_above, moe_below
        The counts X and Y and their margins, shape (S,).
    is_part
        Everyone who counts in X counts in Y.

    Returns
    -------
    numpy.ndarray
        Shape (S,), NaN where Y is 0 or anything unknown.
    """
    ratio = part(above, below)
    own, other = moe_above**2, (ratio * moe_below) ** 2
    subtract = is_part & (own >= other)
    return part(np.sqrt(np.where(subtract, own - other, own + other)), below)


@dataclass(frozen=True, kw_only=True)
class _Terms:
    """What is summed over the neighbourhoods: ``linear`` weighted by the shares, ``squares`` by their squares.

    ``zeros`` holds the margins of estimates of 0, of which each store takes the largest, weighted.
    """

    linear: tuple[FloatArray, ...]
    squares: tuple[FloatArray, ...]
    zeros: FloatArray

    @classmethod
    def of_counts(cls, count: FloatArray, moe: FloatArray) -> _Terms:
        known = np.isfinite(count)
        lacking, zero = known & ~np.isfinite(moe), count == 0.0
        used, value = np.where(known & ~lacking, moe, 0.0), np.nan_to_num(count)
        return cls(
            linear=(value, np.where(lacking, value, 0.0), known.astype(np.float64), lacking.astype(np.float64)),
            squares=(np.where(zero, 0.0, used) ** 2,),
            zeros=np.where(zero, used, 0.0),
        )

    @classmethod
    def of_rates(cls, people: Demographics, rate_moe: FloatArray, base_moe: FloatArray) -> _Terms:
        both = np.isfinite(people.rate) & np.isfinite(people.base)
        lacking = both & ~(np.isfinite(rate_moe) & np.isfinite(base_moe))
        # Taken from their middle, so that (r - R)² = r² - 2 r R + R² loses no digits.
        columns = zip(people.rate.T, both.T, strict=True)
        middle = np.array([np.median(column[there]) if there.any() else 0.0 for column, there in columns])
        rate, base = np.where(both, people.rate - middle, 0.0), np.where(both, people.base, 0.0)
        own = np.where(both & ~lacking, base * rate_moe, 0.0) ** 2
        of_base = np.where(both & ~lacking, base_moe, 0.0) ** 2
        return cls(
            linear=(base, np.where(lacking, base, 0.0), rate * base),
            squares=(own + rate**2 * of_base, rate * of_base, of_base),
            zeros=np.zeros_like(rate),
        )


def _of_counts(linear: FloatArray, variance: FloatArray) -> FloatArray:
    value, lacking, anywhere, nowhere = np.split(linear, 4, axis=1)
    # Among estimates that are all zero, one without a margin may be the one whose margin counts.
    unknown = (lacking > NEGLECTED * value) | ((value == 0.0) & (nowhere > NEGLECTED * anywhere)) | (anywhere == 0.0)
    return np.where(unknown, np.nan, np.sqrt(variance))


def _of_rates(linear: FloatArray, squares: FloatArray) -> FloatArray:
    total, lacking, product = np.split(linear, 3, axis=1)
    constant, by_rate, of_base = np.split(squares, 3, axis=1)
    average = part(product, total)
    variance = constant - 2.0 * average * by_rate + average**2 * of_base
    margin = part(np.sqrt(np.maximum(variance, 0.0)), total)
    return np.where(lacking > NEGLECTED * total, np.nan, margin)


def _weighted(areas: TradeAreas, squares: FloatArray, zeros: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sum share² × squares over each store's area, and take the largest share × margin of the zeros there."""
    S, M = len(areas.store_ids), len(squares)
    total, largest = np.zeros((S, squares.shape[1])), np.zeros((S, zeros.shape[1]))
    size = max(1, CELLS // S)
    for first in range(0, M, size):
        chunk = slice(first, min(first + size, M))
        shares = areas.matrix.columns(chunk)
        for column, margin in enumerate(zeros[chunk].T):
            some = np.flatnonzero(margin)
            if some.size:
                np.maximum(largest[:, column], (shares[:, some] * margin[some]).max(axis=1), out=largest[:, column])
        total += np.square(shares) @ squares[chunk]
    return total, largest
