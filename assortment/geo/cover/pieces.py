"""``Pieces``: neighbourhoods cut up so that all people of a piece live in the areas of the same stores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csc_array, csr_array, hstack

from assortment.geo.arrays import BoolArray, FloatArray, Geometries, IntArray

_WHOLE = 1.0 - 1e-12
"""A share from here on is all of it: how much of a polygon lies in a zone is known to rounding."""


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Parts of neighbourhoods; what no area covers is in none of them.

    Attributes
    ----------
    neighbourhood
        Row of the neighbourhood that each of the P pieces is in, shape (P,).
    part
        Part of the neighbourhood's people who live in the piece, above 0 and at most 1, shape (P,).
    stores
        1 where the area of a store covers the piece, shape (S, P).
    """

    neighbourhood: IntArray
    part: FloatArray
    stores: csr_array


@dataclass(frozen=True)
class Columns:
    """Shares of S stores in U units: neighbourhoods, or the places in them where their people live.

    Parameters
    ----------
    matrix
        Shares, without zeros, shape (S, U).
    """

    matrix: csc_array

    @classmethod
    def of(cls, shares: csr_array) -> Columns:
        """Take shares that are stored store by store."""
        matrix = csc_array(shares)
        matrix.eliminate_zeros()
        return cls(matrix)

    @property
    def count(self) -> IntArray:
        """Stores whose areas cover some of each unit, shape (U,)."""
        count: IntArray = np.diff(self.matrix.indptr)
        return count

    @property
    def cuts(self) -> IntArray:
        """Stores whose areas cover a part of each unit, and not all of it, shape (U,)."""
        unit = np.repeat(np.arange(self.matrix.shape[1]), self.count)
        cuts: IntArray = np.bincount(unit[self.matrix.data < _WHOLE], minlength=self.matrix.shape[1])
        return cuts

    def reduced(self, function: np.ufunc) -> FloatArray:
        """Return the greatest share (``np.maximum``) or the sum (``np.add``) over the stores, shape (U,)."""
        result = np.zeros(self.matrix.shape[1])
        some = np.flatnonzero(self.count)
        if some.size:
            result[some] = function.reduceat(self.matrix.data, self.matrix.indptr[some])
        return result


def covered(columns: Columns, zones: Geometries | None, shapes: Geometries | None) -> FloatArray:
    r"""Return the part of each unit that the area of at least one store covers, shape (U,).

    .. math:: c_u = \frac{|P_u \cap \bigcup_s Z_s|}{|P_u|}

    Parameters
    ----------
    columns
        Shares of the stores in the units.
    zones, shapes
        Outlines Z of the areas, shape (S,), and P of the units, shape (U,), that the shares were cut from. Without them
        the areas in a unit are taken to lie within each other.

    Returns
    -------
    numpy.ndarray
        Between the greatest share of one store and the sum. Only units that several areas cut, and none covers whole,
        are drawn.
    """
    union = columns.reduced(np.maximum)
    if zones is None or shapes is None:
        return union
    drawn = np.flatnonzero((columns.cuts > 1) & (union < _WHOLE))
    rest = shapes[drawn]
    first, count = columns.matrix.indptr[drawn], columns.count[drawn]
    for rank in range(int(count.max(initial=0))):
        more = np.flatnonzero(count > rank)
        rest[more] = shapely.difference(rest[more], zones[columns.matrix.indices[first[more] + rank]])
    highest = np.minimum(columns.reduced(np.add)[drawn], 1.0)
    union[drawn] = np.clip(1.0 - shapely.area(rest) / shapely.area(shapes[drawn]), union[drawn], highest)
    return union


def cut_up(columns: Columns, zones: Geometries | None, shapes: Geometries | None) -> Pieces:
    """Cut units, in the role of neighbourhoods, along the borders of the areas; parameters as of ``covered``."""
    if zones is None or shapes is None:
        return _nested(columns, np.arange(columns.matrix.shape[1]))
    several = columns.cuts > 1
    nested = _nested(columns, np.flatnonzero(~several))
    if not several.any():
        return nested
    drawn = _drawn(columns, np.flatnonzero(several), zones=zones, shapes=shapes)
    return Pieces(
        neighbourhood=np.concatenate([nested.neighbourhood, drawn.neighbourhood]),
        part=np.concatenate([nested.part, drawn.part]),
        stores=csr_array(hstack([nested.stores, drawn.stores])),
    )


