"""What was offered and what was chosen: the rows of the likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class Purchases:
    """Single (block, state, product) cells with purchases, for hold-out loss by block.

    Parameters
    ----------
    block
        (R,), what is held out together: a store or a household.
    state, product
        (R,), indices into the states and the products.
    units
        (R,), units bought.
    """

    block: Ints
    state: Ints
    product: Ints
    units: Floats


@dataclass(frozen=True)
class Choices:
    """Choice states: offers that were the same for all their purchases (T states, N products, C covariates).

    Parameters
    ----------
    group
        (T,), row of the demographics: a store or a segment of households.
    fold
        (T,), the part that a state is held out with.
    offered
        (T, N), what could be bought; at least one product per state.
    covariates
        (C, T, N), log price (when it is estimable) and promotions.
    counts
        (T, N), units bought.
    weeks
        (T,), recorded weeks that were alike in all this and are counted together.
    purchases
        The same units by block.
    """

    group: Ints
    fold: Ints
    offered: Bools
    covariates: Floats
    counts: Floats
    weeks: Floats
    purchases: Purchases

    def take(self, states: Bools) -> Choices:
        """Return the states of the mask; the purchases are renumbered."""
        renumbered = np.cumsum(states) - 1
        bought = self.purchases
        rows = states[bought.state]
        return replace(
            self,
            group=self.group[states],
            fold=self.fold[states],
            offered=self.offered[states],
            covariates=self.covariates[:, states],
            counts=self.counts[states],
            weeks=self.weeks[states],
            purchases=Purchases(
                bought.block[rows], renumbered[bought.state[rows]], bought.product[rows], bought.units[rows]
            ),
        )

    def merged(self) -> Choices:
        """Return the same choices with equal states counted together; the likelihood is exactly the same."""
        keys = np.concatenate(
            [
                self.group[:, None],
                self.fold[:, None],
                self.offered,
                *(np.where(self.offered, c, 0.0) for c in self.covariates),
            ],
            axis=1,
            dtype=np.float64,
        )
        _, first, index = np.unique(
            np.ascontiguousarray(keys).view(np.dtype((np.void, keys.dtype.itemsize * keys.shape[1]))).ravel(),
            return_index=True,
            return_inverse=True,
        )
        counts = np.zeros((len(first), self.counts.shape[1]))
        np.add.at(counts, index, self.counts)
        return Choices(
            group=self.group[first],
            fold=self.fold[first],
            offered=self.offered[first],
            covariates=self.covariates[:, first],
            counts=counts,
            weeks=np.bincount(index, self.weeks).astype(np.float64),
            purchases=replace(self.purchases, state=index[self.purchases.state]),
        )


def purchases_of(counts: Floats, block: Ints) -> Purchases:
    """Return the purchases of (T, N) counts, each state belonging to one block."""
    state, product = np.nonzero(counts)
    return Purchases(block[state], state, product, counts[state, product])
