"""People by income band, where only the median of each neighbourhood is known."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.special import ndtr

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.arrays import FloatArray
from assortment.geo.given import number
from assortment.geo.wording import unknown
from assortment.inputs import Neighbourhoods

SIGMA = 0.78


def income_bands(
    neighbourhoods: Neighbourhoods,
    edges: Sequence[float],
    *,
    income: str = "median_income",
    base: str = "people",
    sigma: float = SIGMA,
    dollars: float = 1.0,
) -> Neighbourhoods:
    r"""Add counts by income band, spreading each neighbourhood's median by a log-normal.

    .. math:: n_{m,(a,b]} = n_m \left[\Phi\left(\frac{\ln b - \ln f\mu_m}{\sigma}\right)
                                    - \Phi\left(\frac{\ln a - \ln f\mu_m}{\sigma}\right)\right]

    for base count n, median :math:`\mu`, dollar factor f. This is an assumption, not a count: print it wherever bands
    are shown.

    Parameters
    ----------
    neighbourhoods
        With a rate ``income`` and a count ``base``.
    edges
        Borders of the bands in dollars of the year wanted, rising, above zero: (35000, 75000) gives three bands.
    income, base
        The rate that holds the median, and the count that is divided.
    sigma
        Standard deviation of the log income inside a neighbourhood. Default 0.78: incomes of all US households had a
        Gini coefficient of about 0.46 around 2000 (Census Bureau, P60 series), which for a log-normal is a standard
        deviation of 0.87; the medians of the 403 tracts of Sacramento differ with a variance of 0.136, which leaves
        sqrt(0.87² - 0.136) = 0.78 inside the tracts.
    dollars
        Factor that brings the medians to the dollars of ``edges``. Default 1: the same year. From 1999 to 2017 the US
        consumer price index (BLS, CPI-U, yearly averages 166.6 and 245.1) gives 1.471.

    Returns
    -------
    Neighbourhoods
        The same with counts ``income_under_35000``, ``income_35000_75000``, …, ``income_over_75000``, which sum to
        ``base`` in every neighbourhood. Where people live and the median is unknown, so are the bands. They are in the
        units of ``base``, and have no margins of error: how wrong the log-normal is, no margin tells.

    Raises
    ------
    GeographyError
        Unknown columns; edges that do not rise from above zero; a median that is not above zero; counts of these names
        exist.
    """
    if income not in neighbourhoods.rates:
        raise GeographyError(f"income_bands: {unknown('rate', income, list(neighbourhoods.rates))}")
    if base not in neighbourhoods.counts:
        raise GeographyError(f"income_bands: {unknown('count', base, list(neighbourhoods.counts))}")
    borders = _borders(edges)
    spread = number(sigma, parameter="income_bands: sigma", least=1e-6)
    factor = number(dollars, parameter="income_bands: dollars", least=1e-6)
    names = band_names(borders.tolist())
    frame = neighbourhoods.frame.copy()
    taken = [name for name in names if name in frame.columns]
    if taken:
        raise GeographyError(
            f"income_bands: the neighbourhoods already have {listed(taken)}; drop or rename them first"
        )
    median = frame[income].to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(median <= 0.0)
    if wrong.size:
        raise GeographyError(
            f"income_bands: {income} is not above zero for neighbourhood "
            f"{listed(neighbourhoods.ids[row] for row in wrong)}; "
            "where it stands for unknown, leave it empty"
        )
    people = frame[base].to_numpy(dtype=np.float64, na_value=np.nan)
    below = ndtr((np.log(borders) - np.log(factor * median)[:, None]) / spread)
    steps = np.hstack([np.zeros((len(frame), 1)), below, np.ones((len(frame), 1))])
    banded = people[:, None] * np.diff(steps, axis=1)
    banded[people == 0.0] = 0.0  # nobody is in no band, whether or not the median is known
    frame[names] = banded
    units = {name: neighbourhoods.units[base] for name in names if base in neighbourhoods.units}
    # What there is to say of the polygons was said when the neighbourhoods were made.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssortmentWarning)
        return replace(
            neighbourhoods,
            frame=frame,
            counts=(*neighbourhoods.counts, *names),
            units=neighbourhoods.units | units,
        )


def band_names(edges: Sequence[float]) -> list[str]:
    """Return the column names of the bands between edges in dollars."""
    texts = [f"{edge:.15g}" for edge in edges]
    between = [f"income_{low}_{high}" for low, high in pairwise(texts)]
    return [f"income_under_{texts[0]}", *between, f"income_over_{texts[-1]}"]


def _borders(edges: Sequence[float]) -> FloatArray:
    borders = np.asarray(edges, dtype=np.float64)
    if (
        borders.ndim != 1
        or not borders.size
        or not (np.isfinite(borders) & (borders > 0.0)).all()
        or (np.diff(borders) <= 0).any()
    ):
        raise GeographyError(
            f"income_bands: expected edges that rise from above zero, such as (35000, 75000); found {edges!r}"
        )
    return borders
