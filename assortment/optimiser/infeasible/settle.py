"""settle: whether stores that could each obey the rules alone can do so together; else a conflict with ways out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.infeasible.conflict import Conflict, filtered, needed_ways, rules_in_order
from assortment.optimiser.infeasible.master import Line
from assortment.optimiser.infeasible.relaxation import BY_PLACE, Way, share_given
from assortment.optimiser.infeasible.store_rows import Part
from assortment.optimiser.infeasible.together import Asked, Found, Together, is_small

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# How much more than the relaxation's least is tried: whole numbers, shares of centimetres; and how often the room
# between an open question and a plan is halved.
_MORE = (0.0, 1.0, 2.0, 4.0, 8.0)
_HALVED = 3
_MORE_SHELF = (1e-3, 0.05, 0.2, 0.6)
_NEARLY = 2e-3
# Most places (stores × products) for which a plan is sought with each way out; it takes a programme for every store.
_PLACES_MOST = 100_000
# Rules that give at single places, or by a share that only a plan shows.
_NO_NUMBER = BY_PLACE | {"local_share"}
# Most stores of a conflict of which each is held to be needed, by whole picks of the others.
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
    """The search for an irreducible conflict among what is asked, which is known to be impossible.

    ``whole``: only whole picks show that.
    """

    def __init__(self, together: Together, asked: Asked, *, whole: bool) -> None:
        self._together, self._asked, self._whole = together, asked, whole
        # Most stores of a large chain have no part in it: those that have.
        self._near = asked.stores

    def conflict(self) -> Conflict | None:
        """Return a conflict; of whole picks in a larger chain the rules without which there is a plan."""
        if self._whole and not is_small(self._together.problem):
            return self._necessary()
        _, lines = self._impossible(self._asked.on, self._asked.stores)
        self._near = self._asked.stores if lines is None else _stores_in(lines)
        rules = rules_in_order(part.rule for part in self._asked.on)
        used = set(rules) if lines is None else _rules_in(lines)
        found = filtered([name for name in rules if name in used], self._impossible_rules)
        ways = needed_ways(list(found), self._way)
        if len(ways) < len(found):
            # The relaxation shows more rules than whole picks need.
            self._near, self._whole = self._asked.stores, True
        parts = self._of([way.rule for way in ways])
        stores, needed = self._stores(parts)
        small = self._smallest_parts(parts, stores)
        irreducible = needed and all(way.checked for way in ways)
        return Conflict(stores, small, tuple(ways), together=True, irreducible=irreducible)

    def _necessary(self) -> Conflict | None:
        asked = self._asked
        names = rules_in_order(part.rule for part in asked.on)
        ways = [least_way(self._together, Asked(asked.on, asked.stores, name)) for name in names]
        given = tuple(way for way in ways if way is not None and way.checked)
        parts = self._of([way.rule for way in given])
        return Conflict((), parts, given, together=True, complete=False) if given else None

    def _of(self, rules: Iterable[str]) -> frozenset[Part]:
        names = set(rules)
        return frozenset(part for part in self._asked.on if part.rule in names)

    def _way(self, rules: list[str], name: str) -> Way | None:
        """Return how one rule must give: for all rules to hold if it can, else for those of the conflict."""
        unchecked = None
        for on in (self._asked.on, self._of(rules)):
            way = least_way(self._together, Asked(on, self._asked.stores, name))
            if way is not None and way.checked:
                return way
            unchecked = way or unchecked
        if is_large(self._together.problem):
            return unchecked
        rest = self._of(other for other in rules if other != name)
        plan, certain = self._together.plan(Asked(rest, self._asked.stores))
        return None if plan is None and certain else unchecked or Way(name, least=False, checked=False)

    def _impossible_rules(self, names: tuple[str, ...]) -> tuple[bool, set[str] | None]:
        impossible, lines = self._impossible(self._of(names), self._near)
        return impossible, None if lines is None else _rules_in(lines)

    def _stores(self, parts: frozenset[Part]) -> tuple[tuple[int, ...], bool]:
        """Return stores that cannot keep limits, and whether they can without any one of them, as whole picks show."""

        def impossible(stores: tuple[int, ...]) -> tuple[bool, tuple[int, ...] | None]:
            shown, lines = self._impossible(parts, stores)
            return shown, None if lines is None else _stores_in(lines)

        _, used = impossible(self._near)
        if used is None and len(self._near) > _STORES_MOST:
            return (), False
        stores = filtered(self._near if used is None else used, impossible, size=max(1, len(used or ()) // 2))
        if len(stores) > _STORES_MOST:
            return stores, False
        left, certain = stores, True
        for s in stores:
            rest = tuple(other for other in left if other != s)
            plan, known = self._together.plan(Asked(parts, rest))
            left = rest if plan is None and known else left
            certain &= known
        return left, certain

    def _smallest_parts(self, parts: frozenset[Part], stores: tuple[int, ...]) -> frozenset[Part]:
        def impossible(rest: tuple[Part, ...]) -> tuple[bool, set[Part] | None]:
            shown, lines = self._impossible(frozenset(rest), stores or self._asked.stores)
            return shown, None if lines is None else {part for line in lines for part in line.parts}

        return frozenset(filtered(sorted(parts), impossible))

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


def _rules_in(lines: Iterable[Line]) -> set[str]:
    return {part.rule for line in lines for part in line.parts}


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
    shelf, most, unknown = asked.soft == "shelf", max(together.problem.S, together.problem.N), 0.0
    # Nothing given is what is known to be impossible, or not known to be possible.
    least = ruled_out = verdict.bound if shelf else max(1.0, float(np.ceil(verdict.bound - 1e-6)))
    steps = [] if is_large(together.problem) or least == 0 else list(_MORE_SHELF if shelf else _MORE)
    while steps:
        more = steps.pop(0)
        budget = least * (1 + more) if shelf else least + more
        plan, certain = together.plan(asked, budget=budget)
        if plan is not None:
            plan = _halved(together, asked, unknown, budget, plan) if unknown else plan
            way = _way(together.problem, asked, plan, least=budget <= ruled_out)
            # Of centimetres those that the plan takes count, up to what the relaxation leaves open.
            enough = shelf and sum(way.gives.values()) <= least * (1 + 1e-6) + _NEARLY
            return dataclasses.replace(way, least=enough) if shelf else way
        if certain and not shelf:
            ruled_out = budget + 1
        elif not certain and not shelf:
            # An open question is dear; the next is asked further off.
            unknown = budget
            steps = [4 * more + 4] if least + 4 * more + 4 <= most else []
    given = verdict.choice.given
    gives = {key: amount if shelf else float(np.ceil(amount - 1e-3)) for key, amount in given.items() if amount > 1e-3}
    if len(gives) == 1:
        gives = dict.fromkeys(gives, ruled_out)
    return Way(asked.soft, {} if asked.soft in _NO_NUMBER else gives, checked=False)


def _halved(together: Together, asked: Asked, unknown: float, budget: float, plan: Found) -> Found:
    """Return a plan that takes less of ``budget``, as far as halving the room above what is not known finds one."""
    for _ in range(_HALVED):
        middle = float((unknown + budget) // 2)
        found = together.plan(asked, budget=middle)[0] if middle > unknown else None
        unknown, budget, plan = (middle, budget, plan) if found is None else (unknown, middle, found)
    return plan


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
    return Way(asked.soft, {} if asked.soft in BY_PLACE else gives, frozenset(places), least)
