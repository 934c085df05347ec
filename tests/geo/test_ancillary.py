"""Splitting neighbourhoods by what is counted in them: points, and polygons such as census blocks."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geo_worlds import ORIGIN, PLANE, dense, grid, moved, neighbourhoods_of, squares, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo import rings, store_profiles, trade_areas
from assortment.geo.cover import overlay

PI = np.pi


def points(xy: Sequence[tuple[float, float]] | np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    """Points given in metres from the origin of the world."""
    placed = np.asarray(xy, dtype=float).reshape(-1, 2) + ORIGIN
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(*placed.T), crs=PLANE)


def blocks(*polygons: shapely.Geometry, **columns: object) -> gpd.GeoDataFrame:
    """Polygons given in metres from the origin of the world."""
    placed = shapely.transform(np.array(polygons, dtype=object), lambda xy: xy + np.array(ORIGIN))
    return gpd.GeoDataFrame(columns, geometry=placed, crs=PLANE)


def ring_shares(
    where: object, *, radius: float = 500.0, at: tuple[float, float] = (500, 500), columns: int = 1
) -> list:
    """Shares of one store's ring in a row of squares."""
    areas = trade_areas(stores_at([at]), grid(columns, 1), method="ring", radius_m=radius, ancillary=where)
    shares: list = dense(areas)[0].tolist()
    return shares


def test_a_ring_takes_the_part_of_the_count_inside_it() -> None:
    """Three of ten people live within 400 m: 0.3 of the square, whatever its area; the border of the ring is inside."""
    where = points([(500, 500), (900, 500), (901, 500), (20, 20)], count=[1, 2, 3, 4])
    assert ring_shares(where, radius=400) == pytest.approx([0.3], rel=1e-12)


def test_each_row_counts_one_without_a_count() -> None:
    """Dwellings need no column: two of four lie inside."""
    assert ring_shares(points([(500, 500), (600, 500), (20, 20), (30, 30)]), radius=400) == [0.5]


def test_profiles_take_the_people_by_the_count() -> None:
    """A square of 100 people of whom all live in one corner: the ring there has them all."""
    world = grid(1, 1)
    where = points([(50, 50), (60, 60)], count=[7, 3])
    areas = trade_areas(stores_at([(50, 50)]), world, method="ring", radius_m=20, ancillary=where)
    assert store_profiles(areas, world).table.loc["s0", "people"] == 100.0
    assert areas.parameters == {"radius_m": 20, "ancillary": 2}


def test_a_point_on_a_border_counts_in_one_neighbourhood_whatever_the_order() -> None:
    """The point between two squares belongs to n0, also when n1 comes first."""
    where = points([(1000, 500), (200, 500), (1800, 500)])
    world = grid(2, 1)
    turned = world.from_frame(world.frame.iloc[::-1], world.counts, world.rates)
    for order, each in (([0, 1], world), ([1, 0], turned)):
        areas = trade_areas(stores_at([(1000, 500)]), each, method="ring", radius_m=300, ancillary=where)
        assert dense(areas)[0, order].tolist() == [0.5, 0.0]


def test_blocks_are_split_by_area() -> None:
    """A block of 3 people is cut by the circle, another of 1 lies outside: 3/4 of the quarter circle's part."""
    where = blocks(shapely.box(500, 500, 1000, 1000), shapely.box(0, 0, 100, 100), count=[3, 1])
    assert ring_shares(where, radius=200) == pytest.approx([0.75 * PI * 200**2 / 4 / 500**2], rel=1e-12)


def test_a_block_is_in_the_neighbourhood_of_its_representative_point() -> None:
    """A block that reaches across a border counts, whole, on the side where it mostly lies."""
    where = blocks(shapely.box(600, 0, 1100, 100), shapely.box(1500, 0, 1600, 100))
    assert ring_shares(where, at=(850, 50), radius=260, columns=2) == [1.0, 0.0]
    assert ring_shares(where, at=(850, 50), radius=5000, columns=2) == [1.0, 1.0]


def test_blocks_that_tile_a_neighbourhood_evenly_are_its_area() -> None:
    """With counts in proportion to area, counting and measuring are the same, for rings and Thiessen cells."""
    tiles = squares(10, 10, side=200.0)
    where = gpd.GeoDataFrame({"count": np.full(100, 5.0)}, geometry=tiles, crs=PLANE)
    stores, world = stores_at([(300, 400), (1500, 1700)]), grid(2, 2)
    for method, radius in (("ring", {"radius_m": 800}), ("thiessen", {})):
        counted = trade_areas(stores, world, method=method, ancillary=where, **radius)
        assert dense(counted) == pytest.approx(dense(trade_areas(stores, world, method=method, **radius)), abs=1e-12)


def test_multipolygons_holes_and_bow_ties_are_blocks_too() -> None:
    """Parts far apart and rings with holes are split by their own area; crossing outlines are repaired and named."""
    two = shapely.MultiPolygon([shapely.box(450, 450, 550, 550), shapely.box(0, 0, 100, 100)])
    frame = shapely.box(400, 400, 600, 600).difference(shapely.box(450, 450, 550, 550))
    bow_tie = shapely.Polygon([(800, 800), (900, 900), (900, 800), (800, 900)])
    where = blocks(two, frame, bow_tie, count=[4, 1, 5])
    with pytest.warns(AssortmentWarning, match="cross themselves and were repaired in row 3"):
        assert ring_shares(where, radius=300) == pytest.approx([0.3], rel=1e-9)


