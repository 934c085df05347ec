"""Any coordinate reference system in, metres inside."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from geo_worlds import PLANE, dense, grid, neighbourhoods_of, squares, stores_at

from assortment.errors import GeographyError
from assortment.geo import trade_areas
from assortment.geo.ground.projection import local_plane
from assortment.inputs import Stores


def degrees_at(longitude: float, latitude: float, crs: str = "EPSG:4326") -> gpd.GeoDataFrame:
    """Squares of 0.02 degrees around a place; longitudes beyond 180 wrap to -180."""
    boxes = squares(4, 4, origin=(longitude - 0.04, latitude - 0.04), side=0.02)
    wrapped = shapely.transform(boxes, lambda xy: np.column_stack([(xy[:, 0] + 180.0) % 360.0 - 180.0, xy[:, 1]]))
    return gpd.GeoDataFrame(geometry=wrapped, crs=crs)


@pytest.mark.parametrize("place", [(-121.5, 38.6), (12.5, -41.9), (0.0, 0.0), (25.0, 78.0)])
def test_areas_on_the_plane_are_those_of_the_globe(place: tuple[float, float]) -> None:
    """Areas after projection agree with the geodesic ones, and lengths nearly so."""
    frame = degrees_at(*place)
    flat = frame.to_crs(local_plane(frame)).geometry
    geod = pyproj.Geod(ellps="WGS84")
    for polygon, on_plane in zip(frame.geometry, flat, strict=True):
        # Straight edges on the plane and geodesics between the same corners differ by a few parts in a million.
        assert on_plane.area == pytest.approx(abs(geod.geometry_area_perimeter(polygon)[0]), rel=1e-4)
        assert on_plane.length == pytest.approx(geod.geometry_length(polygon), rel=1e-4)


def test_the_antimeridian_is_a_place_like_any_other() -> None:
    """A world across 180° has the shares of the same world at 10° east, by ring and by Huff."""
    shares = {}
    for longitude in (10.0, 180.0):
        world = neighbourhoods_of(degrees_at(longitude, -17.0).geometry.to_numpy(), crs="EPSG:4326")
        offset = np.array([-0.011, 0.013])
        points = np.array([offset, -offset]) + np.array([longitude, -17.0])
        frame = pd.DataFrame(
            {"store_id": ["a", "b"], "longitude": (points[:, 0] + 180) % 360 - 180, "latitude": points[:, 1]}
        )
        stores = Stores.from_frame(frame)
        ring = dense(trade_areas(stores, world, method="ring", radius_m=2500))
        shares[longitude] = np.vstack([ring, dense(trade_areas(stores, world))])
    assert shares[180.0] == pytest.approx(shares[10.0], rel=1e-6, abs=1e-9)


def test_a_neighbourhood_cut_in_two_at_the_antimeridian_is_one() -> None:
    """Parts that meet at 180° count as one polygon of their area, and the note does not call it crossed."""
    halves = shapely.MultiPolygon([shapely.box(179.99, -17.02, 180, -17), shapely.box(-180, -17.02, -179.99, -17)])
    whole = shapely.box(9.99, -17.02, 10.01, -17)
    shares = {}
    for longitude, polygon in ((180.0, halves), (10.0, whole)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            world = neighbourhoods_of(np.array([polygon]), crs="EPSG:4326")
            stores = Stores.from_frame(
                pd.DataFrame({"store_id": ["a"], "longitude": [longitude], "latitude": [-17.01]})
            )
            shares[longitude] = dense(trade_areas(stores, world, method="ring", radius_m=700))
        assert [("meet along an edge" in str(each.message)) for each in caught] == [True] * (longitude == 180.0)
    assert shares[180.0] == pytest.approx(shares[10.0], rel=1e-6)


def test_a_plane_that_is_true_to_scale_is_kept_and_web_mercator_is_not() -> None:
    """UTM in its zone stays; Web Mercator, which stretches Sacramento by 28 %, and feet do not; nor any of 0.7 %."""
    degrees, equator = degrees_at(-121.5, 38.6), degrees_at(-78.5, 0.0)
    utm, mercator, feet = (degrees.to_crs(crs) for crs in (PLANE, "EPSG:3857", "EPSG:2226"))
    assert local_plane(utm) == utm.crs
    for other in (mercator, feet, degrees, equator.to_crs("EPSG:3857")):  # 0.7 % off at the equator
        plane = local_plane(other)
        assert (
            plane.coordinate_operation.method_name == "Lambert Azimuthal Equal Area"
            and plane.axis_info[0].unit_name == "metre"
        )


@pytest.mark.parametrize("crs", ["EPSG:4807", "EPSG:27572"])
def test_grads_counted_from_paris_are_brought_to_degrees(crs: str) -> None:
    """The plane for systems on the French meridian is centred where the data are, or their own where it is true."""
    frame = degrees_at(2.4, 48.8).to_crs(crs)
    plane = local_plane(frame)
    middle = gpd.GeoSeries([shapely.Point(2.4, 48.8)], crs="EPSG:4326").to_crs(plane).iloc[0]
    assert plane == frame.crs or np.hypot(middle.x, middle.y) < 1000.0


def test_every_reference_system_gives_the_same_shares() -> None:
    """Stores and neighbourhoods in UTM, degrees, Web Mercator or feet, also mixed, mean the same places."""
    stores, world = stores_at([(1100, 900), (2500, 2600)]), grid(4, 4)
    expected = dense(trade_areas(stores, world, method="ring", radius_m=900))
    for crs in ("EPSG:4326", "EPSG:4269", "EPSG:3857", "EPSG:2226"):
        elsewhere = neighbourhoods_of(world.frame.to_crs(crs).geometry.to_numpy(), crs=crs)
        for shops in (stores, Stores.from_frame(stores.frame.to_crs(crs))):
            shares = dense(trade_areas(shops, elsewhere, method="ring", radius_m=900))
            assert shares == pytest.approx(expected, rel=2e-3, abs=2e-3)


def test_coordinates_that_cannot_be_in_their_system_are_named() -> None:
    """Metres called degrees, and no system at all, are errors that say what to do."""
    metres = gpd.GeoDataFrame(geometry=squares(2, 2), crs="EPSG:4326")
    with pytest.raises(GeographyError, match=r"coordinates from .* cannot be in WGS 84; .*set_crs"):
        local_plane(metres)
    with pytest.raises(GeographyError, match="no coordinate reference system"):
        local_plane(gpd.GeoDataFrame(geometry=squares(2, 2)))
