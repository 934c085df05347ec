"""A chain made from frames: what must hold between its tables."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

from assortment.errors import Fault
from assortment.inputs import Chain, Neighbourhoods, Products, Sales, Stores

Faults = Callable[..., tuple[Fault, ...]]


@pytest.fixture
def parts(squares: gpd.GeoDataFrame, milk: pd.DataFrame) -> dict[str, Any]:
    """What a chain of two stores is made of, as a planner has it."""
    stores = pd.DataFrame({"store_id": [1, 2], "longitude": [-121.5, -121.4], "latitude": [38.45, 38.45]})
    sales = pd.DataFrame({"week": 1, "store_id": [1, 2, 2], "product_id": [7, 8, 9], "units": 5})
    return {
        "name": "Corner",
        "stores": Stores.from_frame(stores),
        "neighbourhoods": Neighbourhoods.from_frame(squares),
        "products": Products.from_frame(milk.assign(category=["milk", "milk", "cheese"])),
        "shelves": pd.DataFrame(
            {"store_id": [1, 2, 1], "category": ["milk", "milk", "cheese"], "shelf_cm": [90, 80, 70]}
        ),
        "sales": Sales.from_frame(sales),
    }


def test_a_chain_from_frames(parts: dict[str, Any]) -> None:
    """Plain frames are put in canonical form, and the caller's stay as they are."""
    before = parts["shelves"].copy(deep=True)
    chain = Chain(**parts, listing=pd.DataFrame({"product_id": [7], "store_id": [1]}))
    assert chain.shelves["store_id"].tolist() == ["1", "2", "1"]
    assert chain.listing is not None
    assert chain.listing.columns.tolist() == ["store_id", "product_id"]
    assert chain.currency == "USD"
    assert chain.promotion == ()
    assert chain.locks is None
    pd.testing.assert_frame_equal(parts["shelves"], before)


def test_a_chain_is_frozen(parts: dict[str, Any]) -> None:
    """A chain is not changed; a variant is made by replace, and checked."""
    chain = Chain(**parts)
    with pytest.raises(FrozenInstanceError):
        chain.name = "Other"  # type: ignore[misc]
    assert replace(chain, name="Other").name == "Other"


def test_a_chain_travels_between_processes(parts: dict[str, Any]) -> None:
    """A chain can be pickled."""
    chain = pickle.loads(pickle.dumps(Chain(**parts, files={"stores": Path("stores.csv")})))
    assert chain.stores.ids == ("1", "2")


def test_raw_frames_in_place_of_types_are_refused(parts: dict[str, Any], faults_of: Faults) -> None:
    """A frame where a type is asked for names the way to make it."""
    faults = faults_of(Chain, **{**parts, "stores": parts["stores"].frame, "sales": 3})
    assert [(fault.column, fault.expected) for fault in faults] == [
        ("stores", "Stores.from_frame(...)"),
        ("sales", "Sales.from_frame(...)"),
    ]


@pytest.mark.parametrize("table", ["listing", "prices", "offered", "locks"])
def test_unknown_ids_are_told_once_each(parts: dict[str, Any], faults_of: Faults, table: str) -> None:
    """An unknown store or product is a fault at its first row."""
    frame = pd.DataFrame({"store_id": [1, 77, 77], "product_id": [66, 7, 8], "lock": "in"})
    faults = faults_of(Chain, **parts, **{table: frame})
    assert {(fault.file, fault.row, fault.column) for fault in faults} == {
        (f"{table} frame", 2, "store_id"),
        (f"{table} frame", 1, "product_id"),
    }
    assert {fault.found for fault in faults} == {"'77' in 2 rows", "'66'"}


def test_sales_are_compared_with_stores_and_products(parts: dict[str, Any], faults_of: Faults) -> None:
    """Sales of an unknown product in an unknown store are faults."""
    sales = Sales.from_frame(pd.DataFrame({"week": 1, "store_id": [1, 5], "product_id": [55, 7], "units": 5}))
    faults = faults_of(Chain, **{**parts, "sales": sales})
    assert {(fault.row, fault.column) for fault in faults} == {(1, "product_id"), (2, "store_id")}


def test_suppliers_are_compared_where_there_is_a_table_of_them(parts: dict[str, Any], faults_of: Faults) -> None:
    """Without the table a supplier's id is free; with it, it must be there."""
    frame = parts["products"].frame.assign(supplier_id=["A", "B", None])
    parts["products"] = Products.from_frame(frame)
    Chain(**parts)
    (fault,) = faults_of(Chain, **parts, suppliers=pd.DataFrame({"supplier_id": ["A"], "name": "Dairy"}))
    assert (fault.file, fault.row, fault.column) == ("products frame", 2, "supplier_id")


def test_each_store_has_a_shelf(parts: dict[str, Any], faults_of: Faults) -> None:
    """A store without shelf and a shelf without store are both told."""
    shelves = pd.DataFrame({"store_id": [1, 3], "category": "milk", "shelf_cm": 90})
    faults = faults_of(Chain, **{**parts, "shelves": shelves})
    assert {(fault.file, fault.row) for fault in faults} == {("shelves frame", 2), ("stores frame", 2)}


