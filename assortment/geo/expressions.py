"""Demographic expressions: a column's name, or a ratio of two counts such as ``over_65 / people``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assortment.errors import GeographyError
from assortment.geo.wording import unknown


@dataclass(frozen=True)
class Expression:
    """One demographic expression.

    Parameters
    ----------
    text
        As the user wrote it; it names the column of the result.
    numerator
        The column, or the upper part of the ratio.
    denominator
        The lower part of the ratio, or ``None``.
    """

    text: str
    numerator: str
    denominator: str | None

    @classmethod
    def parse(cls, text: str, *, counts: Sequence[str], rates: Sequence[str]) -> Expression:
        """Read an expression.

        Parameters
        ----------
        text
            ``name`` or ``name / name``. A column whose own name holds a slash is taken as that column.
        counts, rates
            The columns there are.

        Raises
        ------
        GeographyError
            A name that does not exist, or a ratio in which a rate stands.
        """
        known = [*counts, *rates]
        if text.strip() in known:
            return cls(text, text.strip(), None)
        numerator, slash, denominator = (part.strip() for part in text.partition("/"))
        for name in (numerator, denominator) if slash else (numerator,):
            if name not in known:
                raise GeographyError(f"'{text}': {unknown('demographic', name, known)}")
            if slash and name not in counts:
                raise GeographyError(
                    f"'{text}': a ratio takes two counts, and {name} is a rate; "
                    f"use {name} alone, or declare it among the counts"
                )
        return cls(text, numerator, denominator if slash else None)
