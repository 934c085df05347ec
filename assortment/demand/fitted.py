"""A finished estimation: tastes with their errors, and what the held-out forecasts say about them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.demand.arrays import Floats
from assortment.demand.attributes import AttributeDesign
from assortment.demand.choices import Choices
from assortment.demand.crossfit import CrossFit, Folds
from assortment.demand.estimate import precisions
from assortment.demand.likelihood import Likelihood
from assortment.demand.prior import Prior
from assortment.demand.tastes import LOG_PRICE, Tastes, coefficient_frame
from assortment.errors import AssortmentWarning

_NOTHING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to estimate, whatever the source of the data; see ``fit_demand`` for each."""

    attributes: AttributeDesign
    prior: Prior
    fallback: bool
    seed: int
    workers: int
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True)
class Fitted:
    """The estimation from one source.

    Parameters
    ----------
    likelihood
        Of all choices.
    found
        Parameters, with and without each fold.
    tastes
        The same parameters by name.
    prior
        Of the parameters.
    notes
        What was found and what was left out.
    """

    likelihood: Likelihood
    found: CrossFit
    tastes: Tastes
    prior: Prior
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        choices: Choices,
        product_ids: tuple[str, ...],
        design: Floats,
        demographics: tuple[tuple[str, ...], Floats],
        covariates: tuple[str, ...],
        *,
        blocked_by: str,
        settings: Settings,
    ) -> Fitted:
        """Fit and cross-fit.

        Parameters
        ----------
        choices
            States with folds.
        product_ids
            N products.
        design
            (N, Q).
        demographics
            D names, and the (S, D) values of the groups.
        covariates
            C names.
        blocked_by
            What is held out whole, in words.
        settings
            How to estimate.
        """
        names, values = demographics
        folds = Folds(
            choices, design, values, prior=settings.prior, has_price=LOG_PRICE in covariates, workers=settings.workers
        )
        found = folds.fit(blocked_by, fallback=settings.fallback, progress=settings.progress)
        likelihood = Likelihood(choices, design, values)
        tastes = Tastes(product_ids, settings.attributes, names, covariates, likelihood.layout.split(found.vector))
        notes = (
            *settings.attributes.notes,
            *_never_sold(choices, product_ids),
            *_left_out(found),
            *_check_price(tastes),
        )
        return cls(likelihood, found, tastes, settings.prior, notes)

    def coefficients(self) -> pd.DataFrame:
        """Return term, value and standard error; see ``coefficient_frame``."""
        layout = self.likelihood.layout
        # Demographics that were left out are known to be nothing.
        scale = self.found.scale if self.found.scale is not None else _NOTHING
        precision = precisions(layout, self.prior, scale, has_price=LOG_PRICE in self.tastes.covariates)
        curvature = self.likelihood.hessian(self.found.vector) + np.diag(precision)
        used = self.found.scale is not None
        return coefficient_frame(self.tastes, self.likelihood.attributes, curvature, with_demographics=used)

    def unseen_shares(self) -> Floats:
        """Return the (T, N) choice shares as forecast by the fits that had not seen the state."""
        choices = self.likelihood.choices
        if not self.found.folds:
            return np.exp(self.likelihood.log_shares(self.found.vector))
        shares = np.zeros(choices.counts.shape)
        # A fold may be without a state, when none of its households bought.
        for fold, vector in zip(np.unique(choices.fold), self.found.folds, strict=True):
            held = choices.fold == fold
            part = Likelihood(choices.take(held), self.likelihood.attributes, self.likelihood.demographics)
            shares[held] = np.exp(part.log_shares(vector))
        return shares

    def by_product(self, spread: Floats) -> dict[str, float]:
        """Return (N,) spreads by product id, for the products that were ever sold."""
        sold = self.likelihood.choices.counts.sum(axis=0) > 0
        return {name: float(sd) for name, sd, ever in zip(self.tastes.product_ids, spread, sold, strict=True) if ever}


def _never_sold(choices: Choices, product_ids: tuple[str, ...]) -> tuple[str, ...]:
    never = [name for name, units in zip(product_ids, choices.counts.sum(axis=0), strict=True) if units == 0]
    if not never:
        return ()
    shown = ", ".join(never[:10]) + (f" and {len(never) - 10} more" if len(never) > 10 else "")
    message = f"Never sold, so forecast from attributes alone: {shown}."
    warnings.warn(message, AssortmentWarning, stacklevel=5)
    return (message,)


def _left_out(found: CrossFit) -> tuple[str, ...]:
    if found.scale is not None or not found.folds:
        return ()
    return ("Tastes are those of the chain average everywhere: demographics are left out of the forecast.",)


def _check_price(tastes: Tastes) -> tuple[str, ...]:
    if LOG_PRICE not in tastes.covariates:
        return ()
    value = float(tastes.parts.covariate[tastes.covariates.index(LOG_PRICE)])
    if value <= 0:
        return ()
    message = (
        f"The price coefficient is positive ({value:.2f}): in this record dearer sold better, which prices alone "
        "cannot explain. Do not use the model for prices; check prices and promotions in the sales."
    )
    warnings.warn(message, AssortmentWarning, stacklevel=5)
    return (message,)
