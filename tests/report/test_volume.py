"""Units, walk-away, costs and the figures that the chain's page leads with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from assortment.optimiser import Costs
from assortment.report import summary
from assortment.report.chain_page import chain_page
from assortment.report.facts import Facts
from assortment.report.store_page import store_page
from assortment.report.tastes import figures_of, plain_sentence
from assortment.report.volume import Volume

Maker = Callable[..., Any]


def with_today(run: Any, today: Any) -> Any:
    run.problem = run.problem.replace(rules=type(run.problem.rules)(today=today), no_purchase=5.0)
    return run


def test_units_and_walk_away_are_those_of_the_problem(made: Maker) -> None:
    """Units are the problem's; with those who leave they are all occasions; the stores make up the chain."""
    facts = Facts.of(made())
    problem, chain = facts.run.problem, Volume.of(facts)
    assert chain.units == pytest.approx(problem.units(facts.carried).sum())
    assert chain.units + chain.nothing * problem.class_weight.sum() == pytest.approx(problem.class_weight.sum())
    assert chain.units_today == pytest.approx(sum(Volume.of(facts, index).units_today or 0 for index in range(4)))


def test_volume_stands_on_both_pages(made: Maker) -> None:
    """Units per week and who leaves with nothing, each against today."""
    facts = Facts.of(made())
    for page in (store_page(facts, "S01"), chain_page(facts)):
        told = {figure["label"]: figure["note"] for figure in page["figures"]}
        assert "today (" in told["Units per week"] and told["Leave with nothing"].endswith("today")


def test_a_plan_that_loses_volume_is_warned_of(made: Maker) -> None:
    """More than 5 % fewer units than today: said on the chain's page and in the summary; otherwise nothing."""
    run = made()
    assert chain_page(Facts.of(run))["warning"] == "" and "Warning" not in summary(run)
    run = with_today(made(), np.ones(run.plan.carried.shape, bool))
    told = chain_page(Facts.of(run))["warning"]
    assert "fewer units than today" in told and "leave with nothing" in told
    assert summary(run)["Warning"] == told


def test_costs_are_listed_and_the_stores_add_up_to_the_chain(made: Maker) -> None:
    """Each cost is a sentence with its amount; the rows lead from the stores' sum to the chain's figure."""
    facts = Facts.of(made(costs=Costs(listing=1.5, product=2.0)))
    page = chain_page(facts)
    assert any("each store that carries it: $1.50" in rule for rule in page["rules"])
    assert any("distinct product in the chain: $2.00" in rule for rule in page["rules"])
    assert [row["label"] for row in page["bridge"]] == ["All stores together", "Costs per distinct product", "Chain"]
    stores, costs, chain = (float(row["worth"].strip("–$").replace(",", "")) for row in page["bridge"])
    assert chain == pytest.approx(stores - costs, abs=1.01)
    assert facts.amount(facts.run.plan.value) == page["bridge"][2]["worth"]
    assert "Margin after costs per week" in [figure["label"] for figure in page["figures"]]


def softened(run: Any, **rules: Any) -> Any:
    """The run with other rules, its plan judged by them."""
    run.problem = run.problem.replace(rules=replace(run.problem.rules, **rules))
    value = run.problem.value(run.plan.carried, run.plan.core)
    run.plan = replace(run.plan, problem=run.problem, value=value, bound=value * 1.004)
    return run


def test_what_is_broken_for_a_price_is_told_with_its_cost(made: Maker) -> None:
    """On the page of the store and of the chain, with the price in the rules; the stores still add up to the chain."""
    run = softened(made(), products_max=5, changes_max=1, soft={"products_max": 10.0, "changes_max": 2.5})
    facts = Facts.of(run)
    page, store = chain_page(facts), store_page(facts, "S01")
    (told,) = store["priced"]
    assert told.startswith("Broken for a price: store 'S01' changes 2 products") and told.endswith(
        "costs $2.50 a week."
    )
    assert told in page["rules"]
    assert any(
        rule.startswith("May be broken:") and "Each change" in rule and "$2.50" in rule for rule in page["rules"]
    )
    assert [row["label"] for row in page["bridge"]] == ["All stores together", "Costs of broken rules", "Chain"]
    assert float(facts.value.sum()) - 10.0 * (int(facts.carried.any(axis=0).sum()) - 5) == pytest.approx(run.plan.value)
    assert "Margin after costs per week" in [figure["label"] for figure in page["figures"]]
    assert store_page(Facts.of(made()), "S01")["priced"] == []


def test_deliveries_and_the_other_rules_are_sentences(made: Maker) -> None:
    """What a delivery costs, how large the local part may be, and how many assortments there may be."""
    delivered = Costs(delivery=np.array([40.0, 15.0]), supplier_of=np.arange(12) % 2)
    run = softened(made(costs=delivered), local_share=(0.2, 0.5), assortments_max=4)
    rules = chain_page(Facts.of(run))["rules"]
    assert "Cost per week for each supplier that delivers to a store: $15.00 to $40.00." in rules
    assert "Of the products of each store at least 20\xa0% and at most 50\xa0% are not core." in rules
    assert "The chain has at most 4 different assortments." in rules


def test_without_costs_nothing_is_called_after_costs(made: Maker) -> None:
    """No cost, no row of costs, and the margin is a margin."""
    page = chain_page(Facts.of(made()))
    assert "Margin per week" in [figure["label"] for figure in page["figures"]]
    assert [row["label"] for row in page["bridge"]] == ["All stores together"] and page["bridge_note"] == ""


def test_stores_that_follow_one_another_are_a_range(made: Maker) -> None:
    """Every store of a local product is told; three or more in a row as first–last."""
    rows = chain_page(Facts.of(made(stores=30, products=40, local=12)))["local"]
    assert rows and not any("more" in row["where"] for row in rows)
    assert any("–S" in row["where"] for row in rows)


def test_the_finding_on_tastes_is_plain_and_its_figures_apart() -> None:
    """The log-loss stands in the small print alone; a sentence without figures stays as it is."""
    finding = "Demographics forecast stores better (log-loss per purchase 2.8 with, 3.1 without; 40 stores)."
    assert plain_sentence(finding) == "Demographics forecast stores better."
    assert "2.8" in figures_of(finding)
    assert plain_sentence("Nothing was tested.") == "Nothing was tested." and figures_of("Nothing was tested.") == ""
