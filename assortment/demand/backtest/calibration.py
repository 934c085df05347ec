"""Predicted against actual units of today's range, from fits that had not seen the store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import log_expit, logsumexp, softmax

from assortment.demand.arrays import Bools, Floats
from assortment.demand.demand import Demand
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.model.held_out import HeldOut
from assortment.demand.observed.record import TillRecord, till_record
from assortment.errors import DemandError
from assortment.inputs import given_frame

if TYPE_CHECKING:
    from assortment.inputs import Sales

Row = tuple[str, float, float, float, float, int, bool]

_COLUMNS = (
    "store_id",
    "actual_units_per_week",
    "predicted_units_per_week",
    "total_error",
    "product_error",
    "weeks",
    "held_out",
)
_TYPES = {"store_id": "str", "weeks": "int64", "held_out": "bool"}
_ENOUGH_WEEKS = 4


def calibrate(
    model: ChoiceModel,
    demand: Demand,
    sales: Sales | None,
    *,
    offered: pd.DataFrame | None = None,
    weeks: int = 13,
) -> pd.DataFrame:
    """Compare each store's recent sales with the forecast of a fit that had not seen the store.

    Compared are the last ``weeks`` recorded weeks in which the shelf was as it is today; where fewer than four are, the
    last weeks whatever stood there. Prices, promotions and offers are those of the weeks. Where the size of the
    category is not known (``demand.weight_source`` "units") the number of occasions comes from the store's own sales,
    and the total says little. In a chain of one store nothing can be held out: its forecast comes from the fit that has
    seen it, and ``held_out`` is false.

    Parameters
    ----------
    model
        Fitted on till sales.
    demand
        Its forecast: occasions, and today's listing.
    sales
        What to compare with; ``None`` gives an empty frame.
    offered
        As in ``fit_demand``; default: what the model was fitted with.
    weeks
        Most weeks per store to compare.

    Returns
    -------
    pandas.DataFrame
        store_id, actual_units_per_week, predicted_units_per_week, total_error (predicted ÷ actual − 1), product_error
        (sum over products of the absolute errors ÷ actual units), weeks, held_out (whether the tastes come from a fit
        that had not seen the store). A store without sales has NaN, 0 weeks, and was not held out.

    Raises
    ------
    DemandError
        The model was not fitted on till sales.
    """
    if sales is None:
        return _frame([])
    if model.held_out is None:
        raise DemandError("Only a model fitted on till sales can be calibrated; fit_demand(sales, …) makes one.")
    if offered is not None:
        offered = given_frame("offered", offered, name="offered")
    record = till_record(sales, model.products, offered=model.offered if offered is None else offered)
    known = set(record.store_ids) & set(model.held_out.store_ids)
    nan = float("nan")
    rows: list[Row] = [
        _row(model, model.held_out, demand, record, store=store, weeks=weeks)
        if store in known
        else (store, nan, nan, nan, nan, 0, False)
        for store in demand.store_ids
    ]
    return _frame(rows)


def _frame(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype({name: _TYPES.get(name, "float64") for name in _COLUMNS})


def _row(model: ChoiceModel, held_out: HeldOut, demand: Demand, record: TillRecord, *, store: str, weeks: int) -> Row:
    s, row = record.store_ids.index(store), demand.store_ids.index(store)
    use = _weeks_like_today(record, s, _today(demand, row, record.product_ids), weeks)
    actual = record.units[s, use].mean(axis=0)
    seat = held_out.store_ids.index(store)
    part = held_out.fold[seat]
    parts = held_out.parts[part] if held_out.parts else model.tastes.parts
    constant = held_out.log_no_purchase[part] if held_out.parts else model.volume.log_no_purchase
    demographics = held_out.demographics[seat]
    utility = _utility(model, parts, record, s, demographics)[:, use]
    mix = replace(model.tastes, parts=parts).mix(demographics[None, :])[0]
    if model.segments:
        mix = demand.class_weight[row] / demand.class_weight[row].sum()
    there = logsumexp(utility, axis=2)
    occasions = float(demand.class_weight[row].sum())
    # Classes that find nothing walk away more often; their utilities are measured from buying nothing.
    log_buys = np.log(np.maximum(mix, 1e-300))[:, None] + log_expit(there - (0.0 if constant is None else constant))
    buys = np.exp(log_buys)
    shares = np.einsum("kw,kwn->wn", softmax(log_buys, axis=0), np.exp(utility - there[:, :, None]))
    # Without an estimate of its own for buying nothing, a fit says how purchases divide, not how many there are.
    purchases = occasions - _walk_away(demand, row) if constant is None else occasions * buys.sum(axis=0)[:, None]
    predicted = (purchases * shares).mean(axis=0)
    total = float(actual.sum())
    return (
        store,
        total,
        float(predicted.sum()),
        float(predicted.sum()) / total - 1.0,
        float(np.abs(predicted - actual).sum()) / total,
        int(use.sum()),
        bool(held_out.parts),
    )


def _utility(model: ChoiceModel, parts: Coefficients, record: TillRecord, s: int, demographics: Floats) -> Floats:
    """(K, W, N) utility to each class of what one store offered in each week; -inf where it was not offered."""
    whole = replace(model.tastes, parts=parts)
    tastes = whole.of(model.products, demographics[None, :], (record.store_ids[s],))
    period, week = whole.calendar.locate(record.weeks)
    promotions = dict(zip(record.promotion, record.promotions[:, s], strict=True))
    values = whole.covariates.values(record.log_price[s], promotions)
    classes, products = np.arange(whole.classes)[:, None, None], np.arange(len(record.product_ids))
    utility = tastes.utility(classes, products, values, period[:, None], week[:, None])
    return np.where(record.offered[s], utility, -np.inf)


def _walk_away(demand: Demand, row: int) -> float:
    """Occasions per week that end without a purchase in one store, at today's listing or the chain's average."""
    occasions = float(demand.class_weight[row].sum())
    return occasions * demand.walk_away if demand.today is None else occasions - float(demand.units()[row].sum())


def _today(demand: Demand, row: int, product_ids: tuple[str, ...]) -> Bools | None:
    if demand.today is None:
        return None
    listed = {product for product, there in zip(demand.product_ids, demand.today[row], strict=True) if there}
    return np.array([product in listed for product in product_ids])


def _weeks_like_today(record: TillRecord, s: int, today: Bools | None, most: int) -> Bools:
    """Mask (W,) of the latest weeks with today's shelf, else of the latest weeks."""
    recorded = record.recorded[s]
    alike = recorded if today is None else recorded & (record.offered[s] == today).all(axis=1)
    chosen = alike if alike.sum() >= _ENOUGH_WEEKS else recorded
    mask = np.zeros(len(recorded), dtype=np.bool_)
    mask[np.flatnonzero(chosen)[-most:]] = True
    return mask
