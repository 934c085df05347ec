"""A choice model from till sales: tastes follow the demographics of the trade areas."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Floats, Ints
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.design.demographics import DemographicDesign
from assortment.demand.design.periods import Calendar
from assortment.demand.fitting.classes import Count
from assortment.demand.fitting.crossfit import Unseen
from assortment.demand.fitting.identified import require_identified, require_sold, warn_of_boundless
from assortment.demand.fitting.nests import Nesting
from assortment.demand.fitting.settings import CHAIN_EVERYWHERE, Settings, Ticks, by_product, findings
from assortment.demand.fitting.till_fit import TillFit, fit_plain, fit_tills, inherited, reliability
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood, Terms
from assortment.demand.likelihood.outside import log_no_purchase
from assortment.demand.model.choice_model import ChoiceModel, HeldOut
from assortment.demand.model.class_names import class_names
from assortment.demand.model.coefficients import coefficient_frame
from assortment.demand.model.sources import source_frame, source_notes
from assortment.demand.model.spread import residual_sd
from assortment.demand.model.tastes import Tastes
from assortment.demand.model.volume import Volume
from assortment.demand.observed.choices import TILLS, Choices
from assortment.demand.observed.folds import FOLDS, fold_of
from assortment.demand.observed.groups import Groups
from assortment.demand.observed.record import TillRecord
from assortment.demand.observed.witness import Witness
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
    witnesses: Sequence[Witness] = (),
) -> ChoiceModel:
    """Estimate a choice model from a till record, and what other sources saw beside it.

    See ``fit_demand`` for the parameters and errors. What other sources saw in no store shows the average of the chain.
    """
    groups = Groups.of(record.store_ids, 0, witnesses)
    design = DemographicDesign.of(profiles, record.store_ids, demographics)
    Z, average = design.encode(profiles, record.store_ids), np.zeros(len(design.expressions))
    covariates, notes = till_covariates(record, witnesses, together=settings.prior is not None)
    fold = fold_of(record.store_ids, FOLDS, settings.seed)
    choices = groups.choices(record.choices(fold, covariates), fold, witnesses, covariates, settings.weights)
    terms = Terms(
        settings.attributes.encode(products),
        groups.rows(Z, average[None][:0], design.encode(profiles, groups.further), average),
        centres(choices),
        Calendar(record.weeks).period,
        kind=settings.attributes.kind,
        own=groups.own,
    )
    known = np.array([occasions.get(store, np.nan) for store in record.store_ids])
    away = walk_away_of(record, known, walk_away)
    found = _found(
        record,
        choices,
        terms,
        covariates=covariates.names,
        demographics=design.expressions,
        count=Count(settings.classes, settings.most_classes, away),
        nesting=Nesting({nests: nests.of(products) for nests in settings.nests}, settings.nests_given, away),
        settings=settings,
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
        nests=found.nests,
        inherited=inherited(found.fit),
    )
    likelihood, components = found.fit.likelihood, found.fit.components
    precision = components.precision(likelihood)
    table = coefficient_frame(tastes, likelihood, precision, reference=components.needs_reference)
    sources = source_frame(likelihood, choices, found.fit.parts, precision, weights=settings.weights)
    tastes = replace(tastes, parts=of_stores(found.fit.parts, len(record.store_ids)))
    nothing = log_nothing(likelihood, found.fit.parts, known)
    return ChoiceModel(
        tastes=tastes,
        products=products,
        coefficients=table,
        evidence=found.evidence,
        design=design,
        segments={},
        purchase_rates={},
        volume=Volume(
            occasions=occasions,
            units=dict(zip(record.store_ids, record.units_per_week, strict=True)),
            log_no_purchase=nothing,
            walk_away=walk_away,
            nothing_alike=found.nests is not None,
        ),
        log_sd=by_product(tastes, choices, till_spread(choices, found.unseen, len(record.store_ids))),
        reliability=reliability(found.fit)[: len(record.store_ids)],
        today=last_listing(record) if today is None else today,
        offered=offered,
        class_names=class_names(tastes, record.units.sum(axis=(1, 2)), Z),
        class_trials=found.trials,
        held_out=held_out(likelihood, found.unseen, store_ids=record.store_ids, fold=fold, Z=Z, occasions=known),
        sources=sources,
        notes=(
            *record.notes,
            *(note for seen in witnesses for note in seen.notes),
            *source_notes(sources),
            *thin(record),
            *design.notes,
            *notes,
            *findings(choices, tastes),
            *_structure(found, settings),
            *(warn_of_boundless(table, _spreads(choices, covariates)) if settings.prior is None else ()),
            *too_few_occasions(record, known, nothing),
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
    nesting: Nesting,
    settings: Settings,
) -> TillFit:
    steps = 2 + (settings.most_classes + 3) * len(np.unique(choices.fold))
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
            nesting=nesting,
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


def _structure(found: TillFit, settings: Settings) -> tuple[str, ...]:
    """What was chosen in time, and whether demographics were left out."""
    notes = []
    if not found.local and found.unseen is not None:
        notes.append(CHAIN_EVERYWHERE)
    if settings.prior is not None and found.calendar.length:
        each = "season of 13 weeks" if found.calendar.length > 1 else "week"
        carried = "the last is carried into the future" if found.calendar.length > 1 else "none is carried forward"
        notes.append(f"Each {each} has an effect on the products of the whole chain; {carried}.")
    return (*notes, *(trial.sentence for trial in found.trials), *found.notes)


def walk_away_of(record: TillRecord, occasions: Floats, assumed: float) -> float:
    """The share of the occasions that end without a purchase: observed where they are known, else assumed."""
    known = np.isfinite(occasions)
    units, total = float(record.units_per_week[known].sum()), float(occasions[known].sum())
    return 1.0 - units / total if 0.0 < units < total else assumed


def thin(record: TillRecord) -> tuple[str, ...]:
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


def till_covariates(
    record: TillRecord, witnesses: Sequence[Witness], *, together: bool
) -> tuple[CovariateDesign, tuple[str, ...]]:
    """Return the covariates that vary, and what to say of the others."""
    names, notes = [], []
    price_varies = record.price_varies or any(seen.price_varies for seen in witnesses)
    if not price_varies:
        message = "No product was sold at more than one price: the effect of price cannot be estimated and is left out."
        warnings.warn(message, AssortmentWarning, stacklevel=4)
        notes.append(message)
    shown = record.offered & record.recorded[:, :, None]
    for name, values in zip(record.promotion, record.promotions, strict=True):
        if np.ptp(values[shown]) > 0:
            names.append(name)
        else:
            notes.append(f"Promotion '{name}' never varies: it is left out.")
    typical = float(record.log_price[shown].mean()) if price_varies else None
    return CovariateDesign.of(names, typical, together=together), tuple(notes)


def of_stores(parts: Coefficients, stores: int) -> Coefficients:
    """Return the parameters with effects of the first groups alone, which are the stores."""
    return replace(parts, store=parts.store[:stores])


def log_nothing(
    likelihood: Likelihood, parts: Coefficients, occasions: Floats, without: int | None = None
) -> float | None:
    """Return the utility of buying nothing, from the till sales of stores whose occasions are known.

    Parameters
    ----------
    likelihood, parts
        The fit.
    occasions
        (S,), of the stores, which are the first groups.
    without
        Fold to leave out.
    """
    choices = likelihood.choices
    occasions = np.append(occasions, np.full(len(likelihood.terms.demographics) - len(occasions), np.nan))
    use = np.isfinite(occasions)[choices.group] & (choices.sources == TILLS)
    if without is not None:
        use &= choices.fold != without
    if not use.any():
        return None
    log_sums = likelihood.log_sums(parts.without("week"))
    mix = likelihood.terms.mix(parts)[choices.group]
    expected = occasions[choices.group] * choices.weeks
    return log_no_purchase(log_sums[use], expected[use], likelihood.units[use], mix[use])


def till_spread(choices: Choices, unseen: Unseen | None, stores: int) -> Floats:
    """Return (N,), how far the shares of unseen stores, the first groups, stray from the forecast."""
    if unseen is None:
        nobody = np.zeros((0, choices.counts.shape[1]))
        return residual_sd(nobody, nobody)
    observed = np.zeros_like(unseen.expected)
    np.add.at(observed, choices.group, choices.counts)
    return residual_sd(observed[:stores], unseen.expected[:stores])


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


def too_few_occasions(record: TillRecord, occasions: Floats, nothing: float | None) -> tuple[str, ...]:
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


def last_listing(record: TillRecord) -> pd.DataFrame:
    """The listing of each store's last recorded week, taken for today's when none is given."""
    s, n = np.nonzero(record.last_offers())
    return pd.DataFrame(
        {
            "store_id": np.asarray(record.store_ids, dtype=object)[s],
            "product_id": np.asarray(record.product_ids, dtype=object)[n],
        }
    )
