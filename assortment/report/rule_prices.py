"""What each rule costs and what a little more room is worth, for the pages, the workbook and the command line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from assortment.optimiser import RULES, PlanWorth
from assortment.report.claim import Claim
from assortment.report.facts import Facts
from assortment.report.numbers import counted, number

Page = dict[str, Any]

ALONE = (
    "Each rule was taken away alone and the chain planned again, beginning from this plan. Costs do not add up: of two "
    "rules that forbid the same, each costs little alone."
)
RANGE = "The cost is that of the plans found; the true cost is proven to lie in the range, since both plans have a gap."
_DEAREST = 3
_SENTENCES = 1
"""Told of a rule with several limits, as one for each type."""
_LEAST = 0.005
"""Less rounds to nothing on a page."""
_STATES = {
    "time_limit": "stopped by the time limit",
    "interrupted": "interrupted",
    "infeasible": "no plan obeys all rules then",
    "not_found": "no plan was found then",
    "not_reached": "not worked out",
}


def worth_of(facts: Facts) -> PlanWorth | None:
    """Return what the run knows of rules and room; ``None`` where that was not asked for."""
    found: PlanWorth | None = getattr(facts.run, "worth", None)
    return found


def claimed(facts: Facts, claim: Claim) -> bool:
    """Return whether amounts may be shown: units always, money where the forecast is close enough."""
    return claim.money or facts.run.problem.objective == "units"


def chain_prices(facts: Facts) -> Page | None:
    """Return what the rules cost the chain and what more room is worth to it, in words; ``None`` where not known."""
    worth = worth_of(facts)
    if worth is None:
        return None
    shown = claimed(facts, facts.chain_claim)
    return {
        "worth": facts.net_words,
        "notes": _notes(worth, shown),
        "rules": [_rule(facts, worth, row) for row in worth.rules.chain.itertuples()] if shown else [],
        "room": [_step(facts, row) for row in worth.room.itertuples()] if shown else [],
        "shelf": _dearest_shelves(facts, worth),
    }


def store_prices(facts: Facts, store_id: str) -> Page | None:
    """Return what the rules cost a store, the dearest first, and what its shelf is worth; ``None`` where not known."""
    worth = worth_of(facts)
    if worth is None or not claimed(facts, facts.claims[store_id]):
        return None
    costs = worth.rules.stores
    own = costs[costs["store_id"] == store_id].sort_values("cost_per_week", ascending=False, kind="stable")
    felt = own[own["cost_per_week"].abs() >= _LEAST]
    idle = len(own) - len(felt)
    return {
        "rules": [
            {"words": rule_in_words(facts, rule), "cost": facts.amount(cost, 2, signed=True)}
            for rule, cost in zip(felt["rule"], felt["cost_per_week"].astype(float), strict=True)
        ],
        "idle": _idle(idle, len(felt)),
        "shelf": _own_shelf(facts, worth, store_id),
    }


def rule_in_words(facts: Facts, rule: str) -> str:
    """Return the sentences of a rule, with its limits; the general sentence where the scenario has none of its own."""
    told = facts.rule_sentences[rule]
    if not told:
        told = [next(f"{known.sentence[:1].upper()}{known.sentence[1:]}." for known in RULES if known.name == rule)]
    more = len(told) - _SENTENCES
    return " ".join([*told[:_SENTENCES], *([f"And {counted(more, 'more such limit')}."] if more > 0 else [])])


def rule_table(facts: Facts) -> pd.DataFrame:
    """Return one row per rule: what it is, its cost per week, the proven range and how its solve ended."""
    worth = _asked(facts)
    table = worth.rules.chain.copy()
    # Breaks inside long words are for paper; a table must be searchable.
    table["sentence"] = [rule_in_words(facts, rule).replace("\N{ZERO WIDTH SPACE}", "") for rule in table["rule"]]
    return _blank(table, facts.chain_claim.money, claimed(facts, facts.chain_claim))


def room_table(facts: Facts) -> pd.DataFrame:
    """Return one row per thing that the rules count: what one more of it is worth per week, with the proven range."""
    return _blank(_asked(facts).room.copy(), facts.chain_claim.money, claimed(facts, facts.chain_claim))


def rule_store_table(facts: Facts) -> pd.DataFrame:
    """Return one row per rule and store: what the rule costs the store per week."""
    return _by_store(facts, _asked(facts).rules.stores)


def shelf_table(facts: Facts) -> pd.DataFrame:
    """Return one row per store: its shelf, what the plan leaves free, what a centimetre more is worth per week."""
    return _by_store(facts, _asked(facts).shelf)


def store_rule_table(facts: Facts) -> pd.DataFrame:
    """Return one row per store and one column per rule: what each costs the store per week; its shelf at the end."""
    worth, shelf = _asked(facts), shelf_table(facts)
    costs = rule_store_table(facts).pivot_table(index="store_id", columns="rule", values="cost_per_week", dropna=False)
    known = [rule for rule in worth.rules.chain["rule"] if rule in costs.columns]
    table = shelf[["store_id", "store"]].copy()
    for rule in known:
        table[f"{rule}_cost_per_week"] = table["store_id"].map(costs[rule])
    return table.assign(**{name: shelf[name] for name in shelf.columns[2:]})


def _asked(facts: Facts) -> PlanWorth:
    worth = worth_of(facts)
    assert worth is not None, "asked for prices of rules that the run does not have"
    return worth


def _blank(table: pd.DataFrame, money: bool, shown: bool) -> pd.DataFrame:
    if not shown:
        for name in _amounts(table):
            table[name] = np.nan
    return table.assign(money_claimed=money)


def _by_store(facts: Facts, rows: pd.DataFrame) -> pd.DataFrame:
    table = rows.copy()
    place = list(table.columns).index("store_id")
    names = facts.run.chain.stores.frame.set_index("store_id")["name"]
    table.insert(place + 1, "store", table["store_id"].map(names))
    shown = table["store_id"].map({store: claimed(facts, claim) for store, claim in facts.claims.items()}).astype(bool)
    for name in _amounts(table):
        table[name] = table[name].where(shown)
    return table.assign(money_claimed=table["store_id"].map({s: claim.money for s, claim in facts.claims.items()}))


def _amounts(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if str(name).endswith("_per_week")]


def _notes(worth: PlanWorth, shown: bool) -> list[str]:
    if not shown:
        return ["No money is claimed for the chain, so what its rules cost is not told."]
    told = [ALONE]
    if worth.rules.chain["at_most_per_week"].notna().any():
        told.append(RANGE)
    missing = int((worth.rules.chain["status"] == "not_reached").sum() + (worth.room["status"] == "not_reached").sum())
    if worth.stopped:
        how = "It was interrupted" if worth.interrupted else "It was stopped by the time limit"
        told.append(f"{how}: {number(missing)} of the lines were not worked out, and others may be worth more.")
    return told


def _rule(facts: Facts, worth: PlanWorth, row: Any) -> dict[str, str]:
    return {
        "rule": str(row.rule),
        "words": rule_in_words(facts, row.rule),
        "cost": _amount(facts, row.cost_per_week),
        "range": _range(facts, row),
        "state": _STATES.get(row.status, ""),
        "stores": _dearest_stores(facts, worth, row.rule),
    }


def _step(facts: Facts, row: Any) -> dict[str, str]:
    return {
        "step": f"{row.step[:1].upper()}{row.step[1:]}",
        "worth": _amount(facts, row.worth_per_week, signed=True),
        "range": _range(facts, row, signed=True),
        "state": _STATES.get(row.status, ""),
    }


def _amount(facts: Facts, value: float, *, signed: bool = False) -> str:
    return "" if pd.isna(value) else facts.amount(float(value), 2, signed=signed)


def _range(facts: Facts, row: Any, *, signed: bool = False) -> str:
    if row.status in ("not_reached", "infeasible", "not_found"):
        return ""
    if pd.isna(row.at_most_per_week):
        return "not proven"
    low, high = (_amount(facts, end, signed=signed) for end in (row.at_least_per_week, row.at_most_per_week))
    return f"{low} to {high}"


def _dearest_stores(facts: Facts, worth: PlanWorth, rule: str) -> str:
    """The stores that pay most for a rule, of those whose amounts may be shown."""
    costs = worth.rules.stores
    paid = costs[(costs["rule"] == rule) & (costs["cost_per_week"] >= _LEAST)]
    return ", ".join(_first_stores(facts, paid, "cost_per_week"))


def _dearest_shelves(facts: Facts, worth: PlanWorth) -> str:
    scarce = worth.shelf[worth.shelf["worth_per_cm_per_week"] >= _LEAST]
    if scarce.empty:
        return "More shelf is worth nothing in any store: none keeps out a product that would earn more."
    told = _first_stores(facts, scarce, "worth_per_cm_per_week")
    most = f" It is worth most in {', '.join(told)} a week." if told else ""
    count = f"{number(len(scarce))} of {number(len(worth.shelf))} stores"
    return f"A centimetre more shelf would bring something in {count}.{most}"


def _idle(idle: int, felt: int) -> str:
    """Say how many rules cost a store nothing."""
    if not idle:
        return ""
    if not felt:
        return "No rule costs this store anything."
    return f"{counted(idle, 'other rule')} {'costs' if idle == 1 else 'cost'} this store nothing."


def _own_shelf(facts: Facts, worth: PlanWorth, store_id: str) -> str:
    own = worth.shelf[worth.shelf["store_id"] == store_id].iloc[0]
    free, value = float(own["free_cm"]), float(own["worth_per_cm_per_week"])
    left = f"{number(free, 1)} cm are left free" if free >= 0 else f"the plan passes the shelf by {number(-free, 1)} cm"
    if value < _LEAST:
        return f"More shelf would bring this store nothing; {left}."
    return (
        f"A centimetre more shelf is worth about {facts.amount(value, 2)} a week here, in the mean over a product's "
        f"width; {left}."
    )


def _first_stores(facts: Facts, rows: pd.DataFrame, column: str) -> list[str]:
    shown = [store for store, claim in facts.claims.items() if claimed(facts, claim)]
    dear = rows[rows["store_id"].isin(shown)].sort_values(column, ascending=False, kind="stable")
    first = dear.head(_DEAREST)
    return [
        f"{facts.printed(store)}\N{NO-BREAK SPACE}{facts.amount(float(value), 2)}"
        for store, value in zip(first["store_id"], first[column], strict=True)
    ]