def _nested(columns: Columns, units: IntArray) -> Pieces:
    """Pieces between each share of a unit and the next smaller one; the areas of all larger shares cover them."""
    matrix = columns.matrix
    of, entry = _ranges(matrix.indptr[units], columns.count[units])
    share = np.where(matrix.data[entry] < _WHOLE, matrix.data[entry], 1.0)
    order = np.lexsort((-share, of))
    of, share, store = of[order], share[order], matrix.indices[entry[order]]
    step = share.copy()
    step[:-1] -= np.where(of[1:] == of[:-1], share[1:], 0.0)
    last = np.flatnonzero(step > 0.0)
    first = np.searchsorted(of, of[last])
    piece, member = _ranges(first, last - first + 1)
    stores = csr_array((np.ones(len(piece)), (store[member], piece)), shape=(matrix.shape[0], len(last)))
    return Pieces(neighbourhood=units[of[last]], part=step[last], stores=stores)


def _drawn(columns: Columns, units: IntArray, *, zones: Geometries, shapes: Geometries) -> Pieces:
    """Pieces of units that several areas cut."""
    matrix = columns.matrix
    of, entry = _ranges(matrix.indptr[units], columns.count[units])
    store, whole = matrix.indices[entry], matrix.data[entry] >= _WHOLE
    everywhere = csc_array((np.ones(whole.sum()), (store[whole], of[whole])), shape=(matrix.shape[0], len(units)))
    cutting = store[~whole]
    count = np.bincount(of[~whole], minlength=len(units))
    of, area, inside = _split(shapes[units], count, zones[cutting])
    piece, nth = np.nonzero(inside)
    pairs = (cutting[(np.cumsum(count) - count)[of[piece]] + nth], piece)
    stores = csc_array((np.ones(len(piece)), pairs), shape=(matrix.shape[0], len(of))) + everywhere[:, of]
    served = np.flatnonzero(stores.sum(axis=0) > 0.0)
    part = area[served] / shapely.area(shapes[units[of[served]]])
    return Pieces(neighbourhood=units[of[served]], part=part, stores=csr_array(stores[:, served]))


def _split(shapes: Geometries, count: IntArray, zones: Geometries) -> tuple[IntArray, FloatArray, BoolArray]:
    """Split each shape by its zones, the nth of all shapes at a time, and return all that comes of it.

    Parameters
    ----------
    shapes, count
        Shapes, and how many zones each has, shape (U,).
    zones
        The zones of the first shape, then those of the second, and so on.

    Returns
    -------
    of, area, inside
        The shape that each piece is of and its area, shape (P,), and whether it lies in the nth zone of its shape,
        shape (P, N).
    """
    first, of = np.cumsum(count) - count, np.arange(len(shapes))
    inside = np.zeros((len(shapes), int(count.max())), dtype=bool)
    for nth in range(inside.shape[1]):
        more = np.flatnonzero(count[of] > nth)
        zone = zones[first[of[more]] + nth]
        within = shapely.intersection(shapes[more], zone)
        part = shapely.area(within) / shapely.area(shapes[more])
        inside[more[part >= _WHOLE], nth] = True
        (cut,) = np.nonzero((part > 1.0 - _WHOLE) & (part < _WHOLE))
        marked = inside[more[cut]]
        marked[:, nth] = True
        shapes[more[cut]] = _areal(shapely.difference(shapes[more[cut]], zone[cut]))
        shapes, of = np.concatenate([shapes, _areal(within[cut])]), np.concatenate([of, of[more[cut]]])
        inside = np.concatenate([inside, marked])
    return of, shapely.area(shapes), inside


def _areal(shapes: Geometries) -> Geometries:
    """Drop points and lines, which borders that touch leave behind, and which GEOS does not cut any further."""
    flat = shapely.get_dimensions(shapes) < 2
    for index in np.flatnonzero(flat | (shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION)):
        parts = shapely.get_parts(shapes[index])
        shapes[index] = shapely.multipolygons(parts[shapely.get_dimensions(parts) == 2])
    return shapes


def _ranges(first: IntArray, length: IntArray) -> tuple[IntArray, IntArray]:
    """Return which of the ranges [first, first + length) each element is of, and the elements, in a row."""
    of = np.repeat(np.arange(len(first)), length)
    return of, np.arange(len(of)) - np.repeat(np.cumsum(length) - length, length) + first[of]
