"""Maps for notebooks: trade areas, who lives in them, and what sells where; offered as ``assortment.plot``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import shapely

from assortment.errors import ReportError
from assortment.geo import MapShapes
from assortment.geo.profiles.expressions import Expression
from assortment.geo.sells.area_sales import ASSUMPTION
from assortment.geo.sells.weekly_sales import in_words
from assortment.report.maps import SHARES
from assortment.report.scale import Scale
from assortment.report.svg import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from assortment.geo import AreaMap, StoreProfiles, TradeAreas
    from assortment.geo.sells.area_sales import AreaSales
    from assortment.geo.sells.area_table import AreaTable
    from assortment.inputs import Neighbourhoods
    from assortment.report.map_axes import MapAxes

Measure = Literal["units_per_week", "sales_per_week", "margin_per_week", "index"]

_AS_IN_CHAIN = 100.0
_METHODS = {
    "huff": "Huff's model",
    "ring": "rings",
    "nearest": "the nearest store",
    "thiessen": "Thiessen polygons",
    "travel_time": "travel times",
    "customers": "where the customers live",
}
_BORDERS = {"ring": "ring around a store", "thiessen": "halfway between stores", "customers": "around the customers"}


def trade_areas(areas: TradeAreas, ax: Axes, *, store_id: str | None = None) -> Axes:
    """Draw the map of one store's trade area, or of the chain: each neighbourhood by its largest share.

    Parameters
    ----------
    areas
        Trade areas.
    ax
        Axes to draw on; what surrounds the land is laid out for the size that they have now.
    store_id
        Store whose area is drawn; ``None``: the whole chain.
    """
    shapes = MapShapes(areas)
    area = shapes.chain() if store_id is None else shapes.around(store_id)
    drawn = _map_axes(ax, area)
    for number, label in enumerate(area.classes):
        members = [shape.rings for shape in area.neighbourhoods if shape.share_class == number]
        drawn.fill(members, SHARES[number], label)
    drawn.lines(area.borders, _BORDERS.get(areas.method, "border of an area"))
    others = [(x, y) for store, x, y in area.stores if store != store_id]
    if store_id is not None:
        drawn.stores(areas.ground.store_xy[[areas.store_ids.index(store_id)]], "this store", star=True)
    if others:
        drawn.stores(np.array(others), "store" if store_id is None else "other store")
    whose = "the store that serves most of them" if store_id is None else "this store"
    drawn.finish(
        title="Trade areas" if store_id is None else f"Trade area of {store_id}",
        legend=f"part of the people served by {whose}",
        source=_source(areas),
    )
    return ax


def profile_map(profiles: StoreProfiles, column: str, ax: Axes, *, areas: TradeAreas | None = None) -> Axes:
    """Draw a demographic: neighbourhoods by their own value, stores by that of their trade area, on one scale.

    Parameters
    ----------
    profiles
        Who each store serves.
    column
        Demographic expression, such as ``median_income`` or ``over_65 / people``.
    ax
        Axes to draw on; what surrounds the land is laid out for the size that they have now.
    areas
        Trade areas that the profiles were made from; they hold the places. Needed for profiles that came from a frame,
        whose neighbourhoods stay plain.

    Raises
    ------
    ReportError
        The profiles lack a store of the areas, or no areas are known.
    """
    areas = profiles.areas if areas is None else areas
    if areas is None:
        raise ReportError(
            "these profiles came from a frame, which does not say where the stores are; give areas=trade_areas(...)"
        )
    values = profiles.values([column])[column]
    missing = [store for store in areas.store_ids if store not in values.index]
    if missing:
        raise ReportError(f"the profiles have no row for store {', '.join(missing)}; make them from these trade areas")
    of_stores = values.loc[list(areas.store_ids)].to_numpy(dtype=np.float64)
    area = MapShapes(areas).chain()
    own = _own_values(profiles, column, area)
    drawn = _map_axes(ax, area)
    scale = Scale.over(_label(column, profiles.neighbourhoods), of_stores, *([] if own is None else [own]))
    shapes = [shape.rings for shape in area.neighbourhoods]
    if own is None:
        drawn.fill(shapes, label="neighbourhood")
    else:
        drawn.colour(shapes, own, scale)
    drawn.coloured_stores(areas.ground.store_xy, of_stores, scale, "store: its trade area")
    drawn.finish(title=_words(column), scale=scale, source=_source(areas))
    return ax


def area_sales_map(
    area_sales: AreaSales,
    key: object,
    ax: Axes,
    *,
    measure: Measure = "units_per_week",
    area: AreaTable | None = None,
    currency: str = "",
    title: str | None = None,
    notes: Sequence[str] = (),
) -> Axes:
    """Draw what sells where: each neighbourhood by what its people buy of one key.

    Parameters
    ----------
    area_sales
        Sales spread over the trade areas.
    key
        Value of the column that the sales are added up by, such as ``"whole"``; ``None``: everything together.
    ax
        Axes to draw on; what surrounds the land is laid out for the size that they have now.
    measure
        ``units_per_week``, ``sales_per_week``, ``margin_per_week``, or ``index``: the key's share of all units against
        that of the chain, 100 being the same.
    area
        A table of one area: it is outlined, and the map shows what lies around it. Default: the whole chain.
    currency
        Of the chain, for the label of money.
    title
        Default: the key and the measure.
    notes
        Further lines below the map, such as what in the chain is made up.

    Raises
    ------
    ReportError
        An unknown measure.
    GeographyError
        A key that was not sold anywhere.
    """
    found = area_sales.of(key)
    if measure not in found:
        raise ReportError(f"there is no measure {measure!r}; available: {', '.join(map(str, found.columns))}")
    shapes = MapShapes(area_sales.areas)
    outline = None if area is None else area.outline
    shown = shapes.chain() if outline is None else shapes.over(outline)
    drawn = _map_axes(ax, shown)
    values = _inside(found[measure], shown)
    what = "everything" if key is None else in_words(key)
    if measure == "index":
        label = "index of the share of units, 100 = as in the chain"
        scale = Scale.around(label, _AS_IN_CHAIN, values, most=_AS_IN_CHAIN)
    else:
        money = f" ({currency})" if currency and measure != "units_per_week" else ""
        scale = Scale.over(f"{_words(measure)}{money}", values)
    drawn.colour([shape.rings for shape in shown.neighbourhoods], values, scale, without="nothing sells")
    if outline is not None:
        drawn.lines(_lines(outline), "the area", width=1.8)
    if shown.stores:
        drawn.stores(np.array([(x, y) for _, x, y in shown.stores]), colour="white")
    drawn.finish(
        title=title or f"{what}: {_words(measure)} by neighbourhood",
        scale=scale,
        source="\n".join([ASSUMPTION, _source(area_sales.areas), *notes]),
    )
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
    drawn = _map_axes(ax, area)
    drawn.fill([shape.rings for shape in area.neighbourhoods])
    drawn.stores(areas.ground.store_xy)
    drawn.finish()
    ax.apply_aspect()  # the place of a label is known only once the map has its shape
    drawn.labels(areas.ground.store_xy, areas.store_ids if labels is None else labels)
    return ax


def _map_axes(ax: Axes, area: AreaMap) -> MapAxes:
    # Imported when something is drawn: a run that only writes reports never loads matplotlib.
    from assortment.report.map_axes import MapAxes  # noqa: PLC0415

    return MapAxes(ax, area.window)


def _own_values(profiles: StoreProfiles, column: str, area: AreaMap) -> Floats | None:
    """The neighbourhoods' own values of an expression, in the order of the map; ``None`` where they are not known."""
    known = profiles.neighbourhoods
    if known is None:
        return None
    expression = Expression.parse(column, counts=known.counts, rates=tuple(known.rates))
    frame = pd.DataFrame(known.frame).set_index("neighbourhood_id")
    own = frame[expression.numerator].astype(np.float64)
    if expression.denominator is not None:
        below = frame[expression.denominator].astype(np.float64)
        own = own / below.where(below > 0.0)
    return _inside(own, area)


def _inside(values: pd.Series, area: AreaMap) -> Floats:
    """Values by neighbourhood_id in the order of the map."""
    shown: Floats = values.reindex([shape.neighbourhood_id for shape in area.neighbourhoods]).to_numpy(np.float64)
    return shown


def _lines(outline: shapely.Geometry) -> list[Floats]:
    return [shapely.get_coordinates(line) for line in shapely.get_parts(shapely.boundary(outline))]


def _label(column: str, neighbourhoods: Neighbourhoods | None) -> str:
    units = {} if neighbourhoods is None else neighbourhoods.units
    unit = units.get(column.strip(), "share" if "/" in column else "")
    return _words(column) + (f" ({unit})" if unit and unit != _words(column) else "")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _source(areas: TradeAreas) -> str:
    origin = areas.ground.attribution or f"{len(areas.neighbourhood_ids):,} neighbourhoods"
    return f"Source: {origin.rstrip('.')}. Trade areas: {_METHODS.get(areas.method, areas.method)}."
