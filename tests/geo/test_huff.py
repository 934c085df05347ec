"""Huff's model: shares worked out by hand, conservation, and numbers at the edge."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geo_worlds import ORIGIN, PLANE, dense, grid, move_world, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo import store_profiles, trade_areas
from assortment.geo.methods import huff
from assortment.inputs import Neighbourhoods, Stores

TWO = stores_at([(500, 900), (1500, 700)], size=[1.0, 2.0])
"""400 m above the middle of the first square, 200 m above the middle of the second."""


def by_hand(pull: list[float], decay: float, rivals: list[tuple[float, float, float]] = []) -> np.ndarray:  # noqa: B006
    """Shares of the two stores in the two squares, from the definition."""
    places = [(500, 900, pull[0]), (1500, 700, pull[1]), *rivals]
    attraction = np.array([[a * np.hypot(x - cx, y - 500) ** -decay for cx in (500, 1500)] for x, y, a in places])
    shares: np.ndarray = (attraction / attraction.sum(axis=0))[:2]
    return shares


@pytest.mark.parametrize("decay", [0.0, 1.0, 1.7, 2.0, 3.0])
def test_two_stores_and_two_squares_agree_with_the_definition(decay: float) -> None:
    """Shares are A d^-λ over the sum of it, on a world small enough for paper."""
    areas = trade_areas(TWO, grid(2, 1), attractiveness="size", decay=decay)
    assert areas.method == "huff" and areas.kind == "divides"
    assert dense(areas) == pytest.approx(by_hand([1.0, 2.0], decay), rel=1e-12)


def test_alpha_is_the_exponent_of_attractiveness() -> None:
    """With alpha 1.5 a store twice as large pulls 2^1.5 times as much."""
    areas = trade_areas(TWO, grid(2, 1), attractiveness=[1.0, 2.0], alpha=1.5)
    assert dense(areas) == pytest.approx(by_hand([1.0, 2.0**1.5], 2.0), rel=1e-12)


def test_attractiveness_by_format_holds_for_competitors_of_that_format() -> None:
    """One mapping serves stores and rivals."""
    stores = Stores.from_frame(TWO.frame.assign(format=["near", "far"]))
    sizes = {"near": 1.0, "far": 2.0}
    rival = stores_at([(1000, 500)], format="far")
    areas = trade_areas(stores, grid(2, 1), attractiveness=sizes, competitors=rival)
    assert dense(areas) == pytest.approx(by_hand([1.0, 2.0], 2.0, [(1000, 500, 2.0)]), rel=1e-9)


@pytest.mark.parametrize("form", ["degrees", "points", "stores"])
def test_a_competitor_takes_its_part_and_gets_no_area(form: str) -> None:
    """A rival enters the denominator alone, in whatever form it is given; what it takes is missing from the sums."""
    rival = stores_at([(1000, 500)], size=[3.0])
    if form == "degrees":
        degrees = rival.frame.to_crs("EPSG:4326").geometry
        table: object = pd.DataFrame(
            {"latitude": degrees.y.to_numpy(), "size": [3], "longitude": degrees.x.to_numpy()}, index=[17]
        )
    else:
        table = rival.frame if form == "points" else rival
    areas = trade_areas(TWO, grid(2, 1), attractiveness="size", competitors=table)
    assert areas.store_ids == ("s0", "s1")
    assert dense(areas) == pytest.approx(by_hand([1.0, 2.0], 2.0, [(1000, 500, 3.0)]), rel=1e-6)
    assert areas.parameters["competitors"] == 1


def test_competitors_may_have_an_attractiveness_of_their_own() -> None:
    """A number for the competitors stands beside an array for the stores."""
    rival = stores_at([(1000, 500)])
    areas = trade_areas(TWO, grid(2, 1), attractiveness=[1.0, 2.0], competitors=rival, competitor_attractiveness=3.0)
    assert dense(areas) == pytest.approx(by_hand([1.0, 2.0], 2.0, [(1000, 500, 3.0)]), rel=1e-12)
    assert areas.parameters["competitor_attractiveness"] == 3.0 and "competitor_alpha" not in areas.parameters


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    decay=st.floats(0.0, 6.0),
    alpha=st.floats(0.0, 3.0),
    floor=st.sampled_from([None, 50.0, 1500.0]),
)
def test_everybody_shops_somewhere(seed: int, decay: float, alpha: float, floor: float | None) -> None:
    """Without competitors shares sum to 1 over the stores, and the people of all areas to the people there are."""
    stores, world = town(5, 4, seed=seed)
    areas = trade_areas(stores, world, attractiveness="size_m2", decay=decay, alpha=alpha, distance_floor_m=floor)
    shares = dense(areas)
    assert (shares > 0).all()
    assert shares.sum(axis=0) == pytest.approx(np.ones(16), rel=1e-12)
    people = store_profiles(areas, world).table["people"].sum()
    assert people == pytest.approx(world.frame["people"].sum(), rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), angle=st.floats(0, 6.28), dx=st.floats(-3e4, 3e4), dy=st.floats(-3e4, 3e4))
def test_moving_and_turning_the_world_changes_nothing(seed: int, angle: float, dx: float, dy: float) -> None:
    """Shares depend on distances alone."""
    stores, world = town(3, 3, seed=seed)
    here = dense(trade_areas(stores, world, distance_floor_m=50.0))
    there = dense(trade_areas(*move_world(stores, world, angle, dx, dy), distance_floor_m=50.0))
    # The representative point of a square is its middle whichever way it faces, to rounding.
    assert there == pytest.approx(here, rel=1e-5)


def test_the_order_of_the_input_does_not_matter() -> None:
    """Shuffled stores and neighbourhoods give the same shares, in their own order."""
    stores, world = town(4, 5, seed=1)
    rng = np.random.default_rng(0)
    s, m = rng.permutation(4), rng.permutation(25)
    shuffled = (
        Stores.from_frame(stores.frame.iloc[s]),
        Neighbourhoods.from_frame(world.frame.iloc[m], world.counts, world.rates),
    )
    straight = dense(trade_areas(stores, world))
    assert dense(trade_areas(*shuffled)) == pytest.approx(straight[s][:, m], rel=1e-12)


@pytest.mark.parametrize("decay", [2.0, [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]])
def test_chunks_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch, decay: object) -> None:
    """Sums, blocks and the frame are the same in chunks of a few pairs as in one piece."""
    stores, world = town(7, 6, seed=3)
    whole = trade_areas(stores, world, attractiveness="size_m2", decay=decay)
    expected = dense(whole)
    values = np.random.default_rng(0).random((36, 3))
    monkeypatch.setattr(huff, "CELLS", 11)
    monkeypatch.setattr("assortment.geo.areas.CELLS", 80)
    chunked = trade_areas(stores, world, attractiveness="size_m2", decay=decay)
    assert [part for part, _ in chunked.blocks()] == [slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 7)]
    assert dense(chunked) == pytest.approx(expected, rel=1e-12)
    assert chunked.sums(values) == pytest.approx(expected @ values, rel=1e-12)
    frame = chunked.shares.pivot(index="store_id", columns="neighbourhood_id", values="share")
    assert frame.loc[list(whole.store_ids), list(whole.neighbourhood_ids)].to_numpy() == pytest.approx(expected)
    assert chunked.of_store("s4").to_numpy() == pytest.approx(expected[4], rel=1e-12)


def test_extreme_exponents_neither_overflow_nor_vanish() -> None:
    """A decay of 200 gives each neighbourhood to its nearest store; the unit of attractiveness does not matter."""
    stores, world = town(4, 4, seed=8)
    steep = dense(trade_areas(stores, world, decay=200.0))
    assert steep.sum(axis=0) == pytest.approx(np.ones(16))
    assert (steep.argmax(axis=0) == dense(trade_areas(stores, world, method="nearest")).argmax(axis=0)).all()
    small, large = (
        dense(trade_areas(stores, world, attractiveness=unit * stores.frame["size_m2"].to_numpy(), alpha=3.0))
        for unit in (1e-150, 1e150)
    )
    assert small == pytest.approx(large, rel=1e-12)


def test_a_floor_makes_near_stores_alike() -> None:
    """Below the floor distance does not count: two stores inside it share equally."""
    areas = trade_areas(TWO, grid(2, 1), distance_floor_m=5000.0)
    assert dense(areas) == pytest.approx(np.full((2, 2), 0.5))


@pytest.mark.parametrize("whose", ["store", "competitor"])
def test_zero_distance_without_a_floor_is_an_error(whose: str) -> None:
    """A store at a representative point would take everyone: it is named with the neighbourhood and the way out."""
    world = grid(2, 1)
    middle = shapely.get_coordinates(shapely.point_on_surface(world.frame.geometry.to_numpy()))[1] - ORIGIN
    there, away = stores_at([tuple(middle)]), stores_at([(100, 100)])
    stores, rivals = (there, None) if whose == "store" else (away, there)
    with pytest.raises(
        GeographyError, match=r"between (store s0|competitor 's0' in row 1) and neighbourhood n1, .*distance_floor_m"
    ):
        trade_areas(stores, world, competitors=rivals)
    assert np.isfinite(dense(trade_areas(stores, world, competitors=rivals, distance_floor_m=1.0))).all()
    assert dense(trade_areas(stores, world, competitors=rivals, decay=0.0)).sum() > 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"attractiveness": "sise"}, "did you mean 'size'"),
        ({"attractiveness": [1.0, 0.0]}, r"attractiveness: expected a number above 0 .* s1 \(0\)"),
        ({"decay": -1}, "decay: expected a number of at least 0; found -1"),
        ({"alpha": "2"}, "alpha: store column '2' is not known"),
        ({"alpha": True}, "alpha: expected numbers; found True"),
        ({"distance_floor_m": float("nan")}, "distance_floor_m: expected"),
        ({"alpha": [1.0, -0.5]}, r"alpha: expected a number of at least 0 for each store; found .* s1 \(-0.5\)"),
        ({"decay": {"s0": 2.0}}, r"decay: no number is given for store s1 \(no format\); index it by store_id or by"),
        (
            {"attractiveness": "size", "decay": [1.0, 2.0], "competitors": TWO},
            "decay differs between stores, which says nothing of competitor 's0' in row 1, .*; give competitor_decay",
        ),
        (
            {"attractiveness": "size", "alpha": [1.0, 2.0], "competitors": TWO, "competitor_alpha": [1.0, -2.0]},
            r"competitor_alpha: expected .* for each competitor; found otherwise for competitor 's1' in row 2 \(-2\)",
        ),
        ({"radius_m": 100}, r"method 'huff' has no parameter 'radius_m'; huff takes attractiveness, alpha, decay"),
        ({"attractiveness": [1.0, 2.0], "competitors": TWO}, "give competitor_attractiveness"),
        ({"competitors": pd.DataFrame({"longitude": [1.0]})}, "competitors, column 'latitude': found no such column"),
        ({"competitors": pd.DataFrame({"longitude": [38.0], "latitude": [-121.0]})}, "they look swapped"),
        ({"competitors": [(38.0, -121.0)]}, "competitors: found a list; expected a pandas DataFrame"),
        (
            {"competitors": pd.DataFrame({"name": ["Rival"], "longitude": [""], "latitude": [1.0]})},
            "competitors, row 1, column 'longitude': found ''; expected a number",
        ),
        (
            {"attractiveness": "size", "competitors": stores_at([(0, 0)], crs=PLANE, name="R", size=[np.nan])},
            r"above 0 for each competitor; found otherwise for competitor 'R' in row 1 \(nan\)",
        ),
    ],
)
def test_what_cannot_be_used_is_named(parameters: dict[str, object], message: str) -> None:
    """Each fault names the parameter, what was found, and what to do."""
    with pytest.raises(GeographyError, match=message):
        trade_areas(TWO, grid(2, 1), **parameters)


def test_competitors_with_a_crs_that_lies_are_told() -> None:
    """Degrees that are called metres lie far from everything, and would silently take nobody."""
    degrees = gpd.GeoDataFrame({"name": ["Rival"]}, geometry=[shapely.Point(-121.86, 37.95)], crs=PLANE)
    with pytest.warns(AssortmentWarning, match=r"1 of 1 lie farther .*'Rival' in row 1 by [\d,.]+ km, .* CRS"):
        trade_areas(TWO, grid(2, 1), competitors=degrees)


def test_the_attractiveness_column_that_competitors_lack_is_told() -> None:
    """The stores' column is not theirs: the message says what to add."""
    rivals = stores_at([(300, 300)])
    with pytest.raises(
        GeographyError, match=r"column 'size', which the competitors table does not have; .*competitor_"
    ):
        trade_areas(TWO, grid(2, 1), attractiveness="size", competitors=rivals)


def test_attractiveness_of_any_size_is_weighed_by_its_logarithm() -> None:
    """600 orders of magnitude apart, whose ratio is no number of its own: its thousandth power is 10^0.6."""
    stores = stores_at([(500, 900), (500, 100)])  # as far from the middle
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = dense(trade_areas(stores, grid(1, 1), attractiveness=[1e300, 1e-300], alpha=1e-3))[:, 0]
    assert first / second == pytest.approx(10**0.6, rel=1e-9)
