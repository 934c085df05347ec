"""Wording: a conflict in words: what asks for what, what is needed, what is there, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import Obstacle, Relaxation
from assortment.optimiser.infeasible.alone import with_parts
from assortment.optimiser.infeasible.conflict import Conflict
from assortment.optimiser.infeasible.mends import CHAIN, HARD_TO_CHANGE, in_words, joined, merged, relaxation, shown
from assortment.optimiser.infeasible.store_rows import Part

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

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
_GROUPS_SHOWN = 2
_TWO_ENDS = frozenset({"core", "local_per_store", "local_share"})


def obstacle(problem: Problem, alike: list[Conflict]) -> Obstacle:
    """Return conflicts of the same rules, of one store or several, as one: told with the numbers of the worst."""
    worst = max(alike, key=lambda conflict: (_size(conflict), -min(conflict.stores, default=0)))
    worst = worst if worst.together else with_parts(problem, worst)
    stores = sorted({s for conflict in alike for s in conflict.stores})
    rules = sorted(worst.rules, key=lambda rule: HARD_TO_CHANGE.index(rule) if rule in HARD_TO_CHANGE else -1)
    ways = [merged(way for conflict in alike for way in conflict.ways if way.rule == rule) for rule in rules]
    relaxations = [relaxation(problem, way) for way in ways]
    useful = tuple(item for item in relaxations if item.steps)
    ids = tuple(problem.store_ids[s] for s in stores)
    here = ids[0] if len(ids) == 1 and not worst.together else None
    sentence = f"{_who(problem, alike, worst, ids)}: {_facts(problem, worst)}{_what_to_do(useful, here)}"
    return Obstacle(worst.rules, ids, sentence, useful)


def _who(problem: Problem, alike: list[Conflict], worst: Conflict, ids: tuple[str, ...]) -> str:
    names = [f"'{item}'" for item in ids]
    if worst.together:
        if len(names) in (0, problem.S):
            return "the chain"
        return f"store {names[0]}" if len(names) == 1 else f"the stores {shown(names)} together"
    if len(alike) == 1:
        return f"store {names[0]}"
    stores = f"all {problem.S} stores" if len(names) == problem.S else f"{len(names)} stores ({shown(names)})"
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
    conditions = _conditions(problem, others, s) + ([] if conflict.complete else ["the other rules"])
    if head is not None:
        needed = _NEEDED[head[0].rule](problem, head[0], head[1], s)
        said = f"with {joined(conditions)}, {needed}" if conditions else needed
        before = _space_today(problem, head[0], others, s)
        return f"{before}{said}"
    if set(conflict.rules) == {"allowed", "required"} and s != CHAIN:
        both = np.flatnonzero(problem.required[s] & ~problem.allowed[s])
        names = shown([f"'{problem.product_ids[j]}'" for j in both])
        verb = "is" if len(both) == 1 else "are"
        return f"{names} {verb} required but not allowed there (status, locks, supplier reach)"
    return f"{joined(conditions)} cannot hold together" if len(conditions) > 1 else f"{conditions[0]} cannot hold"


def _space_today(problem: Problem, head: Part, others: list[Part], s: int) -> str:
    """Say what today's products need, where changes stand between them and the shelf."""
    today = problem.rules.today
    if head.rule != "shelf" or s == CHAIN or today is None or not any(part.rule == "changes_max" for part in others):
        return ""
    needed = float(problem.space_cm[s, today[s]].sum())
    return f"today's listing needs {needed:g} cm; "


def _what_to_do(relaxations: Iterable[Relaxation], here: str | None) -> str:
    ways = [with_doubt(item, here=here) for item in relaxations]
    return f"; {', or '.join(ways)}" if ways else "; leave one of these rules out"


def with_doubt(way: Relaxation, *, here: str | None = None) -> str:
    """Return what to do, and what is not certain about it."""
    doubt = "" if way.least else " (less may do)"
    return in_words(way, here=here) + (doubt if way.checked else " (at least so much)")


def count(number: float, noun: str) -> str:
    """Return a number with its noun: 1 product, 2 products, no changes."""
    return f"{f'{number:g}' if number else 'no'} {noun}{'' if number == 1 else 's'}"


def _at_most(number: float, noun: str) -> str:
    return f"at most {count(number, noun)}" if number else count(number, noun)


def rule_in_words(problem: Problem, rule: str) -> str:
    """Return what a rule asks of the chain, as a condition."""
    if rule in _CONDITIONS and rule not in _TWO_ENDS:
        return _CONDITIONS[rule](problem, Part(rule), CHAIN)
    return f"the limits of {rule}"


def _conditions(problem: Problem, parts: list[Part], s: int) -> list[str]:
    groups = [part for part in parts if part.rule == "groups"]
    told = [_CONDITIONS[part.rule](problem, part, s) for part in parts if part.rule in _CONDITIONS]
    told += [f"the limits of {part.rule}" for part in parts if part.rule not in _CONDITIONS and part.rule != "groups"]
    shown_groups = [_group(problem, part) for part in groups[:_GROUPS_SHOWN]]
    more = len(groups) - _GROUPS_SHOWN
    return told + shown_groups + ([f"the limits of {more} more groups"] if more > 0 else [])


def _group(problem: Problem, part: Part) -> str:
    group = problem.rules.groups[part.group]
    return f"at {part.limit} {getattr(group, part.limit)} of '{group.name}'"


def _required(problem: Problem, part: Part, s: int) -> str:
    del part
    if s == CHAIN:
        return "the required products"
    names = [f"'{problem.product_ids[j]}'" for j in np.flatnonzero(problem.required[s])]
    return f"the required {shown(names)}"


def _allowed(problem: Problem, part: Part, s: int) -> str:
    del part
    if s == CHAIN:
        return "only what may stand there"
    return f"only the {count(int(problem.allowed[s].sum()), 'product')} that may stand there"


