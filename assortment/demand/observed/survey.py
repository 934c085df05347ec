"""A survey as choices: in each group of respondents, what they were asked about and what they chose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Floats, Ints, positions
from assortment.demand.observed.choices import SURVEY, Purchases
from assortment.demand.observed.folds import FOLDS
from assortment.demand.observed.witness import Witness
from assortment.errors import Fault, listed
from assortment.inputs import Column, Source
from assortment.inputs.cells import convert
from assortment.inputs.source import cell_faults, shown

if TYPE_CHECKING:
    from assortment.inputs import Products

NAME = "survey"
_STORE = Column("store_id", "id", "where they were asked")
_NOT_A_GROUP = ("product_id", "respondents", "chose", "price")
_PARTS = 5 * FOLDS
"""Parts into which the answers of a group are dealt, to be held out like households."""


def survey_faults(
    survey: pd.DataFrame,
    products: Products,
    *,
    segment: str | None,
    segments: Mapping[str, str],
    stores: Sequence[str],
) -> Iterator[Fault]:
    """Give what in a survey does not fit to the products, segments and stores.

    Parameters
    ----------
    survey
        Its table, as far as it could be understood.
    products
        All that it may ask about.
    segment, segments
        Group column that names a segment, and the segments; ``None`` where there are none.
    stores
        Ids that a group column ``store_id`` may hold.
    """
    source = Source(NAME)
    if "product_id" in survey:
        asked = survey["product_id"]
        unknown = (asked.notna() & ~asked.isin(products.ids)).to_numpy(dtype=bool)
        expected = "a product of the fit; leave the rows of others out"
        yield from cell_faults(source, "product_id", unknown, found=lambda at: shown(asked.iloc[at]), expected=expected)
    if segment is not None and segment in survey:
        names = _text(survey[segment])
        wrong = (~names.isin(list(segments))).to_numpy(dtype=bool)
        expected = f"one of the segments {listed(segments)}"
        yield from cell_faults(
            source, segment, wrong, found=lambda at: shown(survey[segment].iloc[at]), expected=expected
        )
    if "store_id" in survey:
        ids = convert(_STORE, survey["store_id"])[0]
        wrong = (ids.notna() & ~ids.isin(list(stores))).to_numpy(dtype=bool)
        yield from cell_faults(
            source, "store_id", wrong, found=lambda at: shown(ids.iloc[at]), expected="a store with a profile"
        )
    if "price" in survey:
        price = pd.to_numeric(survey["price"], errors="coerce")
        wrong = (survey["price"].notna() & ~((price > 0) & (price < np.inf))).to_numpy(dtype=bool)
        yield from cell_faults(
            source,
            "price",
            wrong,
            found=lambda at: shown(survey["price"].iloc[at]),
            expected="a number above 0, or nothing for the regular price",
        )
        yield from _two_prices(survey, source)


def _two_prices(survey: pd.DataFrame, source: Source) -> Iterator[Fault]:
    if "product_id" not in survey:
        return
    keys = [_groups(survey)[0], survey["product_id"]]
    wrong = (survey["price"].groupby(keys, dropna=False).transform("nunique") > 1).to_numpy(dtype=bool)
    yield from cell_faults(
        source,
        "price",
        wrong,
        found=lambda at: f"{survey['price'].iloc[at]} beside another price of the product in the same group",
        expected="one price of a product in a group; tell the tasks apart in a column of their own",
    )


def survey_witness(
    survey: pd.DataFrame, products: Products, *, segment: str | None, segments: Mapping[str, str], seed: int
) -> Witness | None:
    """Lay a survey without faults out as states.

    What a group could choose is all that it was asked about; who chose nothing is not used, since an answer to an
    interviewer costs nothing and says little of who leaves a store without a purchase. The answers of a group are dealt
    at random into parts, so that a fit can be judged by answers that it has not seen.

    Parameters
    ----------
    survey
        Group columns (all that have no other meaning), product_id, respondents, chose, optionally price.
    products
        All that is asked about.
    segment, segments
        Group column that names the segment of the respondents, and the segments.
    seed
        Chooses the parts.

    Returns
    -------
    Witness or None
        A state per group and fold; ``None`` where nobody chose anything.
    """
    group, columns = _groups(survey)
    product = positions(products.ids, survey["product_id"])
    regular = np.log(products.frame["price"].to_numpy(np.float64))
    offered = np.zeros((int(group.max()) + 1, len(products.ids)), dtype=np.bool_)
    offered[group, product] = True
    log_price = np.broadcast_to(regular, offered.shape).copy()
    if "price" in survey:
        price = survey["price"].to_numpy(np.float64, na_value=np.nan)
        given = np.isfinite(price)
        log_price[group[given], product[given]] = np.log(price[given])
    first = np.unique(group, return_index=True)[1]
    store = np.full(len(offered), None, dtype=object)
    if "store_id" in survey:
        ids = convert(_STORE, survey["store_id"])[0].astype(object).iloc[first]
        store = ids.where(ids.notna(), None).to_numpy(dtype=object)
    kind = np.full(len(offered), -1, dtype=np.intp)
    if segment is not None and segment in survey:
        kind = positions(list(segments), _text(survey[segment]))[first]
    rows = _dealt(survey, group, product, seed)
    if rows.empty:
        return None
    keys = ["group", "fold"]
    states = rows[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    state = pd.MultiIndex.from_frame(states).get_indexer(pd.MultiIndex.from_frame(rows[keys]))
    of = states["group"].to_numpy()
    block = pd.factorize(rows["group"] * _PARTS + rows["part"], sort=True)[0]
    return Witness(
        source=SURVEY,
        store=store[of],
        segment=kind[of],
        fold=states["fold"].to_numpy(),
        week=np.full(len(states), -1, dtype=np.intp),
        offered=offered[of],
        log_price=log_price[of],
        purchases=Purchases(block, state, rows["product"].to_numpy(), rows["units"].to_numpy()),
        notes=_notes(survey, group, columns, segment),
    )


def _groups(survey: pd.DataFrame) -> tuple[Ints, list[str]]:
    """(R,) group of each row, and the columns that tell the groups apart."""
    columns = [str(name) for name in survey.columns if name not in _NOT_A_GROUP]
    if not columns:
        return np.zeros(len(survey), dtype=np.intp), []
    keys = [_text(survey[name]).fillna("") for name in columns]
    return np.asarray(survey.groupby(keys, sort=True).ngroup(), dtype=np.intp), columns


def _dealt(survey: pd.DataFrame, group: Ints, product: Ints, seed: int) -> pd.DataFrame:
    """Rows group, part, fold, product, units: the choices of each row of the survey, dealt into parts at random.

    The same row is dealt alike wherever it stands, and so counts as often as it is there.
    """
    dealt = np.zeros((len(survey), _PARTS))
    texts = ["\0".join(map(str, cells)) for cells in survey.itertuples(index=False)]
    for row, (text, chose) in enumerate(zip(texts, survey["chose"].to_numpy(np.float64), strict=True)):
        rng = np.random.default_rng(list(hashlib.blake2b(f"{seed}\0{text}".encode(), digest_size=16).digest()))
        whole = int(chose)
        dealt[row] = rng.multinomial(whole, np.full(_PARTS, 1.0 / _PARTS))
        dealt[row, rng.integers(_PARTS)] += chose - whole
    r, part = np.nonzero(dealt)
    rows = pd.DataFrame({"group": group[r], "part": part, "product": product[r], "units": dealt[r, part]})
    rows = rows.groupby(["group", "part", "product"])[["units"]].sum().reset_index()
    return rows.assign(fold=rows["part"] % FOLDS)


def _notes(survey: pd.DataFrame, group: Ints, columns: list[str], segment: str | None) -> tuple[str, ...]:
    asked: Floats = survey["respondents"].to_numpy(np.float64)
    people = float(pd.Series(asked).groupby(group).max().sum())
    apart = f" told apart by {listed(columns)}" if columns else ""
    at = "the prices that it states" if "price" in survey else "regular prices"
    notes = [
        f"The survey asked {people:,.0f} people in {int(group.max()) + 1} groups{apart}: each group chose among the "
        f"products that it has a row for, at {at}. Who chose nothing is not used."
    ]
    if (pd.Series(asked).groupby(group).nunique() > 1).any():
        notes.append(
            "Within a group of the survey the number of respondents differs between products; all are taken to have "
            "been asked about all."
        )
    if segment is not None and segment not in survey:
        notes.append(f"The survey has no column {segment}: its respondents are taken as a mixture of the segments.")
    return tuple(notes)


def _text(cells: pd.Series) -> pd.Series:
    return cells.astype("string").str.strip()
