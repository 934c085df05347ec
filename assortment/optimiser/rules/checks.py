"""Checks: each rule of an assortment tested on a finished plan, in plain numpy.

Written from the rules' sentences and not from the linear rows, so that a mistake in one shows against the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Mask

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Sums of centimetres are floats: 0.1 + 0.2 must fit on a shelf of 0.3.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Violation:
    """One place where a plan breaks a rule.

    Parameters
    ----------
    rule
        Its name, as in ``RULES``.
    store_id, product_id
        Where; ``None`` where the rule is of the whole chain or of all products.
    sentence
        What is wrong, in words.
    """

    rule: str
    store_id: str | None
    product_id: str | None
    sentence: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence}"


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
    for s, store in enumerate(problem.store_ids):
        needed, there = float(problem.space_cm[s, carried[s]].sum()), float(problem.shelf_cm[s])
        if needed > there + _TOLERANCE * max(1.0, there):
            yield Violation("shelf", store, None, f"store '{store}' needs {needed:g} cm, its shelf has {there:g}")


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
        for store, count in zip(problem.store_ids, (carried & group.members).sum(axis=1), strict=True):
            if group.least is not None and count < group.least:
                yield Violation(
                    "groups", store, None, f"store '{store}' has {count} of '{group.name}', fewer than {group.least}"
                )
            if group.most is not None and count > group.most:
                yield Violation(
                    "groups", store, None, f"store '{store}' has {count} of '{group.name}', more than {group.most}"
                )


def products_max(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield once when the chain has too many distinct products."""
    del core_picks
    count, most = int(carried.any(axis=0).sum()), problem.rules.products_max
    if most is not None and count > most:
        yield Violation("products_max", None, None, f"the chain has {count} distinct products, more than {most}")


def local_products_max(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield once when the chain has too many distinct products that are not core."""
    count, most = int(_local(carried, core_picks).sum()), problem.rules.local_products_max
    if most is not None and count > most:
        sentence = f"the chain has {count} distinct products that are not core, more than {most}"
        yield Violation("local_products_max", None, None, sentence)


def local_min_stores(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield products that are not core and stand in too few stores."""
    if problem.rules.local_min_stores is None:
        return
    for j in np.flatnonzero(_local(carried, core_picks)):
        count, least, product = int(carried[:, j].sum()), int(problem.min_stores[j]), problem.product_ids[j]
        if count < least:
            sentence = f"'{product}' is not core and stands in {count} stores, fewer than {least}"
            yield Violation("local_min_stores", None, product, sentence)


def local_per_store(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield stores with too few or too many products that are not core there."""
    least, most = problem.rules.local_per_store
    for store, count in zip(problem.store_ids, (carried & ~core_picks).sum(axis=1), strict=True):
        if least is not None and count < least:
            sentence = f"store '{store}' has {count} local products, fewer than {least}"
            yield Violation("local_per_store", store, None, sentence)
        if most is not None and count > most:
            yield Violation(
                "local_per_store", store, None, f"store '{store}' has {count} local products, more than {most}"
            )


def changes_max(problem: Problem, carried: Mask, core_picks: Mask) -> Iterator[Violation]:
    """Yield stores with too many adds plus drops against today."""
    del core_picks
    today = problem.rules.today
    if problem.changes_max is None or today is None:
        return
    for s, count in enumerate((carried != today).sum(axis=1)):
        if count > problem.changes_max[s]:
            store = problem.store_ids[s]
            sentence = f"store '{store}' changes {count} products, more than {problem.changes_max[s]}"
            yield Violation("changes_max", store, None, sentence)


def _local(carried: Mask, core_picks: Mask) -> Mask:
    local: Mask = np.any(carried, axis=0) & ~np.any(core_picks, axis=0)
    return local
