"""How much of each polygon lies in each zone, by area or by what is counted inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import shapely
from scipy.sparse import csr_array, hstack

from assortment.geo.arrays import BoolArray, FloatArray, Geometries, IntArray
from assortment.geo.cover.disc import SLIVER, Discs
from assortment.geo.ground.ancillary import Ancillary, AncillaryTable
from assortment.geo.ground.ground import Ground

Zones: TypeAlias = "Geometries | Discs"

_PIECES = 20_000
"""Intersections made at a time; each is a geometry of its own, so all at once would take gigabytes."""
_PAIRS = 1 << 20
"""Most pairs of zone and point looked at together."""


def cut(
    zones: Zones, ground: Ground, ancillary: AncillaryTable | Ancillary | None = None, *, divides: bool = False
) -> csr_array:
    r"""Return the part of each neighbourhood's people in each zone.

    .. math:: w_{sm} = \frac{\sum_{u \in m} a_u c_{su}}{\sum_{u \in m} a_u}

    for the counts a of the places u in a neighbourhood, and the part c of a place in the zone: 0 or 1 for a point, the
    part of its area for a polygon.

    Parameters
    ----------
    zones
        Valid polygons, shape (S,), which are prepared in place; or discs.
    ground
        Neighbourhoods on the same plane.
    ancillary
        Where people live, see ``Ancillary.of``. Neighbourhoods in which nothing is counted are split by area; so are
        all without it.
    divides
        Zones meet only at their borders; a point there belongs in equal parts to those that meet.

    Returns
    -------
    scipy.sparse.csr_array
        Shape (S, M), values above 0 and at most 1.

    Raises
    ------
    GeographyError
        Ancillary counts that cannot be used.
    """
    if ancillary is None:
        return area_shares(zones, ground.polygons)
    places = Ancillary.of(ancillary, ground)
    shares = _counted(zones, places, divides=divides)
    if places.bare.size:
        by_area = area_shares(zones, ground.polygons[places.bare]).tocoo()
        shares = shares + csr_array((by_area.data, (by_area.row, places.bare[by_area.col])), shape=shares.shape)
    # Parts that make a whole may miss it by rounding.
    shares.data[shares.data > 1.0 - SLIVER] = 1.0
    return shares


def area_shares(zones: Zones, polygons: Geometries) -> csr_array:
    r"""Return the part of each polygon's area that each zone covers.

    .. math:: w_{sm} = \frac{|Z_s \cap P_m|}{|P_m|}

    A polygon that lies wholly in a zone is found by a prepared test and never cut, which is what most pairs need.

    Parameters
    ----------
    zones
        Valid polygons, shape (S,), which are prepared in place; or discs.
    polygons
        Valid polygons with area, shape (M,).

    Returns
    -------
    scipy.sparse.csr_array
        Shape (S, M), values above 0 and at most 1.
    """
    if isinstance(zones, Discs):
        return zones.shares(polygons)
    shapely.prepare(zones)
    zone, polygon = shapely.STRtree(polygons).query(zones, predicate="intersects")
    share = shapely.contains_properly(zones[zone], polygons[polygon]).astype(np.float64)
    edge = np.flatnonzero(share == 0.0)
    area = shapely.area(polygons)
    for first in range(0, edge.size, _PIECES):
        part = edge[first : first + _PIECES]
        pieces = shapely.intersection(zones[zone[part]], polygons[polygon[part]])
        share[part] = shapely.area(pieces) / area[polygon[part]]
    share[share > 1.0 - SLIVER] = 1.0
    touched = share > SLIVER
    return csr_array((share[touched], (zone[touched], polygon[touched])), shape=(len(zones), len(polygons)))


def coverage(zones: Zones, places: Ancillary, *, divides: bool = False) -> csr_array:
    """Return the part of each place in each zone, shape (S, U); ``divides`` as of ``cut``."""
    return csr_array(hstack([covered for _, covered in _coverage(zones, places, divides=divides)], format="csr"))


def _coverage(zones: Zones, places: Ancillary, *, divides: bool) -> Iterator[tuple[slice, csr_array]]:
    if not places.are_points:
        yield slice(None), area_shares(zones, places.shapes)
        return
    tree = shapely.STRtree(zones.boxes if isinstance(zones, Discs) else zones)
    size = max(1, _PAIRS // len(zones))
    for first in range(0, len(places.shapes), size):
        part = slice(first, first + size)
        xy = shapely.get_coordinates(places.shapes[part])
        point, zone = tree.query(places.shapes[part])
        held = _hold(zones, zone, xy[point])
        point, zone = point[held], zone[held]
        share = np.ones(len(point))
        if divides:
            share /= np.bincount(point)[point]
        yield part, csr_array((share, (zone, point)), shape=(len(zones), len(xy)))


def _counted(zones: Zones, places: Ancillary, *, divides: bool) -> csr_array:
    """Part of each neighbourhood's count in each zone; places come by neighbourhood, so that a part holds few."""
    sums = []
    for part, covered in _coverage(zones, places, divides=divides):
        neighbourhood, share = places.neighbourhood[part], places.part[part]
        shape = (len(share), places.neighbourhoods)
        sums.append((covered @ csr_array((share, (np.arange(len(share)), neighbourhood)), shape=shape)).tocoo())
    row, col, data = (np.concatenate([getattr(each, name) for each in sums]) for name in ("row", "col", "data"))
    return csr_array((data, (row, col)), shape=sums[0].shape)


def _hold(zones: Zones, zone: IntArray, xy: FloatArray) -> BoolArray:
    if isinstance(zones, Discs):
        return zones.hold(zone, xy)
    shapely.prepare(zones)
    held: BoolArray = shapely.intersects_xy(zones[zone], xy[:, 0], xy[:, 1])
    return held
