"""Which prices and promotions of a till record can have an effect to estimate."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.fitting.settings import Settings, price_left_out
from assortment.demand.observed.choices import Choices
from assortment.demand.observed.record import TillRecord
from assortment.demand.observed.witness import Witness
from assortment.errors import AssortmentWarning

_ONE_PRICE = "no product was sold at more than one price"


def till_covariates(
    record: TillRecord, settings: Settings, witnesses: Sequence[Witness] = ()
) -> tuple[CovariateDesign, tuple[str, ...]]:
    """Return the covariates that vary, and what to say of the others; prices may vary in another source alone."""
    names, notes, shrunken = [], list[str](), settings.prior is not None
    elsewhere = any(seen.price_varies for seen in witnesses)
    with_price = elsewhere or (record.price_varies and record.varies(record.log_price, (2,)))
    if settings.positive_price is not None:
        with_price = False
        notes.append(price_left_out(settings.positive_price))
    elif not with_price:
        fault = "in one store and week all products had one price" if record.price_varies else _ONE_PRICE
        notes.append(f"{fault.capitalize()}: the effect of price cannot be estimated and is left out.")
    for name, values in zip(record.promotion, record.promotions, strict=True):
        reason = _no_effect(record, values, shrunken=shrunken)
        if reason is None:
            names.append(name)
        else:
            notes.append(f"Promotion '{name}' {reason}: it is left out.")
    for message in notes:
        warnings.warn(message, AssortmentWarning, stacklevel=4)
    typical = float(record.log_price[record.shown].mean()) if with_price else None
    return CovariateDesign.of(names, typical, together=shrunken), tuple(notes)


def _no_effect(record: TillRecord, values: Floats, *, shrunken: bool) -> str | None:
    """Why a promotion can have no effect to estimate, or ``None``."""
    if not record.varies(values, (0, 1, 2)):
        return "never varies"
    if not record.varies(values, (2,)):
        return "is the same for all products of a store and week"
    # Without shrinkage that is refused, as two names for the same thing.
    if shrunken and not record.varies(values, (0, 1)):
        return "never changes for any product, so its effect cannot be told from the products' own"
    return None


def centres(choices: Choices) -> Floats:
    """Return (C, N) means of the covariates over the states that offered each product."""
    offered = np.maximum(choices.offered.sum(axis=0), 1)
    return np.array(
        [np.einsum("tn,tn->n", values, choices.offered) / offered for values in choices.covariates]
    ).reshape(len(choices.covariates), choices.counts.shape[1])


def spreads(choices: Choices, covariates: CovariateDesign) -> dict[str, float]:
    """Return the standard deviation of each covariate over what was offered."""
    columns = zip(covariates.names, choices.covariates, strict=True)
    return {name: float(values[choices.offered].std()) for name, values in columns}
