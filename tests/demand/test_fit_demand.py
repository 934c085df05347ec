"""``fit_demand`` on worlds whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from demand_worlds import EFFECT, FLYER, PRICE, World, make_profiles, simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.demand import ChoiceModel, Prior, calibrate, fit_demand
from assortment.errors import AssortmentWarning, DemandError
from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales, Stores


def shares_of(utility: np.ndarray) -> np.ndarray:
    worth = np.exp(utility)
    return worth / worth.sum(axis=-1, keepdims=True)


def true_shares(world: World) -> np.ndarray:
    """(S, N) choice shares at regular prices when all products are offered."""
    price = world.products.frame["price"].to_numpy()
    return shares_of(world.utility + PRICE * np.log(price))


def predicted_shares(model: ChoiceModel, world: World, profiles: StoreProfiles | None = None) -> np.ndarray:
    stores = stores_of(world.store_ids)
    demand = model.predict(stores, world.products, profiles or world.profiles)
    units = demand.units(np.ones((len(world.store_ids), len(world.products.ids)), bool))
    return units / units.sum(axis=1, keepdims=True)


def stores_of(ids: tuple[str, ...]) -> Stores:
    return Stores.from_frame(
        pd.DataFrame({"store_id": ids, "longitude": np.linspace(-121.5, -121.0, len(ids)), "latitude": 38.5})
    )


def without_stores(sales: Sales, stores: tuple[str, ...]) -> Sales:
    frame = sales.frame
    return Sales.from_frame(frame[~frame["store_id"].isin(stores)], promotion=sales.promotion)


def test_coefficients_of_a_simulated_world_are_recovered(fitted: ChoiceModel, world: World) -> None:
    """Price, flyer, and what income does to plant against whole lie within four standard errors of the truth."""
    table = fitted.coefficients.set_index("term")
    for term, truth in (("log price", PRICE), ("flyer", FLYER)):
        assert abs(table.loc[term, "value"] - truth) < 4 * table.loc[term, "standard_error"]
    for demographic, effect in EFFECT.items():
        plant, whole = (table.loc[f"{demographic} × kind: {kind}"] for kind in ("plant", "whole"))
        error = np.hypot(plant["standard_error"], whole["standard_error"])
        # The prior pulls towards nothing, so a little of the effect is missing on top of the sampling error.
        missing = abs(plant["value"] - whole["value"] - (effect["plant"] - effect["whole"]))
        assert missing < 4 * error + 0.05 * abs(effect["plant"] - effect["whole"])


def test_products_differ_as_in_the_truth(fitted: ChoiceModel, world: World) -> None:
    """Product constants, against the average product, lie within four standard errors."""
    table = fitted.coefficients.set_index("term")
    truth = world.utility.mean(axis=0)
    for product, value in zip(world.products.ids, truth - truth.mean(), strict=True):
        row = table.loc[f"product: {product}"]
        assert abs(row["value"] - value) < 4 * row["standard_error"] + 0.01


def test_unseen_stores_are_forecast_better_than_by_the_chain_average(world: World) -> None:
    """Stores that the fit has not seen: less than half the error of a fit without demographics."""
    hidden = world.store_ids[::4]
    seen = without_stores(world.sales, hidden)
    rows = [world.store_ids.index(store) for store in hidden]
    error = []
    for demographics in (list(EFFECT), []):
        model = fit_demand(seen, world.products, world.profiles, offered=world.offered, demographics=demographics)
        error.append(np.abs(predicted_shares(model, world)[rows] - true_shares(world)[rows]).sum(axis=1).mean())
    assert error[0] < 0.5 * error[1]


def test_an_unseen_product_is_forecast_from_its_attributes() -> None:
    """A product that nobody offered sells more where its kind is liked; its shares follow those of its kind."""
    world = simulate(never=(5,), products=9)
    with pytest.warns(AssortmentWarning, match="Never sold.*005"):
        model = fit_demand(
            world.sales, world.products, world.profiles, offered=world.offered, demographics=list(EFFECT)
        )
    forecast, truth = predicted_shares(model, world)[:, 5], true_shares(world)[:, 5]
    assert np.corrcoef(forecast, truth)[0, 1] > 0.95
    known = list(model.log_sd.values())
    demand = model.predict(stores_of(world.store_ids), world.products, world.profiles)
    assert demand.log_sd[0, 5] > max(known) - 1e-12


def test_demographics_are_said_to_help_where_they_do(fitted: ChoiceModel) -> None:
    """The evidence is of stores held out, with a gain beyond its standard error."""
    evidence = fitted.evidence
    assert evidence.demographics_help and evidence.gain > 3 * evidence.standard_error
    assert (evidence.blocks, evidence.blocked_by) == (24, "store")
    assert "better than the chain average" in evidence.sentence and evidence.sentence in fitted.summary()


def test_a_localiser_without_local_differences_says_so(indifferent: World) -> None:
    """Where tastes are the same everywhere the gain is nothing, and the forecast is the chain average.

    What is left of differences is what each store's own sales show, which is chance here and shrunk to next to nothing.
    """
    model = fit_demand(indifferent.sales, indifferent.products, indifferent.profiles, demographics=list(EFFECT), seed=2)
    assert abs(model.evidence.gain) < 1e-3
    assert not model.evidence.demographics_help and not model.local
    assert "do not forecast" in model.evidence.sentence
    shares = predicted_shares(model, indifferent)
    assert np.allclose(shares, shares[0], rtol=0.02)
    assert any("chain average everywhere" in note for note in model.notes)


def test_offered_can_be_inferred_and_is_said_to_be(world: World) -> None:
    """Without the table of offers the fit is nearly the same, and a note says what was assumed."""
    model = fit_demand(world.sales, world.products, world.profiles, demographics=list(EFFECT))
    price = model.coefficients.set_index("term").loc["log price"]
    assert abs(price["value"] - PRICE) < 4 * price["standard_error"]
    assert any("inferred" in note for note in model.notes)


def test_a_product_that_was_not_offered_takes_no_blame(world: World) -> None:
    """A product offered in four of twenty weeks gets its share right; taken as offered all along it would not."""
    frame = world.sales.frame
    sales = Sales.from_frame(frame[(frame["product_id"] != "001") | (frame["week"] >= 16)], promotion=["flyer"])
    late = world.offered.assign(from_week=world.offered["from_week"].where(world.offered["product_id"] != "001", 16))
    truth = true_shares(world)[:, 1].mean()
    error = []
    for offered in (late, world.offered):
        model = fit_demand(sales, world.products, world.profiles, offered=offered, demographics=[])
        error.append(abs(predicted_shares(model, world)[:, 1].mean() - truth) / truth)
    assert error[0] < 0.05 and error[1] > 0.5


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_rows_and_columns_does_not_matter(small: World, seed: int) -> None:
    """Shuffled rows and columns of sales, products and profiles give the same forecast."""
    rng = np.random.default_rng(seed)
    first = fit_demand(small.sales, small.products, small.profiles, demographics=["income"], fallback=False)
    frames = [small.sales.frame, small.products.frame, small.profiles.table]
    sales, products, table = (
        frame.iloc[rng.permutation(len(frame)), rng.permutation(frame.shape[1])] for frame in frames
    )
    second = fit_demand(
        Sales.from_frame(sales, promotion=["flyer"]),
        Products.from_frame(products),
        StoreProfiles.from_frame(table, counts=["people", "old"], rates={"income": "people"}),
        demographics=["income"],
        fallback=False,
    )
    one = first.predict(stores_of(small.store_ids), small.products, small.profiles)
    two = second.predict(stores_of(small.store_ids), small.products, small.profiles)
    everything = np.ones((6, 5), bool)
    assert np.allclose(one.shares(everything), two.shares(everything), rtol=1e-4, atol=1e-7)


def test_the_number_of_workers_does_not_matter(small: World) -> None:
    """One thread or two: the same coefficients to the last bit."""
    one, two = (
        fit_demand(small.sales, small.products, small.profiles, demographics=["income"], workers=workers)
        for workers in (1, 2)
    )
    pd.testing.assert_frame_equal(one.coefficients, two.coefficients)


def test_intervals_cover_the_shares_of_unseen_stores() -> None:
    """With tastes that nothing explains, about nine in ten true shares of held-out stores lie in the interval."""
    inside = []
    for seed in (1, 2, 3):
        world = simulate(stores=40, weeks=8, buyers=800, store_sd=0.25, seed=seed)
        hidden = world.store_ids[::5]
        seen = without_stores(world.sales, hidden)
        model = fit_demand(seen, world.products, world.profiles, offered=world.offered, demographics=list(EFFECT))
        everything = np.ones((40, 9), bool)
        table = model.predict(stores_of(world.store_ids), world.products, world.profiles).interval(0.9, everything)
        truth = true_shares(world).ravel()
        held = table["store_id"].isin(hidden)
        inside += list(((table["low"] <= truth) & (truth <= table["high"]))[held])
    assert 0.82 <= np.mean(inside) <= 0.97


def test_occasions_estimate_buying_nothing(world: World) -> None:
    """With 400 buyers in 500 occasions a week the forecast of the record is 400, and the weights are 500."""
    shelves = pd.DataFrame({"store_id": world.store_ids, "category": "milk", "occasions_per_week": 500.0})
    model = fit_demand(world.sales, world.products, world.profiles, shelves=shelves, demographics=list(EFFECT))
    demand = model.predict(stores_of(world.store_ids), world.products, world.profiles)
    assert demand.weight_source == "occasions" and (demand.class_weight == 500).all()
    assert (demand.no_purchase == demand.no_purchase[0, 0]).all()
    predicted = calibrate(model, demand, world.sales, weeks=20)["predicted_units_per_week"]
    assert predicted.mean() == pytest.approx(400, rel=0.03)
    # At regular prices fewer buy than in a record full of price cuts.
    assert 0.2 < demand.walk_away < 0.35


def test_without_occasions_the_walk_away_is_as_assumed(fitted: ChoiceModel, world: World) -> None:
    """The parameter holds on average at today's listing, weights are units ÷ (1 − walk-away), and a note says so."""
    demand = fitted.predict(stores_of(world.store_ids), world.products, world.profiles)
    assert demand.walk_away == pytest.approx(0.1, abs=0.005)
    assert demand.weight_source == "units"
    assert demand.units().sum(axis=1) == pytest.approx(np.full(24, 400.0), rel=1e-6)
    assert any("10%" in note for note in demand.notes)


