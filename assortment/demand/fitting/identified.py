"""What the data cannot tell when no prior helps: named before, and after, the fit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from assortment.demand.likelihood.curvature import SHARED, curvature
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.observed.choices import Choices
from assortment.errors import AssortmentWarning, DemandError

_NULL, _SHARE = 1e-9, 0.05
_BOUNDLESS = 4.0  # a product that sold one unit has a standard error of 1


def require_sold(choices: Choices, product_ids: tuple[str, ...]) -> None:
    """Refuse products that never sold: without a prior their constant has no bound.

    Raises
    ------
    DemandError
        Products without a unit sold.
    """
    never = [name for name, units in zip(product_ids, choices.counts.sum(axis=0), strict=True) if not units > 0]
    if never:
        raise DemandError(
            f"Never sold: {', '.join(never[:10])}{' …' if len(never) > 10 else ''}. Without a prior there is no "
            "estimate for them; leave them out, or fit with a prior."
        )


def require_identified(likelihood: Likelihood, names: list[str]) -> None:
    """Refuse columns of which some combination never varies between the products on offer.

    Parameters
    ----------
    likelihood
        Of the parameters to fit.
    names
        (M,) of the parameters.

    Raises
    ------
    DemandError
        Collinear columns, each named.
    """
    parts = Coefficients.zeros(likelihood.layout.shapes)
    found = curvature(likelihood, parts, SHARED)
    found = found.at(np.setdiff1d(found.positions, likelihood.layout.first_product()))
    scale = np.sqrt(np.maximum(np.diag(found.hessian), 0.0))
    nothing = scale <= _NULL * scale.max(initial=1.0)
    correlation = found.hessian / np.outer(np.where(nothing, 1.0, scale), np.where(nothing, 1.0, scale))
    values, vectors = np.linalg.eigh(correlation)
    loose = (vectors[:, values < _NULL * len(values)] ** 2).sum(axis=1) > _SHARE**2
    if loose.any():
        columns = [names[position] for position in found.positions[loose]]
        raise DemandError(
            f"The data cannot tell apart: {', '.join(columns[:12])}{' …' if len(columns) > 12 else ''} (some "
            "combination of them is the same for all products on offer). Leave some out, or fit with a prior."
        )


def warn_of_boundless(table: pd.DataFrame, spread: Mapping[str, float]) -> tuple[str, ...]:
    """Name coefficients that the data would move without end, as nobody ever chose otherwise (perfect separation).

    Parameters
    ----------
    table
        Coefficients with errors.
    spread
        Standard deviation of the covariates; what is not named has one of 1.
    """
    scale = table["term"].map(lambda term: spread.get(term, 1.0))
    terms = list(table["term"][table["standard_error_unclustered"] * scale > _BOUNDLESS])
    if not terms:
        return ()
    message = (
        f"Perfect separation: {', '.join(terms[:10])}{' …' if len(terms) > 10 else ''} grow without bound, as some "
        "products were always, or never, chosen there. Their values mean nothing; fit with a prior."
    )
    warnings.warn(message, AssortmentWarning, stacklevel=5)
    return (message,)
