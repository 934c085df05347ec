"""A proven bound on the value of every plan of the chain, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.chain.coupling import Coupling, Prices
from assortment.optimiser.chain.draft import marginal_values
from assortment.optimiser.chain.prices import Pieces, first_prices, polish_prices
from assortment.optimiser.store.bound import StoreBound, prove, trivial_bound
from assortment.optimiser.store.log import StoreLog
from assortment.optimiser.store.search import search
from assortment.optimiser.store.store import Store

if TYPE_CHECKING:
    from assortment.optimiser.chain.draft import Draft
    from assortment.optimiser.chain.programme import ChainProgramme
    from assortment.optimiser.problem.problem import Problem
    from assortment.optimiser.workers import Clock, Workers

# The part of the gap asked for that the prices may leave open. A step of the prices costs far less than looking closer
# at every store, so the stores get most of the gap.
_PRICE_SHARE = 0.3
# The part of what is then left that may be spent on not looking closer at single stores, and the least of the gap.
_STORE_SHARE = 0.9
_STORE_SHARE_LEAST = 0.2
_ROUNDS = 2
_STEPS = 16
_NODES = 60


@dataclass(frozen=True, eq=False)
class Certificate:
    """What a bound rests on: prices, the duals of the shared part, and a proven bound of each store at these prices.

    Parameters
    ----------
    prices
        Of the rules that tie stores together.
    duals
        Of the rows of the shared part.
    store_bounds
        What each store can earn at most at the prices, (S,).
    logs
        What the store bounds rest on, (S,); see `replay`. ``None``: on nothing but `trivial_bound`.
    """

    prices: Prices
    duals: Floats
    store_bounds: Floats
    logs: tuple[StoreLog | None, ...]

    def bound(self, problem: Problem) -> float:
        """Return the bound on the chain that follows, in plain arithmetic."""
        return self.total(self.shared(problem), self.store_bounds)

    def shared(self, problem: Problem) -> float:
        """Return the bound on the shared part that follows from its duals."""
        return Coupling(problem).bound(self.prices, self.duals)

    @staticmethod
    def total(shared: float, store_bounds: Floats) -> float:
        """Return the bound on the chain from that on the shared part and those on the stores, (S,)."""
        # Every part is a bound already; the sum is rounded up.
        size = abs(shared) + np.abs(store_bounds).sum()
        return float(shared + store_bounds.sum() + 1e-15 * (2 + len(store_bounds)) * size)


def trivial_certificate(problem: Problem, stores: list[Store]) -> Certificate:
    """Return a certificate that needs no work: no prices, every occasion buys the best product of the store."""
    prices = Prices(np.zeros((problem.S, problem.N)), np.zeros((problem.S, problem.N)), np.zeros(problem.N))
    _, duals = Coupling(problem).solve(prices)
    return Certificate(prices, duals, np.array([trivial_bound(store) for store in stores]), (None,) * len(stores))


def certify(
    problem: Problem,
    stores: list[Store],
    draft: Draft,
    free: Mask,
    programme: ChainProgramme | None,
    *,
    gap: float,
    team: Workers,
    clock: Clock,
) -> Certificate:
    """Return the best certificate found: prices first as they come, then polished when the gap asks for it.

    Parameters
    ----------
    problem, stores, draft
        The problem, its stores and the plan to be judged.
    free
        What each store would carry alone, (S, N).
    programme
        The chain's linear programme, or ``None`` for a chain too large for it.
    gap
        The relative gap asked for.
    team, clock
        Who works, and when to stop.
    """
    value = draft.value(problem)
    enough = value + gap * abs(value)
    coupling = Coupling(problem)
    pieces = Pieces(stores)
    pieces.add(free)
    pieces.add(draft.carried)
    prices = _start(problem, stores, draft, free, programme)
    best = trivial_certificate(problem, stores)
    target = value + _PRICE_SHARE * gap * abs(value)
    for _ in range(_ROUNDS):
        prices, lowest = polish_prices(
            coupling, stores, prices, pieces, target=target, steps=_STEPS, team=team, clock=clock
        )
        slack = max(_STORE_SHARE * (enough - lowest), _STORE_SHARE_LEAST * gap * abs(value))
        found = _proven(problem, coupling, stores, prices, pieces, slack=slack, team=team, clock=clock)
        best = min(best, found, key=lambda item: item.bound(problem))
        # A proof may have found assortments that the search had missed; then the prices can improve once more.
        if best.bound(problem) <= enough or clock.expired:
            break
    return best


def _start(problem: Problem, stores: list[Store], draft: Draft, free: Mask, programme: ChainProgramme | None) -> Prices:
    if programme is not None:
        prices = programme.prices(np.array([store.gains(draft.carried[s]) for s, store in enumerate(stores)]))
        if prices is not None:
            return prices
    return first_prices(problem, np.array([marginal_values(store, free[s]) for s, store in enumerate(stores)]), draft)


def _proven(
    problem: Problem,
    coupling: Coupling,
    stores: list[Store],
    prices: Prices,
    pieces: Pieces,
    *,
    slack: float,
    team: Workers,
    clock: Clock,
) -> Certificate:
    paid, tolerance = prices.per_store, slack / problem.S
    tasks = [(store.priced(paid[s]), pieces.best(s, paid[s]), tolerance) for s, store in enumerate(stores)]
    proofs = list(team.map_until(clock, _prove_store, tasks, _unproven))
    pieces.add(proof.carried for proof in proofs)
    _, duals = coupling.solve(prices)
    bounds, logs = np.array([proof.bound for proof in proofs]), tuple(proof.log for proof in proofs)
    return Certificate(prices, duals, bounds, logs)


def _prove_store(task: tuple[Store, Mask, float]) -> StoreBound:
    store, start, tolerance = task
    found = search(store, start, rounds=2)
    return prove(store, start if found is None else found, tolerance, nodes=_NODES)


def _unproven(task: tuple[Store, Mask, float]) -> StoreBound:
    return StoreBound(trivial_bound(task[0]), task[1], closed=False, nodes=0)
