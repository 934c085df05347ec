"""Sales: what was sold, where and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass, replace
from typing import Any

import pandas as pd

from assortment.errors import Fault, InputError
from assortment.inputs.check import check_frame
from assortment.inputs.source import Source
from assortment.inputs.spelling import suggestion
from assortment.inputs.tables import TABLES, Column

_TABLE = TABLES["sales"]


@dataclass(frozen=True, eq=False)
class Sales:
    """Weekly sales of products in stores, checked when made.

    Parameters
    ----------
    frame
        One row per week × store × product: ``week`` (date of a Monday or a whole number), ``store_id``,
        ``product_id``, ``units``, optionally ``price`` (paid per unit) and promotion columns. A row that is missing is
        unknown, not zero. The frame is not written to.
    promotion
        Names of the promotion columns, which hold numbers; a blank cell is no promotion.
    source
        Where the frame came from, for the messages.

    Attributes
    ----------
    frame
        Own DataFrame with a RangeIndex; ``week`` is ``datetime64[us]`` or ``int64``, ids are text.

    Raises
    ------
    InputError
        With every fault of the frame.
    """

    frame: pd.DataFrame
    promotion: tuple[str, ...] = ()
    source: InitVar[Source | None] = None

    def __post_init__(self, source: Source | None) -> None:
        promotion = tuple(self.promotion)
        frame, faults = checked_sales(self.frame, promotion=promotion, source=source or Source("sales frame"))
        if faults:
            raise InputError(faults)
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "promotion", promotion)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, promotion: Iterable[str] = (), *, source: Source | None = None) -> Sales:
        """Sales from a frame; see the class for its columns and the errors."""
        names = (promotion,) if isinstance(promotion, str) else tuple(promotion)
        return cls(frame, names, source=source)


def checked_sales(frame: Any, *, promotion: tuple[str, ...], source: Source) -> tuple[pd.DataFrame, list[Fault]]:
    """A frame of sales in canonical form, as far as it could be understood, and its faults."""
    declared = [Column(name, "number", "promotion") for name in promotion if name not in _TABLE.names]
    clean, faults = check_frame(_TABLE.with_columns(declared), frame, source)
    others = [str(name) for name in clean.columns if name not in _TABLE.names]
    faults += [
        Fault(
            source.name,
            None,
            name,
            "no such column, though it is a promotion",
            f"the column {suggestion(name, others)}" if others else "a column of that name, or no promotion",
        )
        for name in promotion
        if name not in clean
    ]
    return clean.fillna({column.name: 0.0 for column in declared if column.name in clean}), faults


def sales_of(sales: Sales, product_ids: Iterable[str]) -> Sales | None:
    """The sales of some products, ``None`` when there are none."""
    chosen = sales.frame[sales.frame["product_id"].isin(list(product_ids))]
    return None if chosen.empty else replace(sales, frame=chosen)