def _changes(problem: Problem, part: Part, s: int) -> str:
    del part
    assert problem.changes_max is not None and problem.rules.today is not None
    if s == CHAIN:
        most = sorted(set(problem.changes_max.tolist()))
        if len(most) > 1:
            return f"at most {most[0]} to {most[-1]} changes of today's listing each"
        return f"{_at_most(most[0], 'change')} of today's listing each"
    products = count(int(problem.rules.today[s].sum()), "product")
    return f"{_at_most(int(problem.changes_max[s]), 'change')} of today's {products}"


def _shelf(problem: Problem, part: Part, s: int) -> str:
    del part
    return "the shelves as they are" if s == CHAIN else f"a shelf of {problem.shelf_cm[s]:g} cm"


def _core(problem: Problem, part: Part, s: int) -> str:
    del s
    number = problem.rules.core_min if part.limit == "least" else problem.rules.core_max
    return f"a core of at {part.limit} {count(number or 0, 'product')}"


def _local_per_store(problem: Problem, part: Part, s: int) -> str:
    del s
    least, most = problem.rules.local_per_store
    number = (least if part.limit == "least" else most) or 0
    return f"at {part.limit} {count(number, 'local product')} in each store"


def _local_share(problem: Problem, part: Part, s: int) -> str:
    del s
    least, most = problem.rules.local_share
    return f"at {part.limit} {100 * ((least if part.limit == 'least' else most) or 0):g} % local products in each store"


def _products_max(problem: Problem, part: Part, s: int) -> str:
    del part, s
    return f"{_at_most(problem.rules.products_max or 0, 'product')} in the chain"


def _local_products_max(problem: Problem, part: Part, s: int) -> str:
    del part, s
    return f"{_at_most(problem.rules.local_products_max or 0, 'product')} in the chain that are not core"


def _local_min_stores(problem: Problem, part: Part, s: int) -> str:
    del part, s
    least = sorted({int(item) for item in problem.min_stores if item > 1})
    asked = count(least[0], "store") if len(least) == 1 else f"{least[0]} to {least[-1]} stores"
    return f"each product that is not core in at least {asked}"


_CONDITIONS: dict[str, Callable[[Problem, Part, int], str]] = {
    "core": _core,
    "shelf": _shelf,
    "allowed": _allowed,
    "required": _required,
    "products_max": _products_max,
    "local_products_max": _local_products_max,
    "local_min_stores": _local_min_stores,
    "local_per_store": _local_per_store,
    "local_share": _local_share,
    "changes_max": _changes,
}


def _needs_shelf(problem: Problem, part: Part, amount: float, s: int) -> str:
    del part
    if s == CHAIN:
        return f"up to {np.ceil(amount * 10 - 1e-3) / 10:g} cm are missing on a shelf"
    return f"at least {problem.shelf_cm[s] + amount:g} cm are needed, the shelf has {problem.shelf_cm[s]:g}"


def _needs_changes(problem: Problem, part: Part, amount: float, s: int) -> str:
    del part
    assert problem.changes_max is not None and problem.rules.today is not None
    if s == CHAIN:
        return f"up to {count(amount, 'more change')} of today's listing are needed than changes_max allows"
    products, most = count(int(problem.rules.today[s].sum()), "product"), int(problem.changes_max[s])
    return f"at least {count(most + amount, 'change')} of today's {products} are needed, changes_max is {most}"


def _needs_core(problem: Problem, part: Part, amount: float, s: int) -> str:
    del s
    rules = problem.rules
    if part.limit == "least":
        return f"{_at_most(rules.core_min - amount, 'product')} can be core, core_min is {rules.core_min}"
    most = rules.core_max or 0
    return f"at least {count(most + amount, 'product')} must be core, core_max is {most}"


def _needs_local(problem: Problem, part: Part, amount: float, s: int) -> str:
    del s
    least, most = (limit or 0 for limit in problem.rules.local_per_store)
    if part.limit == "least":
        can = _at_most(least - amount, "local product")
        return f"{can} can stand in a store, local_per_store asks for at least {least}"
    return f"at least {count(most + amount, 'local product')} are needed, local_per_store allows at most {most}"


def _needs_products(problem: Problem, part: Part, amount: float, s: int) -> str:
    del s
    most = getattr(problem.rules, part.rule)
    what = "" if part.rule == "products_max" else " that are not core"
    return f"at least {count(most + amount, 'different product')}{what} are needed, {part.rule} is {most}"


def _needs_stores(problem: Problem, part: Part, amount: float, s: int) -> str:
    del part, s
    least = problem.min_stores
    if (least == least[0]).all():
        now = int(least[0])
        can = _at_most(max(1, now - amount), "store")
        return f"some products that are not core can stand in {can} only, local_min_stores is {now}"
    return f"what is not core can stand in up to {count(amount, 'store')} fewer than local_min_stores asks for"


def _needs_group(problem: Problem, part: Part, amount: float, s: int) -> str:
    del s
    group = problem.rules.groups[part.group]
    if part.limit == "least":
        least = group.least or 0
        can = f"at most {least - amount:g}" if least > amount else "none"
        return f"{can} of '{group.name}' can stand there, at least {least} are asked for"
    most = group.most or 0
    return f"at least {most + amount:g} of '{group.name}' must stand there, at most {most} are allowed"


_NEEDED: dict[str, Callable[[Problem, Part, float, int], str]] = {
    "shelf": _needs_shelf,
    "changes_max": _needs_changes,
    "core": _needs_core,
    "local_per_store": _needs_local,
    "products_max": _needs_products,
    "local_products_max": _needs_products,
    "local_min_stores": _needs_stores,
    "groups": _needs_group,
}
