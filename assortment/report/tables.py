"""The plan as tables for people and programmes: ids with names beside them, and whether the money may be claimed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assortment.report.facts import Facts
from assortment.report.reasons import reason


def listing_table(facts: Facts) -> pd.DataFrame:
    """Return ``plan.listings`` with names, the evidence for each local product, and ``money_claimed``.

    ``evidence`` is "better", "no evidence", "for the chain" or "fixed"; ``stand_in`` the product it was compared with,
    and ``over_stand_in_per_week`` the worth above that one, between ``over_low`` and ``over_high`` with 90 %.
    """
    table = _named(facts, facts.run.plan.listings)
    pairs = list(zip(table["store_id"], table["product_id"], strict=True))
    compared = [facts.comparisons.get(pair) for pair in pairs]
    table["evidence"] = [None if facts.comparisons.get(pair) is None else facts.evidence(*pair) for pair in pairs]
    table["stand_in"] = [
        None if each is None or each.stand_in is None else facts.product_ids[each.stand_in] for each in compared
    ]
    for column, name in (("over_stand_in_per_week", "worth"), ("over_low", "low"), ("over_high", "high")):
        table[column] = [float("nan") if each is None else getattr(each, name) for each in compared]
    return table


def change_table(facts: Facts) -> pd.DataFrame:
    """Return ``plan.changes`` with names and the pages' reasons, without what is kept, ``money_claimed`` at the end."""
    rows = facts.run.plan.changes
    wanted = (rows.iloc[:0] if facts.today is None else rows[rows["action"] != "keep"]).copy()
    # Breaks inside long words are for paper; a table must be searchable.
    wanted["reason"] = [reason(facts, row).replace("\N{ZERO WIDTH SPACE}", "") for row in wanted.itertuples()]
    return _named(facts, wanted)


def store_table(facts: Facts) -> pd.DataFrame:
    """Return one row per store: counts, worth today and planned, shelf used, forecast against actual."""
    rows = [_store(facts, index) for index in range(len(facts.store_ids))]
    return pd.DataFrame(rows)


def product_table(facts: Facts) -> pd.DataFrame:
    """Return one row per product of the chain: its role, in how many stores it stands today and in the plan, units."""
    plan = facts.run.plan
    units = facts.run.problem.units(facts.carried).sum(axis=0)
    core = np.asarray(plan.core)
    carried = facts.carried.sum(axis=0)
    products = facts.run.chain.products.frame.set_index("product_id").loc[list(facts.product_ids)].reset_index()
    extra = [column for column in ("category", "brand", "price", "unit_cost", "width_cm") if column in products.columns]
    table = products[["product_id", "name", *extra]].copy()
    table["role"] = [
        "core" if core[:, at].any() else "local" if carried[at] else "not carried" for at in range(len(table))
    ]
    if facts.today is not None:
        table["stores_today"] = facts.today.sum(axis=0)
    table["stores"] = carried
    table["units_per_week"] = units
    return table


def without_unclaimed_money(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with amounts of money blank in every row where they may not be claimed."""
    shown = table.copy()
    for name in _MONEY & set(shown.columns):
        shown[name] = shown[name].astype("float64").where(shown["money_claimed"])
    return shown


_MONEY = {
    *("sales_per_week", "margin_per_week", "worth_per_week", "worth_today_per_week", "gain_per_week"),
    *("over_stand_in_per_week", "over_low", "over_high"),
}


def _named(facts: Facts, rows: pd.DataFrame) -> pd.DataFrame:
    stores = facts.run.chain.stores.frame.set_index("store_id")["name"]
    products = facts.run.chain.products.frame.set_index("product_id")["name"]
    table = rows.reset_index(drop=True)
    table.insert(1, "store", table["store_id"].map(stores))
    table.insert(3, "product", table["product_id"].map(products))
    table["money_claimed"] = (
        table["store_id"].map({store: claim.money for store, claim in facts.claims.items()}).astype(bool)
    )
    return table


def _store(facts: Facts, index: int) -> dict[str, object]:
    store = facts.store_ids[index]
    claim = facts.claims[store]
    core = int(facts.run.plan.core[index].sum())
    today = None if facts.today is None else facts.today[index]
    carried = facts.carried[index]
    before = None if facts.value_today is None else float(facts.value_today[index])
    problem = facts.run.problem
    return {
        "store_id": store,
        "store": str(facts.run.chain.stores.frame.set_index("store_id")["name"].get(store, store)),
        "products": int(carried.sum()),
        "core": core,
        "local": int(carried.sum()) - core,
        "add": None if today is None else int((carried & ~today).sum()),
        "drop": None if today is None else int((today & ~carried).sum()),
        "units_today_per_week": None if facts.units_today is None else float(facts.units_today[index]),
        "units_per_week": float(facts.units[index]),
        "worth_today_per_week": before,
        "worth_per_week": float(facts.value[index]),
        "gain_per_week": None if before is None else float(facts.value[index]) - before,
        "shelf_cm": float(problem.shelf_cm[index]),
        "shelf_used_cm": float(problem.space_cm[index] @ carried),
        "actual_units_per_week": claim.actual,
        "predicted_units_per_week": claim.predicted,
        "forecast_error": claim.error,
        "money_claimed": claim.money,
    }
