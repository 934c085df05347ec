"""Longitude and latitude that stand in each other's place."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assortment.errors import Fault
from assortment.inputs.cells import as_numbers
from assortment.inputs.source import Source

_PLACE = ["longitude", "latitude"]
ADVICE = "they look swapped: exchange the two columns, or their names"


def put_right(frame: pd.DataFrame, source: Source) -> tuple[pd.DataFrame, list[Fault]]:
    """A frame with longitude and latitude in their places, and one fault where they had to be exchanged.

    They look swapped where most latitudes lie beyond the poles while the longitudes would do as latitudes. Near the
    meridian of Greenwich both would do, and only a map can tell.

    Parameters
    ----------
    frame
        Frame as it came, each column once.
    source
        Where it came from, for the messages.
    """
    if not set(_PLACE) <= set(frame.columns):
        return frame, []
    longitude, latitude = (as_numbers(frame[name]) for name in _PLACE)
    known = np.isfinite(longitude) & np.isfinite(latitude)
    x, y = longitude[known], latitude[known]
    swapped = (np.abs(y) > 90) & (np.abs(y) <= 180) & (np.abs(x) <= 90)
    if not swapped.sum() * 2 > len(swapped):
        return frame, []
    found = f"latitudes from {y.min():g} to {y.max():g} beside longitudes from {x.min():g} to {x.max():g}"
    expected = f"longitudes and latitudes; {ADVICE}"
    fault = Fault(source.name, 1 if source.is_text else None, ", ".join(_PLACE), found, expected)
    # What else is wrong with them is looked for as if they had been exchanged.
    return frame.rename(columns=dict(zip(_PLACE, reversed(_PLACE), strict=True))), [fault]
