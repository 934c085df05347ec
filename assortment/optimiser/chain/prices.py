"""Prices at which free stores come close to a plan: a first guess, then the lowest bound in a box around the best.

The bound is a convex, piecewise linear function of the prices; every assortment that a store has been seen to choose
gives one of its pieces. A small linear programme over all pieces seen so far proposes prices near the best known
(boxstep method: Marsten, Hogan and Blankenship, Operations Research 1975), the stores answer with new assortments, and
the box shrinks when the proposal fails.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.chain.coupling import Coupling, Prices, piece_row
from assortment.optimiser.chain.draft import Draft
from assortment.optimiser.programme.linear import LinearProgram, Polytope
from assortment.optimiser.store.search import search
from assortment.optimiser.store.store import Store
from assortment.optimiser.workers import Clock, Workers

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_FIRST_RADIUS = 0.06
_GOOD_STEP = 0.5
_POOR_STEP = 0.1


def first_prices(problem: Problem, margins: Floats, draft: Draft) -> Prices:
    """Return prices from the marginal values of free stores, (S, N), no higher than it takes.

    A product that is core is paid for where it is not wanted; one that is not core only up to what the dearest core
    product costs. A listed product pays its own cost, and where products are counted also what the best one left out
    would earn.
    """
    core, listed_price = np.maximum(0.0, -margins), np.maximum(0.0, margins)
    for c in range(problem.C):
        stores = problem.core_group == c
        total = core[stores].sum(axis=0)
        dearest = total[draft.core[c]].max(initial=0.0)
        core[stores] *= np.divide(dearest, total, out=np.ones_like(total), where=total > dearest)
    own = problem.product_cost + np.where(draft.core.any(axis=0), 0.0, problem.local_product_cost)
    total = listed_price.sum(axis=0)
    left_out = ~draft.carried.any(axis=0)
    counted = problem.rules.products_max is not None or problem.rules.local_products_max is not None
    best_left = max(0.0, float((total - own)[left_out].max(initial=0.0))) if counted else 0.0
    wanted = np.maximum(0.0, own + best_left)
    listed_price *= np.divide(wanted, total, out=np.ones_like(total), where=total > wanted)
    return Prices(core, listed_price, np.zeros(problem.N))


class Pieces:
    """The assortments that each store has been seen to choose, each with its value without prices.

    Parameters
    ----------
    stores
        The stores, without prices.
    """

    def __init__(self, stores: list[Store]) -> None:
        self._stores = stores
        self._seen: list[dict[bytes, tuple[Mask, float]]] = [{} for _ in stores]

    def add(self, carried: Iterable[Mask]) -> None:
        """Take in one assortment, (N,), of each store."""
        for seen, store, picks in zip(self._seen, self._stores, carried, strict=True):
            if store.fits(picks):
                seen[picks.tobytes()] = (picks.copy(), store.value(picks))

    def best(self, s: int, price: Floats) -> Mask:
        """Return the assortment of store ``s`` that is best at ``price``, (N,)."""
        return max(self._seen[s].values(), key=lambda item: item[1] + float(price[item[0]].sum()))[0]

    def rows(self) -> tuple[sparse.csr_matrix, Floats]:
        """Return bound of store − prices paid ≥ value, as rows over [store bounds (S), prices], and the values."""
        S, N = len(self._stores), len(self._stores[0].cost)
        rows: list[Ints] = []
        columns: list[Ints] = []
        signs: list[Floats] = []
        values: list[float] = []
        for s, seen in enumerate(self._seen):
            for picks, value in seen.values():
                numbers, ones = piece_row(s, S, [s], picks, S)
                rows.append(np.full(len(numbers), len(values)))
                columns.append(numbers)
                signs.append(ones)
                values.append(value)
        places = (np.concatenate(rows), np.concatenate(columns))
        shape = (len(values), S + 2 * S * N + N)
        return sparse.csr_matrix((np.concatenate(signs), places), shape=shape), np.array(values)


def polish_prices(
    coupling: Coupling,
    stores: list[Store],
    start: Prices,
    pieces: Pieces,
    *,
    target: float,
    steps: int,
    team: Workers,
    clock: Clock,
) -> Prices:
    """Return prices with a lower bound than ``start`` has, as far as the stores are searched, not proven.

    Parameters
    ----------
    coupling, stores
        The shared part and the stores without prices.
    start
        Prices to begin from.
    pieces
        Assortments seen; at least one per store; grows.
    target
        A bound that is low enough: stops there.
    steps
        Most proposals.
    team, clock
        Who searches the stores, and when to stop.
    """
    best, lowest = start, _searched(coupling, stores, start, pieces, team)
    radius = _FIRST_RADIUS
    scale = _scale(stores, pieces, start)
    for _ in range(steps):
        if lowest <= target or clock.expired:
            break
        proposal, promised = _propose(coupling, pieces, best, radius * scale)
        if proposal is None or lowest - promised <= 1e-9 * abs(lowest):
            break
        reached = _searched(coupling, stores, proposal, pieces, team)
        if lowest - reached > _GOOD_STEP * (lowest - promised):
            radius *= 1.5
        elif lowest - reached <= _POOR_STEP * (lowest - promised):
            radius *= 0.5
        if reached < lowest:
            best, lowest = proposal, reached
    return best


def _searched(coupling: Coupling, stores: list[Store], prices: Prices, pieces: Pieces, team: Workers) -> float:
    """Return the relaxation's value at ``prices`` with the assortments that a search finds, and take those in."""
    paid = prices.per_store
    tasks = [(store.priced(paid[s]), pieces.best(s, paid[s])) for s, store in enumerate(stores)]
    found = list(team.map(_search, tasks))
    pieces.add(found)
    values = [task[0].value(picks) for task, picks in zip(tasks, found, strict=True)]
    return coupling.solve(prices)[0] + float(sum(values))


