"""How long trade areas take, side by side with tobler where it does the same; results are asserted, times are not."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from assortment.geo import store_profiles, trade_areas
from assortment.geo.ring import circles
from assortment.inputs import Neighbourhoods, Stores

SIDE_M = 60_000.0
RADIUS_M = 2000.0
CRS = "EPSG:32610"


def town(stores: int, neighbourhoods: int) -> tuple[Stores, Neighbourhoods]:
    """Cells around random points, some 50 corners each, as census polygons have, and stores at random places."""
    rng = np.random.default_rng(0)
    places = shapely.multipoints(rng.uniform(0.0, SIDE_M, (neighbourhoods, 2)))
    whole = shapely.box(0.0, 0.0, SIDE_M, SIDE_M)
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(places, extend_to=whole)), whole)
    cells = shapely.segmentize(cells, SIDE_M / neighbourhoods**0.5 / 12.0)
    frame = gpd.GeoDataFrame(
        {"neighbourhood_id": np.arange(neighbourhoods), "people": rng.integers(0, 5000, neighbourhoods)},
        geometry=shapely.transform(cells, lambda xy: xy + np.array([500_000.0, 4_200_000.0])),
        crs=CRS,
    )
    for band in range(10):
        frame[f"band_{band}"] = frame["people"] * rng.random(neighbourhoods)
    frame["median_income"] = rng.uniform(15_000.0, 120_000.0, neighbourhoods)
    counts = ["people", *(f"band_{band}" for band in range(10))]
    xy = rng.uniform(0.0, SIDE_M, (stores, 2)) + np.array([500_000.0, 4_200_000.0])
    places_of = pd.DataFrame({"store_id": np.arange(stores), "x": xy[:, 0], "y": xy[:, 1]})
    return (
        Stores.from_frame(places_of, crs=CRS),
        Neighbourhoods.from_frame(frame, counts, {"median_income": "people"}),
    )


@pytest.fixture(scope="module")
def world() -> tuple[Stores, Neighbourhoods]:
    return town(300, 5000)


@pytest.fixture(scope="module")
def rings(world: tuple[Stores, Neighbourhoods]) -> gpd.GeoDataFrame:
    xy = shapely.get_coordinates(world[0].frame.geometry.to_numpy())
    return gpd.GeoDataFrame(geometry=circles(xy, np.full(len(xy), RADIUS_M)), crs=CRS)


@pytest.fixture(scope="module")
def people_in_rings(world: tuple[Stores, Neighbourhoods], rings: gpd.GeoDataFrame) -> np.ndarray:
    """The answer, without index or prepared tests: each ring cut with everything."""
    polygons, people = world[1].frame.geometry.to_numpy(), world[1].frame["people"].to_numpy()
    density = people / shapely.area(polygons)
    return np.array([shapely.area(shapely.intersection(ring, polygons)) @ density for ring in rings.geometry[:10]])


@pytest.mark.benchmark(group="rings: 300 of 2 km over 5,000 polygons")
def test_rings_by_assortment(benchmark, world: tuple[Stores, Neighbourhoods], people_in_rings: np.ndarray) -> None:
    """Projection, trade areas and profiles of all columns."""

    def work() -> pd.DataFrame:
        return store_profiles(trade_areas(*world, method="ring", radius_m=RADIUS_M), world[1]).table

    people = benchmark.pedantic(work, rounds=3, warmup_rounds=1)["people"].to_numpy()
    assert people[:10] == pytest.approx(people_in_rings, rel=1e-9)


@pytest.mark.benchmark(group="rings: 300 of 2 km over 5,000 polygons")
def test_rings_by_tobler(
    benchmark, world: tuple[Stores, Neighbourhoods], rings: gpd.GeoDataFrame, people_in_rings: np.ndarray
) -> None:
    """The same rings and counts by tobler's area interpolation, which has no rates by base."""
    tobler = pytest.importorskip("tobler.area_weighted")

    def work() -> gpd.GeoDataFrame:
        return tobler.area_interpolate(world[1].frame, rings, list(world[1].counts), allocate_total=False)

    people = benchmark.pedantic(work, rounds=3, warmup_rounds=1)["people"].to_numpy()
    assert people[:10] == pytest.approx(people_in_rings, rel=1e-6)


@pytest.mark.benchmark(group="huff: 2,000 stores by 20,000 neighbourhoods, profiles of 12 columns included")
@pytest.mark.parametrize("decay", [2.0, 1.7])
def test_huff_on_forty_million_pairs(benchmark, decay: float) -> None:
    """Exact and dense, in chunks: nobody is lost."""
    stores, neighbourhoods = town(2000, 20_000)

    def work() -> pd.DataFrame:
        return store_profiles(trade_areas(stores, neighbourhoods, method="huff", decay=decay), neighbourhoods).table

    people = benchmark.pedantic(work, rounds=2)["people"]
    assert people.sum() == pytest.approx(neighbourhoods.frame["people"].sum(), rel=1e-9)
