"""Neighbourhoods: geometry that can be trusted, counts and rates told apart."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from assortment.errors import AssortmentWarning, Fault
from assortment.inputs import Neighbourhoods

Faults = Callable[..., tuple[Fault, ...]]
RATES = {"median_income": "people"}


def test_counts_and_rates_are_kept_apart(squares: gpd.GeoDataFrame) -> None:
    """Counts and rates are those declared, unknown cells stay unknown, the CRS stays."""
    made = Neighbourhoods.from_frame(squares, counts=["people"], rates=RATES)
    assert made.counts == ("people",)
    assert made.rates == RATES
    assert made.frame["people"].isna().tolist() == [False, False, False, True]
    assert made.frame.crs == "EPSG:4326"
    assert made.ids == ("001", "002", "003", "004")


def test_the_callers_frame_is_not_written_to(squares: gpd.GeoDataFrame) -> None:
    """Making neighbourhoods from a foreign frame leaves it as it was."""
    squares = squares.assign(neighbourhood_id=[1, 2, 3, 4], tract="x").set_index(pd.Index([9, 9, 8, 8]))
    squares.loc[[8], "people"] = 5
    before = squares.copy(deep=True)
    made = Neighbourhoods.from_frame(squares.rename_geometry("shape"), counts=["people"])
    assert made.ids == ("1", "2", "3", "4")
    assert made.frame.index.tolist() == [0, 1, 2, 3]
    assert made.frame["tract"].tolist() == ["x"] * 4
    pd.testing.assert_frame_equal(squares, before)


def test_invalid_polygons_are_repaired_and_listed(squares: gpd.GeoDataFrame) -> None:
    """A bow-tie becomes two triangles, with a warning that names it; its area is that of both."""
    bow_tie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    squares.loc[1, "geometry"] = bow_tie
    with pytest.warns(AssortmentWarning, match="1 invalid polygons were repaired: 002"):
        made = Neighbourhoods.from_frame(squares)
    assert made.frame.geometry.is_valid.all()
    assert made.frame.geometry.iloc[1].area == pytest.approx(0.5)
    assert squares.loc[1, "geometry"] is bow_tie


def test_heights_are_dropped_and_multipolygons_stay(squares: gpd.GeoDataFrame) -> None:
    """Geometry is plane; a neighbourhood may have several parts."""
    squares.loc[0, "geometry"] = MultiPolygon([box(0, 0, 1, 1), box(2, 0, 3, 1)])
    squares.loc[1, "geometry"] = Polygon([(5, 0, 9), (6, 0, 9), (6, 1, 9)])
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssortmentWarning)
        made = Neighbourhoods.from_frame(squares)
    assert not made.frame.geometry.has_z.any()
    assert made.frame.geometry.geom_type.iloc[0] == "MultiPolygon"


@pytest.mark.parametrize(
    ("geometry", "found"),
    [
        (None, "an empty geometry"),
        (Polygon(), "an empty geometry"),
        (Point(0, 0), "a Point"),
        (LineString([(0, 0), (1, 1)]), "a LineString"),
        (Polygon([(0, 0), (1, 1), (2, 2)]), "a polygon without area"),
    ],
)
def test_geometry_without_area_is_a_fault(
    squares: gpd.GeoDataFrame, geometry: object, found: str, faults_of: Faults
) -> None:
    """What covers no ground is refused with its row."""
    squares = squares.set_geometry([squares.geometry[0], squares.geometry[1], geometry, squares.geometry[3]], crs=4326)
    (fault,) = faults_of(Neighbourhoods.from_frame, squares)
    assert (fault.row, fault.column, fault.found) == (3, "geometry", found)


def test_a_crs_must_be_stated(squares: gpd.GeoDataFrame, faults_of: Faults) -> None:
    """Without CRS there is a fault that says how to state it."""
    (fault,) = faults_of(Neighbourhoods.from_frame, squares.set_crs(None, allow_override=True))
    assert fault.found == "no CRS"
    assert "set_crs" in fault.expected


def test_a_crs_that_lies_is_found(squares: gpd.GeoDataFrame, faults_of: Faults) -> None:
    """Degrees in a projected CRS and metres in a geographic one are told with the coordinates."""
    (degrees,) = faults_of(Neighbourhoods.from_frame, squares.set_crs(26910, allow_override=True))
    assert "x -121.6 to -121.2" in degrees.found
    assert "EPSG:26910" in degrees.found
    metres = squares.to_crs(26910).set_crs(4269, allow_override=True)
    (fault,) = faults_of(Neighbourhoods.from_frame, metres)
    assert "EPSG:4269" in fault.found


def test_longitudes_from_0_to_360_are_told(squares: gpd.GeoDataFrame, faults_of: Faults) -> None:
    """Fiji at 178° to 182° is no other CRS: the advice is to take 360 off."""
    around = squares.set_geometry([box(178 + x, -18, 179 + x, -17) for x in range(4)], crs=4326)
    (fault,) = faults_of(Neighbourhoods.from_frame, around)
    assert "x 178 to 182" in fault.found
    assert "take 360 off those above 180" in fault.expected


def test_a_small_plane_at_the_origin_is_believed(squares: gpd.GeoDataFrame) -> None:
    """A made-up plane of a hundred metres from the origin is no lie."""
    squares = squares.set_geometry([box(x, 0, x + 25, 100) for x in (0, 25, 50, 75)], crs=26910)
    assert Neighbourhoods.from_frame(squares).frame.total_bounds.tolist() == [0, 0, 100, 100]


@pytest.mark.parametrize("west", [-17, 0])
def test_degrees_around_the_origin_are_no_plane(squares: gpd.GeoDataFrame, faults_of: Faults, west: int) -> None:
    """Africa in degrees spans the equator and Greenwich and is still found to lie; only a corner at 0, 0 is a plane."""
    squares = squares.set_geometry([box(west + x, -35, west + x + 10, 37) for x in (0, 10, 20, 30)], crs=32633)
    (fault,) = faults_of(Neighbourhoods.from_frame, squares)
    assert "look like degrees" in fault.expected


def test_coordinates_far_from_where_their_crs_is_made_for_are_doubted(squares: gpd.GeoDataFrame) -> None:
    """Feet of California called metres of UTM zone 10 lie in the wrong part of the world; UTM itself does not."""
    with pytest.warns(AssortmentWarning, match=r"far outside the area it is made for .*check the CRS and its unit"):
        Neighbourhoods.from_frame(squares.to_crs(2226).set_crs(32610, allow_override=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssortmentWarning)
        for crs in (32610, 32611, 3857, 2226):
            Neighbourhoods.from_frame(squares.to_crs(crs))


def test_a_crs_made_for_both_sides_of_the_antimeridian_is_not_doubted(squares: gpd.GeoDataFrame) -> None:
    """Fiji's own grid is made for 176° east to 178° west: a place at 179.9° west lies inside."""
    places = squares.set_geometry([box(-179.9 + x, -18, -179.89 + x, -17.99) for x in (0, 0.01, 0.02, 0.03)], crs=4326)
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssortmentWarning)
        Neighbourhoods.from_frame(places.to_crs(3460))


