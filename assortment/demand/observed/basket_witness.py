"""Household baskets beside other sources: each purchase where and when it was made, if the tills know that place."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assortment.demand.arrays import positions
from assortment.demand.observed.baskets import BasketRecord
from assortment.demand.observed.choices import BASKETS, Purchases
from assortment.demand.observed.record import TillRecord
from assortment.demand.observed.witness import Witness


def basket_witness(record: BasketRecord, tills: TillRecord | None) -> Witness:
    """Return a state per store, week, segment and fold with purchases, for a fit of several sources.

    Where the tills tell what a store offered in a week, at which price and with which promotion, the households chose
    from that. Elsewhere they chose from what anybody bought around that week, which says nothing of a single store:
    beside till sales such purchases count as seen in none.
    """
    rows = record.rows.assign(store_id=record.rows["store_id"].fillna(""))
    keys = ["store_id", "week", "segment", "fold"]
    states = rows[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    state = pd.MultiIndex.from_frame(states).get_indexer(pd.MultiIndex.from_frame(rows[keys]))
    week, product = states["week"].to_numpy(), rows["product"].to_numpy()
    offered, log_price = record.offered[week], record.log_price[week]
    when = np.full(len(states), -1, dtype=np.intp)
    known = np.zeros(len(states), dtype=np.bool_)
    store = states["store_id"].replace("", None).to_numpy(dtype=object, copy=True)
    promotions = {}
    if tills is not None:
        when = np.asarray(tills.weeks.get_indexer(pd.Index(record.weeks[week])), dtype=np.intp)
        s = positions(tills.store_ids, states["store_id"])
        known = (s >= 0) & (when >= 0)
        known[known] = tills.recorded[s[known], when[known]]
        offered[known], log_price[known] = tills.offered[s, when][known], tills.log_price[s, when][known]
        offered[state, product] = True
        store[~known] = None
        for name, values in zip(tills.promotion, tills.promotions, strict=True):
            promotions[name] = np.where(known[:, None], values[s, when], 0.0)
    seen = float(rows["units"].to_numpy()[known[state]].sum() / rows["units"].sum())
    return Witness(
        source=BASKETS,
        store=store,
        segment=states["segment"].to_numpy(),
        fold=states["fold"].to_numpy(),
        week=when,
        offered=offered,
        log_price=log_price,
        purchases=Purchases(rows["household"].to_numpy(), state, product, rows["units"].to_numpy(np.float64)),
        promotions=promotions,
        notes=_seen_by_tills(seen) if tills is not None else (),
    )


def _seen_by_tills(share: float) -> tuple[str, ...]:
    if not share > 0:
        return ("No basket can be found in the tills: store and week are not known, or not those of the sales.",)
    return (
        f"Of {100 * share:.0f} % of the units in the baskets the tills tell what the store offered, and its prices. "
        "What was bought there by card is in the till sales too, and counts in both.",
    )
