"""``Sharing``: people whom two stores have in common, and where the people of a store would go if it closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import dgemm, dsyrk
from scipy.sparse import csr_array, diags_array
from scipy.spatial import cKDTree

from assortment.errors import GeographyError
from assortment.geo.areas import CELLS, ScaledShares, SparseShares, TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.cover.pieces import Pieces
from assortment.geo.ground.ground import Ground
from assortment.geo.methods.huff import HuffShares

_TIE = 1e-9
"""Distances that differ by less, relatively, are the same, as for the areas themselves."""


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """People of S stores by pairs.

    Attributes
    ----------
    common
        People whom two stores have in common, shape (S, S), symmetric; the diagonal is of no meaning.
    elsewhere
        People of each store who have another own store too, shape (S,).
    moving
        Part of the people of a store (row) who would go to another (column) if it closed, shape (S, S), diagonal 0. NaN
        where it is not known, or where there is nobody.
    """

    common: FloatArray
    elsewhere: FloatArray
    moving: FloatArray

    @classmethod
    def of(cls, areas: TradeAreas, people: FloatArray) -> Sharing:
        """Work out what stores share, by the kind of their areas; ``people`` are of shape (M,), without NaN.

        Raises
        ------
        GeographyError
            Areas that overlapped and were divided: they no longer tell who has two stores.
        """
        matrix = areas.matrix
        if isinstance(matrix, ScaledShares):
            raise GeographyError(
                "these areas were divided, so they no longer tell who lives in several; give the areas that overlap"
            )
        if isinstance(matrix, HuffShares):
            return cls._by_chance(matrix, people)
        if not isinstance(matrix, SparseShares):
            raise TypeError(f"what stores share is not defined for {type(matrix).__name__}")
        if areas.kind == "overlaps":
            return cls._in_pieces(matrix.pieces(), people)
        stores = len(areas.store_ids)
        moving = np.full((stores, stores), np.nan)
        if areas.method == "nearest":
            moving = _to_next(areas.ground, matrix.matrix, people)
        return cls(common=np.zeros((stores, stores)), elsewhere=np.zeros(stores), moving=moving)

    @classmethod
    def _by_chance(cls, matrix: HuffShares, people: FloatArray) -> Sharing:
        """Shares are probabilities, each trip being a choice of its own."""
        stores = matrix.stores
        # BLAS adds to these in place, in Fortran's order, and of what is symmetric works out the upper half only.
        upper, moved = (np.zeros((stores, stores), order="F") for _ in range(2))
        served = np.zeros(stores)
        size = max(1, CELLS // len(matrix.xy))
        for first in range(0, len(people), size):
            part = slice(first, first + size)
            everyone = matrix.everyone(part)
            own, others = everyone[:stores], _others(everyone)[:stores]
            weighed = own * people[part]
            served += weighed.sum(axis=1)
            going = np.divide(weighed, others, out=np.zeros_like(own), where=others > 0.0)
            moved = dgemm(1.0, going.T, own.T, beta=1.0, c=moved, trans_a=True, overwrite_c=True)
            weighed = np.multiply(own, np.sqrt(people[part]), out=weighed)
            upper = dsyrk(1.0, weighed.T, beta=1.0, c=upper, trans=True, overwrite_c=True)
        common = np.triu(upper, 1)
        common += common.T
        return cls(common=common, elsewhere=common.sum(axis=1), moving=_parts(moved, served))

    @classmethod
    def _in_pieces(cls, pieces: Pieces, people: FloatArray) -> Sharing:
        """All people of a piece live in the areas of the same stores, and divide over the others if one closes."""
        member, count = pieces.stores, pieces.part * people[pieces.neighbourhood]
        others = np.asarray(member.sum(axis=0)) - 1.0
        each = np.divide(count, others, out=np.zeros_like(count), where=others > 0.0)
        common, moved = ((member @ diags_array(values) @ member.T).toarray() for values in (count, each))
        return cls(common=common, elsewhere=member @ (count * (others > 0.0)), moving=_parts(moved, member @ count))


def _others(share: FloatArray) -> FloatArray:
    """Part of each neighbourhood whom all but one store serve, of the shape of the shares of all.

    One minus a share near 1 would be rounding, so for the greatest share of a neighbourhood the others are summed.
    """
    column, top = np.arange(share.shape[1]), share.argmax(axis=0)
    others: FloatArray = 1.0 - share
    rest = share.copy()
    rest[top, column] = 0.0
    others[top, column] = rest.sum(axis=0)
    return others


def _to_next(ground: Ground, shares: csr_array, people: FloatArray) -> FloatArray:
    """Every neighbourhood goes to the nearest store that is left, in equal parts where there are several."""
    if len(ground.store_ids) == 1:
        return np.zeros((1, 1))
    tree = cKDTree(ground.store_xy)
    second = tree.query(ground.centre_xy, k=2)[0][:, 1]
    near = tree.query_ball_point(ground.centre_xy, second * (1.0 + _TIE))
    count = np.array([len(stores) for stores in near])
    store = np.concatenate([np.asarray(stores, dtype=np.intp) for stores in near])
    candidate = csr_array((np.ones(len(store)), (store, np.repeat(np.arange(len(near)), count))), shape=shares.shape)
    # Whoever serves a neighbourhood is a candidate there too, and the others take over.
    moved = (shares @ diags_array(people / (count - 1)) @ candidate.T).toarray()
    return _parts(moved, shares @ people)


def _parts(moved: FloatArray, served: FloatArray) -> FloatArray:
    """Turn people who move into parts of those served, in place."""
    np.fill_diagonal(moved, 0.0)
    moved /= np.where(served > 0.0, served, np.nan)[:, None]
    return moved
