"""The linear programme of a store's compact relaxation over a box, and what its duals prove.

McCormick's envelope for u·n from above (weights are not negative), chord and tangents for u = 1/t. Every bound and
every tightened end rests on duals through `safe_maximum`, never on a solver's tolerance.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from assortment.optimiser.arrays import Floats
from assortment.optimiser.programme.linear import Answer, LinearProgram, Polytope, safe_maximum
from assortment.optimiser.store.compact import OUTWARD, ROUNDING, Box, Compact

_TANGENTS = 5
_WORTH_A_LOOK = 0.01


class BoxProgramme:
    """The linear programme of the compact relaxation over one box. Variables: x (N), t, n, u, p (K each); p is for u·n.

    Parameters
    ----------
    compact, box
        The relaxation and the box.
    """

    def __init__(self, compact: Compact, box: Box) -> None:
        self.compact = compact
        store, N, K = compact.store, compact.N, compact.K
        u_low, u_high = 1 / box.t_high, 1 / box.t_low
        corners = np.stack([box.n_low * u_low, box.n_low * u_high, box.n_high * u_low, box.n_high * u_high])
        p_low = np.maximum(corners.min(axis=0), compact.p_low)
        p_high = np.minimum(corners.max(axis=0), compact.p_high)
        self.lower = np.concatenate([box.x_low, box.t_low, box.n_low, u_low, np.minimum(p_low, p_high)])
        self.upper = np.concatenate([box.x_high, box.t_high, box.n_high, u_high, np.maximum(p_low, p_high)])
        M = len(store.low)
        rows = M + 2 * K + 1 + K * (3 + _TANGENTS)
        matrix = np.zeros((rows, N + 4 * K))
        low, high = np.full(rows, -np.inf), np.full(rows, np.inf)
        matrix[:M, :N], low[:M], high[:M] = store.matrix, compact.low, compact.high
        for k in range(K):
            t, n, u, p = (N + k + i * K for i in range(4))
            at = M + 2 * k
            matrix[at, :N], matrix[at, t] = -compact.t_rows[k], 1
            low[at] = high[at] = compact.t_base[k]
            matrix[at + 1, :N], matrix[at + 1, n] = -compact.n_rows[k], 1
            low[at + 1] = high[at + 1] = compact.n_base[k]
            at = M + 2 * K + 1 + k * (3 + _TANGENTS)
            L, U = u_low[k], u_high[k]
            matrix[at, [p, n, u]], high[at] = (1, -U, -box.n_low[k]), -U * box.n_low[k]
            matrix[at + 1, [p, n, u]], high[at + 1] = (1, -L, -box.n_high[k]), -L * box.n_high[k]
            matrix[at + 2, [u, t]], high[at + 2] = (1, L * U), U + L * U * box.t_low[k]
            points = np.geomspace(L, U, _TANGENTS)
            matrix[at + 3 : at + 3 + _TANGENTS, u] = 1
            matrix[at + 3 : at + 3 + _TANGENTS, t] = points**2
            low[at + 3 : at + 3 + _TANGENTS] = 2 * points
        self.cut = M + 2 * K
        matrix[self.cut] = compact.cost / max(1.0, np.abs(compact.cost).max(initial=0.0))
        self.cut_scale = max(1.0, np.abs(compact.cost).max(initial=0.0))
        # The programme copies these arrays; they are changed together with it.
        self.low = low
        self.polytope = Polytope(matrix, low, high, self.lower, self.upper)
        self.programme = LinearProgram(self.polytope)

    def solve(self) -> Answer:
        """Maximise the store's value over the relaxation."""
        return self.programme.maximise(self.compact.cost)

    def bound(self, answer: Answer) -> tuple[float, Floats]:
        """Return a safe bound on the store's value in the box and the reduced costs behind it."""
        cost = self.compact.cost
        duals = np.zeros(len(self.low)) if answer.duals is None else answer.duals
        if answer.infeasible:
            empty = any(self._maximum(np.zeros_like(cost), sign * duals)[0] < 0 for sign in (1, -1))
            if empty:
                return -np.inf, np.zeros_like(cost)
            duals = np.zeros(len(self.low))
        value, reduced = self._maximum(cost, duals)
        allowance = ROUNDING * float(self.compact.store.weight @ np.abs(self.compact.rho))
        return value + self.compact.constant + allowance, reduced

    def shrink(self, box: Box, cutoff: float, bound: float) -> Box:
        """Return the box with the ends of t and n tightened to what can still beat ``cutoff``."""
        compact, N, K = self.compact, self.compact.N, self.compact.K
        target = (cutoff - compact.constant) / self.cut_scale
        self.low[self.cut] = target
        self.programme.set_row(self.cut, target, np.inf)
        self.lower[:N], self.upper[:N] = box.x_low, box.x_high
        ends = {"t": (box.t_low.copy(), box.t_high.copy()), "n": (box.n_low.copy(), box.n_high.copy())}
        for i, name in enumerate("tn"):
            columns = slice(N + i * K, N + (i + 1) * K)
            self.lower[columns], self.upper[columns] = ends[name]
        self.programme.set_bounds(self.lower, self.upper)
        error = compact.error(box)
        for k in np.argsort(-error):
            if error[k] <= _WORTH_A_LOOK * (bound - cutoff):
                break
            for i, name in enumerate("tn"):
                if not self._shrink_one(N + i * K + int(k), int(k), ends[name]):
                    break
        return dataclasses.replace(
            box, t_low=ends["t"][0], t_high=ends["t"][1], n_low=ends["n"][0], n_high=ends["n"][1]
        )

    def _shrink_one(self, column: int, k: int, ends: tuple[Floats, Floats]) -> bool:
        for end, sign in ((0, -1.0), (1, 1.0)):
            cost = np.zeros(len(self.lower))
            cost[column] = sign
            answer = self.programme.maximise(cost)
            if answer.duals is None or answer.infeasible:
                return False
            most = sign * (self._maximum(cost, answer.duals)[0])
            slack = OUTWARD * max(abs(most), abs(ends[1][k] - ends[0][k]))
            if end == 0:
                ends[0][k] = min(max(ends[0][k], most - slack), ends[1][k])
            else:
                ends[1][k] = max(min(ends[1][k], most + slack), ends[0][k])
            self.lower[column], self.upper[column] = ends[0][k], ends[1][k]
            self.programme.set_bound(column, ends[0][k], ends[1][k])
        return True

    def _maximum(self, cost: Floats, duals: Floats) -> tuple[float, Floats]:
        return safe_maximum(cost, self.polytope, duals)
