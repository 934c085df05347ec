"""The chart of a backtest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from assortment.demand.backtest.backtest_result import METHODS, Backtest
from assortment.report import figures

WAPE = {"chain average": 0.6, "own history": 0.25, "shrunken history": 0.2, "model": 0.15}


def made(folds: int) -> Backtest:
    rows = [
        {"fold": f, "store_id": f"S{f}", "method": method, "units": 100.0, "wape": WAPE[method] * (0.9 + 0.1 * f)}
        for f in range(folds)
        for method in METHODS
    ]
    scores = pd.DataFrame(rows).assign(kl=0.1, log_loss=1.0, judged=np.nan, coverage=np.nan, width=np.nan)
    return Backtest(hold_out="weeks", scores=scores, held_out="40 stores, 19 weeks")


@pytest.mark.parametrize("folds", [1, 3])
def test_each_method_has_a_bar_and_each_part_a_point(folds: int) -> None:
    """Bars are the table's WAPE in %, points those of the parts; one part alone has no points."""
    result, ax = made(folds), Figure().subplots()
    assert figures.backtest(result, ax) is ax
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(list(100 * result.table["wape"]))
    assert [label.get_text() for label in ax.get_yticklabels()] == list(METHODS)
    if folds == 1:
        assert not ax.collections
    else:
        drawn = np.sort(np.asarray(ax.collections[0].get_offsets())[:, 0])
        assert drawn == pytest.approx(np.sort(100 * result.folds["wape"].to_numpy()))


@pytest.mark.parametrize("size", [(4, 3), (9, 4)])
def test_units_source_and_figures_are_on_the_chart(size: tuple[float, float]) -> None:
    """The line below has unit and source and is no wider than the axes; each figure lies inside them."""
    figure = Figure(figsize=size, layout="constrained")
    ax = figures.backtest(made(3), figure.subplots())
    figure.draw_without_rendering()
    words = " ".join(ax.get_xlabel().split())
    assert "% of all units" in words and "Source: backtest; held out: 40 stores, 19 weeks" in words
    box, below = ax.get_window_extent(), ax.xaxis.label.get_window_extent()
    assert below.x0 >= box.x0 - 1 and below.x1 <= figure.bbox.x1
    for text in ax.texts:
        assert "%" in text.get_text() and text.get_window_extent().x1 <= box.x1 + 1
