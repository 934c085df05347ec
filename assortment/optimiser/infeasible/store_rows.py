"""StoreRows: what the rules ask of one store, as inequalities that know which limit of which rule they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from assortment.optimiser.arrays import Floats
from assortment.optimiser.rules.rule import RULES, Rule

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


class Part(NamedTuple):
    """One limit of a rule: its name in ``RULES``, "least" or "most", and for ``groups`` the number of the group."""

    rule: str
    limit: str = "most"
    group: int = -1


CARRIED = Part("")
SPREAD = Part("local_min_stores", "least")


@dataclass(frozen=True, eq=False)
class StoreRows:
    """matrix · x + core · k ≤ most, where x is what the store carries and k how many products are core there.

    Parameters
    ----------
    parts
        Which limit each row is, M of them; `CARRIED` is none of a rule and always holds.
    matrix
        Coefficients of x, (M, N).
    core
        Coefficients of k, (M,).
    most
        Right-hand sides, (M,).
    """

    parts: tuple[Part, ...]
    matrix: Floats
    core: Floats
    most: Floats


class _Line(NamedTuple):
    part: Part
    x: Floats
    k: float
    most: float


def hard_rules(problem: Problem) -> tuple[Rule, ...]:
    """Return the rules that must hold: what has a price cannot be in the way."""
    return tuple(rule for rule in RULES if rule.name not in problem.rules.soft)


def rows_of(problem: Problem) -> Callable[[int], StoreRows]:
    """Return a function that gives the rows of store number s.

    Rules of the whole chain appear with what they ask of each store alone: a store carries no more products than the
    chain lists. ``local_min_stores`` and ``assortments_max`` ask nothing of a store alone.
    """
    hard = {rule.name for rule in hard_rules(problem)}
    shared = [line for line in _alike(problem) if line.part.rule in hard or line.part == CARRIED]

    def of(s: int) -> StoreRows:
        lines = [line for line in _own(problem, s) if line.part.rule in hard] + shared
        return StoreRows(
            tuple(line.part for line in lines),
            np.array([line.x for line in lines]),
            np.array([line.k for line in lines]),
            np.array([line.most for line in lines]),
        )

    return of


def _own(problem: Problem, s: int) -> Iterator[_Line]:
    """Yield the rows that differ from store to store."""
    allowed, required, today = problem.allowed[s], problem.required[s], problem.rules.today
    yield _Line(Part("shelf"), problem.space_cm[s], 0.0, float(problem.shelf_cm[s]))
    # One row for all: no sum of products that may not stand there is above 0.
    yield _Line(Part("allowed"), (~allowed).astype(float), 0.0, 0.0)
    yield _Line(Part("required", "least"), -required.astype(float), 0.0, -float(required.sum()))
    if problem.changes_max is not None and today is not None:
        sign = np.where(today[s], -1.0, 1.0)
        yield _Line(Part("changes_max"), sign, 0.0, float(problem.changes_max[s] - today[s].sum()))


def _alike(problem: Problem) -> Iterator[_Line]:
    """Yield the rows that are the same in all stores."""
    rules, none, every = problem.rules, np.zeros(problem.N), np.ones(problem.N)
    for g, group in enumerate(rules.groups):
        yield from _both(Part("groups", group=g), group.members.astype(float), 0.0, (group.least, group.most))
    yield from _both(Part("core"), none, 1.0, (rules.core_min, rules.core_max))
    yield from _both(Part("products_max"), every, 0.0, (None, rules.products_max))
    if problem.C == 1:
        # A product that is core in another group is not local in the chain, so this holds with one core only.
        yield from _both(Part("local_products_max"), every, -1.0, (None, rules.local_products_max))
    yield from _both(Part("local_per_store"), every, -1.0, rules.local_per_store)
    least, most = rules.local_share
    if least:
        yield _Line(Part("local_share", "least"), (least - 1.0) * every, 1.0, 0.0)
    if most is not None:
        yield _Line(Part("local_share", "most"), (1.0 - most) * every, -1.0, 0.0)
    # Not a rule but what a core is: it is carried.
    yield _Line(CARRIED, -every, 1.0, 0.0)


def _both(part: Part, x: Floats, k: float, ends: tuple[int | None, int | None]) -> Iterator[_Line]:
    """Yield x · carried + k · core between its ends; at least 0 asks for nothing."""
    least, most = ends
    if least:
        yield _Line(part._replace(limit="least"), -x, -k, -float(least))
    if most is not None:
        yield _Line(part, x, k, float(most))
