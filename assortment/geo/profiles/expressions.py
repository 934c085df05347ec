"""Demographic expressions: a column's name, or a ratio of two counts such as ``over_65 / people``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.wording import unknown

_KNOWN_TOLERANCE = 0.01


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

    def of_whole(self, values: pd.Series) -> float:
        """Evaluate over one area, whose counts and rates are given by name; NaN over nobody."""
        above = float(values[self.numerator])
        if self.denominator is None:
            return above
        below = float(values[self.denominator])
        return above / below if below > 0.0 else float("nan")

    def of_stores(self, table: pd.DataFrame, known: pd.DataFrame, *, stacklevel: int) -> pd.Series:
        """Evaluate for each store.

        Parameters
        ----------
        table, known
            Values and the known part of them, one row per store.
        stacklevel
            Of the warnings: a ratio over nobody, and a ratio of counts that are not known for the same neighbourhoods.
        """
        above = table[self.numerator]
        if self.denominator is None:
            return above
        below = table[self.denominator]
        nobody = table.index[below == 0.0]
        if len(nobody):
            warnings.warn(
                f"'{self.text}' is unknown for store {listed(nobody)}: {self.denominator} is 0 there",
                AssortmentWarning,
                stacklevel=stacklevel,
            )
        unlike = table.index[(known[self.numerator] - known[self.denominator]).abs() > _KNOWN_TOLERANCE]
        if len(unlike):
            warnings.warn(
                f"'{self.text}' leans to one side for store {listed(unlike)}: {self.numerator} and "
                f"{self.denominator} are not known for the same neighbourhoods",
                AssortmentWarning,
                stacklevel=stacklevel,
            )
        return above / below.where(below != 0.0)
