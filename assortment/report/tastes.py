"""The finding on local tastes in plain words, and its figures apart for the small print."""

from __future__ import annotations

import re

_FIGURES = re.compile(r"\s*\(([^()]*log-loss[^()]*)\)")


def plain_sentence(finding: str) -> str:
    """Return the finding without the figures of the test."""
    return _FIGURES.sub("", finding)


def figures_of(finding: str) -> str:
    """Return the figures of the test as a sentence, ``""`` where there are none."""
    found = _FIGURES.search(finding)
    return f"Demographics against the chain average: {found[1]}." if found else ""
