"""The example chain: real tracts, 40 made-up stores."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from assortment.geo import MapShapes, income_bands, store_profiles, trade_areas
from assortment.inputs import Neighbourhoods, Stores

FOLDER = Path(__file__).parents[2] / "data" / "sacramento"
pytestmark = pytest.mark.skipif(
    not (FOLDER / "neighbourhoods.geojson").exists(), reason="the example data are not there"
)


@pytest.fixture(scope="module")
def tracts() -> Neighbourhoods:
    frame = gpd.read_file(FOLDER / "neighbourhoods.geojson")
    return Neighbourhoods.from_frame(frame, ["people", "over_65"], {"median_income": "people"})


@pytest.fixture(scope="module")
def stores() -> Stores:
    return Stores.from_frame(pd.read_csv(FOLDER / "stores.csv", dtype={"store_id": str}))


@pytest.mark.parametrize("method", ["huff", "nearest", "thiessen"])
def test_all_people_of_sacramento_shop_somewhere(stores: Stores, tracts: Neighbourhoods, method: str) -> None:
    """Without competitors the people of all trade areas are the people of all tracts, to 1e-9."""
    areas = trade_areas(stores, tracts, method=method)
    people = store_profiles(areas, tracts).table["people"].sum()
    assert people == pytest.approx(tracts.frame["people"].sum(), rel=1e-9)


def test_competitors_take_people_from_every_store(stores: Stores, tracts: Neighbourhoods) -> None:
    """With the rivals in, each store serves fewer people, and incomes stay inside the range of the tracts."""
    rivals = pd.read_csv(FOLDER / "competitors.csv")
    settings = {"attractiveness": "size_m2", "distance_floor_m": 200.0}
    alone = store_profiles(trade_areas(stores, tracts, **settings), tracts).table
    contested = store_profiles(trade_areas(stores, tracts, competitors=rivals, **settings), tracts).table
    assert (contested["people"] < alone["people"]).all()
    income = tracts.frame["median_income"]
    assert contested["median_income"].between(income.min(), income.max()).all()


def test_income_bands_conserve_the_people_with_a_known_median(stores: Stores, tracts: Neighbourhoods) -> None:
    """Bands sum to the people of the tracts whose median is known."""
    banded = income_bands(tracts, (35_000, 75_000), dollars=1.471)
    people = banded.frame.loc[tracts.frame["median_income"].notna(), "people"].sum()
    assert banded.frame[list(banded.counts[-3:])].sum().sum() == pytest.approx(people, rel=1e-12)


def test_maps_of_all_stores_are_small(stores: Stores, tracts: Neighbourhoods) -> None:
    """Every store's map holds the store, some tracts, and few enough points to print."""
    shapes = MapShapes(trade_areas(stores, tracts), people=tracts.frame["people"].to_numpy())
    for store in stores.ids:
        picture = shapes.around(store)
        assert picture.neighbourhoods and store in [each[0] for each in picture.stores]
        assert sum(len(ring) for shape in picture.neighbourhoods for ring in shape.rings) < 15_000
