"""Figures draw on the axes they are given, and a report needs none of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from assortment.errors import ReportError
from assortment.geo import MapShapes, StoreProfiles, store_profiles, trade_areas
from assortment.geo.sells.area_sales import AreaSales, area_sales
from assortment.inputs import Products, Sales
from assortment.report import figures


@pytest.mark.parametrize("store_id", [None, "S02"])
def test_trade_areas_are_drawn_on_the_axes_given(made: Callable[..., Any], store_id: str | None) -> None:
    """The map of the chain and that of one store are drawn, and the axes come back."""
    ax = Figure().subplots()
    assert figures.trade_areas(made().areas, ax, store_id=store_id) is ax
    assert ax.has_data() and len(ax.collections) >= 2
    assert ax.get_aspect() == 1


def test_a_name_with_a_dollar_sign_is_not_a_formula(made: Callable[..., Any]) -> None:
    """Labels are printed as they are."""
    ax = Figure(figsize=(15, 15)).subplots()
    figures.store_map(made().areas, ax, labels=["$a", "$x$", "_b_", "\\frac"])
    ax.figure.draw_without_rendering()
    assert [text.get_text() for text in ax.texts if "km" not in text.get_text()] == ["$a", "$x$", "_b_", "\\frac"]


def coloured(ax: Any) -> list[Any]:
    """What is drawn by value: the neighbourhoods, then the stores."""
    return [drawn for drawn in ax.collections if drawn.get_array() is not None]


def test_neighbourhoods_and_stores_share_one_scale(made: Callable[..., Any]) -> None:
    """Polygons have their own value, stores that of their trade area, and one colour stands for one value in both."""
    run, ax = made(), Figure().subplots()
    figures.profile_map(run.profiles, "over_65 / people", ax)
    polygons, dots = coloured(ax)
    frame = run.chain.neighbourhoods.frame
    assert np.asarray(polygons.get_array()) == pytest.approx((frame["over_65"] / frame["people"]).to_numpy())
    assert np.asarray(dots.get_array()) == pytest.approx(run.profiles.values(["over_65 / people"]).to_numpy()[:, 0])
    assert (polygons.norm.vmin, polygons.norm.vmax) == (dots.norm.vmin, dots.norm.vmax)
    assert polygons.get_cmap().name == dots.get_cmap().name == "cividis"
    assert len(dots.get_offsets()) == 4


def test_the_map_of_a_profile_names_unit_and_source(made: Callable[..., Any]) -> None:
    """The colour bar has the unit of the column, the line below the map the source, and a scale bar is there."""
    run, ax = made(), Figure().subplots()
    known = run.chain.neighbourhoods
    stated = replace(known, units={"median_income": "1999 dollars"}, attribution="Bureau of Maps, 2000.")
    areas = trade_areas(run.chain.stores, stated, method="nearest")
    figures.profile_map(store_profiles(areas, stated), "median_income", ax)
    assert " ".join(ax.child_axes[0].get_xlabel().split()) == "median income (1999 dollars)"
    assert "Source: Bureau of Maps, 2000." in ax.get_xlabel() and "nearest store" in ax.get_xlabel()
    assert [text.get_text() for text in ax.texts] == ["1 km"]


def test_unknown_neighbourhoods_are_hatched_and_told_in_the_legend(made: Callable[..., Any]) -> None:
    """A neighbourhood without a value has no colour of the scale, and the legend says what the hatching means."""
    run, ax = made(), Figure().subplots()
    frame = run.chain.neighbourhoods.frame.copy()
    frame.loc[:2, "median_income"] = np.nan
    profiles = store_profiles(run.areas, replace(run.chain.neighbourhoods, frame=frame))
    figures.profile_map(profiles, "median_income", ax)
    assert len(coloured(ax)[0].get_array()) == 22
    assert [drawn.get_hatch() for drawn in ax.collections].count("////") == 1
    assert "unknown" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_profiles_from_a_frame_need_the_places(made: Callable[..., Any]) -> None:
    """Without areas the error says what to give; with them neighbourhoods stay plain and stores have colours."""
    run, ax = made(), Figure().subplots()
    profiles = StoreProfiles.from_frame(run.profiles.table)
    with pytest.raises(ReportError, match="give areas="):
        figures.profile_map(profiles, "median_income", ax)
    figures.profile_map(profiles, "median_income", ax, areas=run.areas)
    (dots,) = coloured(ax)
    assert len(dots.get_offsets()) == 4


def test_maps_draw_on_the_axes_given_and_on_nothing_else(made: Callable[..., Any]) -> None:
    """Neither the other axes nor the list of the figure's axes change, and no axes move."""
    run, figure = made(), Figure(figsize=(12, 6))
    mine, other = figure.subplots(1, 2)
    before = mine.get_position(original=True).bounds
    figures.profile_map(run.profiles, "median_income", mine)
    figures.area_sales_map(sold(run), None, mine)
    assert figure.axes == [mine, other] and not other.has_data()
    assert mine.get_position(original=True).bounds == before


