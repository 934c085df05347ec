"""A finished estimation: tastes with their errors, and what the held-out forecasts say about them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.design.attributes import AttributeDesign
from assortment.demand.design.covariates import LOG_PRICE
from assortment.demand.design.nests import Nests
from assortment.demand.model.tastes import Tastes
from assortment.demand.observed.choices import Choices
from assortment.demand.prior import Prior
from assortment.errors import AssortmentWarning, listed

_POSITIVE = (
    "The price coefficient is positive ({:.2f}): in this record dearer sold better, which prices alone cannot explain."
)
_FEW = 25.0
"""Purchases, as the likelihood counts them, below which the share of a product is known to ± 20 % at best."""
LEAST_PRICE = 1e-6
"""A price coefficient up to this counts as none: the search ends within its tolerance."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to estimate, whatever the source of the data; see ``fit_demand`` for each."""

    attributes: AttributeDesign
    prior: Prior | None
    fallback: bool
    seed: int
    workers: int
    classes: int | None = 1
    most_classes: int = 1
    nests: tuple[Nests, ...] = ()
    nests_given: bool = False
    progress: Callable[[int, int], None] | None
    weights: Mapping[str, float] = field(default_factory=dict)
    positive_price: float | None = None
    """The price coefficient for whose sake price is left out."""


class Ticks:
    """Reports progress to who asked for it, one step at a time."""

    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def __call__(self) -> None:
        """One step is done."""
        self._done = min(self._done + 1, self._total)
        if self._progress is not None:
            self._progress(self._done, self._total)

    def end(self) -> None:
        """All is done, whatever was not needed."""
        self._done = self._total - 1
        self()


def findings(choices: Choices, tastes: Tastes, told: Floats) -> tuple[str, ...]:
    """Name products that the record says little of, and a price coefficient that makes no sense; with a warning each.

    Parameters
    ----------
    choices
        What was sold.
    tastes
        The fit.
    told
        (N,), curvature of the likelihood in each product's constant.
    """
    notes = (
        *_never_sold(choices, tastes.product_ids),
        *_sold_little(choices, tastes, told),
        *_check_price(tastes),
    )
    for message in notes:
        warnings.warn(message, AssortmentWarning, stacklevel=5)
    return notes


def by_product(tastes: Tastes, choices: Choices, spread: Floats) -> dict[str, float]:
    """Return (N,) spreads by product id, for the products that were ever sold."""
    sold = choices.counts.sum(axis=0) > 0
    return {name: float(sd) for name, sd, ever in zip(tastes.product_ids, spread, sold, strict=True) if ever}


def _never_sold(choices: Choices, product_ids: tuple[str, ...]) -> tuple[str, ...]:
    never = [name for name, units in zip(product_ids, choices.counts.sum(axis=0), strict=True) if units == 0]
    if not never:
        return ()
    return (f"Never sold, so forecast from attributes alone: {listed(never)}.",)


def _sold_little(choices: Choices, tastes: Tastes, told: Floats) -> tuple[str, ...]:
    units = choices.counts.sum(axis=0)
    few = [
        f"{name} ({sold:,.4g} unit{'' if sold == 1 else 's'}, ± {1.0 / np.sqrt(max(known, 1.0)):.0%})"
        for name, sold, known in zip(tastes.product_ids, units, told, strict=True)
        if sold > 0 and known < _FEW
    ]
    if not few:
        return ()
    names = dict.fromkeys(column.attribute for column in tastes.attributes.columns)
    alone = tastes.attributes.each_its_own or not tastes.parts.attribute.any()
    leans = "" if alone else f"leans on what they are ({', '.join(names)}) and "
    return (f"Sold little, so the forecast {leans}is uncertain: {listed(few)}.",)


def _check_price(tastes: Tastes) -> tuple[str, ...]:
    if LOG_PRICE not in tastes.covariates.names:
        return ()
    value = float(tastes.parts.covariate[tastes.covariates.names.index(LOG_PRICE)])
    if not value > LEAST_PRICE:
        return ()
    return (f"{_POSITIVE.format(value)} Do not use the model for prices; check prices and promotions in the sales.",)


def price_left_out(value: float) -> str:
    """Return why price is left out, its coefficient being positive."""
    return (
        f"{_POSITIVE.format(value)} There is no level above the category to take it from: the effect of price is left "
        "out; check prices and promotions in the sales."
    )
