"""A choice model of one kind of shoppers from household baskets and surveys, where there are no till sales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.design.demographics import DemographicDesign
from assortment.demand.design.periods import Calendar
from assortment.demand.fitting.classes import Count
from assortment.demand.fitting.evidence import CHAIN_EVERYWHERE
from assortment.demand.fitting.mixed import covariates_without_tills
from assortment.demand.fitting.mixed_fit import unseen_shares
from assortment.demand.fitting.nests import Nesting
from assortment.demand.fitting.segments import spread_of_people
from assortment.demand.fitting.settings import Settings, Ticks, by_product, findings
from assortment.demand.fitting.till_covariates import centres
from assortment.demand.fitting.till_fit import fit_tills
from assortment.demand.likelihood.terms import Terms
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.model.class_names import EVERYBODY
from assortment.demand.model.coefficients import coefficient_frame
from assortment.demand.model.sources import source_frame, source_notes
from assortment.demand.model.spread import UNKNOWN_SD
from assortment.demand.model.tastes import Tastes
from assortment.demand.model.volume import Volume
from assortment.demand.observed.baskets import BasketRecord
from assortment.demand.observed.folds import FOLDS, fold_of
from assortment.demand.observed.groups import Groups
from assortment.demand.observed.witness import Witness
from assortment.errors import DemandError

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products


def model_from_answers(
    bought: BasketRecord | None,
    witnesses: Sequence[Witness],
    *,
    products: Products,
    profiles: StoreProfiles,
    demographics: Sequence[str] | None,
    occasions: Mapping[str, float],
    walk_away: float,
    today: pd.DataFrame | None,
    settings: Settings,
) -> ChoiceModel:
    """Estimate a choice model from what was seen beside the tills; see ``fit_demand`` for the parameters and errors.

    Where it is known in which store it was seen, tastes follow the demographics of the stores; otherwise they are those
    of the chain everywhere.
    """
    if settings.prior is None:
        raise DemandError("prior=None, plain maximum likelihood, is for till sales; give a Prior(...).")
    groups = Groups.of((), 0, witnesses)
    stores = groups.further
    design = (
        DemographicDesign.of(profiles, stores, demographics)
        if len(stores) > 1
        else DemographicDesign((), np.zeros(0), np.zeros(0))
    )
    Z, average = design.encode(profiles, stores), np.zeros(len(design.expressions))
    covariates, notes = covariates_without_tills(witnesses)
    nobody = fold_of((), FOLDS, settings.seed)
    choices = groups.choices(None, nobody, witnesses, covariates, settings.weights)
    terms = Terms(
        settings.attributes.encode(products),
        groups.rows(average[None][:0], average[None][:0], Z, average),
        centres(choices),
        np.full(1, -1, dtype=np.intp),
        own=groups.own,
    )
    ticks = Ticks(settings.progress, 2 + 2 * len(np.unique(choices.fold)))
    found = fit_tills(
        choices,
        terms,
        Calendar(pd.Index([0])),
        settings.prior,
        covariates=covariates.names,
        each_its_own=settings.attributes.each_its_own,
        fallback=settings.fallback,
        count=Count(1, 1, walk_away),
        nesting=Nesting({}, False, walk_away),
        workers=settings.workers,
        ticks=ticks,
    )
    ticks.end()
    fit = found.fit
    tastes = Tastes(
        product_ids=tuple(products.ids),
        store_ids=stores,
        attributes=settings.attributes,
        demographics=design.expressions,
        covariates=covariates,
        centre=terms.centre,
        calendar=found.calendar,
        parts=fit.parts,
    )
    precision = fit.components.precision(fit.likelihood)
    sources = source_frame(fit.likelihood, choices, fit.parts, precision, weights=settings.weights)
    unseen = None if found.unseen is None else unseen_shares(choices, fit, found.unseen)
    spread = np.full(len(products.ids), UNKNOWN_SD) if unseen is None else spread_of_people(choices, unseen)
    cautions = findings(choices, tastes, fit.likelihood.information(fit.parts).product)
    return ChoiceModel(
        tastes=tastes,
        products=products,
        coefficients=coefficient_frame(tastes, fit.likelihood, precision),
        evidence=found.evidence,
        design=design,
        segments={},
        purchase_rates={},
        volume=Volume(
            occasions=occasions,
            units={},
            log_no_purchase=None,
            walk_away=walk_away,
            units_per_person=None if bought is None else float(bought.units_per_household[0]),
        ),
        log_sd=by_product(tastes, choices, spread),
        reliability=np.zeros((0, len(products.ids))),
        today=today,
        offered=None,
        class_names=(EVERYBODY,),
        class_trials=(),
        held_out=None,
        sources=sources,
        cautions=cautions,
        notes=(
            *(() if bought is None else bought.notes),
            *(note for seen in witnesses for note in seen.notes),
            *source_notes(sources),
            *design.notes,
            *notes,
            *settings.attributes.notes,
            *cautions,
            *(() if found.local else (CHAIN_EVERYWHERE,)),
        ),
    )
