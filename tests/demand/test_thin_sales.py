"""Sales with next to nothing in them: a usable model that says what it lacks, or a clear error."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from demand_worlds import World
from test_fit_demand import stores_of

from assortment.demand import Prior, calibrate, fit_demand
from assortment.errors import AssortmentWarning, DemandError
from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales

Change = Callable[[pd.DataFrame], pd.DataFrame]


def without_units(sales: pd.DataFrame, column: str, *values: str) -> pd.DataFrame:
    return sales.assign(units=sales["units"].where(~sales[column].isin(values), 0))


THIN: dict[str, tuple[Change, str]] = {
    "one week": (lambda sales: sales[sales["week"] == 3], "Occasions are units sold"),
    "weeks are dates": (
        lambda sales: sales.assign(week=pd.Timestamp("2024-01-01") + pd.to_timedelta(7 * sales["week"], unit="D")),
        "Occasions are units sold",
    ),
    "one store": (lambda sales: sales[sales["store_id"] == "S01"], "Only store S01 has sales"),
    "two stores, one week": (
        lambda sales: sales[sales["store_id"].isin(["S01", "S02"]) & (sales["week"] == 0)],
        "Without sales or occasions, scaled",
    ),
    "two products": (lambda sales: sales[sales["product_id"].isin(["000", "001"])], "Never sold"),
    "one product": (lambda sales: sales[sales["product_id"] == "000"], "No store ever offered two"),
    "another product in each store": (
        lambda sales: sales[sales["product_id"].astype(int) == sales["store_id"].str[1:].astype(int) % 5],
        "No store ever offered two",
    ),
    "one unit": (lambda sales: sales.iloc[[0]].assign(units=1), "So little was sold (1 units of 5 products)"),
    "a product that sold nothing": (lambda sales: without_units(sales, "product_id", "002"), "Never sold"),
    "stores that sold nothing": (
        lambda sales: without_units(sales, "store_id", "S02", "S04"),
        "taken as stores without sales: S02, S04",
    ),
    "one store that sold": (
        lambda sales: without_units(sales, "store_id", "S00", "S01", "S02", "S03", "S05"),
        "Only store S04 has sales",
    ),
    "a promotion that never was": (lambda sales: sales.assign(flyer=0), "'flyer' never varies"),
    "no price": (lambda sales: sales.assign(price=np.nan), "more than one price"),
}


@pytest.mark.parametrize("thin", THIN.values(), ids=list(THIN))
def test_thin_sales_give_a_usable_model_with_a_note(small: World, thin: tuple[Change, str]) -> None:
    """Forecast, intervals and calibration are numbers without a warning of numpy, and a note says what is lacking."""
    change, note = thin
    sales = Sales.from_frame(change(small.sales.frame), promotion=["flyer"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", AssortmentWarning)
        model = fit_demand(sales, small.products, small.profiles)
        demand = model.predict(stores_of(small.store_ids), small.products, small.profiles)
        everything = np.ones((6, 5), bool)
        interval = demand.interval(0.9, everything)
        table = calibrate(model, demand, sales)
    assert np.isfinite(demand.units(everything)).all() and (demand.units(everything).sum(axis=1) > 0).all()
    assert np.isfinite(interval[["low", "high"]].to_numpy()).all()
    sold = set(sales.frame.loc[sales.frame["units"] > 0, "store_id"])
    assert set(table.dropna()["store_id"]) == sold
    assert set(table.loc[table["held_out"], "store_id"]) == (sold if len(sold) > 1 else set())
    assert any(note in text for text in demand.notes)


def test_a_store_without_units_is_as_one_without_rows(small: World) -> None:
    """Rows of nothing sold, as tills write them before the opening, change no forecast of a store."""
    frame = small.sales.frame
    zero = without_units(frame, "store_id", "S02")
    both = [
        fit_demand(Sales.from_frame(part, promotion=["flyer"]), small.products, small.profiles, demographics=["income"])
        for part in (zero, frame[frame["store_id"] != "S02"])
    ]
    first, second = (model.predict(stores_of(small.store_ids), small.products, small.profiles) for model in both)
    assert (first.attraction == second.attraction).all() and (first.class_weight == second.class_weight).all()
    assert both[0].log_sd == both[1].log_sd


def test_sales_of_nothing_are_no_demand(small: World) -> None:
    """All units zero: refused."""
    with pytest.raises(DemandError, match="no units of these products"):
        fit_demand(Sales.from_frame(small.sales.frame.assign(units=0)), small.products, small.profiles)


def test_stores_and_products_that_are_all_alike(small: World) -> None:
    """With one profile everywhere, and products told apart by nothing, each product is its own.

    Stores then differ by what their own sales show, and not at all when that is left out.
    """
    table = small.profiles.table.assign(people=1000.0, old=200.0, income=50_000.0)
    profiles = StoreProfiles.from_frame(table, counts=["people", "old"], rates={"income": "people"})
    products = Products.from_frame(small.products.frame.assign(kind="milk", brand="North", price=1.0))
    model = fit_demand(small.sales, products, profiles, prior=Prior(store=0))
    demand = model.predict(stores_of(small.store_ids), products, profiles)
    assert np.ptp(demand.attraction, axis=0).max() == 0.0
    own = fit_demand(small.sales, products, profiles).predict(stores_of(small.store_ids), products, profiles)
    assert np.ptp(own.attraction, axis=0).max() > 0.0
    assert "was not tested" in model.evidence.sentence
    assert any("same for all stores" in note for note in demand.notes)
    assert any("No attribute tells products apart" in note for note in demand.notes)


def test_notes_hold_only_what_the_fonts_of_reports_hold(small: World) -> None:
    """The minus sign of mathematics is in none of the notes: it would be printed as an empty box."""
    model = fit_demand(small.sales, small.products, small.profiles, demographics=["income"])
    demand = model.predict(stores_of(small.store_ids), small.products, small.profiles)
    assert any("1 – walk-away rate" in note for note in demand.notes)
    assert not any("\N{MINUS SIGN}" in note for note in demand.notes)
