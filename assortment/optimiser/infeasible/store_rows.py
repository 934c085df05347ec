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
    chain lists. Rules that no line here knows are left out when they tie stores together, else taken from their rows.
    """
    hard = {rule.name for rule in hard_rules(problem)}
    # Not a rule but what a core is: it is carried.
    alike = [line for name, make in _ALIKE.items() if name in hard for line in make(problem)]
    alike.append(_Line(CARRIED, -np.ones(problem.N), 1.0, 0.0))
    shared, foreign = _stacked(alike, problem.N), _foreign(problem)

    def of(s: int) -> StoreRows:
        lines = [line for name, make in _OWN.items() if name in hard for line in make(problem, s)]
        own = _stacked(lines + foreign[s], problem.N)
        return StoreRows(
            own.parts + shared.parts,
            np.vstack([own.matrix, shared.matrix]),
            np.concatenate([own.core, shared.core]),
            np.concatenate([own.most, shared.most]),
        )

    return of


def _stacked(lines: list[_Line], N: int) -> StoreRows:
    return StoreRows(
        tuple(line.part for line in lines),
        np.array([line.x for line in lines]).reshape(len(lines), N),
        np.array([line.k for line in lines]),
        np.array([line.most for line in lines]),
    )


def _foreign(problem: Problem) -> list[list[_Line]]:
    """The rows, store by store, of rules of single stores that no line here knows."""
    found: list[list[_Line]] = [[] for _ in range(problem.S)]
    for rule in hard_rules(problem):
        if rule.couples or rule.name in _OWN or rule.name in _ALIKE:
            continue
        for row in rule.rows(problem):
            if len(row.columns) == 0:
                continue
            s, x = int(row.columns[0]) // problem.N, np.zeros(problem.N)
            x[row.columns - s * problem.N] = row.coefficients
            if np.isfinite(row.high):
                found[s].append(_Line(Part(rule.name, "most"), x, 0.0, row.high))
            if np.isfinite(row.low):
                found[s].append(_Line(Part(rule.name, "least"), -x, 0.0, -row.low))
    return found


def _shelf(problem: Problem, s: int) -> Iterator[_Line]:
    yield _Line(Part("shelf"), problem.space_cm[s], 0.0, float(problem.shelf_cm[s]))


def _allowed(problem: Problem, s: int) -> Iterator[_Line]:
    # One row for all: no sum of products that may not stand there is above 0.
    yield _Line(Part("allowed"), (~problem.allowed[s]).astype(float), 0.0, 0.0)


def _required(problem: Problem, s: int) -> Iterator[_Line]:
    yield _Line(Part("required", "least"), -problem.required[s].astype(float), 0.0, -float(problem.required[s].sum()))


def _groups(problem: Problem) -> Iterator[_Line]:
    for g, group in enumerate(problem.rules.groups):
        members = group.members.astype(float)
        if group.least is not None and group.least > 0:
            yield _Line(Part("groups", "least", g), -members, 0.0, -float(group.least))
        if group.most is not None:
            yield _Line(Part("groups", "most", g), members, 0.0, float(group.most))


def _core(problem: Problem) -> Iterator[_Line]:
    if problem.rules.core_min > 0:
        yield _Line(Part("core", "least"), np.zeros(problem.N), -1.0, -float(problem.rules.core_min))
    if problem.rules.core_max is not None:
        yield _Line(Part("core", "most"), np.zeros(problem.N), 1.0, float(problem.rules.core_max))


def _products_max(problem: Problem) -> Iterator[_Line]:
    if problem.rules.products_max is not None:
        yield _Line(Part("products_max"), np.ones(problem.N), 0.0, float(problem.rules.products_max))


def _local_products_max(problem: Problem) -> Iterator[_Line]:
    # A product that is core in another group is not local in the chain, so this holds with one core only.
    if problem.rules.local_products_max is not None and problem.C == 1:
        yield _Line(Part("local_products_max"), np.ones(problem.N), -1.0, float(problem.rules.local_products_max))


def _local_per_store(problem: Problem) -> Iterator[_Line]:
    least, most = problem.rules.local_per_store
    if least is not None and least > 0:
        yield _Line(Part("local_per_store", "least"), -np.ones(problem.N), 1.0, -float(least))
    if most is not None:
        yield _Line(Part("local_per_store", "most"), np.ones(problem.N), -1.0, float(most))


def _local_share(problem: Problem) -> Iterator[_Line]:
    least, most = problem.rules.local_share
    if least is not None and least > 0:
        yield _Line(Part("local_share", "least"), np.full(problem.N, least - 1.0), 1.0, 0.0)
    if most is not None:
        yield _Line(Part("local_share", "most"), np.full(problem.N, 1.0 - most), -1.0, 0.0)


def _changes_max(problem: Problem, s: int) -> Iterator[_Line]:
    today = problem.rules.today
    if problem.changes_max is not None and today is not None:
        sign = np.where(today[s], -1.0, 1.0)
        yield _Line(Part("changes_max"), sign, 0.0, float(problem.changes_max[s] - today[s].sum()))


# Rows that differ from store to store, and rows that are the same in all.
_OWN: dict[str, Callable[[Problem, int], Iterator[_Line]]] = {
    "shelf": _shelf,
    "allowed": _allowed,
    "required": _required,
    "changes_max": _changes_max,
}
_ALIKE: dict[str, Callable[[Problem], Iterator[_Line]]] = {
    "groups": _groups,
    "core": _core,
    "products_max": _products_max,
    "local_products_max": _local_products_max,
    "local_per_store": _local_per_store,
    "local_share": _local_share,
}
