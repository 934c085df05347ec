"""The folder of a run: written beside its place and renamed when complete, and never put over someone's own files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assortment.errors import ReportError

MANIFEST = "run.json"


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write to, which takes the place of ``folder`` when the block ends without an error.

    Raises
    ------
    ReportError
        ``folder`` holds something other than an earlier run, or the place cannot be written.
    """
    refuse_foreign(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder as the target: a rename is atomic only within one file system.
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ReportError(f"{folder} cannot be written: {error.strerror}; choose another place with --out") from error
    unfinished, former = beside / "new", beside / "former"
    try:
        unfinished.mkdir()
        yield unfinished
        if folder.exists():
            folder.rename(former)
        unfinished.rename(folder)
    finally:
        if former.exists() and not folder.exists():
            former.rename(folder)
        shutil.rmtree(beside)


def refuse_foreign(folder: Path) -> None:
    """Raise ReportError where writing a run to ``folder`` would destroy what is not a run."""
    if folder.is_file():
        raise ReportError(f"{folder} is a file; choose another place with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise ReportError(
            f"{folder} holds files that are not an earlier run; empty it or choose another place with --out"
        )
