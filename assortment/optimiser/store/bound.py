"""A proven bound on what one store can earn: all assortments of a small store, else relax, narrow and branch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assortment.optimiser.arrays import Mask
from assortment.optimiser.store.log import StoreLog
from assortment.optimiser.store.proof import Proof
from assortment.optimiser.store.store import Store

_FEW_PRODUCTS = 10
_OUTWARD = 1e-9
_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class StoreBound:
    """What a store can earn at most.

    Parameters
    ----------
    bound
        No assortment of the store earns more.
    carried
        The best assortment known, (N,).
    closed
        Whether the bound is within the tolerance of that assortment's value.
    nodes
        Boxes looked at.
    log
        What the bound rests on; ``None``: on nothing but `trivial_bound`.
    """

    bound: float
    carried: Mask
    closed: bool
    nodes: int
    log: StoreLog | None = None


def replay(store: Store, log: StoreLog | None, *, full: bool = True) -> float:
    """Return the bound on ``store`` that follows from a log, or from none, without a solver."""
    trivial = trivial_bound(store)
    return trivial if log is None else min(trivial, log.replay(store, full=full))


def prove(store: Store, carried: Mask, tolerance: float, *, nodes: int) -> StoreBound:
    """Bound the value of ``store`` from above.

    Parameters
    ----------
    store
        The store.
    carried
        The best assortment known, (N,); it must obey the store's rules.
    tolerance
        The bound is not pushed below the value of the best assortment plus this.
    nodes
        Most boxes to look at. A store with few free products is looked through instead, assortment by assortment.
    """
    if int((store.may & ~store.must).sum()) <= _FEW_PRODUCTS:
        return look_through(store)
    return branch(store, carried, tolerance, nodes=nodes)


class AllLog:
    """The log of a store that is looked through: nothing need be written down."""

    size = 0

    def replay(self, store: Store, *, full: bool = True) -> float:  # noqa: ARG002 (it has no smaller part)
        """Return the value of the best assortment."""
        return look_through(store).bound


def look_through(store: Store) -> StoreBound:
    """Return the best of all assortments of a store that can carry at least one, and its value as the bound."""
    free = np.flatnonzero(store.may & ~store.must)
    picks = np.tile(store.must, (2 ** len(free), 1))
    picks[:, free] = (np.arange(2 ** len(free))[:, None] >> np.arange(len(free))) & 1
    sums = picks @ store.matrix.T
    fits = ((sums <= store.high + store.tolerance) & (sums >= store.low - store.tolerance)).all(axis=1)
    total = 1 + picks @ store.pull.T
    values = (picks @ store.earned.T / total) @ store.weight - picks @ store.cost
    values -= store.charges.of_each(picks)
    best = int(np.where(fits, values, -np.inf).argmax())
    size = store.weight.sum() * np.abs(store.worth).max() + np.abs(store.cost).sum() + store.charges.most
    return StoreBound(float(values[best] + _ROUNDING * size), picks[best], True, len(picks), AllLog())


def trivial_bound(store: Store) -> float:
    """Return a bound that needs no programme: every occasion buys the best product, only paid listings are made."""
    best = np.where(store.may, store.worth, 0.0).max(initial=0.0)
    paid = np.where(store.must, -store.cost, np.maximum(0.0, -store.cost))[store.may | store.must].sum()
    return float((store.weight.sum() * best + paid) + _OUTWARD * (abs(best) * store.weight.sum() + abs(paid)))


def branch(store: Store, carried: Mask, tolerance: float, *, nodes: int) -> StoreBound:
    """Bound the value of a store by relaxation, narrowing and branching; parameters as for `prove`."""
    trivial, proof = trivial_bound(store), Proof(store, carried, tolerance)
    if trivial > proof.cutoff:
        proof.run(nodes)
    bound = min(proof.bound, trivial)
    return StoreBound(bound, proof.best, bound <= proof.cutoff, proof.count, proof.log)
