"""``StoreProfiles``: who lives in each store's trade area."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo.areas import TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.expressions import Expression
from assortment.geo.wording import listed, unknown
from assortment.inputs import Neighbourhoods

_KNOWN_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class StoreProfiles:
    """Demographics of each store's trade area.

    Attributes
    ----------
    table
        One row per store, indexed by ``store_id``: counts, then rates, under their own names. NaN is unknown.
    counts
        Columns that are numbers of people, households, …
    rates
        Columns that are averages, each with the count that it is an average over, or ``None`` where that is not known.
    known
        Same shape as ``table``, 0 to 1. Of a rate: the part of its base for which the rate is known. Of a count: the
        part of the area's neighbourhoods, by share, for which it is known. A count is the sum of what is known, not
        scaled up.
    """

    table: pd.DataFrame
    counts: tuple[str, ...]
    rates: Mapping[str, str | None]
    known: pd.DataFrame

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, counts: Sequence[str] | None = None, rates: Mapping[str, str | None] | None = None
    ) -> StoreProfiles:
        """Take profiles from elsewhere.

        Parameters
        ----------
        frame
            One row per store, indexed by ``store_id`` or with such a column. Ids become text: 7 and 7.0 are "7".
        counts
            Columns that are counts; the bases of ``rates`` are counts without being named here.
        rates
            Rate columns, each with its base count. Numeric columns declared nowhere are rates without a base, whose
            chain average is the plain mean over stores; text columns are left out.

        Raises
        ------
        GeographyError
            A store twice; a declared column that is missing or not numeric.
        """
        table = frame.set_index("store_id") if "store_id" in frame.columns else frame
        table = table.set_axis(pd.Index([_as_text(store) for store in table.index], name="store_id"))
        twice = table.index[table.index.duplicated()].unique()
        if len(twice):
            raise GeographyError(f"the profiles hold more than one row for store {listed(twice)}; keep one each")
        declared = dict(rates or {})
        bases = [base for base in declared.values() if base is not None]
        count_names = tuple(dict.fromkeys([*(counts or ()), *bases]))
        _require_numeric(table, [*count_names, *declared])
        others = [name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
        rate_names = declared | {name: None for name in others if name not in count_names and name not in declared}
        values = table[[*count_names, *rate_names]].astype(np.float64)
        return cls(table=values, counts=count_names, rates=rate_names, known=values.notna().astype(np.float64))

    @property
    def store_ids(self) -> tuple[str, ...]:
        """Ids of the stores, in the order of the table."""
        return tuple(self.table.index)

    def values(self, expressions: Sequence[str]) -> pd.DataFrame:
        """Evaluate demographic expressions for each store.

        Parameters
        ----------
        expressions
            Each the name of a column, or a ratio of two counts: ``over_65 / people``.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``store_id``, one column per expression, named as written. A ratio over nobody is NaN, with a
            warning.

        Raises
        ------
        GeographyError
            A name that is not known, with the nearest one that is.
        """
        columns = {}
        for text in expressions:  # no comprehension: warnings count the frames up to the caller
            columns[text] = self._value(self._parsed(text))
        return pd.DataFrame(columns, index=self.table.index, dtype=np.float64)

    def chain(self, expressions: Sequence[str]) -> pd.Series:
        """Evaluate demographic expressions for the chain as a whole.

        Ratios and rates are those of all people in the trade areas together, so large areas weigh more; where areas
        overlap, who lives in two counts twice. A rate without a base is the plain mean over stores, and so is a count:
        that of the average store.

        Returns
        -------
        pandas.Series
            Indexed by the expressions. NaN where nothing is known.
        """
        return pd.Series({text: self._average(self._parsed(text)) for text in expressions}, dtype=np.float64)

    def _parsed(self, text: str) -> Expression:
        return Expression.parse(text, counts=self.counts, rates=tuple(self.rates))

    def _value(self, expression: Expression) -> pd.Series:
        above = self.table[expression.numerator]
        if expression.denominator is None:
            return above
        below = self.table[expression.denominator]
        nobody = self.table.index[below == 0.0]
        if len(nobody):
            warnings.warn(
                f"'{expression.text}' is unknown for store {listed(nobody)}: {expression.denominator} is 0 there",
                AssortmentWarning,
                stacklevel=3,
            )
        self._warn_of_unlike_parts(expression)
        return above / below.where(below != 0.0)

    def _warn_of_unlike_parts(self, expression: Expression) -> None:
        difference = (self.known[expression.numerator] - self.known[expression.denominator]).abs()
        unlike = self.table.index[difference > _KNOWN_TOLERANCE]
        if len(unlike):
            warnings.warn(
                f"'{expression.text}' leans to one side for store {listed(unlike)}: {expression.numerator} and "
                f"{expression.denominator} are not known for the same neighbourhoods",
                AssortmentWarning,
                stacklevel=4,
            )

    def _average(self, expression: Expression) -> float:
        value = self.table[expression.numerator]
        if expression.denominator is not None:
            below = self.table[expression.denominator]
            both = value.notna() & below.notna()
            return _ratio(float(value[both].sum()), float(below[both].sum()))
        base = self.rates.get(expression.numerator)
        weight = pd.Series(1.0, index=value.index)
        if base is not None:
            weight = self.table[base] * self.known[expression.numerator]
        both = value.notna() & weight.notna()
        return _ratio(float((value * weight)[both].sum()), float(weight[both].sum()))


def store_profiles(areas: TradeAreas, neighbourhoods: Neighbourhoods) -> StoreProfiles:
    r"""Sum up who lives in each store's trade area.

    .. math::

        C_s = \sum_m w_{sm} c_m \qquad R_s = \frac{\sum_m w_{sm} b_m r_m}{\sum_m w_{sm} b_m}

    for a count c and a rate r with base count b, each sum over the neighbourhoods where the terms are known.

    Parameters
    ----------
    areas
        Shares w of the same neighbourhoods.
    neighbourhoods
        Which columns are counts and which are rates; NaN is unknown.

    Returns
    -------
    StoreProfiles
        With the stores of ``areas``, in their order. A value is NaN where nothing of it is known, and an average over
        nobody is NaN too.

    Raises
    ------
    GeographyError
        The areas are of other neighbourhoods.

    Notes
    -----
    Rates are never weighted by area: that would let empty land speak for people (27,279 instead of 29,145 dollars of
    median income in a Sacramento ring).
    """
    frame = _in_order_of(areas, neighbourhoods)
    counts, rates = tuple(neighbourhoods.counts), dict(neighbourhoods.rates)
    count = frame[list(counts)].to_numpy(dtype=np.float64, na_value=np.nan)
    rate = frame[list(rates)].to_numpy(dtype=np.float64, na_value=np.nan)
    base = frame[list(rates.values())].to_numpy(dtype=np.float64, na_value=np.nan)
    parts = {
        "count": np.nan_to_num(count),
        "count known": np.isfinite(count).astype(np.float64),
        "share": np.ones((len(frame), 1)),
        "rate × base": np.nan_to_num(rate * base),
        "base where rate": np.where(np.isfinite(rate), np.nan_to_num(base), 0.0),
        "base": np.nan_to_num(base),
    }
    sums = areas.sums(np.hstack(list(parts.values())))
    ends = np.cumsum([part.shape[1] for part in parts.values()])
    total = dict(zip(parts, np.split(sums, ends[:-1], axis=1), strict=True))
    values = [
        np.where(total["count known"] > 0.0, total["count"], np.nan),
        _part(total["rate × base"], total["base where rate"]),
    ]
    known = [_part(total["count known"], total["share"]), _part(total["base where rate"], total["base"])]
    index = pd.Index(areas.store_ids, name="store_id")
    names = [*counts, *rates]
    return StoreProfiles(
        table=pd.DataFrame(np.hstack(values), index=index, columns=names),
        counts=counts,
        rates=rates,
        known=pd.DataFrame(np.nan_to_num(np.hstack(known)), index=index, columns=names),
    )


def _in_order_of(areas: TradeAreas, neighbourhoods: Neighbourhoods) -> pd.DataFrame:
    frame = pd.DataFrame(neighbourhoods.frame)
    if tuple(neighbourhoods.ids) == areas.neighbourhood_ids:
        return frame
    unlike = set(neighbourhoods.ids) ^ set(areas.neighbourhood_ids)
    if unlike:
        raise GeographyError(
            f"the trade areas were made from other neighbourhoods: {listed(sorted(unlike))} stand in only one "
            "of the two; make the areas again from these neighbourhoods"
        )
    return frame.set_index("neighbourhood_id").loc[list(areas.neighbourhood_ids)]


def _part(above: FloatArray, below: FloatArray) -> FloatArray:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0.0)


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0.0 else float("nan")


def _as_text(store: object) -> str:
    if isinstance(store, float | np.floating) and float(store).is_integer():
        return str(int(store))
    return str(store)


def _require_numeric(table: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in table.columns:
            raise GeographyError(f"profiles: {unknown('column', name, [str(column) for column in table.columns])}")
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise GeographyError(
                f"profiles: column '{name}' is declared as a count or rate but is not numeric; convert it"
            )
