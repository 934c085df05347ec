"""What the plan pays for its listings and its distinct products, and how the stores' worth adds up to the chain's."""

from __future__ import annotations

import numpy as np

from assortment.optimiser import RULES
from assortment.report.facts import Facts, Floats
from assortment.report.numbers import number

_KINDS = (
    ("listing_cost", "for each product in each store that carries it"),
    ("product_cost", "for each distinct product in the chain"),
    ("local_product_cost", "for each distinct product that is not core"),
    ("delivery_cost", "for each supplier that delivers to a store"),
)
_SHOWN = 10
_WAYS = {
    "groups": "too many or too few",
    "local_per_store": "too many or too few",
    "local_min_stores": "too few",
}


def soft_in_words(facts: Facts) -> list[str]:
    """Return one sentence per rule that may be broken for a price."""
    soft = facts.run.problem.rules.soft
    return [
        f"May be broken: {rule.sentence}. Each {rule.unit} {_WAYS.get(rule.name, 'too many')} costs "
        f"{_amount(facts, soft[rule.name])} a week."
        for rule in RULES
        if rule.name in soft
    ]


def priced_in_words(facts: Facts, store_id: str | None = None) -> list[str]:
    """Return one sentence per place where the plan breaks a rule for a price, in one store or in the whole chain."""
    found = [item for item in facts.run.plan.priced if store_id is None or item.store_id == store_id]
    told = [
        f"Broken for a price: {facts.printed.sentence(item.sentence)}, which costs "
        f"{_amount(facts, item.cost_per_week)} a week."
        for item in found[:_SHOWN]
    ]
    rest = sum(item.cost_per_week for item in found[_SHOWN:])
    if len(found) > _SHOWN:
        told.append(f"{number(len(found) - _SHOWN)} more are broken for {_amount(facts, rest)} a week.")
    return told


def costs_in_words(facts: Facts) -> list[str]:
    """Return one sentence per cost that the scenario sets; a negative cost is a fee received."""
    problem = facts.run.problem
    return [
        f"Cost per week {words}: {_span(facts, getattr(problem, name))}."
        for name, words in _KINDS
        if np.any(getattr(problem, name))
    ]


def bridge(facts: Facts) -> list[dict[str, str]]:
    """Return the rows that lead from the stores to the chain: their sum, the costs of distinct products, the chain.

    Empty where no money is claimed for the chain.
    """
    if not facts.chain_claim.money:
        return []
    stores, total = float(facts.value.sum()), float(facts.run.plan.value)
    before, chain_before = None, facts.chain_today
    if facts.value_today is not None:
        before = float(facts.value_today.sum())
    rows = [("All stores together", stores, None if before is None else stores - before)]
    label = _of_the_chain(facts)
    if label:
        gain = None if before is None or chain_before is None else (total - chain_before) - (stores - before)
        rows += [
            (label, total - stores, gain),
            ("Chain", total, None if chain_before is None else total - chain_before),
        ]
    return [
        {
            "label": label,
            "worth": facts.amount(worth),
            "gain": "" if gain is None else facts.amount(gain, signed=True),
        }
        for label, worth, gain in rows
    ]


def bridge_in_words(facts: Facts) -> str:
    """Return why the stores' figures do not add up to the chain's; ``""`` where they do."""
    label = _of_the_chain(facts)
    if not label:
        return ""
    own = "listings and deliveries" if facts.run.problem.F else "listings"
    return (
        f"A store's {facts.net_words} has the cost of its {own} taken off; the chain's also has the "
        f"{label[:1].lower()}{label[1:]}, which belong to no single store."
    )


def _of_the_chain(facts: Facts) -> str:
    """Return what the costs that belong to no single store are called; ``""`` where there are none."""
    problem = facts.run.problem
    products = bool(np.any(problem.product_cost) or np.any(problem.local_product_cost))
    broken = any(item.store_id is None for item in facts.run.plan.priced)
    if products and broken:
        return "Costs per distinct product and of broken rules"
    return "Costs per distinct product" if products else "Costs of broken rules" if broken else ""


def gross_in_words(facts: Facts) -> str:
    """Return that margins of single products are before the listing cost; ``""`` where there is none."""
    cost = facts.run.problem.listing_cost
    return f"Margin per product is before its shelf cost of {_span(facts, cost)} a week." if np.any(cost) else ""


def _span(facts: Facts, cost: Floats) -> str:
    least, most = float(np.min(cost)), float(np.max(cost))
    if least == most:
        return _amount(facts, least)
    first = number(least, 2) if facts.run.problem.objective == "units" else facts.money(least, 2)
    return f"{first} to {_amount(facts, most)}"


def _amount(facts: Facts, cost: float) -> str:
    return f"{number(cost, 2)} units" if facts.run.problem.objective == "units" else facts.money(cost, 2)
