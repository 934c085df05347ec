"""Areas that somebody drew: polygons in any CRS, and circles around a place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries, points_from_xy
from pyproj import CRS
from pyproj.exceptions import CRSError

from assortment.errors import GeographyError, InputError, listed
from assortment.geo.cover.disc import Discs
from assortment.geo.given import number
from assortment.geo.ground.projection import to_plane
from assortment.inputs import Column, Table
from assortment.inputs.files import read_table

Drawn: TypeAlias = "shapely.Geometry | GeoSeries | GeoDataFrame"

_AREA = Table("area", "polygon", (Column("geometry", "geometry", "polygon or multipolygon with a CRS", required=True),))


def read_area(path: str | Path) -> GeoDataFrame:
    """Read the polygons of an area from GeoJSON, GeoPackage, Shapefile or GeoParquet.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    frame, _, faults = read_table(Path(path), str(path), _AREA)
    if faults:
        raise InputError(faults)
    return GeoDataFrame(frame)


def on_plane(drawn: Drawn, plane: CRS, *, crs: Any = None) -> shapely.Geometry:
    """Return a drawn area as one valid polygon or multipolygon on the plane.

    Parameters
    ----------
    drawn
        Polygons; those that overlap count once.
    plane
        Where to bring it.
    crs
        CRS of an area that does not state its own.

    Raises
    ------
    GeographyError
        No CRS, or two; nothing drawn; something that is no polygon or crosses itself.
    """
    series = _with_crs(drawn, crs)
    shapes = shapely.force_2d(series.to_numpy())
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not len(shapes):
        raise GeographyError("the area is empty; draw at least one polygon")
    kinds = sorted(set(GeoSeries(shapes).geom_type) - {"Polygon", "MultiPolygon"})
    if kinds:
        raise GeographyError(f"the area holds {listed(kinds)}; expected polygons, which enclose something")
    reasons = [str(shapely.is_valid_reason(shape)) for shape in shapes if not shapely.is_valid(shape)]
    if reasons:
        raise GeographyError(
            f"the area holds polygons that are not valid: {listed(reasons)}; draw an outline that does not cross "
            "itself, or mend it with shapely.make_valid"
        )
    placed = to_plane(GeoDataFrame(geometry=GeoSeries(shapes, crs=series.crs)), plane, what="polygons of the area")
    area: shapely.Geometry = shapely.union_all(placed.to_numpy())
    if not np.isfinite(shapely.area(area)) or not shapely.area(area) > 0.0:
        raise GeographyError(f"the area lies nowhere in {series.crs.name}; check the CRS, and that longitude is first")
    return area


def disc_on_plane(longitude: float, latitude: float, within_m: float, plane: CRS) -> Discs:
    """Return everything within a distance of a place, on the plane.

    Parameters
    ----------
    longitude, latitude
        Degrees (EPSG:4326).
    within_m
        Metres, above 0.
    plane
        Where to bring it.

    Raises
    ------
    GeographyError
        A place that is not on the earth; a distance that is not above 0.
    """
    radius = number(within_m, parameter="within_m")
    if radius == 0.0:
        raise GeographyError("within_m: expected a distance in metres above 0; found 0")
    if not (abs(longitude) <= 180.0 and abs(latitude) <= 90.0):
        raise GeographyError(
            f"there is no place at longitude {longitude:g}, latitude {latitude:g}; longitude (-180 to 180) comes "
            "first, then latitude (-90 to 90)"
        )
    place = GeoDataFrame(geometry=points_from_xy([longitude], [latitude]), crs="EPSG:4326")
    xy = shapely.get_coordinates(to_plane(place, plane, what="place").to_numpy())
    if not np.isfinite(xy).all():
        raise GeographyError(f"the place at ({longitude:g}, {latitude:g}) is too far from the neighbourhoods")
    return Discs(xy, np.array([radius]))


def _with_crs(drawn: Drawn, crs: Any) -> GeoSeries:
    series = drawn.geometry if isinstance(drawn, GeoSeries | GeoDataFrame) else GeoSeries([drawn])
    try:
        stated = None if crs is None else CRS.from_user_input(crs)
    except CRSError as error:
        raise GeographyError(f"crs: {crs!r} is not known to PROJ; expected one such as EPSG:4326") from error
    if series.crs is None and stated is None:
        raise GeographyError(
            "the area has no coordinate reference system; say which: crs='EPSG:4326' for longitude and latitude, or a "
            "file that states it"
        )
    if series.crs is not None and stated is not None and series.crs != stated:
        raise GeographyError(f"the area is in {series.crs.name}, and crs says {stated.name}; leave crs out")
    return series if series.crs is not None else series.set_crs(stated)