def test_thiessen_gives_a_point_between_two_stores_half_to_each() -> None:
    """Shares sum to 1 although the point lies on the border of the cells; stores at one place share further."""
    where = points([(1000, 300), (400, 500), (1600, 500)], count=[2, 1, 1])
    stores = stores_at([(500, 500), (1500, 500), (1500, 500)])
    areas = trade_areas(stores, neighbourhoods_of(squares(1, 1, side=2000.0)), method="thiessen", ancillary=where)
    assert dense(areas)[:, 0] == pytest.approx([0.5, 0.25, 0.25], rel=1e-12)
    assert areas.kind == "divides"


def test_thiessen_reaches_as_far_as_the_blocks() -> None:
    """A block that stands out of the neighbourhoods is nobody's less for it."""
    where = blocks(shapely.box(0, 300, 1000, 600).union(shapely.box(0, 600, 90_000, 700)))
    single = trade_areas(stores_at([(500, 500)]), grid(1, 1), method="thiessen", ancillary=where)
    several = trade_areas(stores_at([(400, 500), (600, 500)]), grid(1, 1), method="thiessen", ancillary=where)
    assert dense(single) == pytest.approx(np.ones((1, 1)), rel=1e-12)
    assert dense(several).sum() == pytest.approx(1.0, rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), stores=st.integers(1, 8))
def test_points_are_conserved_and_found_as_by_a_loop(seed: int, stores: int) -> None:
    """Thiessen shares sum to 1; both methods give what a loop over stores and points counts."""
    places, world = town(stores, 3, seed=seed)
    rng = np.random.default_rng(seed)
    xy, count = rng.uniform(0.0, 3000.0, (200, 2)), rng.integers(1, 9, 200).astype(float)
    where = points(xy, count=count)
    away = np.linalg.norm((xy + ORIGIN)[None] - shapely.get_coordinates(places.frame.geometry)[:, None], axis=2)
    square = (xy[:, 0] // 1000 + 3 * (xy[:, 1] // 1000)).astype(int)
    home = (square[:, None] == np.arange(9)) * count[:, None]
    thiessen = dense(trade_areas(places, world, method="thiessen", ancillary=where))
    assert thiessen.sum(axis=0) == pytest.approx(np.ones(9), rel=1e-12)
    assert thiessen == pytest.approx(((away == away.min(axis=0)) @ home) / home.sum(axis=0), abs=1e-12)
    ring = dense(trade_areas(places, world, method="ring", radius_m=900, inner_m=300, ancillary=where))
    assert ring == pytest.approx((((away <= 900) & (away > 300)) @ home) / home.sum(axis=0), abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), angle=st.floats(0, 6.28), dx=st.floats(-3e4, 3e4), dy=st.floats(-3e4, 3e4))
