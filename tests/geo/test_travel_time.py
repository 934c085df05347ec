"""Trade areas by travel time: what the table says, no more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from geo_worlds import dense, grid, stores_at
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo import store_profiles, trade_areas
from assortment.inputs import Neighbourhoods, Stores

WORLD = grid(4, 1)
STORES = stores_at([(500, 500), (3500, 500)], format=["small", "large"], reach=[6, 12])
TIMES = pd.DataFrame(
    {
        "store_id": ["s0", "s0", "s0", "s1", "s1", "s1"],
        "neighbourhood_id": ["n0", "n1", "n2", "n1", "n2", "n3"],
        "minutes": [0.0, 5.0, 10.0, 12.0, 10.0, 3.0],
    }
)


def areas_of(minutes: pd.DataFrame = TIMES, **parameters: object) -> object:
    return trade_areas(STORES, WORLD, method="travel_time", minutes=minutes, **parameters)


def test_whole_neighbourhoods_within_the_time_belong_to_each_store() -> None:
    """The limit itself is within reach, a pair without a row is not, and two stores may serve the same people."""
    areas = areas_of(within=10)
    assert dense(areas).tolist() == [[1, 1, 1, 0], [0, 0, 1, 1]]
    assert areas.kind == "overlaps" and areas.parameters["within"] == 10
    assert store_profiles(areas, WORLD).table["people"].tolist() == [300.0, 200.0]


@pytest.mark.parametrize(
    "within",
    [[6, 12], {"s0": 6, "s1": 12}, "reach", {"small": 6, "large": 12}],
    ids=["list", "mapping", "column", "format"],
)
def test_the_time_may_differ_between_stores(within: object) -> None:
    """Six minutes for one store and twelve for the other, however they are said."""
    assert dense(areas_of(within=within)).tolist() == [[1, 1, 0, 0], [0, 1, 1, 1]]


def test_with_nearest_only_each_neighbourhood_goes_to_the_store_that_it_reaches_soonest() -> None:
    """n1 is sooner at s0; n2 takes ten minutes to both, which share it; nobody counts twice."""
    areas = areas_of(within=12, nearest_only=True)
    assert dense(areas).tolist() == [[1, 1, 0.5, 0], [0, 0, 0.5, 1]]
    assert areas.kind == "divides"
    assert areas_of(within={"s0": 5, "s1": 12}, nearest_only=True).of_store("s1").tolist() == [0, 0, 1, 1]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), nearest_only=st.booleans())
def test_shares_agree_with_a_loop_whatever_the_order_of_the_rows(seed: int, nearest_only: bool) -> None:
    """Shuffled rows, stores and neighbourhoods give what the definition says, pair by pair."""
    rng = np.random.default_rng(seed)
    minutes = rng.integers(0, 12, (3, 6)).astype(float)
    minutes[np.arange(3), [0, 2, 4]] = 0.0  # each store reaches its own neighbourhood
    there = (rng.random((3, 6)) < 0.7) | (minutes == 0.0)
    s, n = np.nonzero(there)
    rows = pd.DataFrame(
        {"store_id": [f"s{i}" for i in s], "neighbourhood_id": [f"n{i}" for i in n], "minutes": minutes[s, n]}
    )
    times = np.where(there & (minutes <= 6), minutes, np.inf)
    expected = np.isfinite(times).astype(float)
    if nearest_only:
        expected *= times == times.min(axis=0)
        expected /= np.maximum(expected.sum(axis=0), 1)
    p, q = rng.permutation(3), rng.permutation(6)
    stores, world = stores_at([(500, 500), (2500, 500), (4500, 500)]), grid(6, 1)
    areas = trade_areas(
        Stores.from_frame(stores.frame.iloc[p]),
        Neighbourhoods.from_frame(world.frame.iloc[q], world.counts, world.rates),
        method="travel_time",
        minutes=rows.sample(frac=1, random_state=seed),
        within=6,
        nearest_only=nearest_only,
    )
    assert dense(areas) == pytest.approx(expected[p][:, q], abs=1e-15)


def test_ids_that_are_numbers_are_the_text_of_the_tables() -> None:
    """A frame with integer ids fits stores and neighbourhoods of the same numbers."""
    stores = Stores.from_frame(STORES.frame.assign(store_id=[7, 8]))
    world = Neighbourhoods.from_frame(WORLD.frame.assign(neighbourhood_id=[1, 2, 3, 4]), ["people"])
    times = pd.DataFrame({"store_id": [7, 8], "neighbourhood_id": [1, 4], "minutes": [1, 1]})
    areas = trade_areas(stores, world, method="travel_time", minutes=times, within=5)
    assert dense(areas).tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]


def test_all_faults_of_the_table_are_told_together() -> None:
    """Unknown ids, a pair twice, minutes missing and below zero, and a store without a row, in one message."""
    times = pd.DataFrame(
        {
            "store_id": ["s0", "s0", "s0", "s9", "s0"],
            "neighbourhood_id": ["n0", "n1", "n1", "n2", "n77"],
            "minutes": [None, -3.0, 4.0, 1.0, 2.0],
        }
    )
    with pytest.raises(GeographyError) as caught:
        areas_of(times, within=5)
    message = str(caught.value)
    for words in ("row 1, column 'minutes': found nothing", "row 2, column 'minutes': found -3.0", "s0, n1 again"):
        assert words in message
    assert "stores that do not exist: s9" in message and "neighbourhoods that do not exist: n77" in message
    assert "no row for store s1" in message


def test_a_table_without_its_columns_is_named() -> None:
    """A misspelled column is named with the one that is there; what is no frame is refused."""
    with pytest.raises(GeographyError, match="no such column; the nearest is 'minute'"):
        areas_of(TIMES.rename(columns={"minutes": "minute"}), within=5)
    with pytest.raises(GeographyError, match=r"found a dict; expected a pandas DataFrame"):
        areas_of({"s0": 1}, within=5)  # type: ignore[arg-type]


def test_a_store_that_nobody_reaches_in_time_is_named_with_its_shortest_time() -> None:
    """s1 is three minutes away at best, which is said; s0 reaches its own neighbourhood and is not named."""
    with pytest.raises(
        GeographyError, match=r"no neighbourhood reaches store s1 \(2 minutes; the shortest time is 3\)"
    ):
        areas_of(within=2)


def test_a_store_whose_own_neighbourhood_is_not_in_the_table_is_warned_of() -> None:
    """A hole in the table where it matters most is said; a full table says nothing."""
    with pytest.warns(AssortmentWarning, match=r"no row from the own neighbourhood of store s0 \(in n0\)"):
        areas_of(TIMES[1:], within=10)


@pytest.mark.filterwarnings("ignore:the travel times have no row")
def test_a_store_that_is_nowhere_the_soonest_is_warned_of() -> None:
    """With nearest_only a store may be left with nobody, and that is said."""
    times = pd.concat(
        [TIMES[TIMES["store_id"] == "s0"].assign(store_id=store, minutes=m) for store, m in (("s0", 1.0), ("s1", 2.0))]
    )
    with pytest.warns(AssortmentWarning, match="store s1 is sooner at another store"):
        assert dense(areas_of(times, within=10, nearest_only=True)).sum(axis=1).tolist() == [3.0, 0.0]


@pytest.mark.parametrize(
    ("within", "found"),
    [
        (0, "within: expected a number above 0; found 0"),
        ({"s0": 5, "s1": -1}, r"s1 \(-1\)"),
        ("reeach", "did you mean 'reach'"),
    ],
)
def test_a_limit_that_cannot_be_used_is_named(within: object, found: str) -> None:
    """Minutes must be above zero for every store."""
    with pytest.raises(GeographyError, match=found):
        areas_of(within=within)
