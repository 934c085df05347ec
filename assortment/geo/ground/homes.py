"""``Homes``: where households live and which store they usually shop at, on the ground."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, points_from_xy

from assortment.errors import AssortmentWarning, listed
from assortment.geo.arrays import BoolArray, FloatArray, IntArray
from assortment.geo.faults import Faults
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.placement import outside_by
from assortment.geo.ground.projection import to_plane
from assortment.geo.wording import unknown

_TIE = 1e-9
"""Distances, and weights, that differ by less, relatively, are the same."""


@dataclass(frozen=True, kw_only=True)
class Homes:
    """The n households whose usual store and home are known.

    Attributes
    ----------
    names
        What messages call them, length n.
    store
        Row of each household's usual store, shape (n,).
    xy
        Where it lives, shape (n, 2), metres: at its coordinates, else at the representative point of its neighbourhood.
    neighbourhood
        Row of the neighbourhood that the table names, shape (n,); -1 where it names none that exists.
    located
        Whether its coordinates are known, shape (n,).
    weight
        How much it counts, at least 0, shape (n,).
    """

    names: tuple[str, ...]
    store: IntArray
    xy: FloatArray
    neighbourhood: IntArray
    located: BoolArray
    weight: FloatArray

    def __post_init__(self) -> None:
        for array in (self.store, self.xy, self.neighbourhood, self.located, self.weight):
            array.setflags(write=False)

    @classmethod
    def of(cls, households: pd.DataFrame, ground: Ground, *, weight: str | None, of_each_store: bool = False) -> Homes:
        """Find the homes; households without a usual store or without a place are left out.

        Parameters
        ----------
        households
            store_id; longitude and latitude, or neighbourhood_id, or both; the column of the weight.
        ground
            Stores and neighbourhoods on a plane.
        weight
            Numeric column of the households; ``None``: each counts 1.
        of_each_store
            Every store needs a home, and one of weight above 0.

        Raises
        ------
        GeographyError
            Stores or neighbourhoods that do not exist, weights that cannot be used, no home left, or none in any
            neighbourhood; all together.

        Warns
        -----
        AssortmentWarning
            Households that are left out; homes outside every neighbourhood.
        """
        faults = Faults("households")
        frame = faults.checked("households", households, without=("household_id",))
        _require_columns(frame, weight, faults)
        faults.unknown(frame["store_id"], ground.store_ids, what="store")
        xy, neighbourhood = _places(frame, ground, faults)
        located = ~np.isnan(xy[:, 0])
        placed = located | (neighbourhood >= 0)
        told = frame["store_id"].notna().to_numpy(dtype=bool)
        store = pd.Index(ground.store_ids).get_indexer(pd.Index(frame["store_id"]))
        used = placed & (store >= 0)
        homes = cls(
            names=_names(frame, used),
            store=store[used],
            xy=np.where(located[:, None], xy, ground.centre_xy[neighbourhood])[used],
            neighbourhood=neighbourhood[used],
            located=located[used],
            weight=_weights(frame, weight)[used],
        )
        outside_m = outside_by(ground, homes.xy)
        _add_of_places(told & placed, outside_m, faults)
        if of_each_store and homes.names:
            _add_of_stores(homes, ground, faults)
        _add_of_weights(homes, ground, weight, faults, of_each_store=of_each_store)
        faults.end()
        _warn_of_left_out(told, placed)
        _warn_of_outside(homes, ground, outside_m)
        return homes

    def nearest(self, share: FloatArray, ground: Ground) -> BoolArray:
        """Choose the nearest customers of each store.

        Parameters
        ----------
        share
            Part of the weight of each store's customers, shape (S,), above 0 and at most 1.
        ground
            Stores on the plane of the homes.

        Returns
        -------
        numpy.ndarray
            Whether each is among the nearest that together make up the share, shape (n,). All who live as far as the
            last one are; who has no weight is not.
        """
        distance = np.hypot(*(self.xy - ground.store_xy[self.store]).T)
        order = np.lexsort((distance, self.store))
        store, weight = self.store[order], self.weight[order]
        total = np.bincount(store, weights=weight, minlength=len(share))
        # Weight of the store's own customers up to each: the stores before it are taken off.
        reached = np.cumsum(weight) - (np.cumsum(total) - total)[store]
        enough = reached >= share[store] * total[store] - _TIE * total[store]
        edge = np.full(len(share), np.inf)
        np.minimum.at(edge, store[enough], distance[order][enough])
        near: BoolArray = distance <= edge[self.store] * (1.0 + _TIE)
        return near & (self.weight > 0.0)


def _require_columns(frame: pd.DataFrame, weight: str | None, faults: Faults) -> None:
    lost = []
    if "store_id" not in frame:
        lost.append("column 'store_id' is missing; it says which store a household usually shops at")
    if not ({"longitude", "latitude"} <= set(frame) or "neighbourhood_id" in frame):
        lost.append("the homes have no place; give longitude and latitude, or neighbourhood_id")
    if weight is not None and weight not in frame:
        lost.append(f"weight: {unknown('household column', weight, [str(name) for name in frame])}")
    for line in lost:
        faults.add(line)
    if lost:
        faults.end()


def _places(frame: pd.DataFrame, ground: Ground, faults: Faults) -> tuple[FloatArray, IntArray]:
    """Coordinates of each home, shape (n, 2), NaN where unknown, and the row of its neighbourhood or -1, shape (n,)."""
    xy = np.full((len(frame), 2), np.nan)
    if {"longitude", "latitude"} <= set(frame):
        degrees = points_from_xy(frame["longitude"], frame["latitude"], crs="EPSG:4326")
        points = to_plane(GeoDataFrame(geometry=degrees), ground.plane, what="homes of the households").to_numpy()
        xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
        xy[~np.isfinite(xy).all(axis=1)] = np.nan
    neighbourhood = np.full(len(frame), -1, dtype=np.intp)
    if "neighbourhood_id" in frame:
        neighbourhood = pd.Index(ground.neighbourhood_ids).get_indexer(pd.Index(frame["neighbourhood_id"]))
        needed = frame["neighbourhood_id"].where(np.isnan(xy[:, 0]))
        faults.unknown(needed, ground.neighbourhood_ids, what="neighbourhood")
    return xy, neighbourhood


def _names(frame: pd.DataFrame, used: BoolArray) -> tuple[str, ...]:
    if "household_id" in frame:
        return tuple(f"household {name}" for name in frame["household_id"][used])
    return tuple(f"the household in row {row + 1}" for row in np.flatnonzero(used))


def _weights(frame: pd.DataFrame, weight: str | None) -> FloatArray:
    if weight is None:
        return np.ones(len(frame))
    return pd.to_numeric(frame[weight], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _add_of_places(usable: BoolArray, outside_m: FloatArray, faults: Faults) -> None:
    if not usable.any():
        faults.add(
            "no household has both a usual store (store_id) and a home (longitude and latitude, or neighbourhood_id); "
            "there is nothing to work on"
        )
    elif outside_m.size and (outside_m > 0.0).all():
        faults.add(
            f"all {len(outside_m):,} homes lie outside every neighbourhood, the nearest "
            f"{outside_m.min() / 1000.0:,.1f} km from one; check longitude and latitude and their signs"
        )


def _add_of_stores(homes: Homes, ground: Ground, faults: Faults) -> None:
    without = np.setdiff1d(np.arange(len(ground.store_ids)), homes.store)
    if without.size:
        names = listed(ground.store_ids[row] for row in without)
        faults.add(f"no household with a known home has store {names} as its usual store; add some, or leave it out")


def _add_of_weights(homes: Homes, ground: Ground, weight: str | None, faults: Faults, *, of_each_store: bool) -> None:
    wrong = np.flatnonzero(~(np.isfinite(homes.weight) & (homes.weight >= 0.0)))
    if wrong.size:
        found = listed(f"{homes.names[row]} ({homes.weight[row]:g})" for row in wrong)
        faults.add(
            f"column '{weight}': expected a number of at least 0 for each household; found otherwise for {found}; "
            "correct them or leave them out"
        )
        return
    stores = np.unique(homes.store)
    idle = np.setdiff1d(stores, homes.store[homes.weight > 0.0])
    if idle.size and (of_each_store or idle.size == stores.size):
        names = listed(ground.store_ids[row] for row in idle)
        faults.add(f"column '{weight}' is 0 for all households of store {names}; leave weight out to count households")


def _warn_of_left_out(told: BoolArray, placed: BoolArray) -> None:
    lost = {
        "without a usual store (store_id)": int((~told).sum()),
        "without a home (longitude and latitude, or neighbourhood_id)": int((told & ~placed).sum()),
    }
    if any(lost.values()):
        reasons = " and ".join(f"{count:,} {reason}" for reason, count in lost.items() if count)
        warnings.warn(
            f"households: of {len(told):,}, {reasons} are left out",
            AssortmentWarning,
            stacklevel=5,
        )


def _warn_of_outside(homes: Homes, ground: Ground, outside_m: FloatArray) -> None:
    outside = np.flatnonzero(outside_m > 0.0)
    if outside.size:
        far = outside[np.argmax(outside_m[outside])]
        warnings.warn(
            f"households: {outside.size:,} of {len(outside_m):,} homes lie outside every neighbourhood, the farthest "
            f"{outside_m[far] / 1000.0:,.1f} km ({homes.names[far]}, store {ground.store_ids[homes.store[far]]}); they "
            "count all the same, so correct or leave out homes that are not there",
            AssortmentWarning,
            stacklevel=5,
        )
