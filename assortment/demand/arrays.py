"""Array types of the demand stage, and the read-only copies that its frozen types hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]


def readonly_floats(values: Any) -> Floats:
    """Return a copy of ``values`` as 64-bit floats that cannot be written to."""
    copy = np.array(values, dtype=np.float64)
    copy.setflags(write=False)
    return copy


def readonly_bools(values: Any) -> Bools:
    """Return a copy of ``values`` as booleans that cannot be written to."""
    copy = np.array(values, dtype=np.bool_)
    copy.setflags(write=False)
    return copy


def positions(ids: Sequence[str] | pd.Index, values: pd.Series) -> Ints:
    """Return where each value stands in ``ids``, which holds none twice; -1 where it does not."""
    # Long columns hold few different values: each of these is looked up once.
    codes, different = pd.factorize(values)
    found = np.append(pd.Index(ids).get_indexer(pd.Index(different)), -1)
    return np.asarray(found[codes], dtype=np.intp)
