"""Which choice states are the same offer at the same prices, so that they may be counted together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assortment.demand.arrays import Bools, Floats, Ints

_Bits = npt.NDArray[np.uint64]
_CELLS = 60_000  # looked at together, so that they stay in the cache


def first_equal(labels: Ints, offered: Bools, covariates: Floats) -> Ints:
    """Return for each state the first that it equals: in its labels, its offer, and the covariates of what was offered.

    States are looked up by a hash and then compared, so that no two are taken for equal that are not.

    Parameters
    ----------
    labels
        (L, T), whole numbers that equal states share.
    offered
        (T, N).
    covariates
        (C, T, N).

    Returns
    -------
    numpy.ndarray
        (T,) indices.
    """
    T, N = offered.shape
    pieces = [slice(start, start + _step(N)) for start in range(0, T, _step(N))]
    salt = np.random.default_rng(0).integers(2**64, size=(len(covariates) + 1, N), dtype=np.uint64)
    digest = np.concatenate([np.zeros(0, np.uint64), *(_digest(offered, covariates, rows, salt) for rows in pieces)])
    for label in labels:
        digest = _mixed(digest + _mixed(label.astype(np.uint64)))
    _, index, inverse = np.unique(digest, return_index=True, return_inverse=True)
    first = np.asarray(index[inverse], dtype=np.intp)
    same = (labels == labels[:, first]).all(axis=0)
    for rows in pieces:
        same[rows] &= _same(offered, covariates, rows, first[rows])
    return np.where(same, first, np.arange(T))


def _step(products: int) -> int:
    return max(1, _CELLS // max(1, products))


def _digest(offered: Bools, covariates: Floats, rows: slice, salt: _Bits) -> _Bits:
    """A (t,) hash of some states; equal values give equal hashes wherever they stand."""
    there = offered[rows]
    total = _mixed(there + salt[0]).sum(axis=1)
    for own, values in zip(salt[1:], covariates, strict=True):
        seen = np.where(there, values[rows], 0.0) + 0.0  # -0.0 is 0.0
        total += _mixed(seen.view(np.uint64) + own).sum(axis=1)
    return np.asarray(total, dtype=np.uint64)


def _mixed(bits: _Bits) -> _Bits:
    """Spread each bit over all 64 (the finaliser of splitmix64; Steele, Lea and Flood 2014); overflow is meant."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _same(offered: Bools, covariates: Floats, rows: slice, first: Ints) -> Bools:
    """Whether each of some states is the same as its first one."""
    there = offered[rows]
    same: Bools = (there == offered[first]).all(axis=1)
    for values in covariates:
        same &= ((values[rows] == values[first]) | ~there).all(axis=1)
    return same
