"""What is said of a till record and its fit: what they cannot tell, and what was found in time and in prices."""

from __future__ import annotations

import warnings

from assortment.demand.arrays import Floats
from assortment.demand.fitting.classes import LEAST_STORES
from assortment.demand.fitting.evidence import CHAIN_EVERYWHERE
from assortment.demand.fitting.settings import Settings
from assortment.demand.fitting.till_fit import TillFit
from assortment.demand.observed.record import TillRecord
from assortment.errors import AssortmentWarning

_FEW_UNITS = 10.0  # a product, on average


def replaced_prices(found: TillFit, product_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to say, with a warning, of price coefficients that came out positive."""
    notes = () if found.replaced is None else found.replaced.notes(product_ids)
    for message in notes:
        warnings.warn(message, AssortmentWarning, stacklevel=4)
    return notes


def structure(found: TillFit, settings: Settings) -> tuple[str, ...]:
    """Return what was chosen in time, and whether demographics were left out."""
    notes = []
    if not found.local and found.unseen is not None:
        notes.append(CHAIN_EVERYWHERE)
    if settings.prior is not None and found.calendar.length:
        each = "season of 13 weeks" if found.calendar.length > 1 else "week"
        carried = "the last is carried into the future" if found.calendar.length > 1 else "none is carried forward"
        notes.append(f"Each {each} has an effect on the products of the whole chain; {carried}.")
    return (*notes, *(trial.sentence for trial in found.trials))


def thin(record: TillRecord) -> tuple[str, ...]:
    """Return what a record cannot tell because it is so small."""
    notes = []
    if (record.shown.sum(axis=2) < 2).all():
        message = (
            "No store ever offered two of these products in one week, so the sales do not show what shoppers prefer: "
            "products differ by assumption only."
        )
        warnings.warn(message, AssortmentWarning, stacklevel=4)
        notes.append(message)
    if len(record.store_ids) == 1:
        notes.append(
            f"Only store {record.store_ids[0]} has sales: others are taken to be like it, and no forecast could be "
            "tested on a store that the fit had not seen."
        )
    elif len(record.store_ids) < LEAST_STORES:
        notes.append(
            f"Only {len(record.store_ids)} stores have sales: too few to tell what demographics do from whatever else "
            "makes stores differ."
        )
    units, products = float(record.units.sum()), len(record.product_ids)
    if units < _FEW_UNITS * products:
        notes.append(
            f"So little was sold ({units:,.4g} units of {products} products) that the forecast is mostly assumption: "
            "what demographics, prices and time do cannot be told."
        )
    return tuple(notes)


def too_few_occasions(record: TillRecord, occasions: Floats, nothing: float | None) -> tuple[str, ...]:
    """Return what is said, with a warning, of stores that sold more than their occasions allow."""
    over = [
        store
        for store, units, known in zip(record.store_ids, record.units_per_week, occasions, strict=True)
        if units > known
    ]
    if not over:
        return ()
    message = (
        f"More units per week were sold than there are occasions_per_week in {', '.join(over[:10])}; check the shelves."
    )
    if nothing is None:
        message += " Buying nothing cannot be estimated; the assumed walk-away rate is used."
    warnings.warn(message, AssortmentWarning, stacklevel=4)
    return (message,)
