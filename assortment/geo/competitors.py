"""``Competitors``: rival stores on the ground, which take people and get no trade area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, points_from_xy

from assortment.errors import GeographyError
from assortment.geo.arrays import FloatArray
from assortment.geo.given import Given, numbers
from assortment.geo.ground import Ground
from assortment.geo.projection import to_plane
from assortment.geo.wording import listed
from assortment.inputs import Stores

CompetitorTable: TypeAlias = "pd.DataFrame | GeoDataFrame | Stores"


@dataclass(frozen=True, kw_only=True)
class Competitors:
    """Rival stores, none of them perhaps.

    Attributes
    ----------
    table
        Their table, length R.
    names
        What messages call them.
    xy
        Coordinates on the plane, shape (R, 2), metres.
    """

    table: pd.DataFrame
    names: tuple[str, ...]
    xy: FloatArray

    @classmethod
    def of(cls, given: CompetitorTable | None, ground: Ground) -> Competitors:
        """Bring rival stores to the plane of the own ones.

        Raises
        ------
        GeographyError
            No coordinates, or some that are missing or not on the earth.
        """
        if given is None:
            return cls(table=pd.DataFrame(), names=(), xy=np.empty((0, 2)))
        frame = _with_points(given.frame if isinstance(given, Stores) else given)
        names = tuple(_name(row, frame) for row in range(len(frame)))
        points = to_plane(frame, ground.plane, what="competitors").to_numpy()
        xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
        lost = np.flatnonzero(~np.isfinite(xy).all(axis=1))
        if lost.size:
            raise GeographyError(
                f"{len(lost)} competitors have no usable coordinates: {listed(names[row] for row in lost)}; "
                "correct them in the competitors table, or leave the rows out"
            )
        return cls(table=pd.DataFrame(frame), names=names, xy=xy)

    def attractiveness(self, of_stores: Given, own: Given | None) -> FloatArray:
        """Return their attractiveness, shape (R,): their own, or the number or column that holds for the stores.

        Raises
        ------
        GeographyError
            The stores' is neither a number nor a column, so it cannot hold for competitors too.
        """
        if not self.names:
            return np.empty(0)
        given = of_stores if own is None else own
        if own is None and not np.isscalar(given):
            raise GeographyError(
                "attractiveness is given store by store, which says nothing of the competitors; "
                "give competitor_attractiveness"
            )
        parameter = "attractiveness" if own is None else "competitor_attractiveness"
        return numbers(given, self.table, self.names, parameter=parameter, above=0.0, owner="competitor")


def _with_points(table: pd.DataFrame) -> GeoDataFrame:
    if isinstance(table, GeoDataFrame):
        return table.reset_index(drop=True)
    absent = [column for column in ("longitude", "latitude") if column not in table.columns]
    if absent:
        raise GeographyError(
            f"competitors: column {listed(absent)} is missing; give longitude and latitude, or point geometry"
        )
    degrees = table[["longitude", "latitude"]].apply(pd.to_numeric, errors="coerce")
    points = points_from_xy(degrees["longitude"], degrees["latitude"], crs="EPSG:4326")
    return GeoDataFrame(table, geometry=points).reset_index(drop=True)


def _name(row: int, frame: pd.DataFrame) -> str:
    called = f" '{frame['name'].iloc[row]}'" if "name" in frame.columns else ""
    return f"competitor{called} in row {row + 1}"
