"""The till record as arrays: what was offered, at which price, and what was sold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from assortment.demand.arrays import Bools, Floats, Ints, positions
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.observed.choices import Choices
from assortment.demand.observed.paid import ABSURD, log_prices
from assortment.errors import DemandError, listed

if TYPE_CHECKING:
    from assortment.inputs import Products, Sales

_Number = TypeVar("_Number", np.float64, np.bool_)


@dataclass(frozen=True)
class TillRecord:
    """Weekly offers and sales (S stores, W weeks, N products, P promotion columns).

    Parameters
    ----------
    store_ids, product_ids, promotion
        Names along the axes.
    weeks
        (W,), in order.
    recorded
        (S, W), weeks of which the store has a record with sales; the others are unknown, not zero.
    offered
        (S, W, N), what stood on the shelf.
    units
        (S, W, N), per week.
    log_price
        (S, W, N), logarithm of the price; where nothing was sold, the price of the weeks around, else the chain's.
    promotions
        (P, S, W, N).
    notes
        What was assumed.
    """

    store_ids: tuple[str, ...]
    product_ids: tuple[str, ...]
    promotion: tuple[str, ...]
    weeks: pd.Index
    recorded: Bools
    offered: Bools
    units: Floats
    log_price: Floats
    promotions: Floats
    notes: tuple[str, ...] = field(default=())

    @property
    def units_per_week(self) -> Floats:
        """(S,) units per recorded week."""
        total: Floats = self.units.sum(axis=(1, 2)) / np.maximum(self.recorded.sum(axis=1), 1)
        return total

    @property
    def shown(self) -> Bools:
        """(S, W, N), what stood on the shelf in weeks with a record."""
        return self.offered & self.recorded[:, :, None]

    @property
    def price_varies(self) -> bool:
        """Whether any product was offered at more than one price."""
        return self.varies(self.log_price, (0, 1))

    def varies(self, values: Floats, axes: tuple[int, ...]) -> bool:
        """Return whether (S, W, N) values of what was offered differ along any of these axes."""
        shown = self.shown
        high = np.where(shown, values, -np.inf).max(axis=axes)
        low = np.where(shown, values, np.inf).min(axis=axes)
        return bool((high - low > 1e-6).any())

    def covariates(self, design: CovariateDesign, use: Bools) -> Floats:
        """Return the (C, T, N) covariates of the T store-weeks of the (S, W) mask."""
        promotions = {
            name: _rows(values, use)
            for name, values in zip(self.promotion, self.promotions, strict=True)
            if name in design.names
        }
        columns = design.values(_rows(self.log_price, use), promotions)
        return np.stack(columns) if columns else np.zeros((0, int(use.sum()), len(self.product_ids)))

    def last_offers(self) -> Bools:
        """Return (S, N), what each store offered in its last recorded week."""
        last = self.recorded.shape[1] - 1 - np.argmax(self.recorded[:, ::-1], axis=1)
        offered: Bools = self.offered[np.arange(len(last)), last]
        return offered

    def choices(self, fold: Ints, design: CovariateDesign) -> Choices:
        """Return a state per recorded store-week.

        Parameters
        ----------
        fold
            (S,), the part that each store is held out with.
        design
            The covariates to use.
        """
        group, week = np.nonzero(self.recorded)
        return Choices(
            group=group,
            fold=fold[group],
            week=week,
            offered=_rows(self.offered, self.recorded),
            covariates=self.covariates(design, self.recorded),
            counts=_rows(self.units, self.recorded),
            weeks=np.ones(len(group)),
        )


def till_record(
    sales: Sales,
    products: Products,
    *,
    offered: pd.DataFrame | None = None,
    promotion: Sequence[str] | None = None,
    absurd: float = ABSURD,
) -> TillRecord:
    """Lay the sales out as arrays.

    Parameters
    ----------
    sales
        Units by week, store and product.
    products
        The products of the category; rows of others are ignored.
    offered
        Frame store_id, product_id and optionally from_week, to_week (both included). ``None``: a product is taken to
        have stood in a store from the first to the last week that it has a row there.
    promotion
        Columns of the sales to use; default: those that the sales declare.
    absurd
        Times the median price of a product, or one part in so many of it, at which a price is a slip and not used.

    Raises
    ------
    DemandError
        No sales of these products, or an unknown promotion column.
    """
    names = tuple(sales.promotion if promotion is None else promotion)
    missing = [name for name in names if name not in sales.frame.columns]
    if missing:
        raise DemandError(f"Promotion columns not found in the sales: {', '.join(missing)}.")
    ours = sales.frame["product_id"].isin(products.ids)
    frame = sales.frame[ours]
    if not (frame["units"] > 0).any():
        raise DemandError("The sales hold no units of these products; check product_id and category.")
    frame, sold_nothing = _of_selling_stores(frame)
    store_ids = tuple(sorted(frame["store_id"].unique()))
    weeks = pd.Index(np.sort(frame["week"].unique()))
    shape = (len(store_ids), len(weeks), len(products.ids))
    s, w, n = _positions(frame, store_ids, weeks, products.ids)
    cell = np.ravel_multi_index((s, w, n), shape)
    units = _summed(frame["units"].to_numpy(np.float64), cell, shape)
    recorded: Bools = units.sum(axis=2) > 0
    on_shelf, notes = _offered(offered, store_ids, weeks, products.ids, cell)
    unlisted = _sold_unlisted(on_shelf, units, store_ids, products.ids)
    on_shelf |= units > 0
    price, price_notes = log_prices(frame, cell, shape, products, absurd=absurd)
    return TillRecord(
        store_ids=store_ids,
        product_ids=tuple(products.ids),
        promotion=names,
        weeks=weeks,
        recorded=recorded,
        offered=on_shelf,
        units=units,
        log_price=price,
        promotions=np.array([_largest(frame[name], cell, shape) for name in names]).reshape(len(names), *shape),
        notes=(*_of_others(sales.frame[~ours]), *sold_nothing, *notes, *unlisted, *price_notes),
    )


def _of_others(rows: pd.DataFrame) -> tuple[str, ...]:
    """What to say of sales of products that were not given."""
    names = rows["product_id"][rows["units"] > 0].drop_duplicates()
    return (f"Sales of products that are not among those to fit are left out: {listed(names)}.",) if len(names) else ()


def _sold_unlisted(
    on_shelf: Bools, units: Floats, store_ids: tuple[str, ...], product_ids: Sequence[str]
) -> tuple[str, ...]:
    """What to say of products that sold where they did not stand."""
    pairs = np.argwhere(((units > 0) & ~on_shelf).any(axis=1))
    if not len(pairs):
        return ()
    names = listed([f"{product_ids[n]} in store {store_ids[s]}" for s, n in pairs], what="pairs")
    return (f"Sold in weeks in which `offered` does not have them, so taken as offered in these: {names}.",)


def _of_selling_stores(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The rows of stores that sold anything, and what to say of the others, which have no choices to learn from."""
    selling = (frame["units"] > 0).groupby(frame["store_id"]).transform("any")
    silent = sorted(frame["store_id"][~selling].unique())
    if not silent:
        return frame, ()
    return frame[selling], (f"No unit sold in the whole record, so taken as stores without sales: {listed(silent)}.",)


