"""``overlap``: people shared between own stores against paper, brute force, and areas drawn again without a store."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geo_worlds import ORIGIN, PLANE, dense, grid, neighbourhoods_of, squares, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import GeographyError
from assortment.geo import Overlap, TradeAreas, overlap, store_profiles, trade_areas
from assortment.geo.cover.disc import circles
from assortment.geo.overlap import sharing
from assortment.inputs import Neighbourhoods, Stores

RIVALS = stores_at([(900.0, 4200.0), (5100.0, 300.0)], size_m2=[4000.0, 800.0])


def lens(radius: float, other: float, distance: float) -> float:
    """Area that two circles share."""
    one = (distance**2 + radius**2 - other**2) / (2 * distance * radius)
    two = (distance**2 + other**2 - radius**2) / (2 * distance * other)
    height = (radius + other) ** 2 - distance**2, distance**2 - (radius - other) ** 2
    return float(radius**2 * np.arccos(one) + other**2 * np.arccos(two) - 0.5 * np.sqrt(height[0] * height[1]))


def without(stores: Stores, gone: int) -> Stores:
    """The same stores but one."""
    return Stores.from_frame(stores.frame.drop(index=stores.frame.index[gone]).reset_index(drop=True))


def redrawn(stores: Stores, world: Neighbourhoods, people: np.ndarray, **given: Any) -> np.ndarray:
    """Part of each store's people whom the others gain when the areas are drawn again without it."""
    before = dense(trade_areas(stores, world, **given))
    moved = np.zeros((len(before), len(before)))
    for gone in range(len(before)):
        left = np.delete(np.arange(len(before)), gone)
        after = dense(trade_areas(without(stores, gone), world, **given))
        moved[gone, left] = (after - before[left]) @ people
    return moved / (before @ people)[:, None]


@pytest.mark.parametrize("columns", [1, 5, 20], ids=["one square", "25 squares", "400 squares"])
def test_two_rings_share_their_lens(columns: int) -> None:
    """Over people spread evenly, two rings share the area of the lens, however the ground is cut into squares."""
    world = neighbourhoods_of(
        squares(columns, columns, side=10_000.0 / columns), people=[1e8 / columns**2] * columns**2
    )
    stores = stores_at([(4000, 5000), (5500, 5200)])
    found = overlap(trade_areas(stores, world, method="ring", radius_m=[2000, 1200]), world)
    shared, first, second = lens(2000, 1200, np.hypot(1500, 200)), np.pi * 2000**2, np.pi * 1200**2
    assert found.shared.to_numpy() == pytest.approx(np.array([[first, shared], [shared, second]]), rel=1e-4)
    assert found.cannibalisation.to_numpy() == pytest.approx(
        np.array([[0.0, shared / first], [shared / second, 0.0]]), rel=1e-4
    )
    assert found.total == pytest.approx(first + second - shared, rel=1e-5)
    assert found.counted_twice == pytest.approx(shared, rel=1e-4)
    assert found.table["people_only_here"].to_numpy() == pytest.approx([first - shared, second - shared], rel=1e-4)


