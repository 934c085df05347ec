"""Made-up chains to measure the optimiser on; same seed, same chain.

Stores lie in a square of regions, each with its own mix of shopper classes. Products belong to a brand and a type; a
fifth of them come from local suppliers that deliver only so far. Today's listing is what a manager with a rough idea of
sales would have put on the shelf.
"""

from __future__ import annotations

import numpy as np

from assortment.optimiser import Costs, Group, Problem, Rules

TYPES = 6


def chain_problem(
    S: int, N: int, K: int, *, seed: int = 0, core: int = 10, listed: float = 0.75, changes: int = 10
) -> Problem:
    """A chain of S stores, N products and K classes.

    Parameters
    ----------
    S, N, K
        Stores, products, shopper classes.
    seed
        Of the random numbers.
    core
        Products that stand everywhere, exactly.
    listed
        Share of the products that the chain may list.
    changes
        Changes a store may make beyond half of what it carries today; the fewer, the harder.
    """
    rng = np.random.default_rng(seed)
    brand, kind = rng.integers(0, max(4, N // 12), N), np.r_[np.arange(TYPES), rng.integers(0, TYPES, N - TYPES)]
    price = np.round(np.exp(rng.normal(0.9, 0.45, N)), 2)
    margin, width = price * rng.uniform(0.15, 0.4, N), rng.integers(1, 5, N).astype(float)
    local = (rng.random(N) < 0.2) & (np.arange(N) >= TYPES)
    place = rng.random((S, 2))
    allowed = _reach(rng, place, local)
    region = np.minimum((place[:, 0] * max(2, S // 8)).astype(int), max(2, S // 8) - 1)
    base = _attraction(rng, K, brand, kind, price)
    taste = np.exp(rng.normal(0, 0.25, (region.max() + 1, N)))[region] * np.exp(rng.normal(0, 0.1, (S, N)))
    taste[:, local] *= 1.6
    size = np.exp(rng.normal(0, 0.5, S))
    mix = rng.dirichlet(np.full(K, 3.0), region.max() + 1)
    mix = np.array([rng.dirichlet(12 * mix[r] + 0.3) for r in region])
    shelf = np.floor(np.clip(0.38 * np.sqrt(size) * np.exp(rng.normal(0, 0.1, S)), 0.18, 0.75) * width.sum())
    brand_most = max(3, int(np.ceil(0.6 * np.bincount(brand).max())))
    appeal = base.mean(axis=0) * margin / width * np.exp(rng.normal(0, 0.5, (S, N)))
    today = np.array(
        [
            _stocked(np.where(allowed[s], appeal[s], -1.0), kind, brand, width, shelf=shelf[s], brand_most=brand_most)
            for s in range(S)
        ]
    )
    groups = [Group(f"type {t}", kind == t, least=1) for t in range(TYPES)]
    groups += [Group(f"brand {b}", brand == b, most=brand_most) for b in np.unique(brand)]
    return Problem(
        attraction=base[None] * taste[:, None, :],
        class_weight=mix * (1500 * size)[:, None],
        no_purchase=1.0,
        margin=margin,
        price=price,
        space_cm=width,
        shelf_cm=shelf,
        rules=Rules(
            core_min=core,
            core_max=core,
            products_max=int(listed * N),
            local_products_max=int(listed * N) - core - 2,
            local_min_stores=max(2, int(np.ceil(0.02 * S))),
            groups=groups,
            allowed=allowed,
            today=today,
            changes_max=np.maximum(6, today.sum(axis=1) // 2) + changes,
        ),
        costs=Costs(listing=1.5 + rng.random(N), product=0.02 * S + 2),
    )


def _attraction(rng: np.random.Generator, K: int, brand: np.ndarray, kind: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Attraction of each product for each class, (K, N), where buying nothing has 1."""
    N = len(price)
    utility = rng.normal(0, 0.9, (K, TYPES))[:, kind] + rng.normal(0, 0.6, (K, brand.max() + 1))[:, brand]
    utility += rng.normal(0, 0.9, N) + rng.normal(0, 0.5, (K, N)) - np.linspace(0.9, 0.15, K)[:, None] * price
    attraction = np.exp(utility)
    return attraction * (rng.uniform(5, 9, K) / attraction.sum(axis=1))[:, None]


def _reach(rng: np.random.Generator, place: np.ndarray, local: np.ndarray) -> np.ndarray:
    """Which stores the suppliers reach, (S, N); a local product that reaches fewer than three is not local."""
    distance = np.linalg.norm(place[:, None] - rng.random((len(local), 2))[None], axis=2)
    allowed = ~local | (distance < rng.uniform(0.15, 0.45, len(local)))
    return allowed | (allowed.sum(axis=0) < 3)


def _stocked(
    appeal: np.ndarray, kind: np.ndarray, brand: np.ndarray, width: np.ndarray, *, shelf: float, brand_most: int
) -> np.ndarray:
    """One product of each type, then what appeals most while there is shelf and the brand has not too many, (N,)."""
    picks = np.zeros(len(appeal), bool)
    for t in range(TYPES):
        picks[np.where(kind == t, appeal, -2.0).argmax()] = True
    for j in np.argsort(-appeal):
        room = width[picks].sum() + width[j] <= shelf and (brand[picks] == brand[j]).sum() < brand_most
        picks[j] |= bool(room and appeal[j] > 0)
    return picks
