"""Margins of error: the Census Bureau's formulas for sums, ratios and averages, over shares of neighbourhoods."""

from __future__ import annotations

import numpy as np
import pytest
from geo_worlds import dense, grid, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import GeographyError
from assortment.geo import StoreProfiles, store_profiles, trade_areas
from assortment.inputs import Neighbourhoods, Stores

NAN = float("nan")
TWO = stores_at([(400, 500), (3600, 500)])
"""By nearest store: the first two squares of a row of four, and the last two."""


def with_margins(world: Neighbourhoods, **margins: object) -> Neighbourhoods:
    """The same neighbourhoods with further columns, such as ``people_moe``."""
    return Neighbourhoods.from_frame(world.frame.assign(**margins), world.counts, world.rates)


def row_of_four(margins: dict[str, list[float]], **columns: object) -> StoreProfiles:
    world = with_margins(grid(4, 1, **columns), **margins)
    return store_profiles(trade_areas(TWO, world, method="nearest"), world)


def town_with_margins(stores: int, columns: int, seed: int) -> tuple[Stores, Neighbourhoods]:
    rng = np.random.default_rng(seed)
    places, world = town(stores, columns, seed=seed)
    n = len(world.ids)
    people = np.where(rng.random(n) < 0.2, 0.0, world.frame["people"])
    frame = world.frame.assign(people=people, people_moe=rng.uniform(5, 300, n), over_65_moe=rng.uniform(0, 9, n))
    frame = frame.assign(median_income_moe=rng.uniform(500, 9000, n))
    return places, Neighbourhoods.from_frame(frame, world.counts, world.rates)


def test_the_margin_of_a_sum_is_the_root_of_the_sum_of_squares() -> None:
    """Margins of 3 and 4 make 5; half of a neighbourhood brings half of its margin."""
    profiles = row_of_four({"people_moe": [3, 4, 6, 8]})
    assert profiles.moe is not None and profiles.moe["people"].tolist() == [5, 10]
    assert profiles.margins(["people"])["people"].tolist() == [5, 10]
    world = with_margins(grid(2, 1), people_moe=[3, 4])
    ring = store_profiles(trade_areas(stores_at([(1000, 500)]), world, method="thiessen"), world)
    shares = store_profiles(trade_areas(stores_at([(500, 500), (1500, 500)] * 2), world, method="thiessen"), world)
    assert ring.margins(["people"])["people"].tolist() == [5]
    assert shares.margins(["people"])["people"].tolist() == pytest.approx([1.5, 2, 1.5, 2])


def test_of_several_zero_estimates_only_the_largest_margin_counts() -> None:
    """The Census Bureau's advice: margins 9 and 12 of two zeros count as 12 once; a single zero as itself."""
    profiles = row_of_four({"people_moe": [9, 12, 12, 5]}, people=[0, 0, 0, 100])
    assert profiles.margins(["people"])["people"].tolist() == [12, 13]


def test_a_proportion_subtracts_and_a_ratio_adds() -> None:
    """With X = 30 ± 5 of Y = 100 ± 10 it is 4 / 100; where X is no part of Y, or the root is negative, with plus."""
    margins = {"people_moe": [10, 0, 10, 0], "over_65_moe": [5, 0, 2, 0]}
    world = with_margins(grid(4, 1, people=[100, 0, 100, 0]), **margins)
    world = Neighbourhoods.from_frame(world.frame.assign(over_65=[30.0, 0, 30.0, 0]), world.counts, world.rates)
    profiles = store_profiles(trade_areas(TWO, world, method="nearest"), world)
    minus, plus = np.sqrt(5**2 - 0.09 * 10**2) / 100, np.sqrt(5**2 + 0.09 * 10**2) / 100
    negative = np.sqrt(2**2 + 0.09 * 10**2) / 100
    text = "over_65 / people"
    assert profiles.margins([text])[text].tolist() == pytest.approx([minus, negative])
    assert profiles.margins([text], ratios=[text])[text].tolist() == pytest.approx([plus, negative])
    back = "people / over_65"
    assert profiles.margins([back])[back].iloc[0] == pytest.approx(np.sqrt(10**2 + (10 / 3 * 5) ** 2) / 30)


def test_sums_and_ratios_agree_with_the_reference() -> None:
    """The same figures from the package census-data-aggregator, store by store."""
    reference = pytest.importorskip("census_data_aggregator")
    stores, world = town_with_margins(3, 5, seed=1)
    areas = trade_areas(stores, world, method="nearest")
    profiles = store_profiles(areas, world)
    text = "over_65 / people"
    found, ratio = profiles.margins(["people", "over_65"]), profiles.margins([text], ratios=[text])[text]
    for row, share in enumerate(dense(areas)):
        rows = world.frame[share > 0]
        pairs = {
            name: reference.approximate_sum(*rows[[name, f"{name}_moe"]].to_numpy().tolist())
            for name in ("people", "over_65")
        }
        assert [pairs[name][1] for name in ("people", "over_65")] == pytest.approx(found.iloc[row].tolist())
        assert reference.approximate_ratio(pairs["over_65"], pairs["people"])[1] == pytest.approx(ratio.iloc[row])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), method=st.sampled_from(["huff", "thiessen"]))
