"""Input that is wrong or says little: an error or a note that names it, and a usable model where there is one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from demand_worlds import World, simulate
from test_fit_demand import stores_of
from test_household_demand import BANDS, make_areas, make_baskets

from assortment.demand import ChoiceModel, calibrate, fit_demand
from assortment.errors import AssortmentError, AssortmentWarning
from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales

Change = Callable[[pd.DataFrame], pd.DataFrame]
INCOME, OLD = "income", "old / people"


def where(column: str, value: object, *, row: int = 5) -> Change:
    """One cell replaced."""
    return lambda frame: frame.assign(
        **{column: frame[column].astype(object).where(frame.index != row, value).infer_objects()}
    )


def few_units(frame: pd.DataFrame, product: str = "003", units: int = 10) -> pd.DataFrame:
    """A product that sold so many units, one at a time."""
    one = (frame["product_id"] == product) & (frame.groupby("product_id").cumcount() < units)
    return frame.assign(units=frame["units"].where(frame["product_id"] != product, 0).mask(one, 1))


def without_people(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(people=table["people"].where(table.index != "S02", 0.0))


@pytest.fixture(scope="module")
def chain() -> World:
    return simulate(stores=10, weeks=6, products=6, buyers=200)


def fitted(
    chain: World,
    *,
    sales: Change = lambda frame: frame,
    products: Change = lambda frame: frame,
    profiles: Change = lambda frame: frame,
    **how: Any,
) -> ChoiceModel:
    """The model, after all that a user may ask of it; NumPy may not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", AssortmentWarning)
        sold = Sales.from_frame(sales(chain.sales.frame), promotion=["flyer"])
        goods = Products.from_frame(products(chain.products.frame))
        people = StoreProfiles.from_frame(
            profiles(chain.profiles.table), counts=["people", "old"], rates={"income": "people"}
        )
        model = fit_demand(sold, goods, people, **{"demographics": [INCOME, OLD], "most_classes": 1, **how})
        stores = tuple(people.table.index)
        demand = model.predict(stores_of(stores), goods, people)
        everything = np.ones((len(stores), len(goods.ids)), dtype=bool)
        interval = demand.interval(0.9, everything)
        calibrate(model, demand, sold)
        model.summary()
    assert np.isfinite(demand.units(everything)).all()
    assert np.isfinite(interval[["low", "high"]].to_numpy()).all()
    return model


NOTED: dict[str, tuple[dict[str, Any], str]] = {
    "ten units": ({"sales": few_units}, r"Sold little.*\(brand, kind\).*: 003 \(10 units, ± \d\d%\)"),
    "a price of zero": ({"sales": where("price", 0.0)}, r"1 sales rows have no price .*product 001; store S00"),
    "an absurd price": ({"sales": where("price", 1e300)}, r"more than 20 times off .*product 001; store S00"),
    "cents in one store": (
        {"sales": lambda f: f.assign(price=f["price"].where(f["store_id"] != "S01", 100 * f["price"]))},
        r"more than 20 times off .*; store S01\)",
    ),
    "one price a week": (
        {"sales": lambda f: f.assign(price=1.0 + f["week"] % 2)},
        "In one store and week all products had one price: the effect of price cannot be estimated",
    ),
    "a promotion of stores": (
        {"sales": lambda f: f.assign(flyer=(f["store_id"] == "S02").astype(float))},
        "Promotion 'flyer' is the same for all products of a store and week",
    ),
    "a promotion that is a product": (
        {"sales": lambda f: f.assign(flyer=(f["product_id"] == "002").astype(float))},
        "Promotion 'flyer' never changes for any product",
    ),
    "a promotion of which nothing is known": (
        {"sales": lambda f: f.assign(flyer=np.nan)},
        "Promotion 'flyer' never varies",
    ),
    "more demographics than stores": (
        {
            "sales": lambda f: f[f["store_id"].isin(["S01", "S02", "S03"])],
            "profiles": lambda t: t.assign(**{f"x{i}": np.sin((i + 1) * np.arange(len(t))) for i in range(6)}),
            "demographics": [f"x{i}" for i in range(6)],
        },
        "6 demographics are more than 3 stores can tell from chance; .*: x0, x1, x2, x3, x4, x5",
    ),
    "few stores": (
        {"sales": lambda f: f[f["store_id"].isin(["S01", "S02", "S03"])], "demographics": [INCOME]},
        "Only 3 stores have sales: too few to tell what demographics do",
    ),
    "the same demographic twice": (
        {"profiles": lambda t: t.assign(wages=2.0 * t["income"] + 1.0), "demographics": [INCOME, "wages"]},
        "Demographic 'wages' says the same as income",
    ),
    "a demographic unknown in a store": (
        {"profiles": lambda t: t.assign(income=t["income"].where(t.index != "S02")), "demographics": None},
        "Left out, as not known for all stores: income",
    ),
    "a demographic unknown everywhere": (
        {"profiles": lambda t: t.assign(income=np.nan), "demographics": None},
        "Left out, as not known for all stores: income",
    ),
    "nobody lives there": (
        {"profiles": without_people, "demographics": None},
        "not known for all stores: old / people",
    ),
    "sales of other products": (
        {"products": lambda p: p[p["product_id"] != "003"]},
        "Sales of products that are not among those to fit are left out: 003",
    ),
    "an attribute that is not known": (
        {"products": lambda p: p.assign(kind=p["kind"].where(p["product_id"] != "003"))},
        "Attribute 'kind' is not known for 003",
    ),
    "sold where it was not offered": (
        {"offered": pd.DataFrame({"store_id": ["S01"], "product_id": ["000"]})},
        r"Sold in weeks in which `offered` does not have them.*000 in store S00.* more pairs",
    ),
    "four classes of next to nothing": (
        {"sales": lambda f: f[f["week"] == 1].assign(units=1), "classes": 4},
        "With 4 classes of shoppers classes 1 and 2 came out alike",
    ),
    "two classes in one store": (
        {"sales": lambda f: f[f["store_id"] == "S03"], "classes": 2},
        "Only store S03 has sales",
    ),
}


