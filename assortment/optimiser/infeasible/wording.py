"""Wording: a conflict in words: what asks for what, what is needed, what is there, and what to do.

Limits are named as in a scenario file and in `Rules`: ``rules.core_min``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from assortment.errors import Obstacle, Relaxation, Step
from assortment.optimiser.infeasible.alone import with_parts
from assortment.optimiser.infeasible.conflict import Conflict
from assortment.optimiser.infeasible.relaxation import (
    BY_PLACE,
    CHAIN,
    Way,
    limit_of,
    merged,
    relaxation,
    setting_of,
)
from assortment.optimiser.infeasible.store_rows import Part

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_SHOWN = 4
_GROUPS_SHOWN = 2
# What is settled outside the planner's settings: of several ways out these are told last and taken last.
HARD_TO_CHANGE = ("shelf", "required", "allowed")
# Which limit is told as "needed and there": of a store alone, and of stores together.
_HEAD_ALONE = ("shelf", "changes_max", "core", "local_per_store", "local_products_max", "products_max", "groups")
_HEAD_TOGETHER = (
    "core",
    "products_max",
    "local_products_max",
    "local_min_stores",
    "local_per_store",
    "changes_max",
    "shelf",
    "groups",
)


class _Words(NamedTuple):
    """How a limit is told: what it counts, what it asks for, and how much is needed or possible."""

    noun: str
    asks: str
    needs: str


_WORDS = {
    "core_min": _Words("product", "a core of at least {}", "{} can be core"),
    "core_max": _Words("product", "a core of at most {}", "at least {} must be core"),
    "products_max": _Words("product", "{} in the chain", "at least {} are needed in the chain"),
    "local_products_max": _Words(
        "product", "{} in the chain that are not core", "at least {} that are not core are needed in the chain"
    ),
    "local_per_store least": _Words("local product", "at least {} in each store", "{} can stand in a store"),
    "local_per_store most": _Words("local product", "{} in each store", "at least {} are needed in a store"),
    "local_share least": _Words("% local products", "at least {} in each store", ""),
    "local_share most": _Words("% local products", "at most {} in each store", ""),
    "local_min_stores": _Words(
        "store", "each product that is not core in at least {}", "some products that are not core can stand in {} only"
    ),
    "groups least": _Words("", "at least {} of '{name}'", "{} of '{name}' can stand there"),
    "groups most": _Words("", "{} of '{name}'", "at least {} of '{name}' must stand there"),
    "changes_max": _Words("change", "{} of {today}", "at least {} of {today} are needed"),
    "shelf_cm": _Words("cm", "a shelf of {}", "at least {} are needed"),
}


def obstacle(problem: Problem, alike: list[Conflict]) -> Obstacle:
    """Return conflicts of the same rules, of one store or several, as one: told with the numbers of the worst."""
    worst = max(alike, key=lambda conflict: (_size(conflict), -min(conflict.stores, default=0)))
    worst = worst if worst.together else with_parts(problem, worst)
    stores = sorted({s for conflict in alike for s in conflict.stores})
    ways = [merged(way for conflict in alike for way in conflict.ways if way.rule == rule) for rule in worst.rules]
    ids = tuple(problem.store_ids[s] for s in stores)
    here = ids[0] if len(ids) == 1 and not worst.together else None
    told = f"{_who(problem, worst, ids)}: {_facts(problem, worst)}"
    irreducible = all(conflict.irreducible for conflict in alike)
    return told_obstacle(problem, worst.rules, ids, told, ways, here=here, irreducible=irreducible)


def told_obstacle(
    problem: Problem,
    rules: tuple[str, ...],
    stores: tuple[str, ...],
    told: str,
    ways: list[Way],
    *,
    here: str | None = None,
    irreducible: bool = True,
) -> Obstacle:
    """Return a conflict that has been put into words with its ways out; ``here`` is the store that it is about."""
    in_order = sorted(ways, key=lambda way: way.rule in HARD_TO_CHANGE and HARD_TO_CHANGE.index(way.rule) + 1)
    relaxations = [relaxation(problem, way) for way in in_order]
    useful = tuple(item for item in relaxations if item.steps)
    what = ", or ".join(in_words(item, here=here) for item in useful) or "leave one of these rules out"
    doubt = "" if irreducible else " (fewer rules or stores may be in conflict already)"
    return Obstacle(rules, stores, f"{told}; {what}{doubt}", useful, irreducible)


def _who(problem: Problem, worst: Conflict, ids: tuple[str, ...]) -> str:
    if worst.together and len(ids) in (0, problem.S):
        return "the chain"
    if len(ids) == 1:
        return f"store '{ids[0]}'"
    if worst.together:
        return f"the stores {shown(ids)} together"
    stores = f"all {problem.S} stores" if len(ids) == problem.S else f"{len(ids)} stores ({shown(ids)})"
    return f"{stores}, worst in '{problem.store_ids[worst.stores[0]]}'"


def _size(conflict: Conflict) -> float:
    """How bad a conflict is: by how much its headline must give, else its first rule."""
    head = _headline(conflict)
    if head is not None:
        return head[1]
    return max((len(way.places) + sum(way.gives.values()) for way in conflict.ways), default=0.0)


def _headline(conflict: Conflict) -> tuple[Part, float] | None:
    """Return the limit to tell as needed and there, and how much it would have to give."""
    ways = {way.rule: way for way in conflict.ways}
    for rule in _HEAD_TOGETHER if conflict.together else _HEAD_ALONE:
        if rule in ways and ways[rule].gives:
            (part, _), amount = max(ways[rule].gives.items(), key=lambda item: (item[1], item[0]))
            return part, amount
    return None


def _facts(problem: Problem, conflict: Conflict) -> str:
    s = conflict.stores[0] if len(conflict.stores) == 1 else CHAIN
    head = _headline(conflict)
    others = sorted(part for part in conflict.parts if head is None or part != head[0])
    if head is None and set(conflict.rules) == {"allowed", "required"} and s != CHAIN:
        both = np.flatnonzero(problem.required[s] & ~problem.allowed[s])
        verb = "is" if len(both) == 1 else "are"
        names = shown([problem.product_ids[j] for j in both])
        return f"{names} {verb} required but not allowed there (status, locks, supplier reach)"
    conditions = [asked_for(problem, part, s) for part in others if part.rule != "groups"]
    groups = [asked_for(problem, part, s) for part in others if part.rule == "groups"]
    conditions += groups[:_GROUPS_SHOWN]
    if len(groups) > _GROUPS_SHOWN:
        conditions.append(f"the limits of {len(groups) - _GROUPS_SHOWN} more groups")
    conditions += [] if conflict.complete else ["the other rules"]
    if head is None:
        return f"{joined(conditions)} cannot {'hold' if len(conditions) == 1 else 'hold together'}"
    needed = _needed(problem, *head, s)
    before, today = "", problem.rules.today
    if head[0].rule == "shelf" and s != CHAIN and today is not None and any(p.rule == "changes_max" for p in others):
        # Why changes stand between the store and its shelf.
        before = f"today's listing needs {float(problem.space_cm[s, today[s]].sum()):g} cm; "
    return f"{before}with {joined(conditions)}, {needed}" if conditions else needed


def asked_for(problem: Problem, part: Part, s: int = CHAIN) -> str:
    """Return what a limit asks for, in store number s or in the chain, as a condition."""
    if part.rule == "assortments_max":
        return _at_most(float(problem.rules.assortments_max or 0), "different assortment")
    if part.rule == "allowed":
        where = "what may stand there"
        where = where if s == CHAIN else f"the {count(int(problem.allowed[s].sum()), 'product')} that may stand there"
        return f"only {where} (status, locks, supplier reach)"
    if part.rule == "required":
        names = (
            "products" if s == CHAIN else shown([problem.product_ids[j] for j in np.flatnonzero(problem.required[s])])
        )
        return f"the required {names}"
    if part.rule == "shelf" and s == CHAIN:
        return "the shelves as they are"
    words, (low, high) = _WORDS[setting_of(part)], _limits(problem, part, s)
    size = 100 * low if part.rule == "local_share" else low
    number = count(size, words.noun) if low == high else f"{low:g} to {high:g} {words.noun}s"
    if "at least" not in words.asks and part.rule != "shelf" and "at most" not in words.asks and high > 0:
        number = f"at most {number}"
    return words.asks.format(number, **_named(problem, part, s))


def _needed(problem: Problem, part: Part, amount: float, s: int) -> str:
    """Say how much is needed or possible, and what the limit is."""
    if part.rule == "shelf" and s == CHAIN:
        return f"up to {np.ceil(amount * 10 - 1e-3) / 10:g} cm are missing on a shelf"
    words, (low, high) = _WORDS[setting_of(part)], _limits(problem, part, s)
    if low != high:
        # Stores or products have limits of their own.
        more = f"{count(amount, words.noun)} {'fewer' if part.limit == 'least' else 'more'}"
        subject = "what is not core can stand in" if part.rule == "local_min_stores" else "some stores need"
        return f"{subject} up to {more} than {_setting(setting_of(part))} says"
    size = low - amount if part.limit == "least" else low + amount
    number = count(size, words.noun) if "at least" in words.needs else _at_most(max(0.0, size), words.noun)
    there = f"the shelf has {low:g}" if part.rule == "shelf" else f"{_setting(setting_of(part))} is {low:g}"
    if part.rule in ("groups", "local_per_store"):
        there = f"at {part.limit} {low:g} {'is' if low == 1 else 'are'} asked for by rules.{part.rule}"
    return f"{words.needs.format(number, **_named(problem, part, s))}, {there}"


def _limits(problem: Problem, part: Part, s: int) -> tuple[float, float]:
    """Return the smallest and the largest of a limit over stores or products where it differs."""
    if part.rule == "local_min_stores":
        several = problem.min_stores[problem.min_stores > 1] if (problem.min_stores > 1).any() else np.ones(1)
    elif part.rule == "changes_max" and s == CHAIN and problem.changes_max is not None:
        several = problem.changes_max
    else:
        several = np.array([limit_of(problem, part, s)])
    return float(several.min()), float(several.max())


def _named(problem: Problem, part: Part, s: int) -> dict[str, str]:
    if part.rule == "groups":
        return {"name": problem.rules.groups[part.group].name}
    today = problem.rules.today
    if part.rule == "changes_max" and today is not None:
        return {"today": "today's listing each" if s == CHAIN else f"today's {count(int(today[s].sum()), 'product')}"}
    return {}


def count(number: float, noun: str) -> str:
    """Return a number with its noun: 1 product, 2 products, no changes."""
    plural = "" if number == 1 or not noun or noun.startswith("%") or noun == "cm" else "s"
    return f"{f'{number:g}' if number else 'no' if noun else 'none'} {noun}{plural}".strip()


def _at_most(number: float, noun: str) -> str:
    return f"at most {count(number, noun)}" if number else count(number, noun)


def in_words(way: Relaxation, *, here: str | None = None) -> str:
    """Return what to do, as the imperative of a sentence, and what is not certain about it.

    ``here`` is the store that the sentence is about.
    """
    if way.rule == "shelf":
        told = _more_shelf(way.steps, here)
    elif way.rule in BY_PLACE:
        verb = "allow" if way.rule == "allowed" else "no longer require"
        told = f"{verb} {_places(way.steps, here)}"
    else:
        told = _settings(way.steps)
    return (
        told
        + ("" if way.least or not way.checked else " (less may do)")
        + ("" if way.checked else " (at least so much)")
    )


def _settings(steps: tuple[Step, ...]) -> str:
    """Say limits: lower rules.core_min from 8 to 6 and raise the most in rules.groups of 'oat' from 2 to 3."""
    alike: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        verb = "lower" if step.to < step.now else "raise"
        alike.setdefault((verb, _setting(step.setting)), []).append(step)
    return " and ".join(f"{verb} {name} {_changed(same)}" for (verb, name), same in alike.items())


def _changed(steps: list[Step]) -> str:
    """Say from what to what one setting changes; of many stores or products the one that changes most is told."""
    most = max(steps, key=lambda step: abs(step.to - step.now))
    if most.group is not None:
        return joined([f"of '{step.group}' from {step.now:g} to {step.to:g}" for step in steps])
    if most.product is not None:
        more = f" and of {len(steps) - 1} more" if len(steps) > 1 else ""
        return f"of '{most.product}' from {most.now:g} to {most.to:g}{more}"
    if len({step.now for step in steps}) == 1:
        return f"from {most.now:g} to {most.to:g}"
    several = len({abs(step.to - step.now) for step in steps}) > 1
    return f"by {'up to ' if several else ''}{abs(most.to - most.now):g}"


def _setting(setting: str) -> str:
    name, _, end = setting.partition(" ")
    return f"the {end} in rules.{name}" if end else f"rules.{name}"


def _more_shelf(steps: tuple[Step, ...], here: str | None) -> str:
    more = {step.store: round(step.to - step.now, 6) for step in steps}
    if len(more) == 1 and here in more:
        return f"give {more[here]:g} cm more shelf"
    if len(more) <= _SHOWN:
        return "give more shelf: " + joined([f"{cm:g} cm in '{store}'" for store, cm in more.items()])
    return f"give up to {max(more.values()):g} cm more shelf in {len(more)} stores ({sum(more.values()):g} cm in all)"


def _places(steps: tuple[Step, ...], here: str | None) -> str:
    products = list(dict.fromkeys(str(step.product) for step in steps))
    stores = list(dict.fromkeys(str(step.store) for step in steps))
    if len(stores) == 1:
        return shown(products) + (" there" if here == stores[0] else f" in '{stores[0]}'")
    if len(products) == 1:
        return f"'{products[0]}' in {shown(stores)}"
    return shown([f"{step.product}' in '{step.store}" for step in steps])


def joined(parts: list[str]) -> str:
    """Return the parts of a sentence with commas and an "and"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def shown(names: Iterable[str]) -> str:
    """Return names in quotes: all of them when they are few, else the first and how many more there are."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) <= _SHOWN + 1:
        return joined(quoted)
    return f"{', '.join(quoted[:_SHOWN])} and {len(quoted) - _SHOWN} more"
