"""Gaps in a series of prices."""

from __future__ import annotations

import numpy as np

from assortment.demand.arrays import Floats


def carried_on(values: Floats, axis: int) -> Floats:
    """Fill gaps (NaN) along an axis with the value before them, or at the beginning with the first one after."""
    along = np.moveaxis(values, axis, 0)
    index = np.arange(len(along)).reshape(-1, *([1] * (along.ndim - 1)))
    for direction in (1, -1):
        turned = along[::direction]
        last = np.maximum.accumulate(np.where(np.isfinite(turned), index, 0), axis=0)
        along = np.take_along_axis(turned, last, axis=0)[::direction]
    return np.moveaxis(along, 0, axis)
