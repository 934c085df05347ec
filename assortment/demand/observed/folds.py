"""Parts of the data that are held out together, the same whatever the order of the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from assortment.demand.arrays import Ints

FOLDS = 5
"""Parts of the stores, or households, that are held out in turn."""


def fold_of(ids: Sequence[str], folds: int, seed: int) -> Ints:
    """Assign each id to one of ``folds`` parts of nearly equal size.

    Ids are put in the order of a hash of id and seed, then dealt out in turn; neither the order given nor the session
    matters.

    Parameters
    ----------
    ids
        Stores or households.
    folds
        Number of parts; no more are used than there are ids.
    seed
        Another seed gives another partition.
    """
    ranked = sorted(range(len(ids)), key=lambda i: hashlib.blake2b(f"{seed}\0{ids[i]}".encode()).digest())
    parts = np.empty(len(ids), dtype=np.intp)
    parts[ranked] = np.arange(len(ids)) % max(1, min(folds, len(ids)))
    return parts
