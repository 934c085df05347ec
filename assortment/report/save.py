"""``save`` and ``render``: a finished run as files, and its PDFs again from what was saved."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assortment.errors import AssortmentWarning, ReportError
from assortment.report.facts import Facts
from assortment.report.folder import MANIFEST
from assortment.report.pages import PAGES, pages, read_pages, write_pdfs
from assortment.report.price_files import price_files, write_csv
from assortment.report.rule_prices import worth_of
from assortment.report.run import Run
from assortment.report.tables import change_table, listing_table, without_unclaimed_money
from assortment.report.workbook import write_workbook

Progress = Callable[[int, int], None]


def save(run: Run, folder: str | Path, *, progress: Progress | None = None) -> list[Path]:
    """Write the reports of a run.

    Files: ``stores/<store_id>.pdf`` (a character that a file name cannot hold becomes ``_``), ``chain.pdf``,
    ``workbook.xlsx``, ``listings.csv``, ``changes.csv``, where the run knows what rules cost the four of `price_files`,
    ``pages.json`` (data of all pages, which ``render`` reads) and ``run.json`` (the manifest, the files written, and
    names that the fonts cannot show, which are warned of too).

    Parameters
    ----------
    run
        A finished run.
    folder
        An empty folder that exists.
    progress
        Called as ``progress(done, total)``; a store counts twice, for its data and its PDF.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    ReportError
        A page cannot be typeset, or a file cannot be written.
    """
    started = time.perf_counter()
    place = Path(folder)
    facts = Facts.of(run)
    total = 2 * len(facts.store_ids) + 1
    told = pages(facts, progress=_part(progress, 0, total))
    try:
        files = write_pdfs(
            told, place, facts.store_ids, chain=True, progress=_part(progress, len(facts.store_ids), total)
        )
        files += _write_tables(facts, place)
        (place / PAGES).write_text(_json(told), encoding="utf-8")
        replaced = facts.printed.warnings()
        names = sorted(path.relative_to(place).as_posix() for path in [*files, place / PAGES, place / MANIFEST])
        manifest = {**run.manifest, "replaced_characters": replaced, "files": names}
        seconds = {**manifest.get("seconds", {}), "report": round(time.perf_counter() - started, 2)}
        (place / MANIFEST).write_text(_json({**manifest, "seconds": seconds}), encoding="utf-8")
    except OSError as error:
        raise ReportError(
            f"{error.filename or place} cannot be written: {error.strerror}; choose another place"
        ) from error
    for sentence in replaced:
        warnings.warn(sentence, AssortmentWarning, stacklevel=2)
    return [place / name for name in names]


def render(
    folder: str | Path, store_ids: Sequence[str] | None = None, *, progress: Progress | None = None
) -> list[Path]:
    """Make the PDFs of a finished run again, from the page data that it saved.

    Parameters
    ----------
    folder
        Folder of a run.
    store_ids
        Stores to make; ``None``: all of them, and the chain.
    progress
        Called as ``progress(done, total)`` after each PDF.

    Returns
    -------
    list of pathlib.Path
        The PDFs written.

    Raises
    ------
    ReportError
        The folder holds no run, or the run has no such store.
    """
    place = Path(folder)
    told = read_pages(place)
    wanted = list(told["stores"]) if store_ids is None else list(store_ids)
    unknown = [store for store in wanted if store not in told["stores"]]
    if unknown:
        known = ", ".join(list(told["stores"])[:10]) + (" …" if len(told["stores"]) > 10 else "")
        raise ReportError(f"{place} has no store {', '.join(unknown)}; its stores are {known}")
    try:
        return write_pdfs(told, place, wanted, chain=store_ids is None, progress=progress)
    except OSError as error:
        raise ReportError(f"{error.filename or place} cannot be written: {error.strerror}") from error


def _write_tables(facts: Facts, place: Path) -> list[Path]:
    paths = [place / "listings.csv", place / "changes.csv", place / "workbook.xlsx"]
    for table, path in zip((listing_table(facts), change_table(facts)), paths, strict=False):
        write_csv(without_unclaimed_money(table), path)
    write_workbook(facts, paths[2])
    return paths + (price_files(facts, place) if worth_of(facts) is not None else [])


def _json(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n"


def _part(progress: Progress | None, done_before: int, total: int) -> Progress | None:
    return None if progress is None else lambda done, _: progress(done_before + done, total)
