"""Conflict: an irreducible infeasible subset of rules and stores, and the filter by which one is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from assortment.optimiser.infeasible.relaxation import Way
from assortment.optimiser.infeasible.store_rows import Part
from assortment.optimiser.rules.rule import RULES

Item = TypeVar("Item")

# Which rules to leave out first when a conflict is made small: what is left is what a planner can change best.
_LEAVE_FIRST = ("allowed", "required", "local_per_store", "local_products_max", "products_max", "groups")
_LEAVE_LAST = ("changes_max", "core", "shelf")


@dataclass(frozen=True)
class Conflict:
    """Rules that one store, or some stores together, cannot obey.

    Parameters
    ----------
    stores
        Numbers of the stores; empty for the chain.
    parts
        The limits that make the conflict, at least one of each rule; empty while not sought.
    ways
        What each rule in conflict would have to give.
    together
        Whether each store could keep the rules alone.
    irreducible
        Whether it was seen that without any one of the rules, and without any one of the stores, the rest can be kept.
    complete
        Whether these rules are all that the conflict takes; else others, not named, have a part in it.
    """

    stores: tuple[int, ...]
    parts: frozenset[Part]
    ways: tuple[Way, ...]
    together: bool = False
    irreducible: bool = True
    complete: bool = True

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules, in the order of ``RULES``."""
        given = {way.rule for way in self.ways}
        return tuple(rule.name for rule in RULES if rule.name in given)


def rules_in_order(names: Iterable[str]) -> list[str]:
    """Return rules in the order in which to try to leave them out, whatever the order of ``names``."""
    given = set(names)
    others = [rule.name for rule in RULES if rule.name not in _LEAVE_FIRST + _LEAVE_LAST]
    return [name for name in (*_LEAVE_FIRST, *others, *_LEAVE_LAST) if name in given]


def filtered(
    items: Iterable[Item],
    impossible: Callable[[tuple[Item, ...]], tuple[bool, Iterable[Item] | None]],
    *,
    size: int = 1,
) -> tuple[Item, ...]:
    """Leave out items, ``size`` at a time and then fewer, as long as the rest is impossible: the deletion filter.

    Parameters
    ----------
    items
        What is impossible together.
    impossible
        Says whether some items are, and which of them show it; ``None`` when that is not known.
    size
        How many to leave out at first.
    """
    left = tuple(items)
    while True:
        at = 0
        while at < len(left):
            rest = left[:at] + left[at + size :]
            shown, used = impossible(rest)
            if shown:
                kept = set(rest if used is None else used)
                at = sum(item in kept for item in rest[:at])
                left = tuple(item for item in rest if item in kept)
            else:
                at += size
        if size == 1:
            return left
        size //= 2


def needed_ways(names: list[str], way: Callable[[list[str], str], Way | None]) -> list[Way]:
    """Return how each rule of a conflict must give; rules that need not are left out of it one after the other.

    A relaxation has no whole picks: a rule without which they are impossible too is not part of the conflict.
    """
    while True:
        ways = {name: way(names, name) for name in names}
        idle = [name for name, found in ways.items() if found is None]
        if not idle or len(names) == 1:
            return [found for found in ways.values() if found is not None]
        names = [name for name in names if name != idle[0]]
