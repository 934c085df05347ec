"""Checks: each rule of an assortment tested on a finished plan, in plain numpy.

Written from the rules' sentences and not from the linear rows, so that a mistake in one shows against the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Mask
from assortment.optimiser.rules import excess
from assortment.optimiser.rules.violation import Violation

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Sums of centimetres are floats: 0.1 + 0.2 must fit on a shelf of 0.3.
_TOLERANCE = 1e-9


def core(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield core products that a store lacks, core groups that differ inside, and cores of the wrong size."""
    for s, j in np.argwhere(core_picks & ~carried):
        store, product = problem.store_ids[s], problem.product_ids[j]
        yield Violation("core", store, product, f"store '{store}' lacks the core product '{product}'")
    rules = problem.rules
    for c in range(problem.C):
        stores = np.flatnonzero(problem.core_group == c)
        first = core_picks[stores[0]]
        for s in stores[(core_picks[stores] != first).any(axis=1)]:
            store = problem.store_ids[s]
            yield Violation(
                "core", store, None, f"store '{store}' has another core than '{problem.store_ids[stores[0]]}'"
            )
        size = int(first.sum())
        if size < rules.core_min:
            yield Violation("core", None, None, f"the core has {size} products, fewer than {rules.core_min}")
        if rules.core_max is not None and size > rules.core_max:
            yield Violation("core", None, None, f"the core has {size} products, more than {rules.core_max}")


def shelf(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield stores whose products do not fit on the shelf."""
    del core_picks
    for s, over in enumerate(excess.shelf_over(problem, carried)):
        store, there = problem.store_ids[s], float(problem.shelf_cm[s])
        if over > _TOLERANCE * max(1.0, there):
            sentence = f"store '{store}' needs {there + over:g} cm, its shelf has {there:g}"
            yield Violation("shelf", store, None, sentence, float(over))


def allowed(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield products that stand where they may not."""
    del core_picks
    for s, j in np.argwhere(carried & ~problem.allowed):
        store, product = problem.store_ids[s], problem.product_ids[j]
        yield Violation("allowed", store, product, f"store '{store}' carries '{product}', which it may not")


def required(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield products that are missing where they must stand."""
    del core_picks
    for s, j in np.argwhere(problem.required & ~carried):
        store, product = problem.store_ids[s], problem.product_ids[j]
        yield Violation("required", store, product, f"store '{store}' lacks '{product}', which it must carry")


def groups(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield stores with too few or too many products of a group."""
    del core_picks
    for group in problem.rules.groups:
        counts = (carried & group.members).sum(axis=1)
        for store, count in zip(problem.store_ids, counts, strict=True):
            for limit, passed, off in _passed(count, group.least, group.most):
                sentence = f"store '{store}' has {count} of '{group.name}', {passed} {limit}"
                yield Violation("groups", store, None, sentence, off)


def products_max(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield once when the chain has too many distinct products."""
    del core_picks
    over = excess.products_over(problem, carried)
    if over > 0:
        count, most = int(carried.any(axis=0).sum()), problem.rules.products_max
        yield Violation("products_max", None, None, f"the chain has {count} distinct products, more than {most}", over)


def local_products_max(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield once when the chain has too many distinct products that are not core."""
    over = excess.local_products_over(problem, carried, core_picks)
    if over > 0:
        count, most = int(excess.is_local(carried, core_picks).sum()), problem.rules.local_products_max
        sentence = f"the chain has {count} distinct products that are not core, more than {most}"
        yield Violation("local_products_max", None, None, sentence, over)


def local_min_stores(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield products that are not core and stand in too few stores."""
    if problem.rules.local_min_stores is None:
        return
    missing = excess.stores_missing(problem, carried, core_picks)
    for j in np.flatnonzero(missing):
        count, product = int(carried[:, j].sum()), problem.product_ids[j]
        sentence = f"'{product}' is not core and stands in {_stores(count)}, fewer than {problem.min_stores[j]}"
        yield Violation("local_min_stores", None, product, sentence, float(missing[j]))


def local_per_store(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield stores with too few or too many products that are not core there."""
    least, most = problem.rules.local_per_store
    for store, count in zip(problem.store_ids, (carried & ~core_picks).sum(axis=1), strict=True):
        for limit, passed, off in _passed(count, least, most):
            sentence = f"store '{store}' has {count} local products, {passed} {limit}"
            yield Violation("local_per_store", store, None, sentence, off)


def local_share(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield stores where too small or too large a part of the products is not core."""
    least, most = problem.rules.local_share
    local, every = (carried & ~core_picks).sum(axis=1), carried.sum(axis=1)
    for store, own, count in zip(problem.store_ids, local, every, strict=True):
        slack = _TOLERANCE * max(1, count)
        said = f"of the {count} products of store '{store}' {own} are local"
        if least is not None and own < least * count - slack:
            yield Violation("local_share", store, None, f"{said}, less than the part {least:g}")
        if most is not None and own > most * count + slack:
            yield Violation("local_share", store, None, f"{said}, more than the part {most:g}")


def changes_max(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield stores with too many adds plus drops against today."""
    del core_picks
    today, most = problem.rules.today, problem.changes_max
    if most is None or today is None:
        return
    over = excess.changes_over(problem, carried)
    for s in np.flatnonzero(over):
        store, count = problem.store_ids[s], int((carried[s] != today[s]).sum())
        sentence = f"store '{store}' changes {count} products, more than {most[s]}"
        yield Violation("changes_max", store, None, sentence, float(over[s]))


def assortments_max(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield once when the chain has too many different assortments."""
    del core_picks
    most = problem.rules.assortments_max
    if most is None:
        return
    count = len({row.tobytes() for row in carried})
    if count > most:
        sentence = f"the chain has {count} different assortments, more than {most}"
        yield Violation("assortments_max", None, None, sentence, count - most)


def _passed(count: int, least: int | None, most: int | None) -> Iterator[tuple[int, str, float]]:
    """Yield each limit that a count passes, in which way, and by how much."""
    if least is not None and count < least:
        yield least, "fewer than", float(least - count)
    if most is not None and count > most:
        yield most, "more than", float(count - most)


def _stores(count: int) -> str:
    return "1 store" if count == 1 else f"{count} stores"
