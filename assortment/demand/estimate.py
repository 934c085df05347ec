"""Penalised maximum likelihood by L-BFGS, in coordinates in which the problem is nearly round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from assortment.demand.arrays import Floats
from assortment.demand.likelihood import Layout, Likelihood
from assortment.demand.prior import Prior
from assortment.errors import DemandError

_ITERATIONS = 500
_MEMORY = 20
_TOLERANCE = 1e-4
_FAILED = 1e-2


@dataclass(frozen=True)
class Estimate:
    """Where the penalised likelihood is largest.

    Parameters
    ----------
    vector
        (M,) parameters.
    value
        Minus the penalised log-likelihood there.
    """

    vector: Floats
    value: float


def precisions(layout: Layout, prior: Prior, demographic: float, *, has_price: bool) -> Floats:
    """Return (M,) 1 / variance of each parameter's prior."""
    deviations = np.empty(layout.size)
    deviations[layout.position("attribute")] = prior.attribute
    deviations[layout.position("product")] = prior.product
    deviations[layout.position("demographic")] = demographic
    covariates = np.full(layout.covariates, prior.promotion)
    if has_price:
        covariates[0] = prior.price
    deviations[layout.position("covariate")] = covariates
    return 1.0 / deviations**2


def rounding_shape(curvature: Floats, precision: Floats) -> Floats:
    """Return (M, M) coordinates in which the penalised likelihood is nearly round.

    Parameters
    ----------
    curvature
        (M, M), Hessian of minus the log-likelihood near the optimum, or of similar data.
    precision
        (M,), of the priors.
    """
    shape: Floats = np.linalg.inv(np.linalg.cholesky(curvature + np.diag(precision)))
    return shape


def maximise(likelihood: Likelihood, precision: Floats, start: Floats, shape: Floats) -> Estimate:
    """Find the parameters at which likelihood times prior is largest.

    Parameters
    ----------
    likelihood
        The data.
    precision
        (M,), of the Gaussian priors with mean zero.
    start
        (M,), where the search begins.
    shape
        (M, M), from ``rounding_shape``; it steers the steps, not the result.

    Raises
    ------
    DemandError
        The search ends without an optimum.
    """

    def at(step: Floats) -> Floats:
        vector: Floats = start + shape.T @ step
        return vector

    def negative(step: Floats) -> tuple[float, Floats]:
        vector = at(step)
        value, gradient = likelihood.value_and_gradient(vector)
        value += 0.5 * float((precision * vector**2).sum())
        return value - reference, shape @ (gradient + precision * vector)

    # Measured from the start, the value keeps the digits in which the optimum is found.
    reference = 0.0
    reference, _ = negative(np.zeros_like(start))
    options = {"maxiter": _ITERATIONS, "maxcor": _MEMORY, "gtol": _TOLERANCE, "ftol": 0.0}
    found = minimize(negative, np.zeros_like(start), jac=True, method="L-BFGS-B", options=options)
    # Rounding may end the search just short of the tolerance; in these coordinates the unit is a standard error.
    if float(np.abs(found.jac).max()) > _FAILED:
        raise DemandError("The fit did not converge; check prices and units for extreme values.")
    return Estimate(at(found.x), float(found.fun) + reference)
