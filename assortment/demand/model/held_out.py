"""Fits that had not seen part of the stores."""

from __future__ import annotations

from dataclasses import dataclass

from assortment.demand.arrays import Floats
from assortment.demand.likelihood.layout import Coefficients


@dataclass(frozen=True)
class HeldOut:
    """The fits that had not seen part of the stores, for calibration.

    Parameters
    ----------
    store_ids
        Stores of the fit.
    fold
        Fold of each of them.
    demographics
        (S, D), standardised.
    parts
        For each fold, the coefficients fitted without it.
    log_no_purchase
        For each fold, the utility of buying nothing fitted without it, or ``None``.
    """

    store_ids: tuple[str, ...]
    fold: tuple[int, ...]
    demographics: Floats
    parts: tuple[Coefficients, ...]
    log_no_purchase: tuple[float | None, ...]
