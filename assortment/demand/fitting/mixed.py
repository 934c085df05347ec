"""A choice model of observed segments of shoppers, from any of till sales, household baskets and a survey."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Floats
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.design.demographics import demographic_values
from assortment.demand.design.periods import Calendar
from assortment.demand.fitting.evidence import CHAIN_EVERYWHERE
from assortment.demand.fitting.mixed_fit import MixedFit, fit_mixed, unseen_shares
from assortment.demand.fitting.segments import spread_of_people
from assortment.demand.fitting.settings import Settings, Ticks, by_product, findings
from assortment.demand.fitting.till_covariates import centres, till_covariates
from assortment.demand.fitting.till_fit import reliability
from assortment.demand.fitting.till_notes import thin, too_few_occasions
from assortment.demand.fitting.tills import last_listing
from assortment.demand.fitting.unseen_stores import held_out, of_stores, till_spread
from assortment.demand.fitting.walk_away import log_nothing, walk_away_of
from assortment.demand.likelihood.kinds import likelihood_of
from assortment.demand.likelihood.terms import Terms
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.model.coefficients import coefficient_frame
from assortment.demand.model.sources import source_frame, source_notes
from assortment.demand.model.spread import UNKNOWN_SD
from assortment.demand.model.tastes import Tastes
from assortment.demand.model.volume import Volume
from assortment.demand.observed.baskets import BasketRecord
from assortment.demand.observed.choices import Choices
from assortment.demand.observed.folds import FOLDS, fold_of
from assortment.demand.observed.groups import Groups
from assortment.demand.observed.record import TillRecord
from assortment.demand.observed.witness import Witness
from assortment.errors import AssortmentWarning, DemandError, listed

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products


def model_from_mixture(
    record: TillRecord | None,
    bought: BasketRecord | None,
    *,
    witnesses: Sequence[Witness],
    products: Products,
    profiles: StoreProfiles,
    segments: Mapping[str, str],
    occasions: Mapping[str, float],
    walk_away: float,
    today: pd.DataFrame | None,
    offered: pd.DataFrame | None,
    settings: Settings,
) -> ChoiceModel:
    """Estimate a choice model in which the classes of shoppers are observed segments; see ``fit_demand``.

    A household or respondent shows the tastes of its segment. What a store sells is a mixture of them, whose shares are
    known from who lives around it and how much each segment buys.
    """
    _require_segments(record, witnesses, segments, settings)
    stores = () if record is None else record.store_ids
    groups = Groups.of(stores, len(segments), witnesses)
    covariates, notes = _covariates(record, witnesses, settings)
    fold = fold_of(stores, FOLDS, settings.seed)
    tills = None if record is None else record.choices(fold, covariates)
    choices = groups.choices(tills, fold, witnesses, covariates, settings.weights)
    rates, rate_notes = purchase_rates(bought, segments)
    calendar = Calendar(pd.Index([0]) if record is None else record.weeks)
    known = np.array([occasions.get(store, np.nan) for store in stores])
    mixes = _mixes(groups, profiles, segments, rates)
    terms = Terms(
        settings.attributes.encode(products),
        np.zeros((len(mixes), 0)),
        centres(choices),
        calendar.period,
        classes=len(segments),
        walk_away=walk_away if record is None else walk_away_of(record, known, walk_away),
        mixes=mixes,
        own=groups.own,
    )
    found = _found(choices, terms, calendar, covariates, settings)
    likelihood, S = found.fit.likelihood, len(stores)
    precision = found.fit.components.precision(likelihood)
    tastes = Tastes(
        product_ids=tuple(products.ids),
        store_ids=stores,
        attributes=settings.attributes,
        demographics=(),
        covariates=covariates,
        centre=terms.centre,
        calendar=found.calendar,
        parts=found.parts,
    )
    table = coefficient_frame(tastes, likelihood, precision, segments=tuple(segments))
    # Segments are no sample of segments, so their sandwich would mean nothing.
    table["standard_error"] = table["standard_error_unclustered"]
    sources = source_frame(likelihood, choices, found.fit.parts, precision, weights=settings.weights)
    whole = likelihood_of(likelihood.choices, found.terms, (), known=found.parts)
    nothing = log_nothing(whole, found.parts, known) if record is not None else None
    tastes = replace(tastes, parts=of_stores(found.parts, S))
    told = likelihood.information(found.fit.parts).product
    cautions = (*(() if record is None else thin(record)), *findings(choices, tastes, told))
    return ChoiceModel(
        tastes=tastes,
        products=products,
        coefficients=table,
        evidence=found.evidence,
        design=None,
        segments=dict(segments),
        purchase_rates=rates,
        volume=Volume(
            occasions=occasions,
            units={} if record is None else dict(zip(stores, record.units_per_week, strict=True)),
            log_no_purchase=nothing,
            walk_away=walk_away,
            units_per_person=_units_per_person(record, bought),
        ),
        log_sd=by_product(tastes, choices, _spread(record, choices, found)),
        reliability=reliability(found.fit)[:S],
        today=last_listing(record) if today is None and record is not None else today,
        offered=offered,
        class_names=tuple(segments),
        class_trials=(),
        held_out=None
        if record is None
        else held_out(whole, found.unseen, store_ids=stores, fold=fold, Z=np.zeros((S, 0)), occasions=known),
        sources=sources,
        cautions=cautions,
        notes=(
            *(() if record is None else record.notes),
            *(() if bought is None else bought.notes),
            *(note for seen in witnesses for note in seen.notes),
            *source_notes(sources),
            *rate_notes,
            *settings.attributes.notes,
            *notes,
            *cautions,
            *_scale(found),
            *(() if record is None else too_few_occasions(record, known, nothing)),
        ),
    )


def _found(
    choices: Choices, terms: Terms, calendar: Calendar, covariates: CovariateDesign, settings: Settings
) -> MixedFit:
    assert settings.prior is not None
    tries = len(settings.prior.candidates) + 2
    ticks = Ticks(settings.progress, 2 + tries * (1 + len(np.unique(choices.fold))))
    found = fit_mixed(
        choices,
        terms,
        calendar,
        settings.prior,
        covariates=covariates.names,
        fallback=settings.fallback,
        workers=settings.workers,
        ticks=ticks,
    )
    ticks.end()
    return found


def purchase_rates(
    bought: BasketRecord | None, segments: Mapping[str, str]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return how much each segment buys (units per household and week), and what was assumed."""
    if bought is not None:
        return dict(zip(bought.segments, bought.units_per_household, strict=True)), ()
    note = "Without household baskets it is not known how much each segment buys: all are taken to buy alike."
    return dict.fromkeys(segments, 1.0), (note,)


