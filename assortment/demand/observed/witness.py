"""What other sources than the tills saw: states that a fit adds to those of the stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.design.covariates import CovariateDesign
from assortment.demand.observed.choices import Choices, Purchases


@dataclass(frozen=True, kw_only=True)
class Witness:
    """Choices of one source, not yet told which group of a fit they belong to (T states, N products).

    Parameters
    ----------
    source
        Which of ``SOURCES``.
    store
        (T,), id of the store where it was seen, or ``None``.
    segment
        (T,), index of the segment of the shoppers; -1 where it is not known.
    fold
        (T,), the part that the shoppers are held out with.
    week
        (T,), index in the calendar of the fit; -1 where it is in none of its weeks.
    offered
        (T, N), what they could choose.
    log_price
        (T, N).
    purchases
        What they chose, by who is held out together.
    promotions
        (T, N) by name; none where they are not given.
    notes
        What was assumed.
    """

    source: int
    store: npt.NDArray[np.object_]
    segment: Ints
    fold: Ints
    week: Ints
    offered: Bools
    log_price: Floats
    purchases: Purchases
    promotions: Mapping[str, Floats] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def price_varies(self) -> bool:
        """Whether any product was to be had at more than one price."""
        high = np.where(self.offered, self.log_price, -np.inf).max(axis=0)
        low = np.where(self.offered, self.log_price, np.inf).min(axis=0)
        return bool((high - low > 1e-6).any())

    def choices(self, group: Ints, fold: Ints, design: CovariateDesign, *, weight: float) -> Choices:
        """Return the states of a fit.

        Parameters
        ----------
        group, fold
            (T,), of the fit.
        design
            Its covariates.
        weight
            How often each purchase counts.
        """
        columns = design.values(self.log_price, self.promotions)
        counts = np.zeros(self.offered.shape)
        np.add.at(counts, (self.purchases.state, self.purchases.product), self.purchases.units)
        return Choices(
            group=group,
            fold=fold,
            week=self.week,
            offered=self.offered,
            covariates=np.stack(columns) if columns else np.zeros((0, *counts.shape)),
            counts=counts,
            weeks=np.ones(len(group)),
            purchases=self.purchases,
            source=np.full(len(group), self.source, dtype=np.intp),
            weight=np.full(len(group), weight),
        )
