"""Kinship: a store that likes one product likes those that are like it.

The effects of a store are e = A f + ε: what it makes of attributes, with one variance D per attribute, and of each
product beyond them. The likelihood knows e alone, whose covariance is Σ = σ² + A D Aᵀ, so that f is never searched
for: it is what e tells of it, E[f | e] = D Aᵀ Σ⁻¹ e. A product that is new to a store inherits A f.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Floats, Ints

_WITNESSES = 300  # stores are enough to tell a variance
_TOGETHER = 64
_LEAST, _MOST = 1e-3, 5.0


@dataclass(frozen=True)
class Kinship:
    """Variances of a store's effects (N products, Q attributes in columns, some of one kind).

    Parameters
    ----------
    attributes
        (N, Q), A.
    kind
        (Q,), to which kind each column belongs: the levels of one attribute share a variance.
    spread
        (Q,) square roots of D, the standard deviations of what a store makes of an attribute.
    own
        σ, that of what it makes of a single product beyond them; above zero.
    """

    attributes: Floats
    kind: Ints
    spread: Floats
    own: float

    @property
    def variance(self) -> Floats:
        """(N,), the diagonal of Σ."""
        variance: Floats = self.own**2 + self.attributes**2 @ self.spread**2
        return variance

    @property
    def factor(self) -> Floats:
        """(N, R), B with Σ⁻¹ = 1 / σ² − B Bᵀ."""
        there = self.spread > 0
        scaled = self.attributes[:, there] * self.spread[there] / self.own
        inside = np.linalg.inv(np.eye(scaled.shape[1]) + scaled.T @ scaled)
        factor: Floats = scaled @ np.linalg.cholesky(inside) / self.own
        return factor

    @property
    def inherited(self) -> Floats:
        """(N, Q), by which e is multiplied to tell f."""
        B = self.factor
        told: Floats = (self.attributes / self.own**2 - B @ (B.T @ self.attributes)) * self.spread**2
        return told

    def updated(self, expected: Floats, effects: Floats, *, fixed: tuple[bool, bool]) -> Kinship:
        """Return the variances that the effects and what the data knows of them speak for; see ``variance``.

        Parameters
        ----------
        expected, effects
            (S, N) weighted units expected, and e.
        fixed
            Whether ``spread`` and ``own`` stay as they are.
        """
        each = max(1, len(expected) // _WITNESSES)
        expected, effects = expected[::each], effects[::each]
        likes = effects @ self.inherited
        beyond = (effects - likes @ self.attributes.T)[expected > 0]
        known, free = np.zeros(len(self.kind)), 0.0
        for rows, store in self._stores(expected):
            known += store.settled.sum(axis=0)
            free += float((1.0 - store.own_variance / self.own**2)[expected[rows] > 0].sum())
        alike = self.kind[:, None] == self.kind
        spread = np.sqrt(alike @ (likes**2).sum(axis=0) / np.maximum(alike @ known, 1e-6))
        own = float(np.sqrt((beyond**2).sum() / max(free, 1e-6)))
        return replace(
            self,
            spread=self.spread if fixed[0] else np.where(self.spread > 0, np.clip(spread, _LEAST, _MOST), 0.0),
            own=self.own if fixed[1] else float(np.clip(own, _LEAST, _MOST)),
        )

    def told(self, expected: Floats, Z: Floats) -> tuple[Floats, Floats]:
        """Return (D, Q) and (D, N) information on what demographics Z (S, D) do to attributes and products.

        A demographic has one value per store, so a store tells of it no more than its own effects allow.
        """
        D = Z.shape[1]
        by_attribute, by_product = np.zeros((D, self.attributes.shape[1])), np.zeros((D, len(self.attributes)))
        for rows, store in self._stores(expected):
            weight = Z[rows].T ** 2
            by_attribute += weight @ store.information_of_attributes
            by_product += weight @ store.information_of_products
        return by_attribute, by_product

    def settled(self, expected: Floats) -> Floats:
        """Return (S, N), the part of the variance of each store's effect that the data has settled."""
        found = np.zeros_like(expected)
        for rows, store in self._stores(expected):
            found[rows] = 1.0 - store.variance / self.variance
        return np.clip(found, 0.0, 1.0)

    def _stores(self, expected: Floats) -> Iterator[tuple[slice, _Stores]]:
        for start in range(0, len(expected), _TOGETHER):
            rows = slice(start, start + _TOGETHER)
            yield rows, _Stores.of(self, expected[rows])


