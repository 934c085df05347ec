"""The category manager's workbook: summary, listings, changes, stores, products, rule prices, locks, assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from assortment.report.assumptions import assumptions, rules_in_words
from assortment.report.chain_page import chain_page
from assortment.report.facts import Facts
from assortment.report.rule_prices import room_table, rule_table, store_rule_table, worth_of
from assortment.report.tables import change_table, listing_table, product_table, store_table, without_unclaimed_money

LOCKS = "locks"
LOCKS_NOTE = (
    "The locks of the chain; edit them or add rows below. This sheet can be read back as the table locks: save the "
    'workbook in the chain folder and write locks = "workbook.xlsx" under [tables] in chain.toml.'
)
LOCK_COLUMNS = ("store_id", "product_id", "lock", "author", "note")
_LOCK_ROWS = 2000
_CELL = 32_767  # longest text that Excel holds in one cell; a longer one would be dropped in silence
_BAR = "#8DB6D1"
_WIDEST = 48


class Workbook:
    """Writes sheets in one style; every text is written as text, so that a name that begins with ``=`` stays a name.

    Parameters
    ----------
    path
        File to write.
    date
        ISO day of the run, kept as the file's date: the same run gives the same bytes.
    """

    def __init__(self, path: Path, date: str) -> None:
        self._book = xlsxwriter.Workbook(
            str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        )
        self._book.set_properties({"created": _day(date)})
        self._head = self._book.add_format(
            {"bold": True, "bg_color": "#0B4F7A", "font_color": "#FFFFFF", "text_wrap": True, "valign": "top"}
        )
        self._title = self._book.add_format({"bold": True, "font_size": 14})
        self._bold = self._book.add_format({"bold": True})
        self._wrap = self._book.add_format({"text_wrap": True, "valign": "top"})
        self._text = self._book.add_format({"num_format": "@"})
        self._numbers = {
            digits: self._book.add_format({"num_format": pattern})
            for digits, pattern in ((0, "#,##0"), (2, "#,##0.00"))
        }
        self._share = self._book.add_format({"num_format": "0.0%"})

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, *reason: object) -> None:
        self._book.close()

    def pairs(self, name: str, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Write a sheet of labels and texts."""
        sheet = self._book.add_worksheet(name)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 110)
        sheet.hide_gridlines(2)
        sheet.write_string(0, 0, title[:_CELL], self._title)
        for row, (label, text) in enumerate(rows, start=2):
            sheet.write_string(row, 0, label[:_CELL], self._bold)
            sheet.write_string(row, 1, text[:_CELL], self._wrap)

    def table(self, name: str, table: pd.DataFrame, *, bars: Sequence[str] = ()) -> None:
        """Write a sheet with one table: header frozen, filters on, data bars in the columns of ``bars``."""
        sheet = self._book.add_worksheet(name)
        for column, label in enumerate(map(str, table.columns)):
            sheet.write_string(0, column, label, self._head)
            self._column(sheet, column, label, table.iloc[:, column].tolist())
            if label in bars and len(table):
                sheet.conditional_format(
                    1, column, len(table), column, {"type": "data_bar", "bar_color": _BAR, "bar_solid": True}
                )
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(table), 1), len(table.columns) - 1)

    def locks(self, locks: pd.DataFrame | None) -> None:
        """Write the sheet of locks: those of the chain, then empty rows, in the columns that a chain folder reads.

        The sheet is called as the table is, so that the workbook itself can be given as the table ``locks``.
        """
        sheet = self._book.add_worksheet(LOCKS)
        for column, label in enumerate(LOCK_COLUMNS):
            sheet.write_string(0, column, label, self._head)
            sheet.set_column(column, column, 60 if label == "note" else 16, self._text)
            values = [] if locks is None or label not in locks.columns else locks[label].tolist()
            for row, value in enumerate(values, start=1):
                sheet.write_string(row, column, "" if pd.isna(value) else str(value)[:_CELL], self._text)
        sheet.write_comment(0, 0, LOCKS_NOTE, {"x_scale": 3})
        sheet.freeze_panes(1, 0)
        sheet.data_validation(
            1,
            2,
            _LOCK_ROWS,
            2,
            {
                "validate": "list",
                "source": ["in", "out"],
                "error_title": "Lock",
                "error_message": "Write in (must stand there) or out (must not).",
            },
        )
        sheet.data_validation(
            1,
            0,
            _LOCK_ROWS,
            0,
            {
                "validate": "any",
                "input_title": "Store",
                "input_message": "Id of the store as in the sheet Stores, or * for all stores.",
            },
        )

    def _column(self, sheet: Any, column: int, label: str, values: list[Any]) -> None:
        texts = [value for value in values if isinstance(value, str)]
        longest = max((len(text) for text in texts), default=0)
        sheet.set_column(column, column, min(_WIDEST, max(11, longest + 2, len(label) * 0.7)))
        pattern = self._share if label == "forecast_error" else self._numbers[2 if _has_cents(values) else 0]
        for row, value in enumerate(values, start=1):
            if isinstance(value, str):
                sheet.write_string(row, column, value[:_CELL], self._text)
            elif isinstance(value, bool):
                sheet.write_string(row, column, "yes" if value else "no")
            elif value is not None and not pd.isna(value):
                sheet.write_number(row, column, float(value), pattern)


