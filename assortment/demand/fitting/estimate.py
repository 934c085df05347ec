"""Penalised maximum likelihood by L-BFGS, in coordinates in which the problem is nearly round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.lapack import dtrtri
from scipy.optimize import minimize

from assortment.demand.arrays import Floats, Ints
from assortment.demand.fitting.effects import Effects
from assortment.demand.fitting.precision import Precision
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.mixture_curvature import SHARED_BY_CLASSES, Local, curvature_of
from assortment.demand.likelihood.terms import Sums
from assortment.errors import DemandError

_ITERATIONS = 500
_MEMORY = 20
_FAILED = 1e-1
_WITNESSES = 150
"""Stores that are enough to tell which coordinates are round."""
_NEAR = 1e-2
STAGES = (15, 20, 25, 30, *(40,) * 12)
"""Iterations between new coordinates where a likelihood is round in none for long."""
_DENSE = 800
"""Most parameters that share one dense block of coordinates."""
_MANY = ("covariate_product", "demographic_product", "covariate_demographic", "demographic")
"""What leaves the dense block, in this order, when there are more."""


@dataclass(frozen=True)
class Estimate:
    """Where the penalised likelihood is largest.

    Parameters
    ----------
    vector
        (M,) parameters.
    value
        Minus the penalised log-likelihood there.
    slope
        Largest slope there, the unit of a coordinate being a standard error.
    """

    vector: Floats
    value: float
    slope: float


@dataclass(frozen=True)
class Coordinates:
    """Coordinates in which the penalised likelihood is nearly round; their unit is a standard error.

    The parameters that all stores share are turned by the Cholesky factor of their Hessian, effects of stores and time
    group by group, the rest is scaled one by one. A store effect is measured from where the data would put it as the
    shared parameters move: what the store's own sales tell against a change of the chain is taken back by its effect.

    Parameters
    ----------
    likelihood
        Whose parameters these are.
    positions, turn
        (m,) and (m, m), of the shared parameters: a step y changes them by turnᵀ y.
    scale
        (M,) of those that are neither; 0 for parameters that stay where they are.
    effects
        Curvature of the store, period and week effects, so far as they are free.
    typical
        (C, S, N), mean covariates of each store.
    answer
        (S, N, L), what store effects take back of the local parameters of a mixture; empty for one class.
    local
        Those local parameters, or ``None``.
    """

    likelihood: Likelihood
    positions: Ints
    turn: Floats
    scale: Floats
    effects: dict[str, Effects]
    typical: Floats
    answer: Floats
    local: Local | None

    @classmethod
    def of(
        cls, likelihood: Likelihood, parts: Coefficients, precision: Precision, *, fixed: Ints | None = None
    ) -> Coordinates:
        """Return the coordinates that are round near ``parts``.

        Parameters
        ----------
        likelihood
            The data.
        parts
            Near the optimum, or of similar data.
        precision
            Of the priors.
        fixed
            Parameters that stay where they are.
        """
        layout = likelihood.layout
        expected, typical = likelihood.expected(parts)
        effects: dict[str, Effects] = {
            name: Effects(getattr(expected, name), float(precision.diagonal[layout.position(name)][0]))
            for name in ("store", "period", "week")
            if name in layout.free
        }
        if "store" in effects:
            effects["store"] = replace(effects["store"], kin=precision.kin)
        shared = curvature_of(
            likelihood, parts, _shared(likelihood), store_precision=precision.of_store(), witnesses=_WITNESSES
        )
        own = 1.0 / effects["store"].precision if "store" in effects else 0.0
        information = likelihood.information(parts, store_variance=own)
        scale = 1.0 / np.sqrt(np.maximum(layout.join(information) + precision.diagonal, 1e-12))
        if fixed is not None:
            scale[fixed] = 0.0
            shared = shared.at(np.setdiff1d(shared.positions, fixed))
        hessian = shared.hessian + np.diag(precision.diagonal[shared.positions])
        turn = dtrtri(np.linalg.cholesky(hessian), lower=1)[0] if len(hessian) else hessian
        local = None
        if shared.answer.size:
            local = Local.of(likelihood.terms, with_products="covariate_product" in _shared(likelihood))
        return cls(likelihood, shared.positions, turn, scale, effects, typical, shared.answer, local)

    def seeing(self, groups: Ints) -> Coordinates:
        """Return the coordinates of a fit that sees only some of the stores."""
        if "store" not in self.effects:
            return self
        store = self.effects["store"]
        seen = np.isin(np.arange(len(store.expected)), groups)[:, None]
        only = replace(store, expected=np.where(seen, store.expected, 0.0))
        answer = np.where(seen[:, :, None], self.answer, 0.0) if self.answer.size else self.answer
        return replace(self, effects={**self.effects, "store": only}, answer=answer)

    def change(self, step: Floats) -> Floats:
        """Return the (M,) change of the parameters for a step in these coordinates."""
        layout = self.likelihood.layout
        vector = self.scale * step
        vector[self.positions] = self.turn.T @ step[self.positions]
        for name, effect in self.effects.items():
            place = layout.position(name)
            vector[place] = effect.root(step[place].reshape(layout.shapes[name])).ravel()
        if "store" in self.effects:
            vector[layout.position("store")] -= self._answered(layout.split(vector)).ravel()
        return vector

    def gradient(self, gradient: Floats) -> Floats:
        """Return the gradient in these coordinates from that in the parameters."""
        layout = self.likelihood.layout
        if "store" in self.effects:
            store = gradient[layout.position("store")].reshape(layout.shapes["store"])
            gradient = gradient - layout.join(self._answering(store))
        step = self.scale * gradient
        step[self.positions] = self.turn @ gradient[self.positions]
        for name, effect in self.effects.items():
            place = layout.position(name)
            step[place] = effect.transposed_root(gradient[place].reshape(layout.shapes[name])).ravel()
        return step

    def _answered(self, parts: Coefficients) -> Floats:
        """What the (S, N) store effects take back of a change of the shared parameters."""
        if self.local is None:
            moved, effect = self._moved(parts), self.effects["store"]
            return moved - effect.inverse(effect.pulled(moved))
        answered: Floats = np.einsum("snl,sl->sn", self.answer, self.local.values(self.likelihood.terms, parts))
        return answered

    def _answering(self, store: Floats) -> Coefficients:
        """The transpose of ``_answered``."""
        if self.local is None:
            effect = self.effects["store"]
            return self._moving(store - effect.pulled(effect.inverse(store)))
        return self.local.derivative(self.likelihood.terms, np.einsum("snl,sn->sl", self.answer, store))

    def _moved(self, parts: Coefficients) -> Floats:
        """Change of the (S, N) mean utilities as the shared parameters change."""
        terms = self.likelihood.terms
        total: Floats = terms.base(parts.without("store")) - (parts.covariate_product * terms.centre).sum(axis=0)
        for slope, special, typical in zip(terms.slopes(parts), parts.covariate_product, self.typical, strict=True):
            total += (slope[:, None] + special) * typical
        return total

    def _moving(self, utilities: Floats) -> Coefficients:
        """The transpose of ``_moved``."""
        empty = Sums.zeros(self.likelihood.terms.shapes)
        by_covariate = self.typical * utilities
        sums = Sums(utilities, empty.period, empty.week, by_covariate.sum(axis=1), by_covariate.sum(axis=2))
        return self.likelihood.terms.derivative(sums).without("store")


def _shared(likelihood: Likelihood) -> tuple[str, ...]:
    """The shared parts that are few enough for one dense block."""
    layout = likelihood.layout
    parts = [name for name in SHARED_BY_CLASSES if name in layout.free]
    for name in _MANY:
        if sum(int(np.prod(layout.shapes[part])) for part in parts) > _DENSE and name in parts:
            parts.remove(name)
    return tuple(parts)


def maximise(
    likelihood: Likelihood,
    precision: Precision,
    start: Floats,
    coordinates: Coordinates,
    *,
    tolerance: float = 1e-3,
    iterations: int | None = None,
) -> Estimate:
    """Find the parameters at which likelihood times prior is largest.

    Parameters
    ----------
    likelihood
        The data.
    precision
        Of the Gaussian priors with mean zero.
    start
        (M,), where the search begins.
    coordinates
        They steer the steps, not the result.
    tolerance
        Largest slope at the end, the unit of a coordinate being a standard error.
    iterations
        Where to stop short of the optimum; ``None``: it has to be reached.

    Raises
    ------
    DemandError
        The search ends without an optimum.
    """

    def negative(step: Floats) -> tuple[float, Floats]:
        vector = start + coordinates.change(step)
        value, gradient = likelihood.value_and_gradient(vector)
        value += precision.penalty(vector)
        return value - reference, coordinates.gradient(gradient + precision.times(vector))

    # Measured from the start, the value keeps the digits in which the optimum is found.
    reference = 0.0
    reference, _ = negative(np.zeros_like(start))
    options = {"maxiter": iterations or _ITERATIONS, "maxcor": _MEMORY, "gtol": tolerance, "ftol": 0.0}
    found = minimize(negative, np.zeros_like(start), jac=True, method="L-BFGS-B", options=options)
    # Rounding may end the search just short of the tolerance.
    slope = float(np.abs(found.jac).max(initial=0.0))
    if iterations is None and slope > max(_FAILED, 10 * tolerance):
        raise DemandError("The fit did not converge; check prices and units for extreme values.")
    return Estimate(start + coordinates.change(found.x), float(found.fun) + reference, slope)


def maximise_in_stages(
    likelihood: Likelihood,
    precision: Precision,
    start: Floats,
    *,
    enough: float,
    steps: Sequence[int] = STAGES,
    first: Coordinates | None = None,
) -> Estimate:
    """Find the optimum of a likelihood that is round in no coordinates for long, as that of a mixture.

    Parameters
    ----------
    likelihood, precision, start
        As for ``maximise``.
    enough
        The search ends when new coordinates gain less than this, in units of the log-likelihood: chance brings more.
    steps
        Iterations after each of which the coordinates are made anew.
    first
        Coordinates of similar data, to begin with.

    Raises
    ------
    DemandError
        The search ends without an optimum, and ``steps`` are not given.
    """
    found = Estimate(start, np.inf, np.inf)
    for stage, iterations in enumerate(steps):
        before = found.value
        near = first if first is not None and stage == 0 else None
        near = near or Coordinates.of(likelihood, likelihood.parts(found.vector), precision)
        near = replace(near, likelihood=likelihood)
        found = maximise(likelihood, precision, found.vector, near, tolerance=_NEAR, iterations=iterations)
        if found.slope <= _NEAR or before - found.value < enough:
            return found
    if steps is STAGES:
        raise DemandError("The fit did not converge; use fewer classes of shoppers.")
    return found
