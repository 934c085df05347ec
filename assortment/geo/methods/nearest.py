"""Trade areas by the nearest store: whole neighbourhoods, and cells of the plane."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from assortment.geo.areas import SparseShares, TradeAreas
from assortment.geo.arrays import FloatArray, Geometries
from assortment.geo.cover.overlay import cut
from assortment.geo.ground.ancillary import Ancillary, AncillaryTable
from assortment.geo.ground.ground import Ground

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
    return TradeAreas(kind="divides", method="nearest", parameters={}, ground=ground, matrix=SparseShares(share))


def thiessen(ground: Ground, *, ancillary: AncillaryTable | None = None) -> TradeAreas:
    """Give each point of the plane to its nearest store, neighbourhoods being split by area.

    Stores at the same place share their cell equally.

    Parameters
    ----------
    ground
        Stores and neighbourhoods on a plane.
    ancillary
        Where people live: points, or polygons such as census blocks, with a column ``count`` (else each counts 1).
        Neighbourhoods are then split by what is counted in them rather than by area.

    Returns
    -------
    TradeAreas
        Of kind ``divides``; the shares of every neighbourhood sum to 1.

    Raises
    ------
    GeographyError
        Ancillary counts that cannot be used.
    """
    places = None if ancillary is None else Ancillary.of(ancillary, ground)
    # To the millimetre: cells of sites closer than that would be lost to rounding.
    sites, site_of = np.unique(np.round(ground.store_xy, 3), axis=0, return_inverse=True)
    extent = ground.polygons if places is None else np.concatenate([ground.polygons, places.shapes])
    cells = _cells(sites, shapely.total_bounds(extent))
    stores_at = np.bincount(site_of)
    split = csr_array((1.0 / stores_at[site_of], (np.arange(len(site_of)), site_of)))
    shares = csr_array(split @ cut(cells, ground, places, divides=True))
    return TradeAreas(
        kind="divides",
        method="thiessen",
        parameters={} if places is None else {"ancillary": places.rows},
        ground=ground,
        matrix=SparseShares(shares, zones=cells[site_of], polygons=ground.polygons),
    )


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
