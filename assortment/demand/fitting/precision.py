"""How firmly the prior holds the parameters, jointly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assortment.demand.arrays import Floats


@dataclass(frozen=True)
class Precision:
    """The precision of the Gaussian prior of M free parameters, all with mean zero.

    Diagonal, but for the store effects: of these each store's block is p − B Bᵀ.

    Parameters
    ----------
    diagonal
        (M,), with p for the store effects.
    store
        Where the (S, N) store effects stand.
    kin
        (N, R), B; no columns where the effects of a store are independent.
    """

    diagonal: Floats
    store: slice
    kin: Floats

    def times(self, vector: Floats) -> Floats:
        """Return the precision times a (M,) vector: the slope of the penalty."""
        found: Floats = self.diagonal * vector
        if self.kin.size and self.store.stop > self.store.start:
            block = vector[self.store].reshape(-1, len(self.kin))
            found[self.store] -= (block @ self.kin @ self.kin.T).ravel()
        return found

    def penalty(self, vector: Floats) -> float:
        """Return minus the log density of the prior, up to a constant."""
        return 0.5 * float(vector @ self.times(vector))

    def of_store(self) -> Floats | None:
        """Return the (N, N) precision of one store's effects; ``None`` where stores have none."""
        if self.store.stop == self.store.start:
            return None
        own: Floats = self.own * np.eye(len(self.kin))
        return own - self.kin @ self.kin.T

    @property
    def own(self) -> float:
        """p."""
        return float(self.diagonal[self.store.start])
