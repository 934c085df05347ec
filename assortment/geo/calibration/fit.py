"""``HuffFit``: the parameters of Huff's model as the trips have them, and how well they are known."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from assortment.errors import GeographyError, listed

ALL_STORES = "all stores"


@dataclass(frozen=True, kw_only=True, eq=False)
class HuffFit:
    """A calibrated Huff model; made by ``calibrate_huff``.

    Attributes
    ----------
    table
        One row per parameter: ``parameter`` (alpha, decay), ``group`` (value of the column ``by``, or "all stores"),
        ``value``, ``standard_error`` (from the curvature of the likelihood), ``robust_error`` (sandwich, clustered by
        ``clustered_by``), ``low`` and ``high`` (95 %, from the error that ``errors`` names). NaN errors: the parameter
        was not estimated, see ``warnings``.
    log_likelihood, log_likelihood_equal
        At these parameters, and if all stores were alike to everyone.
    source, observations
        What it was calibrated on, ``"households"`` or ``"flows"``, and how many households or trips.
    correlation
        Of the estimates, parameters by parameters.
    stores
        ``store_id``, ``trips``, ``share`` and ``predicted_share`` of all trips.
    right_share
        Share of the trips whose store is the likeliest one by the model.
    share_error
        Mean absolute difference between the stores' shares of the trips and the predicted ones.
    share_correlation
        Correlation between the two; NaN where all stores have the same.
    dispersion
        Variance of the flows as a multiple of what chance alone gives; NaN for households, and where flows are too thin
        to tell.
    errors
        Which errors the intervals rest on: ``"model"``, or ``"robust"`` where households are weighted or flows vary
        more than chance.
    clustered_by, clusters
        What the robust errors take together, and how many there are of it.
    warnings
        What the data cannot tell, in words.
    arguments
        See ``parameters``, which refuses exponents below 0; these may be.
    """

    table: pd.DataFrame
    log_likelihood: float
    log_likelihood_equal: float
    source: Literal["households", "flows"]
    observations: float
    correlation: pd.DataFrame
    stores: pd.DataFrame
    right_share: float
    share_error: float
    share_correlation: float
    dispersion: float
    errors: Literal["model", "robust"]
    clustered_by: Literal["neighbourhood", "household"]
    clusters: int
    warnings: tuple[str, ...]
    arguments: Mapping[str, Any] = field(repr=False)

    def parameters(self) -> dict[str, Any]:
        """Return what ``trade_areas(stores, neighbourhoods, method="huff", **fit.parameters())`` takes.

        Attractiveness, floor and competitors are those that the model was calibrated with; alpha and decay are numbers,
        or mappings by format, or by store where the groups are not formats.

        Raises
        ------
        GeographyError
            An estimate below 0, which Huff's model has no use for.
        """
        below = self.table[self.table["value"] < 0.0]
        if len(below):
            found = listed(f"{row.parameter} of {row.group} ({row.value:.3g})" for row in below.itertuples())
            raise GeographyError(
                f"the {self.source} speak against Huff's model, which needs exponents of at least 0; found {found}. "
                "Where alpha is below 0 give another attractiveness, or leave it out; where decay is, check the places "
                "of homes and stores"
            )
        return dict(self.arguments)

    def summary(self) -> str:
        """Return the fit in words, some lines of text."""
        trips = "households" if self.source == "households" else "trips"
        lines = [
            f"Huff's model, calibrated on {self.observations:,.0f} {trips}",
            *(_line(row) for row in self.table.to_dict("records")),
            f"95 % intervals from {self.errors} errors; robust errors by {self.clustered_by} ({self.clusters:,})",
            f"Right store: {self.right_share:.1%} of the {trips} go to the store that the model holds likeliest",
            f"Store shares: off by {100.0 * self.share_error:.2f} percentage points on average"
            + (f", correlation {self.share_correlation:.3f}" if np.isfinite(self.share_correlation) else ""),
            f"Log-likelihood {self.log_likelihood:,.2f}; {self.log_likelihood_equal:,.2f} if all stores were alike",
        ]
        if np.isfinite(self.dispersion):
            lines.append(f"Dispersion of the flows: {self.dispersion:.2f} times what chance gives")
        return "\n".join([*lines, *(f"Note: {warning}" for warning in self.warnings)])


def _line(row: Mapping[Hashable, Any]) -> str:
    of_group = "" if row["group"] == ALL_STORES else f" of {row['group']}"
    known = f"{row['low']:.3f} to {row['high']:.3f}" if np.isfinite(row["low"]) else "not estimated"
    return f"  {row['parameter']}{of_group}: {row['value']:.3f} ({known})"
