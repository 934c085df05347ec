"""Stores that cannot obey the rules even if they stood alone: an irreducible conflict of each, and how to end it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Mask
from assortment.optimiser.infeasible.conflict import Conflict, filtered, needed_ways, rules_in_order
from assortment.optimiser.infeasible.relaxation import BY_STORE, CHAIN, Way, share_given
from assortment.optimiser.infeasible.store_programme import Box, Cut, StoreProgramme
from assortment.optimiser.infeasible.store_rows import CARRIED, rows_of

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Conflicts of other stores that are tried before a new one is sought.
_KNOWN_TRIED = 3


def conflicts_alone(problem: Problem, stores: Iterable[int]) -> list[Conflict]:
    """Return a conflict of each of ``stores`` that cannot obey its own rules, still without its parts.

    Linear programmes come first; only when they find nothing are whole picks tried, store by store.
    """
    open_stores: list[_Alone] = []
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
            open_stores.append(_Alone(problem, s, programme, whole=True))
    if found:
        return found
    return [store.conflict(None, []) for store in open_stores if store.is_stuck]


def with_parts(problem: Problem, conflict: Conflict) -> Conflict:
    """Return a conflict of one store with a smallest set of its limits."""
    if conflict.parts:
        return conflict
    (s,) = conflict.stores
    alone = _Alone(problem, s, StoreProgramme(rows_of(problem)(s)))
    return dataclasses.replace(conflict, parts=frozenset(alone.programme.parts[i] for i in alone.rows(conflict.rules)))


class _Alone:
    """One store that cannot obey its own rules; ``whole``: only whole picks show that."""

    def __init__(self, problem: Problem, s: int, programme: StoreProgramme, *, whole: bool = False) -> None:
        self._problem, self._s, self.programme, self._whole = problem, s, programme, whole
        self._box = Box.free(problem.N)
        self._rule_of = np.array([part.rule for part in programme.parts])

    @property
    def is_stuck(self) -> bool:
        """Whether no whole picks obey all rows."""
        picks, certain = self.programme.picks(self.programme.every, self._box)
        return picks is None and certain

    def conflict(self, cut: Cut | None, known: list[tuple[str, ...]]) -> Conflict:
        """Return an irreducible conflict; ``cut`` shows that there is one, without it whole picks do.

        Rules that are in conflict elsewhere, ``known``, are tried first: stores mostly have the same fault.
        """
        every = rules_in_order(name for name in self._rule_of if name != CARRIED.rule)
        used = set(every) if cut is None else self._rules_in(cut) - {CARRIED.rule}
        for names in known[:_KNOWN_TRIED]:
            rules = [name for name in names if name in self._rule_of]
            if used.issubset(rules) or self._impossible(self._of(rules))[0]:
                ways = [self._way(rules, name) for name in rules]
                if None not in ways:
                    return self._told([way for way in ways if way is not None])
        rules = list(filtered([name for name in every if name in used], self._impossible_rules))
        return self._told(needed_ways(rules, self._way))

    def rows(self, rules: Iterable[str]) -> tuple[int, ...]:
        """Return the numbers of the rows of a smallest set of limits of ``rules`` that cannot be obeyed."""
        on = self._of(rules)
        self._whole = not self._impossible(on)[0]
        return filtered([int(i) for i in np.flatnonzero(on)], self._impossible_rows)

    def _told(self, ways: list[Way]) -> Conflict:
        return Conflict((self._s,), frozenset(), tuple(ways), irreducible=all(way.checked for way in ways))

    def _of(self, rules: Iterable[str]) -> Mask:
        """The rows of some rules, (M,)."""
        return np.isin(self._rule_of, list(rules))

    def _rules_in(self, cut: Cut) -> set[str]:
        return {str(name) for name in self._rule_of[cut.weights != 0]}

    def _impossible_rules(self, names: tuple[str, ...]) -> tuple[bool, set[str] | None]:
        impossible, cut = self._impossible(self._of(names))
        return impossible, None if cut is None else self._rules_in(cut)

    def _impossible_rows(self, rows: tuple[int, ...]) -> tuple[bool, list[int] | None]:
        impossible, cut = self._impossible(np.isin(np.arange(self.programme.M), rows))
        return impossible, None if cut is None else [int(i) for i in np.flatnonzero(cut.weights)]

    def _impossible(self, on: Mask) -> tuple[bool, Cut | None]:
        """Return whether no picks (fractions, or whole ones) obey the rows ``on``, and the cut that shows it."""
        cut, _ = self.programme.short(on, self._box)
        if cut is not None or not self._whole:
            return cut is not None, cut
        picks, certain = self.programme.picks(on, self._box)
        return picks is None and certain, None

    def _way(self, rules: list[str], name: str) -> Way | None:
        """Return how one of ``rules`` must give for the others to hold, ``None`` when that does not help."""
        s, programme, on = self._s, self.programme, self._of(rules)
        soft = on & (self._rule_of == name)
        least, certain = programme.least(on & ~soft, soft, self._box)
        if least is None:
            return None if certain else Way(name, least=False, checked=False)
        at = s if name in BY_STORE else CHAIN
        gives = {(programme.parts[i], at): float(least.given[i]) for i in np.flatnonzero(least.given)}
        if name == "local_share":
            gives = share_given(self._problem, np.array([least.carried.sum()]), np.array([least.core]))
        places = {
            "allowed": least.carried & ~self._problem.allowed[s],
            "required": self._problem.required[s] & ~least.carried,
        }.get(name, np.zeros(self._problem.N, bool))
        proven = least.proven and name != "local_share"
        return Way(name, gives, frozenset((s, int(j)) for j in np.flatnonzero(places)), proven)
