"""The page of the chain: the plan in figures, the core, where each local product stands, every store."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from assortment.report.assumptions import assumptions, rules_in_words
from assortment.report.claim import TOLERANCE
from assortment.report.costs import bridge, bridge_in_words
from assortment.report.facts import Facts, Mask
from assortment.report.numbers import UNKNOWN, counted, number, percent
from assortment.report.people import shoppers_in_words
from assortment.report.proof import date, proof, status
from assortment.report.rule_prices import chain_prices
from assortment.report.tastes import figures_of, plain_sentence
from assortment.report.volume import Volume, warning

Page = dict[str, Any]
_RANGE = 3
"""Fewest stores that follow one another and are told as S01–S03."""


def chain_page(facts: Facts) -> Page:
    """Return the page of the chain as plain values that JSON can hold."""
    run = facts.run
    core: Mask = np.asarray(np.asarray(run.plan.core).any(axis=0))
    return {
        "title": facts.printed(run.title),
        "chain": facts.printed(run.chain.name),
        "scenario": facts.printed(run.manifest.get("scenario", run.title)),
        "date": date(run.manifest),
        "notes": [facts.printed.sentence(note) for note in run.chain.notes],
        "figures": chain_figures(facts),
        "money": facts.chain_claim.money,
        "worth": facts.net_words,
        "warning": warning(facts),
        "forecast": facts.chain_claim.sentence,
        "evidence": facts.printed.sentence(plain_sentence(run.model.tastes_in_words)),
        "shoppers": facts.printed.sentence(shoppers_in_words(facts)),
        "nothing": facts.printed.sentence(run.model.walk_away_in_words),
        "cautions": [facts.printed.sentence(caution) for caution in run.model.cautions],
        "evidence_figures": facts.printed.sentence(figures_of(run.model.evidence.sentence)),
        "sure": _sure(facts),
        "core": _products(facts, core),
        "everywhere": _products(facts, facts.everywhere),
        "local": _products(facts, ~core & ~facts.everywhere),
        "stores": [_store(facts, index) for index in range(len(facts.store_ids))],
        "bridge": bridge(facts),
        "bridge_note": bridge_in_words(facts),
        "error_note": _error_note(facts),
        "prices": chain_prices(facts),
        "rules": rules_in_words(facts),
        "assumptions": assumptions(facts),
        "proof": proof(facts),
    }


def chain_figures(facts: Facts) -> list[dict[str, str]]:
    """Return the plan in its main figures, each with its label and a note."""
    plan = facts.run.plan
    core = np.asarray(plan.core)
    local = facts.carried & ~core
    per_store = local.sum(axis=1)
    spread = f"{per_store.min()} to {per_store.max()}" if per_store.min() != per_store.max() else f"{per_store[0]}"
    everywhere = int(facts.everywhere.sum())
    gap = percent(plan.gap, 2) if np.isfinite(plan.gap) else "not proven"
    return [
        {"label": "Stores", "value": number(len(core)), "note": _changes(facts)},
        {"label": "Core products", "value": number(int(core.any(axis=0).sum())), "note": "stand in every store"},
        {
            "label": "Local products",
            "value": number(int((local.any(axis=0) & ~core.any(axis=0)).sum())),
            "note": f"{everywhere} of them in every store" if everywhere else "distinct in the chain",
        },
        {"label": "Local per store", "value": spread, "note": f"{number(float(per_store.mean()), 1)} on average"},
        *_worth(facts),
        *Volume.of(facts).figures(),
        {"label": "Gap to the bound", "value": gap, "note": status(facts)},
    ]


def _changes(facts: Facts) -> str:
    if facts.today is None:
        return "no listing of today"
    return f"{counted(int((facts.carried != facts.today).sum()), 'change')} in all"


def _worth(facts: Facts) -> list[dict[str, str]]:
    if facts.worth_is_units:  # which have a figure of their own
        return []
    label = f"{facts.net_words.capitalize()} per week"
    claim = facts.chain_claim
    if not claim.money:
        return [{"label": label, "value": "not claimed", "note": claim.refusal}]
    planned, now = facts.run.plan.value, facts.chain_today
    if now is None:
        return [{"label": label, "value": facts.amount(planned), "note": "no listing of today"}]
    gain = f" ({percent(planned / now - 1, 1, signed=True)})" if now > 0 else ""
    return [{"label": label, "value": facts.amount(planned), "note": f"{facts.amount(now)} today{gain}"}]


def _sure(facts: Facts) -> str:
    found = [facts.evidence(*pair) for pair in facts.comparisons]
    if not found:
        return "No local product stands in any store."
    count = {tag: number(found.count(tag)) for tag in ("better", "no evidence", "for the chain", "fixed")}
    return (
        f"Of {counted(len(found), 'local listing')}, {count['better']} are better than the best product that could "
        f"stand in their place, beyond the 90\xa0% interval; for {count['no evidence']} there is no evidence either "
        f"way; {count['for the chain']} stand there for the rules of the whole chain; {count['fixed']} are fixed by a "
        "lock or a rule."
    )


def _products(facts: Facts, chosen: Mask) -> list[dict[str, str]]:
    rows = facts.run.plan.listings
    wanted = {product for product, take in zip(facts.product_ids, chosen, strict=True) if take}
    rows = rows[rows["product_id"].isin(wanted)]
    grouped = rows.groupby("product_id", sort=False)["units_per_week"].agg(["sum", "size"])
    ordered = grouped.reset_index().sort_values(["size", "sum", "product_id"], ascending=[False, False, True])
    where = {product: list(stores) for product, stores in rows.groupby("product_id")["store_id"]}
    return [
        {
            "product": facts.product(row["product_id"]),
            "product_id": facts.number_of(row["product_id"]),
            "stores": number(int(row["size"])),
            "units": number(float(row["sum"])),
            "where": _where(facts, where[row["product_id"]]),
        }
        for row in ordered.to_dict("records")
    ]


def _where(facts: Facts, stores: list[str]) -> str:
    if len(stores) == len(facts.store_ids):
        return "every store"
    inside = set(stores)
    if len(stores) > len(facts.store_ids) / 2:
        without = [store for store in facts.store_ids if store not in inside]
        return "all but " + _listed(facts, without)
    return _listed(facts, [store for store in facts.store_ids if store in inside])


def _listed(facts: Facts, stores: list[str]) -> str:
    """All the stores; those that follow one another in the chain's order as a range."""
    places = {store: at for at, store in enumerate(facts.store_ids)}
    runs: list[list[str]] = []
    for store in stores:
        if runs and places[store] == places[runs[-1][-1]] + 1:
            runs[-1].append(store)
        else:
            runs.append([store])
    told = [
        [f"{facts.printed(run[0])}–{facts.printed(run[-1])}"]
        if len(run) >= _RANGE
        else [facts.printed(store) for store in run]
        for run in runs
    ]
    return ", ".join(part for parts in told for part in parts)


