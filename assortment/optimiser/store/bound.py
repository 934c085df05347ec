"""A proven bound on what one store can earn, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assortment.optimiser.arrays import Mask
from assortment.optimiser.store.log import StoreLog
from assortment.optimiser.store.proof import Proof
from assortment.optimiser.store.store import Store
from assortment.optimiser.workers import Clock

_OUTWARD = 1e-9


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


def prove(
    store: Store,
    carried: Mask,
    tolerance: float,
    *,
    nodes: int,
    clock: Clock | None = None,
    known: StoreLog | None = None,
) -> StoreBound:
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
        Most boxes to look at. A box with few free products is looked through instead, assortment by assortment.
    clock
        When to stop, read between boxes.
    known
        The log of an earlier proof, of the store with other prices or limits, to begin from.
    """
    trivial, proof = trivial_bound(store), Proof(store, carried, tolerance, known)
    if trivial > proof.cutoff:
        proof.run(nodes, clock)
    bound = min(proof.bound, trivial)
    return StoreBound(bound, proof.best, bound <= proof.cutoff, proof.count, proof.log)


def replay(store: Store, log: StoreLog | None, *, full: bool = True) -> float:
    """Return the bound on ``store`` that follows from a log, or from none, without a solver.

    Parameters
    ----------
    store
        The store, with the prices that it was proven with.
    log
        The log of its `StoreBound`.
    full
        Whether to replay every step; else those of the root alone, which give a weaker bound where a store was split.
    """
    trivial = trivial_bound(store)
    return trivial if log is None else min(trivial, log.replay(store, full=full))


def trivial_bound(store: Store) -> float:
    """Return a bound that needs no programme: every occasion buys the best product, only paid listings are made."""
    best = np.where(store.may, store.worth, 0.0).max(initial=0.0)
    paid = np.where(store.must, -store.cost, np.maximum(0.0, -store.cost))[store.may | store.must].sum()
    return float((store.weight.sum() * best + paid) + _OUTWARD * (abs(best) * store.weight.sum() + abs(paid)))
