"""Numbers as a reader expects them: thousands separators, units, the chain's currency, "unknown" for the unknown."""

from __future__ import annotations

from math import isfinite

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
UNKNOWN = "unknown"
# U+2212 has no glyph in Noto Sans; the en dash has the width of a digit, as a minus sign should.
MINUS = "–"


def number(value: float | None, digits: int = 0, *, signed: bool = False) -> str:
    """Return ``1,234.5``; a minus sign as wide as a digit, a plus sign when ``signed`` and not zero."""
    if value is None or not isfinite(value):
        return UNKNOWN
    rounded = round(float(value), digits)
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):,.{digits}f}"


def money(value: float | None, currency: str, digits: int = 0, *, signed: bool = False) -> str:
    """Return an amount with the currency's sign before it, or its three letters where it has no common sign."""
    if value is None or not isfinite(value):
        return UNKNOWN
    text = number(value, digits, signed=signed)
    sign, amount = (text[0], text[1:]) if text[0] in f"{MINUS}+" else ("", text)
    return f"{sign}{_SYMBOLS.get(currency, currency + chr(0xA0))}{amount}"


def percent(share: float | None, digits: int = 0, *, signed: bool = False) -> str:
    """Return a share (0.25) as ``25 %``, the space not breaking."""
    text = number(None if share is None else share * 100, digits, signed=signed)
    return text if text == UNKNOWN else f"{text}\N{NO-BREAK SPACE}%"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 product`` or ``1,200 products``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
