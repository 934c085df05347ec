"""Published families of one hard store with many classes of shoppers."""

from __future__ import annotations

import numpy as np

from assortment.optimiser import Group, Problem, Rules


def latent_classes(
    attraction: np.ndarray, weight: np.ndarray, margin: np.ndarray, no_purchase: np.ndarray, most: int | None
) -> Problem:
    """One store of K classes and N products, at most so many of them picked."""
    N = attraction.shape[1]
    groups = [] if most is None else [Group("all", np.ones(N, bool), most=most)]
    return Problem(
        attraction=attraction[None],
        class_weight=weight[None],
        no_purchase=no_purchase[None],
        margin=margin,
        space_cm=np.zeros(N),
        shelf_cm=1.0,
        rules=Rules(groups=groups),
    )


def sen(seed: int, most: int, no_purchase: float, n: int = 200, m: int = 20) -> Problem:
    """The dense family of Şen, Atamtürk and Kaminsky (Operations Research 2018), equal class weights."""
    rng = np.random.default_rng(seed)
    attraction, margin = rng.uniform(0, 1, (m, n)), rng.uniform(1, 3, n)
    return latent_classes(attraction, np.full(m, 1 / m), margin, np.full(m, no_purchase), most)


def guo(n: int, m: int, seed: int) -> Problem:
    """The hard family of Guo and others (2025): two preference rows per class, prices falling with the logarithm."""
    rng = np.random.default_rng(seed)
    half = (n + 1) // 2
    eta = rng.normal(0, 1, (m, 2))
    attraction = np.exp(3 * eta)[:, np.r_[np.zeros(half, int), np.ones(n - half, int)]]
    weight = rng.random(m)
    no_purchase = np.clip(rng.lognormal(1, 0.5, m), 1, 5)
    price = 1 - np.log1p(np.arange(n)) / np.log1p(n + 1)
    price = 0.2 + 0.8 * (price - price.min()) / (price.max() - price.min())
    return latent_classes(attraction, weight / weight.sum(), price, no_purchase, None)
