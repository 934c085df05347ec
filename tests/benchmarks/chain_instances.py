"""Made-up chains to measure the optimiser on; same numbers, same chain.

Stores lie in a square of regions, each with its own mix of shopper classes. Products belong to a brand and a type; a
fifth of them come from local suppliers that deliver only so far. Today's listing is what a manager with a rough idea of
sales would have put on the shelf.
"""

from __future__ import annotations

import numpy as np

from assortment.optimiser import Costs, Group, Problem, Rules

TYPES = 6


def chain_problem(
    S: int, N: int, K: int, seed: int = 0, *, core: int | None = None, listed: float = 0.75, changes: int = 10
) -> Problem:
    """A chain of S stores, N products and K classes.

    Parameters
    ----------
    S, N, K
        Stores, products, shopper classes.
    seed
        Of the random numbers.
    core
        Products that stand everywhere, exactly; a tenth of all when left out.
    listed
        Share of the products that the chain may list.
    changes
        Changes a store may make beyond half of what it carries today; the fewer, the harder.
    """
    rng = np.random.default_rng(seed)
    n_brand, n_region = max(4, N // 12), max(2, min(12, S // 8))
    brand = rng.integers(0, n_brand, N)
    kind = np.concatenate([np.arange(TYPES), rng.integers(0, TYPES, N - TYPES)])
    price = np.round(np.exp(rng.normal(0.9, 0.45, N)), 2)
    margin = price * rng.uniform(0.15, 0.40, N)
    width = rng.integers(1, 5, N).astype(float)
    base = _attraction(rng, K, kind, brand, price)
    local = (rng.random(N) < 0.2) & (np.arange(N) >= TYPES)
    place, supplier, radius = rng.random((S, 2)), rng.random((N, 2)), rng.uniform(0.15, 0.45, N)
    allowed = ~local | (np.linalg.norm(place[:, None] - supplier[None], axis=2) < radius)
    region = np.minimum((place[:, 0] * n_region).astype(int), n_region - 1)
    taste = np.exp(rng.normal(0, 0.25, (n_region, N)))[region] * np.exp(rng.normal(0, 0.10, (S, N)))
    taste[:, local] *= 1.6
    mix_of_region = rng.dirichlet(np.full(K, 3.0), n_region)
    mix = np.array([rng.dirichlet(mix_of_region[r] * 12 + 0.3) for r in region])
    size = np.exp(rng.normal(0, 0.5, S))
    shelf = np.floor(np.clip(0.38 * size**0.5 * np.exp(rng.normal(0, 0.1, S)), 0.18, 0.75) * width.sum())
    listing_cost = np.full((S, N), 1.5) + rng.random(N)
    brand_most = max(3, int(np.ceil(0.6 * np.bincount(brand).max())))
    appeal = base.mean(axis=0) * margin / width
    today = np.array(
        [
            _stocked(
                appeal * np.exp(rng.normal(0, 0.5, N)),
                allowed[s],
                kind,
                brand,
                width=width,
                shelf=shelf[s],
                brand_most=brand_most,
            )
            for s in range(S)
        ]
    )
    core = max(2, N // 10) if core is None else core
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
            local_min_stores=max(2, int(np.ceil(0.02 * S))),
            groups=groups,
            allowed=allowed,
            today=today,
            changes_max=np.maximum(6, today.sum(axis=1) // 2) + changes,
        ),
        costs=Costs(listing=listing_cost, product=0.02 * S + 2.0),
    )


def _attraction(rng: np.random.Generator, K: int, kind: np.ndarray, brand: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Attraction of each product for each class, (K, N), where buying nothing has 1."""
    N = len(price)
    by_kind, by_brand = rng.normal(0, 0.9, (K, TYPES)), rng.normal(0, 0.6, (K, max(4, N // 12)))
    popularity = rng.normal(0, 0.9, N)
    utility = popularity + by_kind[:, kind] + by_brand[:, brand] - np.linspace(0.9, 0.15, K)[:, None] * price
    attraction = np.exp(utility + rng.normal(0, 0.5, (K, N)))
    return attraction * (rng.uniform(5, 9, K) / attraction.sum(axis=1))[:, None]


def _stocked(
    appeal: np.ndarray,
    allowed: np.ndarray,
    kind: np.ndarray,
    brand: np.ndarray,
    *,
    width: np.ndarray,
    shelf: float,
    brand_most: int,
) -> np.ndarray:
    """One product of each type, then what appeals most while there is shelf and the brand has not too many, (N,)."""
    picks = np.zeros(len(appeal), bool)
    order = [j for j in np.argsort(-(appeal * allowed)) if allowed[j]]
    for t in range(TYPES):
        picks[next(j for j in order if kind[j] == t)] = True
    for j in order:
        room = not picks[j] and width[picks].sum() + width[j] <= shelf and (brand[picks] == brand[j]).sum() < brand_most
        picks[j] |= room
    return picks
