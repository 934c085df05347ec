"""Which stores cannot share an assortment, and how many assortments that takes at least."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import Infeasible, listed
from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.infeasible.conflict import Obstacle

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_REASONS = {
    "allowed": "what one must carry another may not",
    "shelf": "what they must carry together does not fit on the shelf of one",
    "changes_max": "their shelves of today differ by more than their changes",
}


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
    ids = [problem.store_ids[s] for s in stores]
    why = ", or ".join(_REASONS[name] for name in names)
    yield Obstacle(
        ("assortments_max", *(["required"] if {"allowed", "shelf"} & set(names) else []), *names),
        tuple(ids),
        f"of the stores {listed([repr(item) for item in ids])} no two can share an assortment ({why}), so at least "
        f"{len(stores)} are needed and assortments_max is {most}; raise it to {len(stores)}",
    )


def not_shared(problem: Problem) -> Infeasible:
    """Return the error for a chain too large to prove that its stores cannot share so few assortments."""
    most = problem.rules.assortments_max
    return Infeasible(
        f"no plan was found that obeys all rules:\n  - without assortments_max there is one; with at most {most} "
        "assortments the search found none, which does not prove that there is none; raise assortments_max, or "
        "loosen what keeps stores apart, such as changes_max, locks and groups",
        rules=("assortments_max",),
    )


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
