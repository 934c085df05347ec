"""Rule: a name, a sentence, linear rows and a check; and `RULES`, all of them in order.

Most rules must hold. A rule with a price (``Rules.soft``) may be broken: its rows get a slack that costs the price, its
check finds nothing, and `Rule.breaks` tells where and by how much it is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assortment.optimiser.arrays import Mask
from assortment.optimiser.rules import checks, rows
from assortment.optimiser.rules.rows import Row
from assortment.optimiser.rules.violation import Violation

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
    inequalities
        Its rows as if it had to hold.
    breaks
        Where a finished plan breaks it, without the rows, whether it has a price or not.
    couples
        Whether it ties stores together or needs the core; otherwise each store can be checked alone.
    unit
        What a price is paid for: one centimetre, product, change or store too many or too few. Empty for rules that
        cannot have a price.
    relaxed
        Whether the bound on the chain leaves it out.
    """

    name: str
    sentence: str
    inequalities: Callable[[Problem], Iterator[Row]]
    breaks: Callable[[Problem, Mask, Mask], Iterator[Violation]]
    couples: bool = False
    unit: str = ""
    relaxed: bool = False

    def rows(self, problem: Problem) -> Iterator[Row]:
        """Yield its inequalities, as data; with slacks where it has a price."""
        found = self.inequalities(problem)
        return rows.softened(problem, found) if self.name in problem.rules.soft else found

    def check(self, problem: Problem, carried: Mask, core: Mask) -> Iterator[Violation]:
        """Yield where a finished plan breaks it although it may not."""
        return iter(()) if self.name in problem.rules.soft else self.breaks(problem, carried, core)


RULES: tuple[Rule, ...] = (
    Rule(
        "core",
        "what is core stands in every store of its group, and there are between core_min and core_max of it",
        rows.core,
        checks.core,
        couples=True,
    ),
    Rule("shelf", "what a store carries fits on its shelf", rows.shelf, checks.shelf, unit="cm"),
    Rule("allowed", "a product stands only where it may: status, locks, supplier reach", rows.allowed, checks.allowed),
    Rule("required", "a product stands wherever it must: status, locks", rows.required, checks.required),
    Rule(
        "groups",
        "at least and at most so many products of a group per store",
        rows.groups,
        checks.groups,
        unit="product",
    ),
    Rule(
        "products_max",
        "at most so many distinct products in the chain, core included",
        rows.products_max,
        checks.products_max,
        couples=True,
        unit="product",
    ),
    Rule(
        "local_products_max",
        "at most so many distinct products in the chain that are not core",
        rows.local_products_max,
        checks.local_products_max,
        couples=True,
        unit="product",
    ),
    Rule(
        "local_min_stores",
        "a listed product that is not core stands in at least so many stores",
        rows.local_min_stores,
        checks.local_min_stores,
        couples=True,
        unit="store",
    ),
    Rule(
        "local_per_store",
        "at least and at most so many products of a store that are not core",
        rows.local_per_store,
        checks.local_per_store,
        couples=True,
        unit="product",
    ),
    Rule(
        "local_share",
        "at least and at most such a part of a store's products is not core",
        rows.local_share,
        checks.local_share,
        couples=True,
    ),
    Rule(
        "changes_max",
        "at most so many adds plus drops per store against today",
        rows.changes_max,
        checks.changes_max,
        unit="change",
    ),
    Rule(
        "assortments_max",
        "at most so many different assortments in the chain; stores that share one carry exactly the same",
        rows.assortments_max,
        checks.assortments_max,
        couples=True,
        relaxed=True,
    ),
)
