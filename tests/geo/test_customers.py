"""Trade areas by customers: hulls whose areas are known on paper."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pytest
import shapely
from geo_worlds import ORIGIN, PLANE, dense, grid, move_world, moved, stores_at
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo import store_profiles, trade_areas
from assortment.inputs import Neighbourhoods, Stores

TO_DEGREES = Transformer.from_crs(PLANE, "EPSG:4326", always_xy=True)
WORLD = grid(3, 3)
MIDDLE = stores_at([(1500, 1500)])
SQUARE = [(500, 500), (2500, 500), (2500, 2500), (500, 2500)]


@pytest.fixture(autouse=True)
def few_customers_are_enough() -> Iterator[None]:
    """These worlds have few customers on purpose; the test of that warning asks for it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="fewer than 10 customers", category=AssortmentWarning)
        yield


def living_at(points: Sequence[tuple[float, float]] | np.ndarray, **more: object) -> pd.DataFrame:
    """Households at places given in metres from the origin; of store s0 unless said otherwise."""
    longitude, latitude = TO_DEGREES.transform(*(np.asarray(points, dtype=float) + ORIGIN).T)
    return pd.DataFrame({"store_id": "s0", "longitude": longitude, "latitude": latitude} | more)


def shares_of(households: pd.DataFrame, stores: Stores = MIDDLE, **parameters: object) -> np.ndarray:
    return dense(trade_areas(stores, WORLD, method="customers", households=households, **parameters))


def test_the_hull_of_the_homes_is_cut_from_the_neighbourhoods_by_area() -> None:
    """A square of homes over nine squares takes the middle, half of its neighbours and a quarter of the corners."""
    areas = trade_areas(MIDDLE, WORLD, method="customers", households=living_at([*SQUARE, (1500, 1500)]), share=1)
    quarter, half = 0.25, 0.5
    expected = [quarter, half, quarter, half, 1.0, half, quarter, half, quarter]
    assert dense(areas)[0] == pytest.approx(expected, abs=1e-6)
    assert areas.kind == "overlaps"
    assert areas.parameters == {"share": 1, "weight": "customers", "households": 5, "kept": 5}
    assert store_profiles(areas, WORLD).table.loc["s0", "people"] == pytest.approx(400.0, rel=1e-6)


def ten(weights: Sequence[float] = (1.0,) * 10) -> pd.DataFrame:
    """Customers in ten neighbourhoods of a row, the i-th i kilometres from the store."""
    return pd.DataFrame(
        {"store_id": "s0", "neighbourhood_id": [f"n{i}" for i in range(len(weights))], "spend": list(weights)}
    )


@pytest.mark.parametrize(
    ("weights", "share", "kept"),
    [
        ((1,) * 10, 0.7, 7),
        ((1,) * 10, 0.71, 8),
        ((1,) * 10, 1.0, 10),
        ((1,) * 10, 0.01, 1),
        ((5, 1, 1, 1, 2), 0.5, 1),
        ((5, 1, 1, 1, 2), 0.7, 3),
        ((0.1,) * 10, 0.3, 3),  # 0.1 + 0.1 + 0.1 is not 0.3
        ((3, 1, 0, 0), 1.0, 2),
    ],
)
def test_the_nearest_customers_that_make_up_the_share_are_kept(
    weights: tuple[float, ...], share: float, kept: int
) -> None:
    """Customers are taken by distance until their number, or their spend, reaches the share, and no further."""
    row, stores = grid(len(weights), 1), stores_at([(500, 500)])
    asked = {"households": ten(weights), "share": share, "weight": "spend"}
    shares = dense(trade_areas(stores, row, method="customers", **asked))[0]
    assert shares.tolist() == [1.0] * kept + [0.0] * (len(weights) - kept)


def test_by_count_and_by_spend_differ() -> None:
    """One who lives far and spends much is needed for half of the spend, not for half of the customers."""
    row, stores = grid(4, 1), stores_at([(500, 500)])
    for weight, kept in ((None, 2), ("spend", 4)):
        areas = trade_areas(stores, row, method="customers", households=ten((1, 1, 1, 9)), share=0.5, weight=weight)
        assert dense(areas).sum() == kept
        assert areas.parameters["weight"] == (weight or "customers")


def test_customers_at_the_same_distance_are_kept_together() -> None:
    """Of four homes at one distance half are asked for, and all are taken, whichever comes first."""
    homes = living_at([*SQUARE, (1500, 2990)])
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 0, 3, 1]):
        assert shares_of(homes.iloc[order], share=0.4).sum() == pytest.approx(4.0, rel=1e-6)


