"""How many buy nothing: what till sales tell where the choice occasions of stores are known."""

from __future__ import annotations

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.outside import log_no_purchase
from assortment.demand.observed.choices import TILLS
from assortment.demand.observed.record import TillRecord


def walk_away_of(record: TillRecord, occasions: Floats, assumed: float) -> float:
    """Return the share of the occasions that end without a purchase: observed where they are known, else assumed."""
    known = np.isfinite(occasions)
    units, total = float(record.units_per_week[known].sum()), float(occasions[known].sum())
    return 1.0 - units / total if 0.0 < units < total else assumed


def log_nothing(
    likelihood: Likelihood, parts: Coefficients, occasions: Floats, without: int | None = None
) -> float | None:
    """Return the utility of buying nothing, from the till sales of stores whose occasions are known.

    Parameters
    ----------
    likelihood, parts
        The fit.
    occasions
        (S,), of the stores, which are the first groups.
    without
        Fold to leave out.
    """
    choices = likelihood.choices
    occasions = np.append(occasions, np.full(len(likelihood.terms.demographics) - len(occasions), np.nan))
    use = np.isfinite(occasions)[choices.group] & (choices.sources == TILLS)
    if without is not None:
        use &= choices.fold != without
    if not use.any():
        return None
    log_sums = likelihood.log_sums(parts.without("week"))
    mix = likelihood.terms.mix(parts)[choices.group]
    expected = occasions[choices.group] * choices.weeks
    return log_no_purchase(log_sums[use], expected[use], likelihood.units[use], mix[use])
