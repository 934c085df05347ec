"""An oracle for conflicts: whether some rules, of some stores, can hold together, by trying everything."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from itertools import combinations, product

import numpy as np
from optimiser_worlds import chain_broken, off, store_broken

from assortment.errors import Obstacle
from assortment.optimiser import RULES, Problem

# What a rule is when it is left out, by its field of Rules.
_LEFT_OUT = {
    "core": {"core_min": 0, "core_max": None},
    "allowed": {"allowed": None},
    "required": {"required": None},
    "groups": {"groups": ()},
    "products_max": {"products_max": None},
    "local_products_max": {"local_products_max": None},
    "local_min_stores": {"local_min_stores": None},
    "local_per_store": {"local_per_store": (None, None)},
    "local_share": {"local_share": (None, None)},
    "changes_max": {"changes_max": None},
    "assortments_max": {"assortments_max": None},
}


def hard(problem: Problem) -> set[str]:
    """The rules that must hold."""
    return {rule.name for rule in RULES} - set(problem.rules.soft)


def with_rules(problem: Problem, names: Iterable[str]) -> Problem:
    """The problem with these rules alone."""
    kept = set(names)
    changes = {key: value for rule, left in _LEFT_OUT.items() if rule not in kept for key, value in left.items()}
    shelf = problem.shelf_cm if "shelf" in kept else problem.space_cm.sum(axis=1)
    return problem.replace(rules=dataclasses.replace(problem.rules, soft={}, **changes), shelf_cm=shelf)


def can_hold(problem: Problem, names: Iterable[str], stores: Iterable[int] | None = None) -> bool:
    """Whether some plan keeps these rules in these stores (all when left out); the other stores carry anything."""
    bare = with_rules(problem, names)
    asked = set(range(problem.S)) if stores is None else set(stores)
    subsets = [set(picks) for n in range(problem.N + 1) for picks in combinations(range(problem.N), n)]
    options = [
        [picks for picks in subsets if s not in asked or not store_broken(bare, s, picks)] for s in range(problem.S)
    ]
    # What is local is counted in the stores asked alone, so that is looked at here.
    rest = with_rules(bare, set(names) - {"local_per_store", "local_share"})
    return any(
        _local_fits(bare, choice, cores, asked) and not chain_broken(rest, list(choice), cores)
        for choice in product(*options)
        for cores in _cores(bare, choice)
    )


def _local_fits(problem: Problem, stores: tuple[set[int], ...], cores: list[set[int]], asked: set[int]) -> bool:
    """Whether the stores asked keep the rules on how much of them is local."""
    least, most = problem.rules.local_share
    for s in asked:
        core = cores[int(problem.core_group[s])]
        local, total = len(stores[s] - core), len(stores[s])
        if off(local, *problem.rules.local_per_store):
            return False
        if least is not None and local < least * total - 1e-9:
            return False
        if most is not None and local > most * total + 1e-9:
            return False
    return True


def _cores(problem: Problem, stores: tuple[set[int], ...]) -> Iterator[list[set[int]]]:
    """Every core of every core group that the stores of the group carry."""
    choices = []
    for c in range(problem.C):
        everywhere = sorted(set.intersection(*(stores[s] for s in np.flatnonzero(problem.core_group == c))))
        most = len(everywhere) if problem.rules.core_max is None else problem.rules.core_max
        sizes = range(problem.rules.core_min, min(most, len(everywhere)) + 1)
        choices.append([set(core) for size in sizes for core in combinations(everywhere, size)])
    return (list(cores) for cores in product(*choices))


def stores_meant(problem: Problem, obstacle: Obstacle) -> list[list[int]]:
    """The sets of stores, by number, each of which has the conflict."""
    numbers = [problem.store_ids.index(store) for store in obstacle.stores]
    if "worst in" in obstacle.sentence:
        return [[s] for s in numbers]
    # A product that may stand too rarely is told with the stores that must carry it; the others are what is missing.
    if not numbers or obstacle.sentence.startswith("the chain") or "must stand in" in obstacle.sentence:
        return [list(range(problem.S))]
    return [numbers]
