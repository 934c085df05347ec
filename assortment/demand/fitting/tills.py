"""A choice model from till sales: tastes follow the demographics of the trade areas."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.backtest.substitution import findings_on_substitution, substitution
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.design.demographics import DemographicDesign
from assortment.demand.design.periods import Calendar
from assortment.demand.fitting.classes import LEAST_STORES, Count
from assortment.demand.fitting.crossfit import Unseen
from assortment.demand.fitting.evidence import CHAIN_EVERYWHERE, Evidence
from assortment.demand.fitting.identified import require_identified, require_sold, warn_of_boundless
from assortment.demand.fitting.price_guard import category_slope
from assortment.demand.fitting.settings import (
    LEAST_PRICE,
    Settings,
    Ticks,
    by_product,
    findings,
    price_left_out,
)
from assortment.demand.fitting.till_covariates import till_covariates
from assortment.demand.fitting.till_fit import TillFit, fit_plain, fit_tills, reliability
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood, Terms
from assortment.demand.likelihood.mixture import likelihood_of
from assortment.demand.model.choice_model import ChoiceModel, HeldOut
from assortment.demand.model.class_names import class_names
from assortment.demand.model.coefficients import coefficient_frame
from assortment.demand.model.outside import log_no_purchase
from assortment.demand.model.spread import residual_sd, with_unknown
from assortment.demand.model.tastes import Tastes
from assortment.demand.model.volume import Volume
from assortment.demand.observed.choices import Choices
from assortment.demand.observed.folds import FOLDS, fold_of
from assortment.demand.observed.record import TillRecord
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
    covariates, notes = till_covariates(record, settings)
    fold = fold_of(record.store_ids, FOLDS, settings.seed)
    choices = record.choices(fold, covariates)
    terms = Terms(settings.attributes.encode(products), Z, centres(choices), Calendar(record.weeks).period)
    known = np.array([occasions.get(store, np.nan) for store in record.store_ids])
    found = _found(
        record,
        choices,
        terms,
        covariates=covariates.names,
        demographics=design.expressions,
        count=Count(settings.classes, settings.most_classes, _walk_away(record, known, walk_away)),
        settings=settings,
    )
    slope = category_slope(found.fit, covariates.names)
    if settings.prior is not None and slope > LEAST_PRICE:
        return model_from_tills(
            record,
            products,
            profiles,
            demographics,
            occasions=occasions,
            walk_away=walk_away,
            today=today,
            offered=offered,
            settings=replace(settings, positive_price=slope, progress=None),
        )
    tastes = Tastes(
        product_ids=record.product_ids,
        store_ids=record.store_ids,
        attributes=settings.attributes,
        demographics=design.expressions,
        covariates=covariates,
        centre=terms.centre,
        calendar=found.calendar,
        parts=found.fit.parts,
    )
    likelihood, components = found.fit.likelihood, found.fit.components
    told = likelihood.information(found.fit.parts).product
    whole = found.fit.whole()
    table = coefficient_frame(tastes, whole, components.precision(whole.layout), reference=components.needs_reference)
    moved = substitution(
        likelihood_of(choices, likelihood.terms, ()),
        found.fit.parts,
        settings.attributes.groups(products),
        overdispersion=components.overdispersion,
    )
    cautions = (
        *_thin(record),
        *findings(choices, tastes, told),
        *(() if settings.positive_price is None else (price_left_out(settings.positive_price),)),
        *_replaced(found, record.product_ids),
        *found.notes,
        *findings_on_substitution(moved),
        *(warn_of_boundless(table, _spreads(choices, covariates)) if settings.prior is None else ()),
    )
    nothing = _log_no_purchase(likelihood, found.fit.parts, known, np.ones(len(likelihood.units), dtype=np.bool_))
    return ChoiceModel(
        tastes=tastes,
        products=products,
        coefficients=table,
        evidence=_with_fit(found.evidence, likelihood, found.fit.parts),
        design=design,
        segments={},
        purchase_rates={},
        volume=Volume(
            occasions=occasions,
            units=dict(zip(record.store_ids, record.units_per_week, strict=True)),
            log_no_purchase=nothing,
            walk_away=walk_away,
        ),
        log_sd=by_product(tastes, choices, with_unknown(_spread(choices, found.unseen), told, tastes.parts.product)),
        reliability=reliability(found.fit),
        today=_last_offers(record) if today is None else today,
        offered=offered,
        class_names=class_names(tastes, record.units.sum(axis=(1, 2)), Z),
        class_trials=found.trials,
        held_out=_held_out(found, record.store_ids, fold, Z, known),
        substitution=moved,
        cautions=cautions,
        notes=(
            *record.notes,
            *design.notes,
            *settings.attributes.notes,
            *(note for note in notes if note not in cautions),
            *_structure(found, settings),
            *cautions,
            *_too_few_occasions(record, known, nothing),
        ),
    )


def _found(
    record: TillRecord,
    choices: Choices,
    terms: Terms,
    *,
    covariates: tuple[str, ...],
    demographics: tuple[str, ...],
    count: Count,
    settings: Settings,
) -> TillFit:
    steps = 2 + (settings.most_classes + 2) * len(np.unique(choices.fold))
    calendar, ticks = Calendar(record.weeks), Ticks(settings.progress, steps)
    if settings.prior is None:
        require_sold(choices, record.product_ids)
        products = [f"product: {name}" for name in record.product_ids]
        pairs = [f"{demographic} × {product}" for demographic in demographics for product in products]
        plain = Likelihood(choices, terms, ("product", "demographic_product", "covariate"))
        require_identified(plain, [*products, *pairs, *covariates])
        found = fit_plain(choices, terms, calendar, workers=settings.workers, ticks=ticks)
    else:
        found = fit_tills(
            choices,
            terms,
            calendar,
            settings.prior,
            covariates=covariates,
            each_its_own=settings.attributes.each_its_own,
            fallback=settings.fallback,
            count=count,
            workers=settings.workers,
            ticks=ticks,
        )
    ticks.end()
    return found


def centres(choices: Choices) -> Floats:
    """Return (C, N) means of the covariates over the states that offered each product."""
    offered = np.maximum(choices.offered.sum(axis=0), 1)
    return np.array(
        [np.einsum("tn,tn->n", values, choices.offered) / offered for values in choices.covariates]
    ).reshape(len(choices.covariates), choices.counts.shape[1])


def _spreads(choices: Choices, covariates: CovariateDesign) -> dict[str, float]:
    """Standard deviation of each covariate over what was offered."""
    columns = zip(covariates.names, choices.covariates, strict=True)
    return {name: float(values[choices.offered].std()) for name, values in columns}


def _replaced(found: TillFit, product_ids: tuple[str, ...]) -> tuple[str, ...]:
    """What to say, with a warning, of price coefficients that came out positive."""
    notes = () if found.replaced is None else found.replaced.notes(product_ids)
    for message in notes:
        warnings.warn(message, AssortmentWarning, stacklevel=4)
    return notes


def _structure(found: TillFit, settings: Settings) -> tuple[str, ...]:
    """What was chosen in time, and whether demographics were left out."""
    notes = []
    if not found.local and found.unseen is not None:
        notes.append(CHAIN_EVERYWHERE)
    if settings.prior is not None and found.calendar.length:
        each = "season of 13 weeks" if found.calendar.length > 1 else "week"
        carried = "the last is carried into the future" if found.calendar.length > 1 else "none is carried forward"
        notes.append(f"Each {each} has an effect on the products of the whole chain; {carried}.")
    return (*notes, *(trial.sentence for trial in found.trials))


def _with_fit(evidence: Evidence, likelihood: Likelihood, parts: Coefficients) -> Evidence:
    """The evidence, with the figures of the fit on everything."""
    units = float(likelihood.units.sum())
    even = float(likelihood.units @ np.log(likelihood.choices.offered.sum(axis=1))) / units
    return replace(evidence, log_loss_fit=float(likelihood.log_loss(parts).sum()) / units, log_loss_even=even)


def _walk_away(record: TillRecord, occasions: Floats, assumed: float) -> float:
    """The share of the occasions that end without a purchase: observed where they are known, else assumed."""
    known = np.isfinite(occasions)
    units, total = float(record.units_per_week[known].sum()), float(occasions[known].sum())
    return 1.0 - units / total if 0.0 < units < total else assumed


def _thin(record: TillRecord) -> tuple[str, ...]:
    """What a record cannot tell because it is so small."""
    notes = []
    if (record.shown.sum(axis=2) < 2).all():
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
    elif len(record.store_ids) < LEAST_STORES:
        notes.append(
            f"Only {len(record.store_ids)} stores have sales: too few to tell what demographics do from whatever else "
            "makes stores differ."
        )
    units, products = float(record.units.sum()), len(record.product_ids)
    if units < _FEW_UNITS * products:
        notes.append(
            f"So little was sold ({units:,.4g} units of {products} products) that the forecast is mostly assumption: "
            "what demographics, prices and time do cannot be told."
        )
    return tuple(notes)


def _log_no_purchase(likelihood: Likelihood, parts: Coefficients, occasions: Floats, states: Bools) -> float | None:
    """The utility of buying nothing, from the states of the mask whose stores have known occasions."""
    choices = likelihood.choices
    use = states & np.isfinite(occasions)[choices.group]
    if not use.any():
        return None
    log_sums = likelihood.log_sums(parts.without("week"))
    mix = likelihood.terms.mix(parts)[choices.group]
    expected = occasions[choices.group] * choices.weeks
    return log_no_purchase(log_sums[use], expected[use], likelihood.units[use], mix[use])


def _spread(choices: Choices, unseen: Unseen | None) -> Floats:
    """How far the shares of unseen stores stray from the forecast, (N,)."""
    if unseen is None:
        nobody = np.zeros((0, choices.counts.shape[1]))
        return residual_sd(nobody, nobody)
    observed = np.zeros_like(unseen.expected)
    np.add.at(observed, choices.group, choices.counts)
    return residual_sd(observed, unseen.expected)


def _held_out(found: TillFit, store_ids: tuple[str, ...], fold: Ints, Z: Floats, occasions: Floats) -> HeldOut:
    likelihood = found.fit.likelihood
    folds = () if found.unseen is None else found.unseen.parts
    return HeldOut(
        store_ids=store_ids,
        fold=tuple(int(part) for part in fold),
        demographics=Z,
        parts=folds,
        log_no_purchase=tuple(
            _log_no_purchase(likelihood, parts, occasions, likelihood.choices.fold != part)
            for part, parts in enumerate(folds)
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
