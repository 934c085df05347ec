"""What rules cost and room is worth, as CSV files."""

from __future__ import annotations

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
        The place cannot be written.
    """
    written = []
    for name, table in PRICE_FILES.items():
        with replacing_file(folder / name, ending=".csv") as unfinished:
            write_csv(table(facts), unfinished)
        written.append(folder / name)
    return written


def require_folder(folder: Path) -> None:
    """Raise ReportError where ``folder`` is a file, before anything is solved."""
    if folder.is_file():
        raise ReportError(f"{folder} is a file; choose another place with --out")
