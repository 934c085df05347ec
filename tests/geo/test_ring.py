"""Rings around stores: areas of circles, known on paper."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geo_worlds import ORIGIN, dense, grid, move_world, neighbourhoods_of, squares, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import AssortmentWarning, GeographyError, InputError
from assortment.geo import rings, store_profiles, trade_areas
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


def fine_circles(xy: np.ndarray, radius: float) -> np.ndarray:
    """Circles of 4,096 corners and the right area."""
    step = 2.0 * np.pi / 4096
    angle = step * np.arange(4096)
    corners = np.column_stack([np.cos(angle), np.sin(angle)]) * np.sqrt(step / np.sin(step))
    drawn: np.ndarray = shapely.polygons(xy[:, None] + radius * corners)
    return drawn


def test_counts_agree_with_tobler() -> None:
    """People and rates-by-base agree with tobler's area interpolation, asked not to stretch the totals."""
    tobler = pytest.importorskip("tobler.area_weighted")
    stores, world = town(5, 9, seed=2)
    areas = trade_areas(stores, world, method="ring", radius_m=1700)
    ours = store_profiles(areas, world).table
    drawn = fine_circles(shapely.get_coordinates(stores.frame.geometry.to_numpy()), 1700.0)
    targets = gpd.GeoDataFrame(geometry=drawn, crs=world.frame.crs)
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
    assert there.to_numpy() == pytest.approx(here.to_numpy(), rel=1e-9)


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


def test_a_band_is_the_disc_without_the_inner_disc() -> None:
    """Between two radii lies the difference of the areas; what the inner circle takes whole has no share at all."""
    stores, world = stores_at([(4500, 4500), (4500, 4500)]), grid(9, 9)
    band = dense(trade_areas(stores, world, method="ring", radius_m=[4000, 3000], inner_m=2000))
    assert band.sum(axis=1) == pytest.approx(np.pi * np.array([12.0, 5.0]), rel=1e-12)
    assert (band[:, 40] == 0.0).all()
    outer = dense(trade_areas(stores, world, method="ring", radius_m=[4000, 3000]))
    inner = dense(trade_areas(stores, world, method="ring", radius_m=2000))
    assert band == pytest.approx(outer - inner, abs=1e-15)


@pytest.mark.parametrize("inner", [[300, 400], {"s0": 300, "s1": 400}, "inside"], ids=["list", "mapping", "column"])
def test_an_inner_radius_may_be_given_in_any_form(inner: object) -> None:
    """As the radius itself."""
    stores = stores_at([(1000, 1000), (2000, 1500)], inside=[300, 400])
    areas = trade_areas(stores, grid(3, 3), method="ring", radius_m=900, inner_m=inner)
    assert dense(areas).sum(axis=1) == pytest.approx(np.pi * (0.81 - np.array([0.09, 0.16])), rel=1e-9)


def test_inner_radii_that_leave_no_band_are_named() -> None:
    """Every store whose inner radius is not below the outer one is named with both."""
    stores = stores_at([(1000, 1000), (2000, 1500), (500, 500)])
    with pytest.raises(GeographyError, match=r"below radius_m.*s0 \(500 and 500\), s2 \(900 and 700\)"):
        trade_areas(stores, grid(3, 3), method="ring", radius_m=[500, 500, 700], inner_m=[500, 100, 900])


def test_several_rings_at_once_are_those_drawn_one_by_one() -> None:
    """Keys are the radii in rising order, and each has the shares of its ring."""
    stores, world = town(4, 6, seed=3)
    several = rings(stores, world, [2500, 400, 1200.5])
    assert list(several) == [400.0, 1200.5, 2500.0]
    for radius, areas in several.items():
        alone = trade_areas(stores, world, method="ring", radius_m=radius)
        assert (dense(areas) == dense(alone)).all()
        assert areas.parameters == alone.parameters


def test_bands_sum_to_the_outermost_disc() -> None:
    """Nobody lives in two bands of one store, and together they are the largest ring."""
    stores, world = town(4, 6, seed=3)
    bands = rings(stores, world, [400, 2500, 1200], bands=True)
    together = sum(dense(areas) for areas in bands.values())
    assert together == pytest.approx(dense(trade_areas(stores, world, method="ring", radius_m=2500)), abs=1e-12)
    assert bands[1200.0].parameters == {"radius_m": 1200.0, "inner_m": 400.0}


@pytest.mark.parametrize("radii", [[], [500, 500.0], [500, -1], [500, float("nan")], ["far"], 500, [np.inf]])
def test_radii_that_cannot_be_used_are_refused(radii: object) -> None:
    """None, one twice, below zero, or no number: the message shows what was found."""
    with pytest.raises(GeographyError, match="radii_m: expected different numbers above 0"):
        rings(stores_at([(500, 500)]), grid(1, 1), radii)  # type: ignore[arg-type]


def test_slivers_multipolygons_and_duplicates_are_shared_like_any_other() -> None:
    """A ring takes the same part of twins, the right part of a thread of a millimetre, and of parts far apart."""
    square, thread = shapely.box(0, 0, 1000, 1000), shapely.box(0, 1000, 1000, 1000.001)
    apart = shapely.MultiPolygon([shapely.box(0, 2000, 100, 2100), shapely.box(500, 500, 600, 600)])
    placed = shapely.transform(np.array([square, square, thread, apart]), lambda xy: xy + np.array(ORIGIN))
    with pytest.warns(AssortmentWarning, match="n0 and n1 have the same shape"):
        world = neighbourhoods_of(placed)
    shares = dense(trade_areas(stores_at([(500, 500)]), world, method="ring", radius_m=510))[0]
    assert shares[0] == shares[1]
    assert shares[2] == pytest.approx(2.0 * np.sqrt(510.0**2 - 500.0005**2) / 1000.0, rel=1e-5)
    assert shares[3] == pytest.approx(0.5, rel=1e-12)


def test_a_neighbourhood_without_area_is_named() -> None:
    """A polygon that is a line has nothing to divide."""
    line = shapely.Polygon([(0, 0), (1000, 0), (2000, 0)])
    placed = np.append(squares(1, 1), shapely.transform(line, lambda xy: xy + np.array(ORIGIN)))
    with pytest.raises(InputError, match="row 2, column 'geometry': found a polygon without area"):
        trade_areas(stores_at([(500, 500)]), neighbourhoods_of(placed), method="ring", radius_m=100)
