"""Trade areas by the stores' own customers: where the nearest part of them live."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.areas import SparseShares, TradeAreas
from assortment.geo.arrays import BoolArray, FloatArray, Geometries
from assortment.geo.cover.overlay import cut
from assortment.geo.given import Given, numbers, recorded
from assortment.geo.ground.ancillary import Ancillary, AncillaryTable
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.homes import Homes

FEW = 10
"""Fewer customers than these say little of where a store's people live."""
WIDTH_M = 50.0
"""How far an area reaches around homes that are all in one place or on one line."""
_THIN = 1e-6
"""A hull whose area is a smaller part of its squared perimeter is a line, up to rounding."""


def customers(
    ground: Ground,
    *,
    households: pd.DataFrame,
    share: Given = 0.7,
    weight: str | None = None,
    ancillary: AncillaryTable | None = None,
) -> TradeAreas:
    """Give each store the area in which the nearest part of its loyalty customers live.

    The customers of a store are taken by distance to it until they make up the share; who lives as far as the last of
    them is taken too. The area is the convex hull of their homes, and where these are all in one place or on one line,
    what lies within 50 m of them. Neighbourhoods are split by it, by area or by ``ancillary``. Where only the
    neighbourhood of a home is known, that neighbourhood is taken wholly; its representative point gives the distance.

    Parameters
    ----------
    ground
        Stores and neighbourhoods on a plane.
    households
        One row per customer: store_id, the usual store; the home by longitude and latitude, or by neighbourhood_id,
        coordinates being taken where there are both.
    share
        Part of a store's customers, above 0 and at most 1: a number, one per store or format, or the store column that
        holds them.
    weight
        Numeric column of the households, at least 0, such as spend: the share is meant of its sum. Default: of the
        number of customers.
    ancillary
        Where people live: points, or polygons such as census blocks, with a column ``count`` (else each counts 1).
        Neighbourhoods are then split by what is counted in them rather than by area.

    Returns
    -------
    TradeAreas
        Of kind ``overlaps``: who lives in the areas of two stores counts fully for both.

    Raises
    ------
    GeographyError
        Households of unknown stores or neighbourhoods, weights that are missing or below zero, stores without customers
        and other faults of the frame, all together; a share out of range.

    Warns
    -----
    AssortmentWarning
        Households without a store or a home, which are left out; homes outside every neighbourhood; stores of fewer
        than 10 customers; areas around one place or line.
    """
    shares = _shares(share, ground)
    homes = Homes.of(households, ground, weight=weight, of_each_store=True)
    kept = homes.nearest(shares, ground)
    _warn_of_few(homes, ground)
    shared = _whole(homes, kept & ~homes.located, ground)
    zones, places = None, None
    if (kept & homes.located).any():
        places = None if ancillary is None else Ancillary.of(ancillary, ground)
        zones = _with(_hulls(homes, kept & homes.located, ground), shared, ground)
        shared = cut(zones, ground, places)
    return TradeAreas(
        kind="overlaps",
        method="customers",
        parameters={
            "share": recorded(share),
            "weight": weight or "customers",
            "households": len(homes.store),
            "kept": int(kept.sum()),
        }
        | ({} if places is None else {"ancillary": places.rows}),
        ground=ground,
        matrix=SparseShares(shared, zones=zones, polygons=ground.polygons, places=places),
    )


def _shares(share: Given, ground: Ground) -> FloatArray:
    shares = numbers(share, ground.stores, ground.store_ids, parameter="share", above=0.0)
    above = np.flatnonzero(shares > 1.0)
    if above.size:
        found = listed(f"{ground.store_ids[row]} ({shares[row]:g})" for row in above)
        raise GeographyError(f"share: expected a part of the customers, at most 1, such as 0.7; found {found}")
    return shares


def _whole(homes: Homes, chosen: BoolArray, ground: Ground) -> csr_array:
    """Share 1 of each neighbourhood in which chosen customers live, shape (S, M)."""
    pairs = np.unique(np.column_stack([homes.store[chosen], homes.neighbourhood[chosen]]), axis=0)
    shape = (len(ground.store_ids), len(ground.neighbourhood_ids))
    return csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape)


def _hulls(homes: Homes, chosen: BoolArray, ground: Ground) -> Geometries:
    """Hull of the chosen homes of each store, shape (S,); an empty polygon where there are none."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(homes.store[rows], kind="stable")]
    stores, index = np.unique(homes.store[rows], return_inverse=True)
    hull = shapely.convex_hull(shapely.multipoints(shapely.points(homes.xy[rows]), indices=index))
    thin = shapely.area(hull) <= _THIN * shapely.length(hull) ** 2
    if thin.any():
        names = listed(ground.store_ids[row] for row in stores[thin])
        warnings.warn(
            f"the homes that make the trade area of store {names} are all in one place or on one line; it is what lies "
            f"within {WIDTH_M:g} m of them",
            AssortmentWarning,
            stacklevel=4,
        )
    hulls: Geometries = np.full(len(ground.store_ids), shapely.Polygon(), dtype=object)
    hulls[stores] = np.where(thin, shapely.buffer(hull, WIDTH_M), hull)
    return hulls


def _with(hulls: Geometries, whole: csr_array, ground: Ground) -> Geometries:
    """The hulls joined with the neighbourhoods that a store serves whole."""
    zones = hulls.copy()
    for row in np.flatnonzero(np.diff(whole.indptr)):
        served = whole.indices[whole.indptr[row] : whole.indptr[row + 1]]
        zones[row] = shapely.union_all([hulls[row], *ground.polygons[served]])
    return zones


def _warn_of_few(homes: Homes, ground: Ground) -> None:
    count = np.bincount(homes.store, minlength=len(ground.store_ids))
    few = np.flatnonzero(count < FEW)
    if few.size:
        found = listed(f"{ground.store_ids[row]} ({count[row]})" for row in few)
        warnings.warn(
            f"fewer than {FEW} customers with a known home for store {found}: their trade areas are little more than a "
            "guess",
            AssortmentWarning,
            stacklevel=4,
        )
