"""Which neighbourhood a place lies in; where a store lies in none, what probably went wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from geopandas import GeoSeries

from assortment.errors import GeographyError, listed
from assortment.geo.arrays import FloatArray, IntArray
from assortment.geo.ground.ground import Ground
from assortment.inputs import Stores

_GAP = 0.01
"""A store this close to a polygon, as part of its width, lies in it: simplified coverages have gaps along their
borders."""

_SLIPS: tuple[tuple[str, Callable[[FloatArray], FloatArray]], ...] = (
    ("longitude and latitude look swapped", lambda xy: xy[:, ::-1]),
    ("the sign of the longitude looks wrong", lambda xy: xy * [-1.0, 1.0]),
    ("the sign of the latitude looks wrong", lambda xy: xy * [1.0, -1.0]),
)


def neighbourhood_of(ground: Ground, xy: FloatArray) -> IntArray:
    """Return the neighbourhood that each point lies in.

    Parameters
    ----------
    ground
        Neighbourhoods on a plane.
    xy
        Points on the same plane, shape (n, 2), metres.

    Returns
    -------
    numpy.ndarray
        Shape (n,): the row of the neighbourhood, -1 outside all of them or where a coordinate is not finite. A point on
        a border is in one neighbourhood only, that whose id sorts first, so the order of the input does not matter.
    """
    placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
    # The tree holds the points, so that the polygons, which have the many corners, are the prepared side.
    polygon, point = shapely.STRtree(shapely.points(xy[placed])).query(ground.polygons, predicate="intersects")
    by_id = np.argsort(np.array(ground.neighbourhood_ids, dtype=object), kind="stable")
    rank = np.empty(len(by_id), dtype=np.intp)
    rank[by_id] = np.arange(len(by_id))
    first = np.full(len(placed), len(by_id))
    np.minimum.at(first, point, rank[polygon])
    found = np.full(len(xy), -1, dtype=np.intp)
    found[placed] = np.append(by_id, -1)[first]
    return found


def require_inside(ground: Ground, stores: Stores) -> None:
    """Check that every store lies in a neighbourhood.

    A store in a gap between two polygons, less than 1 % of their width from either, counts as inside.

    Raises
    ------
    GeographyError
        Some do not: each with its coordinates, the distance to the nearest neighbourhood, and the likely slip.
    """
    tree = shapely.STRtree(ground.polygons)
    outside, distance, nearest = _outside(ground, tree, ground.store_xy)
    if not outside.size:
        return
    given = shapely.get_coordinates(stores.frame.geometry.to_numpy())
    lines = [
        f"  - store {ground.store_ids[row]} at ({given[row, 0]:g}, {given[row, 1]:g}): "
        + (
            f"{distance[row] / 1000.0:,.1f} km from the nearest, {ground.neighbourhood_ids[nearest[row]]}"
            if np.isfinite(distance[row])
            else "not a place on the earth"
        )
        for row in outside[:25]
    ]
    if outside.size > len(lines):
        lines.append(f"  … and {outside.size - len(lines)} more")
    who = "1 store lies" if outside.size == 1 else f"{outside.size} stores lie"
    raise GeographyError(
        "\n".join([f"{who} outside every neighbourhood:", *lines, _advice(ground, stores, tree, outside)])
    )


def outside_by(ground: Ground, xy: FloatArray) -> FloatArray:
    """Return how far points lie outside every neighbourhood, shape (n,), metres: 0 inside and in a gap of the coverage.

    Parameters
    ----------
    ground
        Neighbourhoods on a plane.
    xy
        Points on the same plane, shape (n, 2), metres.
    """
    metres = np.zeros(len(xy))
    left = np.flatnonzero(neighbourhood_of(ground, xy) < 0)
    outside, distance, _ = _outside(ground, shapely.STRtree(ground.polygons), xy[left])
    metres[left[outside]] = distance[outside]
    return metres


def _outside(ground: Ground, tree: shapely.STRtree, xy: FloatArray) -> tuple[IntArray, FloatArray, IntArray]:
    """Which points lie outside and in no gap, and of all points what ``_to_nearest`` gives."""
    distance, nearest = _to_nearest(tree, xy)
    allowed = _GAP * np.sqrt(shapely.area(ground.polygons))
    outside = np.flatnonzero(~(distance <= np.where(nearest >= 0, allowed[nearest], 0.0)))
    return outside, distance, nearest


def _to_nearest(tree: shapely.STRtree, xy: FloatArray) -> tuple[FloatArray, IntArray]:
    """Distance to the nearest polygon and its row; infinite and -1 where the point is not on the plane."""
    distance, nearest = np.full(len(xy), np.inf), np.full(len(xy), -1, dtype=np.intp)
    placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
    (asked, found), metres = tree.query_nearest(shapely.points(xy[placed]), return_distance=True, all_matches=False)
    distance[placed[asked]], nearest[placed[asked]] = metres, found
    return distance, nearest


def _advice(ground: Ground, stores: Stores, tree: shapely.STRtree, outside: IntArray) -> str:
    if stores.frame.crs.is_geographic:
        given = shapely.get_coordinates(stores.frame.geometry.to_numpy())[outside]
        for slip, mend in _SLIPS:
            mended = GeoSeries(shapely.points(mend(given)), crs=stores.frame.crs).to_crs(ground.plane)
            distance, _ = _to_nearest(tree, shapely.get_coordinates(mended.to_numpy()))
            right = outside[distance == 0.0]
            if right.size:
                return f"{slip} for {listed(ground.store_ids[row] for row in right)}: correct it in the stores table"
    if len(outside) == len(ground.store_ids) and _lie_apart(ground):
        crs = stores.frame.crs.to_string()
        return (
            "all stores lie farther away than the neighbourhoods reach: the CRS of one of the two is probably wrong. "
            f"By {crs} the stores are around {_place(ground, ground.store_xy)}, and by theirs the neighbourhoods "
            f"around {_place(ground, ground.centre_xy)}; look both up on a map"
        )
    return (
        "check the coordinates and the CRS in the stores table, add the neighbourhoods around these stores, "
        "or leave the stores out"
    )


def _lie_apart(ground: Ground) -> bool:
    """Whether no store is as near to the neighbourhoods as they are to each other."""
    west, south, east, north = shapely.total_bounds(ground.polygons)
    beyond = np.maximum(np.maximum([west, south] - ground.store_xy, ground.store_xy - [east, north]), 0.0)
    return bool((np.hypot(*beyond.T) > np.hypot(east - west, north - south)).all())


def _place(ground: Ground, xy: FloatArray) -> str:
    """The middle of some points in words."""
    geodetic = ground.plane.geodetic_crs
    if geodetic is None:
        return "a place that their plane does not tell"
    middle = GeoSeries(shapely.points(np.median(xy, axis=0)[None, :]), crs=ground.plane).to_crs(geodetic)
    longitude, latitude = shapely.get_coordinates(middle.to_numpy())[0]
    return f"longitude {longitude:.2f}, latitude {latitude:.2f}"
