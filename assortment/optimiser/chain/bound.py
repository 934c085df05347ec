"""A proven bound on the value of every plan of the chain, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.chain.branches import Branches, Part
from assortment.optimiser.chain.coupling import Coupling, Prices
from assortment.optimiser.chain.draft import marginal_values
from assortment.optimiser.chain.fixing import Fixing
from assortment.optimiser.chain.prices import Pieces, first_prices, polish_prices
from assortment.optimiser.store.bound import StoreBound, prove, replay, trivial_bound
from assortment.optimiser.store.log import StoreLog
from assortment.optimiser.store.search import search
from assortment.optimiser.store.store import Store

if TYPE_CHECKING:
    from assortment.optimiser.chain.draft import Draft
    from assortment.optimiser.chain.programme import ChainProgramme
    from assortment.optimiser.problem.problem import Problem
    from assortment.optimiser.workers import Clock, Workers

# The part of the gap asked for that the prices may leave open. A changed plan is to be there soon, and what is known of
# it already is near enough more often.
_PRICE_SHARE, _PRICE_SHARE_KNOWN = 0.2, 0.6
# And the part that may be spent on not looking closer at single stores. Most close at the root, however little is
# asked; the rest of the gap is for the few that do not close at all.
_STORE_SHARE = 0.15
# Prices are polished once more when proofs find assortments that are worth this part of the gap more.
_FOUND_SHARE = 0.1
_ROUNDS = 2
_STEPS = 16
# Most boxes of a store, and of all: a chain of few stores looks closer.
_NODES = 150
_NODES_OF_ALL = 6_000


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
    branches
        Parts of all plans with a certificate each, where they prove more together; the rest then stands for all plans
        as they were before they were split.

    Of a part in which stores carry the same for certain, ``store_bounds`` and ``logs`` have one place for all of these;
    see `Fixing.blocks`.
    """

    prices: Prices
    duals: Floats
    store_bounds: Floats
    logs: tuple[StoreLog | None, ...]
    branches: Branches | None = None

    @classmethod
    def of(cls, prices: Prices, duals: Floats, proofs: Sequence[StoreBound]) -> Certificate:
        """Return the certificate that ``proofs``, one per store, make at ``prices``."""
        bounds = np.array([proof.bound for proof in proofs])
        return cls(prices, duals, bounds, tuple(proof.log for proof in proofs))

    def bound(self, problem: Problem) -> float:
        """Return the bound on the chain that follows, in plain arithmetic; infinite where parts are missing."""
        try:
            return max(part.bound for part in self.parts(problem))
        except ProblemError:
            return np.inf

    def parts(self, problem: Problem) -> Iterator[Part]:
        """Yield the parts of all plans and what was proven of each.

        Raises
        ------
        ProblemError
            When they leave plans out.
        """
        if self.branches is not None:
            yield from self.branches.parts(problem)
        else:
            yield Part(Fixing.none(problem), Coupling(problem), self)

    @staticmethod
    def total(shared: float, store_bounds: Floats) -> float:
        """Return the bound on the chain from that on the shared part and those on the stores, (S,)."""
        if np.isneginf(store_bounds).any():
            return -np.inf  # there is no plan
        # Every part is a bound already; the sum is rounded up.
        size = abs(shared) + np.abs(store_bounds).sum()
        return float(shared + store_bounds.sum() + 1e-15 * (2 + len(store_bounds)) * size)


def trivial_certificate(problem: Problem, stores: list[Store]) -> Certificate:
    """Return a certificate that needs no work: no prices, every occasion buys the best product of the store."""
    prices = Prices(np.zeros((problem.S, problem.N)), np.zeros((problem.S, problem.N)), np.zeros(problem.N))
    _, duals = Coupling(problem).solve(prices)
    return Certificate(prices, duals, np.array([trivial_bound(store) for store in stores]), (None,) * len(stores))


