"""``fit_demand``: from till sales, household baskets and surveys to a ``ChoiceModel``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
from threadpoolctl import threadpool_limits

from assortment.demand.design.attributes import AttributeDesign
from assortment.demand.design.nests import Nests, possible_nests
from assortment.demand.fitting.answers import model_from_answers
from assortment.demand.fitting.mixed import model_from_mixture
from assortment.demand.fitting.segments import model_from_baskets
from assortment.demand.fitting.settings import Settings
from assortment.demand.fitting.tills import model_from_tills
from assortment.demand.likelihood.outside import check_walk_away
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.model.volume import occasions_by_store
from assortment.demand.observed.given_sources import given_sources
from assortment.demand.observed.paid import ABSURD
from assortment.demand.observed.record import till_record
from assortment.demand.prior import DEFAULT, Prior
from assortment.errors import AssortmentWarning, DemandError, listed
from assortment.inputs import given_frame

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products, Sales

_NEVER_CHARGED = 1000.0
"""Times the median price of a product."""


def fit_demand(
    sales: Sales | None,
    products: Products,
    profiles: StoreProfiles,
    *,
    offered: pd.DataFrame | None = None,
    shelves: pd.DataFrame | None = None,
    baskets: pd.DataFrame | None = None,
    households: pd.DataFrame | None = None,
    survey: pd.DataFrame | None = None,
    source_weights: Mapping[str, float] | None = None,
    segment: str | None = None,
    segments: Mapping[str, str] | None = None,
    attributes: Sequence[str] | None = None,
    demographics: Sequence[str] | None = None,
    promotion: str | Sequence[str] | None = None,
    prior: Prior | None = DEFAULT,
    walk_away: float = 0.1,
    classes: int | None = None,
    most_classes: int = 4,
    nests: bool | str = True,
    today: pd.DataFrame | None = None,
    fallback: bool = True,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> ChoiceModel:
    """Estimate what shoppers choose among what is offered.

    Till sales: a multinomial logit whose tastes follow the demographics of the store's trade area, with effects of
    stores and seasons that are shrunk as far as the data says, and weekly shocks of the chain. With a ``segment``: one
    class of shoppers per segment, whose tastes households and respondents show, and of which the purchases of a store
    are a mixture of known shares. Any of till sales, baskets and survey are terms of one likelihood on the same
    parameters. Fitted by L-BFGS on the penalised likelihood, and tested on stores (households, answers) held out.

    Parameters
    ----------
    sales
        Units by week, store and product; or ``None``.
    products
        Products of one category; those never sold are forecast from their attributes.
    profiles
        Who each store serves.
    offered
        store_id, product_id, optionally from_week and to_week: what stood where. ``None``: inferred from the sales, and
        said so.
    shelves
        store_id, optionally category and occasions_per_week: choice occasions, from which buying nothing is estimated.
    baskets, households
        Purchases by household, and the households, which are needed where they have a segment.
    survey
        Group columns, product_id, respondents, chose, optionally price: each group chose among the products that it has
        a row for, at regular prices where no other is stated. A group column ``store_id`` says where it was asked.
    source_weights
        How often each purchase of "sales", "baskets" and "survey" counts; default: once. 0 leaves a source out.
    segment, segments
        Column of the households and of the survey whose values are the classes, and its values with the profile count
        of such people. Without ``segments`` the counts bear the names of the values. Classes take the place of the
        ``demographics``.
    attributes
        Product columns; default: all that the products bring.
    demographics
        Expressions such as ``median_income`` or ``over_65 / people``; default: see ``default_expressions``.
    promotion
        Promotion columns of the sales; default: those that the sales declare.
    prior
        Standard deviations of the priors; what they leave open is estimated. ``None``: plain maximum likelihood, one
        constant per product and one per product and demographic, nothing shrunk, stores and weeks alike,
        prices as they are given.
    walk_away
        Share of choice occasions that end without a purchase, assumed where occasions are not known. With several
        classes of shoppers it enters the fit.
    classes
        Latent classes of shoppers in till sales; ``None``: as many as forecast stores held out better. Not sought
        with fewer than 8 stores, or when neither offers nor prices vary.
    most_classes
        Most classes to try.
    nests
        Whether to look for an attribute of text whose levels share buyers, as a nested logit does: classes of shoppers
        then are loyal to a level each, if that forecasts stores held out better. An attribute's name: its levels are
        nests without a test. In very large records neither nests nor classes are sought unless asked for, and a note
        says so.
    today
        store_id, product_id: what stands on the shelf today.
    fallback
        Leave demographics out when they do not forecast better than the chain average.
    seed
        Chooses the partition into folds.
    workers
        Threads.
    progress
        Called as ``progress(done, total)``.

    Raises
    ------
    DemandError
        No usable sales or baskets; unknown or incomplete demographics, attributes, segments; each named.
    InputError
        Faults of a frame: each with row, column, what was found and what was expected.
    """
    check_walk_away(walk_away)
    if prior is not None and not isinstance(prior, Prior):
        raise DemandError(
            f"prior = {prior!r}: leave it out, give a Prior(...), or None for maximum likelihood without."
        )
    design = AttributeDesign.of(products, attributes)
    _check_classes(classes, most_classes, segment, prior)
    settings = Settings(
        attributes=design,
        prior=prior,
        fallback=fallback,
        seed=seed,
        workers=workers,
        progress=progress,
        classes=1 if prior is None else classes,
        most_classes=most_classes,
        nests=() if prior is None or sales is None else _nests(nests, design, products),
        nests_given=isinstance(nests, str),
    )
    if shelves is not None:
        shelves = given_frame("shelves", shelves, name="shelves", without=("category", "shelf_cm"))
    if offered is not None:
        offered = given_frame("offered", offered, name="offered")
    if today is not None:
        today = given_frame("listing", today, name="today")
    given = given_sources(
        sales,
        products,
        profiles,
        baskets=baskets,
        households=households,
        survey=survey,
        segment=segment,
        segments=segments,
        weights=source_weights,
    )
    settings = replace(settings, weights=given.weights)
    _warn_of_unused(demographics if segment is not None else None, segment, promotion if sales is None else None)
    occasions = occasions_by_store(shelves, set(products.frame["category"]))
    # The matrices are small. On busy cores the threads of BLAS wait for each other far longer than they work, and how
    # many there are would change the last digits; the folds are fitted side by side instead.
    with threadpool_limits(limits=1, user_api="blas"):
        record = None
        if given.sales is not None:
            promotion = (promotion,) if isinstance(promotion, str) else promotion
            # To compare with other programs, prices count as they are, but for what no till could have charged.
            absurd = ABSURD if prior is not None else _NEVER_CHARGED
            record = till_record(given.sales, products, offered=offered, promotion=promotion, absurd=absurd)
        bought = given.bought(products, segment=segment, seed=seed)
        if segment is not None and given.names == ("baskets",):
            assert bought is not None
            return model_from_baskets(
                bought,
                products,
                given.segments,
                occasions=occasions,
                walk_away=walk_away,
                today=today,
                settings=settings,
            )
        witnesses = given.witnesses(record, bought, products, segment=segment, seed=seed)
        if segment is not None:
            return model_from_mixture(
                record,
                bought,
                witnesses=witnesses,
                products=products,
                profiles=profiles,
                segments=given.segments,
                occasions=occasions,
                walk_away=walk_away,
                today=today,
                offered=offered,
                settings=settings,
            )
        if record is None:
            return model_from_answers(
                bought,
                witnesses,
                products=products,
                profiles=profiles,
                demographics=demographics,
                occasions=occasions,
                walk_away=walk_away,
                today=today,
                settings=settings,
            )
        return model_from_tills(
            record,
            products,
            profiles,
            demographics,
            occasions=occasions,
            walk_away=walk_away,
            today=today,
            offered=offered,
            settings=settings,
            witnesses=witnesses,
        )


def _warn_of_unused(
    demographics: Sequence[str] | None, segment: str | None, promotion: str | Sequence[str] | None
) -> None:
    """Name settings that were given and mean nothing beside the others."""
    if demographics:
        warnings.warn(
            f"demographics {listed(demographics)} are not used: the segments of '{segment}' take their place.",
            AssortmentWarning,
            stacklevel=3,
        )
    if promotion is not None:
        warnings.warn("promotion is not used: only till sales have promotions.", AssortmentWarning, stacklevel=3)


def _nests(asked: bool | str, design: AttributeDesign, products: Products) -> tuple[Nests, ...]:
    """The attributes whose levels may be nests, or the one that is asked for."""
    possible = possible_nests(design, products)
    if not isinstance(asked, str):
        return possible if asked else ()
    chosen = tuple(nests for nests in possible if nests.attribute == asked)
    if not chosen:
        raise DemandError(
            f"nests = {asked!r}: expected an attribute of text with two to nine levels, two or more of them of "
            f"several products; here these are {listed(nests.attribute for nests in possible) or 'none'}."
        )
    return chosen


def _check_classes(classes: int | None, most: int, segment: str | None, prior: Prior | None) -> None:
    wrong = [
        f"{name} = {value!r}"
        for name, value in (("classes", classes), ("most_classes", most))
        if value is not None and value < 1
    ]
    if wrong:
        raise DemandError(f"{', '.join(wrong)}: there is at least 1 class of shoppers.")
    if classes is None or classes == 1:
        return
    if segment is not None:
        raise DemandError(
            f"classes = {classes}: latent classes are for till sales; in baskets each value of `segment` is a class."
        )
    if prior is None:
        raise DemandError(f"classes = {classes}: latent classes need a Prior(...); prior=None knows one class.")
