"""Moves of the chain: list a product, delist one, swap two, the same for the core; tried on the stores they touch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.chain.draft import Draft, limited_store, marginal_values, rules_hold
from assortment.optimiser.store.own_rows import can_be_core
from assortment.optimiser.store.search import search
from assortment.optimiser.store.store import Store
from assortment.optimiser.workers import Clock

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Moves of each core group that may fail one after the other.
_TRIED = 6
_PROMISE_SHARE = 0.05


@dataclass(frozen=True)
class Move:
    """A change of what the chain lists or holds as core; -1 for none.

    Parameters
    ----------
    promise
        What it is worth at the marginal values of the plan.
    delisted, listed
        A product that leaves all stores, and one that enters.
    released, made
        A core product that need not stand everywhere in its core group any more, and one that must.
    group
        The core group whose core changes.
    """

    promise: float
    delisted: int = -1
    listed: int = -1
    released: int = -1
    made: int = -1
    group: int = 0

    @property
    def products(self) -> frozenset[int]:
        """The products that move."""
        return frozenset({self.delisted, self.listed, self.released, self.made} - {-1})


def moves_that_help(problem: Problem, stores: list[Store], draft: Draft, *, gap: float, clock: Clock) -> Draft | None:
    """Return the plan after all of the most promising moves that help, one after the other, or ``None``.

    Moves that promise next to nothing against the ``gap`` asked for are not tried, nor is one that touches a product
    that has moved already: what it promises is out of date.
    """
    margins = np.array(
        [marginal_values(limited_store(problem, store, s, draft), draft.carried[s]) for s, store in enumerate(stores)]
    )
    value, least = draft.value(problem), _PROMISE_SHARE * gap * abs(draft.value(problem))
    moves = sorted(_moves(problem, draft, margins), key=lambda move: -move.promise)
    better, gone, failed = None, set[int](), 0
    for move in moves:
        if clock.expired or move.promise <= least or failed >= _TRIED * problem.C:
            break
        if gone & move.products:
            continue
        moved = _moved(problem, stores, better or draft, margins, move)
        if moved is not None and moved.value(problem) > value + 1e-9 * abs(value):
            better, value, failed = moved, moved.value(problem), 0
            gone |= move.products
        else:
            failed += 1
    return better


def _moves(problem: Problem, draft: Draft, margins: Floats) -> Iterator[Move]:
    own = problem.product_cost + problem.local_product_cost
    keep = (np.maximum(0.0, margins) * draft.carried).sum(axis=0) - own
    enter = np.array([_listing_worth(problem, margins, j) for j in range(problem.N)]) - own
    leaving = np.flatnonzero(draft.local & ~problem.required.any(axis=0))
    for j in leaving:
        yield Move(-float(keep[j]), delisted=int(j))
    for i in np.flatnonzero(~draft.carried.any(axis=0) & np.isfinite(enter)):
        yield Move(float(enter[i]), listed=int(i))
        for j in leaving[np.argsort(keep[leaving], kind="stable")[:3]]:
            yield Move(float(enter[i] - keep[j]), delisted=int(j), listed=int(i))
    for c, candidates in enumerate(can_be_core(problem)):
        yield from _core_moves(problem, draft, margins, c, candidates)


def _core_moves(problem: Problem, draft: Draft, margins: Floats, c: int, candidates: Mask) -> Iterator[Move]:
    """Yield the moves of the core of group ``c``; ``candidates``, (N,), may be core there."""
    loss = np.maximum(0.0, -margins[problem.core_group == c]).sum(axis=0)
    # What is core of another group too is no local product, whatever happens in this one.
    elsewhere: Mask = np.any(np.delete(draft.core, c, axis=0), axis=0)
    own = np.where(elsewhere, 0.0, problem.local_product_cost)
    least, most = problem.rules.core_min, problem.rules.core_max
    size, inside = int(draft.core[c].sum()), np.flatnonzero(draft.core[c])
    listed: Mask = np.any(draft.carried, axis=0)
    for i in np.flatnonzero(candidates & ~draft.core[c]):
        if listed[i] and (most is None or size < most):
            yield Move(float(own[i] - loss[i]), made=int(i), group=c)
        for j in inside:
            yield Move(float(loss[j] - loss[i]), released=int(j), made=int(i), group=c)
    if size > least:
        for j in inside:
            yield Move(float(loss[j] - own[j]), released=int(j), group=c)


def _listing_worth(problem: Problem, margins: Floats, j: int) -> float:
    """Return what listing a product promises in the stores that want it most, at least so many as it needs."""
    worth = np.sort(margins[problem.allowed[:, j], j])[::-1]
    least = int(problem.min_stores[j])
    if len(worth) < least:
        return -np.inf
    return float(worth[:least].sum() + np.maximum(0.0, worth[least:]).sum())


def _moved(problem: Problem, stores: list[Store], draft: Draft, margins: Floats, move: Move) -> Draft | None:
    """Return the plan after a move, or ``None`` when a store cannot follow or a rule breaks."""
    before, draft = draft, draft.copy()
    must, gone = np.zeros_like(draft.carried), np.zeros(problem.N, bool)
    touched = np.zeros(problem.S, bool)
    if move.listed >= 0:
        can = problem.allowed[:, move.listed]
        order = np.argsort(-np.where(can, margins[:, move.listed], -np.inf), kind="stable")
        must[order[: problem.min_stores[move.listed]], move.listed] = True
        must[:, move.listed] |= can & (margins[:, move.listed] > 0)
    group = problem.core_group == move.group
    if move.made >= 0:
        draft.core[move.group, move.made] = True
        must[group, move.made] = True
    if move.released >= 0:
        draft.core[move.group, move.released] = False
        touched |= group & (margins[:, move.released] < 0)
    if move.delisted >= 0:
        gone[move.delisted] = True
        touched |= draft.carried[:, move.delisted]
    touched |= (must & ~draft.carried).any(axis=1)
    for s in np.flatnonzero(touched):
        own = limited_store(problem, stores[s], int(s), draft)
        # The product that moves is judged by the whole move, not by how many stores have followed so far.
        own = dataclasses.replace(own, must=(own.must | must[s]) & ~gone, may=(own.may | must[s]) & ~gone)
        found = search(own, before.carried[s], rounds=1)
        if found is None:
            return None
        draft.carried[s] = found
    return draft if rules_hold(problem, draft) else None
