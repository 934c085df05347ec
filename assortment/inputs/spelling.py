"""The known name that is nearest to an unknown one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

_LISTED = 12
# Zeros that begin a number, be it the whole id or what stands behind its letters.
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name most like ``name``, or ``None`` when none resembles it.

    Parameters
    ----------
    name
        Name that is not known.
    known
        Names that are.
    cutoff
        Least likeness, between 0 and 1; case does not count.
    """
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(candidate.casefold(), candidate)
    matches = get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None


def plain_id(name: str) -> str:
    """An id without what people and spreadsheets change unawares: case, blanks and leading zeros."""
    return _LEADING_ZEROS.sub("", "".join(name.split()).casefold())


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead of ``name``: the nearest known name, else the known names."""
    names = list(known)
    match = nearest(name, names)
    if match is not None:
        return f"'{match}', which is the nearest"
    if not names:
        return "nothing here: none is known"
    listed = ", ".join(names[:_LISTED])
    return f"one of {listed}" + (", …" if len(names) > _LISTED else "")
