"""Demand from household baskets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from demand_worlds import make_products
from shapely.geometry import box
from test_fit_demand import stores_of

from assortment.demand import fit_demand
from assortment.errors import DemandError
from assortment.geo import StoreProfiles, store_profiles, trade_areas
from assortment.inputs import Neighbourhoods, Products, Stores

BANDS = {"low": "income_low", "high": "income_high"}


def make_baskets(taste: float, households: int = 300, weeks: int = 10) -> tuple[pd.DataFrame, pd.DataFrame, Products]:
    """Rich households like plant more by ``taste``, and buy twice as often."""
    rng = np.random.default_rng(4)
    products = make_products(6)
    kind, price = products.frame["kind"].to_numpy(), products.frame["price"].to_numpy()
    prices = price * rng.choice([1.0, 0.8], (weeks, len(price)))
    rows = []
    for h in range(households):
        rich = h % 3 == 0
        for week, now in enumerate(prices):
            worth = np.exp(taste * rich * (kind == "plant") - 1.5 * np.log(now))
            units = rng.multinomial(rng.poisson(2.0 if rich else 1.0), worth / worth.sum())
            rows += [(f"h{h}", week, products.ids[j], units[j], now[j]) for j in np.flatnonzero(units)]
    baskets = pd.DataFrame(rows, columns=["household_id", "week", "product_id", "units", "price"])
    members = pd.DataFrame(
        {
            "household_id": [f"h{h}" for h in range(households)],
            "band": ["high" if h % 3 == 0 else "low" for h in range(households)],
        }
    )
    members.loc[1, "band"] = None
    return baskets, members, products


def make_areas() -> StoreProfiles:
    table = pd.DataFrame(
        {"people": [1000.0, 1000.0], "income_low": [900.0, 200.0], "income_high": [100.0, 800.0]},
        index=pd.Index(["poor", "rich"], name="store_id"),
    )
    return StoreProfiles.from_frame(table, counts=list(table.columns))


@pytest.fixture(scope="module")
def shelves() -> pd.DataFrame:
    return pd.DataFrame({"store_id": ["poor", "rich"], "category": "milk", "occasions_per_week": [500.0, 300.0]})


def test_classes_are_the_segments_weighted_by_who_lives_there(shelves: pd.DataFrame) -> None:
    """Weights are occasions × share of the people × purchase rate, and sum to the occasions; tastes follow the band."""
    baskets, members, products = make_baskets(1.0)
    areas = make_areas()
    model = fit_demand(
        None, products, areas, baskets=baskets, households=members, segment="band", segments=BANDS, shelves=shelves
    )
    assert model.evidence.demographics_help and model.evidence.blocked_by == "household"
    demand = model.predict(stores_of(("poor", "rich")), products, areas)
    assert demand.class_names == ("low", "high") and demand.weight_source == "occasions"
    assert demand.class_weight.sum(axis=1) == pytest.approx([500.0, 300.0])
    assert demand.class_weight[1, 1] / demand.class_weight[1, 0] == pytest.approx(2.0 * 800 / 200, rel=0.1)
    assert demand.walk_away == pytest.approx(0.1)
    plant = (products.frame["kind"] == "plant").to_numpy()
    shares = demand.shares(np.ones((2, 6), bool))
    assert shares[1, plant].sum() > 1.3 * shares[0, plant].sum()
    assert any("band is not known" in note for note in model.notes)
    offers = pd.DataFrame({"week": 0, "store_id": "rich", "product_id": products.ids})
    assert model.shares(offers, areas).sum() == pytest.approx(1.0)
    assert list(demand.drivers(products.ids[2], "rich")["demographic"].sort_values()) == ["high", "low"]


def test_segments_that_do_not_differ_are_said_not_to(shelves: pd.DataFrame) -> None:
    """Without a difference in tastes the gain is nothing to speak of, and the sentence says what was found."""
    baskets, members, products = make_baskets(0.0)
    model = fit_demand(
        None,
        products,
        make_areas(),
        baskets=baskets,
        households=members,
        segment="band",
        segments=BANDS,
        shelves=shelves,
    )
    assert abs(model.evidence.gain) < 2e-3
    assert ("do not forecast" in model.evidence.sentence) == (not model.evidence.demographics_help)


def test_without_occasions_amounts_are_said_not_to_hold() -> None:
    """People stand in for households: proportions only, and the note says so."""
    baskets, members, products = make_baskets(1.0, households=60)
    areas = make_areas()
    model = fit_demand(None, products, areas, baskets=baskets, households=members, segment="band", segments=BANDS)
    demand = model.predict(stores_of(("poor", "rich")), products, areas)
    assert demand.weight_source == "units"
    assert any("amounts do not" in note for note in demand.notes)


@pytest.mark.parametrize("segments", [BANDS, {"low": "income_low / people", "high": "income_high / people"}])
def test_two_stores_around_the_same_people_divide_them(segments: dict[str, str]) -> None:
    """Where both rings are the same, each store has half of the occasions of one alone; shares cannot be divided."""
    baskets, members, products = make_baskets(1.0, households=60)
    block = gpd.GeoDataFrame(
        {"neighbourhood_id": ["n"], "people": [1000.0], "income_low": [700.0], "income_high": [300.0]},
        geometry=[box(500_000, 4_200_000, 502_000, 4_202_000)],
        crs="EPSG:32610",
    )
    homes = Neighbourhoods.from_frame(block, ["people", "income_low", "income_high"])

    def weights(*ids: str) -> np.ndarray:
        places = pd.DataFrame({"store_id": ids, "x": 501_000.0, "y": 4_201_000.0})
        stores = Stores.from_frame(places, crs="EPSG:32610")
        profiles = store_profiles(trade_areas(stores, homes, method="ring", radius_m=500), homes)
        model = fit_demand(
            None, products, profiles, baskets=baskets, households=members, segment="band", segments=segments
        )
        return model.predict(stores, products, profiles).class_weight

    alone, together = weights("a"), weights("a", "b")
    divided = 0.5 if segments is BANDS else 1.0
    assert together == pytest.approx(divided * np.vstack([alone, alone]), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segment": "income"}, "no column 'income'"),
        ({"segments": {"low": "income_low", "middle": "x"}}, "No household has band = middle; found high, low"),
        ({"households": None}, "Give sales; or baskets"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], message: str) -> None:
    """Unknown columns and segments are errors that say what there is."""
    baskets, members, products = make_baskets(1.0, households=12, weeks=2)
    settings: dict[str, object] = {"baskets": baskets, "households": members, "segment": "band", "segments": BANDS}
    with pytest.raises(DemandError, match=message):
        fit_demand(None, products, make_areas(), **{**settings, **change})  # type: ignore[arg-type]
