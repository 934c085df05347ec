"""What was offered and what was chosen: the rows of the likelihood."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from assortment.demand.arrays import Bools, Floats, Ints


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
        seen: dict[bytes, int] = {}
        first: list[int] = []
        index = np.empty(len(self.group), dtype=np.intp)
        for t, key in enumerate(self._keys(period[self.week])):
            if key not in seen:
                seen[key] = len(first)
                first.append(t)
            index[t] = seen[key]
        if len(first) == len(index):
            return self
        counts = np.zeros((len(first), self.counts.shape[1]))
        np.add.at(counts, index, self.counts)
        bought = self.purchases
        return Choices(
            group=self.group[first],
            fold=self.fold[first],
            week=self.week[first],
            offered=self.offered[first],
            covariates=self.covariates[:, first],
            counts=counts,
            weeks=np.bincount(index, self.weeks).astype(np.float64),
            purchases=None if bought is None else replace(bought, state=index[bought.state]),
        )

    def _keys(self, period: Ints) -> list[bytes]:
        """A digest of each state, as the states themselves may fill the memory."""
        keys = []
        for t, offered in enumerate(self.offered):
            values = np.where(offered, self.covariates[:, t], 0.0) + 0.0  # -0.0 is 0.0
            digest = hashlib.blake2b(values.tobytes(), digest_size=16)
            digest.update(offered.tobytes())
            digest.update(np.array([self.group[t], self.fold[t], period[t]]).tobytes())
            keys.append(digest.digest())
        return keys
