"""Cells become ids, numbers, whole numbers, choices; the rest is pointed out."""

from __future__ import annotations

import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.inputs.cells import convert, inferred
from assortment.inputs.tables import Column

ID = Column("id", "id", "")
PRICE = Column("price", "number", "", above=0)

# Text without space around it; half characters cannot be stored.
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text == text.strip())


@settings(max_examples=50, deadline=None)
@given(st.lists(texts, min_size=1))
def test_any_text_survives_as_an_id(ids: list[str]) -> None:
    """An id is kept letter by letter, leading zeros and odd characters too."""
    kept = [text for text in ids if not ("e" in text.casefold() and "." in text)]
    series, wrong = convert(ID, pd.Series(kept, dtype=object))
    assert not wrong
    assert series.tolist() == kept


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.integers(-(2**62), 2**62), texts), min_size=1))
def test_whole_numbers_and_text_may_be_mixed_in_ids(ids: list[object]) -> None:
    """Whole numbers turn into their digits, among text too."""
    kept = [value for value in ids if not (isinstance(value, str) and "e" in value.casefold() and "." in value)]
    series, wrong = convert(ID, pd.Series(kept, dtype=object))
    assert not wrong
    assert series.tolist() == [str(value) for value in kept]


@pytest.mark.parametrize("dtype", ["int64", "uint8", "Int64", "int64[pyarrow]", "category", "object"])
def test_ids_of_any_whole_type_become_digits(dtype: str) -> None:
    """Whole numbers of every pandas type become text."""
    series, wrong = convert(ID, pd.Series([12, 3], dtype=dtype))
    assert not wrong
    assert series.tolist() == ["12", "3"]
    assert series.dtype == "str"


def test_decimal_ids_are_told_once() -> None:
    """Ids that a missing value turned into decimals give one fault for the column, with the cause."""
    series, wrong = convert(ID, pd.Series([12.0, None, 13.0]))
    assert [(reason.once, "one is missing" in reason.expected) for reason in wrong] == [(True, True)]
    assert series.iloc[[0, 2]].tolist() == ["12", "13"]


@pytest.mark.parametrize("value", [1.5, True, pd.Timestamp("2024-01-01"), b"a", decimal.Decimal("1.5")])
def test_an_id_of_another_type_is_wrong(value: object) -> None:
    """Only text and whole numbers are ids."""
    _, wrong = convert(ID, pd.Series(["a", value], dtype=object))
    assert [reason.cells.tolist() for reason in wrong] == [[False, True]]


def test_ids_that_a_spreadsheet_shortened_are_wrong() -> None:
    """4.00E+12 is no id but what is left of one."""
    _, wrong = convert(ID, pd.Series(["4.00E+12", "4006381333931", "1E5"]))
    assert [reason.cells.tolist() for reason in wrong] == [[True, False, False]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.floats(0.01, 1e9), st.integers(1, 10**9)), min_size=1))
def test_numbers_survive_as_text_and_as_numbers(numbers: list[float]) -> None:
    """A number is the same whether it comes as number or as text."""
    for cells in (pd.Series(numbers), pd.Series([str(number) for number in numbers])):
        series, wrong = convert(PRICE, cells)
        assert not wrong
        assert series.tolist() == pytest.approx(numbers, rel=1e-14)


@pytest.mark.parametrize("cells", [["1.5", "", "NA", "n/a", None], [1.5, None, np.nan, pd.NA, "null"]])
def test_words_for_unknown_are_blank_numbers(cells: list[object]) -> None:
    """Blank cells and the usual words for unknown are blank, not wrong."""
    series, wrong = convert(PRICE, pd.Series(cells, dtype=object))
    assert not wrong
    assert series.isna().tolist() == [False, True, True, True, True]


@pytest.mark.parametrize("text", ["1,5", "$2.50", "1_000", "0x10", "True", "seven", "1 000", "inf", "-1", "0"])
def test_what_is_no_price_is_wrong(text: str) -> None:
    """Separators, signs, words, infinity, negative numbers and zero are no prices."""
    series, wrong = convert(PRICE, pd.Series(["2.5", text]))
    assert [reason.cells.tolist() for reason in wrong] == [[False, True]]
    assert series.isna().tolist() == [False, True]
    if set(text) & set("$,"):
        assert "decimal point" in wrong[0].expected


def test_dates_are_no_numbers() -> None:
    """A column of dates is not counted in nanoseconds."""
    _, wrong = convert(PRICE, pd.Series(pd.to_datetime(["2024-01-01"])))
    assert len(wrong) == 1


def test_whole_numbers_have_no_fraction() -> None:
    """A facing and a half is wrong; blank cells make the column float64, as NaN needs it."""
    series, wrong = convert(Column("facings", "whole", "", at_least=1), pd.Series(["2", "1.5", "", "0"]))
    assert sorted(np.flatnonzero(reason.cells).tolist() for reason in wrong) == [[1], [3]]
    assert series.dtype == "float64"
    assert convert(Column("facings", "whole", ""), pd.Series(["2"]))[0].dtype == "int64"


def test_choices_forgive_case_and_space() -> None:
    """A choice is found without regard to case and space around it; another word is wrong."""
    series, wrong = convert(Column("lock", "choice", "", choices=("in", "out")), pd.Series([" In", "OUT", "inn", None]))
    assert series.tolist()[:2] == ["in", "out"]
    assert [reason.cells.tolist() for reason in wrong] == [[False, False, True, False]]


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        (["1", "2"], "int64"),
        (["1.5", None], "float64"),
        (["1", "NA"], "float64"),
        (["01", "2"], "str"),
        (["0.5", "0"], "float64"),
        (["1", "red"], "str"),
        ([None, None], "str"),
    ],
)
def test_undeclared_columns_of_text_are_numbers_only_if_all_are(cells: list[str | None], dtype: str) -> None:
    """An attribute is a number where every known cell is one and none has a leading zero, such as a postal code."""
    assert inferred(pd.Series(cells, dtype="str")).dtype == dtype
