"""Profiles: counts summed, rates by their base, unknown kept apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from geo_worlds import dense, grid, stores_at, town

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo import StoreProfiles, store_profiles, trade_areas
from assortment.inputs import Neighbourhoods

WHOLE = stores_at([(400, 500), (3600, 500)])
"""By nearest store: the first two squares of a row of four, and the last two."""


def row_of_four(**columns: object) -> StoreProfiles:
    world = grid(4, 1, **columns)
    return store_profiles(trade_areas(WHOLE, world, method="nearest"), world)


def test_counts_are_summed_and_rates_weighted_by_their_base() -> None:
    """Where 300 of 400 people earn 40,000 and 100 earn 20,000, it is 35,000, not the mean of areas, 30,000."""
    profiles = row_of_four(people=[100, 300, 50, 50], income=[20_000, 40_000, 10_000, 30_000])
    assert profiles.table.index.tolist() == ["s0", "s1"] and profiles.table.index.name == "store_id"
    assert profiles.table["people"].tolist() == [400, 100]
    assert profiles.table["median_income"].tolist() == [35_000, 20_000]
    assert profiles.counts == ("people", "over_65") and profiles.rates == {"median_income": "people"}
    assert (profiles.known == 1.0).all(axis=None)


def test_unknown_stays_unknown_and_its_share_is_reported() -> None:
    """An unknown income is left out with its base; where none is known the value is NaN, never zero."""
    nan = float("nan")
    profiles = row_of_four(people=[100, 300, nan, nan], income=[20_000, nan, nan, 50_000])
    assert profiles.table.loc["s0", ["people", "median_income"]].tolist() == [400, 20_000]
    assert profiles.known.loc["s0", ["people", "median_income"]].tolist() == [1.0, 0.25]
    assert profiles.table.loc["s1", ["people", "median_income"]].isna().all()
    assert profiles.known.loc["s1", ["people", "median_income"]].tolist() == [0.0, 0.0]


def test_nobody_has_no_income() -> None:
    """Over an empty area an average is NaN, while the count is a known zero."""
    profiles = row_of_four(people=[0, 0, 10, 10])
    assert profiles.table.loc["s0", "people"] == 0.0 and profiles.known.loc["s0", "people"] == 1.0
    assert np.isnan(profiles.table.loc["s0", "median_income"])


def test_the_order_of_the_neighbourhoods_may_differ_from_that_of_the_areas() -> None:
    """Neighbourhoods are matched by id; others than those of the areas are named."""
    stores, world = town(3, 4, seed=5)
    areas = trade_areas(stores, world)
    turned = Neighbourhoods.from_frame(world.frame.iloc[::-1], world.counts, world.rates)
    assert store_profiles(areas, turned).table.to_numpy() == pytest.approx(
        store_profiles(areas, world).table.to_numpy()
    )
    with pytest.raises(GeographyError, match="made from other neighbourhoods: n9"):
        store_profiles(areas, Neighbourhoods.from_frame(world.frame.drop(index=9), world.counts, world.rates))


def test_profiles_agree_with_the_dense_sums() -> None:
    """Counts and rates are those of a plain matrix product over all pairs."""
    stores, world = town(4, 5, seed=6)
    areas = trade_areas(stores, world, attractiveness="size_m2")
    weight = dense(areas) * world.frame["people"].to_numpy()
    table = store_profiles(areas, world).table
    assert table["people"].to_numpy() == pytest.approx(weight.sum(axis=1), rel=1e-12)
    income = weight @ world.frame["median_income"].to_numpy() / weight.sum(axis=1)
    assert table["median_income"].to_numpy() == pytest.approx(income, rel=1e-12)


def test_expressions_are_columns_or_ratios_of_counts() -> None:
    """``a / b`` divides two counts per store; for the chain it divides the sums."""
    profiles = row_of_four(people=[100, 300, 50, 50], income=[20_000, 40_000, 10_000, 30_000])
    values = profiles.values(["over_65 / people", "median_income"])
    assert list(values.columns) == ["over_65 / people", "median_income"]
    assert values["over_65 / people"].tolist() == [1 / 400, 5 / 100]
    chain = profiles.chain(["over_65 / people", "median_income", "people"])
    assert chain.tolist() == [6 / 500, (400 * 35_000 + 100 * 20_000) / 500, 250.0]


def test_the_chain_average_of_a_divided_region_is_the_regions_own() -> None:
    """When everyone shops at one store, the chain's income is that of all people of the region."""
    stores, world = town(5, 5, seed=7)
    profiles = store_profiles(trade_areas(stores, world, method="thiessen"), world)
    people, income = world.frame["people"], world.frame["median_income"]
    assert profiles.chain(["median_income"]).iloc[0] == pytest.approx((people * income).sum() / people.sum(), rel=1e-9)


