"""Stores: the places a chain sells at."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from assortment.errors import Fault, InputError
from assortment.inputs.check import check_frame
from assortment.inputs.geometry import crs_faults, geometry_faults, parsed_crs
from assortment.inputs.source import Source
from assortment.inputs.spelling import nearest
from assortment.inputs.tables import TABLES

_TABLE = TABLES["stores"]
_ADVICE = 'crs="EPSG:…" in the call, or `crs` in chain.toml'


@dataclass(frozen=True, eq=False)
class Stores:
    """The stores of a chain, checked when made.

    Parameters
    ----------
    frame
        One row per store: ``store_id`` and a place, which is point geometry, ``longitude`` and ``latitude`` in degrees
        (EPSG:4326), or ``x`` and ``y`` in ``crs``. ``name`` is the id where it is absent; further columns are kept.
        An id may be text or a whole number. The frame is not written to.
    crs
        CRS of ``x, y``, or of geometry that does not state one.
    source
        Where the frame came from, for the messages.

    Attributes
    ----------
    frame
        GeoDataFrame with a CRS and a RangeIndex; ids are text.

    Raises
    ------
    InputError
        With every fault of the frame.
    """

    frame: gpd.GeoDataFrame
    crs: InitVar[Any] = None
    source: InitVar[Source | None] = None

    def __post_init__(self, crs: Any, source: Source | None) -> None:
        frame, faults = checked_stores(self.frame, crs=crs, source=source or Source("stores frame"))
        if faults:
            raise InputError(faults)
        object.__setattr__(self, "frame", frame)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, crs: Any = None, source: Source | None = None) -> Stores:
        """Stores from a frame; see the class for its columns and the errors."""
        return cls(frame, crs=crs, source=source)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the stores, in the order of the frame."""
        return tuple(self.frame["store_id"])


def checked_stores(frame: Any, *, crs: Any, source: Source) -> tuple[pd.DataFrame, list[Fault]]:
    """A frame of stores in canonical form, as far as it could be understood, and its faults."""
    stated, faults = parsed_crs(crs, source)
    place: tuple[str, ...] = ()
    geometry = None
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
        geometry, place = frame.geometry.reset_index(drop=True), ("geometry",)
        frame = pd.DataFrame(frame.drop(columns=frame.active_geometry_name))
    elif isinstance(frame, pd.DataFrame):
        place = next((names for names in _TABLE.location[1:] if set(names) <= set(frame.columns)), ())
        if not place:
            faults.append(_no_place(frame, source))
    clean, found = check_frame(_TABLE.requiring(place), frame, source)
    faults += found
    if geometry is not None:
        geometry = geometry if geometry.crs is not None or stated is None else geometry.set_crs(stated)
        faults += geometry_faults(geometry, ("Point",), source)
    elif place and set(place) <= set(clean):
        crs_of_place = "EPSG:4326" if place == ("longitude", "latitude") else stated
        geometry = gpd.GeoSeries(gpd.points_from_xy(clean[place[0]], clean[place[1]]), crs=crs_of_place)
    if geometry is None:
        return clean, faults
    faults += crs_faults(geometry, source, advice=_ADVICE)
    return gpd.GeoDataFrame(clean, geometry=geometry, crs=geometry.crs), faults


def _no_place(frame: pd.DataFrame, source: Source) -> Fault:
    near = [match for name in ("longitude", "latitude") if (match := nearest(name, map(str, frame.columns)))]
    found = "no place" + (f"; the nearest columns are {', '.join(near)}" if near else "")
    row = 1 if source.is_text else None
    return Fault(
        source.name, row, "longitude, latitude", found, "longitude and latitude, or x and y, or point geometry"
    )