def write_workbook(facts: Facts, path: Path) -> None:
    """Write the workbook of a run.

    Parameters
    ----------
    facts
        The run.
    path
        File to write.
    """
    page = chain_page(facts)
    with Workbook(path, page["date"]) as book:
        book.pairs("Summary", f"{page['title']} · {page['chain']}", _summary(page))
        book.table(
            "Listings", without_unclaimed_money(listing_table(facts)), bars=("units_per_week", "margin_per_week")
        )
        book.table("Changes", without_unclaimed_money(change_table(facts)), bars=("worth_per_week",))
        book.table("Stores", without_unclaimed_money(store_table(facts)), bars=("products", "local", "gain_per_week"))
        book.table("Products", product_table(facts), bars=("stores", "units_per_week"))
        if worth_of(facts) is not None:
            book.table("Rule prices", rule_table(facts), bars=("cost_per_week",))
            book.table("Rule prices by store", store_rule_table(facts), bars=("worth_per_cm_per_week",))
            book.table("Room", room_table(facts), bars=("worth_per_week",))
        book.locks(facts.run.chain.locks)
        told = [("Rule", sentence) for sentence in rules_in_words(facts)] + [
            ("Assumption", line) for line in assumptions(facts)
        ]
        book.pairs("Assumptions", "What the plan rests on", told)


def _summary(page: dict[str, Any]) -> list[tuple[str, str]]:
    figures = [(figure["label"], f"{figure['value']} ({figure['note']})") for figure in page["figures"]]
    return [
        ("Scenario", page["scenario"]),
        ("Date", page["date"]),
        *figures,
        *([("Warning", page["warning"])] if page["warning"] else []),
        ("Forecast", page["forecast"]),
        ("Local tastes", page["evidence"]),
        *([("Shoppers", page["shoppers"])] if page["shoppers"] else []),
        ("Buying nothing", page["nothing"]),
        *(("Take care", caution) for caution in page["cautions"]),
        ("Local products", page["sure"]),
        ("Proof", page["proof"]),
        *(("Note", note) for note in page["notes"]),
        (
            "Money",
            "Amounts are left blank for stores where money_claimed is no: their forecast of today is too far off, or "
            "was not tested. margin_per_week is before costs; worth, gain and over_stand_in are after the cost of the "
            "listing. " + page["bridge_note"],
        ),
        ("Locks", LOCKS_NOTE),
    ]


def _has_cents(values: list[Any]) -> bool:
    amounts = [value for value in values if isinstance(value, float) and not pd.isna(value)]
    return any(amount != int(amount) for amount in amounts)


def _day(date: str) -> datetime:
    try:
        return datetime.fromisoformat(date)
    except ValueError:
        return datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
