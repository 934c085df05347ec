"""Stores that cannot obey the rules even if they stood alone: a smallest conflict of each, and how to end it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Mask
from assortment.optimiser.infeasible.mends import CHAIN, Way, share_given
from assortment.optimiser.infeasible.store_programme import Box, Cut, StoreProgramme
from assortment.optimiser.infeasible.store_rows import CARRIED, Part, rows_of
from assortment.optimiser.rules.rule import RULES

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Which rules to leave out first when a conflict is made small: what is left is what a planner can change best.
_LEAVE_FIRST = ("allowed", "required", "local_per_store", "local_products_max", "products_max", "groups")
_LEAVE_LAST = ("changes_max", "core", "shelf")
# Conflicts of other stores that are tried before a new one is sought.
_KNOWN_TRIED = 3
# Rules whose limit is a setting of each store; all others are of the chain.
BY_STORE = frozenset({"shelf", "allowed", "required", "changes_max"})


@dataclass(frozen=True)
class Conflict:
    """Rules that one store, or some stores together, cannot obey.

    Parameters
    ----------
    rules
        Names; without any one of them the others can be kept.
    stores
        Numbers of the stores.
    parts
        The limits that make the conflict, at least one of each rule; empty while not sought.
    ways
        What each rule would have to give.
    together
        Whether each store could keep the rules alone.
    smallest
        Whether the rules are all that the conflict takes; else others have a part in it.
    """

    rules: tuple[str, ...]
    stores: tuple[int, ...]
    parts: frozenset[Part]
    ways: tuple[Way, ...]
    together: bool = False
    smallest: bool = True


def rules_in_order(names: Iterable[str]) -> list[str]:
    """Return rules in the order in which to try to leave them out."""
    given = dict.fromkeys(names)
    others = [name for name in given if name not in _LEAVE_FIRST + _LEAVE_LAST]
    return [name for name in (*_LEAVE_FIRST, *others, *_LEAVE_LAST) if name in given]


def in_their_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return rules in the order of ``RULES``."""
    given = set(names)
    return tuple(rule.name for rule in RULES if rule.name in given)


def conflicts_alone(problem: Problem, stores: Iterable[int]) -> list[Conflict]:
    """Return a conflict of each of ``stores`` that cannot obey its own rules, still without its parts.

    Linear programmes come first; only when they find nothing are whole picks tried, store by store.
    """
    open_stores: list[tuple[int, StoreProgramme]] = []
    found: list[Conflict] = []
    today, make = problem.rules.today, rows_of(problem)
    known: dict[tuple[str, ...], None] = {}
    for s in stores:
        programme, box = StoreProgramme(make(s)), Box.free(problem.N)
        if today is not None and programme.holds(today[s], programme.every, box):
            continue
        cut, near = programme.short(programme.every, box)
        if cut is not None:
            conflict = _Alone(problem, s, programme).conflict(cut, list(known))
            known = dict.fromkeys([conflict.rules, *known])
            found.append(conflict)
        elif not (programme.holds(near > 0.5, programme.every, box) or found):
            open_stores.append((s, programme))
    if found:
        return found
    for s, programme in open_stores:
        picks, certain = programme.picks(programme.every, Box.free(problem.N))
        if picks is None and certain:
            found.append(_Alone(problem, s, programme).conflict(None, []))
    return found


def with_parts(problem: Problem, conflict: Conflict) -> Conflict:
    """Return a conflict of one store with a smallest set of its limits."""
    if conflict.parts:
        return conflict
    (s,) = conflict.stores
    alone = _Alone(problem, s, StoreProgramme(rows_of(problem)(s)))
    return dataclasses.replace(conflict, parts=alone.smallest_parts(conflict.rules))


