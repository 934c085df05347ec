"""People by income band, from medians alone."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from geo_worlds import grid, stores_at
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo import income_bands, store_profiles, trade_areas
from assortment.inputs import Neighbourhoods

BANDS = ["income_under_35000", "income_35000_75000", "income_over_75000"]


def test_half_of_the_people_earn_less_than_the_median() -> None:
    """An edge at the median halves the people, and edges one sigma away cut off 15.87 % on either side."""
    sigma = 0.5
    world = grid(1, 1, people=[1000], income=[40_000])
    halves = income_bands(world, [40_000], sigma=sigma).frame
    assert halves[["income_under_40000", "income_over_40000"]].to_numpy().tolist() == [[500, 500]]
    edges = [40_000 * np.exp(-sigma), 40_000 * np.exp(sigma)]
    thirds = income_bands(world, edges, sigma=sigma)
    assert thirds.frame[list(thirds.counts[-3:])].to_numpy()[0] == pytest.approx([158.655, 682.689, 158.655], abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    median=st.floats(5000, 250_000),
    people=st.floats(0, 10_000),
    sigma=st.floats(0.05, 2.0),
    edges=st.lists(st.integers(1000, 300_000), min_size=1, max_size=6, unique=True),
)
def test_the_bands_sum_to_the_people(median: float, people: float, sigma: float, edges: list[int]) -> None:
    """Whatever the edges, every person falls into one band, and no band is negative."""
    world = grid(1, 1, people=[people], income=[median])
    banded = income_bands(world, sorted(edges), sigma=sigma)
    counts = banded.frame[list(banded.counts[2:])].to_numpy()[0]
    assert counts.shape == (len(edges) + 1,) and (counts >= 0).all()
    assert counts.sum() == pytest.approx(people, rel=1e-12, abs=1e-12)


def test_bands_are_counts_like_any_other() -> None:
    """They are named after their edges, leave the given neighbourhoods as they were, and add up in profiles."""
    world = grid(2, 1, people=[100, 300], income=[30_000, 60_000])
    banded = income_bands(world, (35_000, 75_000))
    assert banded.counts == ("people", "over_65", *BANDS) and banded.rates == world.rates
    assert "income_under_35000" not in world.frame
    profiles = store_profiles(trade_areas(stores_at([(900, 500)]), banded, method="thiessen"), banded)
    assert profiles.values([f"{band} / people" for band in BANDS]).sum(axis=1).item() == pytest.approx(1.0)


def test_what_was_known_of_the_neighbourhoods_stays() -> None:
    """Margins, units and the source line are kept; bands are in the units of people and have no margins."""
    world = grid(2, 1, income=[30_000, 60_000])
    frame = world.frame.assign(people_moe=5.0)
    units = {"people": "adults", "median_income": "1999 dollars"}
    known = Neighbourhoods.from_frame(frame, world.counts, world.rates, units=units, attribution="Census 2000")
    banded = income_bands(known, [40_000])
    assert banded.margins == {"people": "people_moe"} and banded.attribution == "Census 2000"
    assert banded.units == units | {"income_under_40000": "adults", "income_over_40000": "adults"}


def test_bands_say_nothing_again_of_the_polygons() -> None:
    """A warning that the neighbourhoods gave when they were made is not given twice."""
    frame = grid(2, 1).frame
    frame = frame.set_geometry([frame.geometry[0]] * 2, crs=frame.crs)
    with pytest.warns(AssortmentWarning, match="same shape"):
        twice = Neighbourhoods.from_frame(frame, ["people"], {"median_income": "people"})
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssortmentWarning)
        income_bands(twice, [40_000])


def test_dollars_bring_the_medians_to_the_year_of_the_edges() -> None:
    """A factor of 1.5 on the medians is the same as edges divided by it."""
    world = grid(2, 1, income=[30_000, 60_000])
    inflated = income_bands(world, [60_000], dollars=1.5).frame["income_under_60000"]
    deflated = income_bands(world, [40_000]).frame["income_under_40000"]
    assert inflated.tolist() == pytest.approx(deflated.tolist(), rel=1e-12)


def test_an_unknown_median_gives_unknown_bands() -> None:
    """NaN is neither poor nor rich; where nobody lives there is nothing to be unknown about."""
    nan = float("nan")
    world = grid(4, 1, people=[100, 100, 0, nan], income=[nan, 60_000, nan, 60_000])
    bands = income_bands(world, (35_000, 75_000)).frame[BANDS]
    assert bands.isna().all(axis=1).tolist() == [True, False, False, True]
    assert bands.loc[2].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("settings_of_call", "message"),
    [
        ({"edges": [5, 3]}, "edges that rise"),
        ({"edges": []}, "edges that rise"),
        ({"edges": [1], "income": "median_incme"}, "did you mean 'median_income'"),
        ({"edges": [1], "base": "households"}, "count 'households' is not known; known here: people, over_65"),
        ({"edges": [1], "sigma": 0}, "sigma: expected a number"),
    ],
)
def test_what_cannot_be_used_is_named(settings_of_call: dict[str, object], message: str) -> None:
    """Edges, columns and parameters are checked, with the nearest name."""
    with pytest.raises(GeographyError, match=message):
        income_bands(grid(2, 1), **settings_of_call)


def test_a_median_of_zero_and_a_second_call_are_refused() -> None:
    """A median of 0 is a sentinel; bands that exist already are not overwritten."""
    with pytest.raises(GeographyError, match="not above zero for neighbourhood n1; where it stands for unknown"):
        income_bands(grid(2, 1, income=[1, 0]), [10])
    with pytest.raises(GeographyError, match="already have income_under_10, income_over_10"):
        income_bands(income_bands(grid(2, 1), [10]), [10])
