"""Why a product comes to a store or leaves it, in sentences made from the plan's numbers."""

from __future__ import annotations

from math import log
from typing import Any

import pandas as pd

from assortment.report import demographics
from assortment.report.facts import Facts
from assortment.report.numbers import percent

FELT = 0.10
"""Smallest effect on demand (10 %) of a demographic that is told."""
_MAINLY = 0.5


def reason(facts: Facts, row: Any) -> str:
    """Return why a product is added or dropped; the worth itself stands beside it.

    Parameters
    ----------
    facts
        The run.
    row
        A row of ``plan.changes``: store_id, product_id, action, worth_per_week.
    """
    adding = row.action == "add"
    main = _to_add(facts, row) if adding else _to_drop(facts, row)
    found = association(facts, row.product_id, row.store_id, up=adding)
    if not found:
        return main
    return f"{main} Goes with {found}." if adding else f"{main.removesuffix('.')}; low demand goes with {found}."


def association(facts: Facts, product_id: str, store_id: str, *, up: bool = True) -> str:
    """Return the demographic that goes with a higher (or lower) demand here the most, or ``""`` for none.

    Parameters
    ----------
    facts
        The run.
    product_id, store_id
        Which product in which store.
    up
        Look for what goes with higher demand, else with lower demand.
    """
    rows = facts.run.demand.drivers(product_id, store_id)
    columns = ("demographic", "store_value", "chain_value", "effect")
    found = list(zip(*(rows[column].tolist() for column in columns), strict=True))
    strong = [row for row in found if (row[3] >= log(1 + FELT) if up else row[3] <= log(1 - FELT))]
    if not strong:
        return ""
    name, here, usual, _ = max(strong, key=lambda row: abs(row[3]))
    if name in facts.run.demand.class_names:  # with classes of shoppers the values are their shares
        label = facts.printed(demographics.label(str(name)))
        return f"{percent(float(here))} shoppers of {label} (chain {percent(float(usual))})"
    currency = facts.run.chain.currency
    chain = demographics.value(str(name), float(usual), currency)
    return f"{facts.printed(demographics.spoken(str(name), float(here), currency))} (chain {chain})"


def fixed(facts: Facts, store_id: str, product_id: str, lock: str) -> str:
    """Return who locked a product in (or out) and why, or that its status or a rule says so."""
    locks = facts.run.chain.locks
    if locks is not None and len(locks):
        here = locks["store_id"].isin([store_id, "*"]) & (locks["product_id"] == product_id) & (locks["lock"] == lock)
        for row in locks[here].to_dict("records"):
            told = [str(row[key]) for key in ("author", "note") if key in row and not pd.isna(row[key]) and row[key]]
            words = ": ".join([f"Locked {lock} by {told[0]}", *told[1:]]) if told else f"Locked {lock}"
            return facts.printed.sentence(words.rstrip(".") + ".")
    if lock == "in":
        return "Must stand here by a rule of the chain."
    return "May not stand here: its status, or its supplier does not reach the store."


def _to_add(facts: Facts, row: Any) -> str:
    index, product = facts.store_ids.index(row.store_id), facts.product_ids.index(row.product_id)
    if facts.run.problem.required[index, product]:
        return fixed(facts, row.store_id, row.product_id, "in")
    core = bool(facts.run.plan.core[index, product])
    if row.worth_per_week < 0:
        # Over the way from today to the plan it loses; at its end it may still earn, once others have gone.
        if _pays(facts, index, product):
            return f"{'Core, in every store: t' if core else 'T'}akes over buyers of what is dropped."
        if core:
            return "Core, in every store: pays in the chain as a whole, not here."
        return "Does not pay here: rules of the chain, or the gap to the bound, keep it."
    if core:
        return "Core, in every store."
    tag = facts.evidence(row.store_id, row.product_id)
    return {
        "better": "Clearly better than the best product left out.",
        "no evidence": "About as good as the best product left out.",
    }.get(tag, "Kept by rules of the chain.")


def _to_drop(facts: Facts, row: Any) -> str:
    index, product = facts.store_ids.index(row.store_id), facts.product_ids.index(row.product_id)
    problem = facts.run.problem
    if not problem.allowed[index, product]:
        return fixed(facts, row.store_id, row.product_id, "out")
    worth, cost = float(row.worth_per_week), float(problem.listing_cost[index, product])
    if worth < 0:
        adds = facts.today is not None and bool((facts.carried[index] & ~facts.today[index]).any())
        return "Makes room for what is added." if adds else "Goes for rules or costs of the whole chain."
    if _delivery_saved(facts, index, product) > _MAINLY * worth:
        return f"Saves the deliveries of {facts.supplier(product)}."
    if not facts.sells(row.product_id, row.store_id):
        return "Sells nothing here."
    if cost > _MAINLY * worth:
        amount = f" of {facts.amount(cost, 2)}" if facts.claims[row.store_id].money else ""
        return f"Saves its shelf cost{amount}."
    return "Its buyers turn to what earns more."


def _delivery_saved(facts: Facts, index: int, product: int) -> float:
    """Return a dropped product's part of what its supplier's deliveries cost; 0 where that supplier still comes."""
    charges, today = facts.charges[index], facts.today
    own = charges.supplier_of == charges.supplier_of[product]
    if charges.supplier_of[product] < 0 or today is None or (own & facts.carried[index]).any():
        return 0.0
    return float(charges.delivery[charges.supplier_of[product]] / (own & today[index]).sum())


def _pays(facts: Facts, index: int, product: int) -> bool:
    shelf, carried = facts.shelf(index), facts.carried[index]
    without = carried.copy()
    without[product] = False
    return shelf.value(carried) >= shelf.value(without)