def sold(run: Any, by: str = "product_id") -> AreaSales:
    """Sales of two products in every store of the small chain: the first half as much as the second."""
    stores = run.chain.stores.ids
    rows = [(1, store, product, units) for store in stores for product, units in (("0001", 5.0), ("0002", 10.0))]
    sales = Sales.from_frame(pd.DataFrame(rows, columns=["week", "store_id", "product_id", "units"]))
    return area_sales(sales, run.chain.products, run.areas, run.chain.neighbourhoods, by=by)


def test_a_map_of_sales_colours_neighbourhoods_by_what_sells_there(made: Callable[..., Any]) -> None:
    """The values of the polygons sum to the chain's units; the line below states how they came about."""
    run, ax = made(), Figure().subplots()
    assert figures.area_sales_map(sold(run), "0002", ax) is ax
    (polygons,) = coloured(ax)
    assert polygons.get_array().sum() == pytest.approx(40.0)
    assert "not measured at homes" in " ".join(ax.get_xlabel().split())
    assert ax.get_title() == "0002: units per week by neighbourhood"
    assert ax.child_axes[0].get_xlabel() == "units per week"


def test_an_index_has_its_neutral_colour_at_100(made: Callable[..., Any]) -> None:
    """What every store sells alike has the index 100 everywhere, which is the middle of the scale."""
    run, ax = made(), Figure().subplots()
    figures.area_sales_map(sold(run, "brand"), "Farm", ax, measure="index")
    (polygons,) = coloured(ax)
    assert np.asarray(polygons.get_array()) == pytest.approx(np.full(25, 100.0))
    assert polygons.norm(100.0) == pytest.approx(0.5)


def test_where_nothing_sells_is_told_and_an_unknown_key_has_a_name(made: Callable[..., Any]) -> None:
    """Beyond all rings a share of nothing has no index: hatched, with its reason; no title says nan."""
    run, ax = made(radius_m=700.0), Figure().subplots()
    figures.area_sales_map(sold(run), "0002", ax, measure="index")
    assert "nothing sells" in [text.get_text() for text in ax.get_legend().get_texts()]
    products = Products.from_frame(run.chain.products.frame.assign(kind=None))
    stores = run.chain.stores.ids
    sales = Sales.from_frame(pd.DataFrame({"week": 1, "store_id": stores, "product_id": "0001", "units": 1.0}))
    of_kind = area_sales(sales, products, run.areas, run.chain.neighbourhoods, by="kind")
    figures.area_sales_map(of_kind, float("nan"), ax := Figure().subplots())
    assert ax.get_title().startswith("unknown: units per week")


