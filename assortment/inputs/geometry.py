"""What the geometry of a table must be: there, of the right type, and in the CRS it claims."""

from __future__ import annotations

import warnings
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from assortment.errors import AssortmentWarning, Fault
from assortment.inputs.source import Source, cell_faults
from assortment.inputs.swapped import ADVICE

_DEGREES = np.array([180.0, 90.0, 180.0, 90.0])
_EASTWARD = np.array([180.0, 0.0, 180.0, 0.0])
"""The middle of longitudes that are counted eastward from 0 to 360."""
_FAR = 10.0
"""Degrees outside the area of a CRS at which the CRS is doubted: a neighbouring UTM zone is 6 degrees wide."""


def parsed_crs(crs: Any, source: Source) -> tuple[pyproj.CRS | None, list[Fault]]:
    """A CRS from what a user gives for it (``EPSG:4269``, WKT, …), and the fault when it is none."""
    if crs is None:
        return None, []
    try:
        return pyproj.CRS.from_user_input(crs), []
    except pyproj.exceptions.CRSError:
        return None, [Fault(source.name, None, "crs", f"'{crs}'", "a CRS that PROJ knows, such as EPSG:4326")]


def geometry_faults(geometry: gpd.GeoSeries, types: tuple[str, ...], source: Source) -> list[Fault]:
    """Faults of single geometries: none there, of another type, or with coordinates that are no numbers.

    Parameters
    ----------
    geometry
        Geometry of each row.
    types
        Types allowed, as ``geom_type`` names them.
    source
        Where it came from.
    """
    kinds = geometry.geom_type
    absent = (geometry.isna() | geometry.is_empty).to_numpy(dtype=bool)
    other = ~kinds.isin(types).to_numpy(dtype=bool) & ~absent
    broken = ~np.isfinite(geometry.bounds.to_numpy()).all(axis=1) & ~absent & ~other
    expected = "a " + " or ".join(types)
    return [
        *cell_faults(source, "geometry", absent, found=lambda _: "an empty geometry", expected=expected),
        *cell_faults(source, "geometry", other, found=lambda at: f"a {kinds.iloc[at]}", expected=expected),
        *cell_faults(
            source, "geometry", broken, found=lambda _: "coordinates that are no numbers", expected="finite coordinates"
        ),
    ]


def crs_faults(geometry: gpd.GeoSeries, source: Source, *, advice: str) -> list[Fault]:
    """Faults of the CRS as a whole: none stated, or one that the coordinates contradict.

    Parameters
    ----------
    geometry
        Geometry with or without a CRS.
    source
        Where it came from.
    advice
        How to state the CRS.
    """
    if geometry.crs is None:
        return [Fault(source.name, None, "geometry", "no CRS", f"a CRS: {advice}")]
    bounds = geometry.total_bounds
    if not np.isfinite(bounds).all():
        return []
    name, span = geometry.crs.to_string(), f"x {bounds[0]:g} to {bounds[2]:g}, y {bounds[1]:g} to {bounds[3]:g}"
    like_degrees = bool((np.abs(bounds) <= _DEGREES * (1 + 1e-9)).all())
    if geometry.crs.is_geographic and not like_degrees:
        expected = "longitudes within ±180 and latitudes within ±90; "
        if (np.abs(bounds) <= _DEGREES[[1, 0, 3, 2]] * (1 + 1e-9)).all():
            expected += ADVICE
        elif (np.abs(bounds - _EASTWARD) <= _DEGREES).all():
            expected += "longitudes seem to go from 0 to 360: take 360 off those above 180"
        else:
            expected += f"state the CRS the coordinates are in: {advice}"
        return [Fault(source.name, None, "geometry", f"{span} in {name}, which counts degrees", expected)]
    if geometry.crs.is_projected and like_degrees and not _begins_at_origin(bounds):
        expected = f"coordinates in its unit; these look like degrees, so state a geographic CRS: {advice}"
        return [Fault(source.name, None, "geometry", f"{span} in {name}, which counts metres or feet", expected)]
    return []


def warn_of_foreign_place(geometry: gpd.GeoSeries, source: Source) -> None:
    """Warn of coordinates that lie far outside the area for which their projected CRS is made.

    So lie feet that are called metres, or metres of a system from another part of the world. Stores and polygons may
    share the mistake, and then fit together while every distance is wrong.

    Parameters
    ----------
    geometry
        Finite geometry with a CRS.
    source
        Where it came from, for the message.
    """
    bounds, area = geometry.total_bounds, geometry.crs.area_of_use
    if not geometry.crs.is_projected or area is None or _begins_at_origin(bounds):
        return
    to_degrees = pyproj.Transformer.from_crs(geometry.crs, geometry.crs.geodetic_crs, always_xy=True)
    longitude, latitude = to_degrees.transform(*(bounds[:2] + bounds[2:]) / 2.0)
    if not np.isfinite([longitude, latitude]).all():
        return  # where it cannot be at all is said when areas are drawn
    beyond = max(_beyond(longitude, area.west, area.east), area.south - latitude, latitude - area.north)
    if beyond > _FAR:
        name = geometry.crs.to_string()
        warnings.warn(
            f"{source.name}: by their CRS, {name}, the coordinates lie at longitude {longitude:.1f}, latitude "
            f"{latitude:.1f}, far outside the area it is made for (longitude {area.west:g} to {area.east:g}, latitude "
            f"{area.south:g} to {area.north:g}): check the CRS and its unit, as distances would be wrong",
            AssortmentWarning,
            stacklevel=2,
        )


def _beyond(longitude: float, west: float, east: float) -> float:
    """Degrees from a longitude to the nearest within west to east, also across the antimeridian."""
    past = (longitude - west) % 360.0
    width = (east - west) % 360.0 or 360.0
    return 0.0 if past <= width else min(past - width, 360.0 - past)


def _begins_at_origin(bounds: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    """Whether it is a made-up plane, whose corner is the very origin; on the earth nothing has its corner there."""
    return bool(bounds[0] == 0.0 and bounds[1] == 0.0)


def repaired(geometry: gpd.GeoSeries) -> tuple[gpd.GeoSeries, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Polygons in two dimensions and valid, and which of them had to be repaired.

    Notes
    -----
    A self-crossing outline is cut at the crossing and both sides are kept (GEOS' "structure" method); parts that
    collapse to a line are dropped, and what collapses altogether comes back empty.
    """
    shapes = shapely.force_2d(geometry.to_numpy())
    invalid = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    shapes[invalid] = shapely.make_valid(shapes[invalid], method="structure", keep_collapsed=False)
    return gpd.GeoSeries(shapes, crs=geometry.crs), invalid
