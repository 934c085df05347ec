"""What fits that had not seen a store say of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assortment.demand.arrays import Floats, Ints
from assortment.demand.fitting.crossfit import Unseen
from assortment.demand.fitting.walk_away import log_nothing
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.model.held_out import HeldOut
from assortment.demand.model.spread import Spread, residual_spread
from assortment.demand.observed.choices import Choices


def of_stores(parts: Coefficients, stores: int) -> Coefficients:
    """Return the parameters with effects of the first groups alone, which are the stores."""
    return replace(parts, store=parts.store[:stores])


def till_spread(choices: Choices, unseen: Unseen | None, stores: int, remoteness: Floats | None = None) -> Spread:
    """Return how far the shares of unseen stores, the first groups, stray from the forecast.

    Parameters
    ----------
    choices
        What was bought.
    unseen
        Its forecasts; ``None``: there are none.
    stores
        How many of the groups are stores.
    remoteness
        (S,), how far their demographics lie from those of the chain.
    """
    if unseen is None:
        nobody = np.zeros((0, choices.counts.shape[1]))
        return residual_spread(nobody, nobody)
    observed = np.zeros_like(unseen.expected)
    np.add.at(observed, choices.group, choices.counts)
    return residual_spread(observed[:stores], unseen.expected[:stores], remoteness)


def held_out(
    likelihood: Likelihood,
    unseen: Unseen | None,
    *,
    store_ids: tuple[str, ...],
    fold: Ints,
    Z: Floats,
    occasions: Floats,
) -> HeldOut:
    """Return the fits that had not seen part of the stores, which are the first groups."""
    folds = () if unseen is None else unseen.parts
    return HeldOut(
        store_ids=store_ids,
        fold=tuple(int(part) for part in fold),
        demographics=Z,
        parts=tuple(of_stores(parts, len(store_ids)) for parts in folds),
        log_no_purchase=tuple(
            log_nothing(likelihood, parts, occasions, without=part) for part, parts in enumerate(folds)
        ),
    )
