"""Neighbourhoods: polygons and the people who live in them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd

from assortment.errors import AssortmentWarning, Fault, InputError, listed
from assortment.inputs.annotations import without_annotations
from assortment.inputs.check import check_frame
from assortment.inputs.geometry import crs_faults, geometry_faults, repaired, warn_of_foreign_place
from assortment.inputs.overlaps import warn_of_overlaps
from assortment.inputs.source import Source, cell_faults
from assortment.inputs.spelling import suggestion
from assortment.inputs.tables import TABLES, Column

_TABLE = TABLES["neighbourhoods"]
_POLYGONS = ("Polygon", "MultiPolygon")
_ADVICE = 'gdf.set_crs("EPSG:…") before the call, or `crs` in chain.toml'
_MOE = "_moe"


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Polygons and the people who live in them, checked when made.

    Parameters
    ----------
    frame
        GeoDataFrame with a CRS, one polygon or multipolygon per row, ``neighbourhood_id`` and demographic columns.
        NaN means unknown. Invalid polygons are repaired, with a warning that lists them; polygons that cover the same
        ground are warned of. The frame is not written to.

        A column ``<name>_moe`` beside a count or rate holds its margins of error (90 %, as the American Community
        Survey gives them). Annotation values of that survey, such as -666666666, become unknown, with a warning; the
        margin of a controlled estimate, -555555555, is 0.
    counts
        Columns that count people, households …: they are summed over an area and split with it.
    rates
        Columns that are medians, means or shares, each with the count it is weighted by, such as
        ``{"median_income": "people"}``.
    units
        What counts and rates are in, such as ``{"median_income": "1999 dollars"}``, for maps and reports.
    attribution
        The line that every map of these neighbourhoods shows: whose figures and outlines they are.
    source
        Where the frame came from, for the messages.

    Attributes
    ----------
    frame
        Own GeoDataFrame with a RangeIndex; ids are text, counts, rates and margins ``float64``, geometry valid and
        plane.

    Raises
    ------
    InputError
        With every fault of the frame.
    """

    frame: gpd.GeoDataFrame
    counts: tuple[str, ...] = ()
    rates: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    attribution: str = ""
    source: InitVar[Source | None] = None

    def __post_init__(self, source: Source | None) -> None:
        source = source or Source("neighbourhoods frame")
        counts, rates, units = tuple(self.counts), dict(self.rates), dict(self.units)
        frame, faults = checked_neighbourhoods(self.frame, counts=counts, rates=rates, units=units, source=source)
        if faults:
            raise InputError(faults)
        warn_of_foreign_place(frame.geometry, source)
        warn_of_overlaps(frame, source)
        for name, value in (("frame", frame), ("counts", counts), ("rates", rates), ("units", units)):
            object.__setattr__(self, name, value)

    @classmethod
    def from_frame(
        cls,
        frame: gpd.GeoDataFrame,
        counts: Iterable[str] = (),
        rates: Mapping[str, str] | None = None,
        *,
        units: Mapping[str, str] | None = None,
        attribution: str = "",
        source: Source | None = None,
    ) -> Neighbourhoods:
        """Neighbourhoods from a frame; see the class for its columns and the errors."""
        return cls(frame, tuple(counts), dict(rates or {}), dict(units or {}), attribution, source=source)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the neighbourhoods, in the order of the frame."""
        return tuple(self.frame["neighbourhood_id"])

    @property
    def margins(self) -> dict[str, str]:
        """Counts and rates whose margins of error are known, each with the column that holds them."""
        return {name: name + _MOE for name in (*self.counts, *self.rates) if name + _MOE in self.frame}


def checked_neighbourhoods(
    frame: Any,
    *,
    counts: tuple[str, ...],
    rates: dict[str, str],
    units: Mapping[str, str] | None = None,
    source: Source,
) -> tuple[pd.DataFrame, list[Fault]]:
    """A frame of neighbourhoods in canonical form, as far as it could be understood, and its faults."""
    faults = _declaration_faults(counts, rates, units or {}, source)
    if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
        found = (
            "a GeoDataFrame without geometry" if isinstance(frame, gpd.GeoDataFrame) else f"a {type(frame).__name__}"
        )
        faults.append(Fault(source.name, None, "geometry", found, "a GeoDataFrame with polygons"))
        clean, more = check_frame(_TABLE, frame, source)
        return clean, faults + more
    attributes = without_annotations(
        pd.DataFrame(frame.drop(columns=frame.active_geometry_name)),
        estimates=(*counts, *rates),
        margins=[name + _MOE for name in (*counts, *rates)],
        source=source,
    )
    there = [column for column in _declared(counts, rates) if column.name in attributes]
    clean, more = check_frame(_TABLE.with_columns(there), attributes, source)
    faults += more + _undeclared(attributes, (*counts, *rates), source)
    geometry = frame.geometry.reset_index(drop=True)
    wrong = geometry_faults(geometry, _POLYGONS, source)
    faults += wrong + crs_faults(geometry, source, advice=_ADVICE)
    if not wrong:
        geometry, more = _mended(geometry, clean, source)
        faults += more
    return gpd.GeoDataFrame(clean, geometry=geometry, crs=geometry.crs), faults


def _declared(counts: tuple[str, ...], rates: dict[str, str]) -> list[Column]:
    """What the chain declares of its demographic columns, and the margins that may stand beside them."""
    both = (*counts, *rates)
    columns = [Column(name, "number", "declared count", at_least=0) for name in counts]
    columns += [Column(name, "number", "declared rate") for name in rates]
    columns += [Column(name + _MOE, "number", f"margin of error of {name}", at_least=0) for name in both]
    first: dict[str, Column] = {}
    for column in columns:
        first.setdefault(column.name, column)
    return list(first.values())


def _declaration_faults(
    counts: tuple[str, ...], rates: dict[str, str], units: Mapping[str, str], source: Source
) -> list[Fault]:
    declared = [*counts, *rates]
    faults = [
        Fault(source.name, None, rate, f"'{base}' as its base", f"a count: {suggestion(base, counts)}")
        for rate, base in rates.items()
        if base not in counts
    ]
    faults += [
        Fault(source.name, None, name, "units of it", f"units of a declared column: {suggestion(name, declared)}")
        for name in units
        if name not in declared
    ]
    faults += [
        Fault(source.name, None, name + _MOE, f"the margin of error of '{name}' declared", "it undeclared: it is found")
        for name in dict.fromkeys(declared)
        if name + _MOE in declared
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
        message = f"{source.name}: {len(names)} invalid polygons were repaired: {listed(names)}; look at them on a map"
        warnings.warn(message, AssortmentWarning, stacklevel=2)
    return geometry, cell_faults(
        source, "geometry", flat, found=lambda _: "a polygon without area", expected="a polygon with an area"
    )