def test_a_store_without_sales_or_occasions_is_scaled_from_its_people(world: World) -> None:
    """A new store gets the chain's rate per person, and a note names it."""
    hidden = world.store_ids[:1]
    model = fit_demand(without_stores(world.sales, hidden), world.products, world.profiles, demographics=list(EFFECT))
    demand = model.predict(stores_of(world.store_ids), world.products, world.profiles)
    people = world.profiles.table["people"].to_numpy()
    weight = demand.class_weight[:, 0]
    assert weight[0] / people[0] == pytest.approx(weight[1:].sum() / people[1:].sum())
    assert any("S00" in note and "people" in note for note in demand.notes)


def test_equal_prices_leave_the_price_effect_out(small: World) -> None:
    """A price that never moves cannot be told from the product: warned of, and no coefficient."""
    frame = small.sales.frame.drop(columns="price")
    with pytest.warns(AssortmentWarning, match="more than one price"):
        model = fit_demand(
            Sales.from_frame(frame, promotion=["flyer"]), small.products, small.profiles, demographics=["income"]
        )
    assert "log price" not in set(model.coefficients["term"])


def test_a_positive_price_coefficient_leaves_price_out(small: World) -> None:
    """Sales that rise with the price are named as what prices cannot explain, also to whoever has but the demand.

    There is no level above the category: price is left out. Without a prior it is only flagged.
    """
    frame = small.sales.frame.assign(units=lambda sales: (100 * sales["price"] ** 2).round())
    with pytest.warns(AssortmentWarning, match="price coefficient is positive"):
        sales = Sales.from_frame(frame, promotion=["flyer"])
        model = fit_demand(sales, small.products, small.profiles, demographics=[])
    demand = model.predict(stores_of(small.store_ids), small.products, small.profiles)
    assert any("price coefficient is positive" in note for note in demand.notes)
    assert any("price coefficient is positive" in note for note in model.summary().splitlines())
    assert not model.coefficients["term"].str.contains("log price").any()
    with pytest.warns(AssortmentWarning, match="Do not use the model for prices"):
        plain = fit_demand(sales, small.products, small.profiles, demographics=[], prior=None)
    assert plain.coefficients.set_index("term").loc["log price", "value"] == pytest.approx(2.0, abs=0.1)


