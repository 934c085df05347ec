"""Menus: the assortments of blocks of stores, what each is worth, and those that the programme of the prices knows.

Where a block has few products all of its assortments are on the menu, else those that a search has found so far.
"""

from __future__ import annotations

import numpy as np

from assortment.optimiser.arrays import Floats, Mask, every_choice
from assortment.optimiser.chain.price_programme import PriceProgramme
from assortment.optimiser.store.bound import StoreBound, prove
from assortment.optimiser.store.search import climb, search
from assortment.optimiser.store.store import Store

# Most boxes to look at in the proof of a block.
BOXES = 150


class Menu:
    """All assortments of blocks of stores that have few products.

    Parameters
    ----------
    programme
        Learns of assortments as they turn out to be the best at some prices.
    stores
        The blocks as they may be at most, without prices.
    """

    def __init__(self, programme: PriceProgramme, stores: list[Store]) -> None:
        self.programme = programme
        self._picks = [self._first(store) for store in stores]
        self._values = [np.zeros(len(picks)) for picks in self._picks]
        self._known = [np.full(len(picks), -1) for picks in self._picks]
        self._pieces = list[tuple[int, int]]()
        self._offered = np.zeros(0)

    def within(self, stores: list[Store]) -> None:
        """Keep to what the blocks may carry now; what they may not is worth -inf."""
        for b, (store, picks) in enumerate(zip(stores, self._picks, strict=True)):
            self._values[b] = np.where(store.fit_each(picks), store.values(picks), -np.inf)
        worth = np.array([self._values[b][i] for b, i in self._pieces])
        for piece in np.flatnonzero(worth != self._offered):
            self.programme.offer(int(piece), float(worth[piece]))
        self._offered = worth

    def taste(self, paid: Floats) -> float:
        """Return what all blocks earn at most at prices paid to them, (blocks, N), and tell the programme how."""
        earned = 0.0
        for b, price in enumerate(paid):
            if len(self._values[b]) == 0:
                return -np.inf
            worth = self._values[b] + self._picks[b] @ price
            i = int(worth.argmax())
            earned += float(worth[i])
            if np.isfinite(worth[i]) and self._known[b][i] < 0:
                self._add(b, i)
        return earned

    def best(self, b: int, price: Floats) -> Mask:
        """Return the best assortment of block ``b`` at prices paid to it, (N,); nothing when there is none."""
        picks = self._picks[b]
        if len(picks) == 0:
            return np.zeros(len(price), bool)
        best: Mask = picks[int((self._values[b] + picks @ price).argmax())]
        return best

    def carried(self, shares: Floats) -> tuple[Floats, Mask]:
        """Return what each block carries when it carries shares of pieces, and its largest one, (blocks, N) each."""
        parts = np.zeros((len(self._picks), self._picks[0].shape[1]))
        heaviest, most = np.zeros(parts.shape, bool), np.full(len(parts), -1.0)
        # Later pieces were not known yet.
        for (b, i), share in zip(self._pieces, shares, strict=False):
            picks = self._picks[b][i]
            parts[b] += share * picks
            if share > most[b] and np.isfinite(self._values[b][i]):
                heaviest[b], most[b] = picks, share
        return np.clip(parts, 0.0, 1.0), heaviest

    def _add(self, b: int, i: int) -> None:
        self._known[b][i] = len(self._pieces)
        self._pieces.append((b, i))
        self._offered = np.append(self._offered, self._values[b][i])
        self.programme.add(b, self._picks[b][i])
        self.programme.offer(len(self._pieces) - 1, float(self._values[b][i]))

    @staticmethod
    def _first(store: Store) -> Mask:
        return _every(store)


class FoundMenu(Menu):
    """The assortments of blocks of stores that proofs have found.

    Parameters
    ----------
    programme, stores
        As for `Menu`.
    tolerance
        How close a block is proven.
    """

    def __init__(self, programme: PriceProgramme, stores: list[Store], tolerance: float) -> None:
        super().__init__(programme, stores)
        self._stores, self._tolerance, self.proofs = stores, tolerance, list[StoreBound]()

    def within(self, stores: list[Store]) -> None:
        """Keep to what the blocks may carry now, and find something for each."""
        super().within(stores)
        self._stores = stores
        for b, store in enumerate(stores):
            if np.isneginf(self._values[b].max(initial=-np.inf)):
                found = search(store)
                if found is not None:
                    self._learn(b, found)

    def taste(self, paid: Floats) -> float:
        """Return what all blocks are proven to earn at most at prices paid to them; tell the programme how."""
        self.proofs = []
        for b, (store, price) in enumerate(zip(self._stores, paid, strict=True)):
            priced, start = store.priced(price), self.best(b, price)
            if priced.fits(start):
                start = climb(priced, start)
            self.proofs.append(prove(priced, start, self._tolerance, nodes=BOXES))
            self._learn(b, self.proofs[-1].carried)
        super().taste(paid)
        return sum(proof.bound for proof in self.proofs)

    def _learn(self, b: int, picks: Mask) -> None:
        if self._stores[b].fits(picks) and not (self._picks[b] == picks).all(axis=1).any():
            self._picks[b] = np.vstack([self._picks[b], picks])
            self._values[b] = np.append(self._values[b], self._stores[b].value(picks))
            self._known[b] = np.append(self._known[b], -1)

    @staticmethod
    def _first(store: Store) -> Mask:
        return np.zeros((0, len(store.cost)), bool)


def _every(store: Store) -> Mask:
    picks = every_choice(store.must, np.flatnonzero(store.may & ~store.must))
    fit: Mask = picks[store.fit_each(picks)]
    return fit
