"""Neighbourhoods: polygons and the people who live in them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd

from assortment.errors import AssortmentWarning, Fault, InputError
from assortment.inputs.check import check_frame
from assortment.inputs.geometry import crs_faults, geometry_faults, repaired
from assortment.inputs.source import Source, cell_faults
from assortment.inputs.spelling import suggestion
from assortment.inputs.tables import TABLES, Column

_TABLE = TABLES["neighbourhoods"]
_POLYGONS = ("Polygon", "MultiPolygon")
_ADVICE = 'gdf.set_crs("EPSG:…") before the call, or `crs` in chain.toml'
_LISTED = 10


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Polygons and the people who live in them, checked when made.

    Parameters
    ----------
    frame
        GeoDataFrame with a CRS, one polygon or multipolygon per row, ``neighbourhood_id`` and demographic columns.
        NaN means unknown. Invalid polygons are repaired, with a warning that lists them. The frame is not written to.
    counts
        Columns that count people, households …: they are summed over an area and split with it.
    rates
        Columns that are medians, means or shares, each with the count it is weighted by, such as
        ``{"median_income": "people"}``.
    source
        Where the frame came from, for the messages.

    Attributes
    ----------
    frame
        Own GeoDataFrame with a RangeIndex; ids are text, counts and rates ``float64``, geometry valid and plane.

    Raises
    ------
    InputError
        With every fault of the frame.
    """

    frame: gpd.GeoDataFrame
    counts: tuple[str, ...] = ()
    rates: dict[str, str] = field(default_factory=dict)
    source: InitVar[Source | None] = None

    def __post_init__(self, source: Source | None) -> None:
        source = source or Source("neighbourhoods frame")
        counts, rates = tuple(self.counts), dict(self.rates)
        frame, faults = checked_neighbourhoods(self.frame, counts=counts, rates=rates, source=source)
        if faults:
            raise InputError(faults)
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "rates", rates)

    @classmethod
    def from_frame(
        cls,
        frame: gpd.GeoDataFrame,
        counts: Iterable[str] = (),
        rates: Mapping[str, str] | None = None,
        *,
        source: Source | None = None,
    ) -> Neighbourhoods:
        """Neighbourhoods from a frame; see the class for its columns and the errors."""
        return cls(frame, tuple(counts), dict(rates or {}), source=source)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the neighbourhoods, in the order of the frame."""
        return tuple(self.frame["neighbourhood_id"])


def checked_neighbourhoods(
    frame: Any, *, counts: tuple[str, ...], rates: dict[str, str], source: Source
) -> tuple[pd.DataFrame, list[Fault]]:
    """A frame of neighbourhoods in canonical form, as far as it could be understood, and its faults."""
    faults = _declaration_faults(counts, rates, source)
    if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
        found = (
            "a GeoDataFrame without geometry" if isinstance(frame, gpd.GeoDataFrame) else f"a {type(frame).__name__}"
        )
        faults.append(Fault(source.name, None, "geometry", found, "a GeoDataFrame with polygons"))
        clean, more = check_frame(_TABLE, frame, source)
        return clean, faults + more
    attributes = pd.DataFrame(frame.drop(columns=frame.active_geometry_name))
    declared = [Column(name, "number", "declared count", at_least=0) for name in dict.fromkeys(counts)]
    declared += [Column(name, "number", "declared rate") for name in rates if name not in counts]
    there = [column for column in declared if column.name in attributes]
    clean, more = check_frame(_TABLE.with_columns(there), attributes, source)
    faults += more + _undeclared(attributes, (*counts, *rates), source)
    geometry = frame.geometry.reset_index(drop=True)
    wrong = geometry_faults(geometry, _POLYGONS, source)
    faults += wrong + crs_faults(geometry, source, advice=_ADVICE)
    if not wrong:
        geometry, more = _mended(geometry, clean, source)
        faults += more
    return gpd.GeoDataFrame(clean, geometry=geometry, crs=geometry.crs), faults


def _declaration_faults(counts: tuple[str, ...], rates: dict[str, str], source: Source) -> list[Fault]:
    faults = [
        Fault(source.name, None, rate, f"'{base}' as its base", f"a count: {suggestion(base, counts)}")
        for rate, base in rates.items()
        if base not in counts
    ]
    both = [name for name in rates if name in counts]
    return faults + [Fault(source.name, None, name, "a count that is a rate too", "one of both") for name in both]


def _undeclared(attributes: pd.DataFrame, declared: tuple[str, ...], source: Source) -> list[Fault]:
    """Faults of declared demographic columns that the frame does not have."""
    others = [str(name) for name in attributes.columns if name not in _TABLE.names]
    return [
        Fault(
            source.name, None, name, "no such column, though it is declared", f"the column {suggestion(name, others)}"
        )
        for name in dict.fromkeys(declared)
        if name not in attributes
    ]


def _mended(geometry: gpd.GeoSeries, clean: pd.DataFrame, source: Source) -> tuple[gpd.GeoSeries, list[Fault]]:
    """Valid polygons, a warning that lists those repaired, and faults of those that have no area."""
    geometry, invalid = repaired(geometry)
    flat = geometry.is_empty.to_numpy(dtype=bool)
    invalid &= ~flat
    if invalid.any():
        ids = clean["neighbourhood_id"] if "neighbourhood_id" in clean else clean.index.to_series()
        names = [str(name) for name in ids[invalid]]
        listed = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
        message = f"{source.name}: {len(names)} invalid polygons were repaired: {listed}; look at them on a map"
        warnings.warn(message, AssortmentWarning, stacklevel=2)
    return geometry, cell_faults(
        source, "geometry", flat, found=lambda _: "a polygon without area", expected="a polygon with an area"
    )
