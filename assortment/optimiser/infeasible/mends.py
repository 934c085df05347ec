"""Mends: what a relaxation changes, setting by setting, the problem that has it, and how to say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from assortment.errors import Relaxation, Step
from assortment.optimiser.arrays import Floats
from assortment.optimiser.infeasible.store_rows import Part
from assortment.optimiser.rules.rules import Group

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_SHOWN = 4
# What is settled outside the planner's settings: of several ways out these are told last and taken last.
HARD_TO_CHANGE = ("shelf", "required", "allowed")
# Rules whose limit is a setting of each store; all others are of the chain.
BY_STORE = frozenset({"shelf", "allowed", "required", "changes_max"})
CHAIN = -1
Place = tuple[int, int]


@dataclass(frozen=True)
class Way:
    """How far one rule must give, before it is put into settings.

    Parameters
    ----------
    rule
        Its name.
    gives
        By how much each limit gives, in the store of that number (`CHAIN`: in all).
    places
        Stores and products, by number, that are allowed or no longer required.
    least, checked
        Whether less was ruled out, and whether this much was seen to help.
    """

    rule: str
    gives: dict[tuple[Part, int], float] = field(default_factory=dict)
    places: frozenset[Place] = frozenset()
    least: bool = True
    checked: bool = True


def merged(ways: Iterable[Way]) -> Way:
    """Return the way that does what each of ``ways``, all of one rule, does."""
    several = list(ways)
    gives: dict[tuple[Part, int], float] = {}
    for way in several:
        for key, amount in way.gives.items():
            gives[key] = max(gives.get(key, 0.0), amount)
    places = frozenset().union(*(way.places for way in several))
    least, checked = all(way.least for way in several), all(way.checked for way in several)
    return Way(several[0].rule, gives, places, least, checked)


def relaxation(problem: Problem, way: Way) -> Relaxation:
    """Return a way as settings of ``problem``."""
    steps = [
        step
        for (part, s), amount in sorted(way.gives.items())
        if amount > 0
        for step in _STEPS[way.rule](problem, part, s, amount)
    ]
    for s, j in sorted(way.places):
        now, to = (0.0, 1.0) if way.rule == "allowed" else (1.0, 0.0)
        steps.append(Step(way.rule, now, to, problem.store_ids[s], problem.product_ids[j]))
    stores = dict.fromkeys(step.store for step in steps if step.store is not None)
    by_place: dict[str | None, float] = {}
    for step in steps:
        # Of settings by product (local_min_stores) the largest counts, of others their sum.
        size = abs(step.to - step.now)
        one = step.product is not None and way.rule not in ("allowed", "required")
        so_far = by_place.get(step.store, 0.0)
        by_place[step.store] = max(so_far, size) if one else so_far + size
    amount = round(max(by_place.values(), default=0.0), 6)
    return Relaxation(way.rule, amount, tuple(stores), tuple(steps), way.least, way.checked)


def _core(problem: Problem, part: Part, s: int, amount: float) -> Iterable[Step]:
    del s
    if part.limit == "least":
        yield _down("core_min", problem.rules.core_min, amount)
    elif problem.rules.core_max is not None:
        yield _up("core_max", problem.rules.core_max, amount)


def _shelf(problem: Problem, part: Part, s: int, amount: float) -> Iterable[Step]:
    del part
    now = float(problem.shelf_cm[s])
    # To a tenth of a centimetre on a shelf of metres, finer on a finer scale.
    largest = max(float(problem.shelf_cm.max()), amount)
    grid = 10.0 ** (3 - int(np.floor(np.log10(largest)))) if largest > 0 else 1.0
    to = float(np.ceil((now + amount) * grid - 1e-3) / grid)
    yield Step("shelf_cm", now, to, problem.store_ids[s])


def _places(problem: Problem, part: Part, s: int, amount: float) -> Iterable[Step]:
    # What is allowed or no longer required is told by its places.
    del problem, part, s, amount
    return ()


def _groups(problem: Problem, part: Part, s: int, amount: float) -> Iterable[Step]:
    del s
    group = problem.rules.groups[part.group]
    if part.limit == "least" and group.least is not None:
        yield _down("groups least", group.least, amount, group=group.name)
    elif part.limit == "most" and group.most is not None:
        yield _up("groups most", group.most, amount, group=group.name)


def _products_max(problem: Problem, part: Part, s: int, amount: float) -> Iterable[Step]:
    del s
    now = getattr(problem.rules, part.rule)
    yield _up(part.rule, now, amount)


def _local_min_stores(problem: Problem, part: Part, s: int, amount: float) -> Iterable[Step]:
    del part, s
    least = problem.min_stores
    if (least == least[0]).all():
        yield _down("local_min_stores", int(least[0]), amount, floor=1)
        return
    for j, now in enumerate(least):
        if now > 1:
            step = _down("local_min_stores", int(now), amount, floor=1)
            yield dataclasses.replace(step, product=problem.product_ids[j])


def _local_per_store(problem: Problem, part: Part, s: int, amount: float) -> Iterable[Step]:
    del s
    least, most = problem.rules.local_per_store
    if part.limit == "least" and least is not None:
        yield _down("local_per_store least", least, amount)
    elif part.limit == "most" and most is not None:
        yield _up("local_per_store most", most, amount)


def _local_share(problem: Problem, part: Part, s: int, amount: float) -> Iterable[Step]:
    del s
    least, most = problem.rules.local_share
    if part.limit == "least" and least is not None:
        yield Step("local_share least", least, round(max(0.0, least - amount), 6))
    elif part.limit == "most" and most is not None:
        yield Step("local_share most", most, round(min(1.0, most + amount), 6))


def share_given(problem: Problem, carried: Floats, core: Floats) -> dict[tuple[Part, int], float]:
    """Return by how much ``local_share`` gives where stores carry so many products and so many of them are core.

    In thousandths; a share has no least amount in products.
    """
    filled = carried > 0
    if not filled.any():
        return {}
    share = (carried[filled] - core[filled]) / carried[filled]
    least, most = problem.rules.local_share
    given = {}
    if least is not None and share.min() < least:
        given[Part("local_share", "least"), CHAIN] = least - float(np.floor(1e3 * share.min() + 1e-9) / 1e3)
    if most is not None and share.max() > most:
        given[Part("local_share", "most"), CHAIN] = float(np.ceil(1e3 * share.max() - 1e-9) / 1e3) - most
    return given


def _changes_max(problem: Problem, part: Part, s: int, amount: float) -> Iterable[Step]:
    del part
    assert problem.changes_max is not None
    for at in range(problem.S) if s == CHAIN else (s,):
        yield dataclasses.replace(_up("changes_max", int(problem.changes_max[at]), amount), store=problem.store_ids[at])


_STEPS: dict[str, Callable[[Problem, Part, int, float], Iterable[Step]]] = {
    "core": _core,
    "shelf": _shelf,
    "allowed": _places,
    "required": _places,
    "groups": _groups,
    "products_max": _products_max,
    "local_products_max": _products_max,
    "local_min_stores": _local_min_stores,
    "local_per_store": _local_per_store,
    "local_share": _local_share,
    "changes_max": _changes_max,
}


def _down(setting: str, now: int, amount: float, *, floor: int = 0, group: str | None = None) -> Step:
    return Step(setting, float(now), float(max(floor, now - np.ceil(amount - 1e-6))), group=group)


def _up(setting: str, now: int, amount: float, *, group: str | None = None) -> Step:
    return Step(setting, float(now), float(now + np.ceil(amount - 1e-6)), group=group)


def relaxed(problem: Problem, relaxations: Iterable[Relaxation]) -> Problem:
    """Return ``problem`` with the settings that ``relaxations`` ask for."""
    rules, shelf = problem.rules, problem.shelf_cm.copy()
    masks = {"allowed": problem.allowed.copy(), "required": problem.required.copy()}
    numbers = {"min_stores": problem.min_stores.copy()}
    if problem.changes_max is not None:
        numbers["changes_max"] = problem.changes_max.copy()
    pairs: dict[str, tuple[Any, Any]] = {
        "local_per_store": rules.local_per_store,
        "local_share": rules.local_share,
    }
    changes: dict[str, Any] = {"groups": rules.groups}
    store_at = {item: s for s, item in enumerate(problem.store_ids)}
    product_at = {item: j for j, item in enumerate(problem.product_ids)}
    for step in (step for item in relaxations for step in item.steps):
        s = slice(None) if step.store is None else store_at[step.store]
        j = slice(None) if step.product is None else product_at[step.product]
        if step.setting in masks:
            masks[step.setting][s, j] = bool(step.to)
        elif step.setting == "shelf_cm":
            shelf[s] = max(float(shelf[s]), step.to)
        elif step.setting == "changes_max":
            numbers["changes_max"][s] = np.maximum(numbers["changes_max"][s], int(step.to))
        elif step.setting == "local_min_stores":
            numbers["min_stores"][j] = np.minimum(numbers["min_stores"][j], int(step.to))
        elif step.group is not None:
            changes["groups"] = tuple(_regrouped(group, step) for group in changes["groups"])
        elif " " in step.setting:
            name, end = step.setting.split()
            to = step.to if name == "local_share" else int(step.to)
            pairs[name] = (to, pairs[name][1]) if end == "least" else (pairs[name][0], to)
        else:
            changes[step.setting] = int(step.to)
    if rules.local_min_stores is not None:
        changes["local_min_stores"] = numbers["min_stores"]
    changes |= {"changes_max": numbers.get("changes_max"), **masks, **pairs}
    return problem.replace(rules=dataclasses.replace(rules, **changes), shelf_cm=shelf)


def _regrouped(group: Group, step: Step) -> Group:
    end = step.setting.removeprefix("groups ")
    if group.name != step.group or getattr(group, end) is None:
        return group
    limit = min(group.least or 0, int(step.to)) if end == "least" else max(group.most or 0, int(step.to))
    return Group(group.name, group.members, **{"least": group.least, "most": group.most, end: limit})


def in_words(relaxation: Relaxation, *, here: str | None = None) -> str:
    """Return what to do, as the imperative of a sentence; ``here`` is the store that the sentence is about."""
    return MENDS[relaxation.rule](relaxation.steps, here)


def _settings(steps: tuple[Step, ...], here: str | None) -> str:
    """Say settings of the chain: lower core_min from 8 to 6 and raise core_max from 12 to 14."""
    del here
    return joined([f"{'lower' if step.to < step.now else 'raise'} {_named(step)} {_from_to([step])}" for step in steps])


def _named(step: Step) -> str:
    setting, _, end = step.setting.partition(" ")
    return f"the {end} of {setting}" if end else setting


def _more_shelf(steps: tuple[Step, ...], here: str | None) -> str:
    more = {step.store: round(step.to - step.now, 6) for step in steps}
    if len(more) == 1 and here in more:
        return f"give {more[here]:g} cm more shelf"
    if len(more) <= _SHOWN:
        return "give more shelf: " + joined([f"{cm:g} cm in '{store}'" for store, cm in more.items()])
    return f"give up to {max(more.values()):g} cm more shelf in {len(more)} stores ({sum(more.values()):g} cm in all)"


def _allow(steps: tuple[Step, ...], here: str | None) -> str:
    return f"allow {_places_named(steps, here)}"


def _require(steps: tuple[Step, ...], here: str | None) -> str:
    return f"no longer require {_places_named(steps, here)}"


def _places_named(steps: tuple[Step, ...], here: str | None) -> str:
    products = dict.fromkeys(f"'{step.product}'" for step in steps)
    stores = dict.fromkeys(f"'{step.store}'" for step in steps)
    if len(stores) == 1:
        return shown(list(products)) + (" there" if here == steps[0].store else f" in {next(iter(stores))}")
    if len(products) == 1:
        return f"{next(iter(products))} in {shown(list(stores))}"
    return shown([f"'{step.product}' in '{step.store}'" for step in steps])


def _group_limits(steps: tuple[Step, ...], here: str | None) -> str:
    """Say limits of groups: lower the least of 'type: oat' to 1, of 'type: soy' to 0 and raise the most of …."""
    del here
    if len(steps) == 1:
        verb = "lower the least" if steps[0].to < steps[0].now else "raise the most"
        return f"{verb} of '{steps[0].group}' {_from_to(steps)}"
    told = []
    for verb, end in (("lower the least", "least"), ("raise the most", "most")):
        limits = [f"of '{step.group}' to {step.to:g}" for step in steps if step.setting.endswith(end)]
        told += [f"{verb} {joined(limits)}"] if limits else []
    return joined(told)


def _by_product(steps: tuple[Step, ...], here: str | None) -> str:
    del here
    if len(steps) == 1:
        of = "" if steps[0].product is None else f" of '{steps[0].product}'"
        return f"lower local_min_stores{of} {_from_to(steps)}"
    most = max(steps, key=lambda step: step.now - step.to)
    return f"lower local_min_stores by {most.now - most.to:g} (of '{most.product}' {_from_to([most])})"


def _changes(steps: tuple[Step, ...], here: str | None) -> str:
    del here
    return f"raise changes_max {_from_to(steps)}"


def _from_to(steps: Iterable[Step]) -> str:
    """Say from what to what: the settings of the store that changes most, when stores differ."""
    several = list(steps)
    if len({step.now for step in several}) == 1:
        return f"from {several[0].now:g} to {max(several, key=lambda step: abs(step.to - step.now)).to:g}"
    return f"by {max(abs(step.to - step.now) for step in several):g}"


def joined(parts: list[str]) -> str:
    """Return the parts of a sentence with commas and an "and"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def shown(names: list[str]) -> str:
    """Return names for a sentence: all of them when they are few, else the first and how many more there are."""
    if len(names) <= _SHOWN + 1:
        return joined(names)
    return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"


# What to do about a rule that stands in the way, from the settings that its relaxation changes and the store meant.
MENDS: dict[str, Callable[[tuple[Step, ...], str | None], str]] = {
    "core": _settings,
    "shelf": _more_shelf,
    "allowed": _allow,
    "required": _require,
    "groups": _group_limits,
    "products_max": _settings,
    "local_products_max": _settings,
    "local_min_stores": _by_product,
    "local_per_store": _settings,
    "local_share": _settings,
    "changes_max": _changes,
    "assortments_max": _settings,
}
