"""How messages of this stage name things."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from assortment.errors import listed


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """Return the sentence for a name that does not exist: the nearest known one, or all of them."""
    near = get_close_matches(name, known, 1, cutoff=0.6)
    advice = f"did you mean '{near[0]}'?" if near else f"known here: {listed(known) or 'none'}"
    return f"{what} '{name}' is not known; {advice}"
