"""What the demand model found about itself stands on the pages, in the summary and in the workbook."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from assortment.report import save
from assortment.report.chain_page import chain_page
from assortment.report.facts import Facts
from assortment.report.store_page import store_page
from assortment.report.summary import summary
from assortment.report.workbook import write_workbook

CAUTION = "Sold little, so the forecast is uncertain: P03 (10 units, ± 29%)."
NOT_BETTER = "Demographics do not forecast stores better than the chain average does."
FALLBACK = "Tastes are those of the chain average everywhere: demographics are left out of the forecast."
ASSUMED = "Assumed: 10% of the choice occasions end without a purchase at today's listing."


@pytest.fixture
def honest(made: Callable[..., Any]) -> Any:
    run = made(classes=2, cautions=(CAUTION,))
    run.model = SimpleNamespace(
        evidence=SimpleNamespace(sentence=NOT_BETTER),
        tastes_in_words=f"{NOT_BETTER} {FALLBACK}",
        walk_away_in_words=ASSUMED,
        cautions=(CAUTION,),
    )
    run.demand = run.demand if CAUTION in run.demand.notes else _noted(run.demand)
    return run


def _noted(demand: Any) -> Any:

    return replace(demand, notes=(*demand.notes, NOT_BETTER, FALLBACK, CAUTION))


def test_the_page_of_the_chain_says_what_was_found(honest: Any) -> None:
    """Demographics that do not help, the fallback, kinds of shoppers, the assumption, and cautions; each once."""
    page = chain_page(Facts.of(honest))
    assert page["evidence"] == f"{NOT_BETTER} {FALLBACK}"
    assert page["shoppers"].startswith("There are 2 kinds of shoppers: ")
    assert page["nothing"] == ASSUMED
    assert page["cautions"] == [CAUTION]
    assert not {NOT_BETTER, FALLBACK, CAUTION} & set(page["assumptions"])


def test_the_page_of_a_store_says_whether_its_people_matter(honest: Any) -> None:
    """A store manager reads that the forecast has the tastes of the chain, and what is assumed."""
    page = store_page(Facts.of(honest), honest.problem.store_ids[0])
    assert page["evidence"] == f"{NOT_BETTER} {FALLBACK}"
    assert page["nothing"] == ASSUMED
    assert len(page["classes"]) == 2


def test_the_summary_and_the_workbook_say_the_same(honest: Any, tmp_path: Path) -> None:
    """The table of a run, and the first sheet of its workbook."""
    lines = summary(honest)
    assert lines["Local tastes"] == f"{NOT_BETTER} {FALLBACK}"
    assert lines["Buying nothing"] == ASSUMED and lines["Take care"] == CAUTION
    assert lines["Shoppers"].startswith("There are 2 kinds of shoppers")
    write_workbook(Facts.of(honest), tmp_path / "workbook.xlsx")
    rows = CalamineWorkbook.from_path(str(tmp_path / "workbook.xlsx")).get_sheet_by_name("Summary").to_python()
    told = {str(row[0]): str(row[1]) for row in rows if len(row) > 1}
    assert told["Local tastes"] == f"{NOT_BETTER} {FALLBACK}" and told["Take care"] == CAUTION
    assert told["Buying nothing"] == ASSUMED and "kinds of shoppers" in told["Shoppers"]


def test_where_all_is_well_nothing_is_added(made: Callable[..., Any]) -> None:
    """One kind of shoppers and nothing to take care of: no empty lines."""
    lines = summary(made())
    assert "Shoppers" not in lines and "Take care" not in lines


def test_pages_of_a_store_with_kinds_of_shoppers_are_numbered_through(made: Callable[..., Any], tmp_path: Path) -> None:
    """Long tables move the map to another page; whichever way it settles, the pages count up to their number."""
    save(made(stores=3, classes=2, products=60, core=20, local=12), tmp_path)
    for path in (tmp_path / "stores").iterdir():
        pages = [page.extract_text() for page in PdfReader(path).pages]
        told = [re.findall(r"page\s*(\d+)\s*of\s*(\d+)", text.replace("\u200b", "")) for text in pages]
        assert told == [[(str(at), str(len(pages)))] for at in range(1, len(pages) + 1)], path
