"""Products from frames of many kinds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import AssortmentWarning, Fault, InputError
from assortment.inputs import Products

Faults = Callable[..., tuple[Fault, ...]]


def test_defaults_are_filled_in(milk: pd.DataFrame) -> None:
    """What a frame may leave out takes its default: the id as name, no category, may, one facing."""
    frame = Products.from_frame(milk).frame
    assert frame["name"].tolist() == ["7", "8", "9"]
    assert frame["category"].tolist() == [""] * 3
    assert frame["status"].tolist() == ["may"] * 3
    assert frame["facings"].tolist() == [1] * 3


def test_blank_cells_take_the_default_too(milk: pd.DataFrame) -> None:
    """A blank name, status or number of facings is as good as an absent one."""
    milk = milk.assign(name=["Whole", None, ""], status=[None, "Must", "never"], facings=[None, 2, 3])
    frame = Products.from_frame(milk).frame
    assert frame["name"].tolist() == ["Whole", "8", "9"]
    assert frame["status"].tolist() == ["may", "must", "never"]
    assert frame["facings"].tolist() == [1, 2, 3]
    assert frame["facings"].dtype == "int64"


def test_attributes_are_the_brand_and_what_is_not_declared(milk: pd.DataFrame) -> None:
    """Attributes keep their order and type; declared columns other than the brand are none."""
    milk = milk.assign(fat=[3.5, 0.1, np.nan], organic=["yes", "no", "no"], brand="Meadow", unit="l")
    products = Products.from_frame(milk)
    assert products.attributes == ("brand", "fat", "organic")
    assert products.frame["fat"].dtype == "float64"


@settings(max_examples=50, deadline=None)
@given(st.permutations(["product_id", "price", "unit_cost", "width_cm", "status"]))
def test_the_order_of_columns_does_not_matter(order: list[str]) -> None:
    """Declared columns come out in the same order whatever order they came in."""
    frame = pd.DataFrame({"product_id": ["a"], "price": [2], "unit_cost": [1], "width_cm": [3], "status": ["must"]})
    pd.testing.assert_frame_equal(Products.from_frame(frame[order]).frame, Products.from_frame(frame).frame)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["good", "price", "width_cm", "status", "product_id"]), min_size=1, max_size=60))
def test_planted_faults_are_found_exactly(kinds: list[str]) -> None:
    """Every planted fault is found in its row and column, and nothing else; beyond twenty they are summed up."""
    frame = pd.DataFrame(
        {
            "product_id": [None if kind == "product_id" else f"p{at}" for at, kind in enumerate(kinds)],
            "price": [-1.0 if kind == "price" else 2.0 for kind in kinds],
            "unit_cost": 1.0,
            "width_cm": ["wide" if kind == "width_cm" else "3" for kind in kinds],
            "status": ["maybe" if kind == "status" else "may" for kind in kinds],
        }
    )
    try:
        faults: tuple[Fault, ...] = ()
        Products.from_frame(frame)
    except InputError as error:
        faults = error.faults
    planted: dict[str, list[int]] = {}
    for row, kind in enumerate(kinds, start=1):
        planted.setdefault(kind, []).append(row)
    planted.pop("good", None)
    for column, rows in planted.items():
        assert [fault.row for fault in faults if fault.column == column and fault.row] == rows[:20]
        assert sum(fault.row is None and fault.column == column for fault in faults) == (len(rows) > 20)
    assert {fault.column for fault in faults} == set(planted)


def test_many_faults_of_a_column_are_summed_up(faults_of: Faults) -> None:
    """Of a thousand bad prices twenty are named, and the twenty-first fault counts the others."""
    count = 1000
    frame = pd.DataFrame({"product_id": range(count), "price": -1, "unit_cost": 1, "width_cm": 1})
    faults = faults_of(Products.from_frame, frame)
    assert len(faults) == 21
    assert faults[-1].found == "980 more such rows, the last in row 1000"


def test_a_missing_column_names_the_nearest(milk: pd.DataFrame, faults_of: Faults) -> None:
    """A required column that is absent is told with the nearest name that is there."""
    (fault,) = faults_of(Products.from_frame, milk.rename(columns={"width_cm": "Width_CM"}))
    assert (fault.row, fault.column) == (None, "width_cm")
    assert "'Width_CM'" in fault.found


def test_a_misspelled_optional_column_is_warned_about(milk: pd.DataFrame) -> None:
    """A further column that is nearly an optional one is kept, with a warning."""
    with pytest.warns(AssortmentWarning, match="'facing'.*'facings'"):
        products = Products.from_frame(milk.assign(facing=2))
    assert "facing" in products.attributes


def test_a_column_twice_is_a_fault(milk: pd.DataFrame, faults_of: Faults) -> None:
    """Two columns of one name are refused."""
    (fault,) = faults_of(Products.from_frame, pd.concat([milk, milk[["price"]]], axis=1))
    assert (fault.column, fault.found) == ("price", "the column more than once")


def test_no_rows_is_a_fault(milk: pd.DataFrame, faults_of: Faults) -> None:
    """There is no chain without products."""
    (fault,) = faults_of(Products.from_frame, milk.iloc[:0])
    assert fault.found == "no rows"


def test_products_of_a_category(milk: pd.DataFrame, faults_of: Faults) -> None:
    """A category's products keep their order; an unknown category names the nearest."""
    products = Products.from_frame(milk.assign(category=["milk", "cheese", "milk"]))
    assert products.categories == ("milk", "cheese")
    assert products.of("milk").ids == ("7", "9")
    (fault,) = faults_of(products.of, "mlk")
    assert "'milk'" in fault.expected


@pytest.mark.parametrize("dtype", ["object", "category", "float64[pyarrow]", "Float64"])
def test_numbers_may_be_of_any_type(milk: pd.DataFrame, dtype: str) -> None:
    """Prices come as objects, categories, nullable or Arrow numbers and leave as float64."""
    frame = Products.from_frame(milk.assign(price=milk["price"].astype(dtype))).frame
    assert frame["price"].dtype == "float64"
    assert frame["price"].tolist() == [2.5, 2.4, 3.1]


def test_products_sold_below_cost_are_warned_of(milk: pd.DataFrame) -> None:
    """Loss leaders exist, so they are no fault; they are named once, and not again for each category."""
    dear = milk.assign(unit_cost=[1.5, 2.5, 3.1], category="milk")
    with pytest.warns(
        AssortmentWarning, match=r"1 product costs more than the price.*: 8 \(2\.5 > 2\.4\); check"
    ) as told:
        Products.from_frame(dear).of("milk")
    assert len(told) == 1
