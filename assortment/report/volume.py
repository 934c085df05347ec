"""How much is sold, today and under the plan: units per week, and the shoppers who leave with nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assortment.report.facts import Facts
from assortment.report.numbers import number, percent

FALL = 0.05
"""Smallest fall in units sold (5 %) that the page of the chain warns of."""


@dataclass(frozen=True)
class Volume:
    """Forecast of one store or of the chain.

    Parameters
    ----------
    units, nothing
        Units per week under the plan, and the part of choice occasions that end without a purchase.
    units_today, nothing_today
        The same for today's listing; ``None`` where that is not known.
    """

    units: float
    nothing: float
    units_today: float | None = None
    nothing_today: float | None = None

    @classmethod
    def of(cls, facts: Facts, index: int | None = None) -> Volume:
        """Return the volume of one store, or of the chain."""
        rows = slice(None) if index is None else slice(index, index + 1)
        occasions = float(facts.run.problem.class_weight[rows].sum())
        found = [None if units is None else float(units[rows].sum()) for units in (facts.units, facts.units_today)]
        nothing = [None if units is None or occasions <= 0 else 1.0 - units / occasions for units in found]
        return cls(found[0] or 0.0, 0.0 if nothing[0] is None else nothing[0], found[1], nothing[1])

    @property
    def change(self) -> float | None:
        """Units of the plan over those of today, less one; ``None`` when there is nothing to compare with."""
        return self.units / self.units_today - 1.0 if self.units_today else None

    def figures(self) -> list[dict[str, str]]:
        """Return units per week and those who leave with nothing, each with today's figure as its note."""
        today = "no listing of today"
        if self.units_today is not None:
            change = "" if self.change is None else f" ({percent(self.change, _digits(self.change), signed=True)})"
            today = f"{number(self.units_today)} today{change}"
        nothing = "of those who choose" if self.nothing_today is None else f"{percent(self.nothing_today)} today"
        return [
            {"label": "Units per week", "value": number(self.units), "note": today},
            {"label": "Leave with nothing", "value": percent(self.nothing), "note": nothing},
        ]


def warning(facts: Facts) -> str:
    """Return what to say when the plan of the chain sells far fewer units than today, else ``""``."""
    volume = Volume.of(facts)
    if volume.change is None or volume.change >= -FALL:
        return ""
    rather = "" if facts.run.problem.objective == "units" else ", or set solve.objective to units,"
    return (
        f"This plan sells {percent(-volume.change)} fewer units than today: {number(volume.units)} a week instead of "
        f"{number(volume.units_today)}; {percent(volume.nothing)} of the shoppers who choose leave with nothing, "
        f"today {percent(volume.nothing_today)}. It was chosen for the most {facts.net_words}, which may cost volume "
        f"and visits; lower the costs{rather} if volume matters more."
    )


def left_with_nothing(facts: Facts) -> str:
    """Return, as a sentence, which part of choice occasions end without a purchase, today and under the plan."""
    volume = Volume.of(facts)
    today = "" if volume.nothing_today is None else f" (today {percent(volume.nothing_today, 1)})"
    return f"Under the plan {percent(volume.nothing, 1)} of choice occasions end without a purchase{today}."


def _digits(change: float) -> int:
    return 1 if abs(np.round(change, 3)) < 0.1 else 0
