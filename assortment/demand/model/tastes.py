"""Fitted tastes: the utility of any product to anybody, also of products and stores that were not in the fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assortment.demand.arrays import Floats, Ints, positions
from assortment.demand.design.attributes import AttributeDesign
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.design.nests import Nests
from assortment.demand.design.periods import Calendar
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.loyalty import constants_of_classes
from assortment.demand.likelihood.terms import Terms

if TYPE_CHECKING:
    from assortment.inputs import Products


@dataclass(frozen=True)
class LocalTastes:
    """Tastes for N products, as numbers (C covariates), of each class in S stores (S K rows, by store) or of segments.

    Parameters
    ----------
    constant
        (S K, N), without time, price and promotion.
    slopes
        (C, S K, N).
    period, week
        (P + 1, N) and (W + 1, N), common to all stores; the last row, which index -1 finds, is nothing.
    """

    constant: Floats
    slopes: Floats
    period: Floats
    week: Floats

    def utility(self, s: Ints, n: Ints, values: Sequence[Floats], period: Any = -1, week: Any = -1) -> Floats:
        """Return utilities at the positions s and n, which may be of any shapes that go together.

        Parameters
        ----------
        s, n
            Row and product.
        values
            The C covariates.
        period, week
            Of time; -1 for none.
        """
        total: Floats = self.constant[s, n] + self.period[period, n] + self.week[week, n]
        for slope, value in zip(self.slopes, values, strict=True):
            total = total + slope[s, n] * value
        return total


@dataclass(frozen=True, kw_only=True)
class Tastes:
    """Coefficients with the names of what they belong to.

    Parameters
    ----------
    product_ids
        The N products of the fit.
    store_ids
        The S stores of the fit; none where tastes are those of segments.
    attributes
        How products become rows of Q numbers.
    demographics
        Names of the D demographics, or of the segments of households.
    covariates
        Price and promotions.
    centre
        (C, N), where the slope of each product turns.
    calendar
        The weeks of the record.
    parts
        The coefficients.
    nests
        What the latent classes are loyal to, each to a level of it, but for the first; ``None``: to nothing.
    inherited
        (N, Q), by which a store's own effects are multiplied to tell what it makes of attributes; a product that is new
        to the fit inherits it. Empty: nothing is inherited.
    """

    product_ids: tuple[str, ...]
    store_ids: tuple[str, ...]
    attributes: AttributeDesign
    demographics: tuple[str, ...]
    covariates: CovariateDesign
    centre: Floats
    calendar: Calendar
    parts: Coefficients
    nests: Nests | None = None
    inherited: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def classes(self) -> int:
        """Number of latent classes, K; 1 where all shoppers are of one."""
        return max(1, len(self.parts.mix))

    def mix(self, demographics: Floats) -> Floats:
        """Return (S, K) shares of the latent classes at (S, D) standardised demographics."""
        terms = Terms(np.zeros((0, 0)), demographics, np.zeros((0, 0)), self.calendar.period, self.classes)
        return terms.mix(self.parts)

    def of(self, products: Products, demographics: Floats, store_ids: Sequence[str] | None = None) -> LocalTastes:
        """Return the tastes of stores (or segments) for products.

        Parameters
        ----------
        products
            New ones are forecast from their attributes.
        demographics
            (S, D), standardised.
        store_ids
            S stores, those of the fit with their own effects; ``None``: nobody has any.
        """
        parts = self._on(products, store_ids, len(demographics))
        centre = _columns(self.centre, positions(self.product_ids, _series(products.ids)))
        terms = Terms(self.attributes.encode(products), demographics, centre, self.calendar.period)
        nothing = np.zeros((1, len(products.ids)))
        constant = terms.base(parts) - (parts.covariate_product * centre).sum(axis=0)
        slopes = terms.slopes(parts)
        if self.classes > 1:
            # Measured from buying nothing, which the classes then value alike.
            own = parts.class_attribute @ terms.attributes.T + parts.class_product - parts.class_nothing[:, None]
            if self.nests is not None:
                own = own + constants_of_classes(self.nests.of(products), parts.loyalty)
            constant = (constant[:, None, :] + own).reshape(-1, len(products.ids))
            slopes = (slopes[:, :, None] + parts.class_covariate.T[:, None, :]).reshape(len(slopes), len(constant))
        return LocalTastes(
            constant=constant,
            slopes=slopes[:, :, None] + parts.covariate_product[:, None, :],
            period=np.vstack([parts.period, nothing]),
            week=np.vstack([parts.week, nothing]),
        )

    def drifts(self, products: Products, log_price: Floats) -> Floats:
        """Return the (D, N) change of utility per unit of each standardised demographic, at (N,) regular prices."""
        parts = self._on(products, None, 0)
        drifts = parts.demographic @ self.attributes.encode(products).T + parts.demographic_product
        values = self.covariates.values(log_price, {})
        for slope, value in zip(parts.covariate_demographic, values, strict=True):
            drifts = drifts + slope[:, None] * value
        if self.classes == 1:
            return drifts
        # Through the shares of the classes, to first order at the chain average.
        average = self.of(products, np.zeros((1, len(self.demographics))))
        worth = np.exp(average.utility(np.arange(self.classes)[:, None], np.arange(len(products.ids)), values))
        mix = self.mix(np.zeros((1, len(self.demographics))))[0]
        bought = mix[:, None] * worth / (1.0 + worth.sum(axis=1, keepdims=True))
        through_mix: Floats = parts.mix_demographic.T @ (bought / bought.sum(axis=0) - mix[:, None])
        return drifts + through_mix

    def _on(self, products: Products, store_ids: Sequence[str] | None, rows: int) -> Coefficients:
        """The coefficients of these products and stores; zero for what the fit has not seen.

        But what a known store makes of a new product follows from what it makes of the attributes.
        """
        n = positions(self.product_ids, _series(products.ids))
        own = _columns(self.parts.store, n)
        if store_ids is None:
            own = np.zeros((rows, len(n)))
        else:
            if self.inherited.size and (n < 0).any():
                likes = self.parts.store @ self.inherited
                own = np.where(n >= 0, own, likes @ self.attributes.encode(products).T)
            own = _columns(own.T, positions(self.store_ids, _series(store_ids))).T
        return replace(
            self.parts,
            product=_columns(self.parts.product[None], n)[0],
            demographic_product=_columns(self.parts.demographic_product, n),
            covariate_product=_columns(self.parts.covariate_product, n),
            class_product=_columns(self.parts.class_product, n),
            period=_columns(self.parts.period, n),
            week=_columns(self.parts.week, n),
            store=own,
        )


def _columns(values: Floats, index: Ints) -> Floats:
    """Columns of a matrix; nothing at index -1."""
    return np.where(index >= 0, values[:, index], 0.0) if values.shape[1] else np.zeros((len(values), len(index)))


def _series(ids: Sequence[str]) -> pd.Series:
    return pd.Series(list(ids), dtype=object)
