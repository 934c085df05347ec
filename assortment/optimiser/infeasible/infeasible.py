"""explain: why no assortment obeys all rules, in words, with rules, stores and the least relaxation that helps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from assortment.errors import Infeasible
from assortment.optimiser.infeasible.conflict import Obstacle, conflict_in
from assortment.optimiser.infeasible.sharing import too_few_assortments
from assortment.optimiser.store.own_rows import can_be_core

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_SHOWN = 12


def explain(problem: Problem) -> Infeasible:
    """Return the error for a problem without any plan.

    First the common conflicts, by counting and adding; when none of them is there, programmes find a smallest set of
    rules in conflict, store by store, then for the chain.
    """
    at_once = list(obvious(problem))
    obstacles = at_once or conflict_in(problem)
    lines = [f"  - {obstacle.sentence}" for obstacle in obstacles[:_SHOWN]]
    if len(obstacles) > _SHOWN:
        lines.append(f"  … and {len(obstacles) - _SHOWN} more")
    if at_once:
        lines.append("Other conflicts may show once these are mended.")
    rules = dict.fromkeys(rule for obstacle in obstacles for rule in obstacle.rules)
    stores = dict.fromkeys(store for obstacle in obstacles for store in obstacle.stores)
    return Infeasible("\n".join(["no assortment obeys all rules:", *lines]), rules=rules, stores=stores)


def obvious(problem: Problem) -> Iterator[Obstacle]:
    """Yield the conflicts that counting and adding show; none does not mean that there is a plan."""
    yield from _required_not_allowed(problem)
    if "groups" not in problem.rules.soft:
        yield from _groups(problem)
    if "shelf" not in problem.rules.soft:
        yield from _required_space(problem)
    yield from _core(problem)
    yield from _counts(problem)
    yield from too_few_assortments(problem)


def _required_not_allowed(problem: Problem) -> Iterator[Obstacle]:
    for s, j in np.argwhere(problem.required & ~problem.allowed):
        store, product = problem.store_ids[s], problem.product_ids[j]
        yield Obstacle(
            ("required", "allowed"),
            (store,),
            f"store '{store}': '{product}' is required but not allowed there (status, locks, supplier reach); lift one",
        )


def _groups(problem: Problem) -> Iterator[Obstacle]:
    for group in problem.rules.groups:
        least = 0 if group.least is None else group.least
        if group.most is not None and least > group.most:
            yield Obstacle(
                ("groups",), (), f"'{group.name}': at least {least} and at most {group.most} cannot both hold"
            )
            continue
        for s, store in enumerate(problem.store_ids):
            can = int((problem.allowed[s] & group.members).sum())
            must = int((problem.required[s] & group.members).sum())
            if can < least:
                sentence = f"store '{store}': at least {least} of '{group.name}' are asked for, {can} may stand there"
                yield Obstacle(("groups", "allowed"), (store,), f"{sentence}; lower the least to {can}")
            if group.most is not None and must > group.most:
                sentence = f"store '{store}': at most {group.most} of '{group.name}' are asked for, {must} are required"
                yield Obstacle(("groups", "required"), (store,), f"{sentence}; raise the most to {must}")


def _required_space(problem: Problem) -> Iterator[Obstacle]:
    for s, store in enumerate(problem.store_ids):
        needed, there = float(problem.space_cm[s, problem.required[s]].sum()), float(problem.shelf_cm[s])
        if needed > there * (1 + 1e-9) + 1e-9:
            yield Obstacle(
                ("required", "shelf"),
                (store,),
                f"store '{store}': the required products need {needed:g} cm, the shelf has {there:g}; "
                f"require less, or give {_up(needed - there)} cm more",
            )


def _core(problem: Problem) -> Iterator[Obstacle]:
    rules, candidates = problem.rules, can_be_core(problem)
    if rules.core_max is not None and rules.core_min > rules.core_max:
        yield Obstacle(("core",), (), f"core_min {rules.core_min} is more than core_max {rules.core_max}")
        return
    for c in range(problem.C):
        can = int(candidates[c].sum())
        where = "in every store" if problem.C == 1 else f"in every store of core group {c}"
        if can < rules.core_min:
            yield Obstacle(
                ("core", "allowed"),
                (),
                f"only {can} products may stand {where}, the core asks for {rules.core_min}; lower core_min to {can}",
            )
            continue
        for s in np.flatnonzero((problem.core_group == c) & ("shelf" not in rules.soft)):
            yield from _core_space(problem, int(s), np.flatnonzero(candidates[c]))


def _core_space(problem: Problem, s: int, candidates: np.ndarray) -> Iterator[Obstacle]:
    """The least space of the required products and a core of core_min, against the shelf."""
    store, there, wanted = problem.store_ids[s], float(problem.shelf_cm[s]), problem.rules.core_min
    required = problem.required[s]
    base = float(problem.space_cm[s, required].sum())
    more = np.sort(problem.space_cm[s, candidates[~required[candidates]]])
    free = int(required[candidates].sum())
    needs = base + np.concatenate([[0.0], np.cumsum(more)])
    needed = float(needs[max(0, wanted - free)])
    slack = there * (1 + 1e-9) + 1e-9
    if base > slack or needed <= slack:
        return
    fitting = free + int((needs <= slack).sum()) - 1
    also = " with the required products" if base > 0 else ""
    yield Obstacle(
        ("core", "shelf") if base == 0 else ("core", "shelf", "required"),
        (store,),
        f"store '{store}': the core of at least {wanted} products{also} needs at least {needed:g} cm, the shelf has "
        f"{there:g}; lower core_min to {fitting}, or give {_up(needed - there)} cm more",
    )


def _counts(problem: Problem) -> Iterator[Obstacle]:
    rules = problem.rules
    required = int(problem.required.any(axis=0).sum())
    for name, needed, why in (
        ("products_max", required, "required"),
        ("products_max", rules.core_min, "core"),
    ):
        most = rules.products_max
        if most is not None and needed > most and "products_max" not in rules.soft:
            yield Obstacle(
                (name, why),
                (),
                f"{name} is {most}, but {needed} products are {'asked for as ' if why == 'core' else ''}{why}; "
                f"raise {name} to {needed}",
            )
    least, most = rules.local_per_store
    if least is not None and most is not None and least > most and "local_per_store" not in rules.soft:
        yield Obstacle(
            ("local_per_store",), (), f"local_per_store: at least {least} and at most {most} cannot both hold"
        )


def _up(centimetres: float) -> str:
    return f"{np.ceil(centimetres * 10) / 10:g}"
