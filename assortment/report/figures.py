"""Figures for notebooks: each draws on the axes that it is given and leaves the rest of the figure to its caller.

Offered as ``assortment.plot``. Nothing here opens a window or touches ``pyplot``::

    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6))
    assortment.plot.trade_areas(run.areas, figure.subplots())
    figure.savefig("areas.png")
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.errors import ReportError
from assortment.report.claim import TOLERANCE
from assortment.report.map_figures import area_sales_map, profile_map, store_map, trade_areas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from assortment.demand.backtest.backtest_result import Backtest

__all__ = ["area_sales_map", "backtest", "calibration", "profile_map", "store_map", "trade_areas"]

_EDGE, _INK = "#ffffff", "#1c2a33"
_MODEL, _SIMPLE, _PART = "#124d7c", "#9fb6c6", "#d9822b"
_SMALL, _WIDTH_OF_LETTER = 8.0, 0.55  # points, and letters as a part of their size


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


def backtest(result: Backtest, ax: Axes) -> Axes:
    """Draw the error of each method on what was held out: a bar for all parts together, a point for each part.

    Parameters
    ----------
    result
        As ``assortment.backtest`` gives it.
    ax
        Axes to draw on; the lines below are broken for the width that they have now.
    """
    wape = 100.0 * result.table["wape"].to_numpy(dtype=np.float64)
    # The first method stands on top, the model at the bottom.
    heights = np.arange(len(wape))[::-1]
    ax.barh(heights, wape, height=0.55, color=[_MODEL if name == "model" else _SIMPLE for name in result.methods])
    furthest = wape.copy()
    parts = result.folds["fold"].nunique()
    if parts > 1:
        by_part = result.folds.pivot_table(index="fold", columns="method", values="wape")
        points = 100.0 * by_part[list(result.methods)].to_numpy(dtype=np.float64)
        ax.scatter(points, np.broadcast_to(heights, points.shape), s=18, color=_PART, edgecolors=_EDGE, zorder=3)
        furthest = np.maximum(wape, points.max(axis=0))
    for value, x, height in zip(wape, furthest, heights, strict=True):
        label = ax.annotate(f"{value:.1f} %", (x, height), (6, 0), textcoords="offset points", va="center")
        label.set(color=_INK, fontsize="small")
    ax.set(xlim=(0, float(furthest.max()) * 1.3 or 1.0))
    ax.set_yticks(heights, result.methods)
    ax.set_title(f"Forecasts of {result.hold_out} not seen: less is better")
    lines = [
        "errors of the units by store and product, % of all units (WAPE)"
        + (f"; a point for each of the {parts} parts held out" if parts > 1 else ""),
        f"Source: backtest; held out: {result.held_out}; category totals, offers, prices and promotions are taken as "
        "known.",
    ]
    ax.set_xlabel(_broken(lines, ax), fontsize=_SMALL, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _broken(lines: list[str], ax: Axes) -> str:
    """Lines that are no wider than the axes, in small print."""
    box = ax.get_window_extent()
    # A layout may still narrow the axes, for the names of the methods to their left.
    letters = int(0.8 * box.width * 72.0 / ax.figure.dpi / (_SMALL * _WIDTH_OF_LETTER))
    return "\n".join(part for line in lines for part in textwrap.wrap(line, max(24, letters)))
