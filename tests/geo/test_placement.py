"""Stores outside every neighbourhood, and what probably went wrong."""

from __future__ import annotations

import pandas as pd
import pytest
from geo_worlds import dense, grid, neighbourhoods_of, squares, stores_at

from assortment.errors import GeographyError
from assortment.geo import METHODS, trade_areas
from assortment.inputs import Stores

REQUIRED = {"ring": {"radius_m": 500}}


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


def test_a_store_in_a_gap_of_the_coverage_lies_inside() -> None:
    """Five metres off the border of a square kilometre is a flaw of the coverage; fifty are not."""
    assert dense(trade_areas(stores_at([(500, -5)]), grid(2, 2), method="ring", radius_m=100)).sum() > 0
    with pytest.raises(GeographyError, match="1 store lies outside"):
        trade_areas(stores_at([(500, -50)]), grid(2, 2), method="ring", radius_m=100)


def test_a_store_on_a_border_is_inside_once() -> None:
    """On the corner of four squares a store serves a quarter of its ring in each, no more."""
    shares = dense(trade_areas(stores_at([(1000, 1000)]), grid(2, 2), method="thiessen"))
    assert shares.tolist() == [[1.0, 1.0, 1.0, 1.0]]


def test_methods_and_parameters_that_do_not_exist_are_named() -> None:
    """An unknown method lists those there are; parameters are refused by a method that takes none."""
    with pytest.raises(
        GeographyError, match="no trade-area method 'travel_time'; available: huff, ring, nearest, thiessen"
    ):
        trade_areas(stores_at([(1, 1)]), grid(1, 1), method="travel_time")
    with pytest.raises(GeographyError, match="method 'nearest' has no parameter 'decay'; nearest takes no parameters"):
        trade_areas(stores_at([(1, 1)]), grid(1, 1), method="nearest", decay=2)
