"""``Competitors``: rival stores on the ground, which take people and get no trade area."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.arrays import FloatArray
from assortment.geo.faults import Faults
from assortment.geo.given import Given, numbers, plain_label
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.located import located
from assortment.geo.ground.placement import outside_by
from assortment.geo.ground.projection import to_plane
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
        frame = given.frame if isinstance(given, Stores) else _located(given)
        names = tuple(_name(row, frame) for row in range(len(frame)))
        points = to_plane(frame, ground.plane, what="competitors").to_numpy()
        xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
        lost = np.flatnonzero(~np.isfinite(xy).all(axis=1))
        if lost.size:
            raise GeographyError(
                f"no usable coordinates: {listed(names[row] for row in lost)}; "
                "correct them in the competitors table, or leave the rows out"
            )
        return cls(table=pd.DataFrame(frame), names=names, xy=xy)

    def attractiveness(self, of_stores: Given, own: Given | None) -> FloatArray:
        """Return their attractiveness, shape (R,): their own, or what holds for the stores.

        Raises
        ------
        GeographyError
            The stores' is neither a number nor a column of theirs nor given by format, so it cannot hold for them too.
        """
        if not self.names:
            return np.empty(0)
        given = of_stores if own is None else own
        parameter = "attractiveness" if own is None else "competitor_attractiveness"
        if own is None and isinstance(given, str) and given not in self.table.columns:
            raise GeographyError(
                f"attractiveness is the column '{given}', which the competitors table does not have; add it, or give "
                "competitor_attractiveness"
            )
        if own is None and not np.isscalar(given):
            given = self._of_format(of_stores)
            if np.isnan(given).any():
                raise GeographyError(
                    "attractiveness is given store by store, which says nothing of the competitors; "
                    "give competitor_attractiveness"
                )
        return numbers(given, self.table, self.names, parameter=parameter, above=0.0, owner="competitor")

    def exponents(self, of_stores: Given, values: FloatArray, own: Given | None, *, parameter: str) -> FloatArray:
        """Return their exponents, shape (R,).

        Parameters
        ----------
        of_stores, values
            The stores', as given and one by one, shape (S,).
        own
            Theirs, where they were given some; else the column of the same name, the number of their format, or the
            number that all stores share, whichever there is first.
        parameter
            What messages call the stores'.

        Raises
        ------
        GeographyError
            The stores' differ and say nothing of some competitors (all of them).
        """
        if not self.names:
            return np.empty(0)
        if own is not None:
            numbered = f"competitor_{parameter}"
            return numbers(own, self.table, self.names, parameter=numbered, least=0.0, owner="competitor")
        if isinstance(of_stores, str) and of_stores in self.table.columns:
            return numbers(of_stores, self.table, self.names, parameter=parameter, least=0.0, owner="competitor")
        found = self._of_format(of_stores)
        if np.ptp(values) == 0.0:
            found[np.isnan(found)] = values[0]
        lost = np.flatnonzero(np.isnan(found))
        if lost.size:
            raise GeographyError(
                f"{parameter} differs between stores, which says nothing of {listed(self.names[row] for row in lost)}; "
                f"give competitor_{parameter}, or a column 'format' in the competitors table and {parameter} by format"
            )
        return numbers(found, self.table, self.names, parameter=parameter, least=0.0, owner="competitor")

    def warn_of_far(self, ground: Ground) -> None:
        """Warn of those farther from every neighbourhood than the neighbourhoods are from each other."""
        west, south, east, north = shapely.total_bounds(ground.polygons)
        outside_m = outside_by(ground, self.xy)
        far = np.flatnonzero(outside_m > np.hypot(east - west, north - south))
        if far.size:
            farthest = far[np.argmax(outside_m[far])]
            warnings.warn(
                f"competitors: {far.size:,} of {len(self.names):,} lie farther away than the neighbourhoods reach, "
                f"{self.names[farthest]} by {outside_m[farthest] / 1000.0:,.1f} km, and take hardly anyone; check "
                "their coordinates and CRS, or leave them out",
                AssortmentWarning,
                stacklevel=4,
            )

    def _of_format(self, of_stores: Given) -> FloatArray:
        """The number that a mapping has for the format of each competitor, shape (R,); NaN where it has none."""
        if not isinstance(of_stores, pd.Series | Mapping) or "format" not in self.table.columns:
            return np.full(len(self.names), np.nan)
        named = {plain_label(label): float(value) for label, value in of_stores.items()}
        return np.array([named.get(plain_label(name), np.nan) for name in self.table["format"]], dtype=np.float64)


def _located(given: CompetitorTable) -> GeoDataFrame:
    faults = Faults("competitors")
    table = located("competitors", given, faults)
    faults.end()
    return table


def _name(row: int, frame: pd.DataFrame) -> str:
    called = f" '{frame['name'].iloc[row]}'" if "name" in frame.columns else ""
    return f"competitor{called} in row {row + 1}"
