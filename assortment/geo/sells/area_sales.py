"""``area_sales``: what sells where people live, by neighbourhood, in a drawn area, or around a place."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.areas import TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.cover.overlay import Zones
from assortment.geo.profiles.totals import part
from assortment.geo.sells.area_table import AreaTable
from assortment.geo.sells.drawn import Drawn, disc_on_plane, on_plane
from assortment.geo.sells.spread import Spread
from assortment.geo.sells.weekly_sales import MEASURES, WeeklySales, weekly_sales
from assortment.geo.wording import unknown
from assortment.inputs import Neighbourhoods, Products, Sales

ASSUMPTION = "Each store's sales are spread over its trade area by who lives there; they were not measured at homes."

_COLUMNS = (*MEASURES, "share_of_units", "chain_share_of_units", "index", "neighbourhood_id")


@dataclass(frozen=True, kw_only=True, eq=False)
class AreaSales:
    """The sales of a chain on the map; made by ``area_sales``, which states the assumption behind it.

    Attributes
    ----------
    sold
        What each store sells per week.
    spread
        Where those live who buy it.
    """

    sold: WeeklySales
    spread: Spread

    @property
    def areas(self) -> TradeAreas:
        """Who each store serves."""
        return self.spread.areas

    @property
    def chain(self) -> AreaTable:
        """What sells in the whole chain."""
        parts = np.ones(len(self.areas.store_ids))
        return self._table(parts, "the whole chain", float(self.spread.people.sum()), None)

    @property
    def by_neighbourhood(self) -> pd.DataFrame:
        """What sells in each neighbourhood, one row per neighbourhood and key of which anything sells there.

        Columns ``neighbourhood_id``, the key columns, ``units_per_week``, ``sales_per_week``, ``margin_per_week``. Made
        anew at each request: by product, Huff areas give nearly as many rows as neighbourhoods times products.
        """
        places, keys, amounts = [], [], []
        size = len(self.sold.keys)
        for rows, block in self.spread.blocks(self.sold.amounts.transpose(1, 0, 2).reshape(len(self.sold.weeks), -1)):
            spread = block.reshape(len(block), len(MEASURES), size)
            place, key = np.nonzero(spread[:, 0])
            places.append(place + rows.start)
            keys.append(key)
            amounts.append(spread[place, :, key])
        ids = np.array(self.areas.neighbourhood_ids, dtype=object)[np.concatenate(places)]
        frame = self.sold.keys.iloc[np.concatenate(keys)].reset_index(drop=True)
        frame.insert(0, "neighbourhood_id", ids)
        return frame.assign(**dict(zip(MEASURES, np.concatenate(amounts).T, strict=True)))

    def of(self, key: object = None) -> pd.DataFrame:
        """Return what each neighbourhood buys of one key, or of all together: for maps.

        Parameters
        ----------
        key
            Value of the key column, such as ``"whole"``, or a tuple of them; ``None``: all keys together.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``neighbourhood_id``, all M of them: ``units_per_week``, ``sales_per_week``,
            ``margin_per_week`` and ``index`` (share of the key in the neighbourhood's units, 100 = as in the chain;
            NaN where nothing sells).

        Raises
        ------
        GeographyError
            A key that was not sold anywhere.
        """
        total = self.sold.amounts.sum(axis=2)
        chosen = total if key is None else self.sold.amounts[:, :, self.sold.position(key)]
        spread = np.concatenate([block for _, block in self.spread.blocks(np.vstack([chosen, total[:1]]).T)])
        frame = pd.DataFrame(
            spread[:, :3], columns=list(MEASURES), index=pd.Index(self.areas.neighbourhood_ids, name="neighbourhood_id")
        )
        share = part(spread[:, 0], spread[:, 3])
        return frame.assign(index=100.0 * part(share, np.array(chosen[0].sum() / total[0].sum())))

    def neighbourhood(self, neighbourhood_id: str) -> AreaTable:
        """Return what sells in one neighbourhood.

        Raises
        ------
        GeographyError
            There is no such neighbourhood, or nothing sells there.
        """
        ids = self.areas.neighbourhood_ids
        if neighbourhood_id not in ids:
            raise GeographyError(unknown("neighbourhood", neighbourhood_id, ids))
        row = ids.index(neighbourhood_id)
        covered = np.zeros(len(ids))
        covered[row] = 1.0
        where = f"neighbourhood {neighbourhood_id}"
        return self._covered(covered, self.spread.parts(covered), where, self.areas.ground.polygons[row])

    def within(self, polygon: Drawn, crs: Any = None) -> AreaTable:
        """Return what sells in a drawn area.

        Neighbourhoods on its border are split by area, or by what is counted inside where the trade areas were. Where
        a ring, a Thiessen polygon or a hull cuts one too, its store's sales go to what both hold.

        Parameters
        ----------
        polygon
            A shapely polygon or multipolygon, or a GeoSeries or GeoDataFrame of them, in any CRS.
        crs
            CRS of a polygon that states none, such as ``"EPSG:4326"`` for longitude and latitude.

        Raises
        ------
        GeographyError
            An area without CRS, empty, not valid, outside every neighbourhood, or in which nothing sells.
        """
        area = on_plane(polygon, self.areas.ground.plane, crs=crs)
        return self._inside(np.array([area]), area, "the drawn area")

    def near(self, longitude: float, latitude: float, within_m: float) -> AreaTable:
        """Return what sells within a distance of a place, neighbourhoods on the circle split as by ``within``.

        Parameters
        ----------
        longitude, latitude
            Degrees (EPSG:4326).
        within_m
            Metres, above 0.

        Raises
        ------
        GeographyError
            A place that is not on the earth, outside every neighbourhood, or around which nothing sells.
        """
        disc = disc_on_plane(longitude, latitude, within_m, self.areas.ground.plane)
        where = f"the area within {within_m / 1000.0:g} km of {longitude:g}, {latitude:g}"
        return self._inside(disc, disc.polygons[0], where)

    def _inside(self, zone: Zones, area: shapely.Geometry, where: str) -> AreaTable:
        """The table of one area that was drawn, which may lie outside every neighbourhood."""
        ground = self.areas.ground
        covered = self.spread.covered(zone)
        if not shapely.intersects(area, ground.polygons).any():
            metres = shapely.distance(area, ground.polygons)
            nearest = int(np.argmin(metres))
            raise GeographyError(
                f"{where} lies outside every neighbourhood, {metres[nearest] / 1000.0:,.1f} km from the nearest, "
                f"{ground.neighbourhood_ids[nearest]}; check its coordinates (longitude comes first) and its CRS"
            )
        return self._covered(covered, self.spread.parts(covered, area), where, area)

    def _covered(self, covered: FloatArray, parts: FloatArray, where: str, outline: shapely.Geometry) -> AreaTable:
        """What sells in a part of each neighbourhood, shape (M,), where a part of each store's sales goes, (S,)."""
        if not (parts @ self.sold.amounts[0]).any():
            raise GeographyError(
                f"nothing sells in {where}: no store with known sales serves anybody there; choose a larger area, or "
                "trade areas that reach it"
            )
        return self._table(parts, where, float(self.spread.people @ covered), outline)

    def _table(self, parts: FloatArray, where: str, people: float, outline: shapely.Geometry | None) -> AreaTable:
        """What sells where a part of each store's sales goes, shape (S,)."""
        here = dict(zip(MEASURES, parts @ self.sold.amounts, strict=True))
        of_store, chain = self.sold.amounts[0].sum(axis=1), self.sold.amounts[0].sum(axis=0)
        units = here["units_per_week"]
        share, chain_share = units / units.sum(), chain / chain.sum()
        table = self.sold.keys.assign(
            **here, share_of_units=share, chain_share_of_units=chain_share, index=100.0 * part(share, chain_share)
        )
        given = parts * of_store
        stores = pd.DataFrame(
            {
                "store_id": self.areas.store_ids,
                "units_per_week": given,
                "part_of_area": given / given.sum(),
                "part_of_store": parts,
            }
        )
        return AreaTable(
            where=where,
            by=self.sold.by,
            table=_most_first(table),
            people=people,
            people_column=self.spread.people_column,
            from_stores=_most_first(stores[given > 0.0]),
            outline=outline,
        )


