"""Gaps in a series of prices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from assortment.demand.arrays import Floats


def carried_on(values: Floats, axis: int) -> Floats:
    """Fill gaps (NaN) along an axis with the value before them, or at the beginning with the first one after."""
    filled = np.array(values, dtype=np.float64)
    along = np.moveaxis(filled, axis, 0)
    for before, after in pairwise(along):
        np.copyto(after, before, where=~np.isfinite(after))
    for after, before in pairwise(along[::-1]):
        np.copyto(before, after, where=~np.isfinite(before))
    return filled