def test_units_and_the_source_line_go_with_the_columns(squares: gpd.GeoDataFrame, faults_of: Faults) -> None:
    """Units are of declared columns; another name is a fault that gives the nearest."""
    units = {"median_income": "1999 dollars"}
    made = Neighbourhoods.from_frame(squares, ["people"], RATES, units=units, attribution="Census 2000")
    assert made.units == units and made.attribution == "Census 2000"
    (fault,) = faults_of(Neighbourhoods.from_frame, squares, ["people"], RATES, units={"median_incme": "dollars"})
    assert fault.column == "median_incme" and "'median_income'" in fault.expected


def test_declarations_must_fit_the_frame(squares: gpd.GeoDataFrame, faults_of: Faults) -> None:
    """Declared columns that are absent name the nearest; a rate's base must be a count; none is both."""
    faults = faults_of(
        Neighbourhoods.from_frame, squares, counts=["peple", "median_income"], rates={"median_income": "people"}
    )
    told = {(fault.column, fault.found): fault.expected for fault in faults}
    assert "'people'" in told["peple", "no such column, though it is declared"]
    assert "'peple'" in told["median_income", "'people' as its base"]
    assert ("median_income", "a count that is a rate too") in told


def test_negative_counts_duplicates_and_text_are_faults(squares: gpd.GeoDataFrame, faults_of: Faults) -> None:
    """Negative counts, ids that repeat and words for numbers are told together, each with its row."""
    squares = squares.assign(
        neighbourhood_id=["001", "001", "003", None],
        people=[100, -1, 5, 5],
        median_income=pd.Series([1, "rich", 3, None], dtype=object),
    )
    faults = faults_of(Neighbourhoods.from_frame, squares, counts=["people"], rates=RATES)
    assert {(fault.row, fault.column) for fault in faults} == {
        (2, "neighbourhood_id"),
        (4, "neighbourhood_id"),
        (2, "people"),
        (2, "median_income"),
    }


def test_a_frame_without_geometry_is_refused(squares: gpd.GeoDataFrame, faults_of: Faults) -> None:
    """A plain DataFrame has no neighbourhoods."""
    assert faults_of(Neighbourhoods.from_frame, pd.DataFrame(squares[["people"]]))[0].column == "geometry"
