"""``Trips``: where trips start and which store they go to, from loyalty homes or a table of flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from assortment.geo.arrays import FloatArray, IntArray
from assortment.geo.faults import Faults
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.homes import Homes

Source = Literal["households", "flows"]
Cluster = Literal["neighbourhood", "household"]


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
    cluster: IntArray
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
    def of_homes(cls, homes: Homes, ground: Ground, *, weighted: bool) -> Trips:
        """Take one trip from each home to the usual store; weights are scaled to a mean of 1."""
        return _gathered(
            source="households",
            xy=homes.xy,
            names=list(homes.names),
            store=homes.store,
            weight=homes.weight / homes.weight.mean(),
            cluster=homes.neighbourhood if (homes.neighbourhood >= 0).all() else None,
            shape=len(ground.store_ids),
            weighted=weighted,
        )


def _gathered(
    *,
    source: Source,
    xy: FloatArray,
    names: list[str],
    store: IntArray,
    weight: FloatArray,
    cluster: IntArray | None,
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
