"""Figures for notebooks: each draws on the axes that it is given and leaves the rest of the figure to its caller.

Offered as ``assortment.plot``. Nothing here opens a window or touches ``pyplot``::

    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6))
    assortment.plot.trade_areas(run.areas, figure.subplots())
    figure.savefig("areas.png")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assortment.errors import ReportError
from assortment.geo import MapShapes
from assortment.report.claim import TOLERANCE
from assortment.report.maps import SHARES
from assortment.report.svg import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from assortment.geo import StoreProfiles, TradeAreas

__all__ = ["calibration", "profile_map", "store_map", "trade_areas"]

_EDGE, _INK, _STORE = "#ffffff", "#1c2a33", "#e8731a"


def trade_areas(areas: TradeAreas, ax: Axes, *, store_id: str | None = None) -> Axes:
    """Draw the map of one store's trade area, or of the chain: each neighbourhood by its largest share.

    Parameters
    ----------
    areas
        Trade areas.
    ax
        Axes to draw on.
    store_id
        Store whose area is drawn; ``None``: the whole chain.
    """
    shapes = MapShapes(areas)
    area = shapes.chain() if store_id is None else shapes.around(store_id)
    for number, label in enumerate(area.classes):
        _fill(ax, area.rings_of(number), SHARES[number], label)
    _stores(ax, [(x, y) for _, x, y in area.stores])
    _as_map(ax, area.window)
    ax.set_title("Trade areas" if store_id is None else f"Trade area of {store_id}")
    ax.legend(title="part of the people", fontsize="small", loc="upper left", framealpha=0.9)
    return ax


def profile_map(profiles: StoreProfiles, column: str, ax: Axes, *, areas: TradeAreas) -> Axes:
    """Draw the stores coloured by a demographic of their trade areas, over the neighbourhoods.

    Parameters
    ----------
    profiles
        Who each store serves.
    column
        Demographic expression, such as ``median_income`` or ``over_65 / people``.
    ax
        Axes to draw on.
    areas
        Trade areas that the profiles were made from; they hold the places.

    Raises
    ------
    ReportError
        The profiles lack a store of the areas.
    """
    values = profiles.values([column])[column]
    missing = [store for store in areas.store_ids if store not in values.index]
    if missing:
        raise ReportError(f"the profiles have no row for store {', '.join(missing)}; make them from these trade areas")
    area = MapShapes(areas).chain()
    _fill(ax, [ring for shape in area.neighbourhoods for ring in shape.rings], "#e6ecef", None)
    x, y = areas.ground.store_xy.T
    dots = ax.scatter(x, y, c=values.loc[list(areas.store_ids)], cmap="cividis", edgecolors=_INK, zorder=3)
    ax.figure.colorbar(dots, ax=ax, label=column.replace("_", " "), shrink=0.7)
    _as_map(ax, area.window)
    return ax


def store_map(areas: TradeAreas, ax: Axes, *, labels: Sequence[str] | None = None) -> Axes:
    """Draw where the stores are, over the neighbourhoods.

    Parameters
    ----------
    areas
        Trade areas; they hold the places.
    ax
        Axes to draw on.
    labels
        Text beside each store, in the order of ``areas.store_ids``; ``None``: their ids. A label that would overlap
        an earlier one at the size that the figure has now is left out.
    """
    area = MapShapes(areas).chain()
    _fill(ax, [ring for shape in area.neighbourhoods for ring in shape.rings], "#e6ecef", None)
    places = areas.ground.store_xy.tolist()
    _stores(ax, places)
    _as_map(ax, area.window)
    ax.apply_aspect()  # the place of a label is known only once the map has its shape
    _labels(ax, places, areas.store_ids if labels is None else labels)
    return ax


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


def _fill(ax: Axes, rings: Sequence[Floats], colour: str, label: str | None) -> None:
    # Imported when something is drawn: a run that only writes reports never loads matplotlib.
    from matplotlib.patches import PathPatch  # noqa: PLC0415
    from matplotlib.path import Path  # noqa: PLC0415

    if not rings:
        return
    codes: list[Any] = [np.r_[Path.MOVETO, np.full(len(ring) - 2, Path.LINETO), Path.CLOSEPOLY] for ring in rings]
    path = Path(np.concatenate(list(rings)), np.concatenate(codes).astype(Path.code_type))
    ax.add_patch(PathPatch(path, facecolor=colour, edgecolor=_EDGE, linewidth=0.4, label=label))


def _stores(ax: Axes, places: Sequence[tuple[float, float]]) -> None:
    x, y = np.asarray(places, dtype=np.float64).reshape(-1, 2).T
    ax.scatter(x, y, s=22, color=_STORE, edgecolors=_INK, linewidths=0.8, zorder=3, label="store")


def _labels(ax: Axes, places: Sequence[Sequence[float]], labels: Sequence[str]) -> None:
    taken: list[Any] = []
    for (x, y), label in zip(places, labels, strict=True):
        # A dollar sign in a name must not switch to formulas.
        text = ax.annotate(
            label, (x, y), xytext=(4, 3), textcoords="offset points", fontsize="x-small", parse_math=False
        )
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)


def _as_map(ax: Axes, window: tuple[float, float, float, float]) -> None:
    west, south, east, north = window
    ax.set(xlim=(west, east), ylim=(south, north), aspect="equal", xticks=[], yticks=[])