def test_averages_follow_the_delta_method_at_any_shares(seed: int, method: str) -> None:
    """The sums over all pairs, written out, give the margins of rates and counts."""
    stores, world = town_with_margins(4, 4, seed)
    areas = trade_areas(stores, world, method=method)
    w, frame = dense(areas), world.frame
    b, r, e_b, e_r = (frame[f"{name}{end}"].to_numpy() for end in ("", "_moe") for name in ("people", "median_income"))
    base = (w * b).sum(axis=1)
    base[base == 0.0] = NAN  # an average over nobody has no margin either
    average = (w * b * r).sum(axis=1) / base
    variance = ((w * b * e_r) ** 2).sum(axis=1) + ((w * (r - average[:, None]) * e_b) ** 2).sum(axis=1)
    profiles, expected = store_profiles(areas, world), np.sqrt(variance) / base
    assert profiles.margins(["median_income"]).iloc[:, 0].to_numpy() == pytest.approx(expected, nan_ok=True)
    zero, some = (w * e_b)[:, b == 0], (w * e_b)[:, b > 0]
    of_people = np.sqrt((some**2).sum(axis=1) + zero.max(axis=1, initial=0.0) ** 2)
    assert profiles.margins(["people"]).iloc[:, 0].to_numpy() == pytest.approx(of_people)


def test_the_margin_of_an_average_is_what_repeated_surveys_would_show() -> None:
    """Estimates drawn 20,000 times around the truth spread as the delta method says, within 3 %."""
    rng = np.random.default_rng(8)
    b, r = np.array([900.0, 1500.0, 400.0]), np.array([30_000.0, 55_000.0, 90_000.0])
    e_b, e_r = np.array([120.0, 150.0, 90.0]), np.array([3000.0, 5000.0, 9000.0])
    world = with_margins(grid(3, 1, people=b, income=r), people_moe=e_b, median_income_moe=e_r)
    profiles = store_profiles(trade_areas(stores_at([(500, 500)]), world, method="nearest"), world)
    people, income = (rng.normal(mean, moe / 1.645, (20_000, 3)) for mean, moe in ((b, e_b), (r, e_r)))
    drawn = (people * income).sum(axis=1) / people.sum(axis=1)
    assert profiles.margins(["median_income"]).iloc[0, 0] == pytest.approx(1.645 * drawn.std(), rel=0.03)


def test_a_missing_margin_makes_the_margin_unknown_unless_it_hardly_counts() -> None:
    """It may be missing for 1 % of the people, no more; where the figure itself is unknown nothing is missing."""
    margins = {"people_moe": [NAN, 4, NAN, 8], "median_income_moe": [NAN, 100, 300, 400]}
    profiles = row_of_four(margins, people=[1, 1000, 100, 1000])
    assert profiles.margins(["people"])["people"].tolist() == pytest.approx([4, NAN], nan_ok=True)
    income = profiles.margins(["median_income"])["median_income"]
    assert income.iloc[0] == pytest.approx(100, rel=0.01) and np.isnan(income.iloc[1])
    profiles = row_of_four({"people_moe": [NAN, 4, 6, 8]}, people=[NAN, 1000, 100, 1000])
    assert profiles.margins(["people"])["people"].tolist() == [4, 10]
    profiles = row_of_four({"people_moe": [NAN, 4, 6, 8]}, people=[0, 0, 100, 1000])
    assert profiles.margins(["people"])["people"].tolist() == pytest.approx([NAN, 10], nan_ok=True)


def test_a_base_without_margins_is_exact_and_a_rate_without_has_none() -> None:
    """Medians with margins over a full count of people; the other columns stay unknown."""
    profiles = row_of_four({"median_income_moe": [100, 100, 100, 100]}, income=[20_000, 40_000, 5, 5])
    assert profiles.margins(["median_income"])["median_income"].tolist() == pytest.approx([100 / 2**0.5] * 2)
    assert profiles.margins(["people", "over_65 / people"]).isna().all(axis=None)
    assert row_of_four({"people_moe": [1, 1, 1, 1]}).margins(["median_income"]).isna().all(axis=None)


def test_equal_rates_leave_no_error_of_the_base() -> None:
    """If everyone earns the same, how many there are does not matter, to the last digits."""
    rates = {"people_moe": [50, 60, 70, 80], "median_income_moe": [0, 0, 0, 0]}
    profiles = row_of_four(rates, income=[31_234.5] * 4)
    assert profiles.margins(["median_income"])["median_income"].tolist() == pytest.approx([0, 0], abs=1e-9)


def test_without_margins_nothing_is_said_of_them() -> None:
    """Neither neighbourhoods without margins nor a foreign frame have any; a wrong name is named all the same."""
    plain = row_of_four({})
    foreign = StoreProfiles.from_frame(plain.table, counts=["people", "over_65"])
    for profiles in (plain, foreign):
        assert profiles.moe is None
        assert profiles.margins(["people", "median_income"]).isna().all(axis=None)
        with pytest.raises(GeographyError, match="did you mean 'people'"):
            profiles.margins(["peple"])
