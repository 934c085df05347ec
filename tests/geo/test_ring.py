"""Rings around stores: areas of circles, known on paper."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geo_worlds import ORIGIN, dense, grid, move_world, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import GeographyError
from assortment.geo import store_profiles, trade_areas
from assortment.geo.ring import circles
from assortment.inputs import Neighbourhoods, Stores


def test_a_circle_inside_a_square_takes_the_area_of_the_circle() -> None:
    """A ring of radius r wholly inside a square of side a takes pi r² / a² of it, exactly."""
    areas = trade_areas(stores_at([(500, 500)]), grid(1, 1), method="ring", radius_m=300)
    assert dense(areas)[0, 0] == pytest.approx(np.pi * 0.3**2, rel=1e-12)


def test_a_circle_on_a_corner_takes_a_quarter_from_each_square() -> None:
    """A ring around the corner of four squares takes a quarter circle of each."""
    areas = trade_areas(stores_at([(1000, 1000)]), grid(2, 2), method="ring", radius_m=400)
    assert dense(areas)[0] == pytest.approx(np.full(4, np.pi * 0.4**2 / 4), rel=1e-9)


def test_what_lies_wholly_inside_counts_wholly() -> None:
    """A ring that covers the whole world takes all people of it; rates then are those of the world."""
    world = grid(3, 3)
    areas = trade_areas(stores_at([(1500, 1500), (100, 100)]), world, method="ring", radius_m=5000)
    assert (dense(areas) == 1.0).all()
    assert areas.kind == "overlaps"
    assert store_profiles(areas, world).table["people"].tolist() == [900.0, 900.0]


def test_corners_keep_the_area_and_stay_near_the_circle() -> None:
    """The polygon of a ring has the circle's area, and its border departs by less than 0.01 % of the radius."""
    circle = circles(np.array([[3.0, 4.0]]), np.array([1000.0]))[0]
    assert circle.area == pytest.approx(np.pi * 1e6, rel=1e-12)
    corner = shapely.distance(shapely.Point(3, 4), shapely.points(shapely.get_coordinates(circle))).max()
    assert corner == pytest.approx(1000.0, rel=1e-4)
    assert shapely.distance(shapely.Point(3, 4), circle.exterior) == pytest.approx(1000.0, rel=1e-4)


@pytest.mark.parametrize(
    "radius",
    [[300.0, 700.0], np.array([300, 700]), pd.Series({"s1": 700, "s0": 300}), {"s0": 300, "s1": 700}, "reach"],
    ids=["list", "array", "series", "mapping", "column"],
)
def test_a_radius_per_store_may_be_given_in_any_form(radius: object) -> None:
    """List, array, Series or mapping by store, and column of the stores mean the same."""
    stores = stores_at([(1000, 1000), (2000, 1500)], reach=[300, 700])
    shares = dense(trade_areas(stores, grid(3, 3), method="ring", radius_m=radius))
    assert shares.sum(axis=1) == pytest.approx(np.pi * np.array([0.3, 0.7]) ** 2, rel=1e-9)


def test_shares_agree_with_a_loop_over_all_pairs() -> None:
    """Index, prepared test and vectorised cut give what one intersection per pair gives."""
    stores, world = town(6, 8, seed=4)
    radii = np.array([200.0, 900.0, 1500.0, 2500.0, 4000.0, 600.0])
    shares = dense(trade_areas(stores, world, method="ring", radius_m=radii))
    rings = circles(shapely.get_coordinates(stores.frame.geometry.to_numpy()), radii)
    polygons = world.frame.geometry
    looped = [[ring.intersection(polygon).area / polygon.area for polygon in polygons] for ring in rings]
    assert shares == pytest.approx(np.array(looped), abs=1e-12)


