"""The lowest bound that prices can give in a part of all plans, as far as assortments seen so far tell.

The same programme as that of `chain.prices`, kept from part to part: only ends and costs change, and HiGHS goes on from
where it was. What it answers is a proposal, nothing rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.chain.coupling import Coupling, Prices, piece_row
from assortment.optimiser.programme.linear import LinearProgram, Polytope


@dataclass(frozen=True, eq=False)
class Proposal:
    """What the programme answers.

    Parameters
    ----------
    prices, duals
        Of the rules that tie stores together, and of the shared part.
    promise
        No prices give a lower bound than this.
    shared
        Where the shared variables are, fractional, (V,).
    shares
        Which share of each assortment the blocks carry, in the order they were added.
    """

    prices: Prices
    duals: Floats
    promise: float
    shared: Floats
    shares: Floats


class PriceProgramme:
    """The programme over the assortments of blocks of stores.

    Parameters
    ----------
    coupling
        What the stores have in common in all plans.
    blocks
        The stores that carry the same, together.
    unit
        About what a store earns; money is counted in it.
    most
        Where prices and duals end.
    """

    def __init__(self, coupling: Coupling, blocks: list[Ints], unit: float, most: float) -> None:
        self._blocks, self._unit = blocks, unit
        self._S, self._N = coupling.problem.S, coupling.problem.N
        self._M, self._V = coupling.polytope.matrix.shape
        self._prices = (2 * self._S + 1) * self._N
        rows = sparse.hstack([sparse.csr_matrix((self._V, len(blocks))), coupling.dual_matrix]).tocsr()
        self._columns = rows.shape[1]
        fixed = coupling.fixed_cost / unit
        lower = np.zeros(self._columns)
        lower[: len(blocks)] = -np.inf
        upper = [np.full(len(blocks), np.inf), np.full(self._prices, most / unit), coupling.dual_ends(most / unit)]
        self._programme = LinearProgram(Polytope(rows, fixed, fixed, lower, np.concatenate(upper)))

    def add(self, b: int, picks: Mask) -> None:
        """Take in an assortment, (N,), of block ``b``; it counts once `offer` says what it is worth."""
        columns, signs = piece_row(b, len(self._blocks), self._blocks[b], picks, self._S)
        row = sparse.csr_matrix((signs, columns, [0, len(columns)]), shape=(1, self._columns))
        self._programme.add_rows(row, np.array([-np.inf]), np.array([np.inf]))

    def offer(self, piece: int, value: float) -> None:
        """Say what a piece is worth without prices; -inf: it is not to be had."""
        self._programme.set_row(self._V + piece, value / self._unit, np.inf)

    def solve(self, part: Coupling) -> Proposal | None:
        """Return the best prices for a part of all plans; ``None`` where HiGHS finds none."""
        cost = np.concatenate([np.ones(len(self._blocks)), np.zeros(self._prices), part.dual_cost])
        answer = self._programme.maximise(-cost)
        if answer.columns is None or answer.duals is None:
            return None
        unit, B = self._unit, len(self._blocks)
        found = unit * answer.columns[B:]
        high, low = np.split(found[self._prices : self._prices + 2 * self._M], 2)
        return Proposal(
            prices=Prices.from_flat(found[: self._prices], self._S, self._N),
            duals=low - high,
            promise=unit * float(cost @ answer.columns),
            shared=np.abs(answer.duals[: self._V]),
            shares=np.abs(answer.duals[self._V :]),
        )
