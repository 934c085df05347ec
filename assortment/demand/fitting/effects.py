"""Effects of groups (stores, periods or weeks) on products: their curvature, and coordinates in which it is round."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from assortment.demand.arrays import Floats

_LEAST = 1e-12


@dataclass(frozen=True)
class Effects:
    """Curvature in effects of G groups on N products, with their prior.

    The Hessian of a group is taken as that of one state with its mean shares, diag(a) − a aᵀ / Σ a, plus the precision
    p − B Bᵀ of the prior. It is diagonal but for a few directions (R of them in B, and a itself), so inverse and root
    are closed forms: with the diagonal scaled away it is 1 − V Vᵀ, of which only the R + 1 eigenvectors of Vᵀ V need to
    be stretched (for one direction: Sherman and Morrison).

    Parameters
    ----------
    expected
        (G, N), a, the weighted units expected.
    precision
        p, above zero.
    kin
        (N, R), B, by which effects on products that are alike go together; no columns where each stands for itself.
    """

    expected: Floats
    precision: float
    kin: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def pulled(self, values: Floats) -> Floats:
        """Return the precision of the prior times (G, N) values."""
        pulled: Floats = self.precision * values
        return pulled - values @ self.kin @ self.kin.T if self.kin.size else pulled

    def inverse(self, values: Floats) -> Floats:
        """Return the inverse of the Hessian times (G, N) values."""
        return self.root(self.transposed_root(values))

    def root(self, values: Floats) -> Floats:
        """Return a root R of the inverse, R Rᵀ, times (G, N) values."""
        return self._turned(values) * self._scale

    def transposed_root(self, values: Floats) -> Floats:
        """Return Rᵀ times (G, N) values."""
        return self._turned(values * self._scale)

    @cached_property
    def _scale(self) -> Floats:
        scale: Floats = 1.0 / np.sqrt(self.expected + self.precision)
        return scale

    @cached_property
    def _direction(self) -> Floats:
        """(G, N), a / √(Σ a)."""
        units = self.expected.sum(axis=1, keepdims=True)
        direction: Floats = np.divide(self.expected, np.sqrt(units), out=np.zeros_like(self.expected), where=units > 0)
        return direction

    @cached_property
    def _alike(self) -> Floats:
        """(N, R), B, without columns where each effect stands for itself."""
        return self.kin if self.kin.size else np.zeros((self.expected.shape[1], 0))

    @cached_property
    def _stretch(self) -> Floats:
        """W (G, R + 1, R + 1), with (1 − V Vᵀ)^(−1/2) = 1 + V W Vᵀ, V being the scaled direction and the scaled B."""
        B, squares = self._alike, self._scale**2
        (N, R), G = B.shape, len(squares)
        inner = np.empty((G, R + 1, R + 1))
        inner[:, 0, 0] = (squares * self._direction**2).sum(axis=1)
        inner[:, 0, 1:] = inner[:, 1:, 0] = (squares * self._direction) @ B
        inner[:, 1:, 1:] = (squares @ (B[:, :, None] * B[:, None, :]).reshape(N, R * R)).reshape(G, R, R)
        values, vectors = np.linalg.eigh(inner)
        left = np.sqrt(np.maximum(1.0 - values, _LEAST))
        W: Floats = (vectors / (left * (1.0 + left))[:, None, :]) @ vectors.transpose(0, 2, 1)
        return W

    def _turned(self, values: Floats) -> Floats:
        """The symmetric part of the root times (G, N) values."""
        scaled = values * self._scale
        along = np.hstack([(scaled * self._direction).sum(axis=1, keepdims=True), scaled @ self._alike])
        along = np.matmul(self._stretch, along[:, :, None])[:, :, 0]
        turned: Floats = values + self._scale * (self._direction * along[:, :1] + along[:, 1:] @ self._alike.T)
        return turned
