"""``Faults``: all that is wrong with a table handed to this stage, told at once."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from assortment.errors import GeographyError, listed
from assortment.inputs import TABLES, Source
from assortment.inputs.check import check_frame


class Faults:
    """Collects faults, and raises them together.

    Parameters
    ----------
    what
        The table as the user knows it, which begins the message.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Add a fault in words: what was found, what was expected, what to do."""
        self._lines.append(line)

    def checked(self, table: str, frame: object, *, without: Sequence[str] = ()) -> pd.DataFrame:
        """Return a frame in canonical form, as far as it could be understood; its faults are added.

        Parameters
        ----------
        table
            Name of the declaration in ``TABLES``.
        frame
            Frame as it came; it is not written to.
        without
            Declared columns that it need not have.

        Raises
        ------
        GeographyError
            It is no frame, or a column that it must have is not there, so that nothing more can be said.
        """
        there = set(frame.columns) | set(frame.index.names) if isinstance(frame, pd.DataFrame) else set()
        expected = TABLES[table].without(set(without) - there)
        clean, faults = check_frame(expected, frame, Source(self._what))
        self._lines += [str(fault) for fault in faults]
        if not isinstance(frame, pd.DataFrame) or any(
            column.required and column.name not in clean for column in expected.columns
        ):
            self.end()
        return clean

    def unknown(self, ids: pd.Series, known: Sequence[str], *, what: str) -> None:
        """Add a fault for ids that nobody has; blank ones are left to ``checked``.

        Parameters
        ----------
        ids
            Text, one per row.
        known
            Those there are.
        what
            What they are ids of, such as ``store``.
        """
        wrong = ids[ids.notna() & ~ids.isin(list(known))]
        if len(wrong):
            rows = "1 row" if len(wrong) == 1 else f"{len(wrong):,} rows"
            self.add(
                f"{self._what}, column '{ids.name}': {rows} of {what}s that do not exist: "
                f"{listed(wrong.drop_duplicates())}; known here: {listed(known)}; correct the rows or leave them out"
            )

    def end(self) -> None:
        """Raise if there are faults.

        Raises
        ------
        GeographyError
            With every fault.
        """
        if self._lines:
            raise GeographyError("\n".join([f"{self._what} cannot be used:", *(f"  - {line}" for line in self._lines)]))