def _mixes(groups: Groups, profiles: StoreProfiles, segments: Mapping[str, str], rates: Mapping[str, float]) -> Floats:
    """(G, K) known shares of the segments in the purchases of each group."""
    rate = np.array([rates[name] for name in segments])

    def mixed(stores: Sequence[str]) -> Floats:
        weight: Floats = demographic_values(profiles, stores, tuple(segments.values())) * rate
        empty = [store for store, total in zip(stores, weight.sum(axis=1), strict=True) if not total > 0]
        if empty:
            raise DemandError(
                f"Nobody of a segment that buys anything lives around store {listed(empty)}; "
                "check its trade area and the segments."
            )
        return weight

    everybody = mixed(tuple(map(str, profiles.table.index))).sum(axis=0)
    mixes = groups.rows(mixed(groups.stores), np.eye(len(segments)), mixed(groups.further), everybody)
    shares: Floats = mixes / mixes.sum(axis=1, keepdims=True)
    largest = shares[: len(groups.stores)].max(axis=0, initial=0.0)
    absent = [name for name, most in zip(segments, largest, strict=True) if not most > 0]
    if groups.stores and absent:
        raise DemandError(
            f"Nobody of segment {listed(absent)} lives around a store with sales; check the segments and their "
            "profile counts, and that each segment bought something."
        )
    return shares


def _require_segments(
    record: TillRecord | None, witnesses: Sequence[Witness], segments: Mapping[str, str], settings: Settings
) -> None:
    if len(segments) < 2:
        raise DemandError(
            f"There is one segment alone ({', '.join(segments)}); shoppers of one kind need none: leave `segment` out."
        )
    if settings.prior is None:
        raise DemandError("prior=None, plain maximum likelihood, knows no segments; give a Prior(...).")
    seen = {int(k) for witness in witnesses for k in witness.segment}
    silent = [name for k, name in enumerate(segments) if k not in seen]
    if record is None and -1 not in seen and silent:
        raise DemandError(f"No household or respondent of segment {listed(silent)} chose anything; leave it out.")


def _covariates(
    record: TillRecord | None, witnesses: Sequence[Witness], settings: Settings
) -> tuple[CovariateDesign, tuple[str, ...]]:
    if record is not None:
        return till_covariates(record, settings, witnesses)
    return covariates_without_tills(witnesses)


def covariates_without_tills(witnesses: Sequence[Witness]) -> tuple[CovariateDesign, tuple[str, ...]]:
    """Return the price where it varies in any source, and what to say where it does not."""
    if any(seen.price_varies for seen in witnesses):
        return CovariateDesign.of((), 0.0, together=False), ()
    message = (
        "No product was to be had at more than one price: the effect of price cannot be estimated and is left out."
    )
    warnings.warn(message, AssortmentWarning, stacklevel=5)
    return CovariateDesign.of((), None, together=False), (message,)


def _units_per_person(record: TillRecord | None, bought: BasketRecord | None) -> float | None:
    if record is not None or bought is None:
        return None
    return float(bought.units_per_household @ bought.households / bought.households.sum())


def _spread(record: TillRecord | None, choices: Choices, found: MixedFit) -> Floats:
    """How far the log shares of stores stray from the forecast, (N,)."""
    if record is not None:
        return till_spread(choices, found.unseen, len(record.store_ids)).log_sd
    if found.unseen is None:
        return np.full(choices.counts.shape[1], UNKNOWN_SD)
    return spread_of_people(choices, unseen_shares(choices, found.fit, found.unseen))


def _scale(found: MixedFit) -> tuple[str, ...]:
    if not found.local:
        return (CHAIN_EVERYWHERE,) if found.unseen is not None else ()
    return (
        f"Segments differ in how they like attributes of products, by a standard deviation of {found.scale:g} in "
        "utility, which forecasts best what was held out.",
    )
