"""Household baskets as choices: segments of households instead of stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Bools, Floats, Ints, positions
from assortment.demand.observed.choices import Choices, Purchases
from assortment.demand.observed.folds import FOLDS, fold_of
from assortment.demand.observed.gaps import carried_on
from assortment.errors import DemandError, listed

if TYPE_CHECKING:
    from assortment.inputs import Products

_ONE_KIND = "kind of shoppers"


@dataclass(frozen=True)
class BasketRecord:
    """Purchases of households by segment (K segments, W weeks, N products).

    Parameters
    ----------
    segments
        K values of the household column, in the order of the classes.
    households
        (K,), number of households, those that bought nothing included.
    units_per_household
        (K,), per week.
    weeks
        (W,); a single week of no name when the baskets have none.
    offered
        (W, N): from the first to the last week in which anybody bought it.
    log_price
        (W, N): median price of the week; gaps take the weeks around.
    rows
        household (index), segment, fold, week, product (codes), units and store_id (or ``None``) of each purchase.
    notes
        What was assumed.
    """

    segments: tuple[str, ...]
    households: Floats
    units_per_household: Floats
    weeks: pd.Index
    offered: Bools
    log_price: Floats
    rows: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def price_varies(self) -> bool:
        """Whether any product was sold at more than one price."""
        high = np.where(self.offered, self.log_price, -np.inf).max(axis=0)
        low = np.where(self.offered, self.log_price, np.inf).min(axis=0)
        return bool((high - low > 1e-6).any())

    def choices(self, *, with_price: bool) -> Choices:
        """Return a state per week, segment and fold with purchases; what is held out together is a household."""
        keys = ["week", "segment", "fold"]
        states = self.rows[keys].drop_duplicates().sort_values(keys, ignore_index=True)
        state = pd.MultiIndex.from_frame(states).get_indexer(pd.MultiIndex.from_frame(self.rows[keys]))
        product, units = self.rows["product"].to_numpy(), self.rows["units"].to_numpy(np.float64)
        week = states["week"].to_numpy()
        counts = np.zeros((len(states), self.offered.shape[1]))
        np.add.at(counts, (state, product), units)
        covariates = self.log_price[week][None] if with_price else np.zeros((0, *counts.shape))
        return Choices(
            group=states["segment"].to_numpy(),
            fold=states["fold"].to_numpy(),
            week=week,
            offered=self.offered[week],
            covariates=covariates,
            counts=counts,
            weeks=np.ones(len(states)),
            purchases=Purchases(self.rows["household"].to_numpy(), state, product, units),
        )


def segments_of(households: pd.DataFrame, segment: str) -> dict[str, str]:
    """Return the values of a household column, each standing for the profile count of the same name.

    Raises
    ------
    DemandError
        The households have no such column.
    """
    _require(households, segment)
    return {name: name for name in sorted(households[segment].dropna().astype(str).unique())}


def basket_record(
    baskets: pd.DataFrame,
    households: pd.DataFrame,
    products: Products,
    *,
    segment: str | None,
    segments: Mapping[str, str],
    seed: int,
) -> BasketRecord:
    """Lay household baskets out by segment.

    Parameters
    ----------
    baskets
        household_id, product_id, units, optionally week and price.
    households
        household_id and the column ``segment``.
    products
        The products of the category; rows of others are ignored.
    segment
        Household column whose values are the classes of shoppers; ``None``: all households are of one.
    segments
        Its values, in order, each with the profile count of such people; one of any name where there is no column.
    seed
        Chooses which households are held out together.

    Raises
    ------
    DemandError
        A column or a segment that does not exist, or no purchases of these products.
    """
    if segment is None:
        segment = _ONE_KIND
        households = households.assign(**dict.fromkeys([segment], next(iter(segments))))
    _require(households, segment)
    known = households[households[segment].isin(list(segments))].drop_duplicates("household_id")
    empty = [name for name in segments if name not in set(known[segment])]
    if empty:
        found = _values(households[segment]) or "no value at all"
        raise DemandError(f"No household has {segment} = {', '.join(empty)}; found {found}.")
    ids = tuple(known["household_id"].astype(str))
    member = pd.DataFrame(
        {
            "household": np.arange(len(ids)),
            "segment": positions(list(segments), known[segment]),
            "fold": fold_of(ids, FOLDS, seed),
        },
        index=pd.Index(ids, name="household_id"),
    )
    bought = baskets[baskets["units"] > 0]
    ours = bought[bought["product_id"].isin(products.ids)]
    others = _others(bought, products, households)
    inside = ours["household_id"].astype(str).isin(ids).to_numpy()
    rows = ours[inside]
    if rows.empty:
        raise DemandError("The baskets hold no purchases of these products by households of a known segment.")
    week_codes, weeks = _weeks(ours)
    offered, log_price = _offers(ours, week_codes, weeks, products)
    coded = member.loc[pd.Index(rows["household_id"].astype(str))].reset_index(drop=True)
    coded["week"] = week_codes[inside]
    coded["product"] = positions(products.ids, rows["product_id"])
    coded["units"] = rows["units"].to_numpy(np.float64)
    coded["store_id"] = _stores(rows, known)
    number = np.bincount(member["segment"], minlength=len(segments)).astype(np.float64)
    units = np.bincount(coded["segment"], coded["units"], len(segments))
    return BasketRecord(
        segments=tuple(segments),
        households=number,
        units_per_household=units / number / len(weeks),
        weeks=weeks,
        offered=offered,
        log_price=log_price,
        rows=coded,
        notes=(*_notes(len(households) - len(known), segment, len(ids)), *others),
    )


def _require(households: pd.DataFrame, segment: str) -> None:
    if segment not in households.columns:
        raise DemandError(
            f"Households have no column '{segment}'; they have {', '.join(map(str, households.columns))}."
        )


def _stores(rows: pd.DataFrame, households: pd.DataFrame) -> pd.Series:
    """Where each purchase was made: as the basket says, else the household's usual store; ``None``: not known."""
    usual = pd.Series(None, index=rows.index, dtype=object)
    if "store_id" in households.columns:
        home = households.set_index(households["household_id"].astype(str))["store_id"].astype(object)
        usual = rows["household_id"].astype(str).map(home)
    if "store_id" in rows.columns:
        usual = rows["store_id"].astype(object).where(rows["store_id"].notna(), usual)
    return usual.where(usual.notna(), None).reset_index(drop=True)


