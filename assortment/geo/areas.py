"""``TradeAreas``: which part of each neighbourhood shops at each store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from assortment.errors import GeographyError
from assortment.geo.arrays import FloatArray
from assortment.geo.ground import Ground
from assortment.geo.wording import unknown

CELLS = 1 << 20
"""Store-neighbourhood pairs held at a time: 8 MB per array, so that chunks stay near the processor's cache."""


class ShareMatrix(Protocol):
    """Shares of S stores in M neighbourhoods, which need not exist as an array."""

    def rows(self, stores: slice) -> FloatArray:
        """Return the shares of some stores, shape (stores, M)."""

    def times(self, values: FloatArray) -> FloatArray:
        """Return shares @ values, shape (S, C), for values of shape (M, C)."""


@dataclass(frozen=True)
class SparseShares:
    """Shares where most stores have nothing to do with most neighbourhoods.

    Parameters
    ----------
    matrix
        Shares, shape (S, M).
    """

    matrix: csr_array

    def __post_init__(self) -> None:
        for array in (self.matrix.data, self.matrix.indices, self.matrix.indptr):
            array.setflags(write=False)

    def rows(self, stores: slice) -> FloatArray:
        """Return the shares of some stores, shape (stores, M)."""
        return np.asarray(self.matrix[stores].toarray(), dtype=np.float64)

    def times(self, values: FloatArray) -> FloatArray:
        """Return shares @ values, shape (S, C)."""
        return np.asarray(self.matrix @ values, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class TradeAreas:
    """Which part of each neighbourhood's people each store serves; made by ``trade_areas``.

    Attributes
    ----------
    kind
        ``"divides"``: the shares of a neighbourhood sum to at most 1 over the stores, so nobody is counted twice.
        ``"overlaps"``: areas may lie over each other, and each share may reach 1.
    method
        How the areas were made: huff, ring, nearest or thiessen.
    parameters
        What the method was given, as plain values for the record.
    ground
        The stores and neighbourhoods, in metres, for maps.
    matrix
        The shares; read them through ``blocks``, ``of_store``, ``sums`` or ``shares``.
    """

    kind: Literal["divides", "overlaps"]
    method: str
    parameters: Mapping[str, Any]
    ground: Ground
    matrix: ShareMatrix

    @property
    def store_ids(self) -> tuple[str, ...]:
        """Ids of the stores: the order of the rows (S) of the shares."""
        return self.ground.store_ids

    @property
    def neighbourhood_ids(self) -> tuple[str, ...]:
        """Ids of the neighbourhoods: the order of the columns (M) of the shares."""
        return self.ground.neighbourhood_ids

    @property
    def shares(self) -> pd.DataFrame:
        """All shares above zero as a frame ``store_id, neighbourhood_id, share``, made anew at each request.

        Every method but ring gives each person to some store, and Huff gives each store a part of every neighbourhood:
        then the frame has S × M rows. Use ``blocks`` or ``sums`` for large chains.
        """
        stores, neighbourhoods, shares = [], [], []
        for part, block in self.blocks():
            row, column = np.nonzero(block)
            stores.append(row + part.start)
            neighbourhoods.append(column)
            shares.append(block[row, column])
        return pd.DataFrame(
            {
                "store_id": np.array(self.store_ids, dtype=object)[np.concatenate(stores)],
                "neighbourhood_id": np.array(self.neighbourhood_ids, dtype=object)[np.concatenate(neighbourhoods)],
                "share": np.concatenate(shares),
            }
        )

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield slices of the stores, in order, with their shares of shape (stores, M), a few megabytes at a time."""
        size = max(1, CELLS // max(1, len(self.neighbourhood_ids)))
        for first in range(0, len(self.store_ids), size):
            part = slice(first, min(first + size, len(self.store_ids)))
            yield part, self.matrix.rows(part)

    def of_store(self, store_id: str) -> pd.Series:
        """Return the share of each neighbourhood that one store serves, indexed by neighbourhood_id.

        Raises
        ------
        GeographyError
            There is no such store.
        """
        if store_id not in self.store_ids:
            raise GeographyError(unknown("store", store_id, self.store_ids))
        row = self.store_ids.index(store_id)
        shares = self.matrix.rows(slice(row, row + 1))[0]
        return pd.Series(shares, index=pd.Index(self.neighbourhood_ids, name="neighbourhood_id"), name=store_id)

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum values of the neighbourhoods over each store's area, each weighted by its share.

        Parameters
        ----------
        values
            Shape (M, C), in the order of ``neighbourhood_ids``, without NaN.

        Returns
        -------
        numpy.ndarray
            Shape (S, C). The S × M shares are never held at once.
        """
        return self.matrix.times(values)
