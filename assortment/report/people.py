"""Who lives around a store against the chain, and which classes of shoppers come."""

from __future__ import annotations

import numpy as np

from assortment.report import demographics
from assortment.report.facts import Facts
from assortment.report.numbers import number, percent

_ALIKE = 1e-6


def people(facts: Facts, store_id: str) -> list[dict[str, str | float | None]]:
    """Return one row per demographic: label, value here, value in the chain, and the index (chain = 100).

    The value here bears its margin of error, where the neighbourhoods have margins.
    """
    currency = facts.run.chain.currency
    rows: list[dict[str, str | float | None]] = []
    for name, own, margin, chain in facts.demographics(store_id):
        index = own / chain * 100 if np.isfinite(own) and np.isfinite(chain) and chain > 0 else None
        rows.append(
            {
                "label": facts.printed(demographics.label(name)),
                "store": demographics.value(name, own, currency, margin),
                "chain": demographics.value(name, chain, currency),
                "index": None if index is None else round(index, 1),
                "index_text": number(index),
            }
        )
    return rows


def shoppers_in_words(facts: Facts) -> str:
    """Return the kinds of shoppers of the chain with their parts of all, ``""`` where all are of one.

    Latent classes bear their parts in their names.
    """
    demand = facts.run.demand
    weight = np.asarray(demand.class_weight, dtype=np.float64).sum(axis=0)
    if len(weight) < 2:
        return ""
    kinds = "; ".join(
        facts.printed(str(name).replace("_", " ")) + ("" if "%" in str(name) else f" ({percent(float(part))})")
        for name, part in zip(demand.class_names, weight / weight.sum(), strict=True)
    )
    return f"There are {len(weight)} kinds of shoppers: {kinds}."


def class_mix(facts: Facts, index: int) -> list[dict[str, str | float]]:
    """Return the share of choice occasions of each shopper class, here and in the chain.

    Empty where the shares are the same in all stores, as those of one class are, or of shoppers who are set on
    a kind of product.
    """
    demand = facts.run.demand
    weight = np.asarray(demand.class_weight, dtype=np.float64)
    if weight.shape[1] < 2:
        return []
    shares, usual = weight / weight.sum(axis=1, keepdims=True), weight.sum(axis=0) / weight.sum()
    if np.ptp(shares, axis=0).max() < _ALIKE:
        return []
    here = shares[index]
    return [
        {
            "label": facts.printed(str(name).replace("_", " ")),
            "here": round(float(own), 4),
            "store": percent(float(own)),
            "chain": percent(float(chain)),
        }
        for name, own, chain in zip(demand.class_names, here, usual, strict=True)
    ]
