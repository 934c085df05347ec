"""What each household spends, from its baskets."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from assortment.errors import AssortmentWarning, Fault, InputError

SPEND = "spend"


def with_spend(households: pd.DataFrame, baskets: pd.DataFrame | None) -> pd.DataFrame:
    """Return households with their spend: the sum of units × price over their baskets.

    Parameters
    ----------
    households
        Table of that name. Where it has a column ``spend`` it is returned as it is.
    baskets
        Table of that name with prices, or ``None``.

    Returns
    -------
    DataFrame
        With the column ``spend``, in currency over the time that the baskets span; 0 for a household without baskets.

    Raises
    ------
    InputError
        There is neither a column ``spend``, nor are there baskets with prices.
    """
    if SPEND in households:
        return households
    if baskets is None or "price" not in baskets or baskets["price"].isna().all():
        found = "no such column" + ("" if baskets is None else ", and baskets without price")
        expected = "what each household spends, or a table baskets with units and price, from which it is summed"
        raise InputError([Fault("households", None, SPEND, found, expected)])
    paid = baskets["units"] * baskets["price"]
    without = int(paid.isna().sum())
    if without:
        warnings.warn(
            f"baskets: {without:,} of {len(paid):,} rows have no price and add nothing to what the households spend",
            AssortmentWarning,
            stacklevel=2,
        )
    spent = paid.groupby(baskets["household_id"]).sum()
    spend = households["household_id"].map(spent).fillna(0.0).astype(np.float64)
    return households.assign(**{SPEND: spend})
