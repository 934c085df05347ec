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

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.arrays import FloatArray, Geometries
from assortment.geo.ground.projection import local_plane, to_plane
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
            Something other than stores and neighbourhoods; coordinates that cannot be projected; a neighbourhood
            without area.
        """
        _require_types(stores, neighbourhoods)
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


def _require_types(stores: object, neighbourhoods: object) -> None:
    for what, given, kind in (("stores", stores, Stores), ("neighbourhoods", neighbourhoods, Neighbourhoods)):
        if not isinstance(given, kind):
            raise GeographyError(
                f"{what}: expected {kind.__name__}; found a {type(given).__name__}; make them of a frame by "
                f"{kind.__name__}.from_frame(…)"
            )


def _valid(geometry: GeoSeries, ids: tuple[str, ...]) -> Geometries:
    polygons: Geometries = shapely.force_2d(geometry.to_numpy())
    # A polygon may become invalid on the way to the plane: edges that lay within rounding of each other cross, and
    # parts on both sides of the antimeridian come to share an edge.
    broken = np.flatnonzero(~shapely.is_valid(polygons))
    polygons[broken] = shapely.make_valid(polygons[broken], method="structure", keep_collapsed=False)
    if broken.size:
        warnings.warn(
            "polygons that cross themselves on the plane, or whose parts meet along an edge there, were repaired: "
            f"{listed(ids[index] for index in broken)}",
            AssortmentWarning,
            stacklevel=4,
        )
    without = np.flatnonzero(~(shapely.area(polygons) > 0.0))
    if without.size:
        raise GeographyError(
            f"no area on the plane: {listed(f'neighbourhood {ids[index]}' for index in without)}; give each a polygon, "
            "or leave it out of the table"
        )
    return polygons