def by_sets(zones: np.ndarray, polygons: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """People shared and people moving, from every set of stores: those in all of them and in no other."""
    stores = len(zones)
    shared, moved = np.zeros((2, stores, stores))
    for size in range(2, stores + 1):
        for members in combinations(range(stores), size):
            zone = shapely.intersection_all(zones[list(members)])
            rest = np.delete(zones, members)
            zone = zone.difference(shapely.union_all(rest)) if len(rest) else zone
            number = float(people @ (shapely.area(shapely.intersection(zone, polygons)) / shapely.area(polygons)))
            for a, b in combinations(members, 2):
                shared[[a, b], [b, a]] += number
                moved[[a, b], [b, a]] += number / (size - 1)
    return shared, moved


def test_rings_agree_with_every_set_of_stores_by_itself() -> None:
    """Pairs, and people with three or more stores, are what intersections of the rings for all sets of stores say."""
    stores, world = town(5, 5, seed=11)
    radii = np.array([900.0, 1500.0, 2200.0, 1200.0, 1800.0])
    areas = trade_areas(stores, world, method="ring", radius_m=radii)
    found = overlap(areas, world)
    people = world.frame["people"].to_numpy()
    shared, moved = by_sets(circles(areas.ground.store_xy, radii), areas.ground.polygons, people)
    served = dense(areas) @ people
    off = ~np.eye(5, dtype=bool)
    assert (shared[off] > 0).sum() >= 10
    assert found.shared.to_numpy()[off] == pytest.approx(shared[off], abs=2e-5 * people.sum())
    assert np.diag(found.shared) == pytest.approx(served, rel=1e-12)
    assert found.cannibalisation.to_numpy() == pytest.approx(moved / served[:, None], abs=2e-4)
    assert found.total == pytest.approx(areas.covered @ people, rel=1e-12)


@pytest.mark.filterwarnings("ignore::assortment.errors.AssortmentWarning")
def test_an_ancillary_count_says_who_is_shared() -> None:
    """With dwellings as points, people are shared where dwellings lie in both rings: a loop over dwellings agrees."""
    stores, world = town(4, 5, seed=6)
    rng = np.random.default_rng(6)
    xy = rng.uniform(0, 5000, (300, 2)) + ORIGIN
    where = gpd.GeoDataFrame({"count": rng.integers(1, 9, 300)}, geometry=gpd.points_from_xy(*xy.T), crs=PLANE)
    areas = trade_areas(stores, world, method="ring", radius_m=1700, ancillary=where)
    found = overlap(areas, world)
    ground = where.to_crs(areas.ground.plane).geometry
    near = np.hypot(*(shapely.get_coordinates(ground)[:, None] - areas.ground.store_xy).transpose(2, 0, 1)) <= 1700
    square = (((xy - ORIGIN) // 1000) @ [1, 5]).astype(int)
    weight = where["count"].to_numpy() / np.bincount(square, where["count"], 25)[square]
    people = weight * world.frame["people"].to_numpy()[square]
    count = near.sum(axis=1)
    moved = (near * (people / np.maximum(count - 1, 1))[:, None]).T @ near
    np.fill_diagonal(moved, 0.0)
    assert len(np.unique(square)) == 25
    assert found.shared.to_numpy() == pytest.approx((near * people[:, None]).T @ near, rel=1e-9)
    assert found.cannibalisation.to_numpy() == pytest.approx(moved / (people @ near)[:, None], abs=1e-9)
    assert found.total == pytest.approx(people[count > 0].sum(), rel=1e-9)


def test_neighbourhoods_reached_whole_are_shared_whole() -> None:
    """By travel time, who reaches three stores divides over the two others when one closes."""
    times = [("s0", "n0"), ("s0", "n1"), ("s0", "n2"), ("s1", "n1"), ("s1", "n2"), ("s2", "n2"), ("s2", "n3")]
    minutes = pd.DataFrame(times, columns=["store_id", "neighbourhood_id"]).assign(minutes=5.0)
    world = grid(4, 1, people=[100.0, 200.0, 300.0, 400.0])
    stores = stores_at([(500, 500), (1500, 500), (2500, 500)])
    found = overlap(trade_areas(stores, world, method="travel_time", minutes=minutes, within=10), world)
    assert found.shared.to_numpy().tolist() == [[600, 500, 300], [500, 500, 300], [300, 300, 700]]
    expected = np.array([[0, 350 / 600, 150 / 600], [350 / 500, 0, 150 / 500], [150 / 700, 150 / 700, 0]])
    assert found.cannibalisation.to_numpy() == pytest.approx(expected, rel=1e-12)
    assert found.table["people_shared"].tolist() == [500.0, 500.0, 300.0]
    assert found.table["part_kept"].to_numpy() == pytest.approx([500 / 600, 1.0, 300 / 700])
    assert found.table["most_shared_with"].tolist() == ["s1", "s0", "s0"]
    assert (found.total, found.counted_twice) == (1000.0, 800.0)


@pytest.mark.parametrize("decay", [0.0, 2.0, 7.0, 25.0])
@pytest.mark.parametrize("rivals", [None, RIVALS], ids=["alone", "competitors"])
def test_huff_agrees_with_areas_drawn_again_without_the_store(decay: float, rivals: Stores | None) -> None:
    """What the others gain when the model is run without a store is the cannibalisation, competitors keeping theirs."""
    stores, world = town(5, 6, seed=2)
    given = {"attractiveness": "size_m2", "decay": decay, "competitors": rivals}
    found = overlap(trade_areas(stores, world, **given), world)
    expected = redrawn(stores, world, world.frame["people"].to_numpy(), **given)
    assert found.cannibalisation.to_numpy() == pytest.approx(expected, abs=1e-9)
    kept = found.table["part_kept"].to_numpy()
    assert kept == pytest.approx(np.ones(5), rel=1e-12) if rivals is None else kept.min() < 0.95


def test_huff_keeps_people_even_where_one_store_takes_nearly_all() -> None:
    """With a decay of 60 other stores' shares are far below rounding of one minus the first; its people still move."""
    stores, world = town(4, 5, seed=8)
    given = {"decay": 60.0}
    areas = trade_areas(stores, world, **given)
    assert (1.0 - dense(areas).max(axis=0) == 0.0).any()
    found = overlap(areas, world)
    expected = redrawn(stores, world, world.frame["people"].to_numpy(), **given)
    assert found.cannibalisation.to_numpy() == pytest.approx(expected, abs=1e-9)
    assert found.table["part_kept"].to_numpy() == pytest.approx(np.ones(4), rel=1e-12)


def test_huff_shares_people_by_chance() -> None:
    """Who would choose one store on one trip and the other on the next is the product of the two, in two squares."""
    world = grid(2, 1, people=[1000.0, 3000.0])
    areas = trade_areas(stores_at([(500, 900), (1500, 700)]), world)
    near, far = 1 / 400**2, 1 / (1000**2 + 400**2)
    near_2, far_2 = 1 / 200**2, 1 / (1000**2 + 200**2)
    first = np.array([near / (near + far_2), far / (far + near_2)])
    shared = float([1000.0, 3000.0] @ (first * (1 - first)))
    found = overlap(areas, world)
    assert found.shared.loc["s0", "s1"] == pytest.approx(shared, rel=1e-9)
    assert found.table["people_shared"].to_numpy() == pytest.approx([shared, shared], rel=1e-9)
    assert "the chain would keep 100% of its people" in found.summary()
    assert found.total == pytest.approx(4000.0) and found.counted_twice == pytest.approx(0.0, abs=1e-9)


def test_chunks_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Huff's sums over neighbourhoods are the same a few neighbourhoods at a time."""
    stores, world = town(5, 6, seed=2)
    areas = trade_areas(stores, world)
    whole = overlap(areas, world)
    monkeypatch.setattr(sharing, "CELLS", 35)
    parts = overlap(areas, world)
    pd.testing.assert_frame_equal(parts.shared, whole.shared, rtol=1e-12)
    pd.testing.assert_frame_equal(parts.cannibalisation, whole.cannibalisation, rtol=1e-12)


@pytest.mark.parametrize(
    ("places", "columns"),
    [(None, 7), ([(0, 500), (1000, 500), (2900, 500)], 3), ([(500, 500), (500, 500), (2500, 500)], 3)],
    ids=["town", "a tie", "same place"],
)
def test_nearest_agrees_with_areas_drawn_again_without_the_store(
    places: list[tuple[float, float]] | None, columns: int
) -> None:
    """The people of a store go to the next nearest, and to several that are equally near in equal parts."""
    stores, world = town(8, columns, seed=5) if places is None else (stores_at(places), grid(columns, 1))
    found = overlap(trade_areas(stores, world, method="nearest"), world)
    expected = redrawn(stores, world, world.frame["people"].to_numpy(), method="nearest")
    assert found.cannibalisation.to_numpy() == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert found.table["people_shared"].tolist() == [0.0] * len(found.table)


def test_who_takes_over_is_not_known_from_thiessen_areas() -> None:
    """Nobody is shared, every row of the cannibalisation is NaN, and the summary says so."""
    stores, world = town(4, 5, seed=1)
    found = overlap(trade_areas(stores, world, method="thiessen"), world)
    assert found.cannibalisation.isna().all(axis=None)
    assert found.shared.to_numpy() == pytest.approx(np.diag(found.table["people"]))
    assert found.total == pytest.approx(world.frame["people"].sum())
    assert found.table["most_shared_with"].isna().all()
    assert "of 4 stores; in the sum over the stores nobody is counted" in found.summary()
    assert "no two stores share anybody" in found.summary()
    assert "cannot be told from thiessen areas" in found.summary()


@pytest.mark.parametrize("method", ["huff", "nearest", "ring", "thiessen"])
def test_a_single_store_shares_nobody(method: str) -> None:
    """If the only store closed, its people would be lost; from Thiessen areas that cannot be told."""
    world = grid(2, 1)
    given = {"radius_m": 400} if method == "ring" else {}
    found = overlap(trade_areas(stores_at([(700, 300)]), world, method=method, **given), world)
    assert found.counted_twice == pytest.approx(0.0, abs=1e-12) and found.table.loc["s0", "people_shared"] == 0.0
    expected = np.nan if method == "thiessen" else 0.0
    assert found.table.loc["s0", "part_kept"] == pytest.approx(expected, nan_ok=True)


METHODS = pytest.mark.parametrize(
    "given",
    [{"method": "ring", "radius_m": 1400}, {"method": "huff", "competitors": RIVALS}, {"method": "nearest"}],
    ids=["ring", "huff", "nearest"],
)


def in_town(seed: int, given: dict[str, Any]) -> tuple[TradeAreas, Neighbourhoods, Overlap]:
    """Overlap of six stores in a town of 36 squares."""
    stores, world = town(6, 6, seed=seed)
    areas = trade_areas(stores, world, **given)
    return areas, world, overlap(areas, world)


@METHODS
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_people_are_conserved(given: dict[str, Any], seed: int) -> None:
    """Shared is symmetric; no row gives away more than there is; totals are those of the profiles and the chain."""
    areas, world, found = in_town(seed, given)
    shared, moving = found.shared.to_numpy(), found.cannibalisation.to_numpy()
    served = store_profiles(areas, world).table["people"].fillna(0.0).to_numpy()
    assert shared == pytest.approx(shared.T, rel=1e-12)
    assert found.table["people"].to_numpy() == pytest.approx(served, rel=1e-12)
    assert (shared <= np.minimum(served, served[:, None]) + 1e-9).all()
    assert (np.nan_to_num(moving) >= 0).all() and (np.nansum(moving, axis=1) <= 1 + 1e-12).all()
    assert np.nan_to_num(np.diag(moving)) == pytest.approx(np.zeros(6))
    assert found.total + found.counted_twice == pytest.approx(served.sum(), rel=1e-9)
    divided = areas.divided().sums(world.frame[["people"]].to_numpy())
    assert divided.sum() == pytest.approx(found.total, rel=1e-9)
    both = found.table["people_only_here"] + found.table["people_shared"]
    assert both.to_numpy() == pytest.approx(served, rel=1e-12)


@METHODS
def test_the_order_of_the_input_does_not_matter(given: dict[str, Any]) -> None:
    """Shuffled stores and neighbourhoods give the same frames, in their own order."""
    stores, world = town(6, 6, seed=3)
    straight = overlap(trade_areas(stores, world, **given), world)
    rng = np.random.default_rng(0)
    s, m = rng.permutation(6), rng.permutation(36)
    shuffled = Neighbourhoods.from_frame(world.frame.iloc[m], world.counts, world.rates)
    found = overlap(trade_areas(Stores.from_frame(stores.frame.iloc[s]), shuffled, **given), world)
    order = list(straight.table.index)
    for name in ("shared", "cannibalisation"):
        frame: pd.DataFrame = getattr(found, name)
        expected: pd.DataFrame = getattr(straight, name)
        assert tuple(frame.index) == tuple(frame.columns) == tuple(stores.frame["store_id"].iloc[s])
        pd.testing.assert_frame_equal(frame.loc[order, order], expected, rtol=1e-8, atol=1e-8)
    pd.testing.assert_frame_equal(found.table.loc[order], straight.table, rtol=1e-8, atol=1e-8)


def test_unknown_counts_are_left_out_and_told() -> None:
    """NaN people count for nobody; the part known is reported, and a store of which nothing is known has NaN."""
    world = grid(4, 1, people=[100.0, np.nan, 300.0, np.nan])
    stores = stores_at([(1000, 500), (2000, 500), (3500, 500)])
    # The third ring lies in the last square alone.
    found = overlap(trade_areas(stores, world, method="ring", radius_m=[5000, 5000, 400]), world)
    assert found.table["people"].tolist()[:2] == [400.0, 400.0]
    assert found.table["known"].to_numpy() == pytest.approx([0.5, 0.5, 0.0]) and found.known == pytest.approx(0.5)
    assert found.shared.loc["s0", "s1"] == 400.0 and found.total == 400.0
    assert found.table.loc["s2"].drop(["most_shared_with", "known"]).isna().all()
    assert found.shared.loc["s2"].isna().all() and found.shared["s2"].isna().all()
    assert found.cannibalisation.loc["s2"].isna().all()
    assert "people is unknown for 50.0% of the neighbourhoods" in found.summary()


def test_the_count_may_be_chosen() -> None:
    """By default the first count of the neighbourhoods, by name any."""
    world = grid(3, 1)
    areas = trade_areas(stores_at([(500, 500), (2500, 500)]), world, method="nearest")
    assert overlap(areas, world).count == "people"
    found = overlap(areas, world, count="over_65")
    assert (found.count, found.total) == ("over_65", 3.0)


def test_the_summary_tells_a_planner_the_figures() -> None:
    """Total, counted twice, who shares most, and what closing would keep, in three lines."""
    world = neighbourhoods_of(squares(10, 10), people=[10_000.0] * 100)
    stores = stores_at([(3000, 5000), (4000, 5000), (8000, 5000)])
    found = overlap(trade_areas(stores, world, method="ring", radius_m=[1000, 900, 1000]), world)
    twice = lens(1, 0.9, 1) * 10_000
    first, second = twice / (np.pi * 10_000), twice / (0.81 * np.pi * 10_000)
    assert found.summary().splitlines() == [
        f"{2.81 * np.pi * 10_000 - twice:,.0f} people live in the trade areas (ring) of 3 stores; "
        f"in the sum over the stores {twice:,.0f} would be counted more than once",
        f"largest part shared with other own stores: s1 {second:.0%} (most with s0), s0 {first:.0%} (most with s1)",
        f"if a store closed, the chain would keep 0% (s2) to {second:.0%} (s1) of its people",
    ]


def test_what_cannot_be_used_is_named() -> None:
    """An unknown count, no count at all, other neighbourhoods, and divided areas are errors that say what to do."""
    world = grid(3, 1)
    areas = trade_areas(stores_at([(500, 500), (1500, 500)]), world, method="ring", radius_m=700)
    with pytest.raises(GeographyError, match="count 'peeple' is not known; did you mean 'people'"):
        overlap(areas, world, count="peeple")
    with pytest.raises(GeographyError, match="declare no count"):
        overlap(areas, Neighbourhoods.from_frame(world.frame))
    with pytest.raises(GeographyError, match="made from other neighbourhoods: n3"):
        overlap(areas, grid(4, 1))
    with pytest.raises(GeographyError, match="give the areas that overlap"):
        overlap(areas.divided(), world)
