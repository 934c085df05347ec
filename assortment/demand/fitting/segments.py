"""A choice model from household baskets: one class of shoppers per observed segment."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from assortment.demand.arrays import Floats
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.design.periods import Calendar
from assortment.demand.fitting.evidence import CHAIN_EVERYWHERE
from assortment.demand.fitting.segment_fit import fit_segments
from assortment.demand.fitting.settings import (
    LEAST_PRICE,
    Settings,
    by_product,
    findings,
    price_left_out,
)
from assortment.demand.likelihood.terms import Terms
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.model.coefficients import coefficient_frame
from assortment.demand.model.sources import source_frame, source_notes
from assortment.demand.model.spread import sampling_sd
from assortment.demand.model.tastes import Tastes
from assortment.demand.model.volume import Volume
from assortment.demand.observed.baskets import BasketRecord
from assortment.demand.observed.choices import BASKETS, Choices
from assortment.errors import AssortmentWarning, DemandError, listed

if TYPE_CHECKING:
    from assortment.inputs import Products


_FEW_HOUSEHOLDS = 10
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
    untold = _untold(record, settings)
    notes = [*record.notes, *untold]
    with_price = record.price_varies and settings.positive_price is None
    covariates = CovariateDesign.of((), 0.0 if with_price else None, together=False)
    choices = record.choices(with_price=with_price)
    choices = replace(choices, source=np.full(len(choices.group), BASKETS, dtype=np.intp))
    if (weight := settings.weights.get("baskets", 1.0)) != 1.0:
        choices = choices.weighing(weight)
    calendar = Calendar(record.weeks)
    terms = Terms(
        settings.attributes.encode(products),
        np.eye(len(record.segments)),
        np.zeros((len(covariates.names), len(products.ids))),
        calendar.period,
    )
    if settings.prior is None:
        raise DemandError("prior=None, plain maximum likelihood, is for till sales; baskets need a Prior(...).")
    found = fit_segments(
        choices,
        terms,
        settings.prior,
        covariates=covariates.names,
        fallback=settings.fallback,
        workers=settings.workers,
        progress=settings.progress,
    )
    slope = float(found.parts.covariate.sum())
    if slope > LEAST_PRICE:
        return model_from_baskets(
            record,
            products,
            segments,
            occasions=occasions,
            walk_away=walk_away,
            today=today,
            settings=replace(settings, positive_price=slope, progress=None),
        )
    tastes = Tastes(
        product_ids=tuple(products.ids),
        store_ids=(),
        attributes=settings.attributes,
        demographics=record.segments,
        covariates=covariates,
        centre=terms.centre,
        calendar=calendar,
        parts=found.parts,
    )
    cautions = (*untold, *findings(choices, tastes, found.likelihood.information(found.parts).product))
    table = coefficient_frame(tastes, found.likelihood, found.precision)
    # Households, not segments, are independent; their sandwich is not worked out.
    table["standard_error"] = table["standard_error_unclustered"]
    if found.folds and not found.local:
        notes.append(CHAIN_EVERYWHERE)
    notes.append(
        "Intervals measure how groups of households differ; how stores differ beyond their segments is not known."
    )
    sources = source_frame(found.likelihood, choices, found.parts, found.precision, weights=settings.weights)
    overall = float(record.units_per_household @ record.households / record.households.sum())
    rates = dict(zip(record.segments, record.units_per_household, strict=True))
    return ChoiceModel(
        tastes=tastes,
        products=products,
        coefficients=table,
        evidence=found.evidence,
        design=None,
        segments=dict(segments),
        purchase_rates=rates,
        volume=Volume(
            occasions=occasions, units={}, log_no_purchase=None, walk_away=walk_away, units_per_person=overall
        ),
        log_sd=by_product(tastes, choices, spread_of_people(choices, found.unseen_shares())),
        reliability=np.zeros((0, len(products.ids))),
        today=today,
        offered=None,
        class_names=tuple(segments),
        class_trials=(),
        held_out=None,
        cautions=cautions,
        notes=(
            *notes,
            *source_notes(sources),
            *tastes.attributes.notes,
            *(note for note in cautions if note not in notes),
        ),
        sources=sources,
    )


def _untold(record: BasketRecord, settings: Settings) -> list[str]:
    """What the baskets cannot tell, with a warning each."""
    units = record.rows.groupby("segment")["units"].sum().reindex(range(len(record.segments)), fill_value=0.0)
    silent = [name for name, sold in zip(record.segments, units, strict=True) if not sold > 0]
    buyers, products = record.rows["household"].nunique(), record.rows["product"].nunique()
    found = []
    if silent:
        found.append(f"Households of {listed(silent)} bought none of these products: they count as buying nothing.")
    if buyers < _FEW_HOUSEHOLDS:
        found.append(
            f"Only {buyers} household{'s' * (buyers != 1)} bought these products: the forecast is mostly assumption."
        )
    if products < 2:
        found.append(
            "Only one of these products was ever bought, so the baskets do not show what shoppers prefer: products "
            "differ by assumption only."
        )
    if settings.positive_price is not None:
        found.append(price_left_out(settings.positive_price))
    elif not record.price_varies:
        found.append(
            "No product was bought at more than one price: the effect of price cannot be estimated and is left out."
        )
    for message in found:
        warnings.warn(message, AssortmentWarning, stacklevel=4)
    return found


def spread_of_people(choices: Choices, shares: Floats) -> Floats:
    """Return (N,) sampling errors of the log shares, households drawn whole, with what stores may differ by.

    Parameters
    ----------
    choices
        With the purchases by household.
    shares
        (T, N), forecast by fits that had not seen the households.
    """
    rows = choices.purchases
    assert rows is not None
    bought = sparse.csr_array((rows.units, (rows.block, rows.state)), shape=(choices.blocks, len(choices.group)))
    expected: Floats = bought @ shares
    observed = np.zeros_like(expected)
    np.add.at(observed, (rows.block, rows.product), rows.units)
    return np.hypot(sampling_sd(observed, expected), BETWEEN_STORES)
