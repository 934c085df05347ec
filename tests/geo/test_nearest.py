"""Nearest store by neighbourhood, and Thiessen cells by area."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geo_worlds import dense, grid, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.geo import trade_areas


def test_each_neighbourhood_goes_whole_to_its_nearest_store() -> None:
    """Four squares in a row, stores in the first and last: two squares each."""
    areas = trade_areas(stores_at([(400, 500), (3600, 500)]), grid(4, 1), method="nearest")
    assert dense(areas).tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    assert areas.kind == "divides"


def test_stores_at_the_same_distance_share() -> None:
    """The square in the middle belongs to both sides, and two stores at one place share all they have."""
    middle = trade_areas(stores_at([(500, 500), (2500, 500)]), grid(3, 1), method="nearest")
    assert dense(middle).tolist() == [[1, 0.5, 0], [0, 0.5, 1]]
    same = stores_at([(500, 500), (500, 500)])
    for method in ("nearest", "thiessen"):
        assert dense(trade_areas(same, grid(2, 1), method=method)) == pytest.approx(np.full((2, 2), 0.5))


def test_thiessen_cuts_halfway_between_two_stores() -> None:
    """Stores at 200 m and 1,000 m of a row of squares part at 600 m: the first square is split 60 : 40."""
    areas = trade_areas(stores_at([(200, 500), (1000, 500)]), grid(2, 1), method="thiessen")
    assert dense(areas) == pytest.approx(np.array([[0.6, 0.0], [0.4, 1.0]]), abs=1e-9)


def test_a_single_store_has_everything() -> None:
    """With one store there is nothing to divide."""
    for method in ("nearest", "thiessen", "huff"):
        assert dense(trade_areas(stores_at([(700, 300)]), grid(2, 2), method=method)) == pytest.approx(np.ones((1, 4)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), stores=st.integers(1, 12))
def test_thiessen_conserves_people_and_agrees_with_a_raster(seed: int, stores: int) -> None:
    """Shares sum to 1 over the stores; counting raster points by their nearest store gives the same areas."""
    places, world = town(stores, 3, seed=seed)
    shares = dense(trade_areas(places, world, method="thiessen"))
    assert shares.sum(axis=0) == pytest.approx(np.ones(9), rel=1e-9)
    xy = shapely.get_coordinates(places.frame.geometry.to_numpy())
    west, south, east, north = world.frame.total_bounds
    step = np.arange(0.5, 60.0) / 60.0
    points = np.stack(np.meshgrid(west + step * (east - west), south + step * (north - south)), axis=-1).reshape(-1, 2)
    nearest = np.linalg.norm(points[:, None] - xy[None], axis=2).argmin(axis=1)
    raster = np.bincount(nearest, minlength=stores) / len(points)
    assert shares.sum(axis=1) / 9.0 == pytest.approx(raster, abs=0.02)
