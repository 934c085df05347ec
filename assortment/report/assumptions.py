"""What a plan rests on, in sentences: the scenario's rules, and what was assumed rather than known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.demand import CHAIN_EVERYWHERE
from assortment.report.claim import TOLERANCE
from assortment.report.costs import costs_in_words, priced_in_words, soft_in_words
from assortment.report.facts import Facts
from assortment.report.numbers import counted, number, percent
from assortment.report.reasons import FELT
from assortment.report.volume import left_with_nothing

if TYPE_CHECKING:
    from assortment.optimiser import Rules

_WEIGHTS = {
    "occasions": "How many shoppers choose in the category comes from the chain's shelves table (occasions_per_week).",
    "units": "How many shoppers choose in the category is not known: units sold, scaled up by the walk-away rate.",
}


def rules_in_words(facts: Facts) -> list[str]:
    """Return one sentence per rule that the scenario sets."""
    problem = facts.run.problem
    rules = problem.rules
    told = [
        _core(rules),
        f"What a store carries fits on its shelf: {_span(problem.shelf_cm)} cm.",
        _most("The chain carries at most {} in all.", rules.products_max),
        _most("The chain carries at most {} that are not core.", rules.local_products_max),
        _local_min(rules),
        _between("Each store carries", rules.local_per_store, "that are not core"),
        _share(rules),
        *(
            _between("Each store carries", (group.least, group.most), f"of {facts.printed(group.name)}")
            for group in rules.groups
        ),
        _limit(rules),
        _shared(rules),
        _count(
            "{} may not stand in a store: its status, a lock, or a supplier that does not reach it.", ~problem.allowed
        ),
        _count("{} must stand in a store: its status or a lock.", problem.required),
        *costs_in_words(facts),
        *soft_in_words(facts),
        *priced_in_words(facts),
    ]
    return [sentence for sentence in told if sentence]


def assumptions(facts: Facts) -> list[str]:
    """Return what was assumed: the outside option, shopper weights, trade areas, what money means, and all warnings.

    What stands elsewhere on the page, on local tastes and what to take care of, is not told again.
    """
    run = facts.run
    elsewhere = {run.model.evidence.sentence, CHAIN_EVERYWHERE, *run.model.cautions}
    areas = run.areas
    told = [
        left_with_nothing(facts),
        _WEIGHTS.get(str(run.demand.weight_source), ""),
        "Trade areas "
        + (
            "divide people between the stores."
            if areas.kind == "divides"
            else "overlap: a person may count for several stores."
        ),
        "Prices are the regular ones, without promotion. Price effects are not corrected for how prices were set.",
        f"Who lives around a store goes with what it sells: that is an association between stores, not a cause. Only "
        f"effects on demand of at least {percent(FELT)} are told.",
        f"Money is claimed only where the forecast of today's listing is within {percent(TOLERANCE)} of what was sold.",
        "Intervals are of 90 % and hold the error of the demand model, not that of prices, margins or shelves.",
        *(
            facts.printed.sentence(text)
            for text in (*run.demand.notes, *run.manifest.get("warnings", ()))
            if text not in elsewhere
        ),
    ]
    return [sentence for sentence in dict.fromkeys(told) if sentence]


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
