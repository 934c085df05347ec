"""What changes from week to week on a shelf: the price, promotions, and a price cut that a promotion shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assortment.demand.arrays import Floats

LOG_PRICE = "log price"
_TIMES = " × "


@dataclass(frozen=True)
class CovariateDesign:
    """The covariates of a fit (C of them).

    Parameters
    ----------
    names
        ``log price`` where its effect can be estimated, promotion columns, and ``log price × promotion``.
    typical_log_price
        Subtracted from log prices, so that nothing depends on the unit of money.
    """

    names: tuple[str, ...]
    typical_log_price: float = 0.0

    @classmethod
    def of(cls, promotions: Sequence[str], typical_log_price: float | None, *, together: bool) -> CovariateDesign:
        """Make the design of these promotions.

        Parameters
        ----------
        promotions
            Columns that vary.
        typical_log_price
            Mean over what was offered; ``None`` where prices do not vary.
        together
            Whether a price may count more, or less, under a promotion.
        """
        if typical_log_price is None:
            return cls(tuple(promotions))
        joint = [f"{LOG_PRICE}{_TIMES}{name}" for name in promotions] if together else []
        return cls((LOG_PRICE, *promotions, *joint), typical_log_price)

    @property
    def promotions(self) -> tuple[str, ...]:
        """Names of the promotion columns."""
        return tuple(name for name in self.names if not name.startswith(LOG_PRICE))

    def values(self, log_price: Floats, promotions: Mapping[str, Floats]) -> list[Floats]:
        """Return C arrays shaped like ``log_price``; a promotion that is not given is none."""
        price = log_price - self.typical_log_price
        none = np.zeros(log_price.shape)
        columns = []
        for name in self.names:
            if name == LOG_PRICE:
                columns.append(price)
            elif name in self.promotions:
                columns.append(promotions.get(name, none))
            else:
                columns.append(price * promotions.get(name.removeprefix(LOG_PRICE + _TIMES), none))
        return columns
