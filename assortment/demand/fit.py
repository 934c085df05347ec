"""``fit_demand``: from till sales or household baskets to a ``ChoiceModel``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from threadpoolctl import threadpool_limits

from assortment.demand.design.attributes import AttributeDesign
from assortment.demand.fitting.segments import model_from_baskets
from assortment.demand.fitting.settings import Settings
from assortment.demand.fitting.tills import model_from_tills
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.model.outside import check_walk_away
from assortment.demand.model.volume import occasions_by_store
from assortment.demand.observed.baskets import basket_record, segments_of
from assortment.demand.observed.record import till_record
from assortment.demand.prior import DEFAULT, Prior
from assortment.errors import AssortmentWarning, DemandError, listed
from assortment.inputs import given_frame

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products, Sales


def fit_demand(
    sales: Sales | None,
    products: Products,
    profiles: StoreProfiles,
    *,
    offered: pd.DataFrame | None = None,
    shelves: pd.DataFrame | None = None,
    baskets: pd.DataFrame | None = None,
    households: pd.DataFrame | None = None,
    segment: str | None = None,
    segments: Mapping[str, str] | None = None,
    attributes: Sequence[str] | None = None,
    demographics: Sequence[str] | None = None,
    promotion: str | Sequence[str] | None = None,
    prior: Prior | None = DEFAULT,
    walk_away: float = 0.1,
    classes: int | None = None,
    most_classes: int = 4,
    today: pd.DataFrame | None = None,
    fallback: bool = True,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> ChoiceModel:
    """Estimate what shoppers choose among what is offered.

    Till sales: a multinomial logit whose tastes follow the demographics of the store's trade area, with effects of
    stores and seasons that are shrunk as far as the data says, and weekly shocks of the chain. Household baskets
    (``sales`` is ``None``): one class of shoppers per segment. Fitted by L-BFGS on the penalised likelihood, and tested
    on stores (households) held out.

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
        Purchases by household, and the households; both are needed when there are no sales.
    segment, segments
        Household column whose values are the classes, and its values with the profile count of such people. Without
        ``segments`` the counts bear the names of the values.
    attributes
        Product columns; default: all that the products bring.
    demographics
        Expressions such as ``median_income`` or ``over_65 / people``; default: see ``default_expressions``.
    promotion
        Promotion columns of the sales; default: those that the sales declare.
    prior
        Standard deviations of the priors; what they leave open is estimated. ``None``: plain maximum likelihood, one
        constant per product and one per product and demographic, nothing shrunk, stores and weeks alike.
    walk_away
        Share of choice occasions that end without a purchase, assumed where occasions are not known. With several
        classes of shoppers it enters the fit.
    classes
        Latent classes of shoppers in till sales; ``None``: as many as forecast stores held out better. Not sought
        with fewer than 8 stores, or when neither offers nor prices vary.
    most_classes
        Most classes to try.
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
    _check_classes(classes, most_classes, sales, prior)
    settings = Settings(
        attributes=AttributeDesign.of(products, attributes),
        prior=prior,
        fallback=fallback,
        seed=seed,
        workers=workers,
        progress=progress,
        classes=1 if prior is None else classes,
        most_classes=most_classes,
    )
    if shelves is not None:
        shelves = given_frame("shelves", shelves, name="shelves", without=("category", "shelf_cm"))
    if offered is not None:
        offered = given_frame("offered", offered, name="offered")
    if today is not None:
        today = given_frame("listing", today, name="today")
    if baskets is not None and households is not None:
        baskets = given_frame("baskets", baskets, name="baskets")
        households = given_frame("households", households, name="households")
    occasions = occasions_by_store(shelves, set(products.frame["category"]))
    # The matrices are small. On busy cores the threads of BLAS wait for each other far longer than they work, and how
    # many there are would change the last digits; the folds are fitted side by side instead.
    with threadpool_limits(limits=1, user_api="blas"):
        if sales is not None:
            promotion = (promotion,) if isinstance(promotion, str) else promotion
            record = till_record(sales, products, offered=offered, promotion=promotion)
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
            )
        if baskets is None or households is None or segment is None:
            raise DemandError(
                "Give sales; or baskets, households and the household column `segment` that tells shoppers apart."
            )
        _warn_of_unused(demographics=demographics, promotion=promotion)
        kinds = segments or segments_of(households, segment)
        bought = basket_record(baskets, households, products, segment=segment, segments=kinds, seed=seed)
        return model_from_baskets(
            bought, products, kinds, occasions=occasions, walk_away=walk_away, today=today, settings=settings
        )


def _warn_of_unused(**given: object) -> None:
    """Name settings that mean nothing where there are only baskets."""
    unused = [name for name, value in given.items() if value is not None]
    if unused:
        warnings.warn(
            f"{listed(unused)}: for till sales only; with baskets the segments stand for demographics, and promotions "
            "are not used.",
            AssortmentWarning,
            stacklevel=3,
        )


def _check_classes(classes: int | None, most: int, sales: Sales | None, prior: Prior | None) -> None:
    wrong = [
        f"{name} = {value!r}"
        for name, value in (("classes", classes), ("most_classes", most))
        if value is not None and value < 1
    ]
    if wrong:
        raise DemandError(f"{', '.join(wrong)}: there is at least 1 class of shoppers.")
    if classes is None or classes == 1:
        return
    if sales is None:
        raise DemandError(
            f"classes = {classes}: latent classes are for till sales; in baskets each value of `segment` is a class."
        )
    if prior is None:
        raise DemandError(f"classes = {classes}: latent classes need a Prior(...); prior=None knows one class.")
