"""The rules that a scenario sets, in sentences with their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.report.names import Printer
from assortment.report.numbers import counted, number, percent

if TYPE_CHECKING:
    from assortment.optimiser import Problem, Rules


def sentences_by_rule(problem: Problem, printed: Printer) -> dict[str, list[str]]:
    """Return the sentences of each rule that the scenario sets, with its limits, by the name of the rule."""
    rules = problem.rules
    told = {
        "core": [_core(rules)],
        "shelf": [f"What a store carries fits on its shelf: {_span(problem.shelf_cm)} cm."],
        "products_max": [_most("The chain carries at most {} in all.", rules.products_max)],
        "local_products_max": [_most("The chain carries at most {} that are not core.", rules.local_products_max)],
        "local_min_stores": [_local_min(rules)],
        "local_per_store": [_between("Each store carries", rules.local_per_store, "that are not core")],
        "local_share": [_share(rules)],
        "groups": [
            _between("Each store carries", (group.least, group.most), f"of {printed(group.name)}")
            for group in rules.groups
        ],
        "changes_max": [_limit(rules)],
        "assortments_max": [_shared(rules)],
        "allowed": [
            _count(
                "{} may not stand in a store: its status, a lock, or a supplier that does not reach it.",
                ~problem.allowed,
            )
        ],
        "required": [_count("{} must stand in a store: its status or a lock.", problem.required)],
    }
    return {rule: [sentence for sentence in sentences if sentence] for rule, sentences in told.items()}


def _core(rules: Rules) -> str:
    groups = " of its group" if rules.core_groups is not None else ""
    if rules.core_max is None:
        return f"The core has at least {counted(rules.core_min, 'product')} and stands in every store{groups}."
    size = str(rules.core_min) if rules.core_min == rules.core_max else f"{rules.core_min} to {rules.core_max}"
    return f"The core has {size} products and stands in every store{groups}."


def _most(sentence: str, limit: int | None) -> str:
    return "" if limit is None else sentence.format(counted(limit, "product"))


def _local_min(rules: Rules) -> str:
    if rules.local_min_stores is None or np.max(rules.local_min_stores) <= 1:
        return ""
    least = _span(np.atleast_1d(rules.local_min_stores))
    return f"A product that is not core stands in at least {least} stores, or in none."


def _between(start: str, limits: tuple[int | None, int | None], end: str) -> str:
    least, most = limits
    if least is None and most is None:
        return ""
    told = [f"at least {least}"] if least is not None else []
    told += [f"at most {most}"] if most is not None else []
    return f"{start} {' and '.join(told)} {end}."


def _share(rules: Rules) -> str:
    least, most = rules.local_share
    told = [f"at least {percent(least)}"] if least is not None else []
    told += [f"at most {percent(most)}"] if most is not None else []
    return f"Of the products of each store {' and '.join(told)} are not core." if told else ""


def _shared(rules: Rules) -> str:
    if rules.assortments_max is None:
        return ""
    return f"The chain has at most {counted(rules.assortments_max, 'different assortment')}."


def _limit(rules: Rules) -> str:
    if rules.changes_max is None:
        return ""
    return f"A store adds and drops at most {_span(np.atleast_1d(rules.changes_max))} products together against today."


def _count(sentence: str, mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> str:
    total = int(mask.sum())
    return sentence.format(counted(total, "pair of store and product", "pairs of store and product")) if total else ""


def _span(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    low, high = number(float(np.min(values))), number(float(np.max(values)))
    return low if low == high else f"{low} to {high}"
