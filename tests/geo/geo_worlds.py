"""Small worlds whose answers are known on paper."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from assortment.inputs import Neighbourhoods, Stores

PLANE = "EPSG:32610"
ORIGIN = (600_000.0, 4_200_000.0)
SIDE = 1000.0


def squares(columns: int, rows: int, *, origin: tuple[float, float] = ORIGIN, side: float = SIDE) -> np.ndarray:
    """Squares side by side, row by row from the south-west."""
    x, y = np.meshgrid(origin[0] + side * np.arange(columns), origin[1] + side * np.arange(rows))
    boxes: np.ndarray = shapely.box(x, y, x + side, y + side).ravel()
    return boxes


def neighbourhoods_of(
    polygons: np.ndarray,
    *,
    people: Sequence[float] | None = None,
    income: Sequence[float] | None = None,
    crs: object = PLANE,
) -> Neighbourhoods:
    """Neighbourhoods n0, n1, … with people (100 each, unless given) and a median income that rises with the number."""
    n = len(polygons)
    frame = gpd.GeoDataFrame(
        {
            "neighbourhood_id": [f"n{i}" for i in range(n)],
            "people": np.full(n, 100.0) if people is None else people,
            "over_65": np.arange(n, dtype=float),
            "median_income": 20_000.0 + 1000.0 * np.arange(n) if income is None else income,
        },
        geometry=polygons,
        crs=crs,
    )
    return Neighbourhoods.from_frame(frame, counts=["people", "over_65"], rates={"median_income": "people"})


def grid(columns: int, rows: int, **columns_of: object) -> Neighbourhoods:
    """Neighbourhoods on squares of one kilometre."""
    return neighbourhoods_of(squares(columns, rows), **columns_of)  # type: ignore[arg-type]


def stores_at(
    points: Sequence[tuple[float, float]] | np.ndarray,
    *,
    crs: object = PLANE,
    origin: tuple[float, float] = ORIGIN,
    **more: object,
) -> Stores:
    """Stores s0, s1, … at places given in metres from the origin."""
    xy = np.asarray(points, dtype=float).reshape(-1, 2) + origin
    frame = pd.DataFrame({"store_id": [f"s{i}" for i in range(len(xy))], "x": xy[:, 0], "y": xy[:, 1], **more})
    return Stores.from_frame(frame, crs=crs)


def town(stores: int, columns: int, *, seed: int = 0) -> tuple[Stores, Neighbourhoods]:
    """A square town of random people and incomes, with stores at random places in it."""
    rng = np.random.default_rng(seed)
    n = columns * columns
    people, income = rng.integers(0, 4000, n).astype(float), rng.uniform(15_000, 120_000, n)
    places = rng.uniform(0.0, SIDE * columns, (stores, 2))
    return (
        stores_at(places, size_m2=rng.uniform(500.0, 5000.0, stores)),
        grid(columns, columns, people=people, income=income),
    )


def moved(xy: np.ndarray, angle: float, dx: float, dy: float) -> np.ndarray:
    """Points turned around the origin of the world and shifted."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned: np.ndarray = (xy - ORIGIN) @ turn.T + ORIGIN + [dx, dy]
    return turned


def move_world(
    stores: Stores, neighbourhoods: Neighbourhoods, angle: float, dx: float, dy: float
) -> tuple[Stores, Neighbourhoods]:
    """The same world elsewhere on the same plane."""
    places = shapely.get_coordinates(stores.frame.geometry.to_numpy())
    shop = stores.frame.set_geometry(gpd.points_from_xy(*moved(places, angle, dx, dy).T, crs=PLANE))
    polygons = shapely.transform(neighbourhoods.frame.geometry.to_numpy(), lambda xy: moved(xy, angle, dx, dy))
    homes = neighbourhoods.frame.set_geometry(gpd.GeoSeries(polygons, crs=PLANE))
    return Stores.from_frame(shop), Neighbourhoods.from_frame(homes, neighbourhoods.counts, neighbourhoods.rates)


def dense(areas: object) -> np.ndarray:
    """All shares as one array, shape (S, M)."""
    return np.vstack([block for _, block in areas.blocks()])  # type: ignore[attr-defined]
