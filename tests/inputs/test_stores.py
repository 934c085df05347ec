"""Stores from frames of many kinds."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from assortment.errors import Fault
from assortment.inputs import Stores

Faults = Callable[..., tuple[Fault, ...]]


@pytest.fixture
def frame() -> pd.DataFrame:
    """Two stores as a planner has them: odd index, odd order, further columns."""
    return pd.DataFrame(
        {"latitude": [38.5, 38.4], "turnover": [1.0, 2.0], "store_id": [2, 1], "longitude": ["-121.5", "-121.4"]},
        index=["x", "x"],
    )


def test_stores_come_from_degrees(frame: pd.DataFrame) -> None:
    """Longitude and latitude give points in EPSG:4326; ids are text in the order given; the name is the id."""
    stores = Stores.from_frame(frame)
    assert stores.ids == ("2", "1")
    assert stores.frame.crs == "EPSG:4326"
    assert stores.frame.geometry.x.tolist() == [-121.5, -121.4]
    assert stores.frame["name"].tolist() == ["2", "1"]
    assert stores.frame["turnover"].tolist() == [1.0, 2.0]
    assert stores.frame.index.tolist() == [0, 1]


def test_the_callers_frame_is_not_written_to(frame: pd.DataFrame) -> None:
    """Neither making stores nor changing theirs touches the frame that was given."""
    before = frame.copy(deep=True)
    stores = Stores.from_frame(frame)
    stores.frame.loc[0, "turnover"] = 99.0
    pd.testing.assert_frame_equal(frame, before)


def test_stores_come_from_easting_and_northing(frame: pd.DataFrame) -> None:
    """x and y are taken in the CRS that is stated."""
    frame = frame.drop(columns=["longitude", "latitude"]).assign(x=[630_000, 640_000], y=[4_270_000, 4_260_000])
    assert Stores.from_frame(frame, crs="EPSG:26910").frame.crs == "EPSG:26910"


def test_stores_come_from_points(frame: pd.DataFrame) -> None:
    """A GeoDataFrame keeps its points and CRS, whatever its geometry column is called."""
    points = gpd.GeoDataFrame(
        {"store_id": ["a", "b"]}, geometry=gpd.points_from_xy([1e5, 2e5], [3e5, 4e5]), crs="EPSG:26910"
    ).rename_geometry("where")
    stores = Stores.from_frame(points)
    assert stores.frame.crs == "EPSG:26910"
    assert stores.frame.geometry.x.tolist() == [1e5, 2e5]
    assert list(stores.frame.columns) == ["store_id", "name", "geometry"]


def test_a_frame_may_be_indexed_by_the_id(frame: pd.DataFrame) -> None:
    """An index that bears the name of a column serves as that column."""
    assert Stores.from_frame(frame.set_index("store_id")).ids == ("2", "1")


def test_what_was_made_can_be_made_again(frame: pd.DataFrame) -> None:
    """The frame of stores is itself a frame for stores, and gives the same."""
    stores = Stores.from_frame(frame)
    pd.testing.assert_frame_equal(Stores.from_frame(stores.frame).frame, stores.frame)


def test_all_faults_are_told_together(frame: pd.DataFrame, faults_of: Faults) -> None:
    """A bad id, a bad place and a bad size are told in one go; the first row of a frame is row 1."""
    frame = frame.assign(store_id=["a", "a"], longitude=[-190, 0], size_m2=[10, -5])
    faults = faults_of(Stores.from_frame, frame)
    assert {(fault.file, fault.row, fault.column) for fault in faults} == {
        ("stores frame", 1, "longitude"),
        ("stores frame", 2, "store_id"),
        ("stores frame", 2, "size_m2"),
    }


def test_a_missing_place_is_a_fault(frame: pd.DataFrame, faults_of: Faults) -> None:
    """A frame without place, or with places in part, is refused."""
    (none,) = faults_of(Stores.from_frame, frame.drop(columns="longitude").rename(columns={"latitude": "lat"}))
    assert "no place" in none.found
    (part,) = faults_of(Stores.from_frame, frame.assign(latitude=[38.5, None]))
    assert (part.row, part.column, part.found) == (2, "latitude", "nothing")


def test_a_crs_must_be_stated_and_true(frame: pd.DataFrame, faults_of: Faults) -> None:
    """x and y without CRS, with an unknown CRS, or with one that the coordinates contradict are refused."""
    plane = frame.drop(columns=["longitude", "latitude"]).assign(x=[630_000, 640_000], y=[4_270_000, 4_260_000])
    assert "no CRS" in faults_of(Stores.from_frame, plane)[0].found
    assert "'EPSG:0'" in faults_of(Stores.from_frame, plane, crs="EPSG:0")[0].found
    assert "degrees" in faults_of(Stores.from_frame, plane, crs="EPSG:4326")[0].found
    degrees = plane.assign(x=[-121.5, -121.4], y=[38.5, 38.4])
    assert "metres" in faults_of(Stores.from_frame, degrees, crs="EPSG:26910")[0].found


def test_longitude_and_latitude_look_swapped(frame: pd.DataFrame, faults_of: Faults) -> None:
    """Latitudes beyond the poles beside longitudes that would do as latitudes are one fault; other faults stay."""
    swapped = frame.rename(columns={"longitude": "latitude", "latitude": "longitude"})
    (fault,) = faults_of(Stores.from_frame, swapped)
    assert (fault.row, fault.column) == (None, "longitude, latitude")
    assert "latitudes from -121.5 to -121.4 beside longitudes from 38.4 to 38.5" in fault.found
    assert "look swapped" in fault.expected
    assert len(faults_of(Stores.from_frame, swapped.assign(store_id="a", longitude=[38.5, None]))) == 3


def test_points_with_swapped_axes_are_said_to_look_swapped(faults_of: Faults) -> None:
    """Geometry in degrees whose axes are exchanged is told so, not advised to find another CRS."""
    points = gpd.GeoDataFrame({"store_id": ["a"]}, geometry=gpd.points_from_xy([38.5], [-121.5]), crs="EPSG:4326")
    (fault,) = faults_of(Stores.from_frame, points)
    assert "look swapped" in fault.expected


def test_one_wrong_latitude_is_not_taken_for_a_swap(frame: pd.DataFrame, faults_of: Faults) -> None:
    """A lost decimal point is a fault of its cell."""
    (fault,) = faults_of(Stores.from_frame, frame.assign(latitude=[385, 38.4]))
    assert (fault.row, fault.column) == (1, "latitude")


def test_points_must_be_points(squares: gpd.GeoDataFrame, faults_of: Faults) -> None:
    """Polygons and empty points are no places of stores."""
    polygons = squares.rename(columns={"neighbourhood_id": "store_id"})
    assert {fault.found for fault in faults_of(Stores.from_frame, polygons)} == {"a Polygon"}
    empty = polygons.set_geometry(gpd.points_from_xy([np.nan, 1, 2, 3], [np.nan, 1, 2, 3]), crs="EPSG:4326")
    assert [fault.row for fault in faults_of(Stores.from_frame, empty)] == [1]


@pytest.mark.parametrize("given", [None, [1, 2], {"store_id": ["a"]}])
def test_what_is_no_frame_is_refused(given: object, faults_of: Faults) -> None:
    """Something else than a DataFrame gives a clear fault."""
    assert "DataFrame" in faults_of(Stores.from_frame, given)[-1].expected
