"""Profiles that someone else made, as a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from assortment.errors import GeographyError, listed
from assortment.geo.wording import unknown


def foreign_profiles(
    frame: pd.DataFrame, *, counts: Sequence[str], rates: Mapping[str, str | None]
) -> tuple[pd.DataFrame, tuple[str, ...], dict[str, str | None]]:
    """Return the numbers by store, and which columns are counts and which are rates.

    Parameters
    ----------
    frame
        One row per store, indexed by ``store_id`` or with such a column.
    counts, rates
        As declared; see ``StoreProfiles.from_frame``.

    Raises
    ------
    GeographyError
        A store twice; a declared column that is missing or not numeric.
    """
    table = frame.set_index("store_id") if "store_id" in frame.columns else frame
    table = table.set_axis(pd.Index([_as_text(store) for store in table.index], name="store_id"))
    twice = table.index[table.index.duplicated()].unique()
    if len(twice):
        raise GeographyError(f"the profiles hold more than one row for store {listed(twice)}; keep one each")
    bases = [base for base in rates.values() if base is not None]
    count_names = tuple(dict.fromkeys([*counts, *bases]))
    _require_numeric(table, [*count_names, *rates])
    others = [name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
    rate_names = dict(rates) | {name: None for name in others if name not in count_names and name not in rates}
    return table[[*count_names, *rate_names]].astype(np.float64), count_names, rate_names


def _as_text(store: object) -> str:
    if isinstance(store, float | np.floating) and float(store).is_integer():
        return str(int(store))
    return str(store)


def _require_numeric(table: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in table.columns:
            raise GeographyError(f"profiles: {unknown('column', name, [str(column) for column in table.columns])}")
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise GeographyError(
                f"profiles: column '{name}' is declared as a count or rate but is not numeric; convert it"
            )
