"""``Trips``: where trips start and which store they go to, from loyalty homes or a table of flows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from geopandas import GeoDataFrame, points_from_xy
from scipy.sparse import csr_array

from assortment.errors import AssortmentWarning
from assortment.geo.arrays import FloatArray
from assortment.geo.faults import Faults
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.placement import outside_by
from assortment.geo.ground.projection import to_plane
from assortment.geo.wording import listed, unknown

Source = Literal["households", "flows"]
Cluster = Literal["neighbourhood", "household"]
_DEGREES = ("longitude", "latitude")


@dataclass(frozen=True, kw_only=True)
class Trips:
    """Trips from O origins to S stores, those of the same origin taken together.

    Attributes
    ----------
    source
        Table that they came from; a household makes one trip, to its usual store.
    xy
        Where trips start, shape (O, 2), metres.
    names
        What messages call the origins: of one of its households, or the neighbourhood.
    weight
        Trips, shape (O, S); their sum is the number of observations.
    squared
        Sum of the squared weights of single households, shape (O, S).
    cluster, clustered_by
        Number of the neighbourhood of each origin, shape (O,), whose trips may be alike for reasons that no one
        measured; ``"household"`` where each household stands for itself.
    weighted
        Whether households count differently.
    """

    source: Source
    xy: FloatArray
    names: tuple[str, ...]
    weight: csr_array
    squared: csr_array
    cluster: npt.NDArray[np.intp]
    clustered_by: Cluster
    weighted: bool

    @property
    def observations(self) -> float:
        """Number of households or trips."""
        return float(self.weight.sum())

    @property
    def of_stores(self) -> FloatArray:
        """Trips to each store, shape (S,)."""
        return np.asarray(self.weight.sum(axis=0), dtype=np.float64)

    @classmethod
    def of_flows(cls, flows: pd.DataFrame, ground: Ground) -> Trips:
        """Take trips from a table of flows, which start at the representative points of the neighbourhoods.

        Raises
        ------
        GeographyError
            Unknown ids, a pair that is there twice, trips below zero or missing, none at all; all together.
        """
        faults = Faults("flows")
        frame = faults.checked("flows", flows)
        faults.unknown(frame["store_id"], ground.store_ids, what="store")
        faults.unknown(frame["neighbourhood_id"], ground.neighbourhood_ids, what="neighbourhood")
        if not (frame["trips"] > 0.0).any():
            faults.add("found no trips at all; there is nothing to calibrate on")
        faults.end()
        frame = frame[frame["trips"] > 0.0]
        home = pd.Index(ground.neighbourhood_ids).get_indexer(pd.Index(frame["neighbourhood_id"]))
        return _gathered(
            source="flows",
            xy=ground.centre_xy[home],
            names=[f"neighbourhood {name}" for name in frame["neighbourhood_id"]],
            store=pd.Index(ground.store_ids).get_indexer(pd.Index(frame["store_id"])),
            weight=frame["trips"].to_numpy(dtype=np.float64),
            cluster=home,
            shape=len(ground.store_ids),
        )

    @classmethod
    def of_households(cls, households: pd.DataFrame, ground: Ground, *, weight: str | None) -> Trips:
        """Take one trip from each home to the usual store.

        A trip starts at the home where its coordinates are known, else at the representative point of its
        neighbourhood. Weights are scaled to a mean of 1.

        Raises
        ------
        GeographyError
            Unknown ids, homes without a place, weights below zero or missing, nobody with a usual store; all together.

        Warns
        -----
        AssortmentWarning
            Households without a usual store, which are left out; homes outside every neighbourhood.
        """
        faults = Faults("households")
        frame = faults.checked("households", households)
        _require_columns(frame, weight, faults)
        faults.unknown(frame["store_id"], ground.store_ids, what="store")
        told = frame["store_id"].notna()
        if not told.any():
            faults.add("no household has a usual store (store_id); there is nothing to calibrate on")
        frame = frame[told].reset_index(drop=True)
        xy, home = _places(frame, ground, faults)
        weights = _weights(frame, weight, faults)
        faults.end()
        if not told.all():
            warnings.warn(
                f"households: {int((~told).sum()):,} of {len(told):,} have no usual store (store_id) and are left out",
                AssortmentWarning,
                stacklevel=4,
            )
        _warn_of_outside(frame, ground, xy)
        return _gathered(
            source="households",
            xy=xy,
            names=[f"household {name}" for name in frame["household_id"]],
            store=pd.Index(ground.store_ids).get_indexer(pd.Index(frame["store_id"])),
            weight=weights / weights.mean(),
            cluster=home if (home >= 0).all() else None,
            shape=len(ground.store_ids),
            weighted=weight is not None,
        )


def _gathered(
    *,
    source: Source,
    xy: FloatArray,
    names: list[str],
    store: npt.NDArray[np.intp],
    weight: FloatArray,
    cluster: npt.NDArray[np.intp] | None,
    shape: int,
    weighted: bool = False,
) -> Trips:
    """Take trips of the same place (and cluster) together."""
    label = np.zeros(len(xy)) if cluster is None else cluster
    places = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "cluster": label})
    origin = places.groupby(["x", "y", "cluster"], sort=False).ngroup().to_numpy()
    _, first = np.unique(origin, return_index=True)
    size = (len(first), shape)
    return Trips(
        source=source,
        xy=xy[first],
        names=tuple(names[row] for row in first),
        weight=csr_array((weight, (origin, store)), shape=size),
        squared=csr_array((weight**2, (origin, store)), shape=size),
        cluster=np.asarray(label[first], dtype=np.intp),
        clustered_by="household" if cluster is None else "neighbourhood",
        weighted=weighted,
    )


def _require_columns(frame: pd.DataFrame, weight: str | None, faults: Faults) -> None:
    lacking = False
    if "store_id" not in frame:
        lacking = True
        faults.add("column 'store_id' is missing; it says which store a household usually shops at")
    if not set(_DEGREES) <= set(frame) and "neighbourhood_id" not in frame:
        lacking = True
        faults.add("the homes have no place; give longitude and latitude, or neighbourhood_id")
    if weight is not None and weight not in frame:
        lacking = True
        faults.add(f"weight: {unknown('household column', weight, [str(name) for name in frame])}")
    if lacking:
        faults.end()


def _places(frame: pd.DataFrame, ground: Ground, faults: Faults) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Where each home is, shape (n, 2), and the row of its neighbourhood or -1, shape (n,)."""
    xy = np.full((len(frame), 2), np.nan)
    home = np.full(len(frame), -1, dtype=np.intp)
    if set(_DEGREES) <= set(frame):
        points = GeoDataFrame(geometry=points_from_xy(frame["longitude"], frame["latitude"], crs="EPSG:4326"))
        on_plane = to_plane(points, ground.plane, what="homes of the households").to_numpy()
        xy = np.column_stack([shapely.get_x(on_plane), shapely.get_y(on_plane)])
    located = np.isfinite(xy).all(axis=1)
    if "neighbourhood_id" in frame:
        faults.unknown(frame["neighbourhood_id"], ground.neighbourhood_ids, what="neighbourhood")
        home = pd.Index(ground.neighbourhood_ids).get_indexer(pd.Index(frame["neighbourhood_id"]))
        xy = np.where((~located & (home >= 0))[:, None], ground.centre_xy[home], xy)
    named = frame["neighbourhood_id"].notna().to_numpy(dtype=bool) if "neighbourhood_id" in frame else home >= 0
    lost = np.flatnonzero(~located & ~named)
    if lost.size:
        faults.add(
            f"{lost.size:,} households have no place: {listed(frame['household_id'].iloc[lost])}; give each longitude "
            "and latitude or a neighbourhood_id, or leave it out"
        )
    return xy, home


def _warn_of_outside(frame: pd.DataFrame, ground: Ground, xy: FloatArray) -> None:
    metres = outside_by(ground, xy)
    outside = np.flatnonzero(metres > 0.0)
    if outside.size:
        far = outside[np.argmax(metres[outside])]
        warnings.warn(
            f"households: {outside.size:,} of {len(metres):,} homes lie outside every neighbourhood, the farthest "
            f"{metres[far] / 1000.0:,.1f} km (household {frame['household_id'].iloc[far]}); their trips count all the "
            "same, so correct or leave out homes that are not there",
            AssortmentWarning,
            stacklevel=5,
        )


def _weights(frame: pd.DataFrame, weight: str | None, faults: Faults) -> FloatArray:
    if weight is None or frame.empty:
        return np.ones(len(frame))
    values = pd.to_numeric(frame[weight], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~(np.isfinite(values) & (values >= 0.0))
    if wrong.any():
        found = listed(f"{frame['household_id'].iloc[row]} ({values[row]:g})" for row in np.flatnonzero(wrong))
        faults.add(
            f"column '{weight}': expected a number of at least 0 for each household; found otherwise for {found}"
        )
    elif not values.any():
        faults.add(f"column '{weight}' is 0 for every household; leave weight out to count households")
    return values
