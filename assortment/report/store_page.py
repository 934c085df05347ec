"""The page of one store: what to change, what to carry and why, who shops there, how sure it all is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from assortment.report.costs import gross_in_words, priced_in_words
from assortment.report.facts import Facts
from assortment.report.numbers import UNKNOWN, number, percent
from assortment.report.people import class_mix, people
from assortment.report.proof import date, proof
from assortment.report.reasons import association, fixed, reason
from assortment.report.rule_prices import store_prices
from assortment.report.takers import takers
from assortment.report.tastes import plain_sentence
from assortment.report.volume import Volume

Page = dict[str, Any]


def store_page(facts: Facts, store_id: str) -> Page:
    """Return the page of a store as plain values that JSON can hold; every number is already in words."""
    index = facts.store_ids.index(store_id)
    listings = facts.listings(store_id)
    claim = facts.claims[store_id]
    local = listings[listings["role"] == "local"]
    core = listings[listings["role"] == "core"]
    going = takers(facts, store_id, [*facts.changes(store_id)["product_id"], *local["product_id"]])
    also = local["product_id"].isin([facts.product_ids[at] for at in facts.everywhere.nonzero()[0]])
    return {
        "title": facts.store(store_id),
        "store_id": facts.printed(store_id),
        "format": _format(facts, store_id),
        "chain": facts.printed(facts.run.chain.name),
        "category": _category(facts),
        "scenario": facts.printed(facts.run.title),
        "date": date(facts.run.manifest),
        "notes": [facts.printed.sentence(note) for note in facts.run.chain.notes],
        "figures": _figures(facts, store_id, index),
        "money": claim.money,
        "worth": facts.net_words,
        "priced": priced_in_words(facts, store_id),
        "gross": gross_in_words(facts) if claim.money else "",
        "buyers": going.common,
        "changes": _changes(facts, store_id, index, going.each),
        "core": [_core_row(facts, row, claim.money) for row in core.itertuples()],
        "everywhere": [_local_row(facts, row, going.first) for row in local[also].itertuples()],
        "local": [_local_row(facts, row, going.first) for row in local[~also].itertuples()],
        "prices": store_prices(facts, store_id),
        "people": people(facts, store_id),
        "classes": class_mix(facts, index),
        "forecast": claim.sentence,
        "evidence": facts.printed.sentence(plain_sentence(facts.run.model.tastes_in_words)),
        "nothing": facts.printed.sentence(facts.run.model.walk_away_in_words),
        "proof": proof(facts),
    }


def _format(facts: Facts, store_id: str) -> str:
    stores = facts.run.chain.stores.frame
    if "format" not in stores.columns:
        return ""
    given = stores.loc[stores["store_id"] == store_id, "format"].iloc[0]
    return "" if pd.isna(given) else facts.printed(given)


def _category(facts: Facts) -> str:
    found = facts.run.chain.products.frame["category"].unique()
    return facts.printed(found[0]) if len(found) == 1 else ""


def _figures(facts: Facts, store_id: str, index: int) -> list[dict[str, str]]:
    core, carried = int(facts.run.plan.core[index].sum()), int(facts.carried[index].sum())
    label = "Products" if facts.today is None else f"Products (today {number(int(facts.today[index].sum()))})"
    return [
        {"label": label, "value": number(carried), "note": f"{core} core, {carried - core} local"},
        _changes_figure(facts, store_id),
        *_worth_figure(facts, store_id, index),
        *Volume.of(facts, index).figures(),
        _space_figure(facts, index),
    ]


def _changes_figure(facts: Facts, store_id: str) -> dict[str, str]:
    actions = facts.changes(store_id)["action"]
    if facts.today is None:
        return {"label": "Changes", "value": UNKNOWN, "note": "no listing of today"}
    add, drop = int((actions == "add").sum()), int((actions == "drop").sum())
    return {"label": "Changes", "value": number(add + drop), "note": f"{number(add)} in, {number(drop)} out"}


def _worth_figure(facts: Facts, store_id: str, index: int) -> list[dict[str, str]]:
    if facts.worth_is_units:  # which have a figure of their own
        return []
    label = f"{facts.net_words.capitalize()} per week"
    claim = facts.claims[store_id]
    if not claim.money:
        return [{"label": label, "value": "not claimed", "note": claim.refusal}]
    planned = float(facts.value[index])
    if facts.value_today is None:
        return [{"label": label, "value": facts.amount(planned), "note": "no listing of today"}]
    now = float(facts.value_today[index])
    gain = f" ({percent(planned / now - 1, 1, signed=True)})" if now > 0 else ""
    return [{"label": label, "value": facts.amount(planned), "note": f"{facts.amount(now)} today{gain}"}]


def _space_figure(facts: Facts, index: int) -> dict[str, str]:
    problem = facts.run.problem
    used, there = float(problem.space_cm[index] @ facts.carried[index]), float(problem.shelf_cm[index])
    share = percent(used / there) if there > 0 else UNKNOWN
    return {"label": "Shelf used", "value": share, "note": f"{number(used)} of {number(there)} cm"}


def _changes(facts: Facts, store_id: str, index: int, going: dict[str, str]) -> Page:
    rows = facts.changes(store_id)
    claim = facts.claims[store_id]
    total = None
    if claim.money and len(rows) and facts.value_today is not None:
        total = facts.amount(float(facts.value[index] - facts.value_today[index]), 2, signed=True)
    note = ""
    if facts.today is None:
        note = "No listing of today was given, so the plan cannot be told from what stands on the shelf."
    elif rows.empty:
        note = "Nothing to change: what stands on the shelf today is the plan."
    return {
        "note": note,
        "total": total,
        "rows": [_change(facts, row, claim.money, going.get(str(row.product_id), "")) for row in rows.itertuples()],
    }


def _change(facts: Facts, row: Any, money: bool, going: str) -> dict[str, str]:
    start = "Without it its buyers take" if row.action == "add" else "Its buyers then take"
    return {
        "action": str(row.action),
        "product": facts.product(row.product_id),
        "product_id": facts.number_of(row.product_id),
        "worth": facts.amount(float(row.worth_per_week), 2, signed=True) if money else "",
        "reason": reason(facts, row) + (f" {start} {going}." if going else ""),
    }


def _core_row(facts: Facts, row: Any, money: bool) -> dict[str, str]:
    return {
        "product": facts.product(row.product_id),
        "product_id": facts.number_of(row.product_id),
        "units": number(float(row.units_per_week), 1),
        "margin": _margin(facts, row, money),
    }


def _local_row(facts: Facts, row: Any, going: dict[str, str]) -> dict[str, str]:
    money = facts.claims[row.store_id].money
    return {
        **_core_row(facts, row, money),
        "why": association(facts, row.product_id, row.store_id),
        "without": going.get(row.product_id, ""),
        **_against(facts, row.store_id, row.product_id, money),
    }


def _against(facts: Facts, store_id: str, product_id: str, money: bool) -> dict[str, str]:
    tag = facts.evidence(store_id, product_id)
    if tag == "fixed":
        return {"tag": tag, "worth": "", "against": fixed(facts, store_id, product_id, "in")}
    compared = facts.comparisons[store_id, product_id]
    other = "an empty place" if compared.stand_in is None else facts.product(facts.product_ids[compared.stand_in])
    worth, low, high = (facts.amount(value, 2, signed=True) for value in (compared.worth, compared.low, compared.high))
    return {"tag": tag, "against": other, "worth": f"{worth} ({low} to {high})" if money else ""}


def _margin(facts: Facts, row: Any, money: bool) -> str:
    return facts.money(float(row.margin_per_week), 2) if money else ""
