"""A choice model from till sales: tastes follow the demographics of the trade areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.backtest.substitution import findings_on_substitution, substitution
from assortment.demand.design.demographics import DemographicDesign
from assortment.demand.design.periods import Calendar
from assortment.demand.fitting.classes import Count
from assortment.demand.fitting.evidence import Evidence
from assortment.demand.fitting.identified import require_identified, require_sold, warn_of_boundless
from assortment.demand.fitting.nests import Nesting
from assortment.demand.fitting.price_guard import category_slope
from assortment.demand.fitting.settings import (
    LEAST_PRICE,
    Settings,
    Ticks,
    by_product,
    findings,
    price_left_out,
)
from assortment.demand.fitting.till_covariates import centres, spreads, till_covariates
from assortment.demand.fitting.till_fit import TillFit, fit_plain, fit_tills, inherited, reliability
from assortment.demand.fitting.till_notes import replaced_prices, structure, thin, too_few_occasions
from assortment.demand.fitting.unseen_stores import held_out, of_stores, till_spread
from assortment.demand.fitting.walk_away import log_nothing, walk_away_of
from assortment.demand.likelihood.kinds import likelihood_of
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.terms import Terms
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.model.class_names import class_names
from assortment.demand.model.coefficients import coefficient_frame
from assortment.demand.model.sources import source_frame, source_notes
from assortment.demand.model.spread import with_unknown
from assortment.demand.model.tastes import Tastes
from assortment.demand.model.volume import Volume
from assortment.demand.observed.choices import TILLS, Choices
from assortment.demand.observed.folds import FOLDS, fold_of
from assortment.demand.observed.groups import Groups
from assortment.demand.observed.record import TillRecord
from assortment.demand.observed.witness import Witness

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products


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
    covariates, notes = till_covariates(record, settings, witnesses)
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
            witnesses=witnesses,
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
    told = likelihood.information(found.fit.parts).product
    whole = found.fit.whole()
    precision = components.precision(whole)
    table = coefficient_frame(tastes, whole, precision, reference=components.needs_reference)
    sources = source_frame(whole, choices, found.fit.parts, precision, weights=settings.weights)
    tills = choices if choices.source is None else choices.take(choices.sources == TILLS)
    moved = substitution(
        likelihood_of(tills, likelihood.terms, ()),
        found.fit.parts,
        settings.attributes.groups(products),
        overdispersion=components.overdispersion,
    )
    cautions = (
        *thin(record),
        *findings(choices, tastes, told),
        *(() if settings.positive_price is None else (price_left_out(settings.positive_price),)),
        *replaced_prices(found, record.product_ids),
        *found.notes,
        *findings_on_substitution(moved),
        *(warn_of_boundless(table, spreads(choices, covariates)) if settings.prior is None else ()),
    )
    stores = len(record.store_ids)
    tastes = replace(tastes, parts=of_stores(found.fit.parts, stores))
    nothing = log_nothing(likelihood, found.fit.parts, known)
    spread = till_spread(choices, found.unseen, stores, design.remoteness(Z))
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
            nothing_alike=found.nests is not None,
        ),
        log_sd=by_product(tastes, choices, with_unknown(spread.log_sd, told, tastes.parts.product)),
        spread=spread,
        reliability=reliability(found.fit)[:stores],
        today=last_listing(record) if today is None else today,
        offered=offered,
        class_names=class_names(tastes, record.units.sum(axis=(1, 2)), Z),
        class_trials=found.trials,
        held_out=held_out(likelihood, found.unseen, store_ids=record.store_ids, fold=fold, Z=Z, occasions=known),
        sources=sources,
        substitution=moved,
        cautions=cautions,
        notes=(
            *record.notes,
            *(note for seen in witnesses for note in seen.notes),
            *source_notes(sources),
            *design.notes,
            *settings.attributes.notes,
            *(note for note in notes if note not in cautions),
            *structure(found, settings),
            *cautions,
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


def _with_fit(evidence: Evidence, likelihood: Likelihood, parts: Coefficients) -> Evidence:
    """The evidence, with the figures of the fit on everything."""
    units = float(likelihood.units.sum())
    even = float(likelihood.units @ np.log(likelihood.choices.offered.sum(axis=1))) / units
    return replace(evidence, log_loss_fit=float(likelihood.log_loss(parts).sum()) / units, log_loss_even=even)


def last_listing(record: TillRecord) -> pd.DataFrame:
    """The listing of each store's last recorded week, taken for today's when none is given."""
    s, n = np.nonzero(record.last_offers())
    return pd.DataFrame(
        {
            "store_id": np.asarray(record.store_ids, dtype=object)[s],
            "product_id": np.asarray(record.product_ids, dtype=object)[n],
        }
    )
