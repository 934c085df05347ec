"""``Ground``: stores and neighbourhoods on one plane, in metres."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from pyproj import CRS

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo.arrays import FloatArray, Geometries
from assortment.geo.ground.projection import local_plane, to_plane
from assortment.geo.wording import listed
from assortment.inputs import Neighbourhoods, Stores


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every method works on.

    Attributes
    ----------
    plane
        Coordinate reference system of all that follows, in metres.
    stores
        The table of the S stores, for parameters that are a column of it.
    store_ids, store_xy
        Ids and coordinates, shape (S, 2).
    neighbourhood_ids, polygons
        Ids and valid polygons, shape (M,).
    attribution
        Whose figures and outlines the neighbourhoods are, for maps.
    """

    plane: CRS
    stores: pd.DataFrame
    store_ids: tuple[str, ...]
    store_xy: FloatArray
    neighbourhood_ids: tuple[str, ...]
    polygons: Geometries
    attribution: str = ""

    @cached_property
    def centre_xy(self) -> FloatArray:
        """A point inside each polygon (its representative point), shape (M, 2); distances are measured to it."""
        centre_xy: FloatArray = shapely.get_coordinates(shapely.point_on_surface(self.polygons))
        centre_xy.setflags(write=False)
        return centre_xy

    @classmethod
    def of(cls, stores: Stores, neighbourhoods: Neighbourhoods) -> Ground:
        """Bring stores and neighbourhoods to a common plane.

        Raises
        ------
        GeographyError
            Coordinates that cannot be projected; a neighbourhood without area.
        """
        plane = local_plane(neighbourhoods.frame)
        polygons = _valid(to_plane(neighbourhoods.frame, plane, what="neighbourhoods"), neighbourhoods.ids)
        store_xy = shapely.get_coordinates(to_plane(stores.frame, plane, what="stores").to_numpy())
        for array in (polygons, store_xy):
            array.setflags(write=False)
        return cls(
            plane=plane,
            stores=pd.DataFrame(stores.frame),
            store_ids=tuple(stores.ids),
            store_xy=store_xy,
            neighbourhood_ids=tuple(neighbourhoods.ids),
            polygons=polygons,
            attribution=neighbourhoods.attribution,
        )


def _valid(geometry: GeoSeries, ids: tuple[str, ...]) -> Geometries:
    polygons: Geometries = shapely.force_2d(geometry.to_numpy())
    # A polygon may become invalid on the way to the plane, where two of its edges lay within rounding of each other.
    broken = np.flatnonzero(~shapely.is_valid(polygons))
    for index in broken:
        polygons[index] = _areal(shapely.make_valid(polygons[index]))
    if broken.size:
        warnings.warn(
            f"{broken.size} neighbourhoods had polygons that cross themselves and were repaired: "
            f"{listed(ids[index] for index in broken)}",
            AssortmentWarning,
            stacklevel=4,
        )
    without = np.flatnonzero(~(shapely.area(polygons) > 0.0))
    if without.size:
        raise GeographyError(
            f"{without.size} neighbourhoods have no area: {listed(ids[index] for index in without)}; "
            "give each a polygon, or leave it out of the table"
        )
    return polygons


def _areal(geometry: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(geometry)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
