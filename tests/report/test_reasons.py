"""Reasons and claims in words, against the numbers they are made from."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assortment.optimiser import Costs, Status
from assortment.report.chain_page import chain_page
from assortment.report.claim import Claim, chain_claim, store_claims
from assortment.report.facts import Facts
from assortment.report.proof import input_hash, proof, status
from assortment.report.reasons import association, reason
from assortment.report.store_page import store_page
from assortment.report.takers import divided

Maker = Callable[..., Any]


@pytest.fixture(scope="module")
def facts(made: Maker) -> Facts:
    return Facts.of(made())


def changes(run: Any) -> list[Any]:
    return [row for row in run.plan.changes.itertuples() if row.action != "keep"]


def test_an_association_is_the_strongest_in_the_direction_asked_and_never_weak(made: Maker) -> None:
    """Upwards the largest positive effect, downwards the largest negative, none below 10 %; incomes in dollars."""
    facts = Facts.of(made(stores=8, radius_m=900.0))
    seen = set()
    for store, product in itertools.product(facts.store_ids, facts.product_ids):
        effects = facts.run.demand.drivers(product, store).set_index("demographic")["effect"]
        for up in (True, False):
            told = association(facts, product, store, up=up)
            assert bool(told) == (effects.max() >= np.log(1.1) if up else effects.min() <= np.log(0.9))
            if told:
                name = effects.idxmax() if up else effects.idxmin()
                assert ("a median income of $" in told) == (name == "median_income")
                assert "demand" not in told
            seen.add((up, bool(told)))
    assert len(seen) == 4


def test_a_reason_never_contradicts_the_worth_beside_it(made: Maker) -> None:
    """What loses makes room or pays elsewhere; the only amount in a reason is the shelf cost, and it is called so."""
    for cost in (0.0, 2.0, 30.0):
        run = made(costs=Costs(listing=cost))
        facts, seen = Facts.of(run), set()
        for row in changes(run):
            told = reason(facts, row)
            if row.action == "drop":
                assert told.startswith("Makes room for what is added") == (row.worth_per_week < 0)
                mostly = row.worth_per_week >= 0 and cost > row.worth_per_week / 2
                assert told.startswith(f"Saves its shelf cost of ${cost:.2f}") == mostly
            elif row.worth_per_week < 0:
                assert "takes over buyers" in told.lower() or "pays" in told.lower()
            seen |= set(re.findall(r"(?<!income of )(?<!chain )\$[\d.,]+\d", told))
            assert told.count("oes with") <= 1
        assert seen <= {f"${cost:.2f}"}


def test_a_drop_that_saves_a_delivery_says_whose(made: Maker) -> None:
    """Where the supplier's last product goes and its delivery costs more than the product brought."""
    run = made(costs=Costs(delivery=[500.0], supplier_of=[*[-1] * 11, 0], supplier_ids=("Far Dairy",)))
    drops = [row for row in changes(run) if row.action == "drop" and row.product_id == "0012"]
    facts = Facts.of(run)
    gone = [row for row in drops if not facts.carried[facts.store_ids.index(row.store_id), 11]]
    assert gone and all(reason(facts, row).startswith("Saves the deliveries of Far Dairy") for row in gone)


def test_without_money_a_reason_gives_no_amount(made: Maker) -> None:
    """Where the forecast is too far off, the shelf cost is named but not set against anything."""
    run = made(error=0.5, costs=Costs(listing=30.0))
    reasons = [reason(Facts.of(run), row) for row in changes(run) if row.action == "drop"]
    assert reasons and all(told.startswith(("Saves its shelf cost;", "Saves its shelf cost.")) for told in reasons)


def test_takers_are_those_of_the_demand_model(made: Maker) -> None:
    """The parts that go to each other product and to nothing are those of ``Demand.transfer``."""
    facts = Facts.of(made(classes=3))
    store, at = facts.store_ids[0], 1
    share = divided(facts.shelf(0), facts.carried[0], at)
    assert share is not None
    rows = facts.run.demand.transfer(facts.product_ids[at], store, carried=facts.carried).set_index("product_id")
    assert share[-1] == pytest.approx(rows["share"]["no purchase"])
    others = [facts.product_ids.index(str(name)) for name in rows.index[:-1]]
    assert share[others] == pytest.approx(rows["share"].to_numpy()[:-1])


def test_takers_alike_are_told_once_and_others_by_line(made: Maker) -> None:
    """One class divides in proportion, so one sentence will do; classes that differ name up to three takers each."""
    alike = store_page(Facts.of(made()), "S01")
    assert alike["buyers"].startswith("When a product is missing")
    assert not any(row["without"] for row in alike["local"])
    assert not any("buyers take" in row["reason"] for row in alike["changes"]["rows"])
    run = made(classes=2)
    attraction = np.full(run.problem.attraction.shape, 0.05)
    attraction[:, 0, ::2], attraction[:, 1, 1::2] = 3.0, 3.0
    run.problem = run.problem.replace(attraction=attraction)
    apart = store_page(Facts.of(run), "S01")
    assert apart["buyers"] == ""
    assert all(1 <= row["without"].count("Milk") <= 3 for row in apart["local"])


