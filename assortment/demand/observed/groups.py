"""Whose tastes a state of any source shows: those of a store, of a segment of shoppers, or of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.observed.choices import SOURCES, TILLS, Choices
from assortment.demand.observed.witness import Witness


@dataclass(frozen=True)
class Groups:
    """The groups of a fit, in this order.

    Parameters
    ----------
    stores
        Stores with till sales.
    segments
        Number of observed segments of shoppers.
    further
        Stores that only other sources know.
    chain
        Whether there are states of which neither segment nor store is known: they show the average of the chain.
    """

    stores: tuple[str, ...]
    segments: int
    further: tuple[str, ...]
    chain: bool

    @classmethod
    def of(cls, stores: Sequence[str], segments: int, witnesses: Sequence[Witness]) -> Groups:
        """Return the groups that the states of some sources need."""
        lone = [str(store) for seen in witnesses for store in seen.store[seen.segment < 0] if store is not None]
        further = tuple(sorted(set(lone) - set(stores)))
        chain = any(store is None for seen in witnesses for store in seen.store[seen.segment < 0])
        return cls(tuple(stores), segments, further, chain)

    @property
    def own(self) -> Bools | None:
        """(G,), the groups that may stray from what all share: stores, as far as their sales are known.

        Without any till sales those are the stores that other sources know. ``None``: all.
        """
        s, further = len(self.stores), len(self.further)
        if not (self.segments or further or self.chain):
            return None
        own = np.zeros(s + self.segments + further + self.chain, dtype=np.bool_)
        own[:s] = True
        if not s:
            own[self.segments : self.segments + further] = True
        return own

    def rows(self, stores: Floats, segments: Floats, further: Floats, chain: Floats) -> Floats:
        """Return (G, D) values of the groups from those of each kind, (D,) for the chain."""
        return np.vstack([stores, segments, further, *([chain] if self.chain else [])])

    def choices(
        self,
        tills: Choices | None,
        fold: Ints,
        witnesses: Sequence[Witness],
        design: CovariateDesign,
        weights: Mapping[str, float],
    ) -> Choices:
        """Return the states of all sources together.

        Parameters
        ----------
        tills
            Those of the till sales.
        fold
            (S,), of the stores with sales; whatever other sources saw in a store is held out with it.
        witnesses
            The other sources.
        design
            The covariates.
        weights
            How often the purchases of each source count.
        """
        parts = []
        if tills is not None:
            weight = weights.get(SOURCES[TILLS], 1.0)
            if not witnesses and weight == 1.0:
                return tills
            parts.append(Choices.joined([tills]).weighing(weight))
        for seen in witnesses:
            group = self._group(seen)
            inside = group < len(self.stores)
            held = np.where(inside, fold[np.where(inside, group, 0)] if len(fold) else 0, seen.fold)
            parts.append(seen.choices(group, held, design, weight=weights.get(SOURCES[seen.source], 1.0)))
        return Choices.joined(parts)

    def _group(self, seen: Witness) -> Ints:
        s = len(self.stores)
        seats = {store: i for i, store in enumerate(self.stores)}
        seats.update({store: s + self.segments + i for i, store in enumerate(self.further)})
        chain = s + self.segments + len(self.further)
        place = [chain if store is None else seats.get(store, chain) for store in seen.store]
        return np.where(seen.segment >= 0, s + seen.segment, np.array(place, dtype=np.intp)).astype(np.intp)