@pytest.mark.parametrize("case", NOTED.values(), ids=list(NOTED))
def test_a_usable_model_names_what_it_lacks(chain: World, case: tuple[Mapping[str, Any], str]) -> None:
    """Forecasts are numbers, NumPy does not warn, and a note names product, store or column."""
    given, note = case
    model = fitted(chain, **given)
    assert pd.Series(model.notes).str.contains(note, regex=True).any(), model.notes


USABLE: dict[str, dict[str, Any]] = {
    "a store with one product": {"sales": lambda f: f[(f["store_id"] != "S02") | (f["product_id"] == "001")]},
    "a product in one store": {"sales": lambda f: f[(f["product_id"] != "003") | (f["store_id"] == "S02")]},
    "a chain of two products": {
        "sales": lambda f: f[f["product_id"].isin(["000", "001"])],
        "products": lambda p: p[p["product_id"].isin(["000", "001"])],
    },
    "profiles without sales": {"sales": lambda f: f[~f["store_id"].isin(["S02", "S04"])]},
    "ids of odd letters": {
        "sales": lambda f: f.assign(store_id='0 ü/„"' + f["store_id"], product_id="00=|" + f["product_id"] + " × %{}"),
        "products": lambda p: p.assign(product_id="00=|" + p["product_id"] + " × %{}"),
        "profiles": lambda t: t.set_axis(['0 ü/„"' + name for name in t.index]),
    },
    "huge units": {"sales": lambda f: f.assign(units=f["units"] * 1e9)},
    "next to no units": {"sales": lambda f: f.assign(units=f["units"] * 1e-9)},
    "a huge demographic": {"profiles": lambda t: t.assign(income=t["income"] * 1e200)},
    "an outlier": {"profiles": lambda t: t.assign(income=t["income"].where(t.index != "S02", 1e9))},
    "a demographic named twice": {"demographics": [INCOME, INCOME]},
}


