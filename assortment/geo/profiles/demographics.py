"""``Demographics``: what the neighbourhoods tell about their people, as arrays in the order of the trade areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.errors import GeographyError, listed
from assortment.geo.areas import TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.wording import unknown
from assortment.inputs import Neighbourhoods


@dataclass(frozen=True, kw_only=True)
class Demographics:
    """Counts and rates of M neighbourhoods, NaN where unknown.

    Attributes
    ----------
    counts, rates
        Names of the C counts and of the R rates.
    count, rate, base
        Shapes (M, C), (M, R) and (M, R); the base of a rate is the count that it is an average over.
    count_moe, rate_moe, base_moe
        Margins of error of the same shapes, or ``None`` where the neighbourhoods have none at all. A base without such
        a column is taken as exact: it is then mostly a full count.
    """

    counts: tuple[str, ...]
    rates: tuple[str, ...]
    count: FloatArray
    rate: FloatArray
    base: FloatArray
    count_moe: FloatArray | None = None
    rate_moe: FloatArray | None = None
    base_moe: FloatArray | None = None

    @classmethod
    def of(cls, areas: TradeAreas, neighbourhoods: Neighbourhoods) -> Demographics:
        """Take the declared columns of the neighbourhoods.

        Raises
        ------
        GeographyError
            The areas are of other neighbourhoods.
        """
        frame = _in_order_of(areas, neighbourhoods)
        counts, rates, bases = neighbourhoods.counts, tuple(neighbourhoods.rates), list(neighbourhoods.rates.values())
        margins = neighbourhoods.margins
        moe = {name: _array(frame, [column])[:, 0] for name, column in margins.items()}
        unknown, exact = np.full(len(frame), np.nan), np.zeros(len(frame))
        return cls(
            counts=counts,
            rates=rates,
            count=_array(frame, counts),
            rate=_array(frame, rates),
            base=_array(frame, bases),
            count_moe=_stacked([moe.get(name, unknown) for name in counts], len(frame)) if moe else None,
            rate_moe=_stacked([moe.get(name, unknown) for name in rates], len(frame)) if moe else None,
            base_moe=_stacked([moe.get(name, exact) for name in bases], len(frame)) if moe else None,
        )

    @property
    def names(self) -> list[str]:
        """Counts, then rates: the columns of profiles."""
        return [*self.counts, *self.rates]


def counted(
    areas: TradeAreas, neighbourhoods: Neighbourhoods, column: str | None, *, parameter: str
) -> tuple[str, FloatArray]:
    """Return name and values of one count in the order of the areas, shape (M,), NaN where unknown.

    Parameters
    ----------
    areas, neighbourhoods
        Made from each other.
    column
        Which count; ``None``: the first.
    parameter
        What the caller calls ``column``, for the message.

    Raises
    ------
    GeographyError
        No such count, or none at all; areas of other neighbourhoods.
    """
    counts = neighbourhoods.counts
    if not counts:
        raise GeographyError("the neighbourhoods declare no count of people; declare one: counts=['people']")
    name = counts[0] if column is None else column
    if name not in counts:
        raise GeographyError(f"{parameter}: {unknown('count', name, counts)}")
    return name, _array(_in_order_of(areas, neighbourhoods), [name])[:, 0]


def _in_order_of(areas: TradeAreas, neighbourhoods: Neighbourhoods) -> pd.DataFrame:
    frame = pd.DataFrame(neighbourhoods.frame)
    if tuple(neighbourhoods.ids) == areas.neighbourhood_ids:
        return frame
    unlike = set(neighbourhoods.ids) ^ set(areas.neighbourhood_ids)
    if unlike:
        raise GeographyError(
            f"the trade areas were made from other neighbourhoods: {listed(sorted(unlike))} stand in only one "
            "of the two; make the areas again from these neighbourhoods"
        )
    return frame.set_index("neighbourhood_id").loc[list(areas.neighbourhood_ids)]


def _array(frame: pd.DataFrame, names: Sequence[str]) -> FloatArray:
    return frame[list(names)].to_numpy(dtype=np.float64, na_value=np.nan)


def _stacked(columns: list[FloatArray], length: int) -> FloatArray:
    return np.column_stack(columns) if columns else np.empty((length, 0))
