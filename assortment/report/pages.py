"""All pages of a run as plain data, and that data as PDFs: what ``pages.json`` holds and what is made from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from assortment.errors import ReportError
from assortment.report.chain_page import chain_page
from assortment.report.facts import Facts
from assortment.report.maps import Maps
from assortment.report.pdf import Typesetter
from assortment.report.store_page import store_page

PAGES = "pages.json"
_VERSION = 2

Pages = dict[str, Any]
Progress = Callable[[int, int], None]


def pages(facts: Facts, *, progress: Progress | None = None) -> Pages:
    """Return the data of every page of a run.

    Parameters
    ----------
    facts
        The run.
    progress
        Called as ``progress(done, total)`` after each store.
    """
    maps = Maps(facts)
    stores = {}
    for done, store_id in enumerate(facts.store_ids, start=1):
        stores[store_id] = {**store_page(facts, store_id), "map": maps.store(store_id)}
        if progress:
            progress(done, len(facts.store_ids))
    chain = {**chain_page(facts), "map": maps.chain()}
    return {
        "version": _VERSION,
        "date": chain["date"],
        "files": file_names(facts.store_ids),
        "chain": chain,
        "stores": stores,
    }


def file_names(store_ids: Iterable[str]) -> dict[str, str]:
    """Return the file name of each store's PDF: the id where a file may be called so, else the nearest that may.

    Names that differ only in upper and lower case are one file on some machines, so they are told apart.
    """
    taken: set[str] = set()
    names = {}
    for store_id in store_ids:
        plain = "".join(char if char.isalnum() or char in "-_" else "_" for char in store_id)[:80] or "_"
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.lower())
        names[store_id] = f"{name}.pdf"
    return names


def read_pages(folder: Path) -> Pages:
    """Read the page data of a finished run.

    Raises
    ------
    ReportError
        The folder holds no run, or one whose pages cannot be read.
    """
    file = folder / PAGES
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReportError(
            f"{folder} holds no {PAGES}; give the folder of a finished run, such as reports/milk"
        ) from None
    except (OSError, ValueError) as error:
        raise ReportError(f"{file} cannot be read: {error}; run the scenario again") from error
    if not isinstance(told, dict) or told.get("version") != _VERSION:
        raise ReportError(f"{file} was written by another version of assortment; run the scenario again")
    return told


def write_pdfs(
    told: Pages, folder: Path, store_ids: Iterable[str], *, chain: bool, progress: Progress | None
) -> list[Path]:
    """Make the PDFs of some stores, and of the chain, and return their paths.

    Parameters
    ----------
    told
        Data of all pages.
    folder
        Folder of the run; the stores' PDFs go to its subfolder ``stores``.
    store_ids
        Stores to make.
    chain
        Whether to make the page of the chain too.
    progress
        Called as ``progress(done, total)`` after each PDF.
    """
    setter = Typesetter(told["date"])
    jobs = [("store", told["stores"][store], folder / "stores" / told["files"][store]) for store in store_ids]
    if chain:
        jobs.append(("chain", told["chain"], folder / "chain.pdf"))
    (folder / "stores").mkdir(exist_ok=True)
    for done, (template, page, path) in enumerate(jobs, start=1):
        path.write_bytes(setter.pdf(template, page))
        if progress:
            progress(done, len(jobs))
    return [path for _, _, path in jobs]
