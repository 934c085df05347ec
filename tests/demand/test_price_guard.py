"""A positive price coefficient takes the value of the level above it, and is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from demand_worlds import PRICE, World, simulate
from test_fit_demand import stores_of
from test_household_demand import BANDS, make_areas, make_baskets

from assortment.demand import ChoiceModel, fit_demand
from assortment.errors import AssortmentWarning
from assortment.inputs import Sales

WRONG = "002"


@pytest.fixture(scope="module")
def chain() -> World:
    return simulate(stores=10, weeks=14, products=6, buyers=400)


@pytest.fixture(scope="module")
def rising(chain: World) -> Sales:
    """As the world is, but for one product that sells the better the dearer it is."""
    frame = chain.sales.frame.copy()
    wrong = frame["product_id"] == WRONG
    regular = chain.products.frame.set_index("product_id").loc[WRONG, "price"]
    frame.loc[wrong, "units"] = (40 * (frame.loc[wrong, "price"] / regular) ** 2.5).round()
    return Sales.from_frame(frame, promotion=["flyer"])


def fitted_on(sales: Sales, chain: World, demographics: tuple[str, ...] = ()) -> ChoiceModel:
    return fit_demand(
        sales, chain.products, chain.profiles, offered=chain.offered, demographics=list(demographics), classes=1
    )


@pytest.fixture(scope="module")
def guarded(rising: Sales, chain: World) -> ChoiceModel:
    with pytest.warns(AssortmentWarning, match=f"price coefficient of {WRONG} came out positive"):
        return fitted_on(rising, chain)


def coefficients(model: ChoiceModel, chain: World) -> pd.DataFrame:
    return model.price_sensitivity(stores_of(chain.store_ids), chain.products, chain.profiles, by_product=True)


def test_a_product_takes_the_coefficient_of_the_others(guarded: ChoiceModel, chain: World) -> None:
    """That of the world, which the others show; it is named in the notes and in the summary, with the new value."""
    by_product = coefficients(guarded, chain).groupby("product_id")["price_coefficient"]
    assert by_product.mean()[WRONG] == pytest.approx(PRICE, abs=0.15)
    assert by_product.max().max() < 0
    (note,) = [note for note in guarded.notes if "came out positive" in note]
    assert WRONG in note and f"({by_product.mean()[WRONG]:.2f})" in note
    assert note in guarded.summary()


def test_each_product_still_sells_what_it_did(guarded: ChoiceModel, rising: Sales, chain: World) -> None:
    """With the coefficient replaced the constants are fitted again: expected are the actual units of each product."""
    frame = rising.frame
    shares = guarded.shares(frame.drop(columns="units"), chain.profiles)
    total = frame.groupby(["week", "store_id"])["units"].transform("sum")
    expected = (shares * total).groupby(frame["product_id"]).sum()
    assert expected.to_numpy() == pytest.approx(frame.groupby("product_id")["units"].sum().to_numpy(), rel=0.01)


def test_nothing_is_said_where_dearer_sells_less(chain: World) -> None:
    """The same chain as it is keeps each product's own coefficient."""
    model = fitted_on(chain.sales, chain)
    assert not any("came out positive" in note for note in model.notes)
    assert np.ptp(model.tastes.parts.covariate_product[0]) > 0


def test_demographics_that_turn_a_coefficient_are_left_out_of_it(chain: World) -> None:
    """Where the rich buy the dearer the more, stores take the coefficient of the chain; tastes still differ."""
    frame = chain.sales.frame.copy()
    income = chain.profiles.table["income"]
    slope = 2.5 * (income - income.mean()) / income.std()
    regular = frame["product_id"].map(chain.products.frame.set_index("product_id")["price"])
    lift = (frame["price"] / regular) ** frame["store_id"].map(slope)
    sales = Sales.from_frame(frame.assign(units=(frame["units"] * lift).round()), promotion=["flyer"])
    with pytest.warns(AssortmentWarning, match="With demographics the price coefficient of some stores"):
        model = fitted_on(sales, chain, ("income",))
    table = coefficients(model, chain)
    assert table["price_coefficient"].max() < 0
    assert table.groupby("product_id")["price_coefficient"].std().max() < 1e-6
    assert model.tastes.parts.demographic.any()


def test_the_coefficient_of_baskets_is_left_out_too() -> None:
    """Households that bought the dearer the more: price is left out, and the note says so."""
    baskets, members, products = make_baskets(1.0, households=60)
    baskets = baskets.assign(units=(50 * baskets["price"] ** 2).round())
    with pytest.warns(AssortmentWarning, match="price coefficient is positive"):
        model = fit_demand(
            None, products, make_areas(), baskets=baskets, households=members, segment="band", segments=BANDS
        )
    assert "log price" not in set(model.coefficients["term"])
    assert any("effect of price is left out" in note for note in model.notes)
