"""Problem.from_demand and RuleSpec: the tables of a chain become masks, groups and money."""

from __future__ import annotations

import dataclasses
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from assortment.demand import Demand
from assortment.errors import ProblemError
from assortment.inputs import Chain, Neighbourhoods, Products, Stores
from assortment.optimiser import Costs, Cover, Problem, Rules, RuleSpec, solve

STORES = ("7", "12", "9")
PRODUCTS = ("0001", "0002", "0003", "0004")


@pytest.fixture
def chain() -> Chain:
    """Three stores some 10 km apart and four milks, one from a dairy that delivers within 15 km; a cheese beside."""
    square = gpd.GeoDataFrame({"neighbourhood_id": ["n"], "people": [10]}, geometry=[box(-122, 38, -121, 39)], crs=4326)
    products = pd.DataFrame(
        {
            "product_id": [*PRODUCTS, "0009"],
            "category": ["milk"] * 4 + ["cheese"],
            "type": ["whole", "whole", "oat", "skim", "hard"],
            "price": [2.0, 3.0, 4.0, 1.0, 9.0],
            "unit_cost": [1.0, 1.5, 2.0, 0.25, 3.0],
            "width_cm": [10.0, 8.0, 9.0, 7.0, 5.0],
            "facings": [1, 2, 1, 1, 1],
            "supplier_id": ["A", "A", "B", "A", "A"],
            "status": ["must", "may", "may", "never", "may"],
        }
    )
    return Chain(
        name="three",
        stores=Stores.from_frame(
            pd.DataFrame(
                {
                    "store_id": STORES,
                    "longitude": [-121.5, -121.4, -121.3],
                    "latitude": [38.5] * 3,
                    "format": ["small", "large", "small"],
                }
            )
        ),
        neighbourhoods=Neighbourhoods.from_frame(square, ["people"], {}),
        products=Products.from_frame(products),
        shelves=pd.DataFrame({"store_id": STORES, "category": "milk", "shelf_cm": [40.0, 50.0, 60.0]}),
        survey=pd.DataFrame({"product_id": list(PRODUCTS), "respondents": 10, "chose": 1}),
        suppliers=pd.DataFrame(
            {
                "supplier_id": ["A", "B"],
                "name": ["A", "B"],
                "longitude": [np.nan, -121.5],
                "latitude": [np.nan, 38.5],
                "delivers_within_km": [np.nan, 15.0],
                "minimum_stores": [1, 2],
            }
        ),
        locks=pd.DataFrame(
            {
                "store_id": ["9", "*"],
                "product_id": ["0004", "0002"],
                "lock": ["in", "out"],
                "author": "me",
                "note": "",
            }
        ),
        prices=pd.DataFrame({"store_id": ["12"], "product_id": ["0001"], "price": [2.5], "facings": [3]}),
        listing=pd.DataFrame({"store_id": ["7", "12"], "product_id": ["0001", "0002"]}),
    )


@pytest.fixture
def demand() -> Demand:
    """A forecast with stores and products in another order than the chain's."""
    return Demand(
        store_ids=("9", "7", "12"),
        class_names=("all",),
        product_ids=("0003", "0001", "0002", "0004"),
        attraction=np.ones((3, 1, 4)),
        class_weight=np.full((3, 1), 100.0),
        no_purchase=np.ones((3, 1)),
        log_sd=np.full((3, 4), 0.1),
    )


def made(demand: Demand, chain: Chain, rules: Any = None, **named: Any) -> Problem:
    """The milk problem of the chain."""
    return Problem.from_demand(demand, chain, category="milk", rules=rules, **named)


