"""Variance components: how far each kind of parameter strays, estimated from the data.

Empirical Bayes after MacKay (Neural Computation 4, 1992): with the curvature h of the data in each parameter v and the
prior variance σ², γ = h / (h + 1 / σ²) is how much of a parameter the data determines, and

.. math:: \\sigma^2 \\leftarrow \\sum v^2 / \\sum \\gamma

Each demographic has a variance of its own, so one that explains nothing vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.design.covariates import LOG_PRICE
from assortment.demand.fitting.kinship import Kinship
from assortment.demand.fitting.precision import Precision
from assortment.demand.likelihood.layout import PARTS, Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.terms import Terms
from assortment.demand.prior import Prior

_LEAST, _MOST = 1e-3, 5.0
_ATTRIBUTE, _PRODUCT = 3.0, 1.0
_TOGETHER = ("store", "attribute", "product")
_MANY, _LEAST_PRODUCT = 20, 0.05
"""Fewer products do not tell how far products stray from their attributes; none is quite what its attributes are."""
_SETTLED = 20
"""Rounds in which the variances of the constants of the products settle; the data knows the constants themselves."""


@dataclass(frozen=True)
class Components:
    """Standard deviations by part (Q attributes, D demographics, C covariates), and the overdispersion δ.

    Parameters
    ----------
    attribute
        (Q,), or one number for all where it is not estimated.
    product, store, period, week
        Numbers.
    store_attribute
        (Q,), of what a store makes of an attribute; of the store effects ``store`` is then what lies beyond.
    demographic, demographic_product
        (D,).
    covariate, covariate_product, covariate_demographic
        (C,).
    class_attribute, class_product, class_covariate, class_nothing, mix, mix_demographic
        Numbers.
    loyalty
        (L,): of what is common, and of each nest; none without nests.
    overdispersion
        δ.
    """

    attribute: Floats
    product: float
    demographic: Floats
    demographic_product: Floats
    store: float
    store_attribute: Floats
    period: float
    week: float
    covariate: Floats
    covariate_product: Floats
    covariate_demographic: Floats
    class_attribute: float
    class_product: float
    class_covariate: float
    class_nothing: float
    mix: float
    mix_demographic: float
    loyalty: Floats
    overdispersion: float

    @classmethod
    def first(cls, prior: Prior, *, demographics: int, covariates: tuple[str, ...], attributes: int = 0) -> Components:
        """Return what is fixed, and where the estimation of the others begins.

        Parameters
        ----------
        prior
            What is fixed.
        demographics
            D.
        covariates
            Their names. A price under promotion has a common coefficient only: few weeks tell of it by product.
        attributes
            Q, where a store's effects on products of like attributes go together.
        """

        def begin(value: float | None, guess: float) -> float:
            return guess if value is None else value

        D = np.ones(demographics)
        alone = np.array([name == LOG_PRICE or not name.startswith(LOG_PRICE) for name in covariates], dtype=np.float64)
        price = np.array([name == LOG_PRICE for name in covariates], dtype=np.bool_)
        return cls(
            attribute=begin(prior.attribute, _ATTRIBUTE) * (np.ones(attributes) if attributes else np.ones(())),
            product=begin(prior.product, _PRODUCT),
            demographic=begin(prior.demographic, 0.1) * D,
            demographic_product=begin(prior.demographic_product, 0.1) * D,
            store=begin(prior.store, 0.2),
            store_attribute=begin(prior.store_attribute, 0.1) * np.ones(attributes),
            period=begin(prior.period, 0.15),
            week=begin(prior.week, 0.15),
            covariate=np.where(price, prior.price, prior.promotion),
            covariate_product=begin(prior.covariate_product, 0.5) * alone,
            covariate_demographic=begin(prior.covariate_demographic, 0.1) * alone,
            class_attribute=prior.class_attribute,
            class_product=prior.class_product,
            class_covariate=prior.class_covariate,
            class_nothing=0.0,
            mix=prior.mix,
            mix_demographic=prior.mix_demographic,
            loyalty=np.zeros(0),
            overdispersion=begin(prior.overdispersion, 0.05),
        )

    @classmethod
    def flat(cls, *, demographics: int, covariates: int) -> Components:
        """Return those of plain maximum likelihood: constants and slopes are free, all else is nothing."""
        anything = float("inf")
        return cls(
            attribute=np.zeros(()),
            product=anything,
            demographic=np.zeros(demographics),
            demographic_product=np.full(demographics, anything),
            store=0.0,
            store_attribute=np.zeros(0),
            period=0.0,
            week=0.0,
            covariate=np.full(covariates, anything),
            covariate_product=np.zeros(covariates),
            covariate_demographic=np.zeros(covariates),
            class_attribute=0.0,
            class_product=0.0,
            class_covariate=0.0,
            class_nothing=0.0,
            mix=0.0,
            mix_demographic=0.0,
            loyalty=np.zeros(0),
            overdispersion=0.0,
        )

    @property
    def needs_reference(self) -> bool:
        """Whether constants are free, so that one product has to stand at zero."""
        return bool(np.isinf(self.product))

    def precision(self, likelihood: Likelihood) -> Precision:
        """Return the precision of the prior of the free parameters."""
        layout = likelihood.layout
        deviations = Coefficients(**{name: self._spread(name, layout.shapes[name]) for name in PARTS})
        diagonal = 1.0 / np.maximum(layout.join(deviations), 1e-9) ** 2
        kin = self.kinship(likelihood.terms).factor if self.store > 0 else np.zeros((layout.shapes["product"][0], 0))
        return Precision(diagonal, layout.position("store"), kin)

    def kinship(self, terms: Terms) -> Kinship:
        """Return the prior of the effects of a store, which has to have some (``store`` > 0)."""
        attributes, kind = terms.attributes, terms.kind
        spread = self.store_attribute if len(self.store_attribute) else np.zeros(attributes.shape[1])
        return Kinship(attributes, np.arange(attributes.shape[1]) if kind is None else kind, spread, self.store)

    def _spread(self, name: str, shape: tuple[int, ...]) -> Floats:
        values = np.asarray(getattr(self, name), dtype=np.float64)
        return np.broadcast_to(values.reshape(values.shape + (1,) * (len(shape) - values.ndim)), shape)

    def updated(self, likelihood: Likelihood, parts: Coefficients, prior: Prior) -> Components:
        """Return the components that the parameters and what the data knows of them speak for.

        Only what is free in the likelihood and not fixed by the prior changes.
        """
        information = likelihood.information(parts)
        found: dict[str, Any] = {}
        if "store" in likelihood.layout.free:
            expected = likelihood.expected(parts)[0].store
            kin = self.kinship(likelihood.terms).updated(
                expected, parts.store, fixed=(prior.store_attribute is not None, prior.store is not None)
            )
            found = {"store": kin.own, "store_attribute": kin.spread[: len(self.store_attribute)]}
            attribute, product = kin.told(expected, likelihood.terms.demographics)
            information = replace(information, demographic=attribute, demographic_product=product)
        found |= self._of_constants(likelihood, parts, prior)
        for name in likelihood.layout.free:
            if name in _TOGETHER or getattr(prior, name, 0.0) is not None:
                continue
            if getattr(parts, name).size:
                found[name] = self._updated(name, getattr(parts, name), getattr(information, name))
        if prior.overdispersion is None:
            found["overdispersion"] = likelihood.overdispersion(parts)
        return replace(self, **found)

    def _of_constants(self, likelihood: Likelihood, parts: Coefficients, prior: Prior) -> dict[str, Any]:
        """How far attributes and products stray, the products' constants being taken as effects of one store."""
        terms, free = likelihood.terms, likelihood.layout.free
        if not self.attribute.ndim or len(terms.attributes) < _MANY or not {"attribute", "product"} <= set(free):
            return {}
        kind = np.arange(len(self.attribute)) if terms.kind is None else terms.kind
        kin = Kinship(terms.attributes, kind, self.attribute, self.product)
        expected = likelihood.expected(parts)[0].product[None]
        constants = (terms.attributes @ parts.attribute + parts.product)[None]
        for _ in range(_SETTLED):
            kin = kin.updated(expected, constants, fixed=(prior.attribute is not None, prior.product is not None))
        return {"attribute": kin.spread, "product": max(kin.own, _LEAST_PRODUCT)}

    def _updated(self, name: str, values: Floats, information: Floats) -> float | Floats:
        own = np.asarray(getattr(self, name), dtype=np.float64)
        axes = tuple(range(own.ndim, values.ndim))
        told = information > 0
        spread = self._spread(name, values.shape)
        determined = information * spread**2 / (1.0 + information * spread**2)
        known = determined.sum(axis=axes)
        squares = np.where(told, values**2, 0.0).sum(axis=axes)
        sd = np.where(own > 0, np.clip(np.sqrt(squares / np.maximum(known, 1e-6)), _LEAST, _MOST), 0.0)
        return float(sd) if own.ndim == 0 else sd
