"""``Homes``: where the loyalty customers of each store live, on the ground."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from geopandas import GeoDataFrame, points_from_xy

from assortment.errors import AssortmentWarning
from assortment.geo.arrays import FloatArray
from assortment.geo.faults import Faults
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.placement import outside_by
from assortment.geo.ground.projection import to_plane
from assortment.geo.wording import listed, unknown

_TIE = 1e-9
"""Distances, and weights, that differ by less, relatively, are the same."""


@dataclass(frozen=True, kw_only=True)
class Homes:
    """The customers of S stores, of those whose store and home are known.

    Attributes
    ----------
    store
        Row of each customer's store, shape (n,).
    xy
        Where they live, shape (n, 2), metres.
    neighbourhood
        Row of the neighbourhood where no more than it is known (``xy`` then is its representative point), and -1 where
        the home has coordinates, shape (n,).
    weight
        How much each counts, at least 0, shape (n,); every store has some.
    """

    store: npt.NDArray[np.intp]
    xy: FloatArray
    neighbourhood: npt.NDArray[np.intp]
    weight: FloatArray

    def __post_init__(self) -> None:
        for array in (self.store, self.xy, self.neighbourhood, self.weight):
            array.setflags(write=False)

    @property
    def located(self) -> npt.NDArray[np.bool_]:
        """Which homes have coordinates, shape (n,)."""
        return self.neighbourhood < 0

    @classmethod
    def of(cls, households: pd.DataFrame, ground: Ground, *, weight: str | None) -> Homes:
        """Find the customers of each store.

        Parameters
        ----------
        households
            store_id; longitude and latitude, or neighbourhood_id, or both; the column of the weight.
        ground
            Stores and neighbourhoods on a plane.
        weight
            Numeric column of the households; ``None``: each counts 1.

        Raises
        ------
        GeographyError
            Stores or neighbourhoods that do not exist, weights that cannot be used, stores without customers; all
            together.
        """
        faults = Faults("households")
        frame = faults.checked("households", households, without=("household_id",))
        _require_columns(frame, weight, faults)
        xy, neighbourhood = _places(frame, ground)
        weights = _weights(frame, weight)
        faults.unknown(frame["store_id"], ground.store_ids, what="store")
        if "neighbourhood_id" in frame:
            unlocated = frame["neighbourhood_id"].where(np.isnan(xy[:, 0]))
            faults.unknown(unlocated, ground.neighbourhood_ids, what="neighbourhood")
        store = pd.Index(ground.store_ids).get_indexer(pd.Index(frame["store_id"]))
        used = (store >= 0) & np.isfinite(xy).all(axis=1)
        homes = cls(store=store[used], xy=xy[used], neighbourhood=neighbourhood[used], weight=weights[used])
        _add_of_stores(homes, ground, faults)
        _add_of_weights(homes, ground, weight, faults)
        faults.end()
        _warn_of_left_out(int((~used).sum()), len(used))
        homes._warn_of_outside(ground)
        return homes

    def nearest(self, share: FloatArray, ground: Ground) -> npt.NDArray[np.bool_]:
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
        near: npt.NDArray[np.bool_] = distance <= edge[self.store] * (1.0 + _TIE)
        return near & (self.weight > 0.0)

    def _warn_of_outside(self, ground: Ground) -> None:
        metres = outside_by(ground, self.xy)
        outside = np.flatnonzero(metres > 0.0)
        if outside.size:
            far = outside[np.argmax(metres[outside])]
            warnings.warn(
                f"households: {outside.size:,} of {len(metres):,} homes lie outside every neighbourhood, the farthest "
                f"{metres[far] / 1000.0:,.1f} km (a customer of {ground.store_ids[self.store[far]]}); they count among "
                "their store's customers",
                AssortmentWarning,
                stacklevel=5,
            )


def _require_columns(frame: pd.DataFrame, weight: str | None, faults: Faults) -> None:
    lost = []
    if "store_id" not in frame:
        lost.append("column store_id is missing: the usual store of each household")
    if not ({"longitude", "latitude"} <= set(frame) or "neighbourhood_id" in frame):
        lost.append("the homes are missing: give longitude and latitude, or neighbourhood_id")
    if weight is not None and weight not in frame:
        lost.append(f"weight: {unknown('household column', weight, [str(name) for name in frame])}")
    for line in lost:
        faults.add(line)
    if lost:
        faults.end()


def _places(frame: pd.DataFrame, ground: Ground) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Where each lives, NaN where that is not known, and the neighbourhood of those without coordinates, else -1."""
    xy = np.full((len(frame), 2), np.nan)
    if {"longitude", "latitude"} <= set(frame):
        degrees = points_from_xy(frame["longitude"], frame["latitude"], crs="EPSG:4326")
        points = to_plane(GeoDataFrame(geometry=degrees), ground.plane, what="homes of the households")
        xy = np.column_stack([shapely.get_x(points.to_numpy()), shapely.get_y(points.to_numpy())])
        xy[~np.isfinite(xy).all(axis=1)] = np.nan
    neighbourhood = np.full(len(frame), -1, dtype=np.intp)
    if "neighbourhood_id" in frame:
        known = pd.Index(ground.neighbourhood_ids).get_indexer(pd.Index(frame["neighbourhood_id"]))
        neighbourhood = np.where(np.isnan(xy[:, 0]), known, -1)
        xy = np.where((neighbourhood >= 0)[:, None], ground.centre_xy[neighbourhood], xy)
    return xy, neighbourhood


def _weights(frame: pd.DataFrame, weight: str | None) -> FloatArray:
    if weight is None:
        return np.ones(len(frame))
    return pd.to_numeric(frame[weight], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _add_of_stores(homes: Homes, ground: Ground, faults: Faults) -> None:
    without = np.setdiff1d(np.arange(len(ground.store_ids)), homes.store)
    if without.size:
        names = listed(ground.store_ids[row] for row in without)
        faults.add(f"no household with a known home has store {names} as its usual store; add some, or leave it out")


def _add_of_weights(homes: Homes, ground: Ground, weight: str | None, faults: Faults) -> None:
    wrong = ~(np.isfinite(homes.weight) & (homes.weight >= 0.0))
    if wrong.any():
        faults.add(
            f"column '{weight}': {int(wrong.sum()):,} of {len(wrong):,} customers without a number of at least 0, "
            f"such as {homes.weight[wrong][0]:g}; give each its {weight}, or leave them out"
        )
        return
    idle = np.setdiff1d(homes.store, homes.store[homes.weight > 0.0])
    if idle.size:
        names = listed(ground.store_ids[row] for row in idle)
        faults.add(f"column '{weight}' is 0 for all customers of store {names}; leave weight out to count customers")


def _warn_of_left_out(lost: int, size: int) -> None:
    if lost:
        warnings.warn(
            f"households: {lost:,} of {size:,} have no usual store, or neither coordinates nor a neighbourhood; "
            "they are left out of the trade areas",
            AssortmentWarning,
            stacklevel=5,
        )
