"""``Estimate``: the parameters at which trips are likeliest, which of them trips determine, and their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import eigh
from scipy.special import chdtri

from assortment.geo.arrays import BoolArray, FloatArray
from assortment.geo.calibration.likelihood import Likelihood, Optimum, Point, Prediction, maximise

ALIKE = 1e-4
"""Spread of the log of attractiveness, or of distance within a home, below which all are the same."""
HELD = {"alpha": 1.0, "decay": 2.0}
"""Values of parameters that cannot be estimated: the defaults of ``huff``."""
_FLAT = 1e-7
"""Information as part of that when all stores are alike: less, and the likelihood rises without end."""
_DISPERSED = 2.0
"""Flows that vary this many times more than chance make robust errors the ones to use."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Parameters of Huff's model, P = 2G: α of each group, then λ of each.

    Attributes
    ----------
    optimum, equal
        Where the likelihood is greatest, and the likelihood if all stores were alike.
    prediction
        What the parameters say of the trips.
    held, lost
        Parameters that stores and homes do not determine, and those on their way to infinity, shape (P,).
    model, robust
        Covariances by the information and by the sandwich, shape (P, P); NaN for parameters held or lost, and where
        there are fewer clusters than parameters.
    clusters
        Number of clusters that the sandwich rests on.
    dispersion, dispersed
        Variance of the flows as a multiple of chance's, NaN where that cannot be told; whether it is too much.
    """

    optimum: Optimum
    equal: Point
    prediction: Prediction
    held: BoolArray
    lost: BoolArray
    model: FloatArray
    robust: FloatArray
    clusters: int
    dispersion: float
    dispersed: bool
    weighted: bool

    @classmethod
    def of(cls, likelihood: Likelihood) -> Estimate:
        """Maximise the likelihood over what the stores and homes determine."""
        trips, groups = likelihood.trips, likelihood.groups
        equal = likelihood.at(np.zeros(2 * groups))
        free = _determined(equal.information, trips.observations)
        if np.ptp(likelihood.log_attractiveness) < ALIKE:
            free[:groups] = False  # even where its powers could stand for the levels of the groups
        start = np.where(free, 0.0, np.repeat(list(HELD.values()), groups))
        optimum = maximise(likelihood, start, free, flat=equal.information)
        lost = _adrift(optimum, equal.information)
        prediction = likelihood.prediction(optimum.theta)
        model, robust, clusters = _covariances(likelihood, optimum, free & ~lost)
        dispersion, dispersed = (np.nan, False)
        if trips.source == "flows" and not lost.any():  # where a parameter was stopped, the fit is not the best
            dispersion, dispersed = _dispersion(prediction, int(free.sum()))
        return cls(
            optimum=optimum,
            equal=equal,
            prediction=prediction,
            held=~free,
            lost=lost,
            model=model,
            robust=robust,
            clusters=clusters,
            dispersion=dispersion,
            dispersed=dispersed,
            weighted=trips.weighted,
        )

    @property
    def theta(self) -> FloatArray:
        """The parameters, shape (P,)."""
        return self.optimum.theta

    @property
    def known(self) -> BoolArray:
        """Which were estimated and have errors, shape (P,)."""
        return ~self.held & ~self.lost

    @property
    def used(self) -> Literal["model", "robust"]:
        """Which errors the intervals rest on."""
        wanted = self.weighted or self.dispersed
        return "robust" if wanted and np.isfinite(self.robust[np.ix_(self.known, self.known)]).all() else "model"

    @property
    def errors(self) -> FloatArray:
        """Those errors, shape (P,)."""
        covariance = self.robust if self.used == "robust" else self.model
        return np.asarray(np.sqrt(np.diag(covariance)), dtype=np.float64)

    @property
    def correlation(self) -> FloatArray:
        """Of the estimates, shape (P, P)."""
        covariance = self.robust if self.used == "robust" else self.model
        return np.asarray(covariance / np.outer(self.errors, self.errors), dtype=np.float64)


def _determined(flat: FloatArray, trips: float) -> BoolArray:
    """Which parameters stores and homes can tell from those before them, λ being first, shape (P,)."""
    groups = len(flat) // 2
    free = np.zeros(len(flat), dtype=np.bool_)
    for row in (*range(groups, 2 * groups), *range(groups)):
        across = flat[row, free]
        rest = flat[row, row]
        if free.any():
            rest -= across @ np.linalg.lstsq(flat[np.ix_(free, free)], across, rcond=None)[0]
        free[row] = rest > ALIKE**2 * trips
    return free


def _adrift(optimum: Optimum, flat: FloatArray) -> BoolArray:
    """Which parameters are on their way to infinity, shape (P,): the likelihood is flat along them."""
    lost, free = optimum.stopped.copy(), np.flatnonzero(optimum.free)
    if free.size:
        at_equal = flat[np.ix_(free, free)]
        ratio, direction = eigh(optimum.point.information[np.ix_(free, free)], at_equal)
        for along in direction.T[ratio < _FLAT]:
            size = np.abs(along) * np.sqrt(np.diag(at_equal))
            lost[free[size > 0.3 * size.max()]] = True
    return lost


def _dispersion(prediction: Prediction, parameters: int) -> tuple[float, bool]:
    """The variance of the flows as a multiple of chance's, and whether it is more than an accident."""
    degrees = prediction.cells - parameters
    if degrees < 1:
        return np.nan, False
    ratio = prediction.pearson / degrees
    return ratio, bool(ratio > max(_DISPERSED, chdtri(degrees, 0.001) / degrees))


def _covariances(likelihood: Likelihood, optimum: Optimum, free: BoolArray) -> tuple[FloatArray, FloatArray, int]:
    """By the information and by the sandwich, shape (P, P) with NaN where not free, and the number of clusters."""
    scatter, clusters = likelihood.scatter(optimum.theta)
    model, robust = np.full_like(scatter, np.nan), np.full_like(scatter, np.nan)
    inner = np.ix_(free, free)
    if free.any():
        information = optimum.point.information[inner]
        unit = np.outer(np.sqrt(np.diag(information)), np.sqrt(np.diag(information)))
        model[inner] = np.linalg.inv(information / unit) / unit
        if clusters > free.sum():  # fewer scores than parameters do not span them
            robust[inner] = model[inner] @ scatter[inner] @ model[inner] * clusters / (clusters - 1)
    return model, robust, clusters
