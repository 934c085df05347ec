"""Sales from frames of many kinds."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from assortment.errors import Fault
from assortment.inputs import Sales

Faults = Callable[..., tuple[Fault, ...]]


@pytest.fixture
def frame() -> pd.DataFrame:
    """Three rows with whole-number weeks and ids, in odd order."""
    return pd.DataFrame(
        {"units": [3, 4, 5], "product_id": [7, 7, 8], "week": [1, 2, 1], "flyer": [True, None, False], "store_id": 1}
    )


def test_sales_from_a_foreign_frame(frame: pd.DataFrame) -> None:
    """Weeks stay whole numbers, ids become text, units and promotions numbers; blank means no promotion."""
    before = frame.copy(deep=True)
    sales = Sales.from_frame(frame, ["flyer"])
    assert {name: str(dtype) for name, dtype in sales.frame.dtypes.items()} == {
        "week": "int64",
        "store_id": "str",
        "product_id": "str",
        "units": "float64",
        "flyer": "float64",
    }
    assert sales.frame["flyer"].tolist() == [1.0, 0.0, 0.0]
    assert sales.promotion == ("flyer",)
    pd.testing.assert_frame_equal(frame, before)


def test_a_promotion_that_is_absent_names_the_nearest(frame: pd.DataFrame, faults_of: Faults) -> None:
    """A promotion column that is not there is a fault, also when it is given as plain text."""
    (fault,) = faults_of(Sales.from_frame, frame, "flier")
    assert fault.column == "flier"
    assert "'flyer'" in fault.expected


def test_a_key_may_not_repeat(frame: pd.DataFrame, faults_of: Faults) -> None:
    """Two rows of one week, store and product are a fault of the second that names the first."""
    (fault,) = faults_of(Sales.from_frame, frame.assign(week=1, product_id=[7, 8, "7"]))
    assert (fault.row, fault.column) == (3, "week, store_id, product_id")
    assert fault.found == "1, 1, 7 again, after row 1"


def test_negative_units_and_missing_weeks_are_faults(frame: pd.DataFrame, faults_of: Faults) -> None:
    """Returns have no place in demand, and a week must be known."""
    faults = faults_of(Sales.from_frame, frame.assign(units=[3, -1, 5], week=[1, 2, None]))
    assert {(fault.row, fault.column) for fault in faults} == {(2, "units"), (3, "week")}