def _positions(
    frame: pd.DataFrame, store_ids: tuple[str, ...], weeks: pd.Index, product_ids: Sequence[str]
) -> tuple[Ints, Ints, Ints]:
    return (
        positions(store_ids, frame["store_id"]),
        positions(weeks, frame["week"]),
        positions(product_ids, frame["product_id"]),
    )


def _rows(values: npt.NDArray[_Number], use: Bools) -> npt.NDArray[_Number]:
    """The (T, N) rows of the store-weeks of the (S, W) mask, without a copy where that is all of them."""
    return values.reshape(-1, values.shape[2]) if use.all() else values[use]


def _summed(values: Floats, cell: Ints, shape: tuple[int, ...]) -> Floats:
    total: Floats = np.bincount(cell, values, int(np.prod(shape))).astype(np.float64, copy=False)
    return total.reshape(shape)


def _largest(values: pd.Series, cell: Ints, shape: tuple[int, ...]) -> Floats:
    """Several rows of one cell (as two lots in a week) count with the largest value; none counts as zero."""
    filled = np.full(int(np.prod(shape)), -np.inf)
    np.maximum.at(filled, cell, values.to_numpy(np.float64, na_value=0.0))
    return np.where(np.isfinite(filled), filled, 0.0).reshape(shape)


def _offered(
    offered: pd.DataFrame | None, store_ids: tuple[str, ...], weeks: pd.Index, product_ids: Sequence[str], cell: Ints
) -> tuple[Bools, tuple[str, ...]]:
    shape = (len(store_ids), len(weeks), len(product_ids))
    if offered is None:
        seen = np.zeros(shape, dtype=np.bool_)
        seen.ravel()[cell] = True
        before = np.maximum.accumulate(seen, axis=1)
        after = np.maximum.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
        between: Bools = before & after
        note = (
            "What was offered is inferred: a product stood in a store from its first to its last week with a row there."
        )
        return between, (note,)
    rows = offered[offered["store_id"].isin(store_ids) & offered["product_id"].isin(product_ids)]
    first = _week_positions(rows, "from_week", weeks, "left", 0)
    last = _week_positions(rows, "to_week", weeks, "right", len(weeks))
    s = positions(store_ids, rows["store_id"])
    n = positions(product_ids, rows["product_id"])
    steps = np.zeros((shape[0], shape[1] + 1, shape[2]))
    np.add.at(steps, (s, first, n), 1.0)
    np.add.at(steps, (s, np.maximum(first, last), n), -1.0)
    return np.cumsum(steps, axis=1)[:, :-1] > 0, ()


def _week_positions(rows: pd.DataFrame, column: str, weeks: pd.Index, side: Any, default: int) -> Ints:
    """Where in ``weeks`` an interval begins (side left) or ends (side right); open ends take the default."""
    if column not in rows.columns:
        return np.full(len(rows), default, dtype=np.intp)
    known = rows[column].notna().to_numpy()
    bounds = pd.Index(rows[column][known])
    if pd.api.types.is_datetime64_any_dtype(weeks.dtype):
        bounds = pd.DatetimeIndex(bounds)
    found = np.full(len(rows), default, dtype=np.intp)
    found[known] = weeks.to_numpy().searchsorted(bounds.to_numpy(), side=side)
    return found
