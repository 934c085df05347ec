"""What the Census Bureau writes where the American Community Survey has no figure."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd

from assortment.errors import AssortmentWarning
from assortment.inputs.cells import as_numbers
from assortment.inputs.source import Source

CONTROLLED = -555_555_555
"""Margin of an estimate that is controlled to a census count, so that sampling adds no error."""

ANNOTATIONS = (-222_222_222, -333_333_333, CONTROLLED, -666_666_666, -888_888_888, -999_999_999)
"""Values that stand for a missing figure.

References
----------
US Census Bureau, American Community Survey, Notes on ACS Estimate and Annotation Values.
"""


def without_annotations(
    attributes: pd.DataFrame, *, estimates: Iterable[str], margins: Iterable[str], source: Source
) -> pd.DataFrame:
    """A frame in which annotation values are unknown, with one warning that counts them.

    Parameters
    ----------
    attributes
        Frame of the neighbourhoods; it is not written to.
    estimates, margins
        Columns of estimates, and of their margins of error; those that the frame lacks are passed over. The margin of a
        controlled estimate becomes 0.
    source
        Where the frame came from, for the warning.
    """
    replaced: dict[str, pd.Series] = {}
    counted: list[str] = []
    exact = set(margins)
    for name in dict.fromkeys([*estimates, *exact]):
        # A column that is there twice is a fault that is told elsewhere.
        if list(attributes.columns).count(name) != 1:
            continue
        numbers = as_numbers(attributes[name])
        controlled = (numbers == CONTROLLED) & (name in exact)
        unknown = np.isin(numbers, ANNOTATIONS) & ~controlled
        if controlled.any() or unknown.any():
            replaced[name] = attributes[name].astype(object).mask(controlled, 0.0).mask(unknown, np.nan)
        if unknown.any():
            counted.append(f"{name} ({int(unknown.sum())})")
    if counted:
        warnings.warn(
            f"{source.name}: annotation values of the Census Bureau, such as {ANNOTATIONS[3]}, are taken as unknown in "
            f"{', '.join(counted)}",
            AssortmentWarning,
            stacklevel=2,
        )
    return attributes.assign(**replaced) if replaced else attributes