def test_counts_agree_with_tobler() -> None:
    """People and rates-by-base agree with tobler's area interpolation, asked not to stretch the totals."""
    tobler = pytest.importorskip("tobler.area_weighted")
    stores, world = town(5, 9, seed=2)
    areas = trade_areas(stores, world, method="ring", radius_m=1700)
    ours = store_profiles(areas, world).table
    rings = circles(shapely.get_coordinates(stores.frame.geometry.to_numpy()), np.full(5, 1700.0))
    targets = gpd.GeoDataFrame(geometry=rings, crs=world.frame.crs)
    source = world.frame.assign(income_people=world.frame["median_income"] * world.frame["people"])
    theirs = tobler.area_interpolate(source, targets, ["people", "income_people"], allocate_total=False)
    assert ours["people"].to_numpy() == pytest.approx(theirs["people"].to_numpy(), rel=1e-6)
    income = (theirs["income_people"] / theirs["people"]).to_numpy()
    assert ours["median_income"].to_numpy() == pytest.approx(income, rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    angle=st.floats(0, 6.28),
    dx=st.floats(-30_000, 30_000),
    dy=st.floats(-30_000, 30_000),
)
def test_moving_and_turning_the_world_changes_nothing(seed: int, angle: float, dx: float, dy: float) -> None:
    """Profiles do not depend on where on the plane the world lies, or which way it faces."""
    stores, world = town(3, 4, seed=seed)
    elsewhere = move_world(stores, world, angle, dx, dy)
    here = store_profiles(trade_areas(stores, world, method="ring", radius_m=800), world).table
    there = store_profiles(trade_areas(*elsewhere, method="ring", radius_m=800), elsewhere[1]).table
    # A circle of 256 corners that is not turned with the world differs by its corners.
    assert there.to_numpy() == pytest.approx(here.to_numpy(), rel=2e-4)


def test_the_order_of_the_input_does_not_matter() -> None:
    """Shuffled stores and neighbourhoods give the same shares, in their own order."""
    stores, world = town(4, 5, seed=1)
    rng = np.random.default_rng(0)
    s, m = rng.permutation(4), rng.permutation(25)
    shuffled = (
        Stores.from_frame(stores.frame.iloc[s]),
        Neighbourhoods.from_frame(world.frame.iloc[m], world.counts, world.rates),
    )
    straight = dense(trade_areas(stores, world, method="ring", radius_m=1200))
    assert dense(trade_areas(*shuffled, method="ring", radius_m=1200)) == pytest.approx(straight[s][:, m], abs=1e-12)


def test_a_bow_tie_counts_both_of_its_halves() -> None:
    """An outline that crosses itself is repaired with both sides kept."""
    bow_tie = shapely.Polygon([(0, 0), (1000, 1000), (1000, 0), (0, 1000)])
    placed = shapely.transform(np.array([bow_tie]), lambda xy: xy + np.array(ORIGIN))
    frame = gpd.GeoDataFrame({"neighbourhood_id": ["b"], "people": [10.0]}, geometry=placed, crs="EPSG:32610")
    with pytest.warns(UserWarning, match="repaired: b"):
        world = Neighbourhoods.from_frame(frame, ["people"])
    areas = trade_areas(stores_at([(200, 500)]), world, method="ring", radius_m=5000)
    assert store_profiles(areas, world).table.loc["s0", "people"] == 10.0


@pytest.mark.parametrize(
    ("radius", "message"),
    [
        ([500, -1], r"above 0 for each store; found otherwise for s1 \(-1\)"),
        ([500], r"one number per store, 2 of them; found an array of shape \(1,\)"),
        ({"s0": 1}, "no number is given for store s1"),
        ("raech", "did you mean 'reach'"),
        (None, r"method 'ring' needs radius_m"),
    ],
)
def test_a_radius_that_cannot_be_used_is_named(radius: object, message: str) -> None:
    """Each fault names the stores, what was found, and what is expected."""
    stores = stores_at([(1000, 1000), (2000, 1500)], reach=[300, 700])
    with pytest.raises(GeographyError, match=message):
        trade_areas(stores, grid(3, 3), method="ring", radius_m=radius)
