"""The parts that a fit is made of: folds, attributes, demographics, buying nothing, spread, the till record."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from demand_worlds import World, make_products, make_profiles
from hypothesis import given
from hypothesis import strategies as st

from assortment.demand.design.attributes import AttributeDesign
from assortment.demand.design.demographics import default_expressions
from assortment.demand.fitting.evidence import Evidence
from assortment.demand.likelihood.outside import log_no_purchase, log_no_purchase_at
from assortment.demand.model.spread import UNKNOWN_SD, Spread, residual_spread
from assortment.demand.observed.folds import fold_of
from assortment.demand.observed.gaps import carried_on
from assortment.demand.observed.record import till_record
from assortment.errors import DemandError
from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales


@given(ids=st.lists(st.text(), min_size=1, max_size=30, unique=True), seed=st.integers(0, 100))
def test_folds_do_not_depend_on_the_order(ids: list[str], seed: int) -> None:
    """Each id keeps its fold when the ids come in another order; folds are of nearly equal size."""
    forward, backward = fold_of(ids, 5, seed), fold_of(ids[::-1], 5, seed)
    assert (forward == backward[::-1]).all()
    sizes = np.bincount(forward)
    assert sizes.max() - sizes.min() <= 1


def test_attributes_are_levels_and_standardised_numbers() -> None:
    """Three levels make three columns, two make one, numbers are standardised, all have mean zero."""
    frame = make_products(6).frame.assign(fat=[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], same="x", code=list("abcdef"))
    design = AttributeDesign.of(Products.from_frame(frame))
    assert design.names == ("brand: South", "kind: plant", "kind: skim", "kind: whole", "fat") or set(design.names) == {
        "brand: South",
        "kind: plant",
        "kind: skim",
        "kind: whole",
        "fat",
    }
    encoded = design.encode(Products.from_frame(frame))
    assert np.allclose(encoded.mean(axis=0), 0)
    assert encoded[:, design.names.index("fat")].std() == pytest.approx(1.0)


def test_a_new_level_counts_as_average_and_is_named() -> None:
    """A brand that the fit has not seen adds nothing; a missing value neither."""
    design = AttributeDesign.of(make_products(6))
    frame = make_products(2).frame.assign(brand=["Unheard", None])
    encoded = design.encode(Products.from_frame(frame))
    assert (encoded[:, design.names.index("brand: South")] == 0).all()
    assert design.unseen(Products.from_frame(frame)) == ("brand: Unheard",)


def test_without_attributes_each_product_is_its_own() -> None:
    """Products that nothing tells apart still get tastes of their own, and it is said."""
    frame = make_products(3).frame.drop(columns=["kind", "brand"])
    design = AttributeDesign.of(Products.from_frame(frame))
    assert design.names == ("product_id: 000", "product_id: 001", "product_id: 002")
    assert any("its own" in note for note in design.notes)


def test_default_demographics_leave_out_what_says_nothing_new() -> None:
    """Women mirror men, nearly everyone is everyone, a constant is none: left out, and each is named in a note."""
    table = make_profiles(24).table
    men = table["people"] * np.linspace(0.45, 0.55, 24)
    table = table.assign(men=men, women=table["people"] - men, housed=0.99 * table["people"])
    profiles = StoreProfiles.from_frame(
        table, counts=["people", "old", "men", "women", "housed"], rates={"income": "people"}
    )
    names, notes = default_expressions(profiles, tuple(table.index))
    assert names == ("income", "old / people", "men / people")
    assert any("women / people" in note for note in notes) and any("housed / people" in note for note in notes)


def test_few_stores_carry_few_demographics() -> None:
    """One demographic per four stores at most."""
    profiles = make_profiles(6)
    names, notes = default_expressions(profiles, tuple(profiles.table.index))
    assert names == ("income",) and any("6 stores" in note for note in notes)


@given(rate=st.floats(0.01, 0.9), seed=st.integers(0, 100))
def test_buying_nothing_is_found_from_occasions_or_from_the_rate(rate: float, seed: int) -> None:
    """The constant at which the expected walk-away is what was seen, or assumed."""
    rng = np.random.default_rng(seed)
    attraction, carried = rng.uniform(0.1, 5, (4, 6)), np.ones((4, 6), bool)
    weight = rng.uniform(1, 10, 4)
    inside = attraction.sum(axis=1)
    constant = log_no_purchase_at(attraction[:, None], carried, weight[:, None], rate)
    away = np.exp(constant) / (np.exp(constant) + inside)
    assert (weight @ away) / weight.sum() == pytest.approx(rate, rel=1e-6)
    found = log_no_purchase(np.log(inside), weight, weight * (1 - away))
    assert found == pytest.approx(constant, abs=1e-6)


def test_more_units_than_occasions_give_no_estimate() -> None:
    """Buying nothing cannot be estimated when nobody seems to buy nothing."""
    assert log_no_purchase(np.zeros(2), np.full(2, 10.0), np.full(2, 11.0)) is None


def test_the_spread_of_residuals_is_recovered_beyond_chance() -> None:
    """Log-normal residuals of 0.2 on top of Poisson noise give 0.2, and no residuals next to nothing."""
    rng = np.random.default_rng(2)
    expected = rng.uniform(200, 3000, (60, 20))
    observed = rng.poisson(expected * np.exp(rng.normal(0, 0.2, expected.shape)))
    assert residual_spread(observed, expected).log_sd.mean() == pytest.approx(0.2, rel=0.15)
    assert residual_spread(rng.poisson(expected).astype(float), expected).log_sd.max() < 0.03
    assert (residual_spread(np.zeros((1, 3)), np.zeros((1, 3))).log_sd == UNKNOWN_SD).all()


def test_spreads_of_products_are_pulled_together_as_far_as_they_are_alike() -> None:
    """Products that differ keep their spreads (0.05 to 0.4); where they do not, chance between them is evened out."""
    rng = np.random.default_rng(4)
    expected = np.full((60, 12), 5e4)

    def found(true: np.ndarray) -> np.ndarray:
        observed = rng.poisson(expected * np.exp(rng.normal(0, true, expected.shape))).astype(float)
        return residual_spread(observed, expected).log_sd

    apart = np.geomspace(0.05, 0.4, 12)
    assert found(apart) / apart == pytest.approx(np.ones(12), abs=0.3)
    alike = np.mean([found(np.full(12, 0.2)).std() for _ in range(10)])
    assert alike < 0.5 * 0.2 / np.sqrt(2 * 60)


def test_the_spread_grows_with_remoteness_where_it_does() -> None:
    """Variances of 0.15² (1 + d²) / 2 are found as such; where remoteness is idle, the spread hardly grows with it."""
    rng = np.random.default_rng(6)
    apart = rng.exponential(1.0, 120)
    apart /= apart.mean()
    expected = np.full((120, 10), 5e4)
    for true in (Spread(np.full(10, 0.15), 1.0), Spread(np.full(10, 0.15))):
        sd = true.log_sd * true.stretch(apart)[:, None]
        observed = rng.poisson(expected * np.exp(rng.normal(0, sd))).astype(float)
        found = residual_spread(observed, expected, apart)
        ends = np.array([0.0, 4.0])
        assert found.stretch(ends) == pytest.approx(true.stretch(ends), rel=0.25)
        assert found.log_sd == pytest.approx(true.log_sd, rel=0.2)


def test_the_gain_has_the_standard_error_of_its_blocks() -> None:
    """With equal blocks the error is that of a mean (closed form)."""
    gain = np.array([1.0, 2.0, 3.0, 6.0])
    units = np.full(4, 10.0)
    evidence = Evidence.of(20.0 - gain, np.full(4, 20.0), units, "store")
    assert evidence.gain == pytest.approx(gain.mean() / 10)
    assert evidence.standard_error == pytest.approx(gain.std(ddof=1) / np.sqrt(4) / 10)
    assert evidence.demographics_help


def test_gaps_take_the_price_before_and_at_first_the_price_after() -> None:
    """Forward, then backward; a series of gaps stays one."""
    nan = np.nan
    values = np.array([[nan, 1.0, nan, 2.0], [nan, nan, nan, nan]])
    filled = carried_on(values, axis=1)
    assert filled[0] == pytest.approx([1.0, 1.0, 1.0, 2.0]) and np.isnan(filled[1]).all()


def test_the_record_tells_zero_from_unknown(small: World) -> None:
    """An offered product without a row sold nothing; a week without any row of the store is unknown."""
    frame = small.sales.frame
    gone = (frame["store_id"] == "S01") & (frame["week"] == 3)
    lost = (frame["store_id"] == "S02") & (frame["week"] == 4) & (frame["product_id"] == "004")
    record = till_record(Sales.from_frame(frame[~gone & ~lost]), small.products, offered=small.offered)
    assert not record.recorded[1, 3] and record.recorded.sum() == 6 * 6 - 1
    assert record.offered[2, 4, 4] and record.units[2, 4, 4] == 0
    assert not record.offered[0, 0, 0] and record.offered[0, 3, 0]  # S00 lacked 000 in the first half
    other = record.log_price[2, 3, 4]
    assert record.log_price[2, 4, 4] == pytest.approx(other)


def test_weeks_may_be_dates(small: World) -> None:
    """Mondays in the sales and in the offers give the same record as whole numbers."""
    monday = pd.Timestamp("2024-01-01")
    dated = small.sales.frame.assign(week=monday + pd.to_timedelta(7 * small.sales.frame["week"], unit="D"))
    offers = small.offered.assign(
        **{name: monday + pd.to_timedelta(7 * small.offered[name], unit="D") for name in ("from_week", "to_week")}
    )
    one = till_record(small.sales, small.products, offered=small.offered)
    two = till_record(Sales.from_frame(dated, promotion=["flyer"]), small.products, offered=offers)
    assert (one.offered == two.offered).all() and (one.units == two.units).all()


def test_a_missing_promotion_column_is_named(small: World) -> None:
    """The name of the column stands in the message."""
    with pytest.raises(DemandError, match="leaflet"):
        till_record(small.sales, small.products, promotion=["leaflet"])
