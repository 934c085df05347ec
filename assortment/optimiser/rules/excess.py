"""By how much a plan passes the limits of each rule that may have a price, and what that costs.

Plain numpy, from the rules' sentences; 0 where the rule holds or is not asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Ints, Mask

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem
    from assortment.optimiser.rules.rules import Group


def shelf_over(problem: Problem, carried: Mask) -> Floats:
    """Return by how many centimetres each store's products pass its shelf, (S,)."""
    over: Floats = np.maximum(0.0, (problem.space_cm * carried).sum(axis=1) - problem.shelf_cm)
    return over


def group_off(group: Group, carried: Mask) -> Ints:
    """Return how many products of a group each store has too many or too few, (S,)."""
    return _off((carried & group.members).sum(axis=1), group.least, group.most)


def local_off(problem: Problem, carried: Mask, core: Mask) -> Ints:
    """Return how many local products each store has too many or too few, (S,)."""
    return _off((carried & ~core).sum(axis=1), *problem.rules.local_per_store)


def changes_over(problem: Problem, carried: Mask) -> Ints:
    """Return by how many changes each store passes its limit, (S,)."""
    today = problem.rules.today
    if problem.changes_max is None or today is None:
        return np.zeros(problem.S, np.int64)
    over: Ints = np.maximum(0, (carried != today).sum(axis=1) - problem.changes_max)
    return over


def products_over(problem: Problem, carried: Mask) -> int:
    """Return how many distinct products the chain has too many."""
    return int(_off(np.array([carried.any(axis=0).sum()]), None, problem.rules.products_max)[0])


def local_products_over(problem: Problem, carried: Mask, core: Mask) -> int:
    """Return how many distinct products that are not core the chain has too many."""
    return int(_off(np.array([is_local(carried, core).sum()]), None, problem.rules.local_products_max)[0])


def stores_missing(problem: Problem, carried: Mask, core: Mask) -> Ints:
    """Return in how many stores each listed product that is not core is missing, (N,)."""
    missing: Ints = np.where(is_local(carried, core), np.maximum(0, problem.min_stores - carried.sum(axis=0)), 0)
    return missing


def is_local(carried: Mask, core: Mask) -> Mask:
    """Return which products are listed and core nowhere, (N,)."""
    local: Mask = np.any(carried, axis=0) & ~np.any(core, axis=0)
    return local


def store_excess(problem: Problem, carried: Mask, core: Mask) -> Floats:
    """Return what each store pays for breaking rules that have a price, (S,)."""
    soft, cost = problem.rules.soft, np.zeros(problem.S)
    if "shelf" in soft:
        cost += soft["shelf"] * shelf_over(problem, carried)
    if "groups" in soft:
        cost += soft["groups"] * sum(group_off(group, carried) for group in problem.rules.groups)
    if "local_per_store" in soft:
        cost += soft["local_per_store"] * local_off(problem, carried, core)
    if "changes_max" in soft:
        cost += soft["changes_max"] * changes_over(problem, carried)
    return cost


def chain_excess(problem: Problem, carried: Mask, core: Mask) -> float:
    """Return what the chain pays for breaking rules that have a price and belong to no single store."""
    soft, cost = problem.rules.soft, 0.0
    if "products_max" in soft:
        cost += soft["products_max"] * products_over(problem, carried)
    if "local_products_max" in soft:
        cost += soft["local_products_max"] * local_products_over(problem, carried, core)
    if "local_min_stores" in soft:
        cost += soft["local_min_stores"] * float(stores_missing(problem, carried, core).sum())
    return cost


def _off(count: Ints, least: int | None, most: int | None) -> Ints:
    over = 0 if most is None else np.maximum(0, count - most)
    under = 0 if least is None else np.maximum(0, least - count)
    off: Ints = np.zeros_like(count) + over + under
    return off
