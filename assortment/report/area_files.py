"""What sells in an area, as files: the table as CSV, the map as PNG; both are written, or neither."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from assortment.geo.sells.area_sales import AreaSales
from assortment.geo.sells.area_table import AreaTable
from assortment.geo.sells.weekly_sales import in_words
from assortment.inputs import Chain
from assortment.report.file import replacing_file, require_ending
from assortment.report.map_figures import area_sales_map

_INCHES = (8.0, 8.0)
_DPI = 150


def require_files(*, csv: Path | None, png: Path | None) -> None:
    """Raise ReportError where a file could not be written, before any work is done."""
    for file, ending in ((csv, ".csv"), (png, ".png")):
        if file is not None:
            require_ending(file, ending)


def save_area(
    sold: AreaSales, area: AreaTable, chain: Chain, *, csv: Path | None = None, png: Path | None = None
) -> None:
    """Write what sells in an area.

    Parameters
    ----------
    sold
        The sales of the chain on the map.
    area
        The area; of the whole chain, the CSV has every neighbourhood.
    chain
        For names, currency and what every output must say.
    csv, png
        Where to write; ``None``: not. The map shows what the area buys most beyond the chain's basket, or, of the whole
        chain, all units.

    Raises
    ------
    ReportError
        A file that cannot be written; then neither is.
    """
    with ExitStack() as files:
        if csv is not None:
            frame = sold.by_neighbourhood if area.outline is None else area.table
            named(frame, chain).to_csv(files.enter_context(replacing_file(csv, ending=".csv")), index=False)
        if png is not None:
            _draw(sold, area, chain, files.enter_context(replacing_file(png, ending=".png")))


def named(frame: pd.DataFrame, chain: Chain) -> pd.DataFrame:
    """Return a frame with the names of its products beside their ids."""
    if "product_id" not in frame or "name" in frame:
        return frame
    names = chain.products.frame.set_index("product_id")["name"]
    wide = frame.copy()
    wide.insert(int(list(frame.columns).index("product_id")) + 1, "name", frame["product_id"].map(names))
    return wide


def _draw(sold: AreaSales, area: AreaTable, chain: Chain, file: Path) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415 - only who wants a map waits for matplotlib

    figure = Figure(figsize=_INCHES)
    ax = figure.add_axes((0.03, 0.16, 0.94, 0.79))
    if area.outline is None:
        title = f"{chain.name}: units per week by neighbourhood"
        area_sales_map(sold, None, ax, title=title, notes=chain.notes)
    else:
        first = _most_beyond(area)
        key = tuple(first[column] for column in area.by)
        words = named(first.to_frame().T, chain).iloc[0]
        shown = in_words(tuple(words[column] for column in (["name"] if "name" in words else area.by)))
        title = f"{chain.name}: what sells most above the chain in {area.where}:\n{shown}"
        area_sales_map(sold, key, ax, measure="index", area=area, title=title, notes=chain.notes)
    figure.savefig(file, dpi=_DPI, bbox_inches="tight")


def _most_beyond(area: AreaTable) -> pd.Series:
    """The key of which the area buys most units more than it would with the basket of the chain."""
    beyond = area.table["share_of_units"] - area.table["chain_share_of_units"]
    return area.table.iloc[int(beyond.to_numpy().argmax())]
