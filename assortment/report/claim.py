"""Whether money may be claimed: only where the forecast of today's listing comes close to what was really sold."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from assortment.report.numbers import number, percent

TOLERANCE = 0.15
"""Largest error of the predicted units of a store, or of the chain, at which money is claimed."""


@dataclass(frozen=True)
class Claim:
    """Predicted against actual units per week for today's listing, and what follows from it.

    Parameters
    ----------
    actual, predicted
        Units per week; ``None`` where there are no sales to compare with.
    product_error
        Sum over products of the absolute errors, divided by actual units; ``None`` when not known.
    held_out
        Whether the prediction comes from a fit that had not seen the store; without, it proves nothing.
    derived
        Whether the number of shoppers was worked out from the store's own sales, so that the totals agree by
        construction.
    """

    actual: float | None = None
    predicted: float | None = None
    product_error: float | None = None
    held_out: bool = True
    derived: bool = False

    @property
    def error(self) -> float | None:
        """Predicted over actual units, less one; ``None`` when there is nothing to compare with."""
        if self.actual is None or self.predicted is None or not self.actual > 0:
            return None
        return self.predicted / self.actual - 1.0

    @property
    def money(self) -> bool:
        """Whether amounts of money may be shown."""
        return self.held_out and self.error is not None and abs(self.error) <= TOLERANCE + 1e-12

    @property
    def refusal(self) -> str:
        """Why no money is claimed, in a few words; ``""`` where it is."""
        if self.money:
            return ""
        if self.error is None:
            return "no sales to compare with"
        return f"forecast is {percent(self.error, 0, signed=True)} off" if self.held_out else "forecast is not tested"

    @property
    def sentence(self) -> str:
        """What the comparison says, and whether money is claimed."""
        if self.error is None or self.actual is None:
            return "No sales of today's listing to compare the forecast with, so no money is claimed."
        return " ".join(part for part in (self._totals(self.error), self._products, self._verdict) if part)

    def _totals(self, error: float) -> str:
        predicted, sold = number(self.predicted), number(self.actual)
        if self.derived and abs(error) <= TOLERANCE:
            return (
                f"For today's listing the model predicts {predicted} units per week and {sold} were sold. These totals "
                "agree by construction, because the number of shoppers was worked out from the store's own sales."
            )
        unseen = ", from a fit that had not seen the store" if self.held_out else ""
        return (
            f"For today's listing the model predicts {predicted} units per week{unseen}; {sold} were sold "
            f"({percent(error, 1, signed=True)})."
        )

    @property
    def _products(self) -> str:
        if self.product_error is None:
            return ""
        unseen = ", from a fit that had not seen the store," if self.derived and self.held_out else ""
        return f"Product by product the predictions{unseen} are off by {percent(self.product_error)} of the units sold."

    @property
    def _verdict(self) -> str:
        if not self.held_out:
            return "The fit had seen these sales, so this does not test the forecast, and no money is claimed."
        return "" if self.money else f"The total is more than {percent(TOLERANCE)} off, so no money is claimed."


def store_claims(
    calibration: pd.DataFrame | None, store_ids: tuple[str, ...], *, derived: bool = False
) -> dict[str, Claim]:
    """Return each store's claim; stores that the calibration lacks get one without money.

    Parameters
    ----------
    calibration
        One row per store: store_id, actual_units_per_week, predicted_units_per_week, product_error, and ``held_out``,
        whose absence means true.
    store_ids
        All stores.
    derived
        See `Claim`.
    """
    if calibration is None or calibration.empty:
        return {store: Claim() for store in store_ids}
    known = {str(row["store_id"]): _claim(row, derived) for row in calibration.to_dict("records")}
    return {store: known.get(store, Claim()) for store in store_ids}


def chain_claim(calibration: pd.DataFrame | None, *, derived: bool = False) -> Claim:
    """Return the claim of the chain as a whole: the sums over the stores that could be compared.

    Stores that the fit had seen are left out, unless it had seen them all.
    """
    if calibration is None or calibration.empty:
        return Claim()
    known = calibration.dropna(subset=["actual_units_per_week", "predicted_units_per_week"])
    held_out = True
    if "held_out" in known.columns:
        unseen = known["held_out"].astype(bool)
        held_out = bool(unseen.any())
        known = known[unseen] if held_out else known
    actual = known["actual_units_per_week"]
    if not actual.sum() > 0:
        return Claim()
    error = float((known["product_error"] * actual).sum() / actual.sum())
    return Claim(float(actual.sum()), float(known["predicted_units_per_week"].sum()), error, held_out, derived)


def _claim(row: Mapping[Hashable, Any], derived: bool) -> Claim:
    figures = [row["actual_units_per_week"], row["predicted_units_per_week"], row["product_error"]]
    actual, predicted, product_error = (None if pd.isna(figure) else float(figure) for figure in figures)
    return Claim(actual, predicted, product_error, bool(row.get("held_out", True)), derived)
