"""The Hessian of the likelihood in the parameters that all stores share, store by store.

Within a store the utility depends on its N constants and on the slopes of the covariates by product, (1 + C) N local
parameters; what demographics do is the same map for every store, times the store's demographics. So each store gives
one local Hessian, and the whole is put together from their sums. Store effects are integrated out where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.linalg import solve_triangular

from assortment.demand.arrays import Floats, Ints
from assortment.demand.likelihood.layout import LOYAL, Coefficients, Layout
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.loyalty import LoyalLikelihood
from assortment.demand.likelihood.loyalty_curvature import alone, local_of_loyal
from assortment.demand.likelihood.terms import Terms

_TOGETHER = 32  # stores

SHARED = (
    "attribute",
    "product",
    "demographic",
    "demographic_product",
    "covariate",
    "covariate_product",
    "covariate_demographic",
)
"""The parts that all stores share, but for those of time, which are taken as known here."""


@dataclass(frozen=True)
class Curvature:
    """Second derivatives of minus the log-likelihood in the m shared parameters.

    Parameters
    ----------
    positions
        (m,), where they stand in the vector.
    hessian
        (m, m), store effects integrated out.
    scores
        (S, m), derivative of each store's part of minus the log-likelihood.
    answer
        (S, N, L), what the store effects take back of a change of the local parameters; empty where it is not known.
    """

    positions: Ints
    hessian: Floats
    scores: Floats
    answer: Floats = field(default_factory=lambda: np.zeros((0, 0, 0)))

    def at(self, positions: Ints) -> Curvature:
        """Return the rows and columns of some of the positions; the other parameters are taken as known."""
        rows = np.flatnonzero(np.isin(self.positions, positions))
        return Curvature(self.positions[rows], self.hessian[np.ix_(rows, rows)], self.scores[:, rows], self.answer)


def curvature(
    likelihood: Likelihood,
    parts: Coefficients,
    free: tuple[str, ...],
    *,
    store_precision: Floats | None = None,
    witnesses: int | None = None,
) -> Curvature:
    """Return the curvature in the shared parameters.

    Parameters
    ----------
    likelihood
        The data.
    parts
        Where to take the derivatives.
    free
        The parts wanted; all others are taken as known, and those of time always are.
    store_precision
        (N, N), inverse covariance of a store's effects; ``None`` where there are none.
    witnesses
        Most stores to look at, which then speak for all; the scores are those of these stores. ``None``: all.
    """
    wanted = [name for name in (*SHARED, *LOYAL) if name in free and name in likelihood.layout.free]
    if not wanted:
        return Curvature(np.zeros(0, np.intp), np.zeros((0, 0)), np.zeros((len(likelihood.terms.demographics), 0)))
    with_products = "covariate_product" in wanted
    extra = 2 * likelihood.terms.classes if isinstance(likelihood, LoyalLikelihood) else 0
    common, special = _moves(likelihood.terms, with_products=with_products, extra=extra)
    Z1 = np.column_stack([np.ones(len(likelihood.terms.demographics)), likelihood.terms.demographics])
    head = Z1.shape[1] * common.shape[1]
    size = head + special.shape[1]
    hessian, scores = np.zeros((size, size)), np.zeros((len(Z1), size))
    local_of = (
        local_of_loyal(likelihood, parts, with_products=with_products)
        if isinstance(likelihood, LoyalLikelihood)
        else _local_of(likelihood, parts, with_products=with_products)
    )
    each = 1 if witnesses is None else max(1, len(Z1) // witnesses)
    for batch in batches(likelihood.choices.group, each):
        found = [local_of(states) for _, states in batch]
        z = Z1[[s for s, _ in batch]]
        reduced = [
            _integrated(local, len(likelihood.terms.attributes), store_precision if owns(likelihood.terms, s) else None)
            for (s, _), (local, _) in zip(batch, found, strict=True)
        ]
        half = [common.T @ local for local in reduced]
        hessian[:head, :head] += _spread_out(np.einsum("sd,se->sde", z, z), np.array([rows @ common for rows in half]))
        hessian[:head, head:] += _spread_out(z[:, :, None], np.array([rows @ special for rows in half]))
        hessian[head:, head:] += special.T @ (np.sum(reduced, axis=0) @ special)
        for (s, _), (_, slope) in zip(batch, found, strict=True):
            scores[s] = np.concatenate([np.kron(Z1[s], slope @ common), slope @ special])
    hessian[head:, :head] = hessian[:head, head:].T
    hessian *= each
    places = _places(likelihood.layout, with_products=with_products, with_classes=extra > 0)
    inside = np.concatenate([np.zeros(0, np.intp), *(_range(likelihood.layout, name) for name in wanted)])
    rows = np.flatnonzero(np.isin(places, inside))
    rows = rows[np.argsort(places[rows])]
    return Curvature(places[rows], hessian[np.ix_(rows, rows)], scores[:, rows])


def owns(terms: Terms, group: int) -> bool:
    """Whether a group has an effect of its own."""
    return terms.own is None or bool(terms.own[group])


def _spread_out(weights: Floats, blocks: Floats) -> Floats:
    """Sum over stores of the Kronecker products of (B, d, e) weights and (B, a, b) blocks: (d a, e b)."""
    (B, d, e), (_, a, b) = weights.shape, blocks.shape
    total = weights.reshape(B, d * e).T @ blocks.reshape(B, a * b)
    return total.reshape(d, e, a, b).transpose(0, 2, 1, 3).reshape(d * a, e * b)


def _moves(terms: Terms, *, with_products: bool, extra: int) -> tuple[sparse.csr_array, sparse.csr_array]:
    """How the local parameters (constants, then slopes by covariate) move with the shared ones; few of them do.

    Returns
    -------
    common
        With what demographics multiply: ((1 + C) N, Q + N + C), or (N + C, Q + N + C) when slopes by product are not
        wanted, so that each covariate has one local slope.
    special
        ((1 + C) N, C N), with the slopes by product, which turn at the centre of the covariate; or no columns. Then
        so many ``extra`` local parameters that are shared ones themselves.
    """
    A, centre = terms.attributes, terms.centre
    (N, Q), C = A.shape, len(centre)
    constants = np.hstack([A, np.eye(N), np.zeros((N, C))])
    slopes = np.kron(np.eye(C), np.ones((N if with_products else 1, 1)))
    common = np.vstack([constants, np.hstack([np.zeros((len(slopes), Q + N)), slopes])])
    special = np.zeros((len(common), 0))
    if with_products:
        special = np.vstack([np.hstack([np.zeros((N, 0)), *(-np.diag(row) for row in centre)]), np.eye(C * N)])
    common = np.vstack([common, np.zeros((extra, common.shape[1]))])
    return sparse.csr_array(common), sparse.csr_array(sparse.block_diag([special, np.eye(extra)]))


def _places(layout: Layout, *, with_products: bool, with_classes: bool) -> Ints:
    """Where the shared parameters stand in the vector, in the order of the Hessian as it is summed: for no demographic
    and then for each of them attributes, products and covariates; then the slopes by product, and what tells loyal
    classes apart."""
    places = layout.places()
    blocks = [places.attribute, places.product, places.covariate]
    for d in range(len(places.demographic)):
        blocks += [places.demographic[d], places.demographic_product[d], places.covariate_demographic[:, d]]
    if with_products:
        blocks.append(places.covariate_product.ravel())
    if with_classes:
        blocks += [places.loyalty, places.mix]
    return np.concatenate(blocks).astype(np.intp)


def _range(layout: Layout, name: str) -> Ints:
    return np.arange(layout.size, dtype=np.intp)[layout.position(name)]


def batches(group: Ints, each: int = 1) -> Iterator[list[tuple[int, Ints]]]:
    """Give each so-many-th group with its states, some at a time."""
    order = np.argsort(group, kind="stable")
    found, first = np.unique(group[order], return_index=True)
    pairs = [(int(s), states) for s, states in zip(found, np.split(order, first[1:]), strict=True)]
    for start in range(0, len(pairs), _TOGETHER * each):
        yield pairs[start : start + _TOGETHER * each : each]


def _local_of(
    likelihood: Likelihood, parts: Coefficients, *, with_products: bool
) -> Callable[[Ints], tuple[Floats, Floats]]:
    """A function of states: Hessian and gradient in the local parameters."""
    shares_of = likelihood.forecast(parts)
    return lambda states: _local(likelihood, shares_of(states)[0], states, with_products=with_products)


def _local(likelihood: Likelihood, shares: Floats, states: Ints, *, with_products: bool) -> tuple[Floats, Floats]:
    """Hessian and gradient of some states in the local parameters."""
    choices = likelihood.choices
    weight = likelihood.weight[states]
    units = (likelihood.units[states] * weight)[:, None]
    x = np.concatenate([np.ones((1, *shares.shape)), choices.covariates[:, states]])
    expected = shares * units
    slopes = np.einsum("tn,atn->an", expected - choices.counts[states] * weight[:, None], x)
    moved = shares * x
    if with_products:
        moved = moved.transpose(1, 0, 2).reshape(len(states), -1)
        return alone(expected, x, with_products=True) - (moved * units).T @ moved, slopes.ravel()
    moved = np.hstack([moved[0], moved[1:].sum(axis=2).T])
    hessian = alone(expected, x, with_products=False) - (moved * units).T @ moved
    return hessian, np.concatenate([slopes[0], slopes[1:].sum(axis=1)])


def _integrated(local: Floats, constants: int, store_precision: Floats | None) -> Floats:
    """The local Hessian when the constants of the store may stray with this precision."""
    if store_precision is None:
        return local
    inner = local[:constants, :constants] + store_precision
    half = solve_triangular(np.linalg.cholesky(inner), local[:constants], lower=True, check_finite=False)
    reduced: Floats = local - half.T @ half
    return reduced
