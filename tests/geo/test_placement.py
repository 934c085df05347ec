"""Stores outside every neighbourhood, and what probably went wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from geo_worlds import ORIGIN, dense, grid, neighbourhoods_of, squares, stores_at

from assortment.errors import GeographyError
from assortment.geo import METHODS, trade_areas
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.placement import neighbourhood_of, outside_by
from assortment.geo.methods.catalogue import parameters_of
from assortment.inputs import Neighbourhoods, Stores

EVERY = pd.DataFrame({"store_id": ["s0", "s1", "s2"], "neighbourhood_id": "n0", "minutes": 1.0})
REQUIRED = {
    "ring": {"radius_m": 500},
    "travel_time": {"minutes": EVERY, "within": 5},
    "customers": {"households": EVERY},
}


@pytest.mark.parametrize("method", METHODS)
def test_every_store_outside_is_named_with_its_distance(method: str) -> None:
    """Both stores outside are named, with coordinates, kilometres and the nearest neighbourhood; the third is not."""
    stores = stores_at([(500, 500), (5000, 500), (500, -1500)])
    with pytest.raises(GeographyError) as caught:
        trade_areas(stores, grid(2, 2), method=method, **REQUIRED.get(method, {}))
    message = str(caught.value)
    assert "2 stores lie outside every neighbourhood" in message
    assert "store s1 at (605000, 4.2005e+06): 3.0 km from the nearest, n1" in message
    assert "store s2" in message and "1.5 km from the nearest, n0" in message
    assert "store s0" not in message and "check the coordinates" in message


@pytest.mark.parametrize(
    ("longitude", "latitude", "slip"),
    [
        (52.51, 13.41, "longitude and latitude look swapped for wrong"),
        (-13.41, 52.51, "the sign of the longitude looks wrong"),
        (13.41, -52.51, "the sign of the latitude looks wrong"),
        (14.8, 50.1, "check the coordinates"),
    ],
)
def test_the_likely_slip_is_said(longitude: float, latitude: float, slip: str) -> None:
    """Swapped coordinates and lost signs are recognised, since undoing them puts the store inside."""
    berlin = neighbourhoods_of(squares(4, 4, origin=(13.38, 52.49), side=0.01), crs="EPSG:4326")
    frame = pd.DataFrame({"store_id": ["right", "wrong"], "longitude": [13.4, longitude], "latitude": [52.5, latitude]})
    with pytest.raises(GeographyError, match=slip):
        trade_areas(Stores.from_frame(frame), berlin)


@pytest.mark.parametrize("zone", ["EPSG:32611", "EPSG:32640", "EPSG:32710"])
def test_a_wrong_zone_is_recognised_when_all_stores_lie_far_away(zone: str) -> None:
    """Neighbourhoods that claim another UTM zone lie elsewhere: both places are said, so that one can look."""
    lying = neighbourhoods_of(squares(2, 2), crs=zone)
    with pytest.raises(GeographyError, match="all stores lie farther away") as caught:
        trade_areas(stores_at([(500, 500), (1500, 500)]), lying, method="nearest")
    assert "By EPSG:32610 the stores are around longitude -121.8" in str(caught.value)


def test_the_crs_is_not_blamed_for_one_store() -> None:
    """Where one store of two lies far away, its own coordinates are."""
    with pytest.raises(GeographyError, match="check the coordinates"):
        trade_areas(stores_at([(500, 500), (900_000, 500)]), grid(2, 2), method="nearest")


def test_a_store_in_a_gap_of_the_coverage_lies_inside() -> None:
    """Five metres off the border of a square kilometre is a flaw of the coverage; fifty are not."""
    assert dense(trade_areas(stores_at([(500, -5)]), grid(2, 2), method="ring", radius_m=100)).sum() > 0
    with pytest.raises(GeographyError, match="1 store lies outside"):
        trade_areas(stores_at([(500, -50)]), grid(2, 2), method="ring", radius_m=100)


def test_a_store_on_a_border_is_inside_once() -> None:
    """On the corner of four squares a store serves a quarter of its ring in each, no more."""
    shares = dense(trade_areas(stores_at([(1000, 1000)]), grid(2, 2), method="thiessen"))
    assert shares.tolist() == [[1.0, 1.0, 1.0, 1.0]]


def test_a_point_is_in_one_neighbourhood_whatever_the_order() -> None:
    """A point on a border is in the neighbourhood whose id sorts first, one outside or without coordinates in none."""
    world = grid(2, 2)
    points = np.array([(500, 500), (1000, 500), (1000, 1000), (2000, 2000), (1500, 1000), (2001, 500), (np.nan, 1)])
    expected = np.array(["n0", "n0", "n0", "n3", "n1", "", ""])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        shuffled = Neighbourhoods.from_frame(world.frame.iloc[order], ["people"])
        ground = Ground.of(stores_at([(500, 500)]), shuffled)
        rows = neighbourhood_of(ground, points + ORIGIN)
        assert np.append(ground.neighbourhood_ids, "")[rows].tolist() == expected.tolist()
    assert neighbourhood_of(ground, np.empty((0, 2))).shape == (0,)


def test_each_of_many_points_is_in_the_neighbourhood_that_covers_it() -> None:
    """Index and prepared polygons give what one test per pair gives, also with holes and parts."""
    ring = shapely.box(0, 0, 900, 900) - shapely.box(300, 300, 600, 600)
    island = shapely.union_all([shapely.box(400, 400, 500, 500), shapely.box(1000, 0, 1200, 900)])
    world = neighbourhoods_of(shapely.transform(np.array([ring, island]), lambda xy: xy + np.array(ORIGIN)))
    ground = Ground.of(stores_at([(100, 100)]), world)
    xy = np.random.default_rng(0).uniform(-100, 1300, (2000, 2)) + ORIGIN
    covers = shapely.intersects_xy(ground.polygons[:, None], *xy.T[:, None, :])
    expected = np.where(covers.any(axis=0), covers.argmax(axis=0), -1)
    assert neighbourhood_of(ground, xy).tolist() == expected.tolist()
    assert set(expected.tolist()) == {-1, 0, 1}


def test_how_far_points_lie_outside_is_measured() -> None:
    """Inside and in a gap it is nothing, else the way to the nearest neighbourhood."""
    ground = Ground.of(stores_at([(500, 500)]), grid(2, 2))
    xy = np.array([(500, 500), (500, -5), (500, -50), (2300, 2400)]) + ORIGIN
    assert outside_by(ground, xy) == pytest.approx([0, 0, 50, 500])


def test_the_documentation_of_trade_areas_names_every_method_and_parameter() -> None:
    """Whoever adds a method or a parameter says so where a planner looks for it."""
    said = trade_areas.__doc__ or ""
    for method in METHODS:
        assert f"``{method}``" in said
        for parameter in parameters_of(method):
            mark = "**" if parameter.default is parameter.empty else "``"
            assert f"{mark}{parameter.name}{mark}" in said, (method, parameter.name)


def test_methods_and_parameters_that_do_not_exist_are_named() -> None:
    """An unknown method lists those there are; parameters are refused by a method that takes none."""
    available = "huff, ring, nearest, thiessen, travel_time, customers"
    with pytest.raises(GeographyError, match=f"no trade-area method 'drive_time'; available: {available}"):
        trade_areas(stores_at([(1, 1)]), grid(1, 1), method="drive_time")
    with pytest.raises(GeographyError, match="method 'nearest' has no parameter 'decay'; nearest takes no parameters"):
        trade_areas(stores_at([(1, 1)]), grid(1, 1), method="nearest", decay=2)


def test_frames_in_place_of_the_checked_types_are_told_how_to_become_them() -> None:
    """A frame, or the two in each other's place: the message names the argument and from_frame."""
    stores, world = stores_at([(500, 500)]), grid(2, 2)
    with pytest.raises(GeographyError, match=r"stores: expected Stores; found a GeoDataFrame; .* Stores\.from_frame"):
        trade_areas(stores.frame, world, method="nearest")  # type: ignore[arg-type]
    with pytest.raises(GeographyError, match="stores: expected Stores; found a Neighbourhoods"):
        trade_areas(world, stores, method="nearest")  # type: ignore[arg-type]
