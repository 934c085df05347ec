"""Trade areas by the nearest store: whole neighbourhoods, and cells of the plane."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from assortment.geo.areas import SparseShares, TradeAreas
from assortment.geo.arrays import FloatArray, Geometries
from assortment.geo.ground import Ground
from assortment.geo.overlay import area_shares

_TIE = 1e-9
"""Distances that differ by less, relatively, are the same: which store is 'nearer' would be an accident of rounding."""


def nearest(ground: Ground) -> TradeAreas:
    """Give each neighbourhood, whole, to the store nearest to its representative point.

    Stores at the same distance share it equally, so that the order of the stores does not matter.

    Returns
    -------
    TradeAreas
        Of kind ``divides``; the shares of every neighbourhood sum to 1.
    """
    tree = cKDTree(ground.store_xy)
    distance = tree.query(ground.centre_xy)[0]
    tied = tree.query_ball_point(ground.centre_xy, distance * (1.0 + _TIE))
    counts = np.array([len(stores) for stores in tied])
    store = np.concatenate([np.asarray(stores, dtype=np.intp) for stores in tied])
    neighbourhood = np.repeat(np.arange(len(counts)), counts)
    share = csr_array(
        (1.0 / counts[neighbourhood], (store, neighbourhood)),
        shape=(len(ground.store_ids), len(ground.neighbourhood_ids)),
    )
    return _divided(ground, "nearest", share)


def thiessen(ground: Ground) -> TradeAreas:
    """Give each point of the plane to its nearest store, neighbourhoods being split by area.

    Stores at the same place share their cell equally.

    Returns
    -------
    TradeAreas
        Of kind ``divides``; the shares of every neighbourhood sum to 1.
    """
    # To the millimetre: cells of places closer than that would be lost to rounding.
    places, place_of = np.unique(np.round(ground.store_xy, 3), axis=0, return_inverse=True)
    shares = area_shares(_cells(places, shapely.total_bounds(ground.polygons)), ground.polygons)
    stores_at = np.bincount(place_of)
    split = csr_array((1.0 / stores_at[place_of], (np.arange(len(place_of)), place_of)))
    return _divided(ground, "thiessen", csr_array(split @ shares))


def _cells(places: FloatArray, bounds: FloatArray) -> Geometries:
    """Return the part of the plane nearest to each place, shape (n,), reaching beyond the bounds."""
    extent = shapely.box(*bounds)
    if len(places) == 1:
        return np.array([extent.buffer(1.0)], dtype=object)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(places), extend_to=extent))
    at, cell = shapely.STRtree(cells).query(shapely.points(places), predicate="intersects")
    ordered = np.empty(len(places), dtype=object)
    ordered[at] = cells[cell]
    return ordered


def _divided(ground: Ground, method: str, shares: csr_array) -> TradeAreas:
    return TradeAreas(
        kind="divides",
        method=method,
        parameters={},
        ground=ground,
        matrix=SparseShares(shares),
    )
