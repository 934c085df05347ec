"""Violation: a place where a plan breaks a rule; Excess: one that has a price, and is paid for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class _Place:
    """One place where a plan passes the limit of a rule.

    Parameters
    ----------
    rule
        Its name, as in ``RULES``.
    store_id, product_id
        Where; ``None`` where the rule is of the whole chain or of all products.
    sentence
        What is wrong, in words.
    amount
        By how much: centimetres, products, stores or changes too many or too few.
    """

    rule: str
    store_id: str | None
    product_id: str | None
    sentence: str
    amount: float = 1.0

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence}"


@dataclass(frozen=True)
class Violation(_Place):
    """One place where a plan breaks a rule: which rule and where, a sentence, and by how much."""


@dataclass(frozen=True)
class Excess(_Place):
    """One place where a plan breaks a rule that has a price: as a violation, and what it costs.

    Parameters
    ----------
    unit
        Of what it is too many or too few: cm, product, change or store.
    cost_per_week
        What that costs; the plan's value has it taken off.
    """

    unit: str = ""
    cost_per_week: float = 0.0

    def __str__(self) -> str:
        return f"{super().__str__()} (costs {self.cost_per_week:,.2f} a week)"
