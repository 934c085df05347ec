"""Which stores cannot share an assortment, and how many assortments that takes at least."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import Obstacle
from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.infeasible.conflict import filtered, rules_in_order
from assortment.optimiser.infeasible.relaxation import CHAIN, Way
from assortment.optimiser.infeasible.store_rows import Part, hard_rules
from assortment.optimiser.infeasible.wording import asked_for, count, joined, shown, told_obstacle
from assortment.optimiser.programme.linear import LinearProgram, Polytope
from assortment.optimiser.rules.columns import columns_of
from assortment.optimiser.rules.rows import listed as listed_rows
from assortment.optimiser.rules.rows import sparse_rows
from assortment.optimiser.rules.rule import RULES

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Most rows for which the whole chain is one programme, and most nodes of it.
_ROWS_MOST = 20_000
_NODES = 2_000
_REASONS = {
    "allowed": "what one must carry another may not",
    "shelf": "what they must carry together does not fit on the shelf of one",
    "changes_max": "their shelves of today differ by more than their changes",
}


# Rules of several limits, which are told by their name.
_SEVERAL = ("core", "groups", "local_per_store", "local_share")


def too_few_assortments(problem: Problem) -> Iterator[Obstacle]:
    """Yield the stores of which no two can share an assortment when they are more than there may be assortments."""
    most = problem.rules.assortments_max
    if most is None:
        return
    apart = apart_by_rule(problem)
    stores = apart_from_each_other(np.any(list(apart.values()), axis=0))
    if len(stores) <= most:
        return
    pairs = np.ix_(stores, stores)
    names = [name for name, mask in apart.items() if mask[pairs].any()]
    ids = tuple(problem.store_ids[s] for s in stores)
    why = ", or ".join(_REASONS[name] for name in names)
    rules = ("assortments_max", *(["required"] if {"allowed", "shelf"} & set(names) else []), *names)
    told = (
        f"of the stores {shown(ids)} no two can share an assortment ({why}), so at least {len(stores)} are needed, "
        f"rules.assortments_max is {most}"
    )
    yield told_obstacle(problem, rules, ids, told, [_raised(len(stores) - most)], irreducible=len(names) == 1)


def _raised(more: int, *, least: bool = True, checked: bool = True) -> Way:
    return Way("assortments_max", {(Part("assortments_max"), CHAIN): float(more)}, least=least, checked=checked)


def sharing_conflict(problem: Problem) -> Obstacle | None:
    """Return the conflict of ``assortments_max`` with rules that can hold without it; ``None`` where there is none.

    Stores of which no two can share are named where counting finds enough of them. Of a chain too large to state all
    of that in one programme nothing else is known.
    """
    most = problem.rules.assortments_max
    if most is None or most >= problem.S:
        return None
    plain = next(too_few_assortments(problem), None)
    if problem.S**2 * problem.N > _ROWS_MOST:
        return plain
    names = [rule.name for rule in hard_rules(problem)]
    if _can_hold(problem, names) is not False:
        return None
    others = filtered(
        [name for name in rules_in_order(names) if name != "assortments_max"],
        lambda rest: (_can_hold(problem, [*rest, "assortments_max"]) is False, None),
    )
    if plain is not None and set(plain.rules) == {*others, "assortments_max"}:
        return dataclasses.replace(plain, irreducible=True)
    more, holds, ruled_out = most, None, most
    for more in range(most + 1, problem.S + 1):
        holds = _can_hold(problem.with_rules(assortments_max=more), [*others, "assortments_max"])
        if holds:
            break
        ruled_out = more if holds is False and ruled_out == more - 1 else ruled_out
    asked = joined([f"rules.{name}" if name in _SEVERAL else asked_for(problem, Part(name)) for name in others])
    told = f"the chain: with {asked}, the stores need more than {count(most, 'different assortment')}"
    way = _raised(more - most, least=ruled_out == more - 1, checked=bool(holds))
    return told_obstacle(problem, ("assortments_max", *others), (), told, [way])


def _can_hold(problem: Problem, names: list[str]) -> bool | None:
    """Whether rules can hold together, by one programme of all rows; ``None`` when that is not found out."""
    if "core" not in names:
        # What is core is carried all the same.
        free = dataclasses.replace(problem.rules, core_min=0, core_max=None)
        return _can_hold(problem.replace(rules=free), [*names, "core"])
    columns = columns_of(problem)
    rows = [
        *listed_rows(problem),
        *(row for rule in RULES if rule.name in names for row in rule.rows(problem)),
    ]
    matrix, low, high = sparse_rows(rows, columns.count)
    polytope = Polytope(matrix, low, high, np.zeros(columns.count), columns.upper)
    answer = LinearProgram(polytope, whole=columns.whole, nodes=_NODES, sure=True).maximise(np.zeros(columns.count))
    return True if answer.columns is not None else False if answer.infeasible else None


def apart_by_rule(problem: Problem) -> dict[str, Mask]:
    """Return which pairs of stores each rule keeps from carrying the same, (S, S) each; others may do so too."""
    rules, must = problem.rules, problem.required.astype(np.float32)
    one_way: dict[str, Mask] = {"allowed": must @ (~problem.allowed).astype(np.float32).T > 0}
    if "shelf" not in rules.soft:
        # Row s, column t: what s must carry, and what t must beside it, on the shelf of s.
        more = (problem.space_cm * (1 - problem.required)) @ problem.required.T.astype(float)
        needed: Floats = (problem.space_cm * problem.required).sum(axis=1)[:, None] + more
        one_way["shelf"] = needed > problem.shelf_cm[:, None] * (1 + 1e-9) + 1e-9
    if problem.changes_max is not None and rules.today is not None and "changes_max" not in rules.soft:
        today = rules.today.astype(np.float32)
        differ = today.sum(axis=1)[:, None] + today.sum(axis=1) - 2 * today @ today.T
        one_way["changes_max"] = differ > problem.changes_max[:, None] + problem.changes_max
    return {name: mask | mask.T for name, mask in one_way.items()}


def apart_from_each_other(apart: Mask) -> Ints:
    """Return stores of which each is apart from each other, as many as a greedy choice finds."""
    chosen: list[int] = []
    left = np.ones(len(apart), bool)
    while left.any():
        # The one that is apart from most of those left.
        s = int(np.where(left, (apart & left).sum(axis=1), -1).argmax())
        chosen.append(s)
        left &= apart[s]
        left[s] = False
    return np.array(sorted(chosen))