def test_the_share_may_differ_between_formats() -> None:
    """A small store takes half of its customers, a large one all."""
    stores = stores_at([(500, 500), (500, 500)], format=["small", "large"])
    homes = pd.concat([ten((1, 1)), ten((1, 1)).assign(store_id="s1")])
    areas = trade_areas(stores, grid(2, 1), method="customers", households=homes, share={"small": 0.5, "large": 1.0})
    assert dense(areas).tolist() == [[1, 0], [1, 1]]


def test_homes_of_both_kinds_are_joined() -> None:
    """Where some homes have coordinates, the neighbourhoods of the others are added wholly; coordinates come first."""
    homes = pd.concat(
        [
            living_at(SQUARE).assign(neighbourhood_id="n2"),
            pd.DataFrame({"store_id": ["s0"], "neighbourhood_id": ["n0"]}),
        ]
    )
    areas = trade_areas(MIDDLE, WORLD, method="customers", households=homes, share=1)
    assert dense(areas)[0, [0, 1, 2]] == pytest.approx([1.0, 0.5, 0.25], abs=1e-6)
    assert areas.covered == pytest.approx(dense(areas)[0], abs=1e-6)


def test_people_in_two_hulls_are_covered_once() -> None:
    """Two stores with the same customers' homes cover what one of them covers."""
    stores = stores_at([(1500, 1500), (1400, 1500)])
    homes = pd.concat([living_at(SQUARE), living_at(SQUARE, store_id="s1")])
    areas = trade_areas(stores, WORLD, method="customers", households=homes, share=1)
    assert areas.covered == pytest.approx(dense(areas)[0], abs=1e-9)


def test_ancillary_counts_split_neighbourhoods_instead_of_area() -> None:
    """All dwellings of the south-western square stand inside the hull, so it is served wholly, not by a quarter."""
    dwellings = living_at([(900, 900), (800, 700), *((x, y) for x in (500, 1500, 2500) for y in (1500, 2400))])
    with pytest.warns(AssortmentWarning, match="split by area"):
        shares = shares_of(living_at(SQUARE), share=1, ancillary=dwellings[["longitude", "latitude"]])
    assert shares[0, 0] == pytest.approx(1.0)
    assert shares[0, 2] == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize(
    ("homes", "area"),
    [([(1500, 1500)] * 3, np.pi * 50**2), ([(1200, 1500), (1600, 1500), (1400, 1500)], 400 * 100 + np.pi * 50**2)],
    ids=["one place", "one line"],
)
def test_homes_in_one_place_or_on_one_line_get_fifty_metres(homes: list[tuple[float, float]], area: float) -> None:
    """A hull without area is widened, and the store is named."""
    with pytest.warns(AssortmentWarning, match="area of store s0 are all in one place or on one line"):
        shares = shares_of(living_at(homes), share=1)
    assert shares[0, 4] == pytest.approx(area / 1e6, rel=0.01)
    assert shares.sum() == pytest.approx(shares[0, 4])


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000), angle=st.floats(0, 6.28), dx=st.floats(-20_000, 20_000), dy=st.floats(-20_000, 20_000)
)
def test_place_direction_and_order_change_nothing(seed: int, angle: float, dx: float, dy: float) -> None:
    """A world that is moved, turned and shuffled has the same shares, and each hull holds the homes it is made of."""
    rng = np.random.default_rng(seed)
    stores = stores_at(rng.uniform(0, 3000, (2, 2)))
    points = rng.uniform(0, 3000, (24, 2))
    who = {"store_id": [f"s{i % 2}" for i in range(24)], "spend": rng.uniform(1, 9, 24)}
    here = shares_of(living_at(points, **who), stores, share=0.6, weight="spend")
    shop, world = move_world(stores, WORLD, angle, dx, dy)
    s, m = rng.permutation(2), rng.permutation(9)
    there = trade_areas(
        Stores.from_frame(shop.frame.iloc[s]),
        Neighbourhoods.from_frame(world.frame.iloc[m], world.counts, world.rates),
        method="customers",
        households=living_at(moved(points + ORIGIN, angle, dx, dy) - ORIGIN, **who).sample(frac=1, random_state=seed),
        share=0.6,
        weight="spend",
    )
    assert dense(there) == pytest.approx(here[s][:, m], abs=1e-6)


