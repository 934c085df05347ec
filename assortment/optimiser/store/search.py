"""The best assortment of one store that a search finds: linearised programmes, then adding, dropping and swapping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.programme.linear import LinearProgram, Polytope, safe_maximum
from assortment.optimiser.store.store import Store

_ROUNDS = 6
_RESTARTS = 3
_GRADIENTS = 8
# Products left open after the relaxation, those nearest to indifference: as many as a small programme decides in a
# millisecond. All others are decided by the relaxation, which is nearly always right about them.
_OPEN = 24
_NODES = 200
_GAP = 1e-4
_MOVES = 400
# From so many rounds on suppliers are sent away or let come, and how often one more.
_TURNING_ROUNDS = 2
_TURNS = 3


def search(store: Store, start: Mask | None = None, *, rounds: int = _ROUNDS, wide: bool = False) -> Mask | None:
    """Return a good assortment of ``store``, (N,), or ``None`` when nothing obeys its rules.

    Parameters
    ----------
    store
        The store.
    start
        Where to linearise first; need not obey the rules. Never returns less than its value when it does.
    rounds
        Most linearised programmes between two climbs; 0 only adds, drops and swaps, from a start that must obey the
        rules. With 2 and more whole suppliers are weighed too.
    wide
        Whether to begin a second time, near the best of all fractional assortments. Where prices make many products
        nearly indifferent, the first search is often trapped: four in ten stores, by a hundredth of a per cent.
    """
    begin = store.must if start is None else start
    best = begin if store.fits(begin) else None
    if rounds == 0:
        return None if best is None else climb(store, best)
    linearised = _Linearised(store)
    best = _search_from(linearised, begin, best, rounds)
    if best is not None and wide:
        for other in linearised.near_fractional(best):
            best = _search_from(linearised, other, best, rounds)
    return best if best is None or rounds < _TURNING_ROUNDS else _suppliers_turned(store, best)


def _search_from(linearised: _Linearised, begin: Mask, best: Mask | None, rounds: int) -> Mask | None:
    """Return the best of ``best`` and what linearising and climbing from ``begin`` reach."""
    store = linearised.store
    reached = begin if store.fits(begin) else None
    for _ in range(_RESTARTS):
        last = reached
        for candidate in linearised.rounds(begin, rounds):
            if reached is None or store.value(candidate) > store.value(reached):
                reached = candidate
        if reached is None:
            return best
        reached = begin = climb(store, reached)
        # The climb may have left the last linearisation behind.
        if last is not None and store.value(reached) <= store.value(last):
            break
    better = reached is not None and (best is None or store.value(reached) > store.value(best))
    return reached if better else best


def _suppliers_turned(store: Store, carried: Mask) -> Mask:
    """Return ``carried`` improved by sending whole suppliers away, or letting them come, as long as that helps.

    What no single product pays for may pay for several.
    """
    charges = store.charges
    for _ in range(_TURNS if len(charges.delivery) else 0):
        turned = []
        for f in range(len(charges.delivery)):
            own = charges.supplier_of == f
            there = bool((own & carried).any())
            free = replace(charges, delivery=np.where(np.arange(len(charges.delivery)) == f, 0.0, charges.delivery))
            other = store.limited(may=~own) if there else replace(store, charges=free)
            start = carried & ~own if there else carried
            if other.fits(start):
                turned.append(climb(store, climb(other, start)))
        best = max(turned, key=store.value, default=carried)
        if store.value(best) <= store.value(carried):
            break
        carried = best
    return carried


class _Linearised:
    """The store with its value held linear: the relaxation decides most products, a small programme the rest.

    Parameters
    ----------
    store
        The store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._polytope = store.polytope
        self._N = len(store.cost)
        self._free = (self._polytope.lower < self._polytope.upper)[: self._N]
        self._relaxation = LinearProgram(self._polytope)

    def rounds(self, carried: Mask, rounds: int) -> Iterator[Mask]:
        """Yield the optimum of the linearised store, linearised again there, until it repeats."""
        seen = {carried.tobytes()}
        for _ in range(rounds):
            found = self._optimum(self.store.objective(self.store.gains(carried)))
            if found is None:
                return
            carried = found
            # HiGHS may pass a row by its tolerance; such a pick is no candidate.
            if self.store.fits(carried):
                yield carried
            if carried.tobytes() in seen:
                return
            seen.add(carried.tobytes())

    def near_fractional(self, carried: Mask) -> Iterator[Mask]:
        """Yield assortments near the best fractional one that conditional gradients from ``carried`` lead to.

        Frank and Wolfe, Naval Research Logistics Quarterly 1956.
        """
        x = carried.astype(float)
        for step in range(_GRADIENTS):
            answer = self._relaxation.maximise(self.store.objective(self.store.slopes(x)))
            if answer.columns is None:
                return
            x += 2 / (step + 3) * (answer.columns[: len(x)] - x)
        for gains in (self.store.slopes(x), self.store.gains(x)):
            found = self._optimum(self.store.objective(gains))
            if found is not None and self.store.fits(found):
                yield found

    def _optimum(self, cost: Floats) -> Mask | None:
        answer = self._relaxation.maximise(cost)
        if answer.columns is None or answer.duals is None:
            return None
        x = answer.columns[: self._N]
        whole = np.abs(x - np.round(x)) < 1e-6
        if whole.all():
            picks: Mask = x > 0.5
            return picks
        _, reduced = safe_maximum(cost, self._polytope, answer.duals)
        doubt = np.where(whole, np.abs(reduced[: self._N]), -1.0)
        order = np.argsort(np.where(self._free, doubt, np.inf), kind="stable")[: int(self._free.sum())]
        for count in (_OPEN, len(order)):
            found = self._decided(cost, np.round(x), np.sort(order[:count]))
            if found is not None or count >= len(order):
                return found
        return None

    def _decided(self, cost: Floats, x: Floats, open_: Ints) -> Mask | None:
        """Return the best choice of the products ``open_`` with all others as in ``x``; ``None`` when none obeys."""
        every = self._polytope
        # What the charges add to the products is open too, and whole or not of itself.
        columns = np.append(open_, np.arange(self._N, len(cost)))
        fixed = np.append(x, np.zeros(len(cost) - self._N))
        fixed[columns] = 0.0
        matrix = every.matrix[:, columns]
        # A row without open products is as the others make it.
        rows = matrix.any(axis=1)
        rest = (every.matrix @ fixed)[rows]
        part = Polytope(
            matrix[rows], every.low[rows] - rest, every.high[rows] - rest, every.lower[columns], every.upper[columns]
        )
        whole = np.arange(len(columns)) < len(open_)
        answer = LinearProgram(part, whole=whole, nodes=_NODES, gap=_GAP).maximise(cost[columns])
        if answer.columns is None:
            return None
        picks: Mask = x > 0.5
        picks[open_] = answer.columns[: len(open_)] > 0.5
        return picks


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
    pull_out, pull_in = _or_none(store.pull, inside), _or_none(store.pull, outside)
    earned_out, earned_in = _or_none(store.earned, inside), _or_none(store.earned, outside)
    total = 1 + store.pull[:, carried].sum(axis=1)
    earned = store.earned[:, carried].sum(axis=1)
    cost_out, cost_in = np.r_[0.0, store.cost[inside]], np.r_[0.0, store.cost[outside]]
    values = cost_out[:, None] - cost_in - float(store.weight @ (earned / total))
    for k, weight in enumerate(store.weight):
        top = weight * (earned[k] - earned_out[k])[:, None] + weight * earned_in[k]
        top /= np.maximum(total[k] - pull_out[k], 1.0)[:, None] + pull_in[k]
        values += top
    if store.charges:
        values -= store.charges.of_moves(carried, inside, outside)
    _forbid(store, carried, inside, outside, values)
    values[0, 0] = 0.0
    i, e = np.unravel_index(int(values.argmax()), values.shape)
    return int(inside[i - 1]) if i else -1, int(outside[e - 1]) if e else -1, float(values[i, e])


def _or_none(rows: Floats, products: Ints) -> Floats:
    return np.concatenate([np.zeros((len(rows), 1)), rows[:, products]], axis=1)


def _forbid(store: Store, carried: Mask, inside: Ints, outside: Ints, values: Floats) -> None:
    """Set the worth of the moves that a row forbids to minus infinity."""
    sums, tolerance = store.matrix @ carried, store.tolerance
    high, low = store.high + tolerance - sums, store.low - tolerance - sums
    left, entered = _or_none(store.matrix, inside), _or_none(store.matrix, outside)
    most = entered.max(axis=1) - left.min(axis=1)
    least = entered.min(axis=1) - left.max(axis=1)
    # Few rows are near an end; the others allow every move.
    for m in np.flatnonzero((most > high) | (least < low)):
        moved = entered[m] - left[m][:, None]
        values[(moved > high[m]) | (moved < low[m])] = -np.inf
