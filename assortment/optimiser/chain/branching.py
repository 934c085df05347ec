"""Branching: where the prices of all plans together leave a gap, plans are split into parts that each close.

First on what is core or listed, as either ties all stores together, then on what single stores carry and which stores
are alike. A part is closed when its bound is no more than the best plan is worth and the gap asked for.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.chain.bound import Certificate
from assortment.optimiser.chain.branches import Branches
from assortment.optimiser.chain.coupling import Coupling, Prices
from assortment.optimiser.chain.draft import Draft
from assortment.optimiser.chain.fixing import Decision, Fixing, Kind
from assortment.optimiser.chain.menu import BOXES, FoundMenu, Menu
from assortment.optimiser.chain.price_programme import PriceProgramme, Proposal
from assortment.optimiser.rules.audit import audit
from assortment.optimiser.store.bound import prove
from assortment.optimiser.store.log import FEW_PRODUCTS, StoreLog
from assortment.optimiser.store.store import Store

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem
    from assortment.optimiser.workers import Clock

# Most parts to look at, and most rounds of prices in each.
_PARTS = 400
_ROUNDS = 60
# Where stores are proven in each round: stores × products × parts, rounds of prices, and the least parts that pay.
_WORK = 6_000
_PROOF_ROUNDS = 12
_PARTS_LEAST = 10
# After half of the parts branching goes on only where less than this share of what was missing is missing still.
_TRIAL_SHARE = 0.5
_HOPELESS = 0.9
# Most assortments of all stores together, to look through in each round.
_PICKS_MOST = 40_000
# More stores than this are not split by which are alike: there would be too many ways.
_ALIKE_MOST = 6
# Stores are proven as close as this share of what is near enough.
_STORE_SHARE = 0.1
# The programme's unit of money is no less than this share of the bound there is.
_UNIT_SHARE = 1e-3
# Prices end at so many times all that the chain could earn or pay: where no plan is left the bound falls without end.
_CAP = 10.0
_WHOLE = 1e-6
_CONVERGED = 1e-9


def parts_most(problem: Problem) -> int:
    """Return how many parts of all plans are worth looking at; 0: the chain is too large for branching to pay."""
    most = problem.rules.assortments_max
    if most is not None and most < problem.S and problem.S > _ALIKE_MOST:
        return 0
    if _few(problem):
        return _PARTS
    parts = _WORK // (problem.S * problem.N)
    return parts if parts >= _PARTS_LEAST else 0


def _few(problem: Problem) -> bool:
    """Whether stores have so few products that each round can look through all their assortments."""
    free = (problem.allowed & ~problem.required).sum(axis=1)
    return bool(free.max() <= FEW_PRODUCTS) and int((2**free).sum()) <= _PICKS_MOST


def branched(
    problem: Problem,
    stores: list[Store],
    draft: Draft,
    certificate: Certificate,
    *,
    slack: float,
    clock: Clock,
) -> tuple[Certificate, Draft]:
    """Return a certificate that proves no less than ``certificate``, and a plan that is no worse than ``draft``.

    Parameters
    ----------
    problem, stores, draft
        The problem, its stores and a plan that obeys every rule.
    certificate
        What is proven of all plans together.
    slack
        How far above the plan's value a bound may be to be near enough.
    clock
        When to stop.
    """
    tree = _Tree(problem, stores, draft, certificate, slack=slack, clock=clock)
    tree.grow()
    return tree.certificate(), tree.draft


@dataclass(eq=False)
class _Node:
    """A part of all plans.

    Parameters
    ----------
    fixing
        What is decided in it.
    bound
        What is known of it.
    prices, duals
        What the bound rests on.
    proven
        What has been proven of it at these prices, if anything.
    logs
        Those of the part that it is a half of, to begin its proofs from.
    decision, halves
        How it is split, and the parts in which the answer is no and yes.
    """

    fixing: Fixing
    bound: float
    prices: Prices
    duals: Floats
    proven: Certificate | None = None
    logs: tuple[StoreLog | None, ...] = ()
    decision: Decision | None = None
    halves: tuple[_Node, ...] = ()

    def ordered(self) -> list[_Node]:
        """Return this part and all below it, each before those that it is split into."""
        ordered, left = list[_Node](), [self]
        # A tree may be deeper than functions may call themselves.
        while left:
            ordered.append(left.pop())
            left += reversed(ordered[-1].halves)
        return ordered


class _Tree:
    """All plans, split as far as it takes.

    Parameters
    ----------
    problem, stores, draft, certificate, slack, clock
        As for `branched`.
    """

    def __init__(
        self,
        problem: Problem,
        stores: list[Store],
        draft: Draft,
        certificate: Certificate,
        *,
        slack: float,
        clock: Clock,
    ) -> None:
        self.draft, self.value = draft, draft.value(problem)
        self._problem, self._stores, self._slack, self._clock = problem, stores, slack, clock
        self._whole, self._coupling = certificate, Coupling(problem)
        self._known = certificate.bound(problem)
        self._range = sum(
            float(store.weight.sum() * np.abs(store.worth).max() + np.abs(store.cost).sum()) + store.charges.most
            for store in stores
        ) + float(np.abs(self._coupling.fixed_cost) @ self._coupling.polytope.upper)
        self._root = _Node(Fixing.none(problem), np.inf, certificate.prices, certificate.duals)
        self._menus = dict[bytes, Menu]()

    @property
    def _enough(self) -> float:
        return self.value + self._slack

    def grow(self) -> None:
        """Split parts, those with the highest bound first, until all are closed or enough were looked at."""
        open_, pushed = [(-np.inf, 0, self._root)], 0
        most, few = parts_most(self._problem), _few(self._problem)
        for count in range(most):
            if not open_ or -open_[0][0] <= self._enough or self._clock.expired:
                break
            missing = -open_[0][0] - self._enough
            tried = not few and count == int(_TRIAL_SHARE * most)
            if tried and missing > _HOPELESS * (self._root.bound - self._enough):
                break
            node = heapq.heappop(open_)[2]
            node.decision = self._look(node)
            if node.decision is None:
                continue
            logs = () if node.proven is None else node.proven.logs
            node.halves = tuple(
                _Node(node.fixing.decided(node.decision, answer), node.bound, node.prices, node.duals, logs=logs)
                for answer in (False, True)
            )
            for half in node.halves:
                pushed += 1
                heapq.heappush(open_, (-half.bound, pushed, half))

    def certificate(self) -> Certificate:
        """Return what has been proven."""
        nodes = self._root.ordered()
        decisions = tuple(node.decision for node in nodes)
        leaves = tuple(self._proven(node) for node in nodes if node.decision is None)
        found = replace(self._whole, branches=Branches(decisions, leaves))
        return found if found.bound(self._problem) < self._known else self._whole

    def _proven(self, node: _Node) -> Certificate | None:
        """Return what is proven of a part, of one with few products only now: its bound was known without."""
        if node.fixing.empty or node.proven is not None:
            return node.proven
        menu, paid = self._menu(node.fixing), node.fixing.paid(node.prices.per_store)
        own = node.fixing.stores(self._stores)
        menu.within(own)
        # Blocks of stores may have been joined since; a log says nothing of another store, and does no harm.
        logs = node.logs if len(node.logs) == len(own) else (None,) * len(own)
        proofs = [
            prove(store.priced(price), menu.best(b, price), self._tolerance, nodes=BOXES, clock=self._clock, known=log)
            for b, (store, price, log) in enumerate(zip(own, paid, logs, strict=True))
        ]
        return Certificate.of(node.prices, node.duals, proofs)

    @property
    def _tolerance(self) -> float:
        return _STORE_SHARE * self._slack / self._problem.S

    def _look(self, node: _Node) -> Decision | None:
        """Bound a part; say how to split it, or ``None`` when it is closed or nothing is left to decide."""
        fixing = node.fixing
        if fixing.empty:
            node.bound = -np.inf
            return None
        coupling, menu = self._coupling.within(fixing), self._menu(fixing)
        menu.within(fixing.stores(self._stores))
        few, proposal = not isinstance(menu, FoundMenu), None
        near = _CONVERGED if few else 2 * _STORE_SHARE
        prices, duals = node.prices, node.duals
        for _ in range(_ROUNDS if few else _PROOF_ROUNDS):
            if self._clock.expired:
                return None
            reached = coupling.bound(prices, duals) + menu.taste(fixing.paid(prices.per_store))
            if reached < node.bound:
                node.bound, node.prices, node.duals = reached, prices, duals
                node.proven = Certificate.of(prices, duals, menu.proofs) if isinstance(menu, FoundMenu) else None
            if node.bound <= self._enough:
                return None
            if proposal is not None and reached - proposal.promise <= near * self._slack + _CONVERGED * abs(reached):
                break
            found = menu.programme.solve(coupling)
            if found is None:
                break
            proposal, prices, duals = found, found.prices, found.duals
        return None if proposal is None else self._question(node, proposal, menu)

    def _menu(self, fixing: Fixing) -> Menu:
        key = fixing.first.tobytes()
        if key not in self._menus:
            whole = replace(Fixing.none(self._problem), first=fixing.first)
            unit = max(1e-12, abs(self.value), _UNIT_SHARE * abs(self._known)) / self._problem.S
            programme = PriceProgramme(self._coupling, fixing.blocks, unit, _CAP * self._range)
            own = whole.stores(self._stores)
            few = _few(self._problem)
            self._menus[key] = Menu(programme, own) if few else FoundMenu(programme, own, self._tolerance)
        return self._menus[key]

    def _question(self, node: _Node, proposal: Proposal, menu: Menu) -> Decision | None:
        """Take the plan that the proposal points to if it is better, and say what to decide, if anything."""
        fixing, C, N = node.fixing, self._problem.C, self._problem.N
        core = proposal.shared[: C * N].reshape(C, N)
        listed = proposal.shared[(C + (C > 1)) * N :][:N]
        carried, heaviest = menu.carried(proposal.shares)
        firsts = np.array([block[0] for block in fixing.blocks])
        picks = heaviest[np.searchsorted(firsts, fixing.first)]
        self._try(Draft(picks, core > 0.5))
        if node.bound <= self._enough:
            return None
        questions = (
            (Kind.CORE, core, fixing.maybe_core & ~fixing.core),
            (Kind.LISTED, listed[None], (fixing.maybe_listed & ~fixing.listed)[None]),
            (Kind.CARRIED, carried[np.searchsorted(firsts, fixing.first)], fixing.may & ~fixing.must),
        )
        broken = [(kind, np.where(open_, np.minimum(share, 1 - share), -1.0)) for kind, share, open_ in questions]
        undecided = [(kind, np.where(open_, share, -1.0)) for kind, share, open_ in questions]
        return (
            self._unlike(fixing, picks)
            or next((_largest(kind, share) for kind, share in broken if share.max() > _WHOLE), None)
            # All is whole, but a rule that the prices leave out is broken: it holds once this is decided.
            or next((_largest(kind, share) for kind, share in undecided if share.max() >= 0), None)
        )

    def _unlike(self, fixing: Fixing, picks: Mask) -> Decision | None:
        """Ask of the first two stores for which it is open whether they carry the same, where too few may differ."""
        most, firsts = self._problem.rules.assortments_max, np.unique(fixing.first)
        if most is None or len(firsts) <= most:
            return None
        for i, s in enumerate(firsts):
            earlier = [int(t) for t in firsts[:i] if not fixing.apart[s, t]]
            if earlier:
                return Decision(Kind.ALIKE, min(earlier, key=lambda t: int((picks[s] != picks[t]).sum())), int(s))
        return None

    def _try(self, draft: Draft) -> None:
        value = draft.value(self._problem)
        if value > self.value and not audit(self._problem, draft.carried, draft.core_by_store(self._problem)):
            self.draft, self.value = draft, value


def _largest(kind: Kind, shares: Floats) -> Decision:
    place, product = np.unravel_index(shares.argmax(), shares.shape)
    return Decision(kind, int(place), int(product))
