"""``Outlines``: the edges of polygons as plain arrays, to measure them against circles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from assortment.geo.arrays import FloatArray, Geometries, IntArray

_EDGES = 1 << 16
"""Edges worked on together: half a megabyte per array, so that the dozen in use stay near the processor."""

_POLYGONS = 1 << 12
"""Polygons taken apart together."""


@dataclass(frozen=True)
class Outlines:
    """Edges of M polygons, outer ones counter-clockwise and those of holes clockwise.

    Parameters
    ----------
    edges
        Where each begins and how far it goes: x, y, dx, dy in metres, shape (4, E), polygon by polygon.
    first, count
        First edge and number of edges of each polygon, shape (M,).
    centre_xy, reach_m
        Middle of each polygon's bounds, shape (M, 2), and the distance from it to the farthest corner, shape (M,).
    area_m2
        Shape (M,).
    """

    edges: FloatArray
    first: IntArray
    count: IntArray
    centre_xy: FloatArray
    reach_m: FloatArray
    area_m2: FloatArray

    @classmethod
    def of(cls, polygons: Geometries) -> Outlines:
        """Take valid polygons and multipolygons with area apart, whichever way their rings run."""
        bounds = shapely.bounds(polygons)
        centre_xy = 0.5 * (bounds[:, :2] + bounds[:, 2:])
        parts = [slice(first, first + _POLYGONS) for first in range(0, len(polygons), _POLYGONS)]
        edges, count, reach_m = zip(*(_edges(polygons[part], centre_xy[part]) for part in parts), strict=True)
        counts = np.concatenate(count)
        return cls(
            edges=np.concatenate(edges, axis=1),
            first=np.cumsum(counts) - counts,
            count=counts,
            centre_xy=centre_xy,
            reach_m=np.concatenate(reach_m),
            area_m2=shapely.area(polygons),
        )

    def __len__(self) -> int:
        """Return the number of polygons."""
        return len(self.count)

    def covered(self, polygon: IntArray, centre_xy: FloatArray, radius_m: FloatArray) -> FloatArray:
        r"""Return the area that a polygon and a circle share, pair by pair.

        By Green's theorem it is the sum over the edges of the signed area that the edge sees from the centre within the
        circle: of the triangle over the part of the edge inside it, and of the sectors over the parts outside,

        .. math:: |P \cap C| = \tfrac{1}{2} \sum_e (t_2 - t_1)\, p_e \times d_e + r^2 (\varphi_{1e} + \varphi_{2e})

        for the edge p + t d, inside from t₁ to t₂, seen under the angles φ₁ before and φ₂ after.

        Parameters
        ----------
        polygon
            Rows of polygons, shape (n,).
        centre_xy, radius_m
            Circle of each pair, shapes (n, 2) and (n,).

        Returns
        -------
        numpy.ndarray
            Square metres, shape (n,).
        """
        area = np.empty(len(polygon))
        for part in self._parts(polygon):
            count = self.count[polygon[part]]
            begin = np.cumsum(count) - count
            edge = np.arange(count.sum()) + np.repeat(self.first[polygon[part]] - begin, count)
            x, y, dx, dy = np.take(self.edges, edge, axis=1)
            x -= np.repeat(centre_xy[part, 0], count)
            y -= np.repeat(centre_xy[part, 1], count)
            seen = _seen(x, y, dx, dy, np.repeat(radius_m[part] ** 2, count))
            area[part] = 0.5 * np.add.reduceat(seen, begin)
        return area

    def _parts(self, polygon: IntArray) -> Iterator[slice]:
        ends = np.cumsum(self.count[polygon])
        total = int(ends[-1]) if ends.size else 0
        cuts = np.unique(np.searchsorted(ends, np.arange(_EDGES, total, _EDGES), side="right"))
        borders = [0, *(int(cut) for cut in cuts if 0 < cut < len(polygon)), len(polygon)]
        return (slice(low, high) for low, high in pairwise(borders) if low < high)


def _edges(polygons: Geometries, centre_xy: FloatArray) -> tuple[FloatArray, IntArray, FloatArray]:
    """Edges, shape (4, E), how many each polygon has, shape (M,), and how far it reaches from its centre."""
    parts, of_part = shapely.get_parts(polygons, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    corners, of_corner = shapely.get_coordinates(rings, return_index=True)
    # The corner that closes a ring begins no edge; nor does one that is given twice in a row.
    step = np.diff(corners, axis=0)
    begins = np.flatnonzero((of_corner[:-1] == of_corner[1:]) & step.any(axis=1))
    (x, y), (dx, dy), ring = corners[begins].T, step[begins].T, of_corner[begins]
    is_hole = np.diff(of_ring, prepend=-1) == 0
    flip = (shapely.is_ccw(rings) == is_hole)[ring]
    sign = np.where(flip, -1.0, 1.0)
    edges = np.array([np.where(flip, x + dx, x), np.where(flip, y + dy, y), sign * dx, sign * dy])
    polygon = of_part[of_ring[ring]]
    count = np.bincount(polygon, minlength=len(polygons))
    away = np.hypot(x - centre_xy[polygon, 0], y - centre_xy[polygon, 1])
    return edges, count, np.maximum.reduceat(away, np.cumsum(count) - count)


def _seen(x: FloatArray, y: FloatArray, dx: FloatArray, dy: FloatArray, squared_radius: FloatArray) -> FloatArray:
    """Twice the signed area that each edge sees from the origin within the circle around it, shape (n,)."""
    cross, along = x * dy - y * dx, x * dx + y * dy
    start, length = x * x + y * y, dx * dx + dy * dy
    beyond = np.flatnonzero(np.maximum(start, start + 2.0 * along + length) > squared_radius)
    cross[beyond] = _seen_beyond(*(part[beyond] for part in (cross, along, start, length, squared_radius)))
    return cross


def _seen_beyond(
    cross: FloatArray, along: FloatArray, start: FloatArray, length: FloatArray, squared_radius: FloatArray
) -> FloatArray:
    """The same for edges that do not lie wholly in the circle, from their products."""
    seen = np.arctan2(cross, start + along)
    chord = length * squared_radius - cross * cross
    met = np.flatnonzero(chord > 0.0)
    half, foot, whole = np.sqrt(chord[met]), -along[met], length[met]
    enter, leave = np.maximum((foot - half) / whole, 0.0), np.minimum((foot + half) / whole, 1.0)
    inside = np.flatnonzero(enter < leave)
    met, enter, leave = met[inside], enter[inside], leave[inside]
    before = np.arctan2(enter * cross[met], start[met] + enter * along[met])
    dot = start[met] + along[met] + leave * (along[met] + length[met])
    after = np.arctan2((1.0 - leave) * cross[met], dot)
    seen[met] = before + after + (leave - enter) * cross[met] / squared_radius[met]
    seen *= squared_radius
    return seen
