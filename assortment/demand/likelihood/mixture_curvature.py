"""The expected Hessian of a mixture in the parameters that all stores share, store by store.

As in ``curvature``, but the local parameters of a store are the constants and slopes of each class and the log odds of
the classes. Of what was bought, not by whom, a state with n units tells n Σ (∂P)(∂P)ᵀ / P, which is never indefinite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Floats, Ints
from assortment.demand.likelihood.curvature import SHARED, Curvature, batches, curvature, owns
from assortment.demand.likelihood.layout import CLASSES, Coefficients, Layout
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.mixture import MixtureLikelihood, Told
from assortment.demand.likelihood.terms import Sums, Terms

SHARED_BY_CLASSES = (*SHARED, *CLASSES, "loyalty")
"""The shared parts, whatever kind of classes there are."""
_MOST_LOCAL = 700
_WORK = 2e9  # multiplications where the Hessian only steers


def curvature_of(
    likelihood: Likelihood,
    parts: Coefficients,
    free: tuple[str, ...],
    *,
    store_precision: Floats | None = None,
    witnesses: int | None = None,
) -> Curvature:
    """Return the curvature in the shared parameters, of one class or of several; see ``curvature``.

    Parameters
    ----------
    likelihood, parts, free, store_precision
        As there.
    witnesses
        As there; of several classes all stores are looked at, but not all of their states. ``None``: all.
    """
    wanted = [name for name in (*SHARED, *CLASSES) if name in free and name in likelihood.layout.free]
    if not isinstance(likelihood, MixtureLikelihood) or not wanted:
        return curvature(likelihood, parts, free, store_precision=store_precision, witnesses=witnesses)
    local = Local.of(likelihood.terms, with_products="covariate_product" in free)
    if local.size > _MOST_LOCAL:
        return curvature(likelihood, parts, free, store_precision=store_precision, witnesses=witnesses)
    return _curvature(likelihood, parts, local, wanted, store_precision, exact=witnesses is None)


@dataclass(frozen=True)
class Local:
    """The local parameters: constants (K N) and slopes (K C) by class, slopes by product (C N or none), log odds (K).

    Parameters
    ----------
    classes, products, covariates, special
        K, N, C, and C again where products have slopes of their own.
    """

    classes: int
    products: int
    covariates: int
    special: int

    @classmethod
    def of(cls, terms: Terms, *, with_products: bool) -> Local:
        C, N = terms.centre.shape
        return cls(terms.classes, N, C, C if with_products else 0)

    @property
    def ends(self) -> Ints:
        """Where constants, slopes by class and slopes by product end."""
        K, N = self.classes, self.products
        return np.cumsum([K * N, K * self.covariates, self.special * N])

    @property
    def size(self) -> int:
        return int(self.ends[-1]) + self.classes

    def values(self, terms: Terms, parts: Coefficients) -> Floats:
        """Return the (S, size) local parameters of the stores, but for their own effects."""
        S = len(terms.demographics)
        common = terms.base(parts.without("store")) - (parts.covariate_product * terms.centre).sum(axis=0)
        own = parts.class_attribute @ terms.attributes.T + parts.class_product
        slopes = terms.slopes(parts).T[:, None, :] + parts.class_covariate
        special = np.broadcast_to(parts.covariate_product[: self.special].ravel(), (S, self.special * self.products))
        odds = parts.mix + terms.demographics @ parts.mix_demographic.T
        return np.hstack([(common[:, None, :] + own).reshape(S, -1), slopes.reshape(S, -1), special, odds])

    def derivative(self, terms: Terms, values: Floats) -> Coefficients:
        """Return the transpose of ``values``."""
        S, (one, two, three) = len(values), self.ends
        constants = values[:, :one].reshape(S, self.classes, self.products)
        slopes = values[:, one:two].reshape(S, self.classes, self.covariates)
        empty = Sums.zeros(terms.shapes)
        special = values[:, two:three].sum(axis=0).reshape(self.special, self.products)
        sums = replace(
            empty,
            group=constants.sum(axis=1),
            covariate=special if self.special else empty.covariate,
            slope=slopes.sum(axis=1).T,
        )
        product, odds = constants.sum(axis=0), values[:, three:]
        return replace(
            terms.derivative(sums).without("store"),
            class_attribute=product @ terms.attributes,
            class_product=product,
            class_covariate=slopes.sum(axis=0),
            mix=odds.sum(axis=0),
            mix_demographic=odds.T @ terms.demographics,
        )

    def moves(self, terms: Terms, name: str) -> Floats:
        """How the local parameters move with those of a part, (size, …), those of a demographic for one of it."""
        K, N, C = self.classes, self.products, self.covariates
        one, two, three = self.ends
        A, same = terms.attributes, np.ones((K, 1))
        moved = {
            "attribute": (0, one, np.kron(same, A)),
            "product": (0, one, np.kron(same, np.eye(N))),
            "covariate": (one, two, np.kron(same, np.eye(C))),
            "class_attribute": (0, one, np.kron(np.eye(K), A)),
            "class_product": (0, one, np.eye(K * N)),
            "class_covariate": (one, two, np.eye(K * C)),
            "mix": (three, self.size, np.eye(K)),
        }
        if name == "covariate_product":
            found = np.zeros((self.size, C * N))
            found[two:three] = np.eye(C * N)
            found[:one] = np.hstack([np.zeros((K * N, 0)), *(-np.kron(same, np.diag(row)) for row in terms.centre)])
            return found
        start, end, block = moved[_WITHOUT_DEMOGRAPHIC.get(name, name)]
        found = np.zeros((self.size, block.shape[1]))
        found[start:end] = block
        return found


_WITHOUT_DEMOGRAPHIC = {
    "demographic": "attribute",
    "demographic_product": "product",
    "covariate_demographic": "covariate",
    "mix_demographic": "mix",
}


def _curvature(
    likelihood: MixtureLikelihood,
    parts: Coefficients,
    local: Local,
    wanted: list[str],
    store_precision: Floats | None,
    *,
    exact: bool,
) -> Curvature:
    terms, layout = likelihood.terms, likelihood.layout
    Z1 = np.column_stack([np.ones(len(terms.demographics)), terms.demographics])
    D1, L = Z1.shape[1], local.size
    sums, slopes = np.zeros((D1 * D1, L * L)), np.zeros((len(Z1), L))
    every = 1 if exact else 1 + int(_least_stride(likelihood, local))
    answer = np.zeros((len(Z1) if store_precision is not None else 0, local.products, L))
    told, change = likelihood.told(parts), likelihood.slopes(parts)
    for batch in batches(likelihood.choices.group):
        found = np.empty((len(batch), L, L))
        for i, (s, states) in enumerate(batch):
            found[i] = _of_states(likelihood, told, local, states, every)
            if exact:
                slopes[s] = _slope(likelihood, change, local, states)
            if store_precision is not None and owns(terms, s):
                found[i], answer[s] = _integrated(found[i], local, store_precision)
        z = Z1[[s for s, _ in batch]]
        sums += np.einsum("sa,sb->abs", z, z).reshape(D1 * D1, -1) @ found.reshape(len(batch), -1)
    positions, moves, kinds = _moving(terms, layout, local, wanted)
    by_pair = sums.reshape(D1, D1, L, L)
    hessian = np.block([[moves[a].T @ by_pair[a, b] @ moves[b] for b in kinds] for a in kinds])
    scores = np.hstack([(slopes * Z1[:, [a]]) @ moves[a] for a in kinds])
    order = np.argsort(positions)
    return Curvature(positions[order], hessian[np.ix_(order, order)], scores[:, order], answer)


def _least_stride(likelihood: MixtureLikelihood, local: Local) -> float:
    """So that every so-manieth state keeps the work within bounds."""
    return len(likelihood.units) * local.products * float(local.size) ** 2 / _WORK


def _moving(terms: Terms, layout: Layout, local: Local, wanted: list[str]) -> tuple[Ints, dict[int, Floats], list[int]]:
    """Positions of the parameters wanted, how the local ones move with them, and the kinds that there are.

    Kind 0 moves all stores alike, kind d as demographic d.
    """
    places = layout.places()
    alike = [name for name in wanted if name not in _WITHOUT_DEMOGRAPHIC]
    special = [name for name in wanted if name in _WITHOUT_DEMOGRAPHIC]
    where: dict[int, list[Floats]] = {0: [getattr(places, name).ravel() for name in alike]}
    for name in special:
        own = getattr(places, name)
        for d, place in enumerate(own.T if name in ("covariate_demographic", "mix_demographic") else own):
            where.setdefault(d + 1, []).append(place)
    moved = [local.moves(terms, name) for name in alike]
    drifts = [local.moves(terms, name) for name in special]
    moves = {kind: np.hstack(drifts if kind else [np.zeros((local.size, 0)), *moved]) for kind in where}
    kinds = sorted(where)
    positions = np.concatenate([np.zeros(0), *(place for kind in kinds for place in where[kind])]).astype(np.intp)
    return positions, moves, kinds


def _of_states(
    likelihood: MixtureLikelihood, told: Callable[[Ints], Told], local: Local, states: Ints, every: int
) -> Floats:
    """Hessian in the local parameters, from every so-manieth of some states."""
    N = local.products
    one, two, three = local.ends
    some = states[::every]
    seen, x = told(some), likelihood.choices.covariates[:, some]
    J = np.empty((len(some), N, local.size))
    J[:, :, :one] = seen.constants.reshape(len(some), N, -1)
    J[:, :, one:two] = np.einsum("tjki,cti->tjkc", seen.constants, x).reshape(len(some), N, -1)
    common = seen.constants.sum(axis=2)
    special = common[:, :, None, :] * x[: local.special].transpose(1, 0, 2)[:, None]
    J[:, :, two:three] = special.reshape(len(some), N, -1)
    J[:, :, three:] = seen.odds
    flat = J.reshape(-1, local.size)
    hessian: Floats = flat.T @ flat * (len(states) / len(some))
    return hessian


def _slope(
    likelihood: MixtureLikelihood, slopes: Callable[[Ints], tuple[Floats, Floats]], local: Local, states: Ints
) -> Floats:
    """Gradient of some states in the local parameters."""
    change, odds = slopes(states)
    x = likelihood.choices.covariates[:, states]
    by_class = np.einsum("ktn,ctn->kc", change, x)
    by_product = np.einsum("ktn,ctn->cn", change, x[: local.special])
    return np.concatenate([change.sum(axis=1).ravel(), by_class.ravel(), by_product.ravel(), odds.sum(axis=1)])


def _integrated(hessian: Floats, local: Local, precision: Floats) -> tuple[Floats, Floats]:
    """The local Hessian when the constants of the store, common to all classes, may stray with this precision.

    With it the (N, L) share of a change that the store's constants take back.
    """
    K, N = local.classes, local.products
    across = hessian[:, : K * N].reshape(-1, K, N).sum(axis=1)
    inner = across[: K * N].reshape(K, N, N).sum(axis=0) + precision
    answer = np.linalg.solve(inner, across.T)
    return hessian - across @ answer, answer
