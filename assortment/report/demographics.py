"""Demographic expressions (``median_income``, ``over_65 / people``) in the words and numbers of a reader."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite, nan
from typing import TYPE_CHECKING

from assortment.report.numbers import money, number, percent

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles

_PEOPLE = "people"
_SHOWN = 10
# Tables name a rate but not its unit; what these words end is an amount of money everywhere.
_MONEY = {"income", "incomes", "value", "rent", "wage", "wages", "salary", "earnings", "price"}


def label(expression: str) -> str:
    """Return a name to print: ``median income``, ``over 65``, ``poverty per poverty base``.

    A share of all people is named by what is shared alone; any other base is said.
    """
    part, base = _split(expression)
    words = part.replace("_", " ")
    return words if base in {None, _PEOPLE} else f"{words} per {str(base).replace('_', ' ')}"


def value(expression: str, amount: float, currency: str, margin: float = nan) -> str:
    """Return the value to print: a ratio of two counts as a percentage, an income as money, another rate as number.

    A margin of error that is known stands behind it: ``$37,104 ± $2,050``.
    """
    amounts = [amount, margin] if isfinite(margin) else [amount]
    digits = 0 if abs(amount) >= 100 else 2
    if _split(expression)[1] is not None:
        told = [percent(each, 1) for each in amounts]
    elif _MONEY & set(expression.lower().replace("_", " ").split()):
        told = [money(each, currency, digits) for each in amounts]
    else:
        told = [number(each, digits) for each in amounts]
    return "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}".join(told)


def spoken(expression: str, amount: float, currency: str) -> str:
    """Return value and name as part of a sentence: ``34.2 % hispanic``, ``a median income of $37,104``."""
    words, told = label(expression), value(expression, amount, currency)
    if _split(expression)[1] is not None:
        return f"{told} {words}"
    return f"{'an' if words[:1].lower() in 'aeiou' else 'a'} {words} of {told}"


def shown(profiles: StoreProfiles, used: Iterable[str]) -> list[str]:
    """Return the demographics to show, ten at most: those that the demand model uses before the others.

    Parameters
    ----------
    profiles
        Rates come first, then each count as a share of the first count.
    used
        Names that the model gives as drivers. With classes of shoppers these are the classes, which stand elsewhere.
    """
    known = [name for name in used if all(part.strip() in profiles.table.columns for part in name.split("/"))]
    counts = list(profiles.counts)
    usual = [*profiles.rates, *(f"{count} / {counts[0]}" for count in counts[1:])]
    chosen = list(dict.fromkeys([*sorted(known), *usual]))[:_SHOWN]
    return sorted(chosen, key=lambda name: usual.index(name) if name in usual else -1)


def _split(expression: str) -> tuple[str, str | None]:
    part, slash, base = expression.partition("/")
    return part.strip(), base.strip() if slash else None
