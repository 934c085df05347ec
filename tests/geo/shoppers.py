"""Shoppers who choose by Huff's model with parameters that are known."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geo_worlds import ORIGIN, PLANE, SIDE, dense

from assortment.geo import trade_areas
from assortment.inputs import Neighbourhoods, Stores


def flows_of(
    stores: Stores, neighbourhoods: Neighbourhoods, trips: int | np.ndarray, *, seed: int = 0, **parameters: object
) -> pd.DataFrame:
    """Trips of each neighbourhood, drawn from the shares of Huff's model."""
    rng = np.random.default_rng([seed, 1])
    shares = dense(trade_areas(stores, neighbourhoods, method="huff", **parameters))
    per_home = np.broadcast_to(trips, shares.shape[1])
    drawn = np.array([rng.multinomial(n, share / share.sum()) for n, share in zip(per_home, shares.T, strict=True)])
    row, column = np.indices(drawn.shape)
    return flow_table(stores, neighbourhoods, row.ravel(), column.ravel(), drawn.ravel())


def flow_table(
    stores: Stores, neighbourhoods: Neighbourhoods, home: Sequence[int], store: Sequence[int], trips: Sequence[float]
) -> pd.DataFrame:
    """Flows from rows of neighbourhoods to rows of stores."""
    return pd.DataFrame(
        {
            "store_id": [stores.ids[row] for row in store],
            "neighbourhood_id": [neighbourhoods.ids[row] for row in home],
            "trips": np.asarray(trips, dtype=float),
        }
    )


def households_of(
    stores: Stores, columns: int, n: int, *, alpha: object, decay: object, attractiveness: str | None, seed: int = 0
) -> pd.DataFrame:
    """Households at random places of a square town, each with its usual store, drawn by random utility."""
    rng = np.random.default_rng([seed, 1])  # not the numbers that the stores of the town are placed by
    homes = rng.uniform(0.0, SIDE * columns, (n, 2)) + ORIGIN
    places = shapely.get_coordinates(stores.frame.geometry.to_numpy())
    size = np.ones(len(places)) if attractiveness is None else stores.frame[attractiveness].to_numpy()
    distance = np.hypot(*(homes.T[:, :, None] - places.T[:, None, :]))
    utility = alpha * np.log(size) - decay * np.log(distance) + rng.gumbel(size=distance.shape)  # type: ignore[operator]
    return households_at(homes, [stores.ids[row] for row in utility.argmax(axis=1)])


def households_at(homes: np.ndarray, usual: Sequence[str]) -> pd.DataFrame:
    """Households h0, h1, … at places on the plane."""
    degrees = gpd.GeoSeries(gpd.points_from_xy(*np.asarray(homes).T), crs=PLANE).to_crs("EPSG:4326")
    return pd.DataFrame(
        {
            "household_id": [f"h{i}" for i in range(len(usual))],
            "store_id": list(usual),
            "longitude": degrees.x.to_numpy(),
            "latitude": degrees.y.to_numpy(),
        }
    )
