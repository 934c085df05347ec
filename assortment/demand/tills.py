"""A choice model from till sales: tastes follow the demographics of the trade areas."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.demographics import DemographicDesign
from assortment.demand.fitted import Fitted, Settings
from assortment.demand.folds import FOLDS, fold_of
from assortment.demand.model import ChoiceModel, HeldOut
from assortment.demand.outside import log_no_purchase
from assortment.demand.record import TillRecord
from assortment.demand.spread import residual_sd
from assortment.demand.tastes import LOG_PRICE
from assortment.demand.volume import Volume
from assortment.errors import AssortmentWarning

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products

_FEW_UNITS = 10.0  # a product, on average


def model_from_tills(
    record: TillRecord,
    products: Products,
    profiles: StoreProfiles,
    demographics: Sequence[str] | None,
    *,
    occasions: Mapping[str, float],
    walk_away: float,
    today: pd.DataFrame | None,
    offered: pd.DataFrame | None,
    settings: Settings,
) -> ChoiceModel:
    """Estimate a choice model from a till record; see ``fit_demand`` for the parameters and errors."""
    design = DemographicDesign.of(profiles, record.store_ids, demographics)
    Z = design.encode(profiles, record.store_ids)
    covariates, notes = _covariates(record)
    fold = fold_of(record.store_ids, FOLDS, settings.seed)
    choices = record.choices(fold, covariates).merged()
    fitted = Fitted.of(
        choices,
        record.product_ids,
        settings.attributes.encode(products),
        (design.expressions, Z),
        covariates,
        blocked_by="store",
        settings=settings,
    )
    units = dict(zip(record.store_ids, record.units_per_week, strict=True))
    known = np.array([occasions.get(store, np.nan) for store in record.store_ids])
    everywhere = np.ones(len(choices.group), dtype=np.bool_)
    nothing = _log_no_purchase(fitted, fitted.found.vector, known, everywhere)
    return ChoiceModel(
        tastes=fitted.tastes,
        products=products,
        coefficients=fitted.coefficients(),
        evidence=fitted.found.evidence,
        design=design,
        segments={},
        purchase_rates={},
        volume=Volume(occasions=occasions, units=units, log_no_purchase=nothing, walk_away=walk_away),
        log_sd=fitted.by_product(_spread(fitted)),
        today=_last_offers(record) if today is None else today,
        offered=offered,
        held_out=_held_out(fitted, record.store_ids, fold, Z, known),
        notes=(
            *record.notes,
            *_thin(record),
            *design.notes,
            *notes,
            *fitted.notes,
            *_too_few_occasions(record, known, nothing),
        ),
    )


def _thin(record: TillRecord) -> tuple[str, ...]:
    """What a record cannot tell because it is so small."""
    notes = []
    shown = record.offered & record.recorded[:, :, None]
    if (shown.sum(axis=2) < 2).all():
        message = (
            "No store ever offered two of these products in one week, so the sales do not show what shoppers prefer: "
            "products differ by assumption only."
        )
        warnings.warn(message, AssortmentWarning, stacklevel=4)
        notes.append(message)
    if len(record.store_ids) == 1:
        notes.append(
            f"Only store {record.store_ids[0]} has sales: others are taken to be like it, and no forecast could be "
            "tested on a store that the fit had not seen."
        )
    units, products = float(record.units.sum()), len(record.product_ids)
    if units < _FEW_UNITS * products:
        notes.append(
            f"So little was sold ({units:,.4g} units of {products} products) that the forecast is mostly assumption."
        )
    return tuple(notes)


def _covariates(record: TillRecord) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the covariates that vary, and what to say of the others."""
    names, notes = [], []
    if record.price_varies:
        names.append(LOG_PRICE)
    else:
        message = "No product was sold at more than one price: the effect of price cannot be estimated and is left out."
        warnings.warn(message, AssortmentWarning, stacklevel=4)
        notes.append(message)
    shown = record.offered & record.recorded[:, :, None]
    for name, values in zip(record.promotion, record.promotions, strict=True):
        if np.ptp(values[shown]) > 0:
            names.append(name)
        else:
            notes.append(f"Promotion '{name}' never varies: it is left out.")
    return tuple(names), tuple(notes)


def _log_no_purchase(fitted: Fitted, vector: Floats, occasions: Floats, states: Bools) -> float | None:
    """The utility of buying nothing, from the states of the mask whose stores have known occasions."""
    choices = fitted.likelihood.choices
    use = states & np.isfinite(occasions)[choices.group]
    if not use.any():
        return None
    log_sums = logsumexp(fitted.likelihood.utilities(vector), axis=1)
    expected = occasions[choices.group] * choices.weeks
    return log_no_purchase(log_sums[use], expected[use], choices.counts.sum(axis=1)[use])


def _spread(fitted: Fitted) -> Floats:
    """How far the shares of unseen stores stray from the forecast, (N,)."""
    choices = fitted.likelihood.choices
    if not fitted.found.folds:
        return residual_sd(np.zeros((0, choices.counts.shape[1])), np.zeros((0, choices.counts.shape[1])))
    observed, expected = np.zeros((2, len(fitted.likelihood.demographics), choices.counts.shape[1]))
    np.add.at(observed, choices.group, choices.counts)
    np.add.at(expected, choices.group, fitted.unseen_shares() * choices.counts.sum(axis=1, keepdims=True))
    return residual_sd(observed, expected)


def _held_out(fitted: Fitted, store_ids: tuple[str, ...], fold: Ints, Z: Floats, occasions: Floats) -> HeldOut:
    choices, layout = fitted.likelihood.choices, fitted.likelihood.layout
    vectors = fitted.found.folds
    return HeldOut(
        store_ids=store_ids,
        fold=tuple(int(part) for part in fold),
        demographics=Z,
        parts=tuple(layout.split(vector) for vector in vectors),
        log_no_purchase=tuple(
            _log_no_purchase(fitted, vector, occasions, choices.fold != part) for part, vector in enumerate(vectors)
        ),
    )


def _too_few_occasions(record: TillRecord, occasions: Floats, nothing: float | None) -> tuple[str, ...]:
    over = [
        store
        for store, units, known in zip(record.store_ids, record.units_per_week, occasions, strict=True)
        if units > known
    ]
    if not over:
        return ()
    message = (
        f"More units per week were sold than there are occasions_per_week in {', '.join(over[:10])}; check the shelves."
    )
    if nothing is None:
        message += " Buying nothing cannot be estimated; the assumed walk-away rate is used."
    warnings.warn(message, AssortmentWarning, stacklevel=4)
    return (message,)


def _last_offers(record: TillRecord) -> pd.DataFrame:
    """The listing of each store's last recorded week, taken for today's when none is given."""
    s, n = np.nonzero(record.last_offers())
    return pd.DataFrame(
        {
            "store_id": np.asarray(record.store_ids, dtype=object)[s],
            "product_id": np.asarray(record.product_ids, dtype=object)[n],
        }
    )
