"""``Scale``: the colours that stand for a quantity on a map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, log10

import numpy as np

from assortment.report.svg import Floats

_MANY = 100
"""From so many values on, one that stands alone, such as a sentinel, does not take the colours from the others."""
_BEYOND = {(True, True): "both", (True, False): "min", (False, True): "max", (False, False): "neither"}


@dataclass(frozen=True)
class Scale:
    """The colours of a quantity.

    Parameters
    ----------
    label
        The quantity and its unit.
    low, high
        Values of the first and the last colour, low < high.
    colours
        Name of the colour map; all in use can be told apart by colour-blind readers.
    beyond
        Where values lie outside the range: neither, min, max or both.
    """

    label: str
    low: float
    high: float
    colours: str = "cividis"
    beyond: str = "neither"

    @classmethod
    def over(cls, label: str, *values: Floats) -> Scale | None:
        """Return the scale of all known values, of many without the outermost 2 %; ``None`` where none is known."""
        known = np.concatenate([each[np.isfinite(each)] for each in values])
        if not known.size:
            return None
        least, greatest = float(known.min()), float(known.max())
        low, high = least, greatest
        if known.size >= _MANY:
            low, high = map(float, np.quantile(known, [0.02, 0.98]))
        if not high > low:
            low, high = least, max(greatest, least + max(abs(least), 1.0) * 0.1)
        return cls(label, low, high, beyond=_BEYOND[least < low, greatest > high])

    @classmethod
    def around(cls, label: str, middle: float, values: Floats, *, most: float) -> Scale | None:
        """Return a scale whose neutral colour stands for ``middle``, and that ends ``most`` from it at the latest."""
        known = values[np.isfinite(values)]
        if not known.size:
            return None
        least, greatest = float(known.min()), float(known.max())
        half = max(min(max(greatest - middle, middle - least), most), 0.05 * most)
        return cls(
            label, middle - half, middle + half, "PuOr_r", _BEYOND[least < middle - half, greatest > middle + half]
        )

    @property
    def written(self) -> Callable[[float, object], str]:
        """How values are written beside the colours: thousands separators, and decimals where the range is small."""
        digits = max(0, 1 - floor(log10(self.high - self.low)))
        return lambda value, _: f"{value:,.{digits}f}"