def test_moving_and_turning_blocks_changes_nothing(seed: int, angle: float, dx: float, dy: float) -> None:
    """Neither where the world lies nor which way it faces matters, nor the order of the blocks."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(50.0, 1700.0, (30, 2)) + ORIGIN
    tiles = shapely.box(*corner.T, *(corner + rng.uniform(20.0, 250.0, (30, 2))).T)
    count, order = rng.integers(0, 50, 30), rng.permutation(30)
    shops = np.array([(400.0, 600.0), (1500.0, 900.0)])

    def shares(angle: float, dx: float, dy: float, order: np.ndarray) -> np.ndarray:
        def elsewhere(xy: np.ndarray) -> np.ndarray:
            return moved(xy, angle, dx, dy)

        where = gpd.GeoDataFrame(
            {"count": count[order]}, geometry=shapely.transform(tiles, elsewhere)[order], crs=PLANE
        )
        stores = stores_at(elsewhere(shops + ORIGIN), origin=(0.0, 0.0))
        world = neighbourhoods_of(shapely.transform(squares(1, 1, side=2000.0), elsewhere))
        return dense(trade_areas(stores, world, method="ring", radius_m=500, ancillary=where))

    assert shares(angle, dx, dy, order) == pytest.approx(shares(0.0, 0.0, 0.0, np.arange(30)), rel=1e-9)


def test_longitude_and_latitude_mean_the_same_as_geometry() -> None:
    """A plain frame of degrees, a frame of points in degrees and one in another projection give the same shares."""
    where = points([(500, 500), (700, 500), (20, 20), (30, 30)], count=[1, 2, 3, 4])
    degrees = where.to_crs("EPSG:4326")
    plain = pd.DataFrame({"longitude": degrees.geometry.x, "latitude": degrees.geometry.y, "count": where["count"]})
    for same in (plain, plain.astype(str), degrees, where.to_crs("EPSG:3857"), where.to_crs("EPSG:2225")):
        assert ring_shares(same, radius=400) == pytest.approx([0.3], rel=1e-12)


def test_neighbourhoods_without_a_count_are_split_by_area() -> None:
    """The square without points, and the one whose points count nothing, are listed and measured."""
    where = points([(500, 500), (20, 20), (1500, 500)], count=[1, 1, 0])
    with pytest.warns(AssortmentWarning, match="zero in 2 neighbourhoods, which are split by area instead: n1, n2"):
        shares = ring_shares(where, at=(1500, 500), radius=400, columns=3)
    assert shares == pytest.approx([0.0, PI * 0.4**2, 0.0], rel=1e-12)


@pytest.mark.parametrize("shape", ["points", "blocks"])
def test_what_lies_outside_is_left_out_and_said(shape: str) -> None:
    """Two of four rows lie in no neighbourhood: how many, and how much they count."""
    corners = [(500.0, 500.0), (20.0, 20.0), (-500.0, 500.0), (5000.0, 5000.0)]
    count = [3, 1, 10, 5.5]
    where = points(corners, count=count)
    if shape == "blocks":
        where = blocks(*(shapely.Point(xy).buffer(10.0) for xy in corners), count=count)
    with pytest.warns(AssortmentWarning, match=r"2 of 4 rows .* outside .* 15\.5 of 19\.5 counted: 2 rows: 3, 4"):
        assert ring_shares(where, radius=400) == pytest.approx([0.75], rel=1e-12)


def test_no_row_in_any_neighbourhood_is_an_error() -> None:
    """Counts all elsewhere, or all zero, cannot split anything."""
    for where in (points([(-500, 500)]), points([(500, 500)], count=[0])):
        with pytest.raises(GeographyError, match="no row of the ancillary table counts anything in a neighbourhood"):
            ring_shares(where)


def test_all_faults_of_counts_and_places_are_named_with_their_rows() -> None:
    """Missing, negative and wordy counts, missing places and lines are told together, by row."""
    where = points([(1, 1)] * 7, count=[1, None, -2, "many", 5, np.inf, 7])
    where.loc[4, "geometry"] = None
    where.loc[6, "geometry"] = shapely.LineString([(0, 0), (1, 1)])
    with pytest.raises(GeographyError) as caught:
        ring_shares(where)
    message = str(caught.value)
    for row, found in ((2, "nothing"), (3, "-2.*"), (4, "'many'"), (6, "inf")):
        assert re.search(f"row {row}, column 'count': found {found}; expected a number, at least 0", message)
    assert "no place on the earth in row 5" in message
    assert "neither a point nor a polygon in row 7" in message


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (pd.DataFrame({"longitude": [1.0], "count": [1]}), "column 'latitude': found no such column"),
        (pd.DataFrame({"longitude": [200.0, 999.0], "latitude": [95.0, 1.0]}), "row 2, column 'longitude': found 999"),
        (pd.DataFrame({"longitude": [np.nan], "latitude": [1.0]}), "row 1, column 'longitude': found nothing"),
        (pd.DataFrame({"longitude": [38.0], "latitude": [-121.0]}), "they look swapped"),
        ([(1.0, 1.0)], "found a list; expected a pandas DataFrame"),
        (points([(1, 1)]).set_crs(None, allow_override=True), "ancillary places have no coordinate reference system"),
        (blocks(shapely.Point(5, 5).buffer(1), shapely.Point(5, 5)), "polygons among points in row 1"),
        (blocks(shapely.Polygon([(0, 0), (1, 1), (2, 2)])), "polygons without area in row 1"),
        (blocks(shapely.Polygon()), "no place on the earth in row 1"),
        (points([(1, 1)]).iloc[:0], "the ancillary table: found no rows"),
    ],
    ids=["no latitude", "not degrees", "nan", "swapped", "no frame", "no crs", "mixed", "no area", "empty", "no rows"],
)
def test_places_that_cannot_be_used_are_named(where: pd.DataFrame, message: str) -> None:
    """Each says what is wrong and where."""
    with pytest.raises(GeographyError, match=message):
        ring_shares(where)


def test_several_rings_read_the_counts_once() -> None:
    """Each radius has its part of the count; a warning about the table comes once."""
    where = points([(500, 500), (800, 500), (20, 20), (-500, 0)], count=[1, 2, 1, 9])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        several = rings(stores_at([(500, 500)]), grid(1, 1), [350, 100], bands=True, ancillary=where)
    assert [dense(areas)[0, 0] for areas in several.values()] == [0.25, 0.5]
    assert sum("outside every neighbourhood" in str(each.message) for each in caught) == 1


def test_chunks_of_points_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few points at a time give what all at once give."""
    stores, world = town(5, 4, seed=2)
    rng = np.random.default_rng(2)
    where = points(rng.uniform(0.0, 4000.0, (300, 2)), count=rng.integers(1, 9, 300))
    asked = {"method": "ring", "radius_m": 1100, "ancillary": where}
    at_once = dense(trade_areas(stores, world, **asked))
    monkeypatch.setattr(overlay, "_PAIRS", 35)
    assert dense(trade_areas(stores, world, **asked)) == pytest.approx(at_once, abs=1e-15)