class _Alone:
    """One store that cannot obey its own rules."""

    def __init__(self, problem: Problem, s: int, programme: StoreProgramme) -> None:
        self._problem, self._s, self._programme = problem, s, programme
        self._box = Box.free(problem.N)
        self._rule_of = np.array([part.rule for part in programme.parts])

    def conflict(self, cut: Cut | None, known: list[tuple[str, ...]]) -> Conflict:
        """Return a smallest conflict; ``cut`` shows that there is one, without it whole picks do.

        Rules that are in conflict elsewhere, ``known``, are tried first: stores mostly have the same fault.
        """
        for names in known[:_KNOWN_TRIED]:
            rules = [name for name in names if name in self._rule_of]
            if self._impossible(self._of(rules), whole=False)[0]:
                ways = list(self._ways(rules))
                if all(way is not None for _, way in ways):
                    return self._told(rules, ways)
        rules = self._smallest_rules(cut)
        while True:
            ways = list(self._ways(rules))
            # A relaxation has no whole picks: a rule without which they are impossible too is not part of the conflict.
            idle = [name for name, way in ways if way is None]
            if not idle or len(rules) == 1:
                return self._told(rules, ways)
            rules.remove(idle[0])

    def smallest_parts(self, rules: Iterable[str]) -> frozenset[Part]:
        """Leave out one limit after the other as long as the rest is impossible."""
        on = self._of(rules)
        impossible, cut = self._impossible(on, whole=False)
        whole = not impossible
        for i in np.flatnonzero(on):
            rest = on.copy()
            rest[i] = False
            if cut is not None and cut.weights[i] == 0:
                on = rest
                continue
            impossible, found = self._impossible(rest, whole=whole)
            if impossible:
                on, cut = rest, found
        return frozenset(self._programme.parts[i] for i in np.flatnonzero(on))

    def _told(self, rules: list[str], ways: list[tuple[str, Way | None]]) -> Conflict:
        given = tuple(way for _, way in ways if way is not None)
        return Conflict(in_their_order(rules), (self._s,), frozenset(), given)

    def _of(self, rules: Iterable[str]) -> Mask:
        """The rows of some rules, (M,)."""
        return np.isin(self._rule_of, list(rules))

    def _smallest_rules(self, cut: Cut | None) -> list[str]:
        """Leave out one rule after the other as long as the rest is impossible."""
        whole = cut is None
        names = rules_in_order(name for name in self._rule_of if name != CARRIED.rule)
        for name in list(names):
            rest = [other for other in names if other != name]
            if cut is not None and not cut.weights[self._rule_of == name].any():
                names = rest
                continue
            impossible, found = self._impossible(self._of(rest), whole=whole)
            if impossible:
                names, cut = rest, found
        return names

    def _impossible(self, on: Mask, *, whole: bool) -> tuple[bool, Cut | None]:
        """Return whether no picks (fractions, or ``whole`` ones) obey the rows ``on``, and the cut that shows it."""
        cut, _ = self._programme.short(on, self._box)
        if cut is not None or not whole:
            return cut is not None, cut
        picks, certain = self._programme.picks(on, self._box)
        return picks is None and certain, None

    def _ways(self, rules: list[str]) -> Iterator[tuple[str, Way | None]]:
        s, programme, on = self._s, self._programme, self._of(rules)
        for name in rules:
            soft = on & (self._rule_of == name)
            least, certain = programme.least(on & ~soft, soft, self._box)
            if least is None:
                yield name, None if certain else Way(name, least=False, checked=False)
                continue
            at = s if name in BY_STORE else CHAIN
            gives = {(programme.parts[i], at): float(least.given[i]) for i in np.flatnonzero(least.given)}
            proven = least.proven and name != "local_share"
            if name == "local_share":
                gives = share_given(self._problem, np.array([least.carried.sum()]), np.array([least.core]))
            places = self._places(name, least.carried)
            yield name, Way(name, gives, frozenset((s, int(j)) for j in np.flatnonzero(places)), proven)

    def _places(self, name: str, carried: Mask) -> Mask:
        problem, s = self._problem, self._s
        places = np.zeros(problem.N, bool)
        if name == "allowed":
            places |= carried & ~problem.allowed[s]
        elif name == "required":
            places |= problem.required[s] & ~carried
        return places
