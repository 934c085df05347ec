"""What a fitted model predicts, and how it is calibrated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from demand_worlds import FLYER, PRICE, World
from test_fit_demand import stores_of

from assortment.demand import ChoiceModel, calibrate, fit_demand
from assortment.errors import DemandError
from assortment.inputs import Products, Sales


def test_shares_of_offers_sum_to_one_in_each_week_and_store(fitted: ChoiceModel, world: World) -> None:
    """Same index as the offers; ratios follow prices as the coefficient says."""
    offers = world.sales.frame[["week", "store_id", "product_id", "price", "flyer"]].sample(frac=0.4, random_state=3)
    shares = fitted.shares(offers, world.profiles)
    assert shares.index.equals(offers.index)
    assert shares.groupby([offers["week"], offers["store_id"]]).sum().to_numpy() == pytest.approx(1.0)
    two = pd.DataFrame({"week": 0, "store_id": "S00", "product_id": ["000", "001"], "price": [1.0, 1.0]})
    dear = two.assign(price=[2.0, 1.0])
    before, after = fitted.shares(two, world.profiles), fitted.shares(dear, world.profiles)
    change = np.log(after[0] / after[1]) - np.log(before[0] / before[1])
    local = fitted.tastes.of(world.products, fitted.design.encode(world.profiles, ("S00",)), ("S00",))
    slope = local.slopes[fitted.tastes.covariates.names.index("log price"), 0, 0]
    assert change == pytest.approx(slope * np.log(2)) and abs(slope - PRICE) < 0.15


def test_offers_of_unknown_products_are_refused(fitted: ChoiceModel, world: World) -> None:
    """A product that was not in the fit is named."""
    offers = pd.DataFrame({"week": [0], "store_id": ["S00"], "product_id": ["zzz"], "price": [1.0]})
    with pytest.raises(DemandError, match="zzz"):
        fitted.shares(offers, world.profiles)


def test_prices_and_promotions_change_the_forecast_where_they_are_given(fitted: ChoiceModel, world: World) -> None:
    """``at`` moves the attraction of its stores and products by price and promotion, and of no others.

    A price under promotion may count differently, by the coefficient of their product.
    """
    stores = stores_of(world.store_ids)
    regular = fitted.predict(stores, world.products, world.profiles)
    price = world.products.frame["price"].to_numpy()
    at = pd.DataFrame({"store_id": ["S03"], "product_id": ["002"], "price": [price[2] / 2], "flyer": [1]})
    cheap = fitted.predict(stores, world.products, world.profiles, at=at)
    ratio = cheap.attraction / regular.attraction
    tastes = fitted.tastes
    local = tastes.of(world.products, fitted.design.encode(world.profiles, world.store_ids), world.store_ids)
    slope = dict(zip(tastes.covariates.names, local.slopes[:, 3, 2], strict=True))
    depth = np.log(price[2] / 2) - tastes.covariates.typical_log_price
    effect = -slope["log price"] * np.log(2) + slope["flyer"] + slope["log price × flyer"] * depth
    assert ratio[3, 0, 2] == pytest.approx(np.exp(effect))
    assert effect == pytest.approx(-PRICE * np.log(2) + FLYER, abs=0.25)
    ratio[3, 0, 2] = 1.0
    assert ratio == pytest.approx(1.0)


def test_new_products_and_stores_are_forecast(fitted: ChoiceModel, world: World) -> None:
    """A product with a new id and a new brand gets an attraction from its kind, and the brand is named in a note."""
    frame = world.products.frame
    new = frame[frame["product_id"] == "002"].assign(product_id="new", brand="Unheard", name="new")
    demand = fitted.predict(stores_of(world.store_ids), Products.from_frame(pd.concat([frame, new])), world.profiles)
    assert np.isfinite(demand.attraction).all() and (demand.attraction > 0).all()
    assert demand.log_sd[0, -1] > demand.log_sd[0, 0]
    assert any("brand: Unheard" in note for note in demand.notes)


def test_drivers_explain_the_whole_difference_between_stores(fitted: ChoiceModel, world: World) -> None:
    """The sums of the effects of two stores differ as their log attractions do, but for what each has of its own."""
    demand = fitted.predict(stores_of(world.store_ids), world.products, world.profiles)
    for product in ("000", "005"):
        n = world.products.ids.index(product)
        effects = [demand.drivers(product, store)["effect"].sum() for store in ("S01", "S07")]
        logs = np.log(demand.attraction[[1, 7], 0, n])
        own = fitted.tastes.parts.store[[1, 7], n]
        assert effects[0] - effects[1] == pytest.approx(logs[0] - logs[1] - (own[0] - own[1]))


def test_calibration_is_of_stores_that_were_not_seen(fitted: ChoiceModel, world: World) -> None:
    """Totals and products come close to the record, from the fit without the store; one row per store."""
    demand = fitted.predict(stores_of(world.store_ids), world.products, world.profiles)
    table = calibrate(fitted, demand, world.sales)
    assert list(table["store_id"]) == list(world.store_ids)
    assert table["actual_units_per_week"].to_numpy() == pytest.approx(400.0)
    assert table["total_error"].abs().max() < 1e-6  # the size came from the same sales
    assert table["product_error"].median() < 0.1
    assert table["held_out"].dtype == bool and table["held_out"].all()
    assert fitted.held_out is not None
    assert not np.allclose(fitted.held_out.parts[0].demographic, fitted.tastes.parts.demographic)


def test_calibration_says_where_nothing_was_held_out(small: World) -> None:
    """The forecast of a chain's only store comes from the fit that saw it; a store without sales has none at all."""
    frame = small.sales.frame
    sales = Sales.from_frame(frame[frame["store_id"] == "S01"], promotion=["flyer"])
    model = fit_demand(sales, small.products, small.profiles)
    table = calibrate(model, model.predict(stores_of(small.store_ids), small.products, small.profiles), sales)
    assert not table["held_out"].any()
    assert table["predicted_units_per_week"].notna().tolist() == [store == "S01" for store in small.store_ids]


def test_calibration_without_sales_is_empty(fitted: ChoiceModel, world: World) -> None:
    """No sales: the same columns and no rows."""
    demand = fitted.predict(stores_of(world.store_ids), world.products, world.profiles)
    assert calibrate(fitted, demand, None).empty
    assert calibrate(fitted, demand, None).dtypes.equals(calibrate(fitted, demand, world.sales).dtypes)


def test_today_comes_from_the_last_offers_when_no_listing_is_given(fitted: ChoiceModel, world: World) -> None:
    """In the last week every store offers all products; a listing given wins."""
    stores = stores_of(world.store_ids)
    demand = fitted.predict(stores, world.products, world.profiles)
    assert demand.today is not None and demand.today.all()
    listing = pd.DataFrame({"store_id": world.store_ids, "product_id": "001"})
    listed = fitted.predict(stores, world.products, world.profiles, listing=listing)
    assert listed.today is not None and (listed.today.sum(axis=1) == 1).all()