def test_tables_become_arrays(demand: Demand, chain: Chain) -> None:
    """Prices, facings, shelves, status, locks, reach and the listing land at the right store and product."""
    problem = made(demand, chain)
    assert problem.store_ids == ("9", "7", "12")
    assert problem.shelf_cm.tolist() == [60, 40, 50]
    assert problem.price.tolist() == [[4, 2, 3, 1], [4, 2, 3, 1], [4, 2.5, 3, 1]]
    assert problem.margin.tolist() == [[2, 1, 1.5, 0.75], [2, 1, 1.5, 0.75], [2, 1.5, 1.5, 0.75]]
    assert problem.space_cm.tolist() == [[9, 10, 16, 7], [9, 10, 16, 7], [9, 30, 16, 7]]
    # 0003: its dairy reaches 8.7 km, not 17.4. 0002: locked out everywhere. 0004: never, but locked into "9".
    assert problem.allowed.astype(int).tolist() == [[0, 1, 0, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    assert problem.required.astype(int).tolist() == [[0, 1, 0, 1], [0, 1, 0, 0], [0, 1, 0, 0]]
    assert problem.rules.today.astype(int).tolist() == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    assert problem.min_stores.tolist() == [2, 1, 1, 1]
    assert solve(problem).verify().ok


def test_words_become_rules(demand: Demand, chain: Chain) -> None:
    """Cover gives a group per value, core_by a core per format, and limits pass through."""
    spec = RuleSpec(
        core_min=1,
        core_by="format",
        local_min_stores=1,
        changes_max=3,
        cover=(Cover("type", least=0, most=2), Cover("type", value="oat", most=1)),
    )
    problem = made(demand, chain, spec, costs=Costs(listing=0.5), objective="units")
    assert [group.name for group in problem.rules.groups] == ["type: oat", "type: skim", "type: whole", "type: oat"]
    assert problem.rules.groups[2].members.tolist() == [False, True, True, False]
    assert problem.core_group.tolist() in ([0, 0, 1], [1, 1, 0])
    assert problem.changes_max.tolist() == [3, 3, 3]
    assert problem.objective == "units"
    assert (problem.listing_cost == 0.5).all()


def test_rules_with_a_price_and_shared_assortments_pass_through(demand: Demand, chain: Chain) -> None:
    """What a specification says of prices, shares and assortments is in the problem's rules."""
    spec = RuleSpec(changes_max=3, local_share=(0.1, None), assortments_max=2, soft={"changes_max": 2.0, "shelf": 0.5})
    rules = made(demand, chain, spec).rules
    assert (rules.local_share, rules.assortments_max) == ((0.1, None), 2)
    assert rules.soft == {"changes_max": 2.0, "shelf": 0.5}


def test_suppliers_cost_what_their_table_says_else_what_the_scenario_says(demand: Demand, chain: Chain) -> None:
    """``delivery_cost`` of the supplier comes first; products without supplier are delivered for nothing."""
    suppliers = chain.suppliers.assign(delivery_cost=[np.nan, 7.0])
    products = chain.products.frame.copy()
    products.loc[products["product_id"] == "0002", "supplier_id"] = None
    told = dataclasses.replace(chain, suppliers=suppliers, products=Products.from_frame(products))
    problem = made(demand, told, costs=Costs(delivery=20.0))
    # The forecast's order: 0003 of B, 0001 of A, 0002 of nobody, 0004 of A.
    assert problem.supplier_of.tolist() == [0, 1, -1, 1]
    assert problem.supplier_ids == ("B", "A")
    assert problem.delivery_cost.tolist() == [[7.0, 20.0]] * 3
    assert made(demand, told).delivery_cost.tolist() == [[7.0, 0.0]] * 3
    assert made(demand, chain).F == 0


def test_deliveries_need_suppliers(demand: Demand, chain: Chain) -> None:
    """A cost per delivery without a column that says who delivers is refused, with the next step."""
    products = Products.from_frame(chain.products.frame.drop(columns="supplier_id"))
    with pytest.raises(ProblemError, match="the products have no column 'supplier_id'"):
        made(demand, dataclasses.replace(chain, products=products, suppliers=None), costs=Costs(delivery=20.0))


def test_numbers_pass_through(demand: Demand, chain: Chain) -> None:
    """Rules given as masks are taken as they are."""
    problem = made(demand, chain, Rules(core_min=2))
    assert problem.allowed.all()
    assert problem.rules.core_min == 2


def test_listing_of_the_forecast(demand: Demand, chain: Chain) -> None:
    """Without a listing table today's listing is the forecast's."""
    today = np.eye(3, 4, dtype=bool)
    problem = made(dataclasses.replace(demand, today=today), dataclasses.replace(chain, listing=None))
    assert (problem.rules.today == today).all()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (RuleSpec(core_by="formta"), "did you mean 'format'?"),
        (RuleSpec(cover=(Cover("tpye", least=1),)), "did you mean 'type'?"),
        (RuleSpec(cover=(Cover("type", value="hwole", least=1),)), "did you mean 'whole'?"),
    ],
)
def test_unknown_words(demand: Demand, chain: Chain, spec: RuleSpec, words: str) -> None:
    """A column or a value that is not there is refused, with the nearest one."""
    with pytest.raises(ProblemError) as caught:
        made(demand, chain, spec)
    assert words in str(caught.value)


def test_changes_need_a_listing(demand: Demand, chain: Chain) -> None:
    """A limit on changes without a listing of today is refused with the next step."""
    with pytest.raises(ProblemError, match="add the table 'listing'"):
        made(demand, dataclasses.replace(chain, listing=None), RuleSpec(changes_max=2))


def test_forecast_of_another_chain(demand: Demand, chain: Chain) -> None:
    """A forecast for a store that the chain does not have is refused."""
    other = dataclasses.replace(demand, store_ids=("9", "7", "x"))
    with pytest.raises(ProblemError, match="'x', the chain has not"):
        made(other, chain)
