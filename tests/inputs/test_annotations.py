"""Annotation values and margins of the American Community Survey in the neighbourhoods."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from assortment.errors import AssortmentWarning, Fault
from assortment.inputs import Neighbourhoods

Faults = Callable[..., tuple[Fault, ...]]
NAN = float("nan")
RATES = {"median_income": "people"}


def test_margins_are_found_beside_what_is_declared(squares: gpd.GeoDataFrame) -> None:
    """``people_moe`` belongs to people; a margin of a column that nobody declared is a further column."""
    squares = squares.assign(people_moe=[1, 2, 3, None], tract_moe="x")
    made = Neighbourhoods.from_frame(squares, counts=["people"], rates=RATES)
    assert made.margins == {"people": "people_moe"}
    assert made.frame["people_moe"].tolist() == pytest.approx([1, 2, 3, NAN], nan_ok=True)
    assert made.frame["tract_moe"].tolist() == ["x"] * 4


def test_annotation_values_are_unknown_and_counted(squares: gpd.GeoDataFrame) -> None:
    """Jam values become unknown in one warning; the margin of a controlled estimate is zero and needs none."""
    squares = squares.assign(
        people=[100, -999_999_999, 5, 5],
        people_moe=[-555_555_555, -222_222_222, 3.0, 4.0],
        median_income=["30000", "-666666666", "-888888888", None],
        other=-666_666_666,
    )
    with pytest.warns(AssortmentWarning) as caught:
        made = Neighbourhoods.from_frame(squares, counts=["people"], rates=RATES)
    (message,) = [str(warning.message) for warning in caught]
    assert "people (1), median_income (2), people_moe (1)" in message
    frame = made.frame
    assert frame["people"].tolist() == pytest.approx([100, NAN, 5, 5], nan_ok=True)
    assert frame["people_moe"].tolist() == pytest.approx([0, NAN, 3, 4], nan_ok=True)
    assert frame["median_income"].tolist() == pytest.approx([30_000, NAN, NAN, NAN], nan_ok=True)
    assert (frame["other"] == -666_666_666).all() and squares["people"].iloc[1] == -999_999_999


def test_controlled_estimates_alone_need_no_warning(squares: gpd.GeoDataFrame) -> None:
    """Zero error is nothing unknown."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssortmentWarning)
        made = Neighbourhoods.from_frame(squares.assign(people_moe=-555_555_555), counts=["people"])
    assert np.array_equal(made.frame["people_moe"], np.zeros(4))


def test_a_negative_margin_and_a_margin_declared_are_faults(squares: gpd.GeoDataFrame, faults_of: Faults) -> None:
    """Any other negative margin, words, and a margin among the counts are told."""
    faults = faults_of(
        Neighbourhoods.from_frame,
        squares.assign(people_moe=pd.Series([1, -2, "much", 3], index=squares.index, dtype=object)),
        counts=["people"],
    )
    assert [(fault.row, fault.column) for fault in faults] == [(3, "people_moe"), (2, "people_moe")]
    (fault,) = faults_of(
        Neighbourhoods.from_frame, squares.assign(people_moe=1.0), counts=["people", "people_moe"], rates={}
    )
    assert fault.column == "people_moe" and "'people'" in fault.found
