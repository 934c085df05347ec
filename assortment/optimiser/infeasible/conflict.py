"""A smallest set of rules in conflict, and by how little each would have to give, from linear programmes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from assortment.optimiser.programme.linear import LinearProgram, Polytope
from assortment.optimiser.rules.columns import columns_of
from assortment.optimiser.rules.rows import Row, listed, sparse_rows
from assortment.optimiser.rules.rule import RULES
from assortment.optimiser.store.own_rows import implied_rows

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_NODES = 20_000
# Looking for the very least relaxation of a whole chain can take hours; a small one that helps is enough.
_RELAXATION_SECONDS = 4.0
# What to do about a rule that stands in the way, by how much in sum over its rows.
_MENDS = {
    "core": "give up {} core products or places of them",
    "shelf": "give {} cm more shelf",
    "allowed": "allow {} products more",
    "required": "require {} products fewer",
    "groups": "loosen the limits of groups by {}",
    "products_max": "raise products_max by {}",
    "local_products_max": "raise local_products_max by {}",
    "local_min_stores": "lower local_min_stores by {} in sum",
    "local_per_store": "loosen local_per_store by {}",
    "local_share": "loosen local_share, by {} products in sum",
    "changes_max": "raise changes_max by {}",
    "assortments_max": "raise assortments_max by {}",
}


@dataclass(frozen=True)
class Obstacle:
    """One reason why there is no plan: the rules and stores in conflict, and a sentence with the next step."""

    rules: tuple[str, ...]
    stores: tuple[str, ...]
    sentence: str


class _Named(NamedTuple):
    rule: str
    row: Row


def conflict_in(problem: Problem) -> list[Obstacle]:
    """Return the conflicts of single stores; when there are none, that of the chain as a whole."""
    # What has a price cannot be in the way.
    must_hold = [rule for rule in RULES if rule.name not in problem.rules.soft]
    rows = [_Named(rule.name, row) for rule in must_hold for row in rule.rows(problem)]
    alone = [named for named in rows if not _rule_couples(named.rule)]
    found = []
    for s in range(problem.S):
        columns = columns_of(problem).x(s)
        own = [named for named in alone if len(named.row.columns) and np.isin(named.row.columns, columns).all()]
        own += [_Named(row.name, row) for row in implied_rows(problem, s)]
        shifted = [_Named(name, _shift(row, -s * problem.N)) for name, row in own]
        if not _feasible(shifted, [], problem.N):
            found.append(_obstacle(problem, shifted, [], problem.N, problem.store_ids[s]))
    if found:
        return found
    return [_obstacle(problem, rows, list(listed(problem)), columns_of(problem).count, None)]


def _obstacle(problem: Problem, rows: list[_Named], fixed: list[Row], count: int, store: str | None) -> Obstacle:
    names = _smallest_conflict(rows, fixed, count)
    kept = [named for named in rows if named.rule in names]
    stores: dict[str, None] = dict.fromkeys([store] if store is not None else [])
    ways = []
    for name in names:
        relaxed = _least_relaxation(name, kept, fixed, count)
        if relaxed is None:
            continue
        total, broken = relaxed
        if total <= 0:
            continue
        at = [problem.store_ids[s] for s in _stores_of(broken, problem)] if store is None else []
        stores.update(dict.fromkeys(at))
        places = f" (stores {', '.join(repr(item) for item in at)})" if 0 < len(at) <= 5 else ""
        ways.append(_MENDS[name].format(f"{total:g}") + places)
    # For one store alone the core is part of the row on local products; the user asked for two rules.
    if store is not None and "local_per_store" in names and "core" not in names and problem.rules.core_min > 0:
        names.append("core")
    where = "the chain" if store is None else f"store '{store}'"
    head = f"{where}: " + (
        f"the rule {names[0]} cannot hold" if len(names) == 1 else f"{', '.join(names)} cannot hold together"
    )
    step = f"; {', or '.join(ways)}" if ways else "; leave one of them out"
    return Obstacle(tuple(names), tuple(stores), head + step)


def _smallest_conflict(rows: list[_Named], fixed: list[Row], count: int) -> list[str]:
    """Leave out one rule after the other; those without which the rest can hold are the conflict."""
    names = list(dict.fromkeys(named.rule for named in rows))
    for name in list(names):
        rest = [named for named in rows if named.rule in names and named.rule != name]
        if not _feasible(rest, fixed, count):
            names.remove(name)
    return names


def _feasible(rows: list[_Named], fixed: list[Row], count: int) -> bool:
    matrix, low, high = sparse_rows([named.row for named in rows] + fixed, count)
    ones = np.ones(count)
    programme = LinearProgram(Polytope(matrix, low, high, 0 * ones, ones), whole=ones > 0, nodes=_NODES)
    return not programme.maximise(0 * ones).infeasible


def _least_relaxation(name: str, rows: list[_Named], fixed: list[Row], count: int) -> tuple[float, list[Row]] | None:
    """Return by how much, in sum, the rows of one rule must give while all others hold, and which rows give."""
    all_rows = [named.row for named in rows] + fixed
    soft = [i for i, named in enumerate(rows) if named.rule == name]
    matrix, low, high = sparse_rows(all_rows, count)
    places = (np.array(soft * 2), np.arange(2 * len(soft)))
    slack = sparse.csr_matrix((np.repeat([1.0, -1.0], len(soft)), places), shape=(len(all_rows), 2 * len(soft)))
    room = float(np.abs(matrix).sum(axis=1).max()) + float(np.abs(low[np.isfinite(low)]).max(initial=0.0))
    upper = np.concatenate([np.ones(count), np.full(2 * len(soft), room)])
    whole = np.arange(len(upper)) < count
    cost = np.where(whole, 0.0, -1.0)
    polytope = Polytope(sparse.hstack([matrix, slack]).tocsr(), low, high, 0 * upper, upper)
    programme = LinearProgram(polytope, whole=whole, nodes=_NODES, seconds=_RELAXATION_SECONDS)
    answer = programme.maximise(cost)
    if answer.columns is None:
        return None
    given = answer.columns[count:].reshape(2, -1).sum(axis=0)
    broken = [all_rows[i] for i, amount in zip(soft, given, strict=True) if amount > 1e-6]
    return round(float(given.sum()), 6), broken


def _stores_of(rows: list[Row], problem: Problem) -> list[int]:
    """Return the stores whose own variables alone make a row."""
    found = set()
    for row in rows:
        own = {int(column) // problem.N for column in row.columns if column < problem.S * problem.N}
        if len(own) == 1:
            found |= own
    return sorted(found)


def _shift(row: Row, by: int) -> Row:
    return Row(row.name, row.columns + by, row.coefficients, row.low, row.high)


def _rule_couples(name: str) -> bool:
    return next(rule.couples for rule in RULES if rule.name == name)
