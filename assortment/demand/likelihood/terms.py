"""What the parameters of the choice model are multiplied with, and the sums of units that their derivatives need."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.likelihood.layout import Coefficients, shapes_of


@dataclass(frozen=True)
class Terms:
    """What the parameters are multiplied with.

    Parameters
    ----------
    attributes
        (N, Q).
    demographics
        (S, D), a row per group of the choices.
    centre
        (C, N), the value of each covariate at which the slope of a product turns (its own mean), so that slope and
        constant of a product are nearly independent.
    period
        (W,), period of each week.
    classes
        Latent classes of shoppers.
    walk_away
        Share of the choice occasions of each class that end without a purchase; matters with several classes only.
    nest
        (N,), nest of each product, -1 for none, where the classes are loyal to a nest each (the first is to none).
    kind
        (Q,), the attribute that each column stands for or is a level of; ``None``: each its own.
    mixes
        (S, K), known shares of the classes in the choice occasions, as of segments of households; ``None``: they follow
        from the demographics.
    own
        (S,), which groups may stray from what they share, as stores do; ``None``: all. A survey or a segment may not.
    """

    attributes: Floats
    demographics: Floats
    centre: Floats
    period: Ints
    classes: int = 1
    walk_away: float = 0.1
    nest: Ints | None = None
    kind: Ints | None = None
    mixes: Floats | None = None
    own: Bools | None = None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the parameters."""
        return shapes_of(
            attributes=self.attributes.shape[1],
            products=self.attributes.shape[0],
            demographics=self.demographics.shape[1],
            groups=self.demographics.shape[0],
            periods=int(self.period.max(initial=-1)) + 1,
            weeks=len(self.period),
            covariates=self.centre.shape[0],
            classes=self.classes,
            nests=0 if self.nest is None else self.classes - 1,
        )

    def base(self, parts: Coefficients) -> Floats:
        """Return the (S, N) utilities without time and covariates."""
        slopes = parts.demographic @ self.attributes.T + parts.demographic_product
        constant = self.attributes @ parts.attribute + parts.product
        base: Floats = self.demographics @ slopes + self.of_own(parts.store) + constant
        return base

    def of_own(self, values: Floats) -> Floats:
        """Return (S, N) values, nothing for the groups that have no effect of their own."""
        return values if self.own is None else values * self.own[:, None]

    def slopes(self, parts: Coefficients) -> Floats:
        """Return the (C, S) slopes of the covariates in the groups, before what is special to a product."""
        slopes: Floats = parts.covariate[:, None] + parts.covariate_demographic @ self.demographics.T
        return slopes

    def mix(self, parts: Coefficients) -> Floats:
        """Return the (S, K) shares of the classes in the choice occasions."""
        if self.classes == 1:
            return np.ones((len(self.demographics), 1))
        if self.mixes is not None:
            return self.mixes
        mix: Floats = softmax(parts.mix + self.demographics @ parts.mix_demographic.T, axis=1)
        return mix

    def derivative(self, sums: Sums) -> Coefficients:
        """Return the derivative of Σ units × utility by each parameter, from the sums of the units."""
        A, Z = self.attributes, self.demographics
        product = sums.group.sum(axis=0)
        by_demographic = Z.T @ sums.group
        return replace(
            Coefficients.zeros(self.shapes),
            attribute=A.T @ product,
            product=product,
            demographic=by_demographic @ A,
            demographic_product=by_demographic,
            store=self.of_own(sums.group),
            period=sums.period,
            week=sums.week,
            covariate=sums.slope.sum(axis=1),
            covariate_product=sums.covariate - self.centre * product,
            covariate_demographic=sums.slope @ Z,
        )


@dataclass(frozen=True)
class Sums:
    """Units summed over states.

    Parameters
    ----------
    group, period, week
        (S, N), (P, N) and (W, N), units by product.
    covariate
        (C, N), units × covariate by product.
    slope
        (C, S), units × covariate by group.
    """

    group: Floats
    period: Floats
    week: Floats
    covariate: Floats
    slope: Floats

    @classmethod
    def zeros(cls, shapes: dict[str, tuple[int, ...]]) -> Sums:
        """Return empty sums for these shapes of parameters."""
        covariate = shapes["covariate_product"]
        slope = (covariate[0], shapes["store"][0])
        return cls(
            *(np.zeros(shape) for shape in (shapes["store"], shapes["period"], shapes["week"], covariate, slope))
        )
