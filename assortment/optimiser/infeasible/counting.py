"""Counting: conflicts that adding up shows at once, without any programme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import Obstacle, Relaxation, Step
from assortment.optimiser.infeasible.mends import in_words, shown
from assortment.optimiser.infeasible.sharing import too_few_assortments
from assortment.optimiser.infeasible.store_rows import hard_rules
from assortment.optimiser.store.own_rows import can_be_core

if TYPE_CHECKING:
    from assortment.optimiser.arrays import Ints
    from assortment.optimiser.problem.problem import Problem

_SHOWN = 3


def counting_shows(problem: Problem) -> bool:
    """Return whether counting and adding show that there is no plan; if not, there may still be none."""
    if any(True for _ in contradictions(problem)) or any(True for _ in too_rare(problem)):
        return True
    if any(True for _ in too_few_assortments(problem)):
        return True
    hard = {rule.name for rule in hard_rules(problem)}
    checks = {
        ("required", "allowed"): _required_not_allowed,
        ("groups",): _groups_out_of_reach,
        ("shelf",): _no_room,
        ("core",): _core_too_small,
        ("products_max",): _too_many_products,
    }
    return any(check(problem) for names, check in checks.items() if hard.issuperset(names))


def contradictions(problem: Problem) -> Iterator[Obstacle]:
    """Yield limits that contradict each other whatever the stores and products are."""
    rules, hard = problem.rules, {rule.name for rule in hard_rules(problem)}
    pairs: list[tuple[str, str, str, int | None, int | None, str | None]]
    pairs = [("core", "core_min", "core_max", rules.core_min, rules.core_max, None)]
    least, most = rules.local_per_store
    pairs.append(("local_per_store", "local_per_store least", "local_per_store most", least, most, None))
    pairs += [("groups", "groups least", "groups most", group.least, group.most, group.name) for group in rules.groups]
    for rule, low, high, floor, ceiling, group in pairs:
        if rule not in hard or floor is None or ceiling is None or floor <= ceiling:
            continue
        ways = (
            Relaxation(rule, floor - ceiling, (), (Step(low, floor, ceiling, group=group),)),
            Relaxation(rule, floor - ceiling, (), (Step(high, ceiling, floor, group=group),)),
        )
        what = "" if group is None else f" of '{group}'"
        sentence = f"{rule}: at least {floor} and at most {ceiling}{what} cannot both hold"
        sentence = f"core_min {floor} is more than core_max {ceiling}" if rule == "core" else sentence
        yield Obstacle((rule,), (), f"{sentence}; {', or '.join(in_words(way) for way in ways)}", ways)
    most = rules.products_max
    if most is not None and rules.core_min > most and hard.issuperset({"products_max", "core"}):
        ways = (
            Relaxation("products_max", rules.core_min - most, (), (Step("products_max", most, rules.core_min),)),
            Relaxation("core", rules.core_min - most, (), (Step("core_min", rules.core_min, most),)),
        )
        sentence = f"core_min {rules.core_min} is more than products_max {most}"
        yield Obstacle(("core", "products_max"), (), f"{sentence}; {', or '.join(in_words(way) for way in ways)}", ways)


def too_rare(problem: Problem) -> Iterator[Obstacle]:
    """Yield once the products that a store must carry and that may stand in fewer stores than local_min_stores asks."""
    names = {rule.name for rule in hard_rules(problem)}
    if problem.rules.local_min_stores is None or not names.issuperset({"local_min_stores", "required"}):
        return
    must, may = problem.required.any(axis=0), problem.allowed.sum(axis=0)
    # What is required where it may not stand is another conflict, of that store alone.
    clear = ~(problem.required & ~problem.allowed).any(axis=0)
    rare = must & clear & (may < problem.min_stores) & ~can_be_core(problem).any(axis=0)
    products = [int(j) for j in np.flatnonzero(rare)]
    if not products:
        return
    freed, opened = _freed(problem, products), _opened(problem, products, may)
    lowered = _lowered(problem, products, may)
    asked = sorted({int(problem.min_stores[j]) for j in products})
    told = [
        f"'{problem.product_ids[j]}' must stand in "
        f"{shown([repr(problem.store_ids[s]) for s in np.flatnonzero(problem.required[:, j])])} and may stand in "
        f"{int(may[j])} {'store' if may[j] == 1 else 'stores'} only"
        for j in products[:_SHOWN]
    ]
    told += [f"{len(products) - _SHOWN} more products too"] if len(products) > _SHOWN else []
    it, missing = ("it", int((problem.min_stores - may)[products].max())) if len(products) == 1 else ("them", 0)
    more = f"in {missing} more" if missing else f"at {len(opened.steps)} more places"
    yield Obstacle(
        ("allowed", "required", "local_min_stores"),
        freed.stores,
        f"{', '.join(told)} (status, locks, supplier reach), local_min_stores asks for "
        f"{asked[0] if len(asked) == 1 else 'more'}; {in_words(lowered)}, or no longer require {it}, "
        f"or allow {it} {more}",
        (lowered, freed, opened),
    )


def _freed(problem: Problem, products: list[int]) -> Relaxation:
    places = [(s, j) for j in products for s in np.flatnonzero(problem.required[:, j])]
    steps = tuple(Step("required", 1.0, 0.0, problem.store_ids[s], problem.product_ids[j]) for s, j in places)
    return Relaxation("required", float(len(products)), tuple(dict.fromkeys(str(step.store) for step in steps)), steps)


def _opened(problem: Problem, products: list[int], may: Ints) -> Relaxation:
    places = [
        (s, j) for j in products for s in np.flatnonzero(~problem.allowed[:, j])[: int(problem.min_stores[j] - may[j])]
    ]
    steps = tuple(Step("allowed", 0.0, 1.0, problem.store_ids[s], problem.product_ids[j]) for s, j in places)
    return Relaxation("allowed", float(len(products)), tuple(dict.fromkeys(str(step.store) for step in steps)), steps)


def _lowered(problem: Problem, products: list[int], may: Ints) -> Relaxation:
    least = problem.min_stores
    steps: tuple[Step, ...]
    if (least == least[0]).all():
        steps = (Step("local_min_stores", float(least[0]), float(max(1, may[products].min()))),)
    else:
        steps = tuple(
            Step("local_min_stores", float(least[j]), float(max(1, may[j])), product=problem.product_ids[j])
            for j in products
        )
    return Relaxation("local_min_stores", max(step.now - step.to for step in steps), (), steps)


def _required_not_allowed(problem: Problem) -> bool:
    return bool((problem.required & ~problem.allowed).any())


def _groups_out_of_reach(problem: Problem) -> bool:
    for group in problem.rules.groups:
        can, must = problem.allowed[:, group.members].sum(axis=1), problem.required[:, group.members].sum(axis=1)
        if group.least is not None and (can < group.least).any():
            return True
        if group.most is not None and (must > group.most).any():
            return True
    return False


def _no_room(problem: Problem) -> bool:
    """Whether some shelf is too short for what is required, with a core of core_min on top."""
    room = problem.shelf_cm * (1 + 1e-9) + 1e-9
    base = (problem.space_cm * problem.required).sum(axis=1)
    for c, candidates in enumerate(can_be_core(problem)):
        own = problem.core_group == c
        if candidates.sum() < problem.rules.core_min:
            return True
        # What is required anyway costs no more space.
        space = np.sort(np.where(problem.required[own], 0.0, problem.space_cm[own])[:, candidates], axis=1)
        if (base[own] + space[:, : problem.rules.core_min].sum(axis=1) > room[own]).any():
            return True
    return False


def _core_too_small(problem: Problem) -> bool:
    return bool((can_be_core(problem).sum(axis=1) < problem.rules.core_min).any())


def _too_many_products(problem: Problem) -> bool:
    most = problem.rules.products_max
    return most is not None and max(problem.rules.core_min, int(problem.required.any(axis=0).sum())) > most
