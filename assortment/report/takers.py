"""What the buyers of a product do when it is missing: in one sentence where it is alike for all, else by product."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from assortment.report.evidence import Floats, Mask, Shelf
from assortment.report.facts import Facts
from assortment.report.numbers import percent

ALIKE = 0.05
"""Largest part of a product's buyers (5 %) who may go elsewhere than the common sentence says."""
_NAMED = 3
_SEEN = 0.005
_WORTH_NAMING = 0.05


@dataclass(frozen=True)
class Takers:
    """Where buyers go, for the products on one page.

    Parameters
    ----------
    common
        One sentence that holds for all of them; ``""`` where they differ.
    each
        By product id; empty where ``common`` holds.
    first
        The same with one name, for a column of a table.
    """

    common: str
    each: dict[str, str]
    first: dict[str, str]


def takers(facts: Facts, store_id: str, product_ids: Iterable[str]) -> Takers:
    """Return where the buyers of some products of a store go when these are missing under the plan."""
    index = facts.store_ids.index(store_id)
    shelf, carried = facts.shelf(index), facts.carried[index]
    found = {product: divided(shelf, carried, facts.product_ids.index(product)) for product in product_ids}
    shares = {product: share for product, share in found.items() if share is not None}
    usual = _usual(shelf, carried)
    if shares and all(_apart(usual, facts.product_ids.index(name), share) <= ALIKE for name, share in shares.items()):
        return Takers(_common(facts, usual), {}, {})
    return Takers(
        "",
        {product: _each(facts, share) for product, share in found.items()},
        {product: _each(facts, share, named=1) for product, share in found.items()},
    )


def divided(shelf: Shelf, carried: Mask, product: int) -> Floats | None:
    """Return (N + 1,) the part of a product's buyers who take each other product, and last who take nothing.

    ``None`` where nobody would buy it.
    """
    kept = carried.copy()
    kept[product] = False
    pull = shelf.attraction * kept
    total = shelf.no_purchase + pull.sum(axis=1)
    own = shelf.attraction[:, product]
    buyers = shelf.class_weight * own / (total + own)
    if not buyers.sum() > 0:
        return None
    weight = buyers / buyers.sum() / total
    return np.append(weight @ pull, weight @ shelf.no_purchase)


def _usual(shelf: Shelf, carried: Mask) -> Floats:
    pull = shelf.attraction * carried
    weight = shelf.class_weight / (shelf.no_purchase + pull.sum(axis=1))
    chosen = np.append(weight @ pull, weight @ shelf.no_purchase)
    usual: Floats = chosen / chosen.sum() if chosen.sum() > 0 else chosen
    return usual


def _apart(usual: Floats, product: int, share: Floats) -> float:
    """Part of the buyers who go elsewhere than proportion to the usual shares says (total variation)."""
    expected = usual.copy()
    expected[product] = 0.0
    if not expected.sum() > 0:
        return 0.0
    return float(np.abs(share - expected / expected.sum()).sum() / 2)


def _common(facts: Facts, usual: Floats) -> str:
    names = [f"{percent(usual[at])} {facts.product(facts.product_ids[at])}" for at in _largest(usual)]
    if not names:
        return ""
    return (
        "When a product is missing, its buyers divide between the others in proportion to what these sell: "
        f"about {', '.join(names)}; {percent(usual[-1])} buy nothing."
    )


def _each(facts: Facts, share: Floats | None, *, named: int = _NAMED) -> str:
    if share is None:
        return "It sells nothing."
    largest = _largest(share)[:named]
    told = [f"{percent(share[at])} {facts.product(facts.product_ids[at])}" for at in largest]
    others = 1.0 - float(share[-1]) - float(share[largest].sum())
    told += [f"{percent(others)} others"] if others > _SEEN and named > 1 else []
    return ", ".join([*told, f"{percent(share[-1])} nothing"])


def _largest(share: Floats) -> list[int]:
    order = np.argsort(-share[:-1], kind="stable")[:_NAMED].tolist()
    return [at for place, at in enumerate(order) if share[at] > (_SEEN if place == 0 else _WORTH_NAMING)]