def test_what_cannot_be_held_out_is_said_not_to_be_tested(small: World) -> None:
    """One store fits and forecasts, but shows nothing about others."""
    frame = small.sales.frame
    with pytest.warns(AssortmentWarning, match="One store cannot tell what demographics do: left out income"):
        store = fit_demand(
            Sales.from_frame(frame[frame["store_id"] == "S01"]), small.products, small.profiles, demographics=["income"]
        )
    assert "was not tested" in store.evidence.sentence
    assert np.isfinite(predicted_shares(store, small)).all()


def test_a_demographic_that_does_not_vary_is_left_out_with_a_warning(small: World) -> None:
    """Zero variance cannot explain anything; the warning names the column."""
    table = small.profiles.table.assign(flat=3.0)
    profiles = StoreProfiles.from_frame(table)
    with pytest.warns(AssortmentWarning, match="'flat'"):
        model = fit_demand(small.sales, small.products, profiles, demographics=["flat", "income"])
    assert model.design is not None and model.design.expressions == ("income",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"demographics": ["wealth"]}, "'wealth'.*the profiles hold people, old, income"),
        ({"attributes": ["colour"]}, "colour.*the columns are"),
        ({"promotion": ["leaflet"]}, "leaflet"),
        ({"walk_away": 1.0}, "walk_away = 1.0"),
        ({"sales": None}, "Give sales; or baskets"),
        ({"prior": {"price": -1.0}}, "price = -1.0"),
        ({"prior": "flat"}, "prior = 'flat': leave it out"),
        ({"prior": {"time": "days"}}, "time = 'days'; expected 'none', 'seasons' or 'weeks'"),
        ({"prior": {"store": -0.1}}, "store = -0.1; a standard deviation must be zero or more"),
    ],
)
def test_what_cannot_be_used_is_named(small: World, change: dict[str, object], message: str) -> None:
    """Each wrong argument gives one error that names it."""
    settings: dict[str, object] = {"sales": small.sales, **change}
    with pytest.raises(DemandError, match=message):
        if isinstance(settings.get("prior"), dict):
            settings["prior"] = Prior(**settings["prior"])  # type: ignore[arg-type]
        fit_demand(settings.pop("sales"), small.products, small.profiles, **settings)  # type: ignore[arg-type]


def test_unknown_demographics_name_store_and_column(small: World) -> None:
    """A NaN is an error that says where it stands; a store without profile too."""
    table = small.profiles.table.copy()
    table.loc["S02", "income"] = np.nan
    with pytest.raises(DemandError, match="'income' of store S02"):
        fit_demand(small.sales, small.products, StoreProfiles.from_frame(table), demographics=["income"])
    with pytest.raises(DemandError, match="No profile for store S05"):
        fit_demand(small.sales, small.products, make_profiles(5), demographics=["income"])


def test_sales_of_other_products_are_no_demand(small: World) -> None:
    """Sales that hold none of the products are refused, with the next step."""
    frame = small.sales.frame.assign(product_id=lambda sales: "x" + sales["product_id"])
    with pytest.raises(DemandError, match="no units of these products"):
        fit_demand(Sales.from_frame(frame), small.products, small.profiles)


def test_progress_ends_at_the_total(small: World) -> None:
    """The bar moves forward and ends full."""
    seen: list[tuple[int, int]] = []
    fit_demand(
        small.sales,
        small.products,
        small.profiles,
        demographics=["income"],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]
