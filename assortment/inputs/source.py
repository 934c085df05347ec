"""Where a table came from, and how its user counts its rows."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from assortment.errors import Fault

FAULTS_KEPT = 20


@dataclass(frozen=True, eq=False)
class Source:
    """Where a table came from.

    CSV and Excel files have their header in row 1, so their data begin in row 2; rows are counted as a spreadsheet
    shows them, blank ones too. Frames, Parquet and geometry files have no header row: their first record is row 1.

    Parameters
    ----------
    name
        How the user knows it: ``sales.csv``, or ``sales frame``.
    first_row
        Row of the first record.
    is_file
        A file must have every required column; a frame may leave out those that have a default.
    is_text
        All cells are text, so that the types of undeclared columns are to be inferred.
    records
        Number of each row's record among the records that were read, from 0, where blank records were left out.
    blank_lines_in
        CSV file whose blank lines were skipped before the records were counted.
    """

    name: str
    first_row: int = 1
    is_file: bool = False
    is_text: bool = False
    records: NDArray[np.int64] | None = None
    blank_lines_in: Path | None = None

    def rows(self, positions: NDArray[np.int64]) -> list[int]:
        """Row numbers, as the user counts them, of rows at these positions of the frame that was read."""
        records = positions if self.records is None else self.records[positions]
        if self.blank_lines_in is not None:
            # A record beyond those counted would mean a file that changed while it was read.
            records = self._filled_lines[np.minimum(records, len(self._filled_lines) - 1)]
        return [int(row) for row in records + self.first_row]

    @cached_property
    def _filled_lines(self) -> NDArray[np.int64]:
        """Numbers of the records that hold something, from 0; made only when a fault must name its row."""
        assert self.blank_lines_in is not None
        with self.blank_lines_in.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            next(records := csv.reader(lines), None)
            return np.array([number for number, record in enumerate(records) if record], dtype=np.int64)


def cell_faults(
    source: Source,
    column: str,
    wrong: NDArray[np.bool_],
    *,
    found: Callable[[int], str],
    expected: str,
) -> list[Fault]:
    """Faults of the cells of one column that have one thing wrong.

    Parameters
    ----------
    source
        Where the table came from.
    column
        Name of the column.
    wrong
        Which rows, shape (n,).
    found
        Gives what stands in the row at a position.
    expected
        What should stand there.

    Returns
    -------
    list of Fault
        One for each of the first ``FAULTS_KEPT`` cells and one that sums up the others.
    """
    positions = np.flatnonzero(wrong)
    kept = positions[:FAULTS_KEPT]
    faults = [
        Fault(source.name, row, column, found(int(position)), expected)
        for row, position in zip(source.rows(kept), kept, strict=True)
    ]
    if len(positions) > FAULTS_KEPT:
        last = source.rows(positions[-1:])[0]
        more = f"{len(positions) - FAULTS_KEPT:,} more such rows, the last in row {last}"
        faults.append(Fault(source.name, None, column, more, expected))
    return faults


def shown(value: Any) -> str:
    """A cell as a fault shows it."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "nothing"
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…" + ("'" if isinstance(value, str) else "")
