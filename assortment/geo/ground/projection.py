"""A plane in metres for data in any coordinate reference system.

Areas and distances mean nothing in degrees, and little in Web Mercator. Data are therefore brought to an azimuthal
equal-area plane (Lambert) centred on them, unless they already are in a projected system that is true to scale where
they lie. The centre is a mean direction in space, so data on both sides of the antimeridian, or around a pole, stay
together; choosing a UTM zone by the mean longitude would put them half a world away.
"""

from __future__ import annotations

import numpy as np
import pyproj
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pyproj import CRS

from assortment.errors import GeographyError
from assortment.geo.arrays import FloatArray

_WGS84 = "EPSG:4326"
_SCALE_TOLERANCE = 0.002
"""UTM keeps it in its zone, and most national and state grids in theirs."""


def local_plane(frame: GeoDataFrame) -> CRS:
    """Return the coordinate reference system, in metres, to work in.

    Parameters
    ----------
    frame
        Polygons or points with a CRS.

    Returns
    -------
    pyproj.CRS
        The frame's own where it is projected, in metres and within 0.2 % of true scale over the frame's extent (or has
        no relation to the earth); otherwise a Lambert azimuthal equal-area projection centred on the data, whose
        distances are within 0.2 % up to 700 km from the centre.

    Raises
    ------
    GeographyError
        There is no CRS, the coordinates cannot be those of the CRS, or a plane without relation to the earth is not in
        metres.

    References
    ----------
    Snyder (1987), Map Projections: A Working Manual, USGS Professional Paper 1395, pages 182-190.
    """
    crs: CRS | None = frame.crs
    if crs is None:
        raise GeographyError(
            "the data have no coordinate reference system; state it with set_crs, "
            "such as EPSG:4326 for longitude and latitude"
        )
    in_metres = all(axis.unit_conversion_factor == 1.0 for axis in crs.axis_info[:2])
    if not (crs.is_geographic or crs.is_projected):
        if in_metres:
            return crs
        raise GeographyError(f"coordinates in {crs.name} are not metres; convert them, or state the CRS they are in")
    points = _degrees(frame)
    if crs.is_projected and in_metres and _is_true_to_scale(crs, points):
        return crs
    longitude, latitude = _mean_direction(points)
    plane: CRS = CRS.from_dict({"proj": "laea", "lon_0": longitude, "lat_0": latitude, "datum": "WGS84", "units": "m"})
    return plane


def to_plane(frame: GeoDataFrame, plane: CRS, *, what: str) -> GeoSeries:
    """Return the geometry of a frame in metres; ``what`` names the frame in the message when that cannot be done."""
    if frame.crs is None:
        raise GeographyError(
            f"the {what} have no coordinate reference system; state it with set_crs, such as EPSG:4326"
        )
    try:
        return frame.geometry.to_crs(plane)
    except pyproj.exceptions.ProjError as error:
        raise GeographyError(f"the {what} ({frame.crs.name}) cannot be brought to {plane.name}: {error}") from error


def _degrees(frame: GeoDataFrame) -> FloatArray:
    """Longitudes and latitudes of the frame's vertices, or of a lattice over its extent, shape (n, 2), by WGS 84."""
    points: FloatArray = shapely.get_coordinates(frame.geometry.to_numpy())
    if not frame.crs.is_geographic:
        extent = np.linspace(points.min(axis=0), points.max(axis=0), 3).T
        points = np.stack(np.meshgrid(*extent), axis=-1).reshape(-1, 2)
    if frame.crs.axis_info[0].unit_name != "degree":  # some geographic systems are in grads, from Paris
        to_degrees = pyproj.Transformer.from_crs(frame.crs, _WGS84, always_xy=True)
        points = np.column_stack(to_degrees.transform(points[:, 0], points[:, 1]))
    if not (np.isfinite(points).all() and (np.abs(points) <= [360.0, 90.0]).all()):
        west, south, east, north = frame.total_bounds
        raise GeographyError(
            f"coordinates from ({west:g}, {south:g}) to ({east:g}, {north:g}) cannot be in {frame.crs.name}; "
            "state the CRS that they are in with set_crs(…, allow_override=True), and check that longitude comes first"
        )
    return points


def _is_true_to_scale(crs: CRS, points: FloatArray) -> bool:
    """Whether some metres north and some metres east of each point are as many on the plane."""
    # Measured, as the scale factors that PROJ tells for Web Mercator are those of a sphere.
    projected = pyproj.Transformer.from_crs(_WGS84, crs, always_xy=True)
    x, y = points.T
    here = np.array(projected.transform(x, y))
    length = np.full(len(points), 100.0)
    for azimuth in (0.0, 90.0):
        longitude, latitude, _ = pyproj.Geod(ellps="WGS84").fwd(x, y, np.full(len(points), azimuth), length)
        there = np.array(projected.transform(longitude, latitude))
        if not (np.abs(np.hypot(*(there - here)) / length - 1.0) <= _SCALE_TOLERANCE).all():
            return False
    return True


def _mean_direction(points: FloatArray) -> tuple[float, float]:
    longitude, latitude = np.radians(points).T
    x = np.mean(np.cos(latitude) * np.cos(longitude))
    y = np.mean(np.cos(latitude) * np.sin(longitude))
    z = np.mean(np.sin(latitude))
    # Rounded to some ten metres, so that another order of the rows, which sums otherwise, gives the same plane.
    return round(float(np.degrees(np.arctan2(y, x))), 4), round(float(np.degrees(np.arctan2(z, np.hypot(x, y)))), 4)
