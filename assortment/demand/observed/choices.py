"""What was offered and what was chosen: the rows of the likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.observed.distinct import first_equal

SOURCES = ("sales", "baskets", "survey")
"""Who saw what was chosen: the tills, the cards of households, or an interviewer."""
TILLS, BASKETS, SURVEY = range(len(SOURCES))


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
        (T,), index of its week; of the first, where weeks are counted together; -1 where it belongs to none.
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
    source
        (T,), which of ``SOURCES`` saw it; ``None``: all states are of one source.
    weight
        (T,), how often each purchase counts; ``None``: once.
    """

    group: Ints
    fold: Ints
    week: Ints
    offered: Bools
    covariates: Floats
    counts: Floats
    weeks: Floats
    purchases: Purchases | None = None
    source: Ints | None = None
    weight: Floats | None = None

    @classmethod
    def joined(cls, parts: Sequence[Choices]) -> Choices:
        """Return the states of all parts, in order; their products, covariates and weeks are the same."""
        starts = np.cumsum([0, *(len(part.group) for part in parts)])
        blocks = np.cumsum([0, *(part.blocks for part in parts)])
        bought = [
            (part.purchases, state, block)
            for part, state, block in zip(parts, starts, blocks, strict=False)
            if part.purchases is not None
        ]
        return cls(
            group=np.concatenate([part.group for part in parts]),
            fold=np.concatenate([part.fold for part in parts]),
            week=np.concatenate([part.week for part in parts]),
            offered=np.concatenate([part.offered for part in parts]),
            covariates=np.concatenate([part.covariates for part in parts], axis=1),
            counts=np.concatenate([part.counts for part in parts]),
            weeks=np.concatenate([part.weeks for part in parts]),
            purchases=Purchases(
                np.concatenate([rows.block + block for rows, _, block in bought]),
                np.concatenate([rows.state + state for rows, state, _ in bought]),
                np.concatenate([rows.product for rows, *_ in bought]),
                np.concatenate([rows.units for rows, *_ in bought]),
            )
            if bought
            else None,
            source=np.concatenate([part.sources for part in parts]),
            weight=np.concatenate([part.weights for part in parts]),
        )

    def weighing(self, weight: float) -> Choices:
        """Return the same with each purchase counting so many times."""
        return replace(self, weight=np.full(len(self.group), weight))

    @property
    def weights(self) -> Floats:
        """(T,), how often each purchase counts."""
        return np.ones(len(self.group)) if self.weight is None else self.weight

    @property
    def sources(self) -> Ints:
        """(T,), which of ``SOURCES`` saw each state; the first where that was not told."""
        return np.zeros(len(self.group), dtype=np.intp) if self.source is None else self.source

    @property
    def blocks(self) -> int:
        """Number of blocks of the purchases."""
        return 0 if self.purchases is None else int(self.purchases.block.max(initial=-1)) + 1

    @property
    def counted(self) -> Floats:
        """(T,) units bought, each as often as it counts."""
        units: Floats = self.counts.sum(axis=1)
        return units if self.weight is None else units * self.weight

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
            source=None if self.source is None else self.source[states],
            weight=None if self.weight is None else self.weight[states],
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
            source=None if self.source is None else self.source[kept],
            weight=None if self.weight is None else self.weight[kept],
        )

    def first_equal(self, period: Ints) -> Ints:
        """Return (T,), for each state the first that differs in nothing but its week; see ``merged``."""
        labels = np.stack([self.group, self.fold, np.append(period, -1)[self.week], self.sources])
        return first_equal(labels, self.offered, self.covariates)
