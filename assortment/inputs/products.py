"""Products: what can stand on the shelf."""

from __future__ import annotations

import warnings
from dataclasses import InitVar, dataclass
from typing import Any

import pandas as pd

from assortment.errors import AssortmentWarning, Fault, InputError, listed
from assortment.inputs.check import check_frame
from assortment.inputs.source import Source
from assortment.inputs.spelling import suggestion
from assortment.inputs.tables import TABLES

_TABLE = TABLES["products"]


@dataclass(frozen=True, eq=False)
class Products:
    """The products of a chain, checked when made.

    Parameters
    ----------
    frame
        One row per product: ``product_id``, ``price`` and ``unit_cost`` per unit, ``width_cm`` of one facing.
        Optional: ``name`` (default: the id), ``category`` (default: none), ``brand``, ``supplier_id``, ``status``
        (must, may, never; default may), ``facings`` (default 1), ``pack_size``, ``unit``, ``pack_units``, attributes.
        The frame is not written to.
    source
        Where the frame came from, for the messages.

    Attributes
    ----------
    frame
        Own DataFrame with a RangeIndex; ids are text.

    Raises
    ------
    InputError
        With every fault of the frame.
    """

    frame: pd.DataFrame
    source: InitVar[Source | None] = None

    def __post_init__(self, source: Source | None) -> None:
        frame, faults = check_frame(_TABLE, self.frame, source or Source("products frame"))
        if faults:
            raise InputError(faults)
        object.__setattr__(self, "frame", frame)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, source: Source | None = None) -> Products:
        """Products from a frame; see the class for its columns and the errors.

        Warns of products that cost more than they are sold for, since some chains want them and most do not.
        """
        products = cls(frame, source=source)
        dear = products.frame[products.frame["unit_cost"] > products.frame["price"]]
        if len(dear):
            warnings.warn(_at_a_loss(dear, source), AssortmentWarning, stacklevel=2)
        return products

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the products, in the order of the frame."""
        return tuple(self.frame["product_id"])

    @property
    def attributes(self) -> tuple[str, ...]:
        """Columns that people may prefer or avoid: the brand and all that the specification does not know."""
        names: list[Any] = [name for name in self.frame.columns if name == "brand" or name not in _TABLE.names]
        return tuple(names)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories, in order of their first product."""
        return tuple(self.frame["category"].unique())

    def of(self, category: str) -> Products:
        """The products of one category.

        Raises
        ------
        InputError
            When no product is of that category; it names the nearest.
        """
        chosen = self.frame[self.frame["category"] == category]
        if chosen.empty:
            expected = f"a category of the products: {suggestion(category, self.categories)}"
            raise InputError([Fault("products", None, "category", f"'{category}'", expected)])
        return Products(chosen)


def _at_a_loss(dear: pd.DataFrame, source: Source | None) -> str:
    shown = listed(f"{row.product_id} ({row.unit_cost:g} > {row.price:g})" for row in dear.itertuples(index=False))
    who = "1 product costs" if len(dear) == 1 else f"{len(dear)} products cost"
    name = source.name if source is not None else "products frame"
    return f"{name}: {who} more than the price, so each unit sold loses money: {shown}; check unit_cost and price"
