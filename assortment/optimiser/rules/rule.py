"""Rule: a name, a sentence, linear rows and a check; and `RULES`, all of them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assortment.optimiser.arrays import Mask
from assortment.optimiser.rules import checks, rows
from assortment.optimiser.rules.checks import Violation
from assortment.optimiser.rules.rows import Row

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


@dataclass(frozen=True)
class Rule:
    """One rule of an assortment.

    Parameters
    ----------
    name
        The same in `Rules`, in a scenario file, in the rows, in messages, in the audit and in the documentation.
    sentence
        What it says.
    rows
        Its inequalities, as data.
    check
        Its test on a finished plan, without the rows.
    couples
        Whether it ties stores together or needs the core; otherwise each store can be checked alone.
    """

    name: str
    sentence: str
    rows: Callable[[Problem], Iterator[Row]]
    check: Callable[[Problem, Mask, Mask], Iterator[Violation]]
    couples: bool = False


RULES: tuple[Rule, ...] = (
    Rule(
        "core",
        "what is core stands in every store of its group, and there are between core_min and core_max of it",
        rows.core,
        checks.core,
        couples=True,
    ),
    Rule("shelf", "what a store carries fits on its shelf", rows.shelf, checks.shelf),
    Rule("allowed", "a product stands only where it may: status, locks, supplier reach", rows.allowed, checks.allowed),
    Rule("required", "a product stands wherever it must: status, locks", rows.required, checks.required),
    Rule("groups", "at least and at most so many products of a group per store", rows.groups, checks.groups),
    Rule(
        "products_max",
        "at most so many distinct products in the chain, core included",
        rows.products_max,
        checks.products_max,
        couples=True,
    ),
    Rule(
        "local_products_max",
        "at most so many distinct products in the chain that are not core",
        rows.local_products_max,
        checks.local_products_max,
        couples=True,
    ),
    Rule(
        "local_min_stores",
        "a listed product that is not core stands in at least so many stores",
        rows.local_min_stores,
        checks.local_min_stores,
        couples=True,
    ),
    Rule(
        "local_per_store",
        "at least and at most so many products of a store that are not core",
        rows.local_per_store,
        checks.local_per_store,
        couples=True,
    ),
    Rule(
        "changes_max", "at most so many adds plus drops per store against today", rows.changes_max, checks.changes_max
    ),
)
