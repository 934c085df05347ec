"""What was offered and what was chosen: the rows of the likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.observed.distinct import first_equal


@dataclass(frozen=True)
class Purchases:
    """Single (block, state, product) cells with purchases, where blocks share states (as households share a week).

    Parameters
    ----------
    block
        (R,), what is held out together: a household.
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
    week
        (T,), index of its week; of the first, where weeks are counted together.
    offered
        (T, N), what could be bought; at least one product per state.
    covariates
        (C, T, N), log price (when it is estimable), promotions and their product.
    counts
        (T, N), units bought.
    weeks
        (T,), recorded weeks that were alike in all this and are counted together.
    purchases
        The same units by block; ``None`` where each group is a block.
    """

    group: Ints
    fold: Ints
    week: Ints
    offered: Bools
    covariates: Floats
    counts: Floats
    weeks: Floats
    purchases: Purchases | None = None

    def take(self, states: Bools) -> Choices:
        """Return the states of the mask; the purchases are renumbered."""
        bought = self.purchases
        if bought is not None:
            rows = states[bought.state]
            state = (np.cumsum(states) - 1)[bought.state[rows]]
            bought = Purchases(bought.block[rows], state, bought.product[rows], bought.units[rows])
        return Choices(
            group=self.group[states],
            fold=self.fold[states],
            week=self.week[states],
            offered=self.offered[states],
            covariates=self.covariates[:, states],
            counts=self.counts[states],
            weeks=self.weeks[states],
            purchases=bought,
        )

    def merged(self, period: Ints) -> Choices:
        """Return the same choices with equal states counted together; the likelihood is exactly the same.

        Parameters
        ----------
        period
            (W,), period of each week; states of different periods are never equal.
        """
        first = self.first_equal(period)
        kept = np.flatnonzero(first == np.arange(len(first)))
        if len(kept) == len(first):
            return self
        index = np.searchsorted(kept, first)
        together = sparse.csr_array((np.ones(len(index)), (index, np.arange(len(index)))))
        bought = self.purchases
        return Choices(
            group=self.group[kept],
            fold=self.fold[kept],
            week=self.week[kept],
            offered=self.offered[kept],
            covariates=self.covariates[:, kept],
            counts=together @ self.counts,
            weeks=together @ self.weeks,
            purchases=None if bought is None else replace(bought, state=index[bought.state]),
        )

    def first_equal(self, period: Ints) -> Ints:
        """Return (T,), for each state the first that differs in nothing but its week; see ``merged``."""
        labels = np.stack([self.group, self.fold, period[self.week]])
        return first_equal(labels, self.offered, self.covariates)
