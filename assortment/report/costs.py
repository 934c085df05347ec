"""What the plan pays for its listings and its distinct products, and how the stores' worth adds up to the chain's."""

from __future__ import annotations

import numpy as np

from assortment.report.facts import Facts, Floats
from assortment.report.numbers import number

_KINDS = (
    ("listing_cost", "for each product in each store that carries it"),
    ("product_cost", "for each distinct product in the chain"),
    ("local_product_cost", "for each distinct product that is not core"),
)


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
    if np.any(facts.run.problem.product_cost) or np.any(facts.run.problem.local_product_cost):
        gain = None if before is None or chain_before is None else (total - chain_before) - (stores - before)
        rows += [
            ("Costs per distinct product", total - stores, gain),
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
    problem = facts.run.problem
    if not (np.any(problem.product_cost) or np.any(problem.local_product_cost)):
        return ""
    return (
        f"A store's {facts.net_words} has the cost of its listings taken off; the chain's also has the cost per "
        "distinct product, which belongs to no single store."
    )


def gross_in_words(facts: Facts) -> str:
    """Return that margins of single products are before the listing cost; ``""`` where there is none."""
    cost = facts.run.problem.listing_cost
    return f"Margin per product is before its shelf cost of {_span(facts, cost)} a week." if np.any(cost) else ""


def _span(facts: Facts, cost: Floats) -> str:
    if facts.run.problem.objective == "units":
        low, high = number(float(np.min(cost)), 2), number(float(np.max(cost)), 2)
        return f"{low} units" if low == high else f"{low} to {high} units"
    low, high = facts.money(float(np.min(cost)), 2), facts.money(float(np.max(cost)), 2)
    return low if low == high else f"{low} to {high}"