def _error_note(facts: Facts) -> str:
    if facts.chain_claim.derived:
        return (
            "Forecast error: predicted less actual units per week for today's listing; small by construction, because "
            "the number of shoppers was worked out from each store's own sales."
        )
    return (
        "Forecast error: predicted less actual units per week for today's listing, from a fit that had not seen the "
        f"store. Where it is over {percent(TOLERANCE)}, or the fit had seen the store, no money is claimed for it."
    )


def _store(facts: Facts, index: int) -> dict[str, str]:
    store = facts.store_ids[index]
    claim = facts.claims[store]
    rows = facts.listings(store)
    actions: pd.Series = facts.changes(store)["action"]
    core = int((rows["role"] == "core").sum())
    known = facts.today is not None
    gain = None if facts.value_today is None else float(facts.value[index] - facts.value_today[index])
    return {
        "store_id": facts.printed(store),
        "store": facts.store(store),
        "core": number(core),
        "local": number(len(rows) - core),
        "add": number(int((actions == "add").sum())) if known else UNKNOWN,
        "drop": number(int((actions == "drop").sum())) if known else UNKNOWN,
        "units": number(float(facts.units[index])),
        "worth": facts.amount(float(facts.value[index])) if claim.money else "",
        "gain": facts.amount(gain, signed=True) if claim.money and gain is not None else "",
        "error": percent(claim.error, 1, signed=True) if claim.error is not None else UNKNOWN,
    }
