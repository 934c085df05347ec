"""The figures on the page for category managers are those that the code gives."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import assortment.demand
from assortment.demand import Demand, fit_demand
from assortment.scenario import DemandSettings

PAGE = (Path(assortment.demand.__file__).parent / "EXPLAINED.md").read_text(encoding="utf-8")
MILKS = ("whole", "low-fat", "oat drink")


def shelf(attraction: list[list[float]], weight: list[float], nothing: list[float]) -> Demand:
    return Demand(
        store_ids=("S",),
        class_names=tuple(map(str, range(len(weight)))),
        product_ids=MILKS,
        attraction=np.array([attraction]),
        class_weight=np.array([weight]),
        no_purchase=np.array([nothing]),
        log_sd=np.zeros((1, 3)),
        today=np.ones((1, 3), bool),
    )


def test_the_shelf_of_milk_sells_what_the_page_says() -> None:
    """100 shoppers: 40, 30 and 20 buy; without whole they move by halves, thirds and sixths."""
    demand = shelf([[4.0, 3.0, 2.0]], [100.0], [1.0])
    assert demand.units()[0] == pytest.approx([40.0, 30.0, 20.0])
    for row in (
        "| whole | 4 | 40 |",
        "| low-fat | 3 | 30 |",
        "| oat drink | 2 | 20 |",
        "| nothing | 1 | 10 walk away |",
    ):
        assert row in PAGE
    moved = demand.transfer("whole", "S").set_index("product_id")["share"]
    assert moved.to_dict() == pytest.approx({"low-fat": 1 / 2, "oat drink": 1 / 3, "no purchase": 1 / 6})
    assert (40 * moved).round(1).tolist() == [20.0, 13.3, 6.7]
    assert "20 take low-fat, 13.3 the oat drink, and\n6.7 go home without" in PAGE


def test_kinds_of_shoppers_change_what_is_lost() -> None:
    """Dropping the oat drink loses 48 % of its sales with two kinds of shoppers, 13 % if the same sales were of one."""
    two = shelf([[6.0, 3.0, 0.2], [0.5, 0.5, 8.0]], [60.0, 40.0], [0.8, 1.0])
    units = two.units()[0]
    alike = shelf([[*units]], [100.0], [100.0 - units.sum()])
    assert alike.units()[0] == pytest.approx(units)
    lost = [
        demand.transfer("oat drink", "S").set_index("product_id")["share"]["no purchase"] for demand in (two, alike)
    ]
    assert [round(100 * share) for share in lost] == [48, 13]
    assert "| families (60) | 6 | 3 | 0.2 | 0.8 |" in PAGE and "| plant drinkers (40) | 0.5 | 0.5 | 8 | 1 |" in PAGE
    assert "would lose 13 % of its sales" in PAGE and "\n48 % is lost" in PAGE


def test_the_assumed_walk_away_rate_is_the_one_on_the_page() -> None:
    """10 % unless given."""
    assert inspect.signature(fit_demand).parameters["walk_away"].default == 0.1
    assert "it is **assumed**: 10 %" in PAGE


def test_the_settings_on_the_page_are_settings() -> None:
    """What the page shows under [demand] is what a scenario takes and fit_demand knows."""
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    settings = tomllib.loads(shown)["demand"]
    assert DemandSettings(**settings).source == ("sales", "survey")
    assert set(settings) - {"source"} <= set(inspect.signature(fit_demand).parameters)
