"""A price coefficient that is positive is replaced by that of the level above it.

Above a product, a demographic or a class of shoppers stands the category: the average of all, without the products
whose own was positive. Above the category stands nothing here, so a positive coefficient of its own leaves price out;
see ``tills``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Bools, Floats
from assortment.demand.design.covariates import LOG_PRICE
from assortment.demand.fitting.settings import LEAST_PRICE
from assortment.demand.fitting.shrinkage import Shrunken, shrunken_fit, with_shocks
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.observed.choices import Choices
from assortment.demand.prior import Prior
from assortment.errors import listed

SLOPES = ("covariate", "covariate_product", "covariate_demographic", "class_covariate")
"""The parts that answer to price and promotion."""


@dataclass(frozen=True)
class Replaced:
    """What takes the price coefficient of the category (N products, K classes).

    Parameters
    ----------
    product
        (N,), by their own deviation.
    coefficient
        What they take: the mean over the other products.
    demographics
        Whether demographics no longer change the coefficient.
    classes
        Whether the classes of shoppers share it.
    """

    product: Bools
    coefficient: float
    demographics: bool = False
    classes: bool = False

    def __bool__(self) -> bool:
        """Whether anything is replaced."""
        return bool(self.product.any()) or self.demographics or self.classes

    def notes(self, product_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Return what to say of it, products by name."""
        because = "came out positive (dearer sold better, which prices alone cannot explain)"
        instead = "that of the whole category"
        names = [name for name, wrong in zip(product_ids, self.product, strict=True) if wrong]
        found = []
        if names:
            found.append(
                f"The price coefficient of {listed(names)} {because}; it is replaced by that of the other products "
                f"({self.coefficient:.2f})."
            )
        if self.demographics:
            found.append(f"With demographics the price coefficient of some stores {because}; all take {instead}.")
        if self.classes:
            found.append(f"The price coefficient of a class of shoppers {because}; all classes take {instead}.")
        return tuple(found)


def category_slope(fit: Shrunken, covariates: tuple[str, ...]) -> float:
    """Return the price coefficient of the average purchase; 0 where price has no effect."""
    if LOG_PRICE not in covariates:
        return 0.0
    c, parts = covariates.index(LOG_PRICE), fit.parts
    return float(parts.covariate[c]) + float(_class_shares(fit) @ _of_classes(fit, c))


def guarded(fit: Shrunken, choices: Choices, prior: Prior, covariates: tuple[str, ...]) -> tuple[Shrunken, Replaced]:
    """Put the category's price coefficient where a product, demographics or classes have made one positive.

    All coefficients of price and promotion are then held, as a product that has no deviation of its own would draw that
    of the category to itself; the rest is fitted again, so that each product sells what it did at the prices it had.

    Parameters
    ----------
    fit
        On everything.
    choices
        A state per store and week.
    prior
        Of the fit.
    covariates
        Their names.
    """
    category = category_slope(fit, covariates)
    if not category < 0:
        return fit, Replaced(np.zeros(len(fit.parts.product), dtype=np.bool_), category)
    c = covariates.index(LOG_PRICE)
    replaced = _positive(fit, c, category)
    if not replaced:
        return fit, replaced
    layout = fit.likelihood.layout
    free = tuple(name for name in layout.free if name not in SLOPES)
    held = tuple(name for name in layout.free if name in SLOPES)
    again = shrunken_fit(
        choices,
        fit.likelihood.terms,
        free,
        prior,
        fit.components,
        start=_with(fit.parts, replaced, c, category),
        rounds=0,
        held=held,
    )
    return with_shocks(again, choices, prior), replaced


def _class_shares(fit: Shrunken) -> Floats:
    """(K,) shares of the classes, each store counted by its purchases."""
    likelihood = fit.likelihood
    units = np.bincount(likelihood.choices.group, likelihood.units, len(fit.parts.store))
    shares: Floats = units @ likelihood.terms.mix(fit.parts) / units.sum()
    return shares


def _of_classes(fit: Shrunken, c: int) -> Floats:
    """(K,) deviations of the classes in a coefficient."""
    return fit.parts.class_covariate[:, c] if len(fit.parts.mix) else np.zeros(1)


def _positive(fit: Shrunken, c: int, category: float) -> Replaced:
    """What lifts a coefficient above zero: demographics or classes where they do so alone, else products."""
    parts = fit.parts
    of_stores = float((fit.likelihood.terms.slopes(parts)[c] - parts.covariate[c]).max())
    of_classes = float((parts.covariate[c] + _of_classes(fit, c)).max()) - category
    classes = category + of_classes > LEAST_PRICE
    rest = category + (0.0 if classes else of_classes)
    demographics = rest + of_stores > LEAST_PRICE
    highest = rest + (0.0 if demographics else of_stores)
    product = highest + parts.covariate_product[c] > LEAST_PRICE
    told = fit.likelihood.information(parts).covariate_product[c]
    told = np.where(product, 0.0, told / (told + 1.0 / max(float(fit.components.covariate_product[c]), 1e-9) ** 2))
    mean = float(told @ parts.covariate_product[c]) / max(float(told.sum()), 1e-300)
    return Replaced(product, category + mean, demographics=demographics, classes=classes)


def _with(parts: Coefficients, replaced: Replaced, c: int, category: float) -> Coefficients:
    """The coefficients with that of the category where it takes their place."""
    row = np.arange(len(parts.covariate)) == c
    product = np.where(row[:, None] & replaced.product, replaced.coefficient - category, parts.covariate_product)
    demographic = np.where(row[:, None] & replaced.demographics, 0.0, parts.covariate_demographic)
    parts = replace(parts, covariate_product=product, covariate_demographic=demographic)
    if not replaced.classes:
        return parts
    return replace(
        parts,
        covariate=np.where(row, category, parts.covariate),
        class_covariate=np.where(row, 0.0, parts.class_covariate),
    )
