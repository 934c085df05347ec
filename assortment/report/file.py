"""Single files: written beside their place and renamed when complete, so that none is ever half written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assortment.errors import ReportError


@contextmanager
def replacing_file(file: Path, *, ending: str) -> Iterator[Path]:
    """Give a file to write to, which takes the place of ``file`` when the block ends without an error.

    Parameters
    ----------
    file
        Where it is to stand; folders that do not exist are made.
    ending
        What its name must end in, such as ``.csv``.

    Raises
    ------
    ReportError
        The name ends otherwise; the place is a folder or cannot be written.
    """
    require_ending(file, ending)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder as the target: a rename is atomic only within one file system.
        handle, name = tempfile.mkstemp(prefix=f".{file.stem}-", suffix=ending, dir=file.parent)
        os.close(handle)
        Path(name).chmod(0o644)  # mkstemp lets nobody else read it
        unfinished = Path(name)
    except OSError as error:
        raise ReportError(f"{file} cannot be written: {error.strerror}; choose another place") from error
    try:
        yield unfinished
        unfinished.replace(file)
    except OSError as error:
        raise ReportError(f"{file} cannot be written: {error.strerror or error}; choose another place") from error
    finally:
        unfinished.unlink(missing_ok=True)


def require_ending(file: Path, ending: str) -> None:
    """Raise ReportError where ``file`` is a folder, or its name does not end as its content asks."""
    if file.is_dir():
        raise ReportError(f"{file} is a folder; give the name of a file in it, such as {file / ('sells' + ending)}")
    if file.suffix.casefold() != ending:
        raise ReportError(f"{file}: expected a name that ends in {ending}; found '{file.suffix or 'no ending'}'")