def _search(task: tuple[Store, Mask]) -> Mask:
    found = search(task[0], task[1], rounds=1, wide=True)
    return task[1] if found is None else found


def _scale(stores: list[Store], pieces: Pieces, prices: Prices) -> Floats:
    """Return how large a step of each price is large: the size of the gains of its store."""
    sizes = []
    for s, store in enumerate(stores):
        gains = np.abs(store.gains(pieces.best(s, prices.per_store[s])))
        sizes.append(gains + gains.mean())
    size = np.array(sizes)
    return np.concatenate([size.ravel(), size.ravel(), size.mean(axis=0)])


def _propose(coupling: Coupling, pieces: Pieces, centre: Prices, radius: Floats) -> tuple[Prices | None, float]:
    """Return the prices within the box that are best for all pieces seen, and the bound they promise."""
    S, N = centre.core.shape
    flat = centre.flat
    duals = coupling.dual_cost
    V, D = len(coupling.fixed_cost), len(duals)
    # Columns: a bound per store; the prices; the duals of the shared part.
    lower = np.concatenate([np.full(S, -np.inf), np.maximum(0.0, flat - radius), np.zeros(D)])
    upper = np.concatenate([np.full(S, np.inf), flat + radius, coupling.dual_ends(np.inf)])
    cost = np.concatenate([np.ones(S), np.zeros(len(flat)), duals])
    shared = sparse.hstack([sparse.csr_matrix((V, S)), coupling.dual_matrix])
    rows, values = pieces.rows()
    seen = sparse.hstack([rows, sparse.csr_matrix((len(values), D))])
    low = np.concatenate([coupling.fixed_cost, values])
    high = np.concatenate([coupling.fixed_cost, np.full(len(values), np.inf)])
    answer = LinearProgram(Polytope(sparse.vstack([shared, seen]).tocsr(), low, high, lower, upper)).maximise(-cost)
    if answer.columns is None:
        return None, np.inf
    return Prices.from_flat(answer.columns[S : S + len(flat)], S, N), float(cost @ answer.columns)
