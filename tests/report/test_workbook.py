"""The workbook read back: names stay text, ids keep their zeros, the locks sheet is what a chain folder reads."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from assortment.inputs.files import _read_xlsx as read_xlsx
from assortment.inputs.tables import TABLES
from assortment.report.facts import Facts
from assortment.report.workbook import LOCK_COLUMNS, write_workbook


@pytest.fixture
def book(tmp_path: Path, made: Callable[..., Any]) -> tuple[CalamineWorkbook, Path, Any]:
    run = made(
        names=("=1+1", "=HYPERLINK(1)", "+2", "@x", "http://x.y", "x" * 40_000), store_ids=("007", "=A1", "-5", "1e3")
    )
    path = tmp_path / "workbook.xlsx"
    write_workbook(Facts.of(run), path)
    return CalamineWorkbook.from_path(path), path, run


def rows(book: CalamineWorkbook, sheet: str) -> list[dict[str, Any]]:
    head, *body = book.get_sheet_by_name(sheet).to_python()
    return [dict(zip(map(str, head), row, strict=True)) for row in body]


def test_the_sheets_are_those_that_the_manager_expects(book: tuple[CalamineWorkbook, Path, Any]) -> None:
    """Seven sheets in the order of reading."""
    expected = ["Summary", "Listings", "Changes", "Stores", "Products", "locks", "Assumptions"]
    assert book[0].sheet_names == expected


def test_a_name_that_begins_like_a_formula_stays_text(book: tuple[CalamineWorkbook, Path, Any]) -> None:
    """``=1+1`` is a name in every sheet, and no sheet holds a formula or a link."""
    names = [row["name"] for row in rows(book[0], "Products")]
    assert names[:5] == ["=1+1", "=HYPERLINK(1)", "+2", "@x", "http://x.y"]
    with zipfile.ZipFile(book[1]) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)


def test_a_text_longer_than_a_cell_is_cut_and_not_lost(book: tuple[CalamineWorkbook, Path, Any]) -> None:
    """Excel holds 32,767 characters in a cell; the name is there up to that length."""
    assert len(rows(book[0], "Products")[5]["name"]) == 32_767


def test_ids_are_text_with_their_zeros(book: tuple[CalamineWorkbook, Path, Any]) -> None:
    """Store ``007`` and product ``0001`` come back as they were."""
    listed = rows(book[0], "Listings")
    assert {row["store_id"] for row in listed} == {"007", "=A1", "-5", "1e3"}
    assert "0001" in {row["product_id"] for row in listed}


def test_the_sheets_hold_every_listing_and_every_change(book: tuple[CalamineWorkbook, Path, Any]) -> None:
    """As many rows as the plan has listings and changes, with the same units."""
    listed, plan = rows(book[0], "Listings"), book[2].plan
    assert [row["units_per_week"] for row in listed] == pytest.approx(plan.listings["units_per_week"].tolist())
    assert len(rows(book[0], "Changes")) == (plan.changes["action"] != "keep").sum()
    assert len(rows(book[0], "Stores")) == 4


def test_the_locks_sheet_accepts_in_and_out_only(book: tuple[CalamineWorkbook, Path, Any]) -> None:
    """Header as in a chain's locks table, no rows without locks, and a list of choices below."""
    head = book[0].get_sheet_by_name("locks").to_python()
    assert [tuple(row) for row in head] == [LOCK_COLUMNS]
    with zipfile.ZipFile(book[1]) as parts:
        locks = parts.read("xl/worksheets/sheet6.xml").decode()
    assert '<formula1>"in,out"</formula1>' in locks


def test_the_locks_of_the_chain_are_read_back_as_they_were(tmp_path: Path, made: Callable[..., Any]) -> None:
    """The workbook given as the table ``locks`` holds the same locks; how to do that is said in the book."""
    run = made(store_ids=("007", "8", "9", "10"))
    locks = [
        {"store_id": "007", "product_id": "0001", "lock": "in", "author": "Ann", "note": "=1+1"},
        {"store_id": "*", "product_id": "0005", "lock": "out", "author": "", "note": None},
    ]
    run.chain = replace(run.chain, locks=pd.DataFrame(locks))
    path = tmp_path / "workbook.xlsx"
    write_workbook(Facts.of(run), path)
    found, _, faults = read_xlsx(path, path.name, TABLES["locks"])
    assert found is not None and not faults
    assert found.fillna("").to_dict("records") == pd.DataFrame(locks).fillna("").to_dict("records")
    summary = {row[0]: row[1] for row in CalamineWorkbook.from_path(path).get_sheet_by_name("Summary").to_python()}
    assert 'locks = "workbook.xlsx"' in str(summary["Locks"])


def test_tables_have_filters_a_frozen_header_and_data_bars(book: tuple[CalamineWorkbook, Path, Any]) -> None:
    """What a category manager reaches for first is set."""
    with zipfile.ZipFile(book[1]) as parts:
        listings = parts.read("xl/worksheets/sheet2.xml").decode()
    assert "<autoFilter" in listings and 'state="frozen"' in listings and "dataBar" in listings
