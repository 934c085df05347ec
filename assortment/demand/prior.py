"""How far the parameters of the choice model may stray from zero before the data has spoken."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from assortment.errors import DemandError

_ABOVE_ZERO = ("attribute", "product", "price", "promotion")
_TIME = {"none": 0, "seasons": 13, "weeks": 1}


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Standard deviations of the Gaussian priors, in units of utility (all priors have mean zero).

    ``None`` is estimated from the data; a number fixes it, and 0 leaves the part out.

    Parameters
    ----------
    attribute
        Of the effect of an attribute (one level against the average product, or one standard deviation of a number);
        estimated for each attribute. In baskets, and with fewer than 20 products, it is 3 unless given.
    product
        Of what a product has beyond its attributes; small values pull products that sold little towards their
        attributes. In baskets, and with fewer than 20 products, it is 1 unless given.
    demographic
        Of the effect of one standard deviation of a demographic on one attribute; estimated for each demographic. Where
        the classes are segments of households it is chosen from ``grid`` by cross-validation blocked by household.
    demographic_product
        Of what a demographic does to a single product beyond its attributes.
    store
        Of what a store has that no demographic explains, by product; 0 leaves out ``store_attribute``, too.
    store_attribute
        Of what a store has that no demographic explains, by attribute: products that are alike share it, so one that is
        new to a store inherits it. Estimated for each attribute.
    period
        Of what a season adds to a product in all stores; that of a week (see ``time``) is held small when not given.
    week
        Of what a single week of the record adds to a product in all stores, on top of the season.
    price, promotion
        Of the common coefficient of log price, and of a promotion column or its product with log price.
    covariate_product
        Of the difference between products in a coefficient of price or promotion.
    covariate_demographic
        Of the effect of one standard deviation of a demographic on a coefficient of price or promotion.
    class_attribute, class_product, class_covariate
        Of the difference between latent classes of shoppers in the effect of an attribute, in what a product has beyond
        them, and in a coefficient of price or promotion. The first is also the widest scale that is tried for observed
        segments where several sources, or a survey, tell of them.
    mix, mix_demographic
        Of the log odds of a class, and of the effect of one standard deviation of a demographic on them.
    loyalty, loyalty_nest
        Of what the products of a nest are worth more to shoppers who are loyal to it, and of the difference between
        nests in that.
    overdispersion
        Variance that the purchases of a store and week share, as a multiple of p (1 − p).
    time
        "none", "seasons" (of 13 weeks, the last of which is carried into the future) or "weeks"; ``None``: chosen by
        how well each forecasts the last quarter of the record, and weeks where it is no longer than a season.
    grid
        The candidates for ``demographic`` of segments.

    Raises
    ------
    DemandError
        A standard deviation is negative, or zero where it may not be, ``time`` is unknown, or ``grid`` is empty.
    """

    attribute: float | None = None
    product: float | None = None
    demographic: float | None = None
    demographic_product: float | None = None
    store: float | None = None
    store_attribute: float | None = None
    period: float | None = None
    week: float | None = None
    price: float = 5.0
    promotion: float = 5.0
    covariate_product: float | None = None
    covariate_demographic: float | None = None
    class_attribute: float = 1.5
    class_product: float = 0.5
    class_covariate: float = 1.5
    mix: float = 1.5
    mix_demographic: float = 1.0
    loyalty: float = 3.0
    loyalty_nest: float = 0.5
    overdispersion: float | None = None
    time: Literal["none", "seasons", "weeks"] | None = None
    grid: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)

    def __post_init__(self) -> None:
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("grid", "time")}
        wrong = [
            f"{name} = {value}; a standard deviation must be {'above zero' if name in _ABOVE_ZERO else 'zero or more'}"
            for name, value in given.items()
            if value is not None and not (value > 0 if name in _ABOVE_ZERO else value >= 0)
        ]
        if self.time is not None and self.time not in _TIME:
            wrong.append(f"time = {self.time!r}; expected 'none', 'seasons' or 'weeks'")
        if not self.grid or not all(value > 0 for value in self.grid):
            wrong.append(f"grid = {self.grid}; give at least one standard deviation, all above zero")
        if wrong:
            raise DemandError(f"Prior: {'; '.join(wrong)}.")

    @property
    def candidates(self) -> tuple[float, ...]:
        """The scales of the effects of segments to try, smallest first."""
        return tuple(sorted(self.grid)) if self.demographic is None else (self.demographic,)

    @property
    def season(self) -> int | None:
        """Weeks per period: 0 where weeks are alike; ``None`` where that is to be chosen."""
        return None if self.time is None else _TIME[self.time]


DEFAULT = Prior()
"""The prior of a fit that is given none."""
