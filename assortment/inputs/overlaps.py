"""Neighbourhoods that lie over each other, where the same people would be counted twice."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from assortment.errors import AssortmentWarning, listed
from assortment.inputs.source import Source

LEAST = 0.01
"""An overlap up to this part of the smaller polygon is a flaw of digitising or of a simplified outline."""

_SAME = 1e-6
"""Two polygons whose areas differ from their overlap by less, relatively, have the same shape."""


@dataclass(frozen=True)
class Overlap:
    """Two polygons that cover the same ground.

    Parameters
    ----------
    first, second
        Their rows, the first being the smaller polygon.
    share
        Part of the first that lies in the second.
    same
        They have the same shape.
    """

    first: int
    second: int
    share: float
    same: bool


def warn_of_overlaps(frame: gpd.GeoDataFrame, source: Source) -> None:
    """Warn of neighbourhoods that cover the same ground.

    Parameters
    ----------
    frame
        ``neighbourhood_id`` and valid polygons.
    source
        Where it came from, for the message.
    """
    found = overlaps(_unrolled(frame.geometry))
    if not found:
        return
    ids = frame["neighbourhood_id"].tolist()
    pairs = listed((_told(pair, ids) for pair in found), separator="; ", what="pairs")
    what = "1 pair of neighbourhoods covers" if len(found) == 1 else f"{len(found)} pairs of neighbourhoods cover"
    warnings.warn(
        f"{source.name}: {what} the same ground, so people there are counted twice: {pairs}; "
        "leave one of each pair out, or correct the polygons",
        AssortmentWarning,
        stacklevel=2,
    )


def overlaps(polygons: NDArray[np.object_]) -> list[Overlap]:
    """Pairs of polygons that overlap by more than 1 % of the smaller one.

    Parameters
    ----------
    polygons
        Valid polygons or multipolygons with area, shape (M,), on a plane.

    Returns
    -------
    list of Overlap
        Those of the same shape first, then by falling share. Of several copies, each is named beside the first.

    Notes
    -----
    A coverage without fault is recognised from its edges alone. Otherwise polygons with faulty edges are compared with
    those whose boxes they share, and only pairs that do not merely touch are cut.
    """
    first_of = _first_copies(polygons)
    copies = np.flatnonzero(first_of != np.arange(len(polygons)))
    kept = np.flatnonzero(first_of == np.arange(len(polygons)))
    found = [Overlap(int(first_of[row]), int(row), 1.0, True) for row in copies]
    low, high = _suspects(polygons[kept])
    low, high = kept[low], kept[high]
    area = shapely.area(polygons)
    shared = shapely.area(shapely.intersection(polygons[low], polygons[high]))
    for place in np.flatnonzero(shared > LEAST * np.minimum(area[low], area[high])):
        pair = (int(low[place]), int(high[place]))
        small, large = sorted(pair, key=lambda row: (area[row], row))
        same = shared[place] >= (1.0 - _SAME) * area[large]
        found.append(Overlap(small, large, min(float(shared[place] / area[small]), 1.0), bool(same)))
    return sorted(found, key=lambda pair: (not pair.same, -pair.share, pair.first, pair.second))


def _first_copies(polygons: NDArray[np.object_]) -> NDArray[np.intp]:
    """The row of the first polygon with the same outline, shape (M,): mostly the polygon's own."""
    marks = np.column_stack([shapely.bounds(polygons), shapely.area(polygons)])
    _, first, group = np.unique(marks, axis=0, return_index=True, return_inverse=True)
    first_of: NDArray[np.intp] = first[group.ravel()]
    alike = np.flatnonzero(first_of != np.arange(len(polygons)))
    other = alike[~shapely.equals(polygons[alike], polygons[first_of[alike]])]
    first_of[other] = other
    return first_of


def _suspects(polygons: NDArray[np.object_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of pairs whose interiors may meet in more than a sliver."""
    nobody = np.empty(0, dtype=np.intp)
    faulty = ~shapely.is_empty(shapely.coverage_invalid_edges(polygons))
    if not faulty.any():
        return nobody, nobody
    asked, other = shapely.STRtree(polygons).query(polygons[faulty])
    asked = np.flatnonzero(faulty)[asked]
    # A pair of two faulty polygons is met from both sides.
    once = (asked < other) | ((asked > other) & ~faulty[other])
    asked, other = asked[once], other[once]
    boxes, area = shapely.bounds(polygons), shapely.area(polygons)
    sides = np.minimum(boxes[asked, 2:], boxes[other, 2:]) - np.maximum(boxes[asked, :2], boxes[other, :2])
    wide = sides.prod(axis=1) > LEAST * np.minimum(area[asked], area[other])
    asked, other = asked[wide], other[wide]
    shapely.prepare(polygons)
    apart = shapely.touches(polygons[asked], polygons[other])
    # The frame shares these polygons, and would carry the indices along.
    shapely.destroy_prepared(polygons)
    return asked[~apart], other[~apart]


def _unrolled(geometry: gpd.GeoSeries) -> NDArray[np.object_]:
    """Polygons on a plane; in degrees, what crosses the antimeridian is put together again."""
    polygons: NDArray[np.object_] = geometry.to_numpy().copy()
    if not geometry.crs.is_geographic:
        return polygons
    bounds = shapely.bounds(polygons)
    across = bounds[:, 2] - bounds[:, 0] > 180.0
    if not across.any():
        return polygons
    polygons[across] = shapely.make_valid(shapely.transform(polygons[across], _from_greenwich_east))
    west = ~across & (bounds[:, 0] < 0.0)
    polygons[west] = shapely.transform(polygons[west], lambda xy: xy + np.array([360.0, 0.0]))
    return polygons


def _from_greenwich_east(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([degrees[:, 0] % 360.0, degrees[:, 1]])


def _told(pair: Overlap, ids: Sequence[Any]) -> str:
    first, second = ids[pair.first], ids[pair.second]
    if pair.same:
        return f"{first} and {second} have the same shape"
    return f"{100.0 * pair.share:.3g} % of {first} lies in {second}"
