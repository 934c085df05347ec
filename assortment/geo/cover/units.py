"""``Units``: what areas cover or cut: neighbourhoods, or the places in them where their people live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack

from assortment.geo.arrays import FloatArray, Geometries, IntArray
from assortment.geo.cover.disc import Discs
from assortment.geo.cover.overlay import Zones, coverage
from assortment.geo.cover.pieces import Columns, Pieces, covered, cut_up
from assortment.geo.ground.ancillary import Ancillary


@dataclass(frozen=True, kw_only=True)
class Units:
    """Places with the shares of all stores in them.

    Attributes
    ----------
    columns
        Shares of S stores in U units.
    zones, shapes
        Outlines of the areas, shape (S,), and of the units, shape (U,), that the shares were cut from; or ``None``.
    neighbourhood, part
        Row of the neighbourhood that each unit is in, and the part of its people who live there, shape (U,).
    """

    columns: Columns
    zones: Geometries | None
    shapes: Geometries | None
    neighbourhood: IntArray
    part: FloatArray

    @classmethod
    def of(
        cls, shares: csr_array, zones: Zones | None, polygons: Geometries | None, places: Ancillary | None
    ) -> tuple[Units, ...]:
        """Take the neighbourhoods; with an ancillary count its places, and the neighbourhoods in which it is zero.

        Parameters
        ----------
        shares
            Of the stores in the neighbourhoods, shape (S, M).
        zones, polygons
            That the shares were cut from.
        places
            Where the people live, if the shares are parts of what is counted there.
        """
        outlines = zones.polygons if isinstance(zones, Discs) else zones
        if zones is None or polygons is None or places is None:
            size = shares.shape[1]
            return (cls._by_area(shares, np.arange(size), outlines, polygons),)
        counted = cls(
            columns=Columns.of(coverage(zones, places)),
            zones=None if places.are_points else outlines,
            shapes=None if places.are_points else places.shapes,
            neighbourhood=places.neighbourhood,
            part=places.part,
        )
        return counted, cls._by_area(csr_array(shares[:, places.bare]), places.bare, outlines, polygons[places.bare])

    @classmethod
    def _by_area(
        cls, shares: csr_array, rows: IntArray, zones: Geometries | None, polygons: Geometries | None
    ) -> Units:
        part = np.ones(len(rows))
        return cls(columns=Columns.of(shares), zones=zones, shapes=polygons, neighbourhood=rows, part=part)


def covered_parts(groups: Sequence[Units], neighbourhoods: int) -> FloatArray:
    """Return the part of each neighbourhood's people in the area of at least one store, shape (M,)."""
    total = np.zeros(neighbourhoods)
    for units in groups:
        part = units.part * covered(units.columns, units.zones, units.shapes)
        total += np.bincount(units.neighbourhood, part, minlength=neighbourhoods)
    return total


def pieces_of(groups: Sequence[Units]) -> Pieces:
    """Cut the neighbourhoods up so that the same stores serve all people of a piece."""
    cut = [cut_up(units.columns, units.zones, units.shapes) for units in groups]
    units = [(each.neighbourhood, each.part) for each in groups]
    return Pieces(
        neighbourhood=np.concatenate([row[each.neighbourhood] for (row, _), each in zip(units, cut, strict=True)]),
        part=np.concatenate([part[each.neighbourhood] * each.part for (_, part), each in zip(units, cut, strict=True)]),
        stores=csr_array(hstack([each.stores for each in cut])),
    )
