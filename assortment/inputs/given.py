"""A plain frame handed to a later stage, held to the declaration of the table that it is a part of."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from assortment.errors import AssortmentWarning, InputError
from assortment.inputs.check import check_frame
from assortment.inputs.source import Source
from assortment.inputs.tables import TABLES


def given_frame(
    table: str, frame: pd.DataFrame, *, name: str, without: Sequence[str] = (), only: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return a frame in canonical form: ids as text, weeks of one kind, numbers as numbers, rows in the same order.

    Parameters
    ----------
    table
        Name of the declaration in ``TABLES``.
    frame
        Frame as it came; it is not written to.
    name
        What the caller knows it as, for the messages.
    without
        Declared columns that this frame need not have.
    only
        Further columns that mean something; others are warned of. ``None``: others are left alone.

    Raises
    ------
    InputError
        With every fault of the frame.
    """
    declared = TABLES[table]
    expected = declared.without(set(without) - set(frame.columns) - set(frame.index.names))
    clean, faults = check_frame(replace(expected, empty=True), frame, Source(name))
    if faults:
        raise InputError(faults)
    if only is not None:
        unused = [str(column) for column in clean.columns if column not in {*declared.names, *only}]
        if unused:
            known = ", ".join([*expected.names, *only])
            warnings.warn(
                f"{name}: column {', '.join(unused)} means nothing here and is not used; known: {known}",
                AssortmentWarning,
                stacklevel=3,
            )
    return clean
