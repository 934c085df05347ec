"""The sources of demand as they were given: checked together, and without those that count nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assortment.demand.observed.basket_witness import basket_witness
from assortment.demand.observed.baskets import BasketRecord, basket_record, segments_of
from assortment.demand.observed.choices import SOURCES
from assortment.demand.observed.record import TillRecord
from assortment.demand.observed.survey import survey_faults, survey_witness
from assortment.demand.observed.witness import Witness
from assortment.errors import DemandError, Fault, InputError
from assortment.inputs import given_frame

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products, Sales

_WEIGHTS = "source_weights"
_EVERYBODY = "everybody"
_NOTHING = (
    "Give sales; or baskets, households and the household column `segment` that tells shoppers apart; or a survey. "
    "At least one of them must have a weight above 0."
)


@dataclass(frozen=True, kw_only=True)
class GivenSources:
    """Sources of demand.

    Parameters
    ----------
    sales, baskets, households, survey
        As for ``fit_demand``, in canonical form; ``None`` where there is none, or it counts nothing.
    weights
        Of each source that is there.
    segments
        Value of the column that names segments → profile count; empty where there is no such column.
    """

    sales: Sales | None
    baskets: pd.DataFrame | None
    households: pd.DataFrame | None
    survey: pd.DataFrame | None
    weights: Mapping[str, float]
    segments: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Which of ``SOURCES`` are there."""
        return tuple(name for name in SOURCES if getattr(self, name) is not None)

    def bought(self, products: Products, *, segment: str | None, seed: int) -> BasketRecord | None:
        """Return the baskets by segment, or all as one; ``None`` where there are none."""
        if self.baskets is None:
            return None
        households = self.households
        if households is None:
            households = pd.DataFrame({"household_id": self.baskets["household_id"].astype(str).unique()})
        segments = self.segments if segment is not None else dict.fromkeys([_EVERYBODY], _EVERYBODY)
        return basket_record(self.baskets, households, products, segment=segment, segments=segments, seed=seed)

    def witnesses(
        self,
        record: TillRecord | None,
        bought: BasketRecord | None,
        products: Products,
        *,
        segment: str | None,
        seed: int,
    ) -> tuple[Witness, ...]:
        """Return what other sources than the tills saw.

        Raises
        ------
        DemandError
            Nobody chose anything in the survey.
        """
        found: list[Witness] = []
        if bought is not None:
            seen = basket_witness(bought, record)
            # Where there are no segments, all households are of none.
            found.append(seen if segment is not None else replace(seen, segment=np.full_like(seen.segment, -1)))
        if self.survey is not None:
            asked = survey_witness(self.survey, products, segment=segment, segments=self.segments, seed=seed)
            if asked is None:
                raise DemandError("In the survey nobody chose anything; leave it out.")
            found.append(asked)
        return tuple(found)


def given_sources(
    sales: Sales | None,
    products: Products,
    profiles: StoreProfiles,
    *,
    baskets: pd.DataFrame | None,
    households: pd.DataFrame | None,
    survey: pd.DataFrame | None,
    segment: str | None,
    segments: Mapping[str, str] | None,
    weights: Mapping[str, float] | None,
) -> GivenSources:
    """Check the sources and leave out those of weight 0; see ``fit_demand`` for the parameters.

    Raises
    ------
    InputError
        Faults of the weights, the baskets, the households and the survey, all of them together.
    DemandError
        No source is left, or a segment without the households that have it.
    """
    weights = weights or {}
    faults = [*_weight_faults(weights)]
    weighs = {name: weights.get(name, 1.0) for name in SOURCES} if not faults else dict.fromkeys(SOURCES, 1.0)
    sales, baskets = sales if weighs["sales"] else None, baskets if weighs["baskets"] else None
    survey = survey if weighs["survey"] else None
    if segment is not None and households is None and baskets is not None:
        raise DemandError(_NOTHING)
    if baskets is not None:
        baskets = _checked("baskets", baskets, faults)
    households = None if baskets is None or households is None else _checked("households", households, faults)
    if survey is not None:
        survey = _checked("survey", survey, faults)
    kinds = segments or _segments(segment, households, survey)
    if survey is not None:
        stores = [str(store) for store in profiles.table.index]
        faults += survey_faults(survey, products, segment=segment, segments=kinds, stores=stores)
    if faults:
        raise InputError(faults)
    if sales is None and baskets is None and survey is None:
        raise DemandError(_NOTHING)
    found = {"sales": sales, "baskets": baskets, "survey": survey}
    return GivenSources(
        sales=sales,
        baskets=baskets,
        households=households,
        survey=survey,
        weights={name: float(weighs[name]) for name, given in found.items() if given is not None},
        segments=kinds,
    )


def _weight_faults(weights: Mapping[str, Any]) -> Iterator[Fault]:
    for name, weight in weights.items():
        if name not in SOURCES:
            near = get_close_matches(str(name), SOURCES, 1, cutoff=0.5)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            yield Fault(_WEIGHTS, None, None, f"'{name}'", f"one of the sources {', '.join(SOURCES)}{hint}")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not (isfinite(weight) and weight >= 0):
            yield Fault(_WEIGHTS, None, str(name), repr(weight), "a number of at least 0; 0 leaves the source out")


def _checked(table: str, frame: pd.DataFrame, faults: list[Fault]) -> pd.DataFrame:
    """The frame in canonical form; as it came, where it has faults, which are kept."""
    try:
        return given_frame(table, frame, name=table)
    except InputError as error:
        faults += error.faults
        return frame


def _segments(segment: str | None, *frames: pd.DataFrame | None) -> dict[str, str]:
    """The values of the column in the households, or else in the survey, each standing for the count of its name."""
    if segment is None:
        return {}
    there = [frame for frame in frames if frame is not None]
    if not there:
        raise DemandError(
            f"segment = '{segment}': say in `segments` which profile count each segment has; till sales name none."
        )
    return segments_of(next((frame for frame in there if segment in frame.columns), there[0]), segment)
