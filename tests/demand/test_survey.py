"""A survey as choices."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from demand_worlds import make_products

from assortment.demand.observed.choices import SURVEY
from assortment.demand.observed.survey import survey_faults, survey_witness
from assortment.demand.observed.witness import Witness
from assortment.inputs import Products

SEGMENTS = {"young": "a", "old": "b"}


@pytest.fixture(scope="module")
def products() -> Products:
    return make_products(4)


def table() -> pd.DataFrame:
    """Two ages were asked, about three products each; one of the young in a second town."""
    rows = [
        ("young", "north", "000", 90.0, 30.0),
        ("young", "north", "001", 90.0, 0.0),
        ("young", "north", "002", 90.0, 41.0),
        ("young", "south", "000", 50.0, 20.0),
        ("young", "south", "001", 50.0, 11.0),
        ("old", "north", "001", 70.0, 44.0),
        ("old", "north", "003", 70.0, 6.5),
    ]
    return pd.DataFrame(rows, columns=["age", "town", "product_id", "respondents", "chose"])


def seen(survey: pd.DataFrame, products: Products, *, segment: str | None = "age", seed: int = 0) -> Witness:
    found = survey_witness(survey, products, segment=segment, segments=SEGMENTS, seed=seed)
    assert found is not None
    return found


def counted(witness: Witness) -> pd.Series:
    """Units by segment, what was on offer, and product."""
    rows = witness.purchases
    keys = pd.MultiIndex.from_arrays(
        [
            witness.segment[rows.state],
            ["".join(map(str, there.astype(int))) for there in witness.offered[rows.state]],
            rows.product,
        ]
    )
    return pd.Series(rows.units, index=keys).groupby(level=[0, 1, 2]).sum()


def test_each_group_chooses_among_what_it_was_asked_about(products: Products) -> None:
    """Offers are the rows of a group, also those that nobody chose; choices add up; nothing else is counted."""
    witness = seen(table(), products)
    assert witness.source == SURVEY and (witness.week == -1).all()
    assert counted(witness).to_dict() == {
        (0, "1110", 0): 30.0,
        (0, "1110", 2): 41.0,
        (0, "1100", 0): 20.0,
        (0, "1100", 1): 11.0,
        (1, "0101", 1): 44.0,
        (1, "0101", 3): 6.5,
    }
    assert np.allclose(np.exp(witness.log_price), products.frame["price"].to_numpy())
    assert not witness.price_varies
    assert any("asked 210 people in 3 groups told apart by age, town" in note for note in witness.notes)


def test_answers_are_dealt_into_parts_that_are_held_out_whole(products: Products) -> None:
    """Every part has one fold; folds are of similar size; another seed deals otherwise, the same seed alike."""
    survey = table().assign(chose=lambda frame: 100 * frame["chose"], respondents=1e4)
    witness, rows = seen(survey, products), seen(survey, products).purchases
    fold = pd.Series(witness.fold[rows.state]).groupby(rows.block)
    assert (fold.nunique() == 1).all()
    share = pd.Series(rows.units).groupby(witness.fold[rows.state]).sum() / rows.units.sum()
    assert len(share) == 5 and share.between(0.18, 0.22).all()
    assert (seen(survey, products).purchases.units == rows.units).all()
    other = seen(survey, products, seed=1).purchases
    assert other.units.sum() == rows.units.sum() and not np.array_equal(other.units, rows.units)


def test_the_order_and_the_repetition_of_rows_do_not_matter(products: Products) -> None:
    """Shuffled, the survey is the same; each row twice, every cell holds twice as much."""
    once, shuffled = seen(table(), products), seen(table().sample(frac=1.0, random_state=3), products)
    twice = seen(pd.concat([table(), table()]), products)
    assert counted(once).equals(counted(shuffled))
    assert (counted(twice) == 2 * counted(once)).all()
    assert (twice.purchases.units == 2 * once.purchases.units).all()
    assert (twice.purchases.state == once.purchases.state).all()


def test_stated_prices_replace_the_regular_ones(products: Products) -> None:
    """A column price is no group column; where it is empty the regular price stands."""
    survey = table().assign(price=[2.5, np.nan, np.nan, 1.5, np.nan, np.nan, np.nan])
    witness = seen(survey, products)
    assert witness.price_varies and len(counted(witness)) == 6
    first = {round(float(np.exp(price)), 6) for price in witness.log_price[witness.segment == 0, 0]}
    assert first == {1.5, 2.5}


def test_where_they_were_asked_and_who_they_were(products: Products) -> None:
    """store_id is the store, the segment column the segment; without one the answers are of no segment, said so."""
    survey = table().assign(store_id=[7, 7, 7, np.nan, np.nan, 8, 8])
    witness = seen(survey, products)
    assert set(witness.store[witness.segment == 1]) == {"8"}
    assert set(witness.store[witness.segment == 0]) == {"7", None}
    nobody = seen(table().drop(columns="age"), products)
    assert (nobody.segment == -1).all()
    assert any("has no column age: its respondents are taken as a mixture" in note for note in nobody.notes)
    assert (seen(table(), products, segment=None).segment == -1).all()


def test_differing_numbers_of_respondents_are_said(products: Products) -> None:
    """Not all were asked about all: the note says how that is taken."""
    survey = table()
    survey.loc[0, "respondents"] = 80.0
    assert any("number of respondents differs" in note for note in seen(survey, products).notes)
    assert not any("number of respondents differs" in note for note in seen(table(), products).notes)


def test_a_survey_in_which_nobody_chose_says_nothing(products: Products) -> None:
    """There is no state to fit."""
    assert survey_witness(table().assign(chose=0.0), products, segment=None, segments={}, seed=0) is None


def test_what_does_not_fit_is_named_with_its_row(products: Products) -> None:
    """Products, segments, stores and prices, each with what is expected."""
    survey = table().assign(store_id="S1", price=1.0)
    survey.loc[0, "product_id"] = "999"
    survey.loc[1, "age"] = "middle"
    survey.loc[2, "store_id"] = "S9"
    survey.loc[3, "price"] = -2.0
    survey = pd.concat([survey, survey.iloc[[5]].assign(price=2.0)], ignore_index=True)
    faults = [str(fault) for fault in survey_faults(survey, products, segment="age", segments=SEGMENTS, stores=["S1"])]
    for part in (
        "row 1, column 'product_id': found '999'",
        "row 2, column 'age': found 'middle'; expected one of the segments young, old",
        "row 3, column 'store_id': found 'S9'; expected a store with a profile",
        "row 4, column 'price': found -2.0",
        "row 6, column 'price': found 1.0 beside another price",
        "row 8, column 'price': found 2.0 beside another price",
    ):
        assert any(part in fault for fault in faults), (part, faults)
    assert len(faults) == 6
