"""What a plan lists and what it changes against today, with the worth of each pick and a reason in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.store.charges import Charges, charges_of

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_NODES = 48
_LISTINGS = ["store_id", "product_id", "role", "units_per_week", "sales_per_week", "margin_per_week", "space_cm"]
_CHANGES = ["store_id", "product_id", "action", "worth_per_week", "reason"]


def listings_frame(problem: Problem, carried: Mask, core: Mask) -> pd.DataFrame:
    """Return one row per store and product carried; ``sales_per_week`` is unknown (NaN) without prices."""
    units = problem.units(carried)
    price = np.full_like(units, np.nan) if problem.price is None else problem.price
    s, j = np.nonzero(carried)
    return pd.DataFrame(
        {
            "store_id": np.array(problem.store_ids, object)[s],
            "product_id": np.array(problem.product_ids, object)[j],
            "role": np.where(core[s, j], "core", "local").astype(object),
            "units_per_week": units[s, j],
            "sales_per_week": (units * price)[s, j],
            "margin_per_week": (units * problem.margin)[s, j],
            "space_cm": problem.space_cm[s, j],
        },
        columns=_LISTINGS,
    )


def changes_frame(problem: Problem, carried: Mask, core: Mask) -> pd.DataFrame:
    """Return one row per store and product that stands today or in the plan; empty without a listing of today."""
    today = problem.rules.today
    if today is None:
        return pd.DataFrame({name: pd.Series(dtype=float if name == "worth_per_week" else object) for name in _CHANGES})
    rows, charges = [], charges_with_core(problem, core)
    for s, store in enumerate(problem.store_ids):
        worth = change_worths(problem, s, today[s], carried[s], charges[s])
        loss = leaving_losses(problem, s, carried[s], charges[s])
        for j in np.flatnonzero(today[s] | carried[s]):
            action = "keep" if today[s, j] and carried[s, j] else "add" if carried[s, j] else "drop"
            reason = _reason(problem, carried, core, loss, (s, int(j), action))
            value = loss[j] if action == "keep" else worth[j]
            rows.append((store, problem.product_ids[j], action, float(value), reason))
    return pd.DataFrame(rows, columns=_CHANGES)


def charges_with_core(problem: Problem, core: Mask) -> list[Charges]:
    """Return what each store pays beside listings when ``core``, (S, N), is core."""
    limits = problem.rules.local_per_store
    return [own.with_core(picks, *limits) for own, picks in zip(charges_of(problem), core, strict=True)]


def change_worths(problem: Problem, s: int, before: Mask, after: Mask, charges: Charges) -> Floats:
    """Return each product's part of what a store gains from ``before`` to ``after``, (N,), its costs included.
    The integral of the slope of the store's value along the straight way from one to the other (the Aumann–Shapley
    value), by Gauss–Legendre: no order of changes is preferred, and the parts add up to the whole.
    """
    step = after.astype(float) - before
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    worth, pull = problem.worth[s], problem.attraction[s]
    parts = -problem.listing_cost[s] * step
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        share = before + node * step
        total = problem.no_purchase[s] + pull @ share
        mean = (pull @ (share * worth)) / total
        slope = (problem.class_weight[s] / total) @ (pull * (worth - mean[:, None]))
        parts += weight * slope * step
    whole = _listed_value(problem, s, after) - _listed_value(problem, s, before)
    size = np.abs(parts).sum()
    # What the quadrature leaves over is shared out by size, so that the parts add up exactly.
    shared: Floats = parts + (whole - parts.sum()) * np.abs(parts) / size if size > 0 else parts
    return shared - charges.parts(before, after)


def leaving_losses(problem: Problem, s: int, carried: Mask, charges: Charges) -> Floats:
    """Return what a store loses per week when one product it carries leaves, all else equal, (N,)."""
    pull, worth = problem.attraction[s] * carried, problem.worth[s]
    total = problem.no_purchase[s] + pull.sum(axis=1)
    earned = pull @ worth
    without = (earned[:, None] - pull * worth) / np.maximum(total[:, None] - pull, problem.no_purchase[s][:, None])
    change = problem.class_weight[s] @ ((earned / total)[:, None] - without)
    losses: Floats = np.where(carried, change - problem.listing_cost[s], 0.0)
    inside = np.flatnonzero(carried)
    losses[inside] += charges.of_moves(carried, inside, np.zeros(0, np.int64))[1:, 0]
    return losses


def entering_gains(problem: Problem, s: int, carried: Mask) -> Floats:
    """Return what a store gains per week when one product it lacks enters, all else equal, (N,), without charges."""
    pull, worth = problem.attraction[s], problem.worth[s]
    total = problem.no_purchase[s] + pull[:, carried].sum(axis=1)
    earned = pull[:, carried] @ worth[carried]
    with_it = (earned[:, None] + pull * worth) / (total[:, None] + pull)
    change = problem.class_weight[s] @ (with_it - (earned / total)[:, None])
    return np.where(carried, 0.0, change - problem.listing_cost[s])


def takers(problem: Problem, s: int, carried: Mask, j: int) -> tuple[Floats, float]:
    """Return which share of the buyers of product ``j`` take each carried product instead, (N,), and buy nothing."""
    kept = carried.copy()
    kept[j] = False
    pull = problem.attraction[s] * kept
    others = problem.no_purchase[s] + pull.sum(axis=1)
    buyers = problem.class_weight[s] * problem.attraction[s, :, j] / (others + problem.attraction[s, :, j])
    if buyers.sum() <= 0:
        return np.zeros(problem.N), 1.0
    weights = buyers / buyers.sum() / others
    return weights @ pull, float(weights @ problem.no_purchase[s])


def _listed_value(problem: Problem, s: int, carried: Mask) -> float:
    pull = problem.attraction[s] * carried
    total = problem.no_purchase[s] + pull.sum(axis=1)
    earned = problem.class_weight[s] @ ((pull @ problem.worth[s]) / total)
    return float(earned - problem.listing_cost[s][carried].sum())


def _reason(problem: Problem, carried: Mask, core: Mask, loss: Floats, place: tuple[int, int, str]) -> str:
    s, j, action = place
    if action == "drop":
        return _reason_to_drop(problem, carried, s, j)
    role = "core; " if core[s, j] else ""
    space = float(problem.space_cm[s, j])
    if space <= 0 or loss[j] <= 0:
        return f"{role}earns {loss[j]:.2f} a week here"
    per_10_cm = 10 * float(loss[j]) / space
    gains = entering_gains(problem, s, carried[s])
    left_out = problem.allowed[s] & ~carried[s] & (problem.space_cm[s] > 0)
    best = (10 * gains[left_out] / problem.space_cm[s, left_out]).max(initial=-np.inf)
    more = ", more than anything left out" if left_out.any() and per_10_cm > best else ""
    return f"{role}earns {per_10_cm:.2f} a week per 10 cm{more}"


def _reason_to_drop(problem: Problem, carried: Mask, s: int, j: int) -> str:
    if not problem.allowed[s, j]:
        return "may not stand here (status, locks or supplier reach)"
    shares, nothing = takers(problem, s, carried[s], j)
    i = int(shares.argmax())
    if shares[i] <= 0:
        return "its buyers have no other product here"
    if shares[i] >= nothing:
        return f"{shares[i]:.0%} of its buyers take {problem.product_ids[i]} instead".replace("%", " %")
    return f"{shares.sum():.0%} of its buyers take another product here instead".replace("%", " %")
