"""Tables that trade areas take: travel times, flows, ancillary counts, and what households spend."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from corner_world import Corner, blocks

from assortment.errors import AssortmentWarning, Fault
from assortment.inputs import read_chain
from assortment.inputs.spend import with_spend

Faults = Callable[..., tuple[Fault, ...]]

TRAVEL_TIMES = "store_id,neighbourhood_id,minutes\n01,001,4\n02,002,6.5\n02,003,0\n03,004,2\n"
FLOWS = "store_id,neighbourhood_id,trips\n01,001,40\n02,002,0\n"
ANCILLARY = "longitude,latitude,count\n-121.55,38.45,120\n-121.45,38.45,0\n"


@pytest.fixture
def served(corner: Corner) -> Corner:
    """The chain with the three tables."""
    corner.tables |= {"travel_times.csv": TRAVEL_TIMES, "flows.csv": FLOWS, "ancillary.csv": ANCILLARY}
    named = "".join(f'{name} = "{name}.csv"\n' for name in ("travel_times", "flows", "ancillary"))
    corner.toml = corner.toml.replace("[tables]\n", f"[tables]\n{named}")
    return corner


def test_the_tables_are_read_in_canonical_form(served: Corner) -> None:
    """Ids keep their zeros, numbers are numbers, and the tables stand among those of the chain."""
    chain = read_chain(served.write())
    assert chain.travel_times is not None and chain.flows is not None and chain.ancillary is not None
    assert chain.travel_times["neighbourhood_id"].tolist() == ["001", "002", "003", "004"]
    assert chain.travel_times["minutes"].tolist() == [4.0, 6.5, 0.0, 2.0]
    assert chain.flows["trips"].tolist() == [40.0, 0.0]
    assert chain.ancillary["count"].tolist() == [120, 0]
    assert {"travel_times", "flows", "ancillary"} <= set(chain.tables) & set(chain.files)
    assert chain.of("milk").travel_times is not None


def test_a_chain_without_them_has_none(corner: Corner) -> None:
    """The tables are optional."""
    chain = read_chain(corner.write())
    assert chain.travel_times is None and chain.flows is None and chain.ancillary is None


@pytest.mark.parametrize(
    "planted",
    [
        ("travel_times.csv", "01,001,4", "9,001,4", 2, "store_id", "'9'"),
        ("travel_times.csv", "01,001,4", "01,1,4", 2, "neighbourhood_id", "'1' (near to '001')"),
        ("travel_times.csv", "01,001,4", "01,001,-4", 2, "minutes", "'-4'"),
        ("travel_times.csv", "01,001,4", "01,001,", 2, "minutes", "nothing"),
        ("travel_times.csv", "02,003", "02,002", 4, "store_id, neighbourhood_id", "02, 002 again, after row 3"),
        ("travel_times.csv", "minutes", "time", 1, "minutes", "no such column"),
        ("flows.csv", "02,002", "02,005", 3, "neighbourhood_id", "'005'"),
        ("flows.csv", ",40", ",many", 2, "trips", "'many'"),
        ("ancillary.csv", "38.45,120", "98.45,120", 2, "latitude", "'98.45'"),
        ("ancillary.csv", "38.45,120", "38.45,-1", 2, "count", "'-1'"),
        ("ancillary.csv", "38.45,120", "38.45,", 2, "count", "nothing"),
    ],
)
def test_each_fault_has_its_place(
    served: Corner, faults_of: Faults, planted: tuple[str, str, str, int, str, str]
) -> None:
    """Ids are those of the chain, pairs stand once, numbers are at least 0, and nothing is taken for a blank."""
    file, old, new, row, column, found = planted
    served.plant(file, old, new)
    (fault,) = faults_of(read_chain, served.write())
    assert (fault.file, fault.row, fault.column, fault.found) == (file, row, column, found)


def test_numbers_as_ids_of_the_polygons_are_compared_as_text(served: Corner, faults_of: Faults) -> None:
    """Where another table has a fault, ids that a geometry file keeps as numbers still are those of the table."""
    served.tables["neighbourhoods.geojson"] = blocks().assign(neighbourhood_id=[1, 2, 3, 4]).to_json()
    served.tables["travel_times.csv"] = TRAVEL_TIMES.replace(",00", ",").replace("03,4", "03,7")
    served.tables["flows.csv"] = FLOWS.replace(",00", ",")
    served.plant("sales.csv", "0002,7", "0002,seven")
    faults = faults_of(read_chain, served.write())
    assert [(fault.file, fault.row, fault.found) for fault in faults] == [
        ("travel_times.csv", 5, "'7'"),
        ("sales.csv", 3, "'seven'"),
    ]


HOUSEHOLDS = pd.DataFrame({"household_id": ["a", "b", "c"]})
BASKETS = pd.DataFrame({"household_id": ["a", "b", "a"], "units": [2.0, 1.0, 3.0], "price": [1.5, 4.0, 2.0]})


def test_spend_is_the_sum_of_units_times_price() -> None:
    """Households without baskets spend 0; a column that is there stays; the frame of the caller is not written to."""
    assert with_spend(HOUSEHOLDS, BASKETS)["spend"].tolist() == [9.0, 4.0, 0.0]
    assert list(HOUSEHOLDS) == ["household_id"]
    stated = HOUSEHOLDS.assign(spend=[1.0, 2.0, 3.0])
    assert with_spend(stated, BASKETS) is stated


def test_baskets_without_price_are_counted() -> None:
    """A row without price adds nothing, which is said."""
    with pytest.warns(AssortmentWarning, match="1 of 3 rows have no price"):
        spend = with_spend(HOUSEHOLDS, BASKETS.assign(price=[1.5, None, 2.0]))["spend"]
    assert spend.tolist() == [9.0, 0.0, 0.0]


@pytest.mark.parametrize("baskets", [None, BASKETS.drop(columns="price"), BASKETS.assign(price=float("nan"))])
def test_without_any_price_there_is_no_spend(baskets: pd.DataFrame | None, faults_of: Faults) -> None:
    """No baskets, or none with prices: the fault says what to add."""
    (fault,) = faults_of(with_spend, HOUSEHOLDS, baskets)
    assert fault.column == "spend" and "units and price" in fault.expected