def area_sales(
    sales: Sales | None,
    products: Products,
    areas: TradeAreas,
    neighbourhoods: Neighbourhoods,
    *,
    by: str | tuple[str, ...] = "product_id",
    people: str | None = None,
    prices: pd.DataFrame | None = None,
    weeks: tuple[Any, Any] | None = None,
) -> AreaSales:
    r"""Spread each store's sales over those whom it serves.

    .. math:: u_{mk} = \sum_s U_{sk} \frac{w_{sm} p_m}{\sum_n w_{sn} p_n}

    for units (money, margin) U of store s and key k per week, its share w of neighbourhood m, and people p. Every
    store's total is conserved. The tills do not know who lives where: **all whom a store serves are taken to buy the
    same there**, so neighbourhoods differ by the stores that serve them, not by measurement at homes.

    Parameters
    ----------
    sales
        Units by week, store and product. Rows of other products are ignored; a week without a row of a store is
        unknown, not zero, so each store's weekly figures are those of the weeks that it has rows in.
    products
        Regular prices, costs, and the columns to add up by.
    areas
        Who each store serves.
    neighbourhoods
        Those that the areas were made from.
    by
        ``product_id``, or any other column of the products, such as ``brand``; or a tuple of columns.
    people
        The count to spread by; default: the first that the neighbourhoods declare.
    prices
        Frame store_id, product_id, price, unit_cost where they differ from the product's. A sale without a price of its
        own counts at the regular price. Margin = (price − unit cost) × units.
    weeks
        First and last week to use, both included; default: all.

    Returns
    -------
    AreaSales
        Ask it ``.neighbourhood(id)``, ``.within(polygon)``, ``.near(longitude, latitude, within_m)``, ``.chain`` or
        ``.by_neighbourhood``. Sales of a store in whose trade area nobody lives stay in the neighbourhood where the
        store stands, with a warning.

    Raises
    ------
    GeographyError
        No sales, or none of these products or weeks; an unknown column or count; stores or neighbourhoods that the
        areas do not know.

    Examples
    --------
    >>> sold = area_sales(chain.sales, chain.products, areas, chain.neighbourhoods, by="type")  # doctest: +SKIP
    >>> sold.near(-121.49, 38.58, 3000).table  # doctest: +SKIP
    """
    if sales is None:
        raise GeographyError(
            "what sells in an area is known from till sales, and there are none; add a table of sales to the chain "
            "(week, store_id, product_id, units). Household baskets do not say what else the stores sell"
        )
    sold = weekly_sales(sales, products, areas.store_ids, by=by, prices=prices, weeks=weeks)
    taken = [column for column in sold.by if column in _COLUMNS]
    if taken:
        raise GeographyError(f"by: column {listed(taken)} would be taken for a column of the result; rename it")
    spread = Spread.over(areas, neighbourhoods, people)
    lonely = np.flatnonzero((spread.served == 0.0) & (sold.weeks > 0))
    if lonely.size:
        places = (f"{areas.store_ids[row]} ({areas.neighbourhood_ids[spread.home[row]]})" for row in lonely)
        warnings.warn(
            "nobody lives in the trade area of these stores, so their sales stay in the neighbourhood where they "
            f"stand: {listed(places)}",
            AssortmentWarning,
            stacklevel=2,
        )
    return AreaSales(sold=sold, spread=spread)


def _most_first(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("units_per_week", ascending=False, kind="stable", ignore_index=True)
