"""``Discs``: circles around stores, and exactly how much of each polygon they cover."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csr_array, vstack

from assortment.geo.arrays import BoolArray, FloatArray, Geometries, IntArray
from assortment.geo.cover.outlines import Outlines

CORNERS = 256
SLIVER = 1e-12
"""Smaller shares are rounding: a circle that touches a polygon, or two circles that cut a polygon alike."""
_PAIRS = 1 << 19
"""Pairs of disc and polygon looked at together: some 50 MB with all that is worked out for them."""


@dataclass(frozen=True)
class Discs:
    """Circles around points, with or without a hole of the same centre.

    Parameters
    ----------
    centre_xy
        Shape (S, 2), metres.
    radius_m
        Shape (S,), above 0.
    inner_m
        Radius of the hole, shape (S,), above 0 and below ``radius_m``; ``None``: no holes.
    """

    centre_xy: FloatArray
    radius_m: FloatArray
    inner_m: FloatArray | None = None

    def __post_init__(self) -> None:
        for array in (self.centre_xy, self.radius_m, self.inner_m):
            if array is not None:
                array.setflags(write=False)

    def __len__(self) -> int:
        """Return the number of discs."""
        return len(self.radius_m)

    @property
    def boxes(self) -> Geometries:
        """The square around each disc, shape (S,)."""
        return _boxes(self.centre_xy, self.radius_m)

    @property
    def polygons(self) -> Geometries:
        """The discs as polygons of the same area, see ``circles``, shape (S,)."""
        whole = circles(self.centre_xy, self.radius_m)
        if self.inner_m is None:
            return whole
        bands: Geometries = shapely.difference(whole, circles(self.centre_xy, self.inner_m))
        return bands

    def hold(self, disc: IntArray, xy: FloatArray) -> BoolArray:
        """Return whether a disc holds a point, pair by pair; its outer border belongs to it, its inner one does not.

        Parameters
        ----------
        disc
            Rows of discs, shape (n,).
        xy
            Points, shape (n, 2).
        """
        distance = np.hypot(*(xy - self.centre_xy[disc]).T)
        held: BoolArray = distance <= self.radius_m[disc]
        return held if self.inner_m is None else held & (distance > self.inner_m[disc])

    def shares(self, polygons: Geometries) -> csr_array:
        """Return the part of each polygon's area that each disc covers.

        Parameters
        ----------
        polygons
            Valid polygons or multipolygons with area, shape (M,).

        Returns
        -------
        scipy.sparse.csr_array
            Shape (S, M), values above 0 and at most 1, exact but for rounding.
        """
        outlines, tree = Outlines.of(polygons), shapely.STRtree(polygons)
        whole = _shares(outlines, tree, self.centre_xy, self.radius_m)
        if self.inner_m is None:
            return whole
        return _without(whole, _shares(outlines, tree, self.centre_xy, self.inner_m))


def circles(centre_xy: FloatArray, radius_m: FloatArray) -> Geometries:
    r"""Return circles as polygons of 256 corners that have exactly the circle's area.

    An inscribed polygon of n corners would miss :math:`1 - \frac{\sin(2\pi/n)}{2\pi/n}` of the area, 0.01 % here, so
    the corners are moved out until the areas agree; the border then lies within 0.008 % of the radius on either side of
    the circle.

    Parameters
    ----------
    centre_xy
        Shape (S, 2), metres.
    radius_m
        Shape (S,).
    """
    step = 2.0 * np.pi / CORNERS
    angle = np.arange(CORNERS) * step
    corners = np.column_stack([np.cos(angle), np.sin(angle)]) * np.sqrt(step / np.sin(step))
    rings: Geometries = shapely.polygons(centre_xy[:, None, :] + radius_m[:, None, None] * corners)
    return rings


def _without(outer: csr_array, inner: csr_array) -> csr_array:
    """Return the shares of the bands between two sets of discs, given the shares of both, shape (S, M)."""
    band = csr_array(outer - inner)
    band.data[band.data < SLIVER] = 0.0
    band.eliminate_zeros()
    return band


def _boxes(centre_xy: FloatArray, radius_m: FloatArray) -> Geometries:
    (west, south), (east, north) = (centre_xy - radius_m[:, None]).T, (centre_xy + radius_m[:, None]).T
    boxes: Geometries = shapely.box(west, south, east, north)
    return boxes


def _shares(outlines: Outlines, tree: shapely.STRtree, centre_xy: FloatArray, radius_m: FloatArray) -> csr_array:
    blocks = []
    for part in _parts(len(radius_m), len(outlines)):
        xy, radius = centre_xy[part], radius_m[part]
        disc, polygon = tree.query(_boxes(xy, radius))
        away = np.hypot(*(outlines.centre_xy[polygon] - xy[disc]).T)
        reach, reached = outlines.reach_m[polygon], radius[disc]
        share = (away + reach <= reached).astype(np.float64)
        cut = np.flatnonzero((share == 0.0) & (away < reached + reach))
        share[cut] = outlines.covered(polygon[cut], xy[disc[cut]], reached[cut]) / outlines.area_m2[polygon[cut]]
        share[share > 1.0 - SLIVER] = 1.0
        kept = share > SLIVER
        blocks.append(csr_array((share[kept], (disc[kept], polygon[kept])), shape=(len(radius), len(outlines))))
    return csr_array(vstack(blocks, format="csr"))


def _parts(discs: int, polygons: int) -> Iterator[slice]:
    size = max(1, _PAIRS // polygons)
    return (slice(first, first + size) for first in range(0, discs, size))