def test_the_map_of_an_area_shows_its_outline(made: Callable[..., Any]) -> None:
    """The window closes in on the area, which is drawn as a line and told in the legend."""
    run, ax = made(), Figure().subplots()
    area = sold(run).neighbourhood("2-2")
    figures.area_sales_map(sold(run), None, ax, area=area, title="Here", notes=["Made up."])
    west, _, east, _ = shapely.bounds(area.outline)
    assert np.diff(ax.get_xlim())[0] == pytest.approx(2.0 * (east - west))
    assert "the area" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert ax.get_title() == "Here" and "Made up." in ax.get_xlabel()


def test_an_unknown_measure_is_refused(made: Callable[..., Any]) -> None:
    """The measures that there are, are named."""
    with pytest.raises(ReportError, match=r"profit.*margin_per_week"):
        figures.area_sales_map(sold(made()), None, Figure().subplots(), measure="profit")


def test_labels_of_a_crowded_map_do_not_overlap(made: Callable[..., Any]) -> None:
    """Of forty stores on a small figure only those are labelled whose label has room."""
    ax = Figure(figsize=(3, 3)).subplots()
    figures.store_map(made(stores=40).areas, ax)
    boxes = [text.get_window_extent() for text in ax.texts]
    assert 1 < len(boxes) < 40
    assert not any(box.overlaps(other) for at, box in enumerate(boxes) for other in boxes[:at])


@pytest.mark.parametrize("size", [(12, 6), (6, 9), (9, 4)])
@pytest.mark.parametrize("store_id", [None, "S02"])
def test_nothing_is_printed_over_the_land_or_beyond_the_map(
    made: Callable[..., Any], store_id: str | None, size: tuple[float, float]
) -> None:
    """Whatever the shape of the figure: legend above the land, scale bar below it, both inside the map's own axes."""
    axes = Figure(figsize=size).subplots(1, 2)
    run = made(radius_m=1500.0)
    figures.trade_areas(run.areas, axes[0], store_id=store_id)
    axes[0].figure.draw_without_rendering()
    own, legend = axes[0].get_window_extent(), axes[0].get_legend().get_window_extent()
    bar = next(text for text in axes[0].texts if "m" in text.get_text()).get_window_extent()
    for box in (legend, bar):
        assert own.x0 <= box.x0 and box.x1 <= own.x1 and own.y0 <= box.y0 and box.y1 <= own.y1
    shapes = MapShapes(run.areas)
    window = (shapes.chain() if store_id is None else shapes.around(store_id)).window
    south, north = (axes[0].transData.transform((window[0], y))[1] for y in (window[1], window[3]))
    assert bar.y1 <= south and north <= legend.y0 + 1.0


@pytest.mark.parametrize("size", [(7, 4), (12, 6)])
def test_the_colour_bar_fits_the_map(made: Callable[..., Any], size: tuple[float, float]) -> None:
    """Its label is broken into lines where the map is narrow, and its ticks do not touch."""
    run, axes = made(), Figure(figsize=size).subplots(1, 2)
    stated = replace(run.chain.neighbourhoods, units={"median_income": "dollars of the year 1999, a year"})
    figures.profile_map(store_profiles(run.areas, stated), "median_income", axes[0])
    axes[0].figure.draw_without_rendering()
    own, (bar,) = axes[0].get_window_extent(), axes[0].child_axes
    label = bar.xaxis.label.get_window_extent()
    assert own.x0 <= label.x0 and label.x1 <= own.x1 and own.y0 <= label.y0
    ticks = [tick.get_window_extent() for tick in bar.get_xticklabels() if tick.get_text()]
    assert not any(tick.overlaps(other) for at, tick in enumerate(ticks) for other in ticks[:at])


def test_rings_are_drawn_as_circles(made: Callable[..., Any]) -> None:
    """Each store's ring is a line, and the legend has it."""
    ax = Figure(figsize=(8, 8)).subplots()
    figures.trade_areas(made(radius_m=1200.0).areas, ax)
    (lines,) = [drawn for drawn in ax.collections if isinstance(drawn, LineCollection)]
    assert len(lines.get_segments()) >= 4
    assert "ring around a store" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert ax.get_legend().get_title().get_text().startswith("part of the people")


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
