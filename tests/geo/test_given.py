"""Parameters that may be one number, one per store or format, or a column: each form, and each fault."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from geo_worlds import dense, grid, stores_at
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo import trade_areas
from assortment.geo.given import Given, numbers, recorded

TABLE = pd.DataFrame({"format": ["small", "large", "small"], "reach": ["7", 8, 9.5]})
IDS = ("7", "08", "city")


def found(given: object, **limits: float) -> list[float]:
    """The numbers of the three stores."""
    array = numbers(given, TABLE, IDS, parameter="radius_m", **(limits or {"above": 0.0}))  # type: ignore[arg-type]
    return [float(number) for number in array]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (5, [5, 5, 5]),
        (np.float64(5.0), [5, 5, 5]),
        ("reach", [7, 8, 9.5]),
        ([1, 2, 3], [1, 2, 3]),
        (np.array([1.0, 2.0, 3.0]), [1, 2, 3]),
        ({"08": 2, "city": 3, "7": 1}, [1, 2, 3]),
        ({7: 1, "08": 2, "city": 3}, [1, 2, 3]),
        ({7.0: 1, "08": 2, "city": 3}, [1, 2, 3]),
        (pd.Series([3, 1, 2], index=["city", 7, "08"]), [1, 2, 3]),
        (pd.Series({"city": 3, "7": 1, "08": 2, "closed": 9}), [1, 2, 3]),
        ({"small": 1000, "large": 4000}, [1000, 4000, 1000]),
        (pd.Series({"large": 4000, "small": 1000}), [1000, 4000, 1000]),
        ({"small": 1000, "large": 4000, "rival": 1}, [1000, 4000, 1000]),
        ({"small": 1000, "large": 4000, "city": 500}, [1000, 4000, 500]),
    ],
)
def test_each_form_gives_a_number_per_store(given: object, expected: list[float]) -> None:
    """A number, a column, an order, ids (as text or numbers), formats, and ids before formats."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(given) == expected


@settings(max_examples=30, deadline=None)
@given(
    by_format=st.fixed_dictionaries({"small": st.floats(1.0, 1e6), "large": st.floats(1.0, 1e6)}),
    by_id=st.dictionaries(st.sampled_from(IDS), st.floats(1.0, 1e6)),
)
def test_an_id_comes_before_its_format(by_format: dict[str, float], by_id: dict[str, float]) -> None:
    """Whatever ids are named, they have their own number, and all others that of their format."""
    expected = [by_id.get(label, by_format[name]) for label, name in zip(IDS, TABLE["format"], strict=True)]
    assert found(by_format | by_id) == expected


def test_formats_that_are_whole_numbers_are_found() -> None:
    """Format 2 is found under 2, 2.0 and "2", in whatever type the table holds it."""
    for column in ([2, 1], [2.0, 1.0], ["2", "1"]):
        for names in ((2, 1), (2.0, 1.0), ("2", "1")):
            table = pd.DataFrame({"format": column})
            assert numbers(dict(zip(names, (20.0, 10.0), strict=True)), table, ("a", "b"), parameter="p").tolist() == [
                20.0,
                10.0,
            ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"small": 1000, "lagre": 4000},
            r"radius_m: no number is given for store 08 \(format large\); index it by store_id or by format; "
            "found numbers for small, lagre",
        ),
        ({}, r"for store 7 \(format small\), 08 \(format large\), city \(format small\); .* found numbers for nothing"),
        (pd.Series([1, 2, 3], index=["small", "large", "small"]), "more than one number is given for small"),
        ({7: 1, "7": 2, "08": 3, "city": 4}, "more than one number is given for 7"),
        ("raech", "radius_m: store column 'raech' is not known; did you mean 'reach'"),
        ([1, 2], r"expected one number per store, 3 of them; found an array of shape \(2,\)"),
        (True, "radius_m: expected numbers; found True"),
        (
            {"small": 0, "large": 1},
            r"expected a number above 0 for each store; found otherwise for 7 \(0\), city \(0\)",
        ),
        ([1, "x", np.inf], r"found otherwise for 08 \(x\), city \(inf\)"),
        ("format", r"found otherwise for 7 \(small\), 08 \(large\), city \(small\)"),
        (-3, r"radius_m: expected a number above 0; found -3$"),
        (None, r"radius_m: expected a number above 0; found None$"),
    ],
)
def test_what_cannot_be_used_is_named(given: object, message: str) -> None:
    """Each message names the parameter, the stores, and what to do."""
    with pytest.raises(GeographyError, match=message):
        found(given)


def test_the_least_number_itself_is_allowed() -> None:
    """At least 0 takes 0, above 0 does not."""
    assert found(0, least=0.0) == [0.0, 0.0, 0.0]
    with pytest.raises(GeographyError, match=r"radius_m: expected a number of at least 0 for each store; .* 7 \(-1\)"):
        found([-1, 0, 1], least=0.0)


def test_a_store_without_a_format_needs_a_number_of_its_own() -> None:
    """A blank format is not a format; the message says so, and an id helps."""
    table = pd.DataFrame({"format": ["small", None]})
    with pytest.raises(GeographyError, match=r"for store b \(no format\)"):
        numbers({"small": 1.0}, table, ("a", "b"), parameter="decay")
    assert numbers({"small": 1.0, "b": 2.0}, table, ("a", "b"), parameter="decay").tolist() == [1.0, 2.0]


def test_a_misspelled_store_beside_formats_is_told() -> None:
    """Ids and formats together that name something else: it would silently have the number of its format."""
    with pytest.warns(
        AssortmentWarning, match="no store is called citty or has that format.* formats here: small, large"
    ):
        assert found({"small": 1, "large": 2, "7": 3, "citty": 9}) == [3, 2, 1]


@pytest.mark.parametrize(
    ("given", "record"),
    [
        (2, 2),
        ("reach", "reach"),
        ({"small": 1000, "large": 4000}, {"small": 1000.0, "large": 4000.0}),
        (pd.Series({7: 1}), {"7": 1.0}),
        ({7.0: 1}, {"7": 1.0}),
        (np.array([1.0, 2.0]), [1.0, 2.0]),
    ],
)
def test_the_record_keeps_what_was_given(given: Given, record: object) -> None:
    """Plain values that can be written to a file, a mapping under its stores or formats."""
    assert recorded(given) == record


def test_a_ring_may_have_a_radius_by_format() -> None:
    """What holds for one parameter holds for all: radii by format are those radii store by store."""
    stores = stores_at([(500, 500), (2500, 1500)], format=["small", "large"])
    by_format = trade_areas(stores, grid(4, 3), method="ring", radius_m={"small": 300, "large": 900})
    assert dense(by_format) == pytest.approx(
        dense(trade_areas(stores, grid(4, 3), method="ring", radius_m=[300, 900])), rel=1e-12
    )
    assert by_format.parameters["radius_m"] == {"small": 300.0, "large": 900.0}
