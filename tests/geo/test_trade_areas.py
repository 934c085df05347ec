"""``TradeAreas``: how much of each neighbourhood a chain covers, and areas in which nobody counts twice."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity
from geo_worlds import ORIGIN, PLANE, SIDE, dense, grid, neighbourhoods_of, squares, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from assortment.geo import TradeAreas, trade_areas
from assortment.geo.areas import SparseShares
from assortment.geo.cover.disc import circles
from assortment.inputs import Neighbourhoods, Stores

REACH = np.array([200.0, 900.0, 1500.0, 2500.0, 1200.0, 600.0])


def rings(seed: int = 4) -> TradeAreas:
    """Six rings of unlike size in a town of 64 squares."""
    return trade_areas(*town(6, 8, seed=seed), method="ring", radius_m=REACH)


def of_boxes(*boxes: tuple[float, float, float, float]) -> TradeAreas:
    """Areas that are boxes, in metres from the origin, over two squares of one kilometre."""
    ground = trade_areas(stores_at([(500, 500)] * len(boxes)), grid(2, 1), method="ring", radius_m=100).ground
    west, south = shapely.total_bounds(ground.polygons)[:2]
    zones = np.array([shapely.affinity.translate(shapely.box(*box), west, south) for box in boxes], dtype=object)
    cut = shapely.area(shapely.intersection(zones[:, None], ground.polygons)) / shapely.area(ground.polygons)
    matrix = SparseShares(csr_array(cut), zones, ground.polygons)
    return TradeAreas(kind="overlaps", method="boxes", parameters={}, ground=ground, matrix=matrix)


@pytest.mark.parametrize(
    ("boxes", "covered"),
    [
        ([(0, 0, 500, 1000)], [0.5, 0.0]),
        ([(0, 0, 500, 1000), (250, 0, 750, 1000)], [0.75, 0.0]),
        ([(0, 0, 500, 1000), (500, 0, 1250, 1000)], [1.0, 0.25]),
        ([(-1, -1, 1001, 1001), (250, 0, 750, 1000), (0, 0, 400, 1000)], [1.0, 0.001]),
        ([(0, 0, 500, 500), (0, 0, 500, 500), (0, 0, 250, 250)], [0.25, 0.0]),
        ([(0, 0, 500, 1000), (0, 0, 1000, 500), (1500, 0, 2000, 1000)], [0.75, 0.5]),
    ],
    ids=["one", "two that overlap", "two that touch", "one holds all", "within each other", "across"],
)
def test_what_several_areas_cover_is_their_union(
    boxes: list[tuple[float, float, float, float]], covered: list[float]
) -> None:
    """Boxes over two squares cover what one works out on paper, and as much once they divide it."""
    areas = of_boxes(*boxes)
    assert areas.covered == pytest.approx(covered, abs=1e-6)
    assert dense(areas.divided()).sum(axis=0) == pytest.approx(areas.covered, abs=1e-12)


def test_rings_cover_what_their_union_covers() -> None:
    """Cutting away one ring after the other gives what shapely's union of all of them gives."""
    areas = rings()
    union = shapely.union_all(circles(areas.ground.store_xy, REACH))
    part = shapely.area(shapely.intersection(union, areas.ground.polygons)) / shapely.area(areas.ground.polygons)
    assert areas.covered == pytest.approx(part, abs=2e-5)
    assert areas.covered.sum() < dense(areas).sum()


