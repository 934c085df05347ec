"""``WeeklySales``: units, money and margin per week of each store, by product or by what products have in common."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.arrays import FloatArray
from assortment.geo.wording import unknown
from assortment.inputs import Products, Sales, given_frame

MEASURES = ("units_per_week", "sales_per_week", "margin_per_week")


@dataclass(frozen=True, kw_only=True, eq=False)
class WeeklySales:
    """What S stores sell per week of each of K keys.

    Attributes
    ----------
    keys
        The keys that were sold in any store: one row each, K rows, the columns being those that sales are added up by.
    amounts
        Shape (3, S, K), in the order of ``MEASURES``: units, and money and margin in the chain's currency, per week.
    weeks
        Recorded weeks of each store, shape (S,); 0 where nothing is known of its sales.
    """

    keys: pd.DataFrame
    amounts: FloatArray
    weeks: npt.NDArray[np.intp]

    def __post_init__(self) -> None:
        for array in (self.amounts, self.weeks):
            array.setflags(write=False)

    @property
    def by(self) -> tuple[str, ...]:
        """Product columns that the sales are added up by."""
        return tuple(map(str, self.keys.columns))

    def position(self, key: object) -> int:
        """Return the row of a key, which may be given as text: ``"whole"``, ``3.25``, ``("Valley", "whole")``.

        Raises
        ------
        GeographyError
            It was not sold anywhere.
        """
        names = [in_words(row) for row in self.keys.itertuples(index=False, name=None)]
        name = in_words(key)
        if name not in names:
            raise GeographyError(f"sales by {' and '.join(self.by)}: {unknown('key', name, names)}")
        return names.index(name)


def weekly_sales(
    sales: Sales,
    products: Products,
    store_ids: Sequence[str],
    *,
    by: str | tuple[str, ...],
    prices: pd.DataFrame | None,
    weeks: tuple[Any, Any] | None,
) -> WeeklySales:
    """Add up sales per store and key; see ``area_sales`` for the parameters and errors."""
    columns = _columns(products, by)
    frame = _within_weeks(sales.frame, weeks)
    strangers = sorted(set(frame["store_id"].unique()) - set(store_ids))
    if strangers:
        raise GeographyError(
            f"the sales name stores without a trade area: {listed(strangers)}; make the trade areas of all stores that "
            "sell, or leave these out of the sales"
        )
    counted = frame.groupby("store_id")["week"].nunique().reindex(list(store_ids), fill_value=0)
    recorded: npt.NDArray[np.intp] = counted.to_numpy().astype(np.intp)
    silent = [store for store, count in zip(store_ids, recorded, strict=True) if count == 0]
    if silent and len(silent) < len(store_ids):
        warnings.warn(
            f"what sells is understated around stores of which no sales are known: {listed(silent)}",
            AssortmentWarning,
            stacklevel=3,
        )
    rows = frame[frame["product_id"].isin(products.ids) & (frame["units"] > 0.0)]
    if rows.empty:
        raise GeographyError(
            "the sales hold no units of these products; check that product_id is written alike in sales and products, "
            "and that both are of one category"
        )
    by_product = _by_product(rows, products, store_ids, prices) / np.maximum(recorded, 1)[:, None]
    keys, of_product = _keys(products, columns, np.isin(products.ids, rows["product_id"].unique()))
    return WeeklySales(keys=keys, amounts=np.stack([amount @ of_product for amount in by_product]), weeks=recorded)


def _columns(products: Products, by: str | tuple[str, ...]) -> list[str]:
    columns = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    known = [str(column) for column in products.frame.columns]
    wrong = [column for column in columns if column not in known]
    if not columns or wrong:
        what = unknown("product column", wrong[0], known) if wrong else f"name a product column: {listed(known)}"
        raise GeographyError(f"by: {what}")
    return columns


def _within_weeks(frame: pd.DataFrame, weeks: tuple[Any, Any] | None) -> pd.DataFrame:
    if weeks is None:
        return frame
    dates = pd.api.types.is_datetime64_any_dtype(frame["week"])
    first, last = frame["week"].min(), frame["week"].max()
    shown = f"{first.date()} to {last.date()}" if dates else f"{first} to {last}"
    try:
        begin, end = (pd.Timestamp(week) if dates and not isinstance(week, int) else week for week in weeks)
        kept = frame[(frame["week"] >= begin) & (frame["week"] <= end)]
    except (TypeError, ValueError) as error:
        kind = "dates such as 2024-01-01" if dates else "whole numbers"
        raise GeographyError(
            f"weeks: expected the first and the last week, both {kind}; found {weeks!r}, and sales of {shown}"
        ) from error
    if kept.empty:
        raise GeographyError(f"weeks: there are no sales from {weeks[0]} to {weeks[1]}; they run from {shown}")
    return kept


def _by_product(
    rows: pd.DataFrame, products: Products, store_ids: Sequence[str], prices: pd.DataFrame | None
) -> FloatArray:
    """Units, money and margin of each store and product over all weeks, shape (3, S, N)."""
    stores, ids = pd.Index(store_ids), pd.Index(products.ids)
    shape = (len(stores), len(ids))
    cell = _rows_of(rows["store_id"], stores) * len(ids) + _rows_of(rows["product_id"], ids)
    price, cost = _regular(products, stores, ids, prices)
    paid = np.full(len(rows), np.nan)
    if "price" in rows:
        paid = rows["price"].to_numpy(np.float64, na_value=np.nan)
    paid = np.where(np.isnan(paid), price.ravel()[cell], paid)
    sold = rows["units"].to_numpy(np.float64)
    units, money = (np.bincount(cell, each, price.size).reshape(shape) for each in (sold, sold * paid))
    return np.stack([units, money, money - units * cost])


def _regular(
    products: Products, stores: pd.Index, ids: pd.Index, prices: pd.DataFrame | None
) -> tuple[FloatArray, FloatArray]:
    """Regular price and cost of each store and product, shape (S, N) each."""
    regular = [
        np.tile(products.frame[column].to_numpy(np.float64), (len(stores), 1)) for column in ("price", "unit_cost")
    ]
    if prices is not None:
        table = given_frame("prices", prices, name="prices")
        s, n = _rows_of(table["store_id"], stores), _rows_of(table["product_id"], ids)
        for values, column in zip(regular, ("price", "unit_cost"), strict=True):
            if column in table:
                own = table[column].to_numpy(np.float64, na_value=np.nan)
                meant = (s >= 0) & (n >= 0) & np.isfinite(own)
                values[s[meant], n[meant]] = own[meant]
    return regular[0], regular[1]


def _rows_of(labels: pd.Series, index: pd.Index) -> npt.NDArray[np.intp]:
    """Position of each label in the index, -1 where it is not there."""
    return index.get_indexer(pd.Index(labels))


def _keys(products: Products, columns: list[str], sold: npt.NDArray[np.bool_]) -> tuple[pd.DataFrame, csr_array]:
    """The distinct keys of the products sold, K rows, and which product has which, shape (N, K)."""
    found = products.frame.loc[sold, columns]
    number = found.groupby(columns, dropna=False, sort=False).ngroup().to_numpy()
    keys = found.drop_duplicates().reset_index(drop=True)
    ones = np.ones(len(found))
    return keys, csr_array((ones, (np.flatnonzero(sold), number)), shape=(len(sold), len(keys)))


def in_words(key: object) -> str:
    """Return a key as text: ``whole``, ``Valley, whole``, ``unknown``."""
    parts = key if isinstance(key, tuple) else (key,)
    return ", ".join("unknown" if pd.isna(part) else str(part) for part in parts)
