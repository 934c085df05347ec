"""Relaxation: how far a rule must give, as settings of a problem, and the problem that has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from assortment.errors import Relaxation, Step
from assortment.optimiser.arrays import Floats
from assortment.optimiser.infeasible.store_rows import Part

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Rules whose limit is a setting of each store; all others are of the chain.
BY_STORE = frozenset({"shelf", "allowed", "required", "changes_max"})
BY_PLACE = frozenset({"allowed", "required"})
CHAIN = -1


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
    places: frozenset[tuple[int, int]] = frozenset()
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
    gives = {} if way.rule in BY_PLACE else way.gives
    steps = [step for key, amount in sorted(gives.items()) if amount > 0 for step in _steps(problem, *key, amount)]
    now = float(way.rule == "required")
    for s, j in sorted(way.places):
        steps.append(Step(way.rule, now, 1 - now, problem.store_ids[s], problem.product_ids[j]))
    by_store: dict[str | None, float] = {}
    for step in steps:
        # Of settings by product (local_min_stores) the largest counts, of others their sum.
        size, so_far = abs(step.to - step.now), by_store.get(step.store, 0.0)
        by_store[step.store] = max(so_far, size) if way.rule == "local_min_stores" else so_far + size
    stores = tuple(store for store in by_store if store is not None)
    return Relaxation(
        way.rule, round(max(by_store.values(), default=0.0), 6), stores, tuple(steps), way.least, way.checked
    )


def setting_of(part: Part) -> str:
    """Return the name of the setting that a limit is: of `Rules`, with its end where it is a pair, or ``shelf_cm``."""
    if part.rule == "core":
        return "core_min" if part.limit == "least" else "core_max"
    if part.rule in ("groups", "local_per_store", "local_share"):
        return f"{part.rule} {part.limit}"
    return "shelf_cm" if part.rule == "shelf" else part.rule


def limit_of(problem: Problem, part: Part, s: int = CHAIN) -> float:
    """Return what a limit is, in store number s where it is a setting of each store."""
    rules = problem.rules
    if part.rule == "shelf":
        return float(problem.shelf_cm[s])
    if part.rule == "changes_max":
        assert problem.changes_max is not None
        return float(problem.changes_max[s])
    if part.rule == "groups":
        found = getattr(rules.groups[part.group], part.limit)
    elif part.rule in ("local_per_store", "local_share"):
        found = getattr(rules, part.rule)[part.limit == "most"]
    else:
        found = getattr(rules, setting_of(part))
    return float(found or 0)


def _steps(problem: Problem, part: Part, s: int, amount: float) -> Iterator[Step]:
    setting = setting_of(part)
    if part.rule == "local_min_stores":
        least, alike = problem.min_stores, bool((problem.min_stores == problem.min_stores[0]).all())
        for j in (0,) if alike else np.flatnonzero(least > 1):
            to = max(1.0, float(least[j]) - np.ceil(amount - 1e-6))
            yield Step(setting, float(least[j]), float(to), product=None if alike else problem.product_ids[j])
        return
    by_store = part.rule in BY_STORE
    group = problem.rules.groups[part.group].name if part.rule == "groups" else None
    for at in range(problem.S) if by_store and s == CHAIN else (s,):
        now = limit_of(problem, part, at)
        to = _moved(problem, part, now, amount)
        yield Step(setting, now, to, store=problem.store_ids[at] if by_store else None, group=group)


def _moved(problem: Problem, part: Part, now: float, amount: float) -> float:
    """Return what a limit becomes, in a number that can be written down."""
    if part.rule == "shelf":
        # To a tenth of a centimetre on a shelf of metres, finer on a finer scale.
        largest = max(float(problem.shelf_cm.max()), amount)
        grid = 10.0 ** (3 - int(np.floor(np.log10(largest))))
        return float(np.ceil((now + amount) * grid - 1e-7) / grid)
    if part.rule == "local_share":
        return round(max(0.0, now - amount) if part.limit == "least" else min(1.0, now + amount), 6)
    whole = float(np.ceil(amount - 1e-6))
    return max(0.0, now - whole) if part.limit == "least" else now + whole


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


def relaxed(problem: Problem, relaxations: Iterable[Relaxation]) -> Problem:
    """Return ``problem`` with the settings that ``relaxations`` ask for; of two for the same the wider one."""
    rules = problem.rules
    places: dict[str, Any] = {
        "allowed": problem.allowed.copy(),
        "required": problem.required.copy(),
        "shelf_cm": problem.shelf_cm.copy(),
        "local_min_stores": problem.min_stores.copy(),
        "changes_max": None if problem.changes_max is None else problem.changes_max.copy(),
    }
    limits: dict[tuple[str, str | None], float] = {}
    for step in (step for item in relaxations for step in item.steps):
        wider = np.maximum if step.to > step.now else np.minimum
        if step.setting in places:
            s = slice(None) if step.store is None else problem.store_ids.index(step.store)
            j = slice(None) if step.product is None else problem.product_ids.index(step.product)
            at = {"shelf_cm": s, "changes_max": s, "local_min_stores": j}.get(step.setting, (s, j))
            places[step.setting][at] = wider(places[step.setting][at], step.to)
        else:
            key = (step.setting, step.group)
            limits[key] = float(wider(limits.get(key, step.now), step.to))
    changes: dict[str, Any] = {"groups": rules.groups}
    for (setting, named), to in limits.items():
        name, _, end = setting.partition(" ")
        if name == "groups":
            changes[name] = tuple(
                dataclasses.replace(group, **{end: int(to)})
                if group.name == named and getattr(group, end) is not None
                else group
                for group in changes[name]
            )
        elif end:
            least, most = changes.get(name, getattr(rules, name))
            value = to if name == "local_share" else int(to)
            changes[name] = (value, most) if end == "least" else (least, value)
        else:
            changes[name] = int(to)
    shelf_cm = places.pop("shelf_cm")
    if rules.local_min_stores is None:
        del places["local_min_stores"]
    return problem.replace(rules=dataclasses.replace(rules, **places, **changes), shelf_cm=shelf_cm)