@dataclass(frozen=True, eq=False)
class Proven:
    """What was proven before, of the same stores and products but maybe other numbers and rules.

    Parameters
    ----------
    certificate
        What it rests on.
    stores
        The stores then.
    """

    certificate: Certificate
    stores: list[Store]

    def logs(self, stores: list[Store]) -> list[StoreLog | None]:
        """Return the log of each store, ``None`` where it cannot be read for the store as it is now."""
        return [
            log if _alike(old, store) else None
            for log, old, store in zip(self.certificate.logs, self.stores, stores, strict=True)
        ]


def _alike(old: Store, store: Store) -> bool:
    return old.pull.shape == store.pull.shape and old.matrix.shape == store.matrix.shape


def certify(
    problem: Problem,
    stores: list[Store],
    draft: Draft,
    free: Mask,
    programme: ChainProgramme | None,
    *,
    gap: float,
    least: Certificate,
    known: Proven | None,
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
    least
        A certificate that is there already; the better one is returned.
    known
        An earlier proof. Its steps are worked out again with the stores as they are now, so whatever follows is true;
        only stores of which too little follows are proven anew.
    team, clock
        Who works, and when to stop.
    """
    value = draft.value(problem)
    slack = gap * abs(value)
    proof = _ChainProof(problem, stores, _STORE_SHARE * slack / problem.S, team, clock)
    proof.pieces.add(free)
    proof.pieces.add(draft.carried)
    best, share = least, _PRICE_SHARE
    logs: Sequence[StoreLog | None] = [None] * problem.S
    if known is None:
        prices = _start(problem, stores, draft, free, programme)
    else:
        prices, logs, share = known.certificate.prices, known.logs(stores), _PRICE_SHARE_KNOWN
        best = proof.again(prices, logs, value + slack)
        if clock.expired or proof.bound(best) <= value + slack:
            return best
    target = value + share * slack
    for _ in range(_ROUNDS):
        prices = polish_prices(
            proof.coupling, stores, prices, proof.pieces, target=target, steps=_STEPS, team=team, clock=clock
        )
        found, gained = proof.anew(prices, logs)
        logs = found.logs
        best = min(best, found, key=proof.bound)
        # A proof may have found assortments that the search had missed; then the prices can improve once more.
        # The clock first: where it stopped a worker's proof it must be known here.
        if clock.expired or proof.bound(best) <= value + slack or gained < _FOUND_SHARE * slack:
            break
    return best


def _start(problem: Problem, stores: list[Store], draft: Draft, free: Mask, programme: ChainProgramme | None) -> Prices:
    if programme is not None:
        prices = programme.prices(np.array([store.gains(draft.carried[s]) for s, store in enumerate(stores)]))
        if prices is not None:
            return prices
    return first_prices(problem, np.array([marginal_values(store, free[s]) for s, store in enumerate(stores)]), draft)


class _Task(NamedTuple):
    """A store to be proven.

    Parameters
    ----------
    store
        The store at its prices.
    start
        The best assortment known, (N,).
    tolerance
        How close to that is near enough.
    nodes
        Most boxes to look at.
    clock
        When to stop; ``None``: not before it is proven or has looked at so many boxes.
    known
        The log of an earlier proof to begin from; ``None``: none.
    """

    store: Store
    start: Mask
    tolerance: float
    nodes: int
    clock: Clock | None
    known: StoreLog | None = None


class _ChainProof:
    """Proofs of all stores at given prices, and what they found.

    Parameters
    ----------
    problem, stores
        The problem and its stores.
    tolerance
        How close to its best known assortment each store is proven.
    team, clock
        Who works, and when to stop.
    """

    def __init__(self, problem: Problem, stores: list[Store], tolerance: float, team: Workers, clock: Clock) -> None:
        self.coupling, self.pieces = Coupling(problem), Pieces(stores)
        self._stores, self._tolerance, self._team, self._clock = stores, tolerance, team, clock

    def bound(self, certificate: Certificate) -> float:
        """Return the bound of a certificate, without stating the shared part anew."""
        return certificate.total(self.coupling.bound(certificate.prices, certificate.duals), certificate.store_bounds)

    def anew(self, prices: Prices, logs: Sequence[StoreLog | None]) -> tuple[Certificate, float]:
        """Return the certificate at ``prices``, and by how much the proofs' assortments beat those known before.

        Proofs begin with the steps of ``logs``, (S,), as far as there are any.
        """
        tasks = self._tasks(prices, logs)
        proofs = list(self._team.map_until(self._clock, _prove_store, tasks, _unproven))
        gained = sum(
            task.store.value(proof.carried) - task.store.value(task.start)
            for task, proof in zip(tasks, proofs, strict=True)
        )
        self.pieces.add(proof.carried for proof in proofs)
        return self._certificate(prices, proofs), gained

    def again(self, prices: Prices, logs: Sequence[StoreLog | None], enough: float) -> Certificate:
        """Return the certificate at ``prices``, from the steps of ``logs``, (S,), and anew where too little follows."""
        tasks = self._tasks(prices, logs)
        proofs = list(self._team.map(_replay_store, tasks))
        certificate = self._certificate(prices, proofs)
        excess = np.array([self._excess(task, proof) for task, proof in zip(tasks, proofs, strict=True)])
        while not self._clock.expired:
            chosen = _fewest(excess, self.bound(certificate) - enough)
            if len(chosen) == 0:
                break
            more = [tasks[s]._replace(start=proofs[s].carried) for s in chosen]
            anew = self._team.map_until(self._clock, _prove_alone, more, _unproven)
            for s, proof in zip(chosen, anew, strict=True):
                proofs[s] = min(proofs[s], proof, key=lambda item: item.bound)
            excess[chosen] = 0.0
            certificate = self._certificate(prices, proofs)
        self.pieces.add(proof.carried for proof in proofs)
        return certificate

    def _excess(self, task: _Task, proof: StoreBound) -> float:
        """Return what a proof that closes would take off a bound, at most."""
        return max(0.0, proof.bound - task.store.value(proof.carried) - self._tolerance)

    def _tasks(self, prices: Prices, logs: Sequence[StoreLog | None]) -> list[_Task]:
        paid, nodes = prices.per_store, max(_NODES, _NODES_OF_ALL // len(self._stores))
        clock = self._team.clock_of(self._clock)
        return [
            _Task(store.priced(paid[s]), self.pieces.best(s, paid[s]), self._tolerance, nodes, clock, logs[s])
            for s, store in enumerate(self._stores)
        ]

    def _certificate(self, prices: Prices, proofs: list[StoreBound]) -> Certificate:
        return Certificate.of(prices, self.coupling.solve(prices)[1], proofs)


def _fewest(excess: Floats, missing: float) -> Ints:
    """Return the fewest stores whose ``excess``, (S,), makes up for what is missing; none when all of it would not."""
    order = np.argsort(-excess, kind="stable")
    total = np.cumsum(excess[order])
    if missing <= 0 or total[-1] < missing:
        return order[:0]
    return order[: int(np.searchsorted(total, missing)) + 1]


def _prove_store(task: _Task) -> StoreBound:
    found = search(task.store, task.start, rounds=2)
    return _prove_alone(task if found is None else task._replace(start=found))


def _prove_alone(task: _Task) -> StoreBound:
    return prove(task.store, task.start, task.tolerance, nodes=task.nodes, clock=task.clock, known=task.known)


def _replay_store(task: _Task) -> StoreBound:
    found = search(task.store, task.start, rounds=2, wide=True)
    carried = task.start if found is None else found
    bound = replay(task.store, task.known)
    return StoreBound(bound, carried, bound <= task.store.value(carried) + task.tolerance, 0, task.known)


def _unproven(task: _Task) -> StoreBound:
    return StoreBound(trivial_bound(task.store), task.start, closed=False, nodes=0)