@dataclass(frozen=True)
class _Stores:
    """What some stores know of f and ε, from curvatures H = diag(a) − a aᵀ / Σ a of their likelihoods.

    With M = H + 1 / σ², which Sherman and Morrison invert, f has the information J = Aᵀ (H − H M⁻¹ H) A once ε is
    integrated out, and the covariance C = (J + D⁻¹)⁻¹.

    Parameters
    ----------
    kin
        The prior.
    inverse, direction
        (S, N) each, the diagonal part of M⁻¹ and the vector whose square is the rest.
    answer
        (S, N, Q), M⁻¹ H A: what ε takes back of a change of f.
    information
        (S, Q, Q), J.
    covariance
        (S, Q, Q), C.
    """

    kin: Kinship
    inverse: Floats
    direction: Floats
    answer: Floats
    information: Floats
    covariance: Floats

    @classmethod
    def of(cls, kin: Kinship, expected: Floats) -> _Stores:
        """Return what stores with (S, N) weighted units expected know."""
        A, p, d = kin.attributes, kin.own**-2, kin.spread
        inverse = 1.0 / (expected + p)
        # 1 − aᵀ diag(a + p)⁻¹ a / Σ a, in a form that cancels nothing; nothing is expected: no direction.
        left = p * (expected * inverse).sum(axis=1, keepdims=True)
        direction = np.divide(inverse * expected, np.sqrt(left), out=np.zeros_like(expected), where=left > 0)
        answer = A - p * (inverse[:, :, None] * A + direction[:, :, None] * (direction @ A)[:, None, :])
        information = p * (A.T @ answer)
        inside = np.eye(len(d)) + d[:, None] * information * d
        covariance = d[:, None] * np.linalg.inv(inside) * d
        return cls(kin, inverse, direction, answer, information, covariance)

    @property
    def settled(self) -> Floats:
        """(S, Q), the part of the variance of f that is known; nothing of one that has none."""
        D = self.kin.spread**2
        left = np.einsum("sqq->sq", self.covariance) / np.where(D > 0, D, 1.0)
        return np.where(D > 0, 1.0 - left, 0.0)

    @property
    def _back(self) -> Floats:
        """(S, N), the diagonal of answer C answerᵀ."""
        return np.asarray(((self.answer @ self.covariance) * self.answer).sum(axis=2))

    @property
    def own_variance(self) -> Floats:
        """(S, N) posterior variances of ε."""
        return self.inverse + self.direction**2 + self._back

    @property
    def variance(self) -> Floats:
        """(S, N) posterior variances of e = A f + ε."""
        # A − answer = σ⁻² M⁻¹ A is what a change of f leaves after the answer of ε.
        left = self.kin.attributes - self.answer
        spread: Floats = ((left @ self.covariance) * left).sum(axis=2)
        return self.inverse + self.direction**2 + spread

    @property
    def information_of_products(self) -> Floats:
        """(S, N), the diagonal of H − H (H + Σ⁻¹)⁻¹ H."""
        p = self.kin.own**-2
        found: Floats = p - p**2 * self.own_variance
        return np.maximum(found, 0.0)

    @property
    def information_of_attributes(self) -> Floats:
        """(S, Q), the diagonal of Aᵀ (H − H (H + Σ⁻¹)⁻¹ H) A."""
        J = self.information
        found: Floats = np.einsum("sqq->sq", J - J @ self.covariance @ J)
        return np.maximum(found, 0.0)
