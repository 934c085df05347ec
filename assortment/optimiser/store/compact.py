"""The compact relaxation of one store: one product of two numbers per class is all that is not linear.

With ρ_k = R/(1 + V) at the incumbent, R/(1 + V) = ρ_k + u n holds exactly for u = 1/(1 + V) and
n = Σ v (worth − ρ_k) x − ρ_k. Both are scaled by 1 + V at the incumbent: t = (1 + V)/scale, n/scale.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.store.store import Store

OUTWARD = 1e-9
ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class Box:
    """Ends of x, (N,), and of t and n, (K,) each."""

    x_low: Floats
    x_high: Floats
    t_low: Floats
    t_high: Floats
    n_low: Floats
    n_high: Floats


class Compact:
    """The numbers of the relaxation that do not depend on a box.

    Parameters
    ----------
    store
        The store.
    carried
        The incumbent, (N,).
    """

    def __init__(self, store: Store, carried: Mask) -> None:
        self.store = store
        self.N, self.K = len(store.cost), len(store.weight)
        total = 1 + store.pull[:, carried].sum(axis=1)
        self.rho = store.earned[:, carried].sum(axis=1) / total
        self.scale = total
        pull = store.pull / total[:, None]
        self.t_rows, self.t_base = pull, 1 / total
        self.n_rows, self.n_base = (store.earned - store.pull * self.rho[:, None]) / total[:, None], -self.rho / total
        self.cost = np.concatenate([-store.cost, np.zeros(3 * self.K), store.weight])
        self.constant = float(store.weight @ self.rho)
        # Rows and right-hand sides are compared in floats; loosen them as the audit does.
        self.low, self.high = store.low - store.tolerance, store.high + store.tolerance
        worth = np.where(store.may, store.worth, 0.0)
        slack = OUTWARD * np.abs(worth).max(initial=0.0)
        # R/(1 + V) is a mean of worths and of 0, whatever is carried.
        self.p_low, self.p_high = worth.min(initial=0.0) - slack - self.rho, worth.max(initial=0.0) + slack - self.rho

    def root(self) -> Box:
        """Return the box that holds every assortment."""
        low, high = self.store.must.astype(float), self.store.may.astype(float)
        wide = np.full(self.K, np.inf)
        return self.follow(Box(low, high, -wide, wide, -wide, wide))

    def follow(self, box: Box) -> Box:
        """Tighten t and n to what the ends of x leave."""
        t = _interval(self.t_rows, self.t_base, box)
        n = _interval(self.n_rows, self.n_base, box)
        return dataclasses.replace(
            box,
            t_low=np.maximum(box.t_low, t[0]),
            t_high=np.minimum(box.t_high, t[1]),
            n_low=np.maximum(box.n_low, n[0]),
            n_high=np.minimum(box.n_high, n[1]),
        )

    def error(self, box: Box) -> Floats:
        """Return how far the envelope of each class can be off, (K,)."""
        u_width = 1 / np.maximum(box.t_low, OUTWARD) - 1 / np.maximum(box.t_high, OUTWARD)
        error: Floats = self.store.weight * (box.n_high - box.n_low) * u_width
        return error


def _interval(rows: Floats, base: Floats, box: Box) -> tuple[Floats, Floats]:
    rising, falling = np.maximum(rows, 0.0), np.minimum(rows, 0.0)
    low_up, low_down = rising @ box.x_low, falling @ box.x_high
    high_up, high_down = rising @ box.x_high, falling @ box.x_low
    # Each end moves outward by its own rounding, so that 1 + V, a sum of positive numbers, stays positive.
    low = base + low_up + low_down - ROUNDING * (np.abs(base) + low_up - low_down)
    high = base + high_up + high_down + ROUNDING * (np.abs(base) + high_up - high_down)
    return low, high
