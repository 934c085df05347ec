"""``AreaTable``: what sells in one area, against the chain."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import shapely


@dataclass(frozen=True, kw_only=True, eq=False)
class AreaTable:
    """What sells to those who live in one area; made by ``AreaSales``.

    Attributes
    ----------
    where
        The area in words, such as ``neighbourhood 06067001101``.
    by
        Product columns that the sales are added up by: the key columns of ``table``.
    table
        One row per key, most units first: the key columns, ``units_per_week``, ``sales_per_week`` and
        ``margin_per_week`` (currency of the chain), ``share_of_units`` (of all units of the area),
        ``chain_share_of_units`` (the same in the chain) and ``index``: 100 × the former over the latter, so 100 is as
        in the chain and 200 twice as much of the basket.
    people
        Who live in the area, counted by ``people_column``, whether or not a store of the chain serves them.
    people_column
        The count that sales were spread by.
    from_stores
        Where the sales come from, one row per store with sales there, most units first: ``store_id``,
        ``units_per_week``, ``part_of_area`` (of the area's units) and ``part_of_store`` (of the store's own sales).
    outline
        The area on the plane of the trade areas, for maps; ``None`` for the whole chain.
    """

    where: str
    by: tuple[str, ...]
    table: pd.DataFrame
    people: float
    people_column: str
    from_stores: pd.DataFrame
    outline: shapely.Geometry | None = None
