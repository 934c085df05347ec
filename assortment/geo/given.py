"""Parameters that may be one number, one number per store, or a column of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from assortment.errors import GeographyError
from assortment.geo.arrays import FloatArray
from assortment.geo.wording import listed, unknown

Given: TypeAlias = "float | str | Sequence[float] | FloatArray | pd.Series | Mapping[str, float]"


def numbers(
    given: Given, table: pd.DataFrame, labels: Sequence[str], *, parameter: str, above: float, owner: str = "store"
) -> FloatArray:
    """Return one number per row of a table.

    Parameters
    ----------
    given
        A number for all; a column of the table; an array in the table's order; or a Series or mapping by label.
    table
        The rows that the numbers are for, length n.
    labels
        Name of each row.
    parameter, owner
        What messages call the numbers and the rows.
    above
        Every number must be finite and greater.

    Returns
    -------
    numpy.ndarray
        Shape (n,).

    Raises
    ------
    GeographyError
        A column that the table lacks, another number of values, or rows whose number is missing or too small (all of
        them).
    """
    values = pd.to_numeric(_aligned(given, table, labels, parameter=parameter, owner=owner), errors="coerce")
    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~(np.isfinite(array) & (array > above))
    if wrong.any():
        found = listed(f"{label} ({array[row]:g})" for row, label in enumerate(labels) if wrong[row])
        raise GeographyError(
            f"{parameter}: expected a number above {above:g} for each {owner}; found otherwise for {found}"
        )
    return array


def recorded(given: Given) -> object:
    """Return a parameter as a plain value for the record of a run."""
    if isinstance(given, pd.Series | Mapping):
        return {str(label): float(value) for label, value in given.items()}
    if isinstance(given, str | int | float):
        return given
    return np.asarray(given, dtype=np.float64).tolist()


def number(given: float, *, parameter: str, least: float = 0.0) -> float:
    """Return a single number that is finite and at least ``least``."""
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or not least <= given < np.inf:
        raise GeographyError(f"{parameter}: expected a number of at least {least:g}; found {given!r}")
    return float(given)


def _aligned(given: Given, table: pd.DataFrame, labels: Sequence[str], *, parameter: str, owner: str) -> pd.Series:
    if isinstance(given, str):
        if given not in table.columns:
            raise GeographyError(
                f"{parameter}: {unknown(f'{owner} column', given, [str(name) for name in table.columns])}"
            )
        return table[given]
    if isinstance(given, Mapping):
        given = pd.Series(dict(given))
    if isinstance(given, pd.Series):
        by_label = given.set_axis(given.index.map(str))
        missing = [label for label in labels if label not in by_label.index]
        if missing:
            raise GeographyError(
                f"{parameter}: no number is given for {owner} {listed(missing)}; index it by {owner}_id"
            )
        return by_label.loc[list(labels)]
    array = np.asarray(given)
    if array.ndim == 0:
        return pd.Series(np.repeat(array, len(labels)))
    if array.shape != (len(labels),):
        found = f"an array of shape {array.shape}"
        raise GeographyError(f"{parameter}: expected one number per {owner}, {len(labels)} of them; found {found}")
    return pd.Series(array)
