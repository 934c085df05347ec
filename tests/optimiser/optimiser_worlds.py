"""Small problems, and two oracles to hold the optimiser against: rules in plain Python, every assortment tried."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from assortment.optimiser import Costs, Group, Problem, Rules

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
    )


def store_obeys(problem: Problem, s: int, picks: tuple[int, ...]) -> bool:
    """The rules of a single store, written out plainly."""
    rules, carried = problem.rules, set(picks)
    if sum(problem.space_cm[s][j] for j in carried) > problem.shelf_cm[s] * (1 + 1e-9) + 1e-9:
        return False
    if any(not problem.allowed[s][j] for j in carried):
        return False
    if any(problem.required[s][j] and j not in carried for j in range(problem.N)):
        return False
    for group in rules.groups:
        count = sum(1 for j in carried if group.members[j])
        if count < (group.least or 0) or (group.most is not None and count > group.most):
            return False
    if rules.changes_max is not None:
        today = {j for j in range(problem.N) if rules.today[s][j]}
        return len(carried ^ today) <= rules.changes_max[s]
    return True


def chain_obeys(problem: Problem, stores: list[set[int]], cores: list[set[int]]) -> bool:
    """The rules that tie stores together, written out plainly; one core per core group."""
    rules, groups = problem.rules, [int(c) for c in problem.core_group]
    if not all(within(len(core), rules.core_min, rules.core_max) for core in cores):
        return False
    if any(not cores[c] <= carried for c, carried in zip(groups, stores, strict=True)):
        return False
    listed = set().union(*stores)
    local = listed - set().union(*cores)
    if not (within(len(listed), None, rules.products_max) and within(len(local), None, rules.local_products_max)):
        return False
    if rules.local_min_stores is not None:
        counts = {j: sum(1 for carried in stores if j in carried) for j in local}
        if any(counts[j] < rules.local_min_stores[j] for j in local):
            return False
    pairs = zip(groups, stores, strict=True)
    return all(within(len(carried - cores[c]), *rules.local_per_store) for c, carried in pairs)


def within(count: int, least: int | None, most: int | None) -> bool:
    """Whether a count keeps two limits, either of which may be missing."""
    return (least is None or count >= least) and (most is None or count <= most)


def obeys(problem: Problem, carried: np.ndarray, core: np.ndarray) -> bool:
    """Whether a plan obeys every rule, without any code of the optimiser."""
    stores = [set(np.flatnonzero(row).tolist()) for row in carried]
    cores = []
    for c in range(problem.C):
        rows = core[problem.core_group == c]
        if (rows != rows[0]).any():
            return False
        cores.append(set(np.flatnonzero(rows[0]).tolist()))
    alone = all(store_obeys(problem, s, tuple(picks)) for s, picks in enumerate(stores))
    return alone and chain_obeys(problem, stores, cores)


def store_worth(problem: Problem, s: int, picks: tuple[int, ...]) -> float:
    """The value of one store, from the formula of the design page."""
    value = -sum(float(problem.listing_cost[s][j]) for j in picks)
    for k in range(problem.K):
        pull = [float(problem.attraction[s][k][j]) for j in picks]
        earned = sum(v * float(problem.worth[s][j]) for v, j in zip(pull, picks, strict=True))
        value += float(problem.class_weight[s][k]) * earned / (float(problem.no_purchase[s][k]) + sum(pull))
    return value


def best_value(problem: Problem) -> float | None:
    """The value of the best plan, by trying all; ``None`` when no plan obeys the rules. One core group only."""
    subsets = [picks for n in range(problem.N + 1) for picks in combinations(range(problem.N), n)]
    options = [
        [(set(picks), store_worth(problem, s, picks)) for picks in subsets if store_obeys(problem, s, picks)]
        for s in range(problem.S)
    ]
    best = None
    for choice in product(*options):
        stores, worth = [item[0] for item in choice], sum(item[1] for item in choice)
        worth -= sum(float(problem.product_cost[j]) for j in set().union(*stores))
        if best is not None and worth + _most_saved(problem, stores) <= best:
            continue
        for core in _cores(problem, stores):
            if chain_obeys(problem, stores, [core] * problem.C):
                local = set().union(*stores) - core
                value = worth - sum(float(problem.local_product_cost[j]) for j in local)
                best = value if best is None else max(best, value)
    return best


def _most_saved(problem: Problem, stores: list[set[int]]) -> float:
    """What a core can save at most: no local product pays for being local, but those that someone must carry alone."""
    return -sum(min(0.0, float(problem.local_product_cost[j])) for j in set().union(*stores))


def _cores(problem: Problem, stores: list[set[int]]) -> list[set[int]]:
    everywhere = sorted(set.intersection(*stores))
    most = len(everywhere) if problem.rules.core_max is None else problem.rules.core_max
    sizes = range(problem.rules.core_min, min(most, len(everywhere)) + 1)
    return [set(core) for size in sizes for core in combinations(everywhere, size)]
