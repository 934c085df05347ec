"""Trade areas as circles around the stores, or as the bands between two circles."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from assortment.errors import GeographyError, listed
from assortment.geo.areas import SparseShares, TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.cover.disc import Discs
from assortment.geo.cover.overlay import cut
from assortment.geo.given import Given, numbers, recorded
from assortment.geo.ground.ancillary import Ancillary, AncillaryTable
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.placement import require_inside
from assortment.inputs import Neighbourhoods, Stores


def ring(
    ground: Ground,
    *,
    radius_m: Given,
    inner_m: Given | None = None,
    ancillary: AncillaryTable | Ancillary | None = None,
) -> TradeAreas:
    """Give each store everyone within a distance, neighbourhoods split by area; rings may overlap.

    Parameters
    ----------
    ground
        Stores and neighbourhoods on a plane.
    radius_m
        Metres: a number, one per store or format, or the store column that holds them.
    inner_m
        Leave out who lives within this distance, above 0 and below ``radius_m``; given in the same ways.
    ancillary
        Where people live: points, or polygons such as census blocks, with a column ``count`` (else each counts 1).
        Neighbourhoods are then split by what is counted in them rather than by area.

    Returns
    -------
    TradeAreas
        Of kind ``overlaps``: who lives within reach of two stores counts fully for both. Areas of circles are exact.

    Raises
    ------
    GeographyError
        A radius that is missing or not above zero, an inner one that is not below it, ancillary counts that cannot be
        used.
    """
    radii = numbers(radius_m, ground.stores, ground.store_ids, parameter="radius_m", above=0.0)
    parameters = {"radius_m": recorded(radius_m)}
    inner = None
    if inner_m is not None:
        inner = numbers(inner_m, ground.stores, ground.store_ids, parameter="inner_m", above=0.0)
        _require_band(ground, inner, radii)
        parameters["inner_m"] = recorded(inner_m)
    places = None if ancillary is None else Ancillary.of(ancillary, ground)
    if places is not None:
        parameters["ancillary"] = places.rows
    discs = Discs(ground.store_xy, radii, inner)
    return TradeAreas(
        kind="overlaps",
        method="ring",
        parameters=parameters,
        ground=ground,
        matrix=SparseShares(cut(discs, ground, places), zones=discs, polygons=ground.polygons, places=places),
    )


def rings(
    stores: Stores,
    neighbourhoods: Neighbourhoods,
    radii_m: Iterable[float],
    *,
    bands: bool = False,
    ancillary: AncillaryTable | None = None,
) -> dict[float, TradeAreas]:
    """Draw several rings around every store.

    Parameters
    ----------
    stores, neighbourhoods
        In any coordinate reference system, each in its own.
    radii_m
        Metres, in any order.
    bands
        Draw the bands between each radius and the next smaller one, so that nobody lives in two areas of a store; the
        first is the whole circle.
    ancillary
        Where people live, see ``ring``.

    Returns
    -------
    dict
        Trade areas by radius, the outer one of a band, in rising order.

    Raises
    ------
    GeographyError
        No radii, one twice, or one that is not above zero; a store outside every neighbourhood; ancillary counts that
        cannot be used.

    Examples
    --------
    >>> areas = rings(chain.stores, chain.neighbourhoods, [1000, 3000, 5000], bands=True)  # doctest: +SKIP
    """
    radii = _rising(radii_m)
    ground = Ground.of(stores, neighbourhoods)
    require_inside(ground, stores)
    places = None if ancillary is None else Ancillary.of(ancillary, ground)
    inner = [None, *radii[:-1]] if bands else [None] * len(radii)
    return {
        radius: ring(ground, radius_m=radius, inner_m=within, ancillary=places)
        for radius, within in zip(radii, inner, strict=True)
    }


def _require_band(ground: Ground, inner: FloatArray, radii: FloatArray) -> None:
    wrong = np.flatnonzero(~(inner < radii))
    if wrong.size:
        found = listed(f"{ground.store_ids[row]} ({inner[row]:g} and {radii[row]:g})" for row in wrong)
        raise GeographyError(f"inner_m: expected a number below radius_m for each store; found otherwise for {found}")


def _rising(radii_m: Iterable[float]) -> list[float]:
    try:
        radii = sorted(float(radius) for radius in radii_m)
    except (TypeError, ValueError):
        radii = []
    within = all(0.0 < radius < np.inf for radius in radii)
    if not radii or not within or any(low == high for low, high in pairwise(radii)):
        raise GeographyError(f"radii_m: expected different numbers above 0, at least one; found {radii_m!r}")
    return radii