def test_shelves_and_products_share_a_category(parts: dict[str, Any], faults_of: Faults) -> None:
    """Shelves of a category that no product is of are a fault that names the products' nearest."""
    (fault,) = faults_of(Chain, **{**parts, "shelves": parts["shelves"].assign(category=["mlk", "mlk", "mlk2"])})
    assert "'milk'" in fault.expected


def test_there_must_be_a_source_of_demand(parts: dict[str, Any], faults_of: Faults) -> None:
    """Sales, baskets or a survey: one of them is enough, none is a fault."""
    parts["sales"] = None
    (fault,) = faults_of(Chain, **parts)
    assert fault.found == "no source of demand"
    Chain(**parts, baskets=pd.DataFrame({"household_id": ["h"], "product_id": [7], "units": [1]}))
    Chain(**parts, survey=pd.DataFrame({"age": ["old"], "product_id": [7], "respondents": [10], "chose": [3]}))


def test_weeks_are_of_one_kind_in_all_tables(parts: dict[str, Any], faults_of: Faults) -> None:
    """Whole-number weeks of sales and dates of offers do not go together."""
    offered = pd.DataFrame({"store_id": [1], "product_id": [7], "from_week": ["2024-01-01"]})
    (fault,) = faults_of(Chain, **parts, offered=offered)
    assert (fault.column, fault.found) == ("from_week", "dates")
    assert "sales frame" in fault.expected


def test_an_offer_ends_after_it_begins(parts: dict[str, Any], faults_of: Faults) -> None:
    """to_week may be blank, but not before from_week; a pair may be offered in several spells."""
    offered = pd.DataFrame({"store_id": 1, "product_id": 7, "from_week": [1, 5, 9, 9], "to_week": [3, 4, None, 12]})
    faults = faults_of(Chain, **parts, offered=offered)
    assert {(fault.row, fault.column) for fault in faults} == {
        (2, "to_week"),
        (4, "store_id, product_id, from_week"),
    }
    good = Chain(**parts, offered=offered.iloc[[0, 2]])
    assert good.offered is not None
    assert good.offered["to_week"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("stores", "locks", "row"),
    [
        ((1, 1), ("in", "out"), 2),
        ((1, 1), ("out", "in"), 1),
        (("*", 1), ("in", "out"), 2),
        ((1, "*"), ("in", "out"), 1),
        (("*", "*"), ("in", "out"), 2),
        (("*", 1), ("in", "in"), None),
        ((1, 2), ("in", "out"), None),
    ],
)
def test_locks_must_agree(
    parts: dict[str, Any], faults_of: Faults, stores: tuple[object, ...], locks: tuple[str, ...], row: int | None
) -> None:
    """A product is not locked in and out in one store, be it by name or by *."""
    frame = pd.DataFrame({"store_id": pd.Series(stores, dtype=object), "product_id": 7, "lock": locks})
    if row is None:
        assert Chain(**parts, locks=frame).locks is not None
    else:
        (fault,) = faults_of(Chain, **parts, locks=frame)
        assert (fault.row, fault.column) == (row, "lock")


def test_a_radius_needs_a_place(parts: dict[str, Any], faults_of: Faults) -> None:
    """A supplier that delivers within a radius has a location; one without radius needs none."""
    suppliers = pd.DataFrame(
        {"supplier_id": ["A", "B"], "name": ["a", "b"], "delivers_within_km": [None, 50], "minimum_stores": [2, None]}
    )
    (fault,) = faults_of(Chain, **parts, suppliers=suppliers)
    assert (fault.row, fault.column) == (2, "delivers_within_km")
    chain = Chain(**parts, suppliers=suppliers.assign(longitude=-121.5, latitude=38.5))
    assert chain.suppliers is not None
    assert chain.suppliers["minimum_stores"].tolist() == [2, 1]


def test_no_more_chose_than_were_asked(parts: dict[str, Any], faults_of: Faults) -> None:
    """A survey in which more people chose a product than there were is refused."""
    survey = pd.DataFrame({"age": ["old"], "product_id": [7], "respondents": [10], "chose": [11]})
    (fault,) = faults_of(Chain, **parts, survey=survey)
    assert fault.column == "respondents"


def test_a_chain_of_one_category(parts: dict[str, Any], faults_of: Faults) -> None:
    """Products, shelves and what names products are restricted; what is left empty is None."""
    listing = pd.DataFrame({"store_id": [1, 1], "product_id": [7, 9]})
    locks = pd.DataFrame({"store_id": "*", "product_id": [9], "lock": "in"})
    chain = Chain(**parts, listing=listing, locks=locks).of("milk")
    assert chain.products.ids == ("7", "8")
    assert chain.shelves["category"].unique().tolist() == ["milk"]
    assert chain.sales is not None
    assert chain.sales.frame["product_id"].tolist() == ["7", "8"]
    assert chain.listing is not None
    assert len(chain.listing) == 1
    assert chain.locks is None
    assert "milk" in faults_of(chain.of, "mlk")[0].expected
    (fault,) = faults_of(Chain(**parts).of, "cheese")
    assert fault.found == "'2' without a shelf"
