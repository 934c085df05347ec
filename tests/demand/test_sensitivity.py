"""Price sensitivities follow from the choices that the model forecasts."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from demand_worlds import PRICE, World
from test_fit_demand import stores_of
from test_household_demand import BANDS, make_areas, make_baskets

from assortment.demand import ChoiceModel, fit_demand
from assortment.errors import AssortmentWarning, DemandError
from assortment.inputs import Sales


def test_elasticities_are_those_of_the_logit(fitted: ChoiceModel, world: World) -> None:
    """b (1 − P), with P among all occasions and among purchases; b near the truth; no warning."""
    stores = stores_of(world.store_ids)
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssortmentWarning)
        table = fitted.price_sensitivity(stores, world.products, world.profiles, by_product=True)
    demand = fitted.predict(stores, world.products, world.profiles)
    shares = demand.shares()
    s = pd.Index(world.store_ids).get_indexer(table["store_id"])
    n = pd.Index(world.products.ids).get_indexer(table["product_id"])
    b = table["price_coefficient"]
    assert b.mean() == pytest.approx(PRICE, abs=0.1) and not table["positive"].any()
    assert table["elasticity"].to_numpy() == pytest.approx(b * (1 - shares[s, n]), rel=1e-4)
    among = shares / shares.sum(axis=1, keepdims=True)
    assert table["elasticity_among_purchases"].to_numpy() == pytest.approx(b * (1 - among[s, n]), rel=1e-4)
    assert table["share"].to_numpy() == pytest.approx(among[s, n])
    assert table["units_per_week"].to_numpy() == pytest.approx(demand.units()[s, n])


def test_an_elasticity_is_what_a_dearer_product_loses(fitted: ChoiceModel, world: World) -> None:
    """One product 1 % dearer in one store: its units fall by the elasticity, walk-away as it was."""
    stores = stores_of(world.store_ids)
    price = float(world.products.frame["price"][2])
    at = pd.DataFrame({"store_id": ["S03"], "product_id": ["002"], "price": [price * 1.01]})
    before, after = (fitted.predict(stores, world.products, world.profiles, at=frame) for frame in (None, at))
    there = after.attraction[3, 0, 2], after.attraction[3, 0].sum() + before.no_purchase[3, 0]
    units = before.class_weight[3, 0] * there[0] / there[1]
    table = fitted.price_sensitivity(stores, world.products, world.profiles, by_product=True)
    row = table.set_index(["store_id", "product_id"]).loc[("S03", "002")]
    assert np.log(units / row["units_per_week"]) == pytest.approx(row["elasticity"] * np.log(1.01), rel=1e-2)


def test_stores_are_the_means_of_their_products_by_share(fitted: ChoiceModel, world: World) -> None:
    """Of what stands there: one row per store, and a listing changes what counts."""
    stores = stores_of(world.store_ids[:3])
    listing = pd.DataFrame({"store_id": np.repeat(world.store_ids[:3], 2), "product_id": ["000", "005"] * 3})
    given = (stores, world.products, world.profiles)
    rows = fitted.price_sensitivity(*given, listing=listing, by_product=True)
    assert sorted(set(rows["product_id"])) == ["000", "005"] and len(rows) == 6
    table = fitted.price_sensitivity(*given, listing=listing).set_index("store_id")
    for name in ("price_coefficient", "elasticity", "elasticity_among_purchases"):
        expected = (rows[name] * rows["share"]).groupby(rows["store_id"]).sum()
        assert table[name].to_numpy() == pytest.approx(expected.loc[table.index].to_numpy())
    assert table["units_per_week"].to_numpy() == pytest.approx(rows.groupby("store_id")["units_per_week"].sum())


def test_prices_and_promotions_given_are_the_point_of_the_elasticity(fitted: ChoiceModel, world: World) -> None:
    """A product at half its price and in the flyer has a larger share, so a smaller elasticity."""
    given = (stores_of(world.store_ids[:2]), world.products, world.profiles)
    price = float(world.products.frame["price"][0])
    at = pd.DataFrame({"store_id": ["S00"], "product_id": ["000"], "price": [price / 2], "flyer": [1]})
    plain, cheap = (
        fitted.price_sensitivity(*given, at=frame, by_product=True).set_index(["store_id", "product_id"])
        for frame in (None, at)
    )
    assert abs(cheap.loc[("S00", "000"), "elasticity"]) < abs(plain.loc[("S00", "000"), "elasticity"]) - 0.1
    among = "elasticity_among_purchases"  # which no other store's prices can move
    assert cheap.loc["S01", among].to_numpy() == pytest.approx(plain.loc["S01", among].to_numpy())


def test_each_class_has_its_own_row() -> None:
    """A model of households: a row per store and band; a band that likes a product more gives up less of it."""
    baskets, members, products = make_baskets(1.0)
    areas, stores = make_areas(), stores_of(("poor", "rich"))
    model = fit_demand(None, products, areas, baskets=baskets, households=members, segment="band", segments=BANDS)
    table = model.price_sensitivity(stores, products, areas)
    assert list(zip(table["store_id"], table["class"], strict=True)) == [
        (store, band) for store in ("poor", "rich") for band in ("low", "high")
    ]
    rows = model.price_sensitivity(stores, products, areas, by_product=True).set_index(["store_id", "class"])
    plant = rows[rows["product_id"] == products.ids[2]]["elasticity_among_purchases"]
    assert plant["rich", "high"] > plant["rich", "low"]


def test_no_price_no_sensitivity(small: World) -> None:
    """Prices that never vary tell nothing of their effect: an error that says so."""
    frame = small.sales.frame.assign(price=1.0)
    with pytest.warns(AssortmentWarning, match="price"):
        model = fit_demand(Sales.from_frame(frame, promotion=["flyer"]), small.products, small.profiles)
    with pytest.raises(DemandError, match="no effect of price"):
        model.price_sensitivity(stores_of(small.store_ids), small.products, small.profiles)


def test_a_positive_price_coefficient_is_flagged(small: World) -> None:
    """Dearer sells better, and nothing was replaced: flagged in each row, and warned of with the products."""
    frame = small.sales.frame
    frame = frame.assign(units=np.round(100 * frame["price"] ** 2))
    sales = Sales.from_frame(frame, promotion=["flyer"])
    with pytest.warns(AssortmentWarning):
        model = fit_demand(sales, small.products, small.profiles, demographics=[], prior=None)
    with pytest.warns(AssortmentWarning, match=r"positive in 6 store\(s\), for 000"):
        table = model.price_sensitivity(stores_of(small.store_ids), small.products, small.profiles)
    assert table["positive"].all() and (table["price_coefficient"] > 0).all()
