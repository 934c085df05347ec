"""``StoreProfiles``: who lives in each store's trade area."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from assortment.errors import GeographyError, listed
from assortment.geo.areas import TradeAreas
from assortment.geo.profiles.demographics import Demographics
from assortment.geo.profiles.expressions import Expression
from assortment.geo.profiles.foreign import foreign_profiles
from assortment.geo.profiles.margins import margin_of_ratio, margins_of_error
from assortment.geo.profiles.totals import totals
from assortment.inputs import Neighbourhoods


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
    areas, neighbourhoods
        What the profiles were made from; ``None`` for those from a frame.
    """

    table: pd.DataFrame
    counts: tuple[str, ...]
    rates: Mapping[str, str | None]
    known: pd.DataFrame
    areas: TradeAreas | None = field(default=None, repr=False)
    neighbourhoods: Neighbourhoods | None = field(default=None, repr=False)

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
        values, count_names, rate_names = foreign_profiles(frame, counts=counts or (), rates=rates or {})
        return cls(table=values, counts=count_names, rates=rate_names, known=values.notna().astype(np.float64))

    @property
    def store_ids(self) -> tuple[str, ...]:
        """Ids of the stores, in the order of the table."""
        return tuple(self.table.index)

    @cached_property
    def moe(self) -> pd.DataFrame | None:
        """Margins of error (90 %) of the same shape as ``table``, NaN where not known; see ``margins_of_error``.

        ``None`` where the neighbourhoods have none. Worked out at the first request.
        """
        if self.areas is None or self.neighbourhoods is None:
            return None
        margins = margins_of_error(Demographics.of(self.areas, self.neighbourhoods), self.areas)
        return None if margins is None else pd.DataFrame(margins, self.table.index, self.table.columns)

    @cached_property
    def totals(self) -> pd.DataFrame | None:
        """Rows ``chain`` and ``region``, columns as in ``table``: all whom some store serves, and all there are.

        Nobody counts twice: for the chain, each neighbourhood weighs as much as the part of it that at least one store
        serves. ``None`` for profiles from a frame. Worked out at the first request.
        """
        if self.areas is None or self.neighbourhoods is None:
            return None
        weights = np.stack([self.areas.covered, np.ones(len(self.areas.neighbourhood_ids))])
        values, _ = totals(Demographics.of(self.areas, self.neighbourhoods), lambda columns: weights @ columns)
        return pd.DataFrame(values, index=["chain", "region"], columns=self.table.columns)

    @cached_property
    def divided(self) -> pd.DataFrame:
        """Counts of each store where people whom several stores serve are divided over them.

        Like the counts of ``table``, but their sums over the stores are those of the chain. Use it wherever people
        stand for volume. The counts of ``table`` themselves where areas do not overlap, and for profiles from a frame.
        """
        own = self.table[list(self.counts)]
        if self.areas is None or self.neighbourhoods is None or self.areas.kind == "divides":
            return own
        count = Demographics.of(self.areas, self.neighbourhoods).count
        sums = self.areas.divided().sums(np.nan_to_num(count))
        return pd.DataFrame(sums, own.index, own.columns).where(own.notna())

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
        return self._values(expressions)

    def chain(self, expressions: Sequence[str]) -> pd.Series:
        """Evaluate demographic expressions for the chain as a whole.

        Ratios and rates are those of all people whom the chain serves; who lives in the areas of two stores counts
        once. A count is that of the average store. In profiles from a frame, where nothing is known of overlaps, ratios
        and rates are over the sums of all stores, and a rate without a base is the plain mean.

        Returns
        -------
        pandas.Series
            Indexed by the expressions. NaN where nothing is known.
        """
        return pd.Series({text: self._of_chain(self._parsed(text)) for text in expressions}, dtype=np.float64)

    def region(self, expressions: Sequence[str]) -> pd.Series:
        """Evaluate demographic expressions for all neighbourhoods of the data, whether a store serves them or not.

        Returns
        -------
        pandas.Series
            Indexed by the expressions; a count is the total. NaN where nothing is known.

        Raises
        ------
        GeographyError
            A name that is not known; profiles from a frame, which tell nothing of the region.
        """
        if self.totals is None:
            raise GeographyError("profiles from a frame tell nothing of the region; make them with store_profiles")
        whole = self.totals.T["region"]
        return pd.Series({text: self._parsed(text).of_whole(whole) for text in expressions}, dtype=np.float64)

    def index(self, expressions: Sequence[str], against: Literal["chain", "region"] = "chain") -> pd.DataFrame:
        r"""Compare each store with the chain or the region: 100 is the same, 120 is a fifth more.

        .. math:: I_s = 100 \frac{v_s}{v_{\text{reference}}}

        Parameters
        ----------
        expressions
            As for ``values``.
        against
            ``chain``: all whom the chain serves, for a count the average store. ``region``: all neighbourhoods.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``store_id``, one column per expression. NaN where a value is unknown or the reference is 0.

        Raises
        ------
        GeographyError
            As for ``values`` and ``region``; a count against the region, which is no store's size.
        """
        if against not in ("chain", "region"):
            raise GeographyError(f"index: there is nothing called {against!r} to compare with; use 'chain' or 'region'")
        plain = [text for text in expressions if self._is_count(self._parsed(text))]
        if against == "region" and plain:
            raise GeographyError(
                f"index: {listed(plain)} is a count, and no store serves the whole region; compare a rate, or a ratio "
                "such as over_65 / people"
            )
        reference = self.chain(expressions) if against == "chain" else self.region(expressions)
        return 100.0 * self._values(expressions) / reference.where(reference != 0.0)

    def margins(self, expressions: Sequence[str], *, ratios: Collection[str] = ()) -> pd.DataFrame:
        """Margins of error (90 %) of demographic expressions for each store.

        Parameters
        ----------
        expressions
            As for ``values``.
        ratios
            Those in which the upper count is not a part of the lower one, such as ``households / people``. Of the
            others it is taken as a part where it is no larger in any neighbourhood, which gives a narrower margin; see
            ``margin_of_ratio``.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``store_id``, one column per expression: the value is known to plus or minus this. NaN where it
            is not known, everywhere if the neighbourhoods have no margins.

        Raises
        ------
        GeographyError
            A name that is not known, with the nearest one that is.
        """
        columns = {text: self._margin(self._parsed(text), text not in ratios) for text in expressions}
        return pd.DataFrame(columns, index=self.table.index, dtype=np.float64)

    def _parsed(self, text: str) -> Expression:
        return Expression.parse(text, counts=self.counts, rates=tuple(self.rates))

    def _is_count(self, expression: Expression) -> bool:
        return expression.denominator is None and expression.numerator in self.counts

    def _values(self, expressions: Sequence[str]) -> pd.DataFrame:
        columns = {}
        for text in expressions:  # no comprehension: warnings count the frames up to the caller
            columns[text] = self._parsed(text).of_stores(self.table, self.known, stacklevel=4)
        return pd.DataFrame(columns, index=self.table.index, dtype=np.float64)

    def _of_chain(self, expression: Expression) -> float:
        if self._is_count(expression):
            return float(self.table[expression.numerator].mean())
        if self.totals is None:
            return self._average(expression)
        return expression.of_whole(self.totals.T["chain"])

    def _average(self, expression: Expression) -> float:
        """Average over the stores, for profiles from a frame."""
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

    def _margin(self, expression: Expression, may_be_part: bool) -> pd.Series:
        if self.moe is None or self.neighbourhoods is None:
            return pd.Series(np.nan, index=self.table.index)
        above, below = expression.numerator, expression.denominator
        if below is None:
            return self.moe[above]
        homes = self.neighbourhoods.frame
        is_part = may_be_part and not (homes[above] > homes[below]).any()
        four = [frame[name].to_numpy() for frame in (self.table, self.moe) for name in (above, below)]
        return pd.Series(margin_of_ratio(*four, is_part=is_part), index=self.table.index)


def store_profiles(areas: TradeAreas, neighbourhoods: Neighbourhoods) -> StoreProfiles:
    """Sum up who lives in each store's trade area.

    Counts are summed and rates averaged by their base, see ``totals``; margins of error go along, see ``moe``.

    Parameters
    ----------
    areas
        Shares of the same neighbourhoods.
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
    people = Demographics.of(areas, neighbourhoods)
    values, known = totals(people, areas.sums)
    index = pd.Index(areas.store_ids, name="store_id")
    return StoreProfiles(
        table=pd.DataFrame(values, index=index, columns=people.names),
        counts=people.counts,
        rates=dict(neighbourhoods.rates),
        known=pd.DataFrame(known, index=index, columns=people.names),
        areas=areas,
        neighbourhoods=neighbourhoods,
    )


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0.0 else float("nan")