def test_a_product_in_every_store_is_not_sold_as_local_to_a_place(made: Maker) -> None:
    """Carried everywhere without being core it stands in a group of its own, on both pages."""
    facts = Facts.of(made(everywhere=True))
    page, chain = store_page(facts, "S02"), chain_page(facts)
    (row,) = page["everywhere"]
    assert row["product"] == facts.product(facts.product_ids[4])
    assert row["product"] not in [other["product"] for other in page["local"] + chain["local"]]
    assert [other["where"] for other in chain["everywhere"]] == ["every store"]
    assert not Facts.of(made(everywhere=True, stores=1)).everywhere.any()


def test_an_id_that_ends_the_name_is_not_repeated(made: Maker) -> None:
    """A name that ends with the id needs no second one beside it; another name does."""
    facts = Facts.of(made(names=("Milk, item 0001", "Milk, item 90002")))
    assert facts.number_of("0001") == "" and facts.number_of("0002") == "0002"


def test_a_lock_is_given_as_the_reason(made: Maker) -> None:
    """A local product that a lock puts there is tagged fixed, with the author's note instead of an interval."""
    run = made()
    local = run.plan.listings.query("role == 'local'").iloc[0]
    required = np.zeros(run.plan.carried.shape, bool)
    required[run.problem.store_ids.index(local.store_id), run.problem.product_ids.index(local.product_id)] = True
    run.problem = run.problem.replace(rules=type(run.problem.rules)(required=required, today=run.problem.rules.today))
    locks = [{"store_id": "*", "product_id": local.product_id, "lock": "in", "author": "Ann", "note": "Promised."}]
    run.chain = replace(run.chain, locks=pd.DataFrame(locks))
    (row,) = [row for row in store_page(Facts.of(run), local.store_id)["local"] if row["tag"] == "fixed"]
    assert row["against"] == "Locked in by Ann: Promised."


@pytest.mark.parametrize(("predicted", "money"), [(115, True), (116, False), (85, True), (84, False), (100, True)])
def test_money_is_claimed_up_to_fifteen_percent_either_way(predicted: float, money: bool) -> None:
    """The border is 15 % above or below what was sold."""
    assert Claim(100.0, float(predicted), 0.2).money is money


def test_a_store_without_a_record_claims_nothing() -> None:
    """NaN, zero sales and an absent row are not a good forecast."""
    frame = pd.DataFrame(
        {
            "store_id": ["a", "b"],
            "actual_units_per_week": [np.nan, 0.0],
            "predicted_units_per_week": [5.0, 5.0],
            "product_error": [np.nan, np.nan],
        }
    )
    claims = store_claims(frame, ("a", "b", "c"))
    assert not any(claim.money for claim in claims.values())
    assert not chain_claim(frame).money and not chain_claim(None).money and not chain_claim(frame.iloc[:0]).money


def test_the_proof_tells_gap_status_and_inputs(facts: Facts) -> None:
    """The proof line holds what it takes to check it; another input gives another hash."""
    told = proof(facts)
    assert all(part in told for part in ("0.40\xa0%", "Status: optimal", "PuLP 3.3.2", "seed 0", "2026-03-02"))
    manifest = facts.run.manifest
    assert input_hash(manifest) in told
    assert input_hash({**manifest, "inputs": {"stores": "cd" * 32}}) != input_hash(manifest)


@pytest.mark.parametrize(
    ("given", "gap", "expected"),
    [
        (Status.OPTIMAL, 0.001, "optimal: proven within the 0.1\xa0% asked for"),
        (Status.OPTIMAL, None, "optimal: proven within the gap asked for"),
        (Status.GAP_OPEN, 0.0002, "gap open: not proven within the 0.02\xa0% asked for"),
        (Status.TIME_LIMIT, 0.001, "stopped by the time limit"),
        (Status.INTERRUPTED, 0.001, "interrupted"),
    ],
)
def test_the_status_is_told_in_words(made: Maker, given: Status, gap: float | None, expected: str) -> None:
    """What was proven is said with the gap that was asked for, where the manifest tells it."""
    run = made()
    run.plan = replace(run.plan, status=given)
    run.manifest["settings"] = {} if gap is None else {"solve": {"gap": gap}}
    assert status(Facts.of(run)) == expected


def test_a_fit_that_had_seen_the_store_proves_nothing() -> None:
    """Not held out: no money and no claim of an unseen store; absent column: held out."""
    frame = pd.DataFrame(
        {
            "store_id": ["a", "b"],
            "actual_units_per_week": [100.0, 300.0],
            "predicted_units_per_week": [101.0, 306.0],
            "product_error": [0.2, 0.3],
            "held_out": [False, True],
        }
    )
    claims = store_claims(frame, ("a", "b"))
    assert not claims["a"].money and "had not seen" not in claims["a"].sentence and "had seen" in claims["a"].sentence
    assert claims["b"].money and "had not seen the store" in claims["b"].sentence
    assert chain_claim(frame).actual == 300.0 and not chain_claim(frame.iloc[:1]).money
    assert store_claims(frame.drop(columns="held_out"), ("a",))["a"].money


def test_totals_that_agree_by_construction_are_called_so() -> None:
    """Shoppers worked out from the store's own sales: money is allowed, the error by product is what is told."""
    claim = Claim(100.0, 101.0, 0.2, derived=True)
    assert claim.money and "agree by construction" in claim.sentence and "20\xa0% of the units" in claim.sentence
    assert "(+1.0" not in claim.sentence
