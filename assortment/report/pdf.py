"""Pages to PDF: one long-lived typst compiler, page data as JSON, accessible output (PDF/UA-1)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst

from assortment.errors import AssortmentWarning, ReportError
from assortment.report.names import FONTS

_TEMPLATES = Path(__file__).parent / "templates"
_UNDATED = datetime(2000, 1, 1, tzinfo=UTC)


class Typesetter:
    """Makes PDFs. Keep one for all pages: its fonts and templates are read once.

    Parameters
    ----------
    date
        ISO day that the files bear, so that the same pages give the same bytes; anything else counts as undated.
    """

    def __init__(self, date: str) -> None:
        # Searching the system's fonts costs more than the page itself, and would make the bytes depend on the machine.
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
        self._compiler = typst.Compiler(root=_TEMPLATES, font_paths=fonts)
        self._timestamp = _day(date)

    def pdf(self, template: str, page: Mapping[str, Any]) -> bytes:
        """Return a page as PDF.

        Where the accessibility standard refuses a page, as it does for one character without a glyph, the page is made
        without tags, with an ``AssortmentWarning``.

        Parameters
        ----------
        template
            ``store`` or ``chain``.
        page
            Data of the page, as JSON can hold it.

        Raises
        ------
        ReportError
            The page cannot be typeset at all.
        """
        try:
            return self._compiled(template, page, accessible=True)
        except typst.TypstError as refusal:
            try:
                made = self._compiled(template, page, accessible=False)
            except typst.TypstError as error:
                raise ReportError(f"the page of {page.get('title')} cannot be typeset: {error}") from error
            reason = str(refusal).splitlines()[0]
            warnings.warn(
                f"the page of {page.get('title')} is not accessible: {reason}", AssortmentWarning, stacklevel=2
            )
            return made

    def _compiled(self, template: str, page: Mapping[str, Any], *, accessible: bool) -> bytes:
        made = self._compiler.compile(
            input=str(_TEMPLATES / f"{template}.typ"),
            format="pdf",
            sys_inputs={"page": json.dumps(page, ensure_ascii=False)},
            pdf_standards=["ua-1"] if accessible else None,
            pdf_tags=accessible,
            timestamp=self._timestamp,
        )
        assert isinstance(made, bytes)
        return made


def _day(date: str) -> datetime:
    try:
        return datetime.fromisoformat(date).replace(tzinfo=UTC)
    except ValueError:
        return _UNDATED