def test_nobody_counts_twice_in_the_chain() -> None:
    """Two stores with the same ring, and one far off: the chain's income is that of the people, not of the rings."""
    world = grid(4, 1, people=[100, 100, 50, 300], income=[20_000, 20_000, 1, 60_000])
    stores = stores_at([(1000, 500), (1000, 500), (3500, 500)])
    profiles = store_profiles(trade_areas(stores, world, method="ring", radius_m=100), world)
    assert profiles.table["people"].iloc[0] == profiles.table["people"].iloc[1] > 0
    together, alone = profiles.table["people"].iloc[[0, 2]]
    income = (together * 20_000 + alone * 60_000) / (together + alone)
    assert profiles.chain(["median_income"]).item() == pytest.approx(income, rel=1e-6)
    assert profiles.chain(["people"]).item() == pytest.approx((2 * together + alone) / 3)
    assert profiles.totals is not None
    assert profiles.totals.loc["chain", "people"] == pytest.approx(together + alone, rel=1e-6)


def test_people_as_volume_are_divided_over_the_stores_that_share_them() -> None:
    """Two stores with the same ring get half of its people each; the sum is that of the chain."""
    world = grid(4, 1)
    stores = stores_at([(1000, 500), (1000, 500), (3500, 500)])
    profiles = store_profiles(trade_areas(stores, world, method="ring", radius_m=300), world)
    halves = profiles.table["people"].to_numpy() * [0.5, 0.5, 1.0]
    assert profiles.divided["people"].to_numpy() == pytest.approx(halves, rel=1e-6)
    assert profiles.totals is not None
    assert profiles.divided["people"].sum() == pytest.approx(profiles.totals.loc["chain", "people"], rel=1e-9)
    apart = row_of_four()
    assert apart.divided.equals(apart.table[["people", "over_65"]])


def test_the_region_is_everyone_whether_served_or_not() -> None:
    """A ring in one square leaves the region as it is; against it the index is 100 times the ratio."""
    world = grid(4, 1, people=[100, 100, 100, 100], income=[20_000, 30_000, 40_000, 50_000])
    profiles = store_profiles(trade_areas(stores_at([(500, 500)]), world, method="ring", radius_m=200), world)
    expressions = ["median_income", "over_65 / people"]
    assert profiles.region([*expressions, "people"]).tolist() == pytest.approx([35_000, 6 / 400, 400])
    assert profiles.index(["median_income"], against="region").iloc[0, 0] == pytest.approx(100 * 20 / 35)
    assert profiles.index(["median_income"]).iloc[0, 0] == pytest.approx(100)


def test_the_index_compares_with_the_chain() -> None:
    """Incomes of 35,000 and 20,000 against 32,000; counts against the average store; unknown stays unknown."""
    profiles = row_of_four(people=[100, 300, 50, 50], income=[20_000, 40_000, 10_000, 30_000])
    index = profiles.index(["median_income", "people"])
    assert index.index.tolist() == ["s0", "s1"]
    assert index["median_income"].tolist() == pytest.approx([35 / 0.32, 20 / 0.32])
    assert index["people"].tolist() == [160, 40]
    nowhere = row_of_four(income=[float("nan"), float("nan"), 10, 10])
    assert np.isnan(nowhere.index(["median_income"]).iloc[0, 0])
    assert row_of_four(people=[0, 0, 0, 0]).index(["people"]).isna().all(axis=None)


