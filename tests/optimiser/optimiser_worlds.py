"""Small problems, and two oracles to hold the optimiser against: rules in plain Python, every assortment tried."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np

from assortment.optimiser import Costs, Group, Problem, Rules
from assortment.optimiser.rules.rules import SOFT

SIZES = ((1, 6), (2, 6), (2, 5), (3, 4))


def small_problem(seed: int, *, numbers: str = "plain") -> Problem:
    """A problem of at most 3 stores, 6 products and 3 classes in which every rule is on or off by chance."""
    rng = np.random.default_rng(seed)
    S, N = SIZES[rng.integers(len(SIZES))]
    K = int(rng.integers(1, 4))
    attraction = rng.lognormal(0, 1, (S, K, N)) * (rng.random((S, K, N)) < 0.9)
    weight = rng.uniform(1, 50, (S, K)) * (rng.random((S, K)) < 0.85)
    margin = rng.normal(2, 2, (S, N))
    if numbers == "torture":
        attraction *= 10.0 ** rng.integers(-9, 10, (1, 1, N))
        margin *= rng.random((S, N)) < 0.8
        margin[:, 1] = margin[:, 0]
        attraction[:, :, 1] = attraction[:, :, 0]
    space = rng.integers(1, 5, N).astype(float)
    return Problem(
        attraction=attraction,
        class_weight=weight,
        no_purchase=rng.uniform(0.5, 2, (S, K)),
        margin=margin,
        space_cm=space,
        shelf_cm=np.floor(rng.uniform(0.3, 1.1, S) * space.sum()),
        rules=small_rules(rng, S, N),
        costs=Costs(
            listing=rng.uniform(0, 3, (S, N)) * rng.integers(0, 2) - 0.2,
            product=rng.uniform(0, 4, N) * rng.integers(0, 2),
            local_product=rng.uniform(0, 4, N) * rng.integers(0, 2),
            delivery=rng.uniform(0, 12, (S, 2)) * rng.integers(0, 2) * (rng.random((S, 2)) < 0.8),
            supplier_of=rng.integers(-1, 2, N),
        ),
    )


def small_rules(rng: np.random.Generator, S: int, N: int) -> Rules:
    """Rules by chance, each on about half of the time, mostly such that some plan obeys them."""

    def on(value: object) -> object:
        return value if rng.random() < 0.5 else None

    core_min = int(rng.integers(0, 3))
    members = rng.random(N) < 0.6
    return Rules(
        core_min=core_min,
        core_max=on(core_min + int(rng.integers(0, 3))),
        products_max=on(int(rng.integers(3, N + 1))),
        local_products_max=on(int(rng.integers(0, N))),
        local_min_stores=on(int(rng.integers(1, S + 1))),
        local_per_store=(on(int(rng.integers(0, 2))), on(int(rng.integers(1, N)))),
        groups=[Group("some", members, on(int(rng.integers(0, 2))), on(int(rng.integers(1, 4))))],
        allowed=on(rng.random((S, N)) < 0.9),
        required=on(rng.random((S, N)) < 0.05),
        today=rng.random((S, N)) < 0.5,
        changes_max=on(rng.integers(1, N, S)),
        **more_rules(rng, S),
    )


def more_rules(rng: np.random.Generator, S: int) -> dict[str, Any]:
    """Rules that leave few plans, or make many more of them, each on about a quarter of the time."""

    def seldom(value: object) -> object:
        return value if rng.random() < 0.25 else None

    prices = {name: seldom(float(rng.choice([0.0, 0.5, 3.0]))) for name in SOFT}
    return {
        "core_groups": seldom(rng.integers(0, 2, S)),
        "local_share": (seldom(float(rng.choice([0.25, 1 / 3]))), seldom(float(rng.choice([0.5, 2 / 3])))),
        "assortments_max": seldom(int(rng.integers(1, S + 1))),
        "soft": {name: price for name, price in prices.items() if price is not None} if rng.random() < 0.5 else {},
    }


def store_broken(problem: Problem, s: int, carried: set[int]) -> dict[str, float]:
    """By how much a store breaks each of its own rules, written out plainly; rules it obeys are left out."""
    rules = problem.rules
    over = sum(float(problem.space_cm[s][j]) for j in carried) - float(problem.shelf_cm[s])
    broken: dict[str, float] = {"shelf": over if over > 1e-9 * max(1.0, problem.shelf_cm[s]) else 0.0}
    broken["allowed"] = sum(1 for j in carried if not problem.allowed[s][j])
    broken["required"] = sum(1 for j in range(problem.N) if problem.required[s][j] and j not in carried)
    counts = [(sum(1 for j in carried if group.members[j]), group.least, group.most) for group in rules.groups]
    broken["groups"] = sum(off(*count) for count in counts)
    if rules.changes_max is not None:
        today = {j for j in range(problem.N) if rules.today[s][j]}
        broken["changes_max"] = off(len(carried ^ today), None, rules.changes_max[s])
    return {rule: amount for rule, amount in broken.items() if amount > 0}


def chain_broken(problem: Problem, stores: list[set[int]], cores: list[set[int]]) -> dict[str, float]:
    """By how much a chain breaks the rules that tie stores together, written out plainly; one core per core group."""
    rules, groups = problem.rules, [int(c) for c in problem.core_group]
    pairs = [(cores[c], carried) for c, carried in zip(groups, stores, strict=True)]
    listed = set().union(*stores)
    local = listed - set().union(*cores)
    least, most = rules.local_share
    broken: dict[str, float] = {
        "core": sum(off(len(core), rules.core_min, rules.core_max) for core in cores)
        + sum(len(core - carried) for core, carried in pairs),
        "products_max": off(len(listed), None, rules.products_max),
        "local_products_max": off(len(local), None, rules.local_products_max),
        "local_per_store": sum(off(len(carried - core), *rules.local_per_store) for core, carried in pairs),
        "local_share": sum(
            1
            for core, carried in pairs
            if (least is not None and len(carried - core) < least * len(carried) - 1e-9)
            or (most is not None and len(carried - core) > most * len(carried) + 1e-9)
        ),
        "assortments_max": off(len({frozenset(carried) for carried in stores}), None, rules.assortments_max),
    }
    if rules.local_min_stores is not None:
        counts = {j: sum(1 for carried in stores if j in carried) for j in local}
        broken["local_min_stores"] = sum(off(counts[j], int(rules.local_min_stores[j]), None) for j in local)
    return {rule: amount for rule, amount in broken.items() if amount > 0}


def off(count: int, least: int | None, most: int | None) -> int:
    """By how many a count passes two limits, either of which may be missing."""
    under = 0 if least is None else max(0, least - count)
    return under + (0 if most is None else max(0, count - most))


def paid(problem: Problem, broken: dict[str, float]) -> float | None:
    """What breaking these rules costs; ``None`` when one of them must hold."""
    prices = problem.rules.soft
    if any(rule not in prices for rule in broken):
        return None
    return sum(prices[rule] * amount for rule, amount in broken.items())


def obeys(problem: Problem, carried: np.ndarray, core: np.ndarray) -> bool:
    """Whether a plan obeys every rule, without any code of the optimiser."""
    stores = [set(np.flatnonzero(row).tolist()) for row in carried]
    cores = []
    for c in range(problem.C):
        rows = core[problem.core_group == c]
        if (rows != rows[0]).any():
            return False
        cores.append(set(np.flatnonzero(rows[0]).tolist()))
    broken = [store_broken(problem, s, picks) for s, picks in enumerate(stores)]
    return all(paid(problem, item) is not None for item in [*broken, chain_broken(problem, stores, cores)])


def store_worth(problem: Problem, s: int, picks: tuple[int, ...]) -> float:
    """The value of one store, from the formula of the design page."""
    value = -sum(float(problem.listing_cost[s][j]) for j in picks)
    for k in range(problem.K):
        pull = [float(problem.attraction[s][k][j]) for j in picks]
        earned = sum(v * float(problem.worth[s][j]) for v, j in zip(pull, picks, strict=True))
        value += float(problem.class_weight[s][k]) * earned / (float(problem.no_purchase[s][k]) + sum(pull))
    suppliers = {int(problem.supplier_of[j]) for j in picks} - {-1}
    return value - sum(float(problem.delivery_cost[s][f]) for f in suppliers)


def best_value(problem: Problem) -> float | None:
    """The value of the best plan, by trying all; ``None`` when no plan obeys the rules."""
    subsets = [picks for n in range(problem.N + 1) for picks in combinations(range(problem.N), n)]
    options = [_options(problem, s, subsets) for s in range(problem.S)]
    best = None
    for choice in product(*options):
        stores, worth = [item[0] for item in choice], sum(item[1] for item in choice)
        listed = set().union(*stores)
        worth -= sum(float(problem.product_cost[j]) for j in listed)
        most_saved = -sum(min(0.0, float(problem.local_product_cost[j])) for j in listed)
        if best is not None and worth + most_saved <= best:
            continue
        for cores in _cores(problem, stores):
            cost = paid(problem, chain_broken(problem, stores, cores))
            if cost is not None:
                local = listed - set().union(*cores)
                value = worth - cost - sum(float(problem.local_product_cost[j]) for j in local)
                best = value if best is None else max(best, value)
    return best


def _options(problem: Problem, s: int, subsets: list[tuple[int, ...]]) -> list[tuple[set[int], float]]:
    """What a store may carry and what it is worth there, the best first, so that the rest is soon left out."""
    found = []
    for picks in subsets:
        cost = paid(problem, store_broken(problem, s, set(picks)))
        if cost is not None:
            found.append((set(picks), store_worth(problem, s, picks) - cost))
    return sorted(found, key=lambda item: -item[1])


def _cores(problem: Problem, stores: list[set[int]]) -> list[list[set[int]]]:
    """Every choice of a core for each core group."""
    choices = []
    for c in range(problem.C):
        everywhere = sorted(set.intersection(*(stores[s] for s in np.flatnonzero(problem.core_group == c))))
        most = len(everywhere) if problem.rules.core_max is None else problem.rules.core_max
        sizes = range(problem.rules.core_min, min(most, len(everywhere)) + 1)
        choices.append([set(core) for size in sizes for core in combinations(everywhere, size)])
    return [list(cores) for cores in product(*choices)]
