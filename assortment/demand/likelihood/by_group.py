"""What a forecast makes of groups as a whole: the units expected in a store, and how likely what it sold was."""

from __future__ import annotations

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import LEAST, Likelihood


def expected_by_group(likelihood: Likelihood, parts: Coefficients) -> tuple[Floats, Floats]:
    """Forecast the states of each group, the total of each state being known.

    Parameters
    ----------
    likelihood
        Of the choices to forecast.
    parts
        The parameters.

    Returns
    -------
    expected
        (S, N) units by product.
    loss
        (S,), minus the log probability of what was bought, each source as it counts.
    """
    choices, shape = likelihood.choices, likelihood.terms.shapes["store"]
    expected, loss = np.zeros(shape), np.zeros(shape[0])
    for rows, shares in likelihood.shares(parts):
        counts, group = choices.counts[rows], choices.group[rows]
        state = -(counts * np.log(np.maximum(shares, LEAST))).sum(axis=1)
        loss += np.bincount(group, state * choices.weights[rows], shape[0])
        # Group by group: they are few in a piece, and their states stand together.
        for s in np.unique(group):
            own = group == s
            expected[s] += likelihood.units[rows][own] @ shares[own]
    return expected, loss
