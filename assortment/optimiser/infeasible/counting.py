"""Counting: conflicts that adding up shows at once, without any programme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import Obstacle
from assortment.optimiser.infeasible.relaxation import CHAIN, Way
from assortment.optimiser.infeasible.sharing import too_few_assortments
from assortment.optimiser.infeasible.store_rows import Part, hard_rules
from assortment.optimiser.infeasible.wording import count, shown, told_obstacle
from assortment.optimiser.store.own_rows import can_be_core

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_SHOWN = 3


def counting_shows(problem: Problem) -> bool:
    """Return whether counting and adding show that there is no plan; if not, there may still be none."""
    if any(True for found in (contradictions, too_rare, too_few_assortments) for _ in found(problem)):
        return True
    hard = {rule.name for rule in hard_rules(problem)}
    most = problem.rules.products_max if "products_max" in hard else None
    return (
        bool((problem.required & ~problem.allowed).any())
        or bool((can_be_core(problem).sum(axis=1) < problem.rules.core_min).any())
        or (most is not None and int(problem.required.any(axis=0).sum()) > most)
        or ("groups" in hard and _groups_out_of_reach(problem))
        or ("shelf" in hard and _no_room(problem))
    )


def contradictions(problem: Problem) -> Iterator[Obstacle]:
    """Yield limits that contradict each other whatever the stores and products are."""
    rules, hard = problem.rules, {rule.name for rule in hard_rules(problem)}
    core, local, (least, most) = Part("core", "least"), Part("local_per_store", "least"), rules.local_per_store
    pairs = [
        (core, Part("core"), rules.core_min, rules.core_max, "rules.core_max"),
        (core, Part("products_max"), rules.core_min, rules.products_max, "rules.products_max"),
        (local, local._replace(limit="most"), least, most, "rules.local_per_store"),
    ]
    for g, group in enumerate(rules.groups):
        part = Part("groups", "least", g)
        pairs.append((part, part._replace(limit="most"), group.least, group.most, f"rules.groups: '{group.name}'"))
    for low, high, floor, ceiling, name in pairs:
        if not hard.issuperset({low.rule, high.rule}) or floor is None or ceiling is None or floor <= ceiling:
            continue
        ways = [Way(part.rule, {(part, CHAIN): float(floor - ceiling)}) for part in (high, low)]
        names = tuple(dict.fromkeys((low.rule, high.rule)))
        told = f"{name}: at least {floor} and at most {ceiling} cannot both hold"
        told = f"rules.core_min {floor} is more than {name} {ceiling}" if low == core else told
        yield told_obstacle(problem, names, (), told, ways)


def too_rare(problem: Problem) -> Iterator[Obstacle]:
    """Yield once the products that a store must carry and that may stand in fewer stores than local_min_stores asks."""
    names = {rule.name for rule in hard_rules(problem)}
    if problem.rules.local_min_stores is None or not names.issuperset({"local_min_stores", "required"}):
        return
    must, may, least = problem.required.any(axis=0), problem.allowed.sum(axis=0), problem.min_stores
    # What is required where it may not stand is another conflict, of that store alone.
    clear = ~(problem.required & ~problem.allowed).any(axis=0)
    products = np.flatnonzero(must & clear & (may < least) & ~can_be_core(problem).any(axis=0))
    if len(products) == 0:
        return
    told = [
        f"'{problem.product_ids[j]}' must stand in "
        f"{shown(problem.store_ids[s] for s in np.flatnonzero(problem.required[:, j]))} and may stand in "
        f"{count(int(may[j]), 'store')} only"
        for j in products[:_SHOWN]
    ]
    told += [f"{len(products) - _SHOWN} more products too"] if len(products) > _SHOWN else []
    asked = sorted({int(least[j]) for j in products})
    limit = f"rules.local_min_stores asks for {asked[0] if len(asked) == 1 else 'more'}"
    missing = float((least - may)[products].max())
    freed = [(int(s), int(j)) for j in products for s in np.flatnonzero(problem.required[:, j])]
    opened = [(int(s), int(j)) for j in products for s in np.flatnonzero(~problem.allowed[:, j])[: least[j] - may[j]]]
    ways = [
        Way("local_min_stores", {(Part("local_min_stores", "least"), CHAIN): missing}),
        Way("required", places=frozenset(freed)),
        Way("allowed", places=frozenset(opened)),
    ]
    stores = tuple(dict.fromkeys(problem.store_ids[s] for s, _ in freed))
    sentence = f"{', '.join(told)} (status, locks, supplier reach), {limit}"
    yield told_obstacle(problem, ("allowed", "required", "local_min_stores"), stores, sentence, ways)


def _groups_out_of_reach(problem: Problem) -> bool:
    for group in problem.rules.groups:
        can, must = problem.allowed[:, group.members].sum(axis=1), problem.required[:, group.members].sum(axis=1)
        if (can < (group.least or 0)).any() or (group.most is not None and (must > group.most).any()):
            return True
    return False


def _no_room(problem: Problem) -> bool:
    """Whether some shelf is too short for what is required, with a core of core_min on top."""
    room = problem.shelf_cm * (1 + 1e-9) + 1e-9
    base = (problem.space_cm * problem.required).sum(axis=1)
    for c, candidates in enumerate(can_be_core(problem)):
        own = problem.core_group == c
        # What is required anyway costs no more space.
        space = np.sort(np.where(problem.required[own], 0.0, problem.space_cm[own])[:, candidates], axis=1)
        if (base[own] + space[:, : problem.rules.core_min].sum(axis=1) > room[own]).any():
            return True
    return False
