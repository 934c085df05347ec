"""``ChoiceModel``: fitted tastes, how well they hold up, and what they predict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit

from assortment.demand.arrays import Floats, positions
from assortment.demand.backtest.substitution import substitution_in_words, untested
from assortment.demand.demand import Demand
from assortment.demand.design.covariates import LOG_PRICE
from assortment.demand.design.demographics import DemographicDesign
from assortment.demand.fitting.classes import Trial
from assortment.demand.fitting.crossfit import LOCAL
from assortment.demand.fitting.evidence import CHAIN_EVERYWHERE, Evidence
from assortment.demand.fitting.nests import NestTrial
from assortment.demand.model.held_out import HeldOut
from assortment.demand.model.model_at import ModelAt
from assortment.demand.model.sources import no_sources, sources_in_words
from assortment.demand.model.spread import Spread
from assortment.demand.model.tastes import Tastes
from assortment.demand.model.volume import Volume, occasions_by_store
from assortment.errors import DemandError
from assortment.inputs import given_frame

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products, Stores


@dataclass(frozen=True, kw_only=True)
class ChoiceModel:
    """A multinomial logit of what shoppers choose among what is offered; made by ``fit_demand``.

    Attributes
    ----------
    tastes
        Coefficients by name.
    products
        Products of the fit.
    coefficients
        Frame term, value, standard_error (clustered by store; with observed segments the other one), and
        standard_error_unclustered (inverse Hessian).
    evidence
        Whether demographics forecast stores (or households) that the fit had not seen.
    design
        How the demographics of a store become numbers; ``None`` where the classes are observed segments.
    segments
        Segment → profile count of such people; empty where tastes follow demographics.
    purchase_rates
        Segment → units per household and week (1 where that is not known); empty like ``segments``.
    volume
        Size of the category by store.
    log_sd
        Product → standard deviation of the log share in an unseen store like those of the fit, beyond chance.
    reliability
        (S, N), part of the variance of each store's own tastes that its sales have settled, h σ² / (1 + h σ²), the
        stores being those of ``tastes``: what is left of it is the posterior variance.
    today
        Frame store_id, product_id, or ``None``.
    offered
        The frame that the fit was given, or ``None``.
    class_names
        Of the classes of shoppers.
    class_trials
        Nests and numbers of latent classes that were tried.
    held_out
        Fits for calibration; ``None`` where there were no till sales.
    notes
        What was assumed and what was left out.
    sources
        What each source of demand contributed: source, purchases, weight, weighted_purchases, counted_purchases,
        log_loss, information, on_products, on_prices, on_people; see ``model/sources.py``.
    cautions
        Those of the notes that a reader of any result should know: products that sold little, price coefficients that
        came out positive, classes that collapsed, substitution that is not as forecast.
    substitution
        By attribute of the products: whether sales moved after changes of listings as forecast; see
        ``backtest.substitution``.
    spread
        How it grows with the distance of a store's demographics from those of the chain; ``None``: not at all.
    """

    tastes: Tastes
    products: Products
    coefficients: pd.DataFrame
    evidence: Evidence
    design: DemographicDesign | None
    segments: Mapping[str, str]
    purchase_rates: Mapping[str, float]
    volume: Volume
    log_sd: Mapping[str, float]
    reliability: Floats
    today: pd.DataFrame | None
    offered: pd.DataFrame | None
    class_names: tuple[str, ...]
    class_trials: tuple[Trial | NestTrial, ...]
    held_out: HeldOut | None
    notes: tuple[str, ...]
    cautions: tuple[str, ...] = ()
    substitution: pd.DataFrame = field(default_factory=untested)
    sources: pd.DataFrame = field(default_factory=no_sources)
    spread: Spread | None = None

    @property
    def local(self) -> bool:
        """Whether tastes follow demographics, or the segments of households; else they are those of the chain."""
        parts = self.tastes.parts
        return any(bool(getattr(parts, name).any()) for name in LOCAL)

    @property
    def tastes_in_words(self) -> str:
        """What was found about local tastes, and what the forecast does about it."""
        return self.evidence.sentence if self.local else f"{self.evidence.sentence} {CHAIN_EVERYWHERE}"

    @property
    def walk_away_in_words(self) -> str:
        """How many leave without buying: that it is estimated, or what is assumed."""
        return self.volume.told

    def summary(self) -> str:
        """Return coefficients, evidence and assumptions as text."""
        table = self.coefficients[~self.coefficients["term"].str.contains("product: ", regex=False)]
        bought = float(self.sources["purchases"].sum()) if len(self.sources) else self.evidence.purchases
        lines = [
            f"Multinomial logit, {len(self.tastes.product_ids)} products, {bought:,.0f} units bought",
            *sources_in_words(self.sources),
            *self.evidence.fit_in_words,
            self.tastes_in_words,
            *([f"Classes of shoppers: {'; '.join(self.class_names)}."] if len(self.class_names) > 1 else []),
            self.walk_away_in_words,
            *self.cautions,
            "",
            table.to_string(index=False, float_format=lambda value: f"{value:.4f}"),
            "",
            ("Standard errors are" if self.segments else "Standard errors are clustered by store; unclustered ones are")
            + " of the inverse Hessian, purchases taken as independent. Price is not corrected for endogeneity.",
            substitution_in_words(self.substitution),
            *(note for note in self.notes if note not in (*self.cautions, CHAIN_EVERYWHERE)),
        ]
        return "\n".join(lines)

    def shares(self, offers: pd.DataFrame, profiles: StoreProfiles) -> pd.Series:
        """Return the choice share of each offer among the purchases of its week and store.

        Parameters
        ----------
        offers
            week, store_id, product_id with price and promotion columns: what was offered. Without price, regular
            prices; without promotion, none.
        profiles
            Who the stores serve.

        Returns
        -------
        pandas.Series
            Indexed like ``offers``; shares of a week and store sum to 1.

        Raises
        ------
        DemandError
            A product that was not in the fit, a store without profile.
        InputError
            Faults of the frame: a column or a week that is missing, a price that is not above zero, a row given twice.
        """
        index = offers.index
        offers = given_frame("sales", offers, name="offers", without=("units",))
        store_ids = tuple(offers["store_id"].unique())
        s = positions(store_ids, offers["store_id"])
        n = positions(self.products.ids, offers["product_id"])
        if (n < 0).any():
            unknown = ", ".join(sorted(map(str, offers["product_id"][n < 0].unique()))[:10])
            raise DemandError(f"Products that the model was not fitted on: {unknown}; predict() takes new products.")
        regular = self.products.frame["price"].to_numpy(np.float64)[n]
        price = offers["price"].to_numpy(np.float64, na_value=np.nan) if "price" in offers.columns else regular
        price = np.where(np.isfinite(price), price, regular)
        if not (price > 0).all():
            raise DemandError("Offers with a price that is not above zero; leave it empty where it is not known.")
        promotions = {
            name: offers[name].to_numpy(np.float64, na_value=0.0)
            for name in self.tastes.covariates.promotions
            if name in offers.columns
        }
        values = [value[:, None] for value in self.tastes.covariates.values(np.log(price), promotions)]
        period, week = (index[:, None] for index in self.tastes.calendar.locate(offers["week"]))
        here = ModelAt(self, self.products, profiles, store_ids)
        utility = here.tastes.utility(here.seats[s], n[:, None], values, period, week)
        group = offers.groupby(["week", "store_id"], sort=False).ngroup().to_numpy()
        peak = pd.DataFrame(utility).groupby(group).transform("max").to_numpy()
        worth = np.exp(utility - peak)
        total = pd.DataFrame(worth).groupby(group).transform("sum").to_numpy()
        part = here.mix[s]
        if self.tastes.classes > 1:  # purchases, not occasions: a class that finds little buys less often
            part = part * expit(np.log(total) + peak)
        shares = (worth / total * part).sum(axis=1) / part.sum(axis=1)
        return pd.Series(shares, index=index, name="share")

    def predict(
        self,
        stores: Stores,
        products: Products,
        profiles: StoreProfiles,
        *,
        at: pd.DataFrame | None = None,
        listing: pd.DataFrame | None = None,
        shelves: pd.DataFrame | None = None,
    ) -> Demand:
        """Forecast every product in every store, seen or not.

        Parameters
        ----------
        stores
            Stores to forecast.
        products
            Products to forecast; new ones are forecast from their attributes.
        profiles
            Who the stores serve.
        at
            store_id, product_id, price and promotion columns that differ from the regular price and no promotion; rows
            of others are ignored, here and in ``listing``.
        listing
            store_id, product_id of what stands on the shelf today; default: that of the fit.
        shelves
            store_id, occasions_per_week; default: those of the fit.

        Raises
        ------
        DemandError
            A store without profile, a demographic that is not known, products without the attributes of the fit.
        InputError
            Faults of the frames ``at``, ``listing`` and ``shelves``.
        """
        store_ids, N = tuple(stores.ids), len(products.ids)
        if at is not None:
            at = given_frame("prices", at, name="at", only=(LOG_PRICE, *self.tastes.covariates.promotions))
        if listing is not None:
            listing = given_frame("listing", listing, name="listing")
        if shelves is not None:
            shelves = given_frame("shelves", shelves, name="shelves", without=("category", "shelf_cm"))
        here = ModelAt(self, products, profiles, store_ids)
        price, promotions = here.terms(at)
        values = [value[:, None, :] for value in self.tastes.covariates.values(np.log(price), promotions)]
        seats = here.seats[:, :, None]
        attraction = np.exp(here.tastes.utility(seats, np.arange(N), values, self.tastes.calendar.latest()))
        today = here.mask(self.today if listing is None else listing)
        volume = self.volume
        if shelves is not None:
            occasions = occasions_by_store(shelves, set(products.frame["category"]))
            volume = replace(volume, occasions=occasions)
        size = volume.size(
            store_ids,
            attraction,
            here.mix,
            np.ones((len(store_ids), N), dtype=np.bool_) if today is None else today,
            here.people(),
        )
        return Demand(
            store_ids=store_ids,
            class_names=self.class_names,
            product_ids=tuple(products.ids),
            attraction=attraction,
            class_weight=size.class_weight,
            no_purchase=size.no_purchase,
            log_sd=here.log_sd(),
            today=today,
            walk_away=size.walk_away,
            weight_source=size.source,
            notes=(*self.notes, self.evidence.sentence, *size.notes, *here.unseen()),
            reasons=here.reasons(),
        )

    def price_sensitivity(
        self,
        stores: Stores,
        products: Products,
        profiles: StoreProfiles,
        *,
        at: pd.DataFrame | None = None,
        listing: pd.DataFrame | None = None,
        by_product: bool = False,
    ) -> pd.DataFrame:
        r"""Tabulate how purchases respond to price, by store and class of shoppers.

        With attraction a, carried set C and attraction v of buying nothing, the price coefficient of product j and its
        elasticities are

        .. math::

            b_j = \frac{d \ln a_j}{d \ln p_j} \qquad
            \frac{d}{d \ln p_j} \ln \frac{a_j}{v + \sum_{i \in C} a_i} \qquad
            \frac{d}{d \ln p_j} \ln \frac{a_j}{\sum_{i \in C} a_i},

        the price of j alone changing, as differences between prices 0.5 % above and below. The first elasticity is of
        the units sold: who turns away may buy nothing. The second is of the share among purchases. Prices are not
        corrected for endogeneity.

        Parameters
        ----------
        stores, products, profiles, at, listing
            As for ``predict``; elasticities are those of what stands on the shelf, at regular prices or those of
            ``at``. Where no listing is known, all products count as carried.
        by_product
            One row per store, class and product instead of one per store and class.

        Returns
        -------
        pandas.DataFrame
            store_id, class, units_per_week, price_coefficient, elasticity (a change of the price by 1 % changes the
            units sold by so many %), elasticity_among_purchases, positive (whether the price coefficient, of any
            product carried, is above zero: not to be used for prices). Means over products are weighted by their shares
            among the purchases of the class. With ``by_product`` also product_id and share, that share.

        Raises
        ------
        DemandError
            The effect of price could not be estimated; whatever ``predict`` cannot use.

        Warns
        -----
        AssortmentWarning
            Some price coefficients are positive.
        """
        from assortment.demand.model.sensitivity import price_sensitivity  # noqa: PLC0415 - it calls predict

        return price_sensitivity(self, stores, products, profiles, at=at, listing=listing, by_product=by_product)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the model to one file, which ``load`` gives back exactly; returns the path.

        The file is a zip of JSON and NumPy arrays and holds no code. It is written beside its place and renamed when
        complete; a model of that name is replaced.

        Raises
        ------
        DemandError
            The place cannot be written.
        """
        from assortment.demand.model.model_file import save_model  # noqa: PLC0415 - it knows this class

        return save_model(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> ChoiceModel:
        """Read a model that ``save`` wrote; it predicts the same to the last bit.

        Raises
        ------
        DemandError
            The file cannot be read, is no model, is damaged, or was written by a newer version.
        """
        from assortment.demand.model.model_file import load_model  # noqa: PLC0415 - it knows this class

        return load_model(path)
