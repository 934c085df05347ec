"""Neighbourhoods that lie over each other: found, named, and told from flaws of the outlines."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from assortment.errors import AssortmentWarning
from assortment.inputs import Neighbourhoods
from assortment.inputs.overlaps import LEAST, overlaps


def made(polygons: list[object], crs: int = 32610) -> list[str]:
    """The warnings when these become neighbourhoods a, b, c …"""
    ids = [chr(ord("a") + number) for number in range(len(polygons))]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Neighbourhoods.from_frame(gpd.GeoDataFrame({"neighbourhood_id": ids}, geometry=polygons, crs=crs))
    return [str(warning.message) for warning in caught if issubclass(warning.category, AssortmentWarning)]


def square(x: float, y: float, side: float = 100.0) -> Polygon:
    return box(500_000 + x, 4_200_000 + y, 500_000 + x + side, 4_200_000 + y + side)


def test_duplicates_are_named_before_overlaps() -> None:
    """Of a and c, which are the same, and d, a tenth of which lies in b, both pairs are told with their share."""
    (message,) = made([square(0, 0), square(100, 0), square(0, 0), square(190, 0)])
    assert "2 pairs of neighbourhoods cover the same ground, so people there are counted twice" in message
    assert "a and c have the same shape; 10 % of b lies in d; leave one of each pair out" in message


def test_copies_are_found_whatever_their_corners() -> None:
    """The same outline begun at another corner, turned the other way or with more corners is the same shape."""
    corners = list(square(0, 0).exterior.coords)[:-1]
    other = [Polygon(corners[2:] + corners[:2]), Polygon(corners[::-1]), shapely.segmentize(square(0, 0), 10)]
    (message,) = made([square(0, 0), *other])
    assert "3 pairs" in message and "a and d have the same shape" in message


def test_a_neighbourhood_inside_another_is_found() -> None:
    """A village in the middle of a county lies wholly in it, although no edge is shared; in a hole it does not."""
    (message,) = made([square(0, 0, 1000), square(400, 400)])
    assert "1 pair of neighbourhoods covers" in message and "100 % of b lies in a" in message
    assert not made([square(0, 0, 1000) - square(400, 400), square(400, 400)])


def test_parts_of_multipolygons_are_compared() -> None:
    """An island that belongs to two neighbourhoods is counted twice."""
    (message,) = made([MultiPolygon([square(0, 0), square(500, 0)]), MultiPolygon([square(100, 0), square(500, 0)])])
    assert "50 % of a lies in b" in message


def test_flaws_of_digitising_are_no_overlap() -> None:
    """Tiles that meet, a sliver of half a per cent, gaps, and a coverage simplified as a whole say nothing."""
    tiles = [square(x, y) for x in (0, 100, 200) for y in (0, 100, 200)]
    assert not made(tiles)
    assert not made([square(0, 0), square(99.5, 0), square(250, 0)])
    wavy = shapely.transform(
        shapely.segmentize(np.array(tiles, dtype=object), 5),
        lambda xy: xy + 2.0 * np.sin(xy[:, ::-1] / 7.0),
    )
    assert not made(list(wavy))
    assert not made(list(shapely.coverage_simplify(wavy, 5.0)))


def test_across_the_antimeridian_neighbours_are_neighbours() -> None:
    """A polygon from 179.9° east to 179.9° west spans 0.2 degrees, not the world; a copy of it is found."""
    west, across, east = box(179.8, 0, 179.9, 1), box(-179.9, 0, 179.9, 1), box(-179.9, 0, -179.8, 1)
    assert not made([west, across, east], crs=4326)
    assert "b and d have the same shape" in made([west, across, east, across], crs=4326)[0]
    split = MultiPolygon([box(179.95, 0, 180, 1), box(-180, 0, -179.95, 1)])
    assert "100 % of d lies in b" in made([west, across, east, split], crs=4326)[0]


def test_many_pairs_are_summed_up() -> None:
    """Ten pairs are listed, and how many more there are."""
    (message,) = made([square(0, 0)] * 14)
    assert "13 pairs" in message and "a and k" in message and "a and l" not in message and "and 3 more pairs" in message


@settings(max_examples=40, deadline=None)
@given(
    corners=st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 8), st.integers(1, 8)),
        min_size=2,
        max_size=12,
        unique=True,
    )
)
def test_every_overlap_is_found_and_nothing_else(corners: list[tuple[int, int, int, int]]) -> None:
    """The pairs are those that cutting everything with everything finds."""
    polygons = np.array([box(x, y, x + width, y + height) for x, y, width, height in corners], dtype=object)
    area = shapely.area(polygons)
    shared = shapely.area(shapely.intersection(polygons[:, None], polygons[None, :]))
    expected = {(i, j) for i, j in np.argwhere(shared > LEAST * np.minimum.outer(area, area)).tolist() if i < j}
    assert {(min(pair.first, pair.second), max(pair.first, pair.second)) for pair in overlaps(polygons)} == expected


@pytest.mark.parametrize("seed", [0, 1])
def test_the_polygons_are_left_as_they_were(seed: int) -> None:
    """Nothing is prepared in place, which would make every copy of the frame heavier."""
    polygons = np.array([square(0, 0), square(50 + seed, 0)], dtype=object)
    assert overlaps(polygons)
    assert not shapely.is_prepared(polygons).any()
