"""How messages of this stage name things."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_NAMED = 10


def listed(names: Iterable[object]) -> str:
    """Return names for a message: all of them, or the first ten and how many more there are."""
    texts = [str(name) for name in names]
    rest = len(texts) - _NAMED
    return ", ".join(texts[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """Return the sentence for a name that does not exist: the nearest known one, or all of them."""
    near = get_close_matches(name, known, 1, cutoff=0.6)
    advice = f"did you mean '{near[0]}'?" if near else f"known here: {listed(known) or 'none'}"
    return f"{what} '{name}' is not known; {advice}"
