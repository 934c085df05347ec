"""What must hold between the tables of a chain: one function per rule, each gives all its faults."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from assortment.errors import Fault
from assortment.inputs.cells import convert
from assortment.inputs.source import Source, cell_faults, shown
from assortment.inputs.spelling import plain_id, suggestion
from assortment.inputs.tables import TABLES, Column, Table

_WEEKS = (("sales", "week"), ("baskets", "week"), ("offered", "from_week"), ("offered", "to_week"))
_DEMAND = ("sales", "baskets", "survey")


@dataclass(frozen=True)
class _Tables:
    """Canonical frames by name, where each came from, and of which the keys are doubtful."""

    frames: Mapping[str, pd.DataFrame]
    sources: Mapping[str, Source]
    doubtful: frozenset[str]

    def source(self, name: str) -> Source:
        return self.sources.get(name, Source(f"{name} frame"))

    def has(self, name: str, *columns: str) -> bool:
        return name in self.frames and set(columns) <= set(self.frames[name])

    def sure_of(self, name: str, *columns: str) -> bool:
        """Whether rows of other tables can be looked for in these columns."""
        return self.has(name, *columns) and name not in self.doubtful


def keys_doubtful(table: Table, faults: Iterable[Fault]) -> bool:
    """Whether the faults of a table leave open which keys it holds: rows, or cells of the key, that are wrong."""
    return any(fault.column is None or set(fault.column.split(", ")) & set(table.key) for fault in faults)


def cross_faults(
    tables: Mapping[str, pd.DataFrame], sources: Mapping[str, Source], doubtful: Collection[str] = ()
) -> list[Fault]:
    """Faults between the tables of a chain.

    Parameters
    ----------
    tables
        Canonical frames by name; what is absent, or lacks the columns in question, is not compared.
    sources
        Where each table came from.
    doubtful
        Tables of which it is not known which keys they hold. Nothing is looked for in them, since what is not found
        there would only follow from their own faults.

    Returns
    -------
    list of Fault
        In the order of ``CROSS_CHECKS``.
    """
    compared = _Tables(tables, sources, frozenset(doubtful))
    return [fault for check in CROSS_CHECKS for fault in check(compared)]


def _ids_are_known(tables: _Tables) -> Iterator[Fault]:
    """Each id that refers to another table is in that table."""
    for name, frame in tables.frames.items():
        for column in TABLES[name].columns:
            if column.refers and column.name in frame:
                key = TABLES[column.refers].key[0]
                if tables.sure_of(column.refers, key):
                    # Of a table that has faults elsewhere the frame is as it was read: its ids may be numbers.
                    known, _ = convert(TABLES[column.refers].columns[0], tables.frames[column.refers][key])
                    yield from _unknown_ids(frame[column.name], known, column, tables.source(name))


def _unknown_ids(cells: pd.Series[Any], known: pd.Series[Any], column: Column, source: Source) -> list[Fault]:
    """One fault for each distinct unknown id, at its first row, with the known id that is written nearly so."""
    wrong = (cells.notna() & ~cells.isin([*known, *column.besides])).to_numpy(dtype=bool)
    if not wrong.any():
        return []
    counts = cells[wrong].value_counts()
    alike = {plain_id(name): name for name in known.dropna()}

    def found(position: int) -> str:
        value = cells.iloc[position]
        count, match = int(counts[value]), alike.get(plain_id(value))
        rows = f" in {count:,} rows" if count > 1 else ""
        return shown(value) + rows + (f" (near to '{match}')" if match else "")

    first = wrong & ~cells.duplicated().to_numpy(dtype=bool)
    return cell_faults(source, column.name, first, found=found, expected=f"an id of the table {column.refers}")


def _every_store_has_a_shelf(tables: _Tables) -> Iterator[Fault]:
    if not tables.has("stores", "store_id") or not tables.sure_of("shelves", "store_id"):
        return
    ids = tables.frames["stores"]["store_id"]
    without = (ids.notna() & ~ids.isin(tables.frames["shelves"]["store_id"])).to_numpy(dtype=bool)
    yield from cell_faults(
        tables.source("stores"),
        "store_id",
        without,
        found=lambda at: f"'{ids.iloc[at]}' without a shelf",
        expected="a row of the table shelves for each store",
    )


def _a_shelf_has_products(tables: _Tables) -> Iterator[Fault]:
    """At least one category has both a shelf and products."""
    if not all(tables.sure_of(name, "category") for name in ("shelves", "products")):
        return
    shelved, sold = (list(tables.frames[name]["category"].dropna().unique()) for name in ("shelves", "products"))
    if shelved and sold and not set(shelved) & set(sold):
        expected = f"a category of the products: {suggestion(shelved[0], sold)}"
        yield Fault(tables.source("shelves").name, None, "category", ", ".join(map(shown, shelved[:5])), expected)


def _weeks_are_of_one_kind(tables: _Tables) -> Iterator[Fault]:
    first: tuple[str, str] | None = None
    for name, column in _WEEKS:
        if not tables.has(name, column) or tables.frames[name][column].isna().all():
            continue
        kind = "dates" if tables.frames[name][column].dtype.kind == "M" else "whole numbers"
        if first is None:
            first = (tables.source(name).name, kind)
        elif kind != first[1]:
            yield Fault(
                tables.source(name).name, None, column, kind, f"{first[1]}, as in {first[0]}: one kind per chain"
            )


def _there_is_demand(tables: _Tables) -> Iterator[Fault]:
    if not any(name in tables.frames for name in _DEMAND):
        yield Fault("chain", None, None, "no source of demand", "at least one of the tables sales, baskets and survey")


def _locks_agree(tables: _Tables) -> Iterator[Fault]:
    """No product is locked in and out in one store; ``*`` counts for each store."""
    locks = tables.frames.get("locks")
    if locks is None or not {"store_id", "product_id", "lock"} <= set(locks):
        return
    everywhere = locks[locks["store_id"] == "*"]
    wrong = np.zeros(len(locks), dtype=bool)
    for lock, opposite in (("in", "out"), ("out", "in")):
        mine = (locks["lock"] == lock).to_numpy(dtype=bool)
        others = locks[locks["lock"] == opposite]
        pairs = pd.MultiIndex.from_frame(others[["store_id", "product_id"]])
        same = pd.MultiIndex.from_frame(locks[["store_id", "product_id"]]).isin(pairs)
        general = locks["product_id"].isin(everywhere.loc[everywhere["lock"] == opposite, "product_id"]).to_numpy(bool)
        # Of a pair of rows the later is told; of * and a store the store's.
        wrong |= mine & ((same & (lock == "out")) | (general & (locks["store_id"] != "*").to_numpy(bool) & ~same))
    yield from cell_faults(
        tables.source("locks"),
        "lock",
        wrong,
        found=lambda at: "{} {} both in and out".format(*locks[["store_id", "product_id"]].iloc[at]),
        expected="one lock for each store and product; * stands for every store",
    )


def _radius_has_a_centre(tables: _Tables) -> Iterator[Fault]:
    """A supplier that delivers only so far has a location."""
    suppliers = tables.frames.get("suppliers")
    if suppliers is None or "delivers_within_km" not in suppliers:
        return
    located = suppliers.reindex(columns=["longitude", "latitude"]).notna().all(axis=1)
    yield from cell_faults(
        tables.source("suppliers"),
        "delivers_within_km",
        (suppliers["delivers_within_km"].notna() & ~located).to_numpy(dtype=bool),
        found=lambda at: f"{suppliers['delivers_within_km'].iloc[at]:g} km around no place",
        expected="longitude and latitude of the supplier, or no radius",
    )


CROSS_CHECKS: tuple[Callable[[_Tables], Iterator[Fault]], ...] = (
    _ids_are_known,
    _every_store_has_a_shelf,
    _a_shelf_has_products,
    _weeks_are_of_one_kind,
    _there_is_demand,
    _locks_agree,
    _radius_has_a_centre,
)
