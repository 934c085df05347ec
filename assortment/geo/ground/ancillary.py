"""``Ancillary``: where in a neighbourhood its people live, by a count of dwellings, blocks or the like."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.arrays import BoolArray, FloatArray, Geometries, IntArray
from assortment.geo.faults import Faults
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.located import located
from assortment.geo.ground.placement import neighbourhood_of
from assortment.geo.ground.projection import to_plane

AncillaryTable: TypeAlias = "pd.DataFrame | GeoDataFrame"

_POINT = shapely.GeometryType.POINT
_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True, kw_only=True)
class Ancillary:
    """Places in neighbourhoods, each with its part of what is counted there.

    Attributes
    ----------
    shapes
        The places: points, or polygons that are split by area; shape (U,), on the plane, by rising neighbourhood.
    neighbourhood
        Row of the neighbourhood that each place is in, shape (U,).
    part
        Its part of the neighbourhood's count, above 0, shape (U,); the parts of a neighbourhood sum to 1.
    bare
        Rows of the neighbourhoods in which nothing is counted.
    neighbourhoods
        How many there are (M).
    rows
        How many places were given.
    """

    shapes: Geometries
    neighbourhood: IntArray
    part: FloatArray
    bare: IntArray
    neighbourhoods: int
    rows: int

    def __post_init__(self) -> None:
        for array in (self.shapes, self.neighbourhood, self.part, self.bare):
            array.setflags(write=False)

    @property
    def are_points(self) -> bool:
        """Whether the places are points."""
        return bool((shapely.get_type_id(self.shapes) == _POINT).all())

    @classmethod
    def of(cls, given: AncillaryTable | Ancillary, ground: Ground) -> Ancillary:
        """Bring places to the plane and into their neighbourhoods.

        A point on a border is in one neighbourhood only. A polygon, such as a census block, is in the neighbourhood
        that its representative point lies in.

        Parameters
        ----------
        given
            Points or polygons in any coordinate reference system, or longitude and latitude; in the column ``count`` at
            least 0, or no such column, and each row counts 1.
        ground
            Neighbourhoods on a plane.

        Raises
        ------
        GeographyError
            Rows with a count that is missing or below 0, or without a place on the plane; points and polygons mixed; no
            row in any neighbourhood.
        """
        if isinstance(given, Ancillary):
            return given
        shapes, count = _checked(given, ground)
        inside = neighbourhood_of(ground, shapely.get_coordinates(shapely.point_on_surface(shapes)))
        _warn_of_outside(count, inside)
        kept = np.flatnonzero((inside >= 0) & (count > 0.0))
        if not kept.size:
            raise GeographyError(
                "no row of the ancillary table counts anything in a neighbourhood; check its counts and coordinates, "
                "and the CRS that is stated"
            )
        kept = kept[np.argsort(inside[kept], kind="stable")]
        neighbourhood = inside[kept]
        total = np.bincount(neighbourhood, weights=count[kept], minlength=len(ground.polygons))
        bare = np.flatnonzero(total == 0.0)
        if bare.size:
            warnings.warn(
                f"the ancillary counts are zero in {bare.size} neighbourhoods, which are split by area instead: "
                f"{listed(ground.neighbourhood_ids[row] for row in bare)}",
                AssortmentWarning,
                stacklevel=4,
            )
        return cls(
            shapes=shapes[kept],
            neighbourhood=neighbourhood,
            part=count[kept] / total[neighbourhood],
            bare=bare,
            neighbourhoods=len(total),
            rows=len(count),
        )


def _checked(given: AncillaryTable, ground: Ground) -> tuple[Geometries, FloatArray]:
    """Return valid shapes on the plane and their counts, both of shape (rows,)."""
    faults = Faults("the ancillary table")
    table = located("ancillary", given, faults)
    shapes: Geometries = shapely.force_2d(to_plane(table, ground.plane, what="ancillary places").to_numpy())
    kind = shapely.get_type_id(shapes)
    absent = shapely.is_missing(shapes) | shapely.is_empty(shapes) | ~np.isfinite(shapely.bounds(shapes)).all(axis=1)
    points, polygons = kind == _POINT, np.isin(kind, _POLYGONS)
    _add(faults, absent, "no place on the earth in", "correct the coordinates, or the CRS that is stated")
    _add(faults, ~(absent | points | polygons), "neither a point nor a polygon in", "give one of the two")
    if points.any() and polygons.any():
        _add(faults, polygons & ~absent, "polygons among points in", "give points only, or polygons only")
    broken = np.flatnonzero(polygons & ~absent & ~shapely.is_valid(shapes))
    shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    _add(faults, polygons & ~absent & ~(shapely.area(shapes) > 0.0), "polygons without area in", "leave them out")
    faults.end()
    if broken.size:
        warnings.warn(
            f"the ancillary table has polygons that cross themselves and were repaired in {_rows(broken)}",
            AssortmentWarning,
            stacklevel=5,
        )
    return shapes, table["count"].to_numpy(dtype=np.float64)


def _add(faults: Faults, wrong: BoolArray, found: str, advice: str) -> None:
    if wrong.any():
        faults.add(f"{found} {_rows(np.flatnonzero(wrong))}; {advice}, or leave the rows out")


def _rows(rows: Iterable[int]) -> str:
    numbers = [int(row) + 1 for row in rows]
    return ("row " if len(numbers) == 1 else f"{len(numbers)} rows: ") + listed(numbers)


def _warn_of_outside(count: FloatArray, inside: IntArray) -> None:
    outside = np.flatnonzero(inside < 0)
    if 0 < outside.size < len(count):
        warnings.warn(
            f"{outside.size} of {len(count)} rows of the ancillary table lie outside every neighbourhood and are left "
            f"out, with {count[outside].sum():g} of {count.sum():g} counted: {_rows(outside)}",
            AssortmentWarning,
            stacklevel=5,
        )
