"""A chain: everything that the retailer knows, in tables that agree with each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import InitVar, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from assortment.errors import Fault, InputError
from assortment.inputs.check import check_frame
from assortment.inputs.crosscheck import cross_faults, keys_doubtful
from assortment.inputs.neighbourhoods import Neighbourhoods
from assortment.inputs.products import Products
from assortment.inputs.sales import Sales, sales_of
from assortment.inputs.source import Source
from assortment.inputs.stores import Stores
from assortment.inputs.tables import TABLES

_TYPED: dict[str, type] = {"stores": Stores, "neighbourhoods": Neighbourhoods, "products": Products, "sales": Sales}
PLAIN = tuple(name for name in TABLES if name not in _TYPED)


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """A chain of stores, checked when made; variants by ``dataclasses.replace`` or ``of``.

    Parameters
    ----------
    name
        Name on reports.
    stores, neighbourhoods, products, sales
        The types of these names; ``sales`` may be ``None`` where there are baskets or a survey.
    shelves, prices, offered, listing, households, baskets, survey, suppliers, competitors, locks
        Frames as ``TABLES`` declares them, or ``None``; only ``shelves`` is required. They are not written to.
    travel_times, flows, ancillary
        The same, for trade areas: minutes and trips between stores and neighbourhoods, and points where people live.
    currency
        ISO 4217 code.
    notes
        Assumptions and statements on made-up data, which every output must show.
    files
        The file each table was read from, and what belongs to it, for hashes.
    sources
        Where each table came from, for the messages.

    Raises
    ------
    InputError
        With every fault of the frames and between the tables.
    """

    name: str
    stores: Stores
    neighbourhoods: Neighbourhoods
    products: Products
    shelves: pd.DataFrame
    sales: Sales | None = None
    prices: pd.DataFrame | None = None
    offered: pd.DataFrame | None = None
    listing: pd.DataFrame | None = None
    households: pd.DataFrame | None = None
    baskets: pd.DataFrame | None = None
    survey: pd.DataFrame | None = None
    suppliers: pd.DataFrame | None = None
    competitors: pd.DataFrame | None = None
    travel_times: pd.DataFrame | None = None
    flows: pd.DataFrame | None = None
    ancillary: pd.DataFrame | None = None
    locks: pd.DataFrame | None = None
    currency: str = "USD"
    notes: tuple[str, ...] = ()
    files: dict[str, Path] = field(default_factory=dict)
    sources: InitVar[Mapping[str, Source] | None] = None

    def __post_init__(self, sources: Mapping[str, Source] | None) -> None:
        faults = self._type_faults()
        if faults:
            raise InputError(faults)
        clean, faults = checked_tables(self.tables, sources or {})
        if faults:
            raise InputError(faults)
        for name in PLAIN:
            object.__setattr__(self, name, clean.get(name))
        object.__setattr__(self, "notes", tuple(self.notes))
        object.__setattr__(self, "files", dict(self.files))

    def _type_faults(self) -> list[Fault]:
        return [
            Fault("chain", None, name, f"a {type(value).__name__}", f"{kind.__name__}.from_frame(...)")
            for name, kind in _TYPED.items()
            if not isinstance(value := getattr(self, name), kind) and not (name == "sales" and value is None)
        ]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The frames of the tables that the chain has, by name."""
        values = {name: getattr(self, name) for name in TABLES}
        return {name: value.frame if name in _TYPED else value for name, value in values.items() if value is not None}

    @property
    def promotion(self) -> tuple[str, ...]:
        """Names of the promotion columns of the sales."""
        return self.sales.promotion if self.sales is not None else ()

    def of(self, category: str) -> Chain:
        """The chain as one category sees it.

        Parameters
        ----------
        category
            A category of the products.

        Returns
        -------
        Chain
            Products, and every table that names products, restricted to the category, and the shelves to its shelves.
            An optional table of which nothing is left is ``None``.

        Raises
        ------
        InputError
            When the category has no product, no shelf in some store, or no source of demand.
        """
        products = self.products.of(category)
        kept: dict[str, Any] = {
            name: _rows_of(getattr(self, name), products)
            for name in PLAIN
            if "product_id" in TABLES[name].names and getattr(self, name) is not None
        }
        shelves = self.shelves[self.shelves["category"] == category]
        sales = sales_of(self.sales, products.ids) if self.sales is not None else None
        return replace(self, products=products, shelves=shelves, sales=sales, **kept)


def _rows_of(frame: pd.DataFrame, products: Products) -> pd.DataFrame | None:
    chosen = frame[frame["product_id"].isin(products.ids)]
    return None if chosen.empty else chosen


def checked_tables(
    tables: Mapping[str, Any], sources: Mapping[str, Source], doubtful: Collection[str] = ()
) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
    """The plain tables in canonical form, and the faults in and between all tables.

    Parameters
    ----------
    tables
        Frames by name, ``None`` for one that could not be read. Those of stores, neighbourhoods, products and sales
        are taken as checked.
    sources
        Where each came from.
    doubtful
        Tables already known to hold doubtful keys; see ``cross_faults``.
    """
    clean: dict[str, pd.DataFrame] = {}
    faults: list[Fault] = []
    unsure = set(doubtful)
    for name, frame in tables.items():
        if name in _TYPED or frame is None:
            clean[name] = pd.DataFrame() if frame is None else frame
            continue
        clean[name], found = check_frame(TABLES[name], frame, sources.get(name, Source(f"{name} frame")))
        faults += found
        if keys_doubtful(TABLES[name], found):
            unsure.add(name)
    return clean, faults + cross_faults(clean, sources, unsure)
