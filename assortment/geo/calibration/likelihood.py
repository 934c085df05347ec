"""The likelihood of trips under Huff's model, a conditional logit, and where it is greatest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from assortment.geo.areas import CELLS
from assortment.geo.arrays import BoolArray, FloatArray, IntArray
from assortment.geo.calibration.trips import Trips

SURE = 25.0
"""A parameter whose term varies by more than this within a home decides every choice: it is on its way to infinity."""
_CONVERGED = 1e-12
_STEPS = 100
_HALVINGS = 20


@dataclass(frozen=True)
class Point:
    """Log-likelihood at some parameters, its gradient, shape (P,), and the information (minus Hessian), (P, P)."""

    value: float
    gradient: FloatArray
    information: FloatArray


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What parameters say of the trips.

    Attributes
    ----------
    of_stores
        Expected trips to each store, shape (S,).
    right
        Share of the trips whose store is the likeliest one there; of k equally likely ones, 1 / k.
    nearest
        Share of the trips that go to the nearest store.
    pearson, cells
        Sum of (trips - expected)² / (expected (1 - p)) over pairs of origin and store with an expected trip or more,
        and their number.
    """

    of_stores: FloatArray
    right: float
    nearest: float
    pearson: float
    cells: int


@dataclass(frozen=True, kw_only=True)
class Likelihood:
    r"""Log-likelihood of trips to own stores.

    .. math:: \ell = \sum_{is} n_{is} \ln \frac{A_s^{\alpha_{g(s)}} d_{is}^{-\lambda_{g(s)}}}
                     {\sum_r A_r^{\alpha_{g(r)}} d_{ir}^{-\lambda_{g(r)}}}

    It is concave in the parameters (α of each group, then λ of each group), P = 2G of them. All pairs are gone through
    a chunk at a time.

    Parameters
    ----------
    trips
        n, from O origins to S stores.
    store_xy, log_attractiveness, group
        Coordinates, shape (S, 2), ln A and the group's number, shape (S,).
    groups
        G.
    floor_m
        Shorter distances count as this one.
    """

    trips: Trips
    store_xy: FloatArray
    log_attractiveness: FloatArray
    group: IntArray
    groups: int
    floor_m: float

    def at(self, theta: FloatArray) -> Point:
        """Return the log-likelihood and its derivatives at parameters of shape (P,)."""
        value = float(self._observed @ theta)
        gradient = self._observed.copy()
        information = np.zeros((len(theta), len(theta)))
        inner = np.zeros((3, len(self.group)))
        for part, nearness in self._parts():
            total = self._totals[part]
            log_sum, chance = self._chances(theta, nearness)
            value -= float(total @ log_sum)
            felt = chance * nearness
            mean = np.hstack([chance @ self._pulls, felt @ self._members])
            gradient -= total @ mean
            information -= mean.T @ (total[:, None] * mean)
            inner += total @ chance, total @ felt, total @ np.multiply(felt, nearness, out=felt)
        pull, both, near = (
            np.array([inner[0] * self.log_attractiveness**2, inner[1] * self.log_attractiveness, inner[2]])
            @ self._members
        )
        alpha, decay = np.arange(self.groups), np.arange(self.groups) + self.groups
        information[alpha, alpha] += pull
        information[alpha, decay] += both
        information[decay, alpha] += both
        information[decay, decay] += near
        return Point(value, gradient, information)

    def scatter(self, theta: FloatArray) -> tuple[FloatArray, int]:
        """Return the sum over the clusters of score times score, shape (P, P), and how many clusters there are."""
        pairs = self.trips.weight.tocoo()
        residual = self._terms(pairs.row, pairs.col) - self._means(theta)[pairs.row]
        if self.trips.clustered_by == "household":
            squared = self.trips.squared.tocoo().data
            return residual.T @ (squared[:, None] * residual), round(self.trips.observations)
        clusters, of_origin = np.unique(self.trips.cluster, return_inverse=True)
        members = csr_array((pairs.data, (of_origin[pairs.row], np.arange(len(pairs.data)))))
        scores = np.asarray(members @ residual)
        return scores.T @ scores, len(clusters)

    def prediction(self, theta: FloatArray) -> Prediction:
        """Return what parameters say of the trips."""
        of_stores, right, nearest, pearson, cells = np.zeros(len(self.group)), 0.0, 0.0, 0.0, 0
        for part, nearness in self._parts():
            _, chance = self._chances(theta, nearness)
            seen = self.trips.weight[part].toarray()
            expected = self._totals[part][:, None] * chance
            of_stores += expected.sum(axis=0)
            right += _at_best(chance, seen)
            nearest += _at_best(nearness, seen)
            told = (expected >= 1.0) & (chance < 1.0 - 1e-9)
            spread = expected[told] * (1.0 - chance[told])
            pearson += float(((seen[told] - expected[told]) ** 2 / spread).sum())
            cells += int(told.sum())
        total = self.trips.observations
        return Prediction(
            of_stores=of_stores, right=right / total, nearest=nearest / total, pearson=pearson, cells=cells
        )

    @cached_property
    def _members(self) -> FloatArray:
        """Which group each store is of, shape (S, G)."""
        return np.asarray(np.eye(self.groups)[self.group], dtype=np.float64)

    @cached_property
    def _pulls(self) -> FloatArray:
        """ln A in the column of its group, shape (S, G)."""
        return self._members * self.log_attractiveness[:, None]

    @cached_property
    def _totals(self) -> FloatArray:
        return np.asarray(self.trips.weight.sum(axis=1), dtype=np.float64)

    @cached_property
    def _observed(self) -> FloatArray:
        """Sum of the covariates of the stores chosen, shape (P,)."""
        pairs = self.trips.weight.tocoo()
        return np.asarray(pairs.data @ self._terms(pairs.row, pairs.col), dtype=np.float64)

    def _terms(self, origin: IntArray, store: IntArray) -> FloatArray:
        """Covariates of single pairs, shape (n, P)."""
        squared = ((self.trips.xy[origin] - self.store_xy[store]) ** 2).sum(axis=1)
        nearness = -0.5 * np.log(np.maximum(squared, self.floor_m**2))
        return np.hstack([self._pulls[store], self._members[store] * nearness[:, None]])

    def _means(self, theta: FloatArray) -> FloatArray:
        """Mean of the covariates over the stores, weighed by their chances, shape (O, P)."""
        means = np.empty((len(self._totals), len(theta)))
        for part, nearness in self._parts():
            _, chance = self._chances(theta, nearness)
            means[part, : self.groups] = chance @ self._pulls
            means[part, self.groups :] = np.multiply(chance, nearness, out=chance) @ self._members
        return means

    def _chances(self, theta: FloatArray, nearness: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log of the sum of the attractions, shape (n,), and the chance of each store, shape (n, S)."""
        chance = nearness * theta[self.groups :][self.group]
        chance += self._pulls @ theta[: self.groups]
        top = chance.max(axis=1)
        chance -= top[:, None]
        np.exp(chance, out=chance)
        total = chance.sum(axis=1)
        chance /= total[:, None]
        return top + np.log(total), chance

    def _parts(self) -> Iterator[tuple[slice, FloatArray]]:
        """Slices of the origins with minus the log of their distances, shape (n, S)."""
        size = max(1, CELLS // 4 // len(self.group))
        for first in range(0, len(self._totals), size):
            part = slice(first, first + size)
            x, y = self.trips.xy[part].T[:, :, None] - self.store_xy.T[:, None, :]
            np.multiply(x, x, out=x)
            np.multiply(y, y, out=y)
            squared: FloatArray = np.add(x, y, out=x)
            np.maximum(squared, self.floor_m**2, out=squared)
            np.log(squared, out=squared)
            squared *= -0.5
            yield part, squared


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """Where the likelihood is greatest.

    Attributes
    ----------
    theta, point
        Parameters, shape (P,), and the likelihood there.
    free
        Which were estimated: neither held from the start nor stopped on the way to infinity.
    stopped
        Which were stopped on the way to infinity.
    converged
        Whether the maximum over the others was reached.
    """

    theta: FloatArray
    point: Point
    free: BoolArray
    stopped: BoolArray
    converged: bool


def maximise(likelihood: Likelihood, start: FloatArray, free: BoolArray, *, flat: FloatArray) -> Optimum:
    """Find the greatest likelihood by Newton's method.

    Parameters
    ----------
    likelihood
        Concave.
    start, free
        Parameters to begin at, shape (P,), and which may move.
    flat
        Information where all stores are alike, shape (P, P), which gives the scale of each parameter. One on its way to
        infinity is stopped, and the maximum over the others sought.
    """
    theta, stopped, point = start.copy(), np.zeros(len(start), dtype=np.bool_), likelihood.at(start)
    scale = np.sqrt(np.maximum(np.diag(flat), 0.0) / likelihood.trips.observations)
    for _ in range(_STEPS):
        step = _newton(point, free & ~stopped, scale)
        there = likelihood.at(theta + step)
        if point.gradient @ step <= _CONVERGED * max(1.0, abs(point.value)):
            # Newton's last step, which squares the error, is too small for its gain to show in the likelihood.
            return Optimum(theta=theta + step, point=there, free=free & ~stopped, stopped=stopped, converged=True)
        halvings = 0
        while not there.value > point.value and halvings < _HALVINGS:
            step, halvings = step / 2.0, halvings + 1
            there = likelihood.at(theta + step)
        theta, point = theta + step, there
        stopped |= free & (np.abs(theta) * scale > SURE)
    return Optimum(theta=theta, point=point, free=free & ~stopped, stopped=stopped, converged=False)


def _newton(point: Point, free: BoolArray, scale: FloatArray) -> FloatArray:
    """The step to the top of the parabola, no longer than a fifth of the way to certainty, shape (P,)."""
    step = np.zeros(len(free))
    inner = point.information[np.ix_(free, free)]
    unit = np.sqrt(np.maximum(np.diag(inner), np.finfo(np.float64).tiny))
    step[free] = np.linalg.lstsq(inner / np.outer(unit, unit), point.gradient[free] / unit, rcond=1e-13)[0] / unit
    longest = float(np.max(np.abs(step) * scale, initial=0.0))
    return step * min(1.0, SURE / 5.0 / longest) if longest > 0.0 else step


def _at_best(score: FloatArray, seen: FloatArray) -> float:
    """Trips to the store of the highest score, shared among those that tie."""
    best = score >= score.max(axis=1, keepdims=True) - 1e-12
    return float((seen * best / best.sum(axis=1, keepdims=True)).sum())
