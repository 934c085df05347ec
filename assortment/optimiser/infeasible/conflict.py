"""Conflicts of stores that could each obey the rules alone: a smallest set of rules and stores, and the ways out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.infeasible.alone import Conflict, in_their_order, rules_in_order
from assortment.optimiser.infeasible.master import Line
from assortment.optimiser.infeasible.mends import Way, share_given
from assortment.optimiser.infeasible.store_rows import Part
from assortment.optimiser.infeasible.together import Asked, Found, Together, is_small

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# How much more than the relaxation's least is tried: whole numbers, further off after an open question, and shares of
# centimetres.
_MORE = (0.0, 1.0, 2.0, 4.0, 8.0)
_FURTHER = (2.0, 8.0, 24.0)
_MORE_SHELF = (1e-3, 0.05, 0.2, 0.6)
_NEARLY = 2e-3
# Most places (stores × products) for which a plan is sought with each way out; it takes a programme for every store.
_PLACES_MOST = 100_000
# Rules that give at single places, or by a share that only a plan shows.
_BY_PLACES = frozenset({"allowed", "required"})
_NO_NUMBER = _BY_PLACES | {"local_share"}
# Stores of a conflict that only whole picks show are sought among so many at most.
_STORES_MOST = 12


@dataclass(frozen=True, eq=False)
class Settled:
    """Whether stores can obey limits together: a plan, a conflict, or, with neither, undecided."""

    plan: Found | None = None
    conflict: Conflict | None = None


def settle(together: Together, asked: Asked, *, whole: bool = True) -> Settled:
    """Decide whether all stores asked can keep all limits asked; without ``whole`` picks by the relaxation alone."""
    verdict = together.relaxation(asked)
    if verdict.choice is None:
        return Settled(conflict=_Search(together, asked, whole=False).conflict()) if verdict.lines else Settled()
    plan, certain = together.plan(asked) if whole else (None, False)
    if plan is None and certain:
        return Settled(conflict=_Search(together, asked, whole=True).conflict())
    return Settled(plan)


class _Search:
    """The search for a smallest conflict among what is asked, which is known to be impossible."""

    def __init__(self, together: Together, asked: Asked, *, whole: bool) -> None:
        self._together, self._asked, self._whole = together, asked, whole

    def conflict(self) -> Conflict | None:
        """Return a smallest conflict; of whole picks in a larger chain the rules without which there is a plan."""
        if self._whole and not is_small(self._together.problem):
            return self._necessary()
        _, lines = self._impossible(self._asked.on, self._asked.stores)
        # Most stores of a large chain have no part in it.
        self._near = self._asked.stores if lines is None else _stores_in(lines)
        parts = self._without_idle_rules(self._asked.on, lines)
        while True:
            names = rules_in_order(part.rule for part in parts)
            ways = {name: self._way(name, parts) for name in names}
            # The relaxation has no whole picks: a rule without which they are impossible too is not part of it.
            idle = [name for name, way in ways.items() if way is None]
            if not idle or len(names) == 1:
                break
            parts = frozenset(part for part in parts if part.rule != idle[0])
            self._near, self._whole = self._asked.stores, True
        stores = self._smallest_stores(parts)
        small = self._smallest_parts(parts, stores)
        given = tuple(way for way in ways.values() if way is not None)
        return Conflict(in_their_order(names), stores, small, given, together=True)

    def _necessary(self) -> Conflict | None:
        asked = self._asked
        names = rules_in_order(part.rule for part in asked.on)
        ways = {name: least_way(self._together, Asked(asked.on, asked.stores, name)) for name in names}
        given = tuple(way for way in ways.values() if way is not None and way.checked)
        if not given:
            return None
        rules = {way.rule for way in given}
        parts = frozenset(part for part in asked.on if part.rule in rules)
        return Conflict(in_their_order(rules), (), parts, given, together=True, smallest=False)

    def _way(self, name: str, parts: frozenset[Part]) -> Way | None:
        """Return how one rule must give: for all rules to hold if it can, else for those of the conflict."""
        unchecked = None
        for on in (self._asked.on, parts):
            way = least_way(self._together, Asked(on, self._asked.stores, name))
            if way is not None and way.checked:
                return way
            unchecked = way or unchecked
        if is_large(self._together.problem):
            return unchecked
        rest = frozenset(part for part in parts if part.rule != name)
        plan, certain = self._together.plan(Asked(rest, self._asked.stores))
        return None if plan is None and certain else unchecked or Way(name, least=False, checked=False)

    def _without_idle_rules(self, parts: frozenset[Part], lines: tuple[Line, ...] | None) -> frozenset[Part]:
        for name in rules_in_order(part.rule for part in parts):
            rest = frozenset(part for part in parts if part.rule != name)
            if lines is not None and not any(part.rule == name for line in lines for part in line.parts):
                parts = rest
                continue
            impossible, found = self._impossible(rest, self._near)
            if impossible:
                parts, lines = rest, found
        return parts

    def _smallest_stores(self, parts: frozenset[Part]) -> tuple[int, ...]:
        """Leave out stores, many at a time at first, as long as the rest is impossible."""
        stores = self._near
        _, lines = self._impossible(parts, stores)
        if lines is not None:
            stores = _stores_in(lines)
        elif len(stores) > _STORES_MOST:
            return ()
        size = max(1, len(stores) // 2)
        while stores:
            at = 0
            while at < len(stores):
                rest = stores[:at] + stores[at + size :]
                impossible, found = self._impossible(parts, rest)
                if impossible:
                    stores = rest if found is None else tuple(s for s in rest if s in set(_stores_in(found)))
                else:
                    at += size
            if size == 1:
                break
            size //= 2
        return stores

    def _smallest_parts(self, parts: frozenset[Part], stores: tuple[int, ...]) -> frozenset[Part]:
        stores = stores or self._asked.stores
        _, lines = self._impossible(parts, stores)
        for part in sorted(parts):
            rest = parts - {part}
            if lines is not None and not any(part in line.parts for line in lines):
                parts = rest
                continue
            impossible, found = self._impossible(rest, stores)
            if impossible:
                parts, lines = rest, found
        return parts

    def _impossible(self, parts: frozenset[Part], stores: tuple[int, ...]) -> tuple[bool, tuple[Line, ...] | None]:
        """Return whether the stores cannot keep the limits, and the lines that show it, if lines do."""
        asked = Asked(parts, stores)
        verdict = self._together.relaxation(asked)
        if verdict.choice is None and verdict.lines:
            return True, verdict.lines
        if not self._whole:
            return False, None
        plan, certain = self._together.plan(asked)
        return plan is None and certain, None


def _stores_in(lines: Iterable[Line]) -> tuple[int, ...]:
    return tuple(sorted({s for line in lines for s in line.stores}))


def is_large(problem: Problem) -> bool:
    """Return whether a programme of whole picks for every store takes too long to be asked often."""
    return problem.S * problem.N > _PLACES_MOST


def least_way(together: Together, asked: Asked) -> Way | None:
    """Return the least that the soft rule must give for the stores to keep all limits; ``None``: nothing helps.

    The way is ``checked`` when a plan was found; else the relaxation alone says that less does not help.
    """
    if asked not in together.ways:
        together.ways[asked] = _least_way(together, asked)
    return together.ways[asked]


def _least_way(together: Together, asked: Asked) -> Way | None:
    verdict = together.relaxation(asked)
    if verdict.choice is None:
        return None
    shelf, further = asked.soft == "shelf", list(_FURTHER)
    # Nothing given is what is known to be impossible, or not known to be possible.
    least = ruled_out = verdict.bound if shelf else max(1.0, float(np.ceil(verdict.bound - 1e-6)))
    steps = [] if is_large(together.problem) else list(_MORE_SHELF if shelf else _MORE)
    while steps:
        more = steps.pop(0)
        budget = least * (1 + more) if shelf else least + more
        plan, certain = together.plan(asked, budget=budget)
        if plan is not None:
            way = _way(together.problem, asked, plan, least=budget <= ruled_out)
            # Of centimetres those that the plan takes count, up to what the relaxation leaves open.
            enough = shelf and sum(way.gives.values()) <= least * (1 + 1e-6) + _NEARLY
            return dataclasses.replace(way, least=enough) if shelf else way
        if certain and not shelf:
            ruled_out = budget + 1
        elif not certain and not shelf:
            # An open question is dear; the next is asked further off.
            steps = further[:1] if not further or further[0] > more else []
            further = further[1:]
    given = verdict.choice.given
    gives = {key: amount if shelf else float(np.ceil(amount - 1e-3)) for key, amount in given.items() if amount > 1e-3}
    if len(gives) == 1:
        gives = dict.fromkeys(gives, ruled_out)
    return Way(asked.soft, {} if asked.soft in _NO_NUMBER else gives, checked=False)


def _way(problem: Problem, asked: Asked, plan: Found, *, least: bool) -> Way:
    places: set[tuple[int, int]] = set()
    for s, carried in plan.carried.items():
        wrong = {"allowed": carried & ~problem.allowed[s], "required": problem.required[s] & ~carried}
        if asked.soft in wrong:
            places |= {(s, int(j)) for j in np.flatnonzero(wrong[asked.soft])}
    gives = {key: amount for key, amount in plan.given.items() if amount > 1e-6}
    if asked.soft == "shelf":
        over = {s: float(problem.space_cm[s] @ carried - problem.shelf_cm[s]) for s, carried in plan.carried.items()}
        gives = {(Part("shelf"), s): amount for s, amount in over.items() if amount > 1e-6}
    if asked.soft == "local_share":
        stores = list(plan.carried)
        core = plan.core.sum(axis=1)[problem.core_group[stores]]
        gives = share_given(problem, np.array([plan.carried[s].sum() for s in stores]), core.astype(float))
        least = False
    return Way(asked.soft, {} if asked.soft in _BY_PLACES else gives, frozenset(places), least)