def test_bands_leave_their_holes_uncovered() -> None:
    """Two bands around one place cover both of them, and nobody between."""
    world = neighbourhoods_of(squares(1, 1, side=4000.0))
    stores = stores_at([(2000, 2000), (2000, 2000)])
    areas = trade_areas(stores, world, method="ring", radius_m=[500, 1500], inner_m=[200, 1000])
    area = np.pi * (0.5**2 - 0.2**2 + 1.5**2 - 1.0**2)
    assert areas.covered == pytest.approx([area / 16.0], rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_covered_lies_between_the_greatest_share_and_the_sum(seed: int) -> None:
    """And dividing conserves it, keeps every share at most as large, and gives nothing to a store that had nothing."""
    areas = rings(seed)
    shares, divided = dense(areas), areas.divided()
    assert (areas.covered >= shares.max(axis=0)).all()
    assert (areas.covered <= np.minimum(shares.sum(axis=0), 1.0) + 1e-15).all()
    parts = dense(divided)
    assert divided.kind == "divides" and divided.method == "ring"
    assert parts.sum(axis=0) == pytest.approx(areas.covered, abs=1e-12)
    assert divided.covered == pytest.approx(areas.covered, abs=1e-12)
    assert (parts <= shares + 1e-15).all()
    assert ((parts > 0) == (shares > 0)).all()


@pytest.mark.parametrize("rows", [slice(0, 3), slice(4, None)])
def test_divided_shares_are_the_same_however_they_are_read(rows: slice) -> None:
    """Rows, columns, sums, one store and the frame of divided areas agree, and their sums with the people covered."""
    areas = rings()
    divided = areas.divided()
    parts = dense(divided)
    values = np.random.default_rng(0).random((64, 2))
    assert divided.matrix.rows(rows) == pytest.approx(parts[rows])
    assert divided.matrix.columns(slice(3, 9)) == pytest.approx(parts[:, 3:9])
    assert divided.sums(values) == pytest.approx(parts @ values)
    assert divided.sums(values).sum(axis=0) == pytest.approx(areas.covered @ values, rel=1e-12)
    assert divided.of_store("s3").to_numpy() == pytest.approx(parts[3])
    assert divided.shares["share"].sum() == pytest.approx(parts.sum())
    assert divided.divided() is divided


@pytest.mark.parametrize(
    ("method", "rivals"), [("nearest", False), ("thiessen", False), ("huff", False), ("huff", True)]
)
def test_areas_that_divide_cover_the_sum_of_their_shares(method: str, rivals: bool) -> None:
    """All of a neighbourhood, but for what competitors take; and they are divided already."""
    stores, world = town(6, 8, seed=3)
    given = {"competitors": stores_at([(900.0, 4200.0), (6100.0, 300.0)])} if rivals else {}
    areas = trade_areas(stores, world, method=method, **given)
    assert areas.covered == pytest.approx(dense(areas).sum(axis=0), rel=1e-12)
    if rivals:
        assert (areas.covered < 1.0).all() and areas.covered.min() < 0.5
    else:
        assert areas.covered == pytest.approx(np.ones(64), rel=1e-12)
    assert areas.divided() is areas


def test_stores_at_the_same_distance_cover_a_neighbourhood_once() -> None:
    """Two halves of a neighbourhood that goes to the nearest store are the whole of it, not half."""
    areas = trade_areas(stores_at([(0, 500), (1000, 500)]), grid(1, 1), method="nearest")
    assert dense(areas)[:, 0] == pytest.approx([0.5, 0.5]) and areas.covered == pytest.approx([1.0])


def test_neighbourhoods_served_whole_are_covered_once() -> None:
    """By travel time a neighbourhood is covered or not, by however many stores; dividing splits it equally."""
    pairs = [("s0", "n0", 5), ("s0", "n1", 9), ("s1", "n1", 4), ("s1", "n2", 30)]
    minutes = pd.DataFrame(pairs, columns=["store_id", "neighbourhood_id", "minutes"])
    stores = stores_at([(500, 500), (1500, 500)])
    areas = trade_areas(stores, grid(3, 1), method="travel_time", minutes=minutes, within=10)
    assert areas.covered.tolist() == [1.0, 1.0, 0.0]
    assert dense(areas.divided()).tolist() == [[1.0, 0.5, 0.0], [0.0, 0.5, 0.0]]


def test_covered_is_worked_out_once_and_read_only() -> None:
    """The same array is handed out again, and cannot be written to."""
    areas = rings()
    assert areas.covered is areas.covered
    with pytest.raises(ValueError, match="read-only"):
        areas.covered[0] = 1.0


def dwellings(seed: int) -> gpd.GeoDataFrame:
    """Places with a count in all of the town but its first two rows of squares."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform([0.0, 2.0 * SIDE], 8 * SIDE, (400, 2)) + ORIGIN
    return gpd.GeoDataFrame({"count": rng.integers(1, 9, 400)}, geometry=gpd.points_from_xy(*xy.T), crs=PLANE)


def drawn_rings(areas: TradeAreas, crs: object) -> gpd.GeoSeries:
    """The rings as polygons in another reference system."""
    return gpd.GeoSeries(circles(areas.ground.store_xy, REACH), crs=areas.ground.plane).to_crs(crs)


@pytest.mark.parametrize("places", ["points", "blocks"])
@pytest.mark.filterwarnings("ignore::assortment.errors.AssortmentWarning")
def test_an_ancillary_count_says_what_is_covered(places: str) -> None:
    """Covered is the part of the count in any ring, not of the area; where nothing is counted it is of the area."""
    stores, world = town(6, 8, seed=4)
    where = dwellings(1)
    if places == "blocks":
        corner = shapely.get_coordinates(where.geometry)
        where = where.set_geometry(
            gpd.GeoSeries(shapely.box(corner[:, 0] - 60, corner[:, 1] - 60, *(corner + 60).T), crs=PLANE)
        )
    areas = trade_areas(stores, world, method="ring", radius_m=REACH, ancillary=where)
    anywhere = drawn_rings(areas, PLANE).union_all()
    middle = shapely.point_on_surface(where.geometry.to_numpy())
    inside = where.geometry.intersection(anywhere).area / where.area if places == "blocks" else where.within(anywhere)
    of, block = shapely.STRtree(middle).query(world.frame.geometry.to_numpy(), predicate="contains")
    total, held = (
        np.bincount(of, values, 64) for values in (where["count"].to_numpy()[block], (where["count"] * inside)[block])
    )
    assert areas.covered[total > 0] == pytest.approx((held / np.maximum(total, 1e-9))[total > 0], abs=1e-4)
    by_area = trade_areas(stores, world, method="ring", radius_m=REACH).covered
    assert areas.covered[total == 0] == pytest.approx(by_area[total == 0], abs=1e-12)
    assert np.abs(areas.covered - by_area).max() > 0.1
    assert dense(areas.divided()).sum(axis=0) == pytest.approx(areas.covered, abs=1e-12)


def test_the_order_of_the_input_does_not_matter() -> None:
    """Shuffled stores and neighbourhoods are covered alike."""
    stores, world = town(6, 8, seed=4)
    rng = np.random.default_rng(0)
    s, m = rng.permutation(6), rng.permutation(64)
    shuffled = trade_areas(
        Stores.from_frame(stores.frame.iloc[s]),
        Neighbourhoods.from_frame(world.frame.iloc[m], world.counts, world.rates),
        method="ring",
        radius_m=REACH[s],
    )
    assert shuffled.covered == pytest.approx(rings().covered[m], abs=1e-11)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_pieces_add_up_to_the_shares_and_to_what_is_covered(seed: int) -> None:
    """No piece is lost or counted twice, whichever way it is summed, and no two pieces have the same stores."""
    areas = rings(seed)
    assert isinstance(areas.matrix, SparseShares)
    pieces = areas.matrix.pieces()
    of = csr_array((pieces.part, (np.arange(len(pieces.part)), pieces.neighbourhood)), shape=(len(pieces.part), 64))
    assert (pieces.stores @ of).toarray() == pytest.approx(dense(areas), abs=2e-5)
    assert of.sum(axis=0) == pytest.approx(areas.covered, abs=2e-5)
    assert (pieces.part > 0).all() and (pieces.stores.sum(axis=0) > 0).all()
    members = pieces.stores.toarray().T.astype(int)
    keys = {(n, *stores) for n, stores in zip(pieces.neighbourhood.tolist(), members.tolist(), strict=True)}
    assert len(keys) == len(pieces.part)