def test_a_comparison_that_makes_no_sense_is_refused() -> None:
    """A count against the region, a reference that does not exist, and a region that a foreign frame cannot know."""
    profiles = row_of_four()
    with pytest.raises(GeographyError, match="people is a count, and no store serves the whole region"):
        profiles.index(["over_65 / people", "people"], against="region")
    with pytest.raises(GeographyError, match="nothing called 'town'"):
        profiles.index(["people"], against="town")  # type: ignore[arg-type]
    foreign = StoreProfiles.from_frame(profiles.table, counts=["people"])
    assert foreign.index(["people"])["people"].tolist() == [100, 100]
    for ask in (foreign.region, lambda names: foreign.index(names, against="region")):
        with pytest.raises(GeographyError, match="tell nothing of the region"):
            ask(["median_income"])


def test_warnings_point_at_the_caller() -> None:
    """Where a ratio is over nobody, the line that asked is named, for values and for the index."""
    profiles = row_of_four(people=[0, 0, 10, 10])
    for ask in (profiles.values, profiles.index):
        with pytest.warns(AssortmentWarning, match="people is 0 there") as caught:
            ask(["over_65 / people"])
        assert caught[0].filename == __file__


def test_a_ratio_over_nobody_is_unknown_and_said() -> None:
    """Zero people give NaN with a warning that names the store, not an infinite share."""
    profiles = row_of_four(people=[0, 0, 10, 10])
    with pytest.warns(AssortmentWarning, match="unknown for store s0: people is 0 there"):
        values = profiles.values(["over_65 / people"])
    assert np.isnan(values.loc["s0"].item()) and values.loc["s1"].item() == 0.25


def test_a_ratio_of_counts_known_for_different_people_is_said() -> None:
    """Where the upper count is known for half of the neighbourhoods only, a warning says that the ratio leans."""
    profiles = row_of_four(people=[100, float("nan"), 10, 10])
    with pytest.warns(AssortmentWarning, match="leans to one side for store s0"):
        profiles.values(["over_65 / people"])


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("median_incme", "did you mean 'median_income'"),
        ("over_65 / peple", "did you mean 'people'"),
        ("median_income / people", "median_income is a rate"),
        ("zzz", "known here: people, over_65, median_income"),
    ],
)
def test_an_expression_that_cannot_be_read_is_named(expression: str, message: str) -> None:
    """The message gives the nearest name, or all of them."""
    profiles = row_of_four()
    for read in (profiles.values, profiles.chain):
        with pytest.raises(GeographyError, match=message):
            read([expression])


def test_profiles_from_a_foreign_frame() -> None:
    """Whole-number ids become text, undeclared numbers are rates without a base, and text is left out."""
    frame = pd.DataFrame(
        {"over_65": [1, 2], "wealth": [10.0, 40.0], "remark": ["a", "b"], "people": [10, 30]},
        index=pd.Index([7.0, 8.0], name="store_id"),
    )
    profiles = StoreProfiles.from_frame(frame, counts=["over_65", "people"])
    assert profiles.store_ids == ("7", "8")
    assert profiles.rates == {"wealth": None}
    assert profiles.chain(["wealth", "over_65 / people"]).tolist() == [25.0, 3 / 40]
    weighted = StoreProfiles.from_frame(frame.reset_index(), rates={"wealth": "people"})
    assert weighted.counts == ("people",) and weighted.chain(["wealth"]).item() == (10 * 10 + 30 * 40) / 40


@pytest.mark.parametrize(
    ("frame", "declared", "message"),
    [
        (pd.DataFrame({"a": [1, 2]}, index=[1, "1"]), {}, "more than one row for store 1"),
        (pd.DataFrame({"people": [1]}), {"counts": ["peple"]}, "did you mean 'people'"),
        (pd.DataFrame({"people": ["many"]}), {"counts": ["people"]}, "not numeric"),
    ],
)
def test_a_frame_that_cannot_be_used_is_named(frame: pd.DataFrame, declared: dict[str, object], message: str) -> None:
    """Stores twice, columns that are missing or not numbers: one clear message."""
    with pytest.raises(GeographyError, match=message):
        StoreProfiles.from_frame(frame, **declared)
