"""``TradeAreas``: which part of each neighbourhood shops at each store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from assortment.errors import GeographyError
from assortment.geo.arrays import FloatArray, Geometries
from assortment.geo.cover.overlay import Zones
from assortment.geo.cover.pieces import Pieces
from assortment.geo.cover.units import Units, covered_parts, pieces_of
from assortment.geo.ground.ancillary import Ancillary
from assortment.geo.ground.ground import Ground
from assortment.geo.wording import unknown

CELLS = 1 << 20
"""Store-neighbourhood pairs held at a time: 8 MB per array, so that chunks stay near the processor's cache."""


class ShareMatrix(Protocol):
    """Shares of S stores in M neighbourhoods, which need not exist as an array."""

    def rows(self, stores: slice) -> FloatArray:
        """Return the shares of some stores, shape (stores, M)."""

    def columns(self, neighbourhoods: slice) -> FloatArray:
        """Return the shares of all stores in some neighbourhoods, shape (S, neighbourhoods)."""

    def times(self, values: FloatArray) -> FloatArray:
        """Return shares @ values, shape (S, C), for values of shape (M, C)."""

    def summed(self) -> FloatArray:
        """Return the sum of the shares over the stores, shape (M,)."""

    def covered(self) -> FloatArray:
        """Return the part of each neighbourhood that at least one store serves, shape (M,)."""


@dataclass(frozen=True)
class SparseShares:
    """Shares where most stores have nothing to do with most neighbourhoods.

    Parameters
    ----------
    matrix
        Shares, shape (S, M).
    zones, polygons
        The areas, shape (S,), and the neighbourhoods, shape (M,), that the shares were cut from. Without them stores in
        the same neighbourhood serve the same people of it, as far as their shares go.
    places
        Where the people live, when the shares are parts of what is counted there, and not of the area.
    """

    matrix: csr_array
    zones: Zones | None = None
    polygons: Geometries | None = None
    places: Ancillary | None = None

    def __post_init__(self) -> None:
        for array in (self.matrix.data, self.matrix.indices, self.matrix.indptr):
            array.setflags(write=False)

    def rows(self, stores: slice) -> FloatArray:
        """Return the shares of some stores, shape (stores, M)."""
        return np.asarray(self.matrix[stores].toarray(), dtype=np.float64)

    def columns(self, neighbourhoods: slice) -> FloatArray:
        """Return the shares of all stores in some neighbourhoods, shape (S, neighbourhoods)."""
        return np.asarray(self.matrix[:, neighbourhoods].toarray(), dtype=np.float64)

    def times(self, values: FloatArray) -> FloatArray:
        """Return shares @ values, shape (S, C)."""
        return np.asarray(self.matrix @ values, dtype=np.float64)

    def summed(self) -> FloatArray:
        """Return the sum of the shares over the stores, shape (M,)."""
        return np.asarray(self.matrix.sum(axis=0), dtype=np.float64)

    def covered(self) -> FloatArray:
        """Return the part of each neighbourhood that at least one store serves, shape (M,).

        Exact to rounding, but that 256 corners stand for a circle where several cut the same polygon: 1e-5.
        """
        return covered_parts(self._units, self.matrix.shape[1])

    def pieces(self) -> Pieces:
        """Cut the neighbourhoods up so that the same stores serve all people of a piece."""
        return pieces_of(self._units)

    @property
    def _units(self) -> tuple[Units, ...]:
        return Units.of(self.matrix, self.zones, self.polygons, self.places)


@dataclass(frozen=True)
class ScaledShares:
    """Shares of others, made smaller.

    Parameters
    ----------
    matrix
        The others, shape (S, M).
    factor
        What each neighbourhood's shares are multiplied by, shape (M,).
    """

    matrix: ShareMatrix
    factor: FloatArray

    def __post_init__(self) -> None:
        self.factor.setflags(write=False)

    def rows(self, stores: slice) -> FloatArray:
        """Return the shares of some stores, shape (stores, M)."""
        return self.matrix.rows(stores) * self.factor

    def columns(self, neighbourhoods: slice) -> FloatArray:
        """Return the shares of all stores in some neighbourhoods, shape (S, neighbourhoods)."""
        return self.matrix.columns(neighbourhoods) * self.factor[neighbourhoods]

    def times(self, values: FloatArray) -> FloatArray:
        """Return shares @ values, shape (S, C)."""
        return self.matrix.times(values * self.factor[:, None])

    def summed(self) -> FloatArray:
        """Return the sum of the shares over the stores, shape (M,)."""
        return self.matrix.summed() * self.factor

    def covered(self) -> FloatArray:
        """Return the part of each neighbourhood that the stores serve, shape (M,): the sum, as they divide people."""
        return self.summed()


@dataclass(frozen=True, kw_only=True)
class TradeAreas:
    """Which part of each neighbourhood's people each store serves; made by ``trade_areas``.

    Where areas overlap ``covered`` counts nobody twice, ``divided()`` gives each person to stores that sum to one, and
    ``overlap`` tells whom two stores share.

    Attributes
    ----------
    kind
        ``"divides"``: the shares of a neighbourhood sum to at most 1 over the stores, so nobody is counted twice.
        ``"overlaps"``: areas may lie over each other, and each share may reach 1.
    method
        How the areas were made, such as ring or huff.
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

    @cached_property
    def covered(self) -> FloatArray:
        r"""Part of each neighbourhood's people whom at least one own store serves, shape (M,), 0 to 1, read-only.

        Areas that divide people cover :math:`\sum_s w_{sm}`. Where areas overlap it is the union, in which nobody
        counts twice: ``covered @ people`` is the number of people whom the chain serves.
        """
        covered: FloatArray = self.matrix.summed() if self.kind == "divides" else self.matrix.covered()
        covered = np.clip(covered, 0.0, 1.0)
        covered.setflags(write=False)
        return covered

    def divided(self) -> TradeAreas:
        r"""Return areas in which people with several own stores divide over them.

        .. math:: w'_{sm} = w_{sm} \frac{c_m}{\sum_r w_{rm}}

        with c the part that is covered, so that the sums over the stores conserve the people whom the chain serves.

        Returns
        -------
        TradeAreas
            Of kind ``divides``: these areas themselves where they divide already.
        """
        if self.kind == "divides":
            return self
        total = self.matrix.summed()
        factor = np.divide(self.covered, total, out=np.zeros_like(total), where=total > 0.0)
        return replace(self, kind="divides", matrix=ScaledShares(self.matrix, factor))

    @property
    def shares(self) -> pd.DataFrame:
        """All shares above zero as a frame ``store_id, neighbourhood_id, share``, made anew at each request.

        Huff gives each store a part of every neighbourhood: then the frame has S × M rows. For large chains use
        ``blocks`` or ``sums``.
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
