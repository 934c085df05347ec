"""Prices paid at the tills, where they are to be believed."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.observed.gaps import carried_on
from assortment.errors import AssortmentWarning, listed

if TYPE_CHECKING:
    from assortment.inputs import Products

ABSURD = 20.0
"""Times the median price of the product, or one part in so many of it, at which a price is a slip (as cents are)."""


def log_prices(
    frame: pd.DataFrame, cell: Ints, shape: tuple[int, ...], products: Products, *, absurd: float = ABSURD
) -> tuple[Floats, tuple[str, ...]]:
    """Return (S, W, N) log prices, and what was assumed.

    The price of a cell is the mean of its rows. Gaps take the price of the weeks around them in the store, then the
    chain's, then the regular one. Prices that are not above zero, or absurd, count as gaps, with a warning.

    Parameters
    ----------
    frame
        Sales with store_id, product_id, and price where it is known.
    cell
        Index of each row in the array.
    shape
        Of the array.
    products
        The products along its last axis.
    absurd
        Times the median price of a product, or one part in so many of it, at which a price is a slip.
    """
    regular = np.log(products.frame["price"].to_numpy(np.float64))
    nothing = np.full(len(frame), np.nan)
    paid = frame["price"].to_numpy(np.float64, na_value=np.nan) if "price" in frame.columns else nothing
    known = np.isfinite(paid) & (paid > 0)
    if not known.any():
        return np.broadcast_to(regular, shape).copy(), (
            "The sales hold no prices: each product counts at its regular price.",
        )
    slips = _slips(np.where(known, paid, np.nan), frame["product_id"], absurd)
    notes = (
        *_told(frame, ~known, "no price above zero"),
        *_told(frame, slips, f"a price more than {absurd:g} times off the median of the product"),
    )
    known &= ~slips
    total: Floats = np.bincount(cell[known], paid[known], int(np.prod(shape))).astype(np.float64, copy=False)
    price = total.reshape(shape)
    rows = np.bincount(cell[known], minlength=price.size).reshape(shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        chain = carried_on(np.log(price.sum(axis=0) / rows.sum(axis=0)), axis=0)
        price /= rows
        np.log(price, out=price)
    price = carried_on(price, axis=1)
    np.copyto(price, np.where(np.isfinite(chain), chain, regular), where=~np.isfinite(price))
    return price, notes


def _slips(paid: Floats, product: pd.Series, absurd: float) -> Bools:
    """Prices that cannot be of the unit that others of the product are of; NaN is none."""
    log_price = pd.Series(np.log(paid), index=product.index)
    off: Bools = ((log_price - log_price.groupby(product).transform("median")).abs() > np.log(absurd)).to_numpy()
    return off


def _told(frame: pd.DataFrame, rows: Bools, fault: str) -> tuple[str, ...]:
    """What is said of rows with a price that cannot be used, with a warning."""
    if not rows.any():
        return ()
    products, stores = (listed(frame[column][rows].drop_duplicates()) for column in ("product_id", "store_id"))
    message = (
        f"{int(rows.sum())} sales rows have {fault} (product {products}; store {stores}); the price of the weeks "
        "around them is used."
    )
    warnings.warn(message, AssortmentWarning, stacklevel=5)
    return (message,)
