"""Trade areas by travel time: who reaches a store soon enough, by a table that the user supplies."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.areas import SparseShares, TradeAreas
from assortment.geo.arrays import FloatArray, IntArray
from assortment.geo.faults import Faults
from assortment.geo.given import Given, numbers, recorded
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.placement import neighbourhood_of


def travel_time(ground: Ground, *, minutes: pd.DataFrame, within: Given, nearest_only: bool = False) -> TradeAreas:
    """Give each store, whole, the neighbourhoods from which it is reached within a time.

    Parameters
    ----------
    ground
        Stores and neighbourhoods on a plane.
    minutes
        One row per store and neighbourhood: store_id, neighbourhood_id, minutes ≥ 0. A pair without a row is out of
        reach.
    within
        Minutes, above 0, the limit itself included: a number, one per store or format, or the store column that holds
        them.
    nearest_only
        Give each neighbourhood only to the store that it reaches soonest; stores of the same time share it equally.

    Returns
    -------
    TradeAreas
        Of kind ``overlaps``: who reaches two stores counts fully for both. With ``nearest_only`` of kind ``divides``.

    Raises
    ------
    GeographyError
        Rows of unknown stores or neighbourhoods, twice the same pair, minutes that are missing or below zero, stores
        without a row (all together); a store that nobody reaches in time, with its shortest time.
    """
    limits = numbers(within, ground.stores, ground.store_ids, parameter="within", above=0.0)
    table = _checked(minutes, ground)
    store = pd.Index(ground.store_ids).get_indexer(pd.Index(table["store_id"]))
    neighbourhood = pd.Index(ground.neighbourhood_ids).get_indexer(pd.Index(table["neighbourhood_id"]))
    time = table["minutes"].to_numpy(dtype=np.float64)
    _warn_of_own(ground, store, neighbourhood)
    reached = time <= limits[store]
    _require_people(ground, store[reached], store, time, limits)
    share = reached.astype(np.float64)
    if nearest_only:
        share = _soonest(neighbourhood, np.where(reached, time, np.inf), len(ground.neighbourhood_ids))
        _warn_of_beaten(ground, store[share > 0.0])
    kept = share > 0.0
    shape = (len(ground.store_ids), len(ground.neighbourhood_ids))
    return TradeAreas(
        kind="divides" if nearest_only else "overlaps",
        method="travel_time",
        parameters={"within": recorded(within), "nearest_only": nearest_only, "travel_times": len(table)},
        ground=ground,
        matrix=SparseShares(csr_array((share[kept], (store[kept], neighbourhood[kept])), shape=shape)),
    )


def _checked(minutes: pd.DataFrame, ground: Ground) -> pd.DataFrame:
    faults = Faults("the travel times")
    table = faults.checked("travel_times", minutes)
    faults.unknown(table["store_id"], ground.store_ids, what="store")
    faults.unknown(table["neighbourhood_id"], ground.neighbourhood_ids, what="neighbourhood")
    named = set(table["store_id"])
    without = [store for store in ground.store_ids if store not in named]
    if without:
        faults.add(f"no row for store {listed(without)}; add its travel times, or leave the store out")
    faults.end()
    return table


def _soonest(neighbourhood: IntArray, time: FloatArray, size: int) -> FloatArray:
    """Share of each row's store in its neighbourhood, shape (rows,); an infinite time is out of reach."""
    shortest = np.full(size, np.inf)
    np.minimum.at(shortest, neighbourhood, time)
    first = np.isfinite(time) & (time == shortest[neighbourhood])
    tied = np.bincount(neighbourhood[first], minlength=size)
    share: FloatArray = np.divide(first, tied[neighbourhood], out=np.zeros(len(time)), where=first)
    return share


def _require_people(ground: Ground, reached: IntArray, store: IntArray, time: FloatArray, limits: FloatArray) -> None:
    shortest = np.full(len(limits), np.inf)
    np.minimum.at(shortest, store, time)
    nobody = np.setdiff1d(np.arange(len(limits)), reached)
    if nobody.size:
        found = listed(
            f"{ground.store_ids[row]} ({limits[row]:g} minutes; the shortest time is {shortest[row]:g})"
            for row in nobody
        )
        raise GeographyError(f"within: no neighbourhood reaches store {found} in time; give more minutes")


def _warn_of_own(ground: Ground, store: IntArray, neighbourhood: IntArray) -> None:
    own = neighbourhood_of(ground, ground.store_xy)
    size = len(ground.neighbourhood_ids)
    stores = np.flatnonzero(own >= 0)
    lost = stores[~np.isin(stores * size + own[stores], store * size + neighbourhood)]
    if lost.size:
        pairs = listed(f"{ground.store_ids[row]} (in {ground.neighbourhood_ids[own[row]]})" for row in lost)
        warnings.warn(
            f"the travel times have no row from the own neighbourhood of store {pairs}, which counts as out of reach; "
            "add its minutes",
            AssortmentWarning,
            stacklevel=4,
        )


def _warn_of_beaten(ground: Ground, serving: IntArray) -> None:
    beaten = np.setdiff1d(np.arange(len(ground.store_ids)), serving)
    if beaten.size:
        warnings.warn(
            f"every neighbourhood within reach of store {listed(ground.store_ids[row] for row in beaten)} is sooner at "
            "another store, so with nearest_only nobody is left to serve",
            AssortmentWarning,
            stacklevel=4,
        )
