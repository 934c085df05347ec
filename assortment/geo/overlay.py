"""How much of each polygon lies in each zone, by area."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import csr_array

from assortment.geo.arrays import Geometries

_PIECES = 20_000
"""Intersections made at a time; each is a geometry of its own, so all at once would take gigabytes."""


def area_shares(zones: Geometries, polygons: Geometries) -> csr_array:
    r"""Return the part of each polygon's area that each zone covers.

    .. math:: w_{sm} = \frac{|Z_s \cap P_m|}{|P_m|}

    A polygon that lies wholly in a zone is found by a prepared test and never cut, which is what most pairs need.

    Parameters
    ----------
    zones
        Valid polygons, shape (S,). They are prepared in place.
    polygons
        Valid polygons with area, shape (M,).

    Returns
    -------
    scipy.sparse.csr_array
        Shape (S, M), values above 0 and at most 1.
    """
    shapely.prepare(zones)
    zone, polygon = shapely.STRtree(polygons).query(zones, predicate="intersects")
    share = shapely.contains_properly(zones[zone], polygons[polygon]).astype(np.float64)
    edge = np.flatnonzero(share == 0.0)
    area = shapely.area(polygons)
    for first in range(0, edge.size, _PIECES):
        part = edge[first : first + _PIECES]
        pieces = shapely.intersection(zones[zone[part]], polygons[polygon[part]])
        # Rounding in the cut may exceed the whole by some 1e-16.
        share[part] = np.minimum(shapely.area(pieces) / area[polygon[part]], 1.0)
    touched = share > 0.0
    return csr_array((share[touched], (zone[touched], polygon[touched])), shape=(len(zones), len(polygons)))
