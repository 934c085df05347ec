"""Figures draw on the axes they are given, and a report needs none of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from matplotlib.figure import Figure

from assortment.errors import ReportError
from assortment.geo import StoreProfiles
from assortment.report import figures


@pytest.mark.parametrize("store_id", [None, "S02"])
def test_trade_areas_are_drawn_on_the_axes_given(made: Callable[..., Any], store_id: str | None) -> None:
    """The map of the chain and that of one store are drawn, and the axes come back."""
    ax = Figure().subplots()
    assert figures.trade_areas(made().areas, ax, store_id=store_id) is ax
    assert ax.has_data() and len(ax.patches) >= 1
    assert ax.get_aspect() == 1


def test_maps_of_profiles_and_stores(made: Callable[..., Any]) -> None:
    """Every store is a point on the map; a name with a dollar sign is not a formula."""
    run, axes = made(), Figure(figsize=(30, 15)).subplots(1, 2)
    figures.profile_map(run.profiles, "over_65 / people", axes[0], areas=run.areas)
    figures.store_map(run.areas, axes[1], labels=["$a", "$x$", "_b_", "\\frac"])
    assert len(axes[0].collections[0].get_offsets()) == 4
    axes[1].figure.canvas.draw()
    assert [text.get_text() for text in axes[1].texts] == ["$a", "$x$", "_b_", "\\frac"]


def test_profiles_of_other_stores_are_refused(made: Callable[..., Any]) -> None:
    """A map cannot colour a store that the profiles do not know; the store is named."""
    run = made()
    profiles = StoreProfiles.from_frame(run.profiles.table.iloc[1:])
    with pytest.raises(ReportError, match="S01"):
        figures.profile_map(profiles, "median_income", Figure().subplots(), areas=run.areas)


def test_labels_of_a_crowded_map_do_not_overlap(made: Callable[..., Any]) -> None:
    """Of forty stores on a small figure only those are labelled whose label has room."""
    ax = Figure(figsize=(3, 3)).subplots()
    figures.store_map(made(stores=40).areas, ax)
    boxes = [text.get_window_extent() for text in ax.texts]
    assert 1 < len(boxes) < 40
    assert not any(box.overlaps(other) for at, box in enumerate(boxes) for other in boxes[:at])


def test_a_legend_stays_inside_its_axes(made: Callable[..., Any]) -> None:
    """Beside another figure the legend of the trade areas does not reach over its own axes."""
    axes = Figure(figsize=(12, 6)).subplots(1, 2)
    figures.trade_areas(made().areas, axes[0])
    axes[0].figure.canvas.draw()
    legend, own = axes[0].get_legend().get_window_extent(), axes[0].get_window_extent()
    assert own.x0 <= legend.x0 and legend.x1 <= own.x1 and own.y0 <= legend.y0 and legend.y1 <= own.y1


def test_a_calibration_without_sales_is_refused_with_advice(made: Callable[..., Any]) -> None:
    """Empty, without columns, or all NaN: an error of the report that says what is needed, not one of numpy."""
    frame = made().calibration
    for lacking in (frame.iloc[:0], frame[["store_id"]], frame.assign(actual_units_per_week=float("nan"))):
        with pytest.raises(ReportError, match="needs till sales"):
            figures.calibration(lacking, Figure().subplots())


def test_calibration_shows_each_store(made: Callable[..., Any]) -> None:
    """One point per store."""
    ax = figures.calibration(made().calibration, Figure().subplots())
    assert len(ax.collections[-1].get_offsets()) == 4


def test_a_report_loads_no_matplotlib() -> None:
    """Importing what writes reports does not import matplotlib."""
    program = "import sys, assortment.report.save, assortment.report.figures; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
