"""The best assortment of one store that a search finds: linearised programmes, then adding, dropping and swapping."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assortment.optimiser.arrays import Ints, Mask
from assortment.optimiser.programme.linear import LinearProgram
from assortment.optimiser.store.store import Store

_ROUNDS = 6
_RESTARTS = 3
_NODES = 200
_GAP = 1e-4
_MOVES = 400


def search(store: Store, start: Mask | None = None, *, rounds: int = _ROUNDS) -> Mask | None:
    """Return a good assortment of ``store``, (N,), or ``None`` when nothing obeys its rules.

    Parameters
    ----------
    store
        The store.
    start
        Where to linearise first; need not obey the rules. Never returns less than its value when it does.
    rounds
        Most linearised programmes; 0 only adds, drops and swaps, from a start that must obey the rules.
    """
    begin = store.must if start is None else start
    best = climb(store, begin) if store.fits(begin) else None
    for _ in range(_RESTARTS if rounds else 0):
        reached = best
        for candidate in _linearised(store, begin, rounds):
            if reached is None or store.value(candidate) > store.value(reached):
                reached = candidate
        if reached is None:
            return None
        reached = climb(store, reached)
        if best is not None and store.value(reached) <= store.value(best):
            return best
        # The climb may have left the last linearisation behind.
        best = begin = reached
    return best


def _linearised(store: Store, carried: Mask, rounds: int) -> Iterator[Mask]:
    """Yield the optimum of the linearised store, linearised again there, until it repeats."""
    if rounds == 0:
        return
    programme = LinearProgram(store.polytope, whole=np.ones(len(store.cost), bool), nodes=_NODES, gap=_GAP)
    seen = {carried.tobytes()}
    for _ in range(rounds):
        answer = programme.maximise(store.gains(carried))
        if answer.columns is None:
            return
        carried = answer.columns > 0.5
        # HiGHS may pass a row by its tolerance; such a pick is no candidate.
        if store.fits(carried):
            yield carried
        if carried.tobytes() in seen:
            return
        seen.add(carried.tobytes())


def climb(store: Store, carried: Mask) -> Mask:
    """Return ``carried`` improved by the best add, drop or swap until none helps; it must obey the rules."""
    carried = carried.copy()
    value = store.value(carried)
    for _ in range(_MOVES):
        leaving, entering, gain = _best_move(store, carried)
        if gain <= 1e-12 * max(1.0, abs(value)):
            return carried
        moved = carried.copy()
        if leaving >= 0:
            moved[leaving] = False
        if entering >= 0:
            moved[entering] = True
        reached = store.value(moved)
        # The gain is a difference of rounded numbers; only a value that truly rises is taken, so this ends.
        if reached <= value or not store.fits(moved):
            return carried
        carried, value = moved, reached
    return carried


def _best_move(store: Store, carried: Mask) -> tuple[int, int, float]:
    """Return the product that leaves, the one that enters (-1: none) and the gain of the best feasible move."""
    inside, outside = np.flatnonzero(carried & ~store.must), np.flatnonzero(~carried & store.may)
    # Position 0 stands for "none", so that adds, drops and swaps are one table.
    pull_out = np.concatenate([np.zeros((len(store.weight), 1)), store.pull[:, inside]], axis=1)
    pull_in = np.concatenate([np.zeros((len(store.weight), 1)), store.pull[:, outside]], axis=1)
    total = 1 + store.pull[:, carried].sum(axis=1)
    earned = store.pull[:, carried] @ store.worth[carried]
    worth_out, worth_in = np.r_[0.0, store.worth[inside]], np.r_[0.0, store.worth[outside]]
    cost_out, cost_in = np.r_[0.0, store.cost[inside]], np.r_[0.0, store.cost[outside]]
    values = cost_out[:, None] - cost_in[None, :]
    for k, weight in enumerate(store.weight):
        top = earned[k] - (pull_out[k] * worth_out)[:, None] + (pull_in[k] * worth_in)[None, :]
        bottom = total[k] - pull_out[k][:, None] + pull_in[k][None, :]
        values += weight * (top / np.maximum(bottom, 1.0) - earned[k] / total[k])
    values[~_feasible(store, carried, inside, outside)] = -np.inf
    values[0, 0] = 0.0
    i, e = np.unravel_index(int(values.argmax()), values.shape)
    return int(inside[i - 1]) if i else -1, int(outside[e - 1]) if e else -1, float(values[i, e])


def _feasible(store: Store, carried: Mask, inside: Ints, outside: Ints) -> Mask:
    sums, tolerance = store.matrix @ carried, store.tolerance
    left = np.concatenate([np.zeros((len(sums), 1)), store.matrix[:, inside]], axis=1)
    entered = np.concatenate([np.zeros((len(sums), 1)), store.matrix[:, outside]], axis=1)
    moved = sums[:, None, None] - left[:, :, None] + entered[:, None, :]
    high, low = store.high + tolerance, store.low - tolerance
    feasible: Mask = np.all((moved <= high[:, None, None]) & (moved >= low[:, None, None]), axis=0)
    return feasible
