"""Figures for notebooks: each draws on the axes that it is given and leaves the rest of the figure to its caller.

Offered as ``assortment.plot``. Nothing here opens a window or touches ``pyplot``::

    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6))
    assortment.plot.trade_areas(run.areas, figure.subplots())
    figure.savefig("areas.png")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.errors import ReportError
from assortment.report.claim import TOLERANCE
from assortment.report.map_figures import area_sales_map, profile_map, store_map, trade_areas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["area_sales_map", "calibration", "profile_map", "store_map", "trade_areas"]

_EDGE, _INK = "#ffffff", "#1c2a33"


def calibration(calibration: pd.DataFrame, ax: Axes) -> Axes:
    """Draw predicted against actual units per week of each store, with the band inside which money is claimed.

    Parameters
    ----------
    calibration
        As ``Run.calibration``: actual_units_per_week, predicted_units_per_week.
    ax
        Axes to draw on.

    Raises
    ------
    ReportError
        No store has both figures.
    """
    lacking = {"actual_units_per_week", "predicted_units_per_week"} - set(calibration.columns)
    if lacking or calibration[["actual_units_per_week", "predicted_units_per_week"]].dropna().empty:
        raise ReportError(
            "the calibration compares no store with its sales, so there is nothing to draw; it needs till sales: "
            'demand.source = "sales" in the scenario and a table of sales in the chain'
        )
    actual = calibration["actual_units_per_week"].to_numpy(dtype=np.float64)
    predicted = calibration["predicted_units_per_week"].to_numpy(dtype=np.float64)
    most = float(np.nanmax([actual, predicted], initial=1.0)) * 1.05
    line = np.array([0.0, most])
    band = f"within {TOLERANCE:.0%}"
    ax.fill_between(line, line * (1 - TOLERANCE), line * (1 + TOLERANCE), color="#c3d8e6", label=band, linewidth=0)
    ax.plot(line, line, color=_INK, linewidth=1)
    ax.scatter(actual, predicted, color="#124d7c", edgecolors=_EDGE, zorder=3)
    ax.set(
        xlim=(0, most),
        ylim=(0, most),
        aspect="equal",
        xlabel="sold, units per week",
        ylabel="predicted, units per week",
    )
    ax.legend(fontsize="small", loc="upper left")
    return ax
