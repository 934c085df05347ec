"""Fitted tastes: the utility of any product to anybody, also of products and stores that were not in the fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Floats
from assortment.demand.attributes import AttributeDesign
from assortment.demand.likelihood import Coefficients, Layout

if TYPE_CHECKING:
    from assortment.inputs import Products

LOG_PRICE = "log price"


@dataclass(frozen=True)
class Tastes:
    """Coefficients with the names of what they belong to.

    Parameters
    ----------
    product_ids
        The N products of the fit.
    attributes
        How products become rows of Q numbers.
    demographics
        Names of the D demographics, or of the segments of households.
    covariates
        Names of the C covariates: ``log price`` where its effect could be estimated, and promotion columns.
    parts
        The coefficients.
    """

    product_ids: tuple[str, ...]
    attributes: AttributeDesign
    demographics: tuple[str, ...]
    covariates: tuple[str, ...]
    parts: Coefficients

    def base(self, products: Products, demographics: Floats) -> Floats:
        """Return the (S, N) utilities without price and promotion, for (S, D) demographics."""
        known = pd.Series(self.parts.product, index=list(self.product_ids))
        beyond = known.reindex(list(products.ids)).fillna(0.0).to_numpy(np.float64)
        design = self.attributes.encode(products)
        slopes = self.parts.demographic @ design.T
        utilities: Floats = design @ self.parts.attribute + beyond + demographics @ slopes
        return utilities

    def slopes(self, products: Products) -> Floats:
        """Return the (D, N) change of utility per unit of each standardised demographic."""
        slopes: Floats = self.parts.demographic @ self.attributes.encode(products).T
        return slopes

    def lift(self, price: Floats, promotions: Mapping[str, Floats]) -> Floats:
        """Return what price and promotion add to the utility, shaped like ``price``; a promotion not given is none."""
        total = np.zeros(price.shape)
        for name, coefficient in zip(self.covariates, self.parts.covariate, strict=True):
            if name == LOG_PRICE:
                total += coefficient * np.log(price)
            elif name in promotions:
                total += coefficient * promotions[name]
        return total


def coefficient_frame(tastes: Tastes, design: Floats, curvature: Floats, *, with_demographics: bool) -> pd.DataFrame:
    """Tabulate the coefficients with standard errors from the inverse Hessian of the penalised likelihood.

    Parameters
    ----------
    tastes
        The fit.
    design
        (N, Q), the products of the fit.
    curvature
        (M, M), Hessian of minus the penalised log-likelihood.
    with_demographics
        Whether to list the effects of demographics.

    Returns
    -------
    pandas.DataFrame
        term, value, standard_error. Products are given by their whole constant, against the average product. The errors
        take purchases as independent: they are too small where stores differ in what no demographic explains.
    """
    parts, N = tastes.parts, len(tastes.product_ids)
    layout = Layout(design.shape[1], N, parts.demographic.shape[0], len(parts.covariate))
    covariance = np.linalg.inv(curvature)
    errors = layout.split(np.sqrt(np.diag(covariance)))
    centred = np.hstack([design, np.eye(N)])
    centred = centred - centred.mean(axis=0)
    ends = layout.position("product").stop
    constants = centred @ np.concatenate([parts.attribute, parts.product])
    constant_errors = np.sqrt(np.einsum("nm,ml,nl->n", centred, covariance[:ends, :ends], centred))
    names = tastes.attributes.names
    pairs = [f"{demographic} × {name}" for demographic in tastes.demographics for name in names]
    table = pd.DataFrame(
        {
            "term": [*tastes.covariates, *names, *pairs, *(f"product: {name}" for name in tastes.product_ids)],
            "value": np.concatenate([parts.covariate, parts.attribute, parts.demographic.ravel(), constants]),
            "standard_error": np.concatenate(
                [errors.covariate, errors.attribute, errors.demographic.ravel(), constant_errors]
            ),
        }
    )
    first = len(tastes.covariates) + len(names)
    return table if with_demographics else table.drop(index=range(first, first + len(pairs))).reset_index(drop=True)
