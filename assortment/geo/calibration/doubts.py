"""What trips cannot tell of Huff's model, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assortment.geo.arrays import BoolArray, FloatArray
from assortment.geo.calibration.estimate import ALIKE, Estimate
from assortment.geo.calibration.likelihood import Likelihood

FEW_TRIPS = 30
_ILL = 1000.0
"""Condition number (1 + r) / (1 - r) of the information of two parameters, with ones on its diagonal and the others
profiled out, about 30² after Belsley: more, and they are hard to tell apart; r is 0.998 then. That of all at once would
be large by nature for groups, whose levels every alpha and decay shifts."""


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """Puts into words what the trips cannot tell.

    Parameters
    ----------
    likelihood
        Of the trips.
    estimate
        Where it is greatest.
    names
        Of the parameters, length P.
    """

    likelihood: Likelihood
    estimate: Estimate
    names: tuple[str, ...]

    def words(self) -> tuple[str, ...]:
        """Return a sentence for each doubt, the gravest first."""
        return (
            *self._of_trips(),
            *self._of_held(),
            *self._of_lost(),
            *self._of_ties(),
            *self._of_signs(),
            *self._of_errors(),
            *self._of_dispersion(),
        )

    def _of_trips(self) -> list[str]:
        trips, found = self.likelihood.trips, []
        if trips.observations < FEW_TRIPS:
            what = "households" if trips.source == "households" else "trips"
            found.append(
                f"{trips.observations:,.0f} {what} are too few to calibrate on, and the intervals too narrow; give at "
                f"least {FEW_TRIPS}"
            )
        if np.count_nonzero(trips.of_stores) < 2:
            found.append("all trips go to one store, which says little of what draws people; give those of all stores")
        if not self.estimate.optimum.converged:
            found.append("the greatest likelihood was not reached; the estimates are where the search stopped")
        return found

    def _of_held(self) -> list[str]:
        groups, held, found = self.likelihood.groups, self.estimate.held, []
        alphas, decays = self._named(held, slice(0, groups)), self._named(held, slice(groups, None))
        if alphas and np.ptp(self.likelihood.log_attractiveness) < ALIKE:
            found.append(f"{alphas} cannot be estimated and is held at 1: attractiveness is the same for all stores")
        elif alphas:
            found.append(
                f"{alphas} cannot be estimated and is held at 1: attractiveness is the same within the group, or "
                "changes just as distance does"
            )
        if decays:
            found.append(
                f"{decays} cannot be estimated and is held at 2: the stores are equally far from each home, so "
                "distance says nothing"
            )
        return found

    def _of_lost(self) -> list[str]:
        groups, lost = self.likelihood.groups, self.estimate.lost
        decays = self._named(lost, slice(groups, None))
        if decays and self.estimate.prediction.nearest > 1.0 - 1e-9:
            return [
                f"everyone shops at the nearest store, so {decays} runs away: the greater it is, the better it fits. "
                "It was stopped, and has no interval; method 'nearest' says the same"
            ]
        if lost.any():
            return [
                f"{self._named(lost)} runs away: the fit gets better without end, as where nobody shops at the stores "
                "of a group, or one thing decides every choice. It was stopped, and has no interval"
            ]
        return []

    def _of_ties(self) -> list[str]:
        known = np.flatnonzero(self.estimate.known)
        # By the information, as the condition is: robust errors may tell another story of the same data.
        model = self.estimate.model[np.ix_(known, known)]
        correlation = np.triu(model / np.sqrt(np.outer(np.diag(model), np.diag(model))), 1)
        tied = (1.0 + np.abs(correlation)) > _ILL * (1.0 - np.abs(correlation))
        return [
            f"{self.names[known[one]]} and {self.names[known[other]]} can hardly be told apart (their estimates "
            f"correlate by {correlation[one, other]:.4f}): only their combination is known well"
            for one, other in np.argwhere(tied)
        ]

    def _of_signs(self) -> list[str]:
        theta = self.estimate.theta
        wrong = self.estimate.known & (theta < 0.0)
        if not wrong.any():
            return []
        return [
            f"{self._named(wrong, values=theta)} is below 0, as if people shunned large stores (alpha) or near ones "
            "(decay): something else draws them, and no trade areas can be made of it"
        ]

    def _of_errors(self) -> list[str]:
        theta, errors = self.estimate.theta, self.estimate.errors
        vague = self.estimate.known & (errors > 0.5 * np.abs(theta))
        if not vague.any():
            return []
        return [
            f"{self._named(vague, values=theta)} is not known well: the standard error is more than half of the "
            "estimate; more trips would help, or fewer groups"
        ]

    def _of_dispersion(self) -> list[str]:
        if not self.estimate.dispersed:
            return []
        return [
            f"the flows vary {self.estimate.dispersion:.1f} times as much as chance would have them, so trips do not "
            f"choose independently, or more than size and distance counts; the intervals rest on {self.estimate.used} "
            "errors"
        ]

    def _named(self, which: BoolArray, part: slice = slice(None), *, values: FloatArray | None = None) -> str:
        rows = np.arange(len(which))[part]
        told = ("" if values is None else f" ({values[row]:.3g})" for row in rows[which[part]])
        return ", ".join(self.names[row] + value for row, value in zip(rows[which[part]], told, strict=True))
