"""Whether every store lies in a neighbourhood; if not, what probably went wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import shapely
from geopandas import GeoSeries

from assortment.errors import GeographyError
from assortment.geo.arrays import FloatArray
from assortment.geo.ground import Ground
from assortment.geo.wording import listed
from assortment.inputs import Stores

_GAP = 0.01
"""A store this close to a polygon, as part of its width, lies in it: simplified coverages have gaps along their
borders."""

_SLIPS: tuple[tuple[str, Callable[[FloatArray], FloatArray]], ...] = (
    ("longitude and latitude look swapped", lambda xy: xy[:, ::-1]),
    ("the sign of the longitude looks wrong", lambda xy: xy * [-1.0, 1.0]),
    ("the sign of the latitude looks wrong", lambda xy: xy * [1.0, -1.0]),
)


def require_inside(ground: Ground, stores: Stores) -> None:
    """Check that every store lies in a neighbourhood.

    A store in a gap between two polygons, less than 1 % of their width from either, counts as inside.

    Raises
    ------
    GeographyError
        Some do not: each with its coordinates, the distance to the nearest neighbourhood, and the likely slip.
    """
    tree = shapely.STRtree(ground.polygons)
    distance, nearest = _to_nearest(tree, ground.store_xy)
    allowed = _GAP * np.sqrt(shapely.area(ground.polygons))
    outside = np.flatnonzero(~(distance <= np.where(nearest >= 0, allowed[nearest], 0.0)))
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


def _to_nearest(tree: shapely.STRtree, xy: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Distance to the nearest polygon and its row; infinite and -1 where the point is not on the plane."""
    distance, nearest = np.full(len(xy), np.inf), np.full(len(xy), -1)
    placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
    (asked, found), metres = tree.query_nearest(shapely.points(xy[placed]), return_distance=True, all_matches=False)
    distance[placed[asked]], nearest[placed[asked]] = metres, found
    return distance, nearest


def _advice(ground: Ground, stores: Stores, tree: shapely.STRtree, outside: npt.NDArray[np.intp]) -> str:
    if stores.frame.crs.is_geographic:
        given = shapely.get_coordinates(stores.frame.geometry.to_numpy())[outside]
        for slip, mend in _SLIPS:
            mended = GeoSeries(shapely.points(mend(given)), crs=stores.frame.crs).to_crs(ground.plane)
            distance, _ = _to_nearest(tree, shapely.get_coordinates(mended.to_numpy()))
            right = outside[distance == 0.0]
            if right.size:
                return f"{slip} for {listed(ground.store_ids[row] for row in right)}: correct it in the stores table"
    return (
        "check the coordinates and the CRS in the stores table, add the neighbourhoods around these stores, "
        "or leave the stores out"
    )