def _weeks(rows: pd.DataFrame) -> tuple[Ints, pd.Index]:
    if "week" not in rows.columns:
        return np.zeros(len(rows), dtype=np.intp), pd.Index([0])
    codes, weeks = pd.factorize(rows["week"], sort=True)
    return codes, pd.Index(weeks)


def _offers(rows: pd.DataFrame, week: Ints, weeks: pd.Index, products: Products) -> tuple[Bools, Floats]:
    """What could be bought in each week, and its log price: both (W, N), from all households."""
    product = positions(products.ids, rows["product_id"])
    sold = np.zeros((len(weeks), len(products.ids)), dtype=np.bool_)
    sold[week, product] = True
    offered = np.maximum.accumulate(sold, axis=0) & np.maximum.accumulate(sold[::-1], axis=0)[::-1]
    regular = np.log(products.frame["price"].to_numpy(np.float64))
    price = np.full(sold.shape, np.nan)
    if "price" in rows.columns:
        paid = pd.Series(rows["price"].to_numpy(np.float64, na_value=np.nan))
        median = paid.where(paid > 0).groupby([week, product]).median().dropna()
        price[median.index.get_level_values(0), median.index.get_level_values(1)] = np.log(median.to_numpy())
    price = carried_on(price, axis=0)
    return offered, np.where(np.isfinite(price), price, regular)


def _others(bought: pd.DataFrame, products: Products, households: pd.DataFrame) -> tuple[str, ...]:
    """What to say of purchases of products and by households that were not given."""
    products_left = bought["product_id"][~bought["product_id"].isin(products.ids)].drop_duplicates()
    strangers = bought["household_id"][~bought["household_id"].isin(households["household_id"])].drop_duplicates()
    notes = []
    if len(products_left):
        notes.append(f"Purchases of products that are not among those to fit are left out: {listed(products_left)}.")
    if len(strangers):
        notes.append(f"Purchases by households that are not in the table of households: {listed(strangers)}.")
    return tuple(notes)


def _notes(without: int, segment: str, households: int) -> tuple[str, ...]:
    known = "" if segment == _ONE_KIND else f" with known {segment}"
    notes = [
        f"The baskets are of {households} households{known}; a product is taken to be on offer "
        "everywhere from the first to the last week in which any household bought it, at the median price of the week.",
    ]
    if without:
        notes.append(f"{without} households are left out: their {segment} is not known or not among the segments.")
    return tuple(notes)


def _values(column: pd.Series) -> str:
    return ", ".join(sorted(map(str, column.dropna().unique()))[:20])
