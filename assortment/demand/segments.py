"""A choice model from household baskets: one class of shoppers per observed segment."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from assortment.demand.arrays import Floats
from assortment.demand.baskets import BasketRecord
from assortment.demand.fitted import Fitted, Settings
from assortment.demand.model import ChoiceModel
from assortment.demand.spread import sampling_sd
from assortment.demand.tastes import LOG_PRICE
from assortment.demand.volume import Volume
from assortment.errors import AssortmentWarning

if TYPE_CHECKING:
    from assortment.inputs import Products


BETWEEN_STORES = 0.25
"""Assumed standard deviation of log shares between stores with the same segments."""


def model_from_baskets(
    record: BasketRecord,
    products: Products,
    segments: Mapping[str, str],
    *,
    occasions: Mapping[str, float],
    walk_away: float,
    today: pd.DataFrame | None,
    settings: Settings,
) -> ChoiceModel:
    """Estimate a choice model from household baskets; see ``fit_demand`` for the parameters and errors.

    The segments take the place of the stores: the effect of a segment on an attribute is shrunk towards none, so the
    classes share what the households cannot tell apart.
    """
    notes = list(record.notes)
    if not record.price_varies:
        message = (
            "No product was bought at more than one price: the effect of price cannot be estimated and is left out."
        )
        warnings.warn(message, AssortmentWarning, stacklevel=3)
        notes.append(message)
    covariates = (LOG_PRICE,) if record.price_varies else ()
    choices = record.choices(with_price=record.price_varies)
    K = len(record.segments)
    fitted = Fitted.of(
        choices,
        tuple(products.ids),
        settings.attributes.encode(products),
        (record.segments, np.eye(K)),
        covariates,
        blocked_by="household",
        settings=settings,
    )
    notes.append(
        "Intervals measure how groups of households differ; how stores differ beyond their segments is not known."
    )
    overall = float(record.units_per_household @ record.households / record.households.sum())
    rates = dict(zip(record.segments, record.units_per_household, strict=True))
    return ChoiceModel(
        tastes=fitted.tastes,
        products=products,
        coefficients=fitted.coefficients(),
        evidence=fitted.found.evidence,
        design=None,
        segments=dict(segments),
        purchase_rates=rates,
        volume=Volume(
            occasions=occasions, units={}, log_no_purchase=None, walk_away=walk_away, units_per_person=overall
        ),
        log_sd=fitted.by_product(_spread(fitted)),
        today=today,
        offered=None,
        held_out=None,
        notes=(*notes, *fitted.notes),
    )


def _spread(fitted: Fitted) -> Floats:
    """Sampling error of the log shares, households drawn whole, with what stores may differ by; (N,)."""
    choices = fitted.likelihood.choices
    rows = choices.purchases
    shape = (int(rows.block.max()) + 1, len(choices.group))
    bought = sparse.csr_array((rows.units, (rows.block, rows.state)), shape=shape)
    expected: Floats = bought @ fitted.unseen_shares()
    observed = np.zeros_like(expected)
    np.add.at(observed, (rows.block, rows.product), rows.units)
    return np.hypot(sampling_sd(observed, expected), BETWEEN_STORES)