def test_shares_agree_with_a_loop_over_stores() -> None:
    """Sorting, cutting off and drawing hulls for all stores at once gives what each store for itself gives."""
    rng = np.random.default_rng(3)
    places, points, store = rng.uniform(0, 3000, (4, 2)), rng.uniform(0, 3000, (80, 2)), rng.integers(0, 4, 80)
    spend = rng.uniform(0, 5, 80)
    homes = living_at(points, store_id=[f"s{i}" for i in store], spend=spend)
    shares = shares_of(homes, stores_at(places), share=0.7, weight="spend")
    polygons = WORLD.frame.geometry.to_numpy()
    for row in range(4):
        mine, weight = points[store == row], spend[store == row]
        order = np.argsort(np.hypot(*(mine - places[row]).T))
        needed = int(np.searchsorted(np.cumsum(weight[order]), 0.7 * weight.sum())) + 1
        hull = shapely.MultiPoint(mine[order[:needed]] + ORIGIN).convex_hull
        expected = shapely.area(shapely.intersection(hull, polygons)) / shapely.area(polygons)
        assert shares[row] == pytest.approx(expected, abs=1e-6)


def test_all_faults_of_the_households_are_told_together() -> None:
    """Unknown stores and neighbourhoods, weights that are no use and stores without customers, in one message."""
    homes = pd.DataFrame(
        {
            "store_id": ["s0", "s0", "s8", "s9"],
            "neighbourhood_id": ["n0", "n99", "n1", "n1"],
            "spend": [-4.0, 1.0, 1.0, 1.0],
        }
    )
    with pytest.raises(GeographyError) as caught:
        shares_of(homes, stores_at([(500, 500), (600, 500)]), weight="spend")
    message = str(caught.value)
    assert "2 rows of stores that do not exist: s8, s9" in message
    assert "1 row of neighbourhoods that do not exist: n99" in message
    assert "no household with a known home has store s1" in message
    assert "found otherwise for the household in row 1 (-4)" in message


def test_columns_that_are_missing_are_told_together() -> None:
    """Without stores, homes and the weight nothing can be done, and each is named."""
    with pytest.raises(GeographyError) as caught:
        shares_of(pd.DataFrame({"household_id": ["a"], "spent": [1.0]}), weight="spend")
    for words in ("column 'store_id' is missing", "the homes have no place", "did you mean 'spent'"):
        assert words in str(caught.value)


def test_customers_who_spend_nothing_make_no_area_by_spend() -> None:
    """A store all of whose customers have spend 0 is named."""
    with pytest.raises(GeographyError, match="column 'spend' is 0 for all households of store s0"):
        shares_of(ten((0.0, 0.0)), weight="spend")


def test_households_without_store_or_home_are_left_out_and_counted() -> None:
    """Two of five rows say too little; the others make the area."""
    homes = pd.concat([ten((1, 1, 1)), pd.DataFrame({"store_id": ["s0", None], "neighbourhood_id": [None, "n1"]})])
    with pytest.warns(AssortmentWarning, match="of 5, 1 without a usual store .* and 1 without a home"):
        assert shares_of(homes, share=1).sum() == 3.0


def test_homes_outside_every_neighbourhood_are_reported_with_the_farthest() -> None:
    """A home seven kilometres off counts among the customers, and is said."""
    with pytest.warns(AssortmentWarning, match=r"1 of 5 homes lie outside every neighbourhood, the farthest 7\.0 km"):
        shares = shares_of(living_at([*SQUARE, (10_000, 1500)]), share=0.8)
    assert shares.sum() == pytest.approx(4.0, rel=1e-6)


def test_few_customers_are_warned_of_with_their_number() -> None:
    """Nine customers are few, ten are not."""
    with pytest.warns(AssortmentWarning, match=r"fewer than 10 customers with a known home for store s0 \(4\)"):
        shares_of(living_at(SQUARE))
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssortmentWarning)
        shares_of(living_at(SQUARE * 3))


def test_homes_all_outside_are_an_error() -> None:
    """A lost sign puts every home on another continent: that is no trade area of nobody, but a fault."""
    homes = living_at(SQUARE)
    homes["longitude"] *= -1.0
    with pytest.raises(GeographyError, match=r"all 4 homes lie outside every neighbourhood, the nearest .* signs"):
        shares_of(homes)


@pytest.mark.parametrize(
    ("share", "found"),
    [(0, "share: expected a number above 0; found 0"), (1.5, r"at most 1, such as 0\.7; found s0 \(1\.5\)")],
)
def test_a_share_out_of_range_is_named(share: float, found: str) -> None:
    """A share is above 0 and at most 1."""
    with pytest.raises(GeographyError, match=found):
        shares_of(living_at(SQUARE), share=share)