@pytest.mark.parametrize("prior", ["shrunken", "plain"])
@pytest.mark.parametrize("given", USABLE.values(), ids=list(USABLE))
def test_what_is_merely_odd_is_used(chain: World, given: Mapping[str, Any], prior: str) -> None:
    """With the prior each gives forecasts that are numbers; plain maximum likelihood may refuse, in its own words."""
    if prior == "shrunken":
        fitted(chain, **given)
        return
    try:
        fitted(chain, prior=None, **given)
    except AssortmentError as error:
        assert "cannot tell apart" in str(error) or "Never sold" in str(error)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "infinite price": ({"sales": where("price", np.inf)}, "row 6, column 'price': found inf"),
    "negative price": ({"sales": where("price", -1.0)}, "row 6, column 'price': found -1"),
    "infinite units": ({"sales": where("units", np.inf)}, "row 6, column 'units': found inf"),
    "negative units": ({"sales": where("units", -3)}, "row 6, column 'units': found -3"),
    "unknown units": ({"sales": where("units", np.nan)}, "row 6, column 'units': found nothing"),
    "a promotion of text": ({"sales": where("flyer", "yes")}, "row 6, column 'flyer': found 'yes'"),
    "no such promotion": (
        {"sales": lambda f: f.drop(columns="flyer")},
        "column 'flyer': found no such column, .*; expected a column of that name, or no promotion",
    ),
    "rows given twice": ({"sales": lambda f: pd.concat([f, f.head(2)])}, "2 faults.*\n.*S00, 001 again"),
    "weeks of two kinds": ({"sales": where("week", "2024-01-01")}, "found '2024-01-01'; expected a whole number"),
    "stores without profile": ({"profiles": lambda t: t.drop(index=["S02", "S04"])}, "No profile for stores S02, S04"),
    "a demographic unknown in a store": (
        {"profiles": lambda t: t.assign(income=t["income"].where(t.index != "S02"))},
        "Unknown demographics: 'income' of store S02",
    ),
    "nobody lives there": ({"profiles": without_people}, "'old / people' of store S02"),
    "half an expression": ({"demographics": ["income /"]}, "'' in 'income /'"),
}


@pytest.mark.parametrize("prior", ["shrunken", "plain"])
@pytest.mark.parametrize("case", REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_used_is_refused_by_name(chain: World, case: tuple[Mapping[str, Any], str], prior: str) -> None:
    """One error of ours that says where the fault stands."""
    given, message = case
    with pytest.raises(AssortmentError, match=message):
        fitted(chain, **given, **({} if prior == "shrunken" else {"prior": None}))


BASKETS: dict[str, tuple[Change, Change, str]] = {
    "a segment that bought nothing": (
        lambda b: b[b["household_id"].str[1:].astype(int) % 3 == 0],
        lambda h: h,
        "Households of low bought none of these products",
    ),
    "one household": (lambda b: b[b["household_id"] == "h3"], lambda h: h, "Only 1 household bought"),
    "one product": (lambda b: b[b["product_id"] == "000"], lambda h: h, "Only one of these products was ever bought"),
    "ten units": (
        lambda b: pd.concat([b[b["product_id"] != "003"], b[b["product_id"] == "003"].head(10).assign(units=1)]),
        lambda h: h,
        r"Sold little.*003 \(\d+ units, ±",
    ),
    "a household that is not known": (
        lambda b: b.assign(household_id=b["household_id"].where(b.index != 3, "zz")),
        lambda h: h,
        "not in the table of households: zz",
    ),
    "products that are not known": (
        lambda b: b.assign(product_id=b["product_id"].where(b.index != 3, "zz")),
        lambda h: h,
        "not among those to fit are left out: zz",
    ),
}


@pytest.mark.parametrize("case", BASKETS.values(), ids=list(BASKETS))
def test_baskets_that_say_little_give_a_usable_model(case: tuple[Change, Change, str]) -> None:
    """Forecasts are numbers, NumPy does not warn, and a note names the segment, product or household."""
    change, of_households, note = case
    baskets, members, products = make_baskets(1.0, households=60, weeks=4)
    areas = make_areas()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", AssortmentWarning)
        model = fit_demand(
            None,
            products,
            areas,
            baskets=change(baskets),
            households=of_households(members),
            segment="band",
            segments=BANDS,
        )
        demand = model.predict(stores_of(("poor", "rich")), products, areas)
        model.summary()
    assert np.isfinite(demand.units(np.ones((2, 6), dtype=bool))).all()
    assert pd.Series(model.notes).str.contains(note, regex=True).any(), model.notes


def test_settings_of_till_sales_mean_nothing_for_baskets() -> None:
    """Demographics and promotions given along with baskets are named."""
    baskets, members, products = make_baskets(1.0, households=30, weeks=3)
    with (
        pytest.warns(AssortmentWarning, match="demographics people are not used"),
        pytest.warns(AssortmentWarning, match="promotion is not used"),
    ):
        fit_demand(
            None,
            products,
            make_areas(),
            baskets=baskets,
            households=members,
            segment="band",
            segments=BANDS,
            demographics=["people"],
            promotion=["flyer"],
        )


def test_a_product_that_sold_little_has_a_wide_interval(chain: World) -> None:
    """Ten units leave the share of a product uncertain by about their own sampling error, in stores never seen too."""
    model = fitted(chain, sales=few_units)
    others = [sd for product, sd in model.log_sd.items() if product != "003"]
    extra = np.sqrt(model.log_sd["003"] ** 2 - np.median(others) ** 2)
    assert 0.15 < extra < 0.45
