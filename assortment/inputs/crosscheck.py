"""What must hold between the tables of a chain: one function per rule, each gives all its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from assortment.errors import Fault
from assortment.inputs.source import Source, cell_faults, shown
from assortment.inputs.spelling import nearest, suggestion
from assortment.inputs.tables import TABLES, Column

Tables = Mapping[str, pd.DataFrame]
_WEEKS = (("sales", "week"), ("baskets", "week"), ("offered", "from_week"), ("offered", "to_week"))
_DEMAND = ("sales", "baskets", "survey")
# Looking for the nearest of very many ids takes longer than it helps.
_IDS_COMPARED = 5_000


def cross_faults(tables: Tables, sources: Mapping[str, Source]) -> list[Fault]:
    """Faults between the tables of a chain.

    Parameters
    ----------
    tables
        Canonical frames by name; what is absent, or lacks the columns in question, is not compared.
    sources
        Where each table came from.

    Returns
    -------
    list of Fault
        In the order of ``CROSS_CHECKS``.
    """

    def source(name: str) -> Source:
        return sources.get(name, Source(f"{name} frame"))

    return [fault for check in CROSS_CHECKS for fault in check(tables, source)]


def _ids_are_known(tables: Tables, source: Callable[[str], Source]) -> Iterator[Fault]:
    """Each id that refers to another table is in that table."""
    for name, frame in tables.items():
        for column in TABLES[name].columns:
            if column.refers not in tables or column.name not in frame:
                continue
            key = TABLES[column.refers].key[0]
            if key in tables[column.refers]:
                yield from _unknown_ids(frame[column.name], tables[column.refers][key], column, source(name))


def _unknown_ids(cells: pd.Series[Any], known: pd.Series[Any], column: Column, source: Source) -> list[Fault]:
    """One fault for each distinct unknown id, at its first row."""
    wrong = (cells.notna() & ~cells.isin([*known, *column.besides])).to_numpy(dtype=bool)
    if not wrong.any():
        return []
    counts = cells[wrong].value_counts()
    candidates = [str(name) for name in known.dropna()[:_IDS_COMPARED]]

    def found(position: int) -> str:
        value = cells.iloc[position]
        count, match = int(counts[value]), nearest(value, candidates)
        rows = f" in {count:,} rows" if count > 1 else ""
        return shown(value) + rows + (f" (near to '{match}')" if match else "")

    first = wrong & ~cells.duplicated().to_numpy(dtype=bool)
    return cell_faults(source, column.name, first, found=found, expected=f"an id of the table {column.refers}")


def _every_store_has_a_shelf(tables: Tables, source: Callable[[str], Source]) -> Iterator[Fault]:
    if "stores" not in tables or "shelves" not in tables:
        return
    stores, shelves = tables["stores"], tables["shelves"]
    if "store_id" not in stores or "store_id" not in shelves:
        return
    without = (stores["store_id"].notna() & ~stores["store_id"].isin(shelves["store_id"])).to_numpy(dtype=bool)
    yield from cell_faults(
        source("stores"),
        "store_id",
        without,
        found=lambda at: f"'{stores['store_id'].iloc[at]}' without a shelf",
        expected="a row of the table shelves for each store",
    )


def _a_shelf_has_products(tables: Tables, source: Callable[[str], Source]) -> Iterator[Fault]:
    """At least one category has both a shelf and products."""
    if not all("category" in tables.get(name, ()) for name in ("shelves", "products")):
        return
    shelved, sold = (list(tables[name]["category"].dropna().unique()) for name in ("shelves", "products"))
    if shelved and sold and not set(shelved) & set(sold):
        expected = f"a category of the products: {suggestion(shelved[0], sold)}"
        yield Fault(source("shelves").name, None, "category", ", ".join(map(shown, shelved[:5])), expected)


def _weeks_are_of_one_kind(tables: Tables, source: Callable[[str], Source]) -> Iterator[Fault]:
    first: tuple[str, str] | None = None
    for name, column in _WEEKS:
        if column not in tables.get(name, ()) or tables[name][column].isna().all():
            continue
        kind = "dates" if tables[name][column].dtype.kind == "M" else "whole numbers"
        if first is None:
            first = (source(name).name, kind)
        elif kind != first[1]:
            yield Fault(source(name).name, None, column, kind, f"{first[1]}, as in {first[0]}: one kind per chain")


def _there_is_demand(tables: Tables, _: Callable[[str], Source]) -> Iterator[Fault]:
    if not any(name in tables for name in _DEMAND):
        yield Fault("chain", None, None, "no source of demand", "at least one of the tables sales, baskets and survey")


def _locks_agree(tables: Tables, source: Callable[[str], Source]) -> Iterator[Fault]:
    """No product is locked in and out in one store; ``*`` counts for each store."""
    locks = tables.get("locks")
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
        source("locks"),
        "lock",
        wrong,
        found=lambda at: "{} {} both in and out".format(*locks[["store_id", "product_id"]].iloc[at]),
        expected="one lock for each store and product; * stands for every store",
    )


def _radius_has_a_centre(tables: Tables, source: Callable[[str], Source]) -> Iterator[Fault]:
    """A supplier that delivers only so far has a location."""
    suppliers = tables.get("suppliers")
    if suppliers is None or "delivers_within_km" not in suppliers:
        return
    located = suppliers.reindex(columns=["longitude", "latitude"]).notna().all(axis=1)
    yield from cell_faults(
        source("suppliers"),
        "delivers_within_km",
        (suppliers["delivers_within_km"].notna() & ~located).to_numpy(dtype=bool),
        found=lambda at: f"{suppliers['delivers_within_km'].iloc[at]:g} km around no place",
        expected="longitude and latitude of the supplier, or no radius",
    )


CROSS_CHECKS: tuple[Callable[[Tables, Callable[[str], Source]], Iterator[Fault]], ...] = (
    _ids_are_known,
    _every_store_has_a_shelf,
    _a_shelf_has_products,
    _weeks_are_of_one_kind,
    _there_is_demand,
    _locks_agree,
    _radius_has_a_centre,
)
