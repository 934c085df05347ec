"""Parameters that may be one number, one number per store or per format, or a column of a table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.arrays import FloatArray
from assortment.geo.wording import unknown

Given: TypeAlias = "float | str | Sequence[float] | FloatArray | pd.Series | Mapping[str, float]"


def numbers(
    given: Given,
    table: pd.DataFrame,
    labels: Sequence[str],
    *,
    parameter: str,
    above: float = -np.inf,
    least: float = -np.inf,
    owner: str = "store",
) -> FloatArray:
    """Return one number per row of a table.

    Parameters
    ----------
    given
        A number for all; a column of the table; an array in the table's order; or a Series or mapping by label or, for
        rows whose label it does not name, by the value of the table's ``format`` column. It may name more.
    table
        The rows that the numbers are for, length n.
    labels
        Name of each row.
    parameter, owner
        What messages call the numbers and the rows.
    above, least
        Every number must be finite, greater than ``above`` and at least ``least``.

    Returns
    -------
    numpy.ndarray
        Shape (n,).

    Raises
    ------
    GeographyError
        A column that the table lacks, another number of values, rows that a mapping names neither by label nor by
        format, or rows whose number is missing or out of range (all of them).

    Warns
    -----
    AssortmentWarning
        A mapping partly by label and partly by format that names what is neither: a label may be misspelled.
    """
    values = _aligned(given, table, labels, parameter=parameter, owner=owner)
    array = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~(np.isfinite(array) & (array > above) & (array >= least))
    if wrong.any():
        limit = f"of at least {least:g}" if least > above else f"above {above:g}"
        if given is None or isinstance(given, int | float | np.number):
            raise GeographyError(f"{parameter}: expected a number {limit}; found {given}")
        found = listed(
            f"{label} ({value if np.isnan(number) else format(number, 'g')})"
            for label, value, number, bad in zip(labels, values, array, wrong, strict=True)
            if bad
        )
        raise GeographyError(f"{parameter}: expected a number {limit} for each {owner}; found otherwise for {found}")
    return array


def recorded(given: Given) -> object:
    """Return a parameter as a plain value for the record of a run; a mapping keeps its stores or formats."""
    if isinstance(given, pd.Series | Mapping):
        return {plain_label(label): float(value) for label, value in given.items()}
    if isinstance(given, str | int | float):
        return given
    return np.asarray(given, dtype=np.float64).tolist()


def number(given: float, *, parameter: str, least: float = 0.0) -> float:
    """Return a single number that is finite and at least ``least``."""
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or not least <= given < np.inf:
        raise GeographyError(f"{parameter}: expected a number of at least {least:g}; found {given!r}")
    return float(given)


def plain_label(label: object) -> str:
    """Return an id or a format as text, whole numbers without decimals, as the tables hold them."""
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def _aligned(given: Given, table: pd.DataFrame, labels: Sequence[str], *, parameter: str, owner: str) -> pd.Series:
    if isinstance(given, str):
        if given not in table.columns:
            raise GeographyError(
                f"{parameter}: {unknown(f'{owner} column', given, [str(name) for name in table.columns])}"
            )
        return table[given]
    if isinstance(given, pd.Series | Mapping):
        named = pd.Series(given, dtype=object).rename(index=plain_label)
        return _by_name(named, table, labels, parameter=parameter, owner=owner)
    array = np.asarray(given)
    if array.dtype.kind == "b":
        raise GeographyError(f"{parameter}: expected numbers; found {given!r}")
    if array.ndim == 0:
        return pd.Series(np.repeat(array, len(labels)))
    if array.shape != (len(labels),):
        found = f"an array of shape {array.shape}"
        raise GeographyError(f"{parameter}: expected one number per {owner}, {len(labels)} of them; found {found}")
    return pd.Series(array)


def _by_name(named: pd.Series, table: pd.DataFrame, labels: Sequence[str], *, parameter: str, owner: str) -> pd.Series:
    """Numbers by label and else by format; a label comes first where it is also the name of a format."""
    twice = named.index[named.index.duplicated()].unique()
    if len(twice):
        raise GeographyError(f"{parameter}: more than one number is given for {listed(twice)}; give each one number")
    formats = pd.Series(pd.NA, index=range(len(labels)), dtype=object)
    if "format" in table.columns:
        formats = pd.Series([name if pd.isna(name) else plain_label(name) for name in table["format"]], dtype=object)
    by_label = pd.Series(labels, dtype=object).isin(named.index)
    key = pd.Series(labels, dtype=object).where(by_label, formats)
    missing = ~key.isin(named.index)
    if missing.any():
        raise GeographyError(_nothing_for(named, labels, formats, missing, parameter=parameter, owner=owner))
    idle = named.index.difference(pd.Index(key)).difference(pd.Index(formats.dropna()))
    if len(idle) and by_label.any() and not by_label.all():  # by format alone, some may be those of competitors
        warnings.warn(
            f"{parameter}: no {owner} is called {listed(idle)} or has that format, so these numbers are not used; "
            f"formats here: {listed(formats.dropna().unique())}",
            AssortmentWarning,
            stacklevel=5,
        )
    return named.loc[list(key)]


def _nothing_for(
    named: pd.Series, labels: Sequence[str], formats: pd.Series, missing: pd.Series, *, parameter: str, owner: str
) -> str:
    """The message for rows that a mapping names neither by label nor by format."""
    without = [
        f"{label} ({'no format' if pd.isna(name) else f'format {name}'})"
        for label, name, gone in zip(labels, formats, missing, strict=True)
        if gone
    ]
    return (
        f"{parameter}: no number is given for {owner} {listed(without)}; index it by {owner}_id or by format; "
        f"found numbers for {listed(named.index) or 'nothing'}"
    )
