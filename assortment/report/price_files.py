"""What rules cost and room is worth, as CSV files."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from assortment.errors import ReportError
from assortment.report.facts import Facts
from assortment.report.file import replacing_file
from assortment.report.rule_prices import room_table, rule_store_table, rule_table, shelf_table

PRICE_FILES = {
    "rule_prices.csv": rule_table,
    "rule_prices_by_store.csv": rule_store_table,
    "room_worth.csv": room_table,
    "shelf_worth.csv": shelf_table,
}


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table with six digits and lines that end the same everywhere."""
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def price_files(facts: Facts, folder: Path) -> list[Path]:
    """Write ``rule_prices.csv``, ``rule_prices_by_store.csv``, ``room_worth.csv`` and ``shelf_worth.csv``.

    Other files of the folder are left alone.

    Raises
    ------
    ReportError
        The place cannot be written; then none of them is.
    """
    with ExitStack() as files:
        for name, table in PRICE_FILES.items():
            write_csv(table(facts), files.enter_context(replacing_file(folder / name, ending=".csv")))
    return [folder / name for name in PRICE_FILES]


def require_folder(folder: Path) -> None:
    """Raise ReportError where ``folder`` cannot be a folder to write to, before anything is solved."""
    # `Path.exists` raises where a folder above may not be searched.
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.exists(place))  # noqa: PTH110
    if not there.is_dir():
        raise ReportError(f"{there} is a file; choose another place with --out")
    if not os.access(there, os.W_OK):
        raise ReportError(f"{there} cannot be written to; choose another place with --out")
