"""``located``: a table from elsewhere with the places it states, by geometry or by longitude and latitude."""

from __future__ import annotations

import pandas as pd
from geopandas import GeoDataFrame, points_from_xy

from assortment.geo.faults import Faults

_DEGREES = ("longitude", "latitude")


def located(table: str, given: object, faults: Faults) -> GeoDataFrame:
    """Return a table in canonical form with geometry.

    Parameters
    ----------
    table
        Name of its declaration in ``TABLES``.
    given
        The table as it came: with geometry, which is taken as it is, or with longitude and latitude.
    faults
        Where faults of the other columns are added.

    Raises
    ------
    GeographyError
        No table, or one whose longitudes and latitudes cannot be used, with all its faults.
    """
    if isinstance(given, GeoDataFrame) and given.active_geometry_name is not None:
        others = pd.DataFrame(given.drop(columns=[given.active_geometry_name, *_DEGREES], errors="ignore"))
        clean = faults.checked(table, others, without=_DEGREES)
        return GeoDataFrame(clean, geometry=given.geometry.reset_index(drop=True))
    clean = faults.checked(table, given)
    faults.end()
    return GeoDataFrame(clean, geometry=points_from_xy(clean["longitude"], clean["latitude"], crs="EPSG:4326"))
