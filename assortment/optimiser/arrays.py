"""The array types of the optimiser, and how an array becomes a read-only part of a frozen type."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only copy, so that a caller who changes the original does not change the problem."""
    copy = array.copy()
    copy.setflags(write=False)
    return copy


def every_choice(sure: Mask, open_: Ints) -> Mask:
    """Return every choice of the products ``open_``, beside those that are ``sure``, (N,): (2^n, N)."""
    n = len(open_)
    choices = np.tile(sure, (2**n, 1))
    choices[:, open_] = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return choices


def shaped(
    name: str, value: npt.ArrayLike, shape: tuple[int, ...], dtype: type, faults: list[str]
) -> npt.NDArray[Any] | None:
    """Return ``value`` as a read-only array of ``shape``; on a misfit note the fault and return ``None``.

    A value of fewer axes is repeated over the leading ones: ``(N,)`` serves every store where ``(S, N)`` is asked for.
    """
    try:
        raw = np.asarray(value)
        if dtype is np.bool_ and raw.dtype != np.bool_ and not np.isin(raw, (0, 1)).all():
            faults.append(f"{name}: found values other than True and False; expected a mask")
            return None
        array: npt.NDArray[Any] = np.broadcast_to(raw.astype(dtype), shape)
    except (ValueError, TypeError):
        faults.append(f"{name}: found shape {np.shape(value)}; expected {shape}")
        return None
    return read_only(array)
