"""Names from outside, made fit for a page: what a font cannot show is replaced and remembered, long words may break."""

from __future__ import annotations

import struct
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

FONTS = Path(__file__).parent / "fonts"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BREAK = "\N{ZERO WIDTH SPACE}"
_LONGEST_WORD = 24
_LONGEST_NAME = 120
_LONGEST_NOTE = 2000
_INSTEAD = str.maketrans({"\N{MINUS SIGN}": "–", "≤": "<=", "≥": ">=", "≈": "~", "→": "›", "←": "‹"})
"""What the fonts lack but have a plain equal of; U+2212 stands in sentences of the program itself."""
# Joiners shape Arabic; any other format character (direction override, byte order mark) only hides things.
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


class Printer:
    """Turn foreign text into text that the fonts of the report can show.

    Attributes
    ----------
    replaced
        Original text -> characters that had no glyph, in the order in which they were met.
    """

    def __init__(self) -> None:
        self.replaced: dict[str, str] = {}

    def __call__(self, text: object, *, longest: int = _LONGEST_NAME) -> str:
        """Return a name on one line, each character with a glyph, no control characters, long words breakable.

        Parameters
        ----------
        text
            What somebody called something.
        longest
            Where a longer text is cut.
        """
        given = str(text)
        clean = " ".join(
            "".join(_visible(char) for char in unicodedata.normalize("NFC", given).translate(_INSTEAD)).split()
        )
        missing = "".join(sorted({char for char in clean if not _printable(char)}))
        if missing:
            self.replaced[given] = missing
            clean = "".join(char if _printable(char) else REPLACEMENT for char in clean)
        if len(clean) > longest:
            clean = clean[: longest - 1] + "…"
        return " ".join(_breakable(word) for word in clean.split(" "))

    def sentence(self, text: object) -> str:
        """Return a sentence or a note as printable text, not cut as a name would be."""
        return self(text, longest=_LONGEST_NOTE)

    def warnings(self) -> list[str]:
        """Return one sentence for each text in which something was replaced."""
        return [
            f"'{self._short(text)}' holds characters without a glyph in the report's fonts ({_codes(missing)}); "
            f"they are printed as {REPLACEMENT}"
            for text, missing in self.replaced.items()
        ]

    @staticmethod
    def _short(text: str) -> str:
        shown = "".join(char if _printable(char) else REPLACEMENT for char in text)
        return shown if len(shown) <= 60 else shown[:59] + "…"


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if char in _JOINERS:
        return char
    if char.isspace() or category in {"Cc", "Zl", "Zp"}:
        return " "
    hidden = category == "Cf" or 0xFE00 <= ord(char) <= 0xFE0F  # the last are variation selectors of emoji
    return "" if hidden else char


def _printable(char: str) -> bool:
    return char == " " or char in _JOINERS or ord(char) in _glyphs()


def _breakable(word: str) -> str:
    if len(word) <= _LONGEST_WORD:
        return word
    pieces = [word[0]]
    for char in word[1:]:
        # Between joined letters (Arabic, combining marks) a break would change how the word is written.
        if len(pieces[-1]) >= _LONGEST_WORD // 3 and char.isascii():
            pieces.append("")
        pieces[-1] += char
    return _BREAK.join(pieces)


def _codes(characters: str) -> str:
    return ", ".join(f"U+{ord(char):04X}" for char in characters)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset().union(*(covered(file) for file in sorted(FONTS.glob("*-Regular.ttf"))))


def covered(font: Path) -> frozenset[int]:
    """Return the code points for which a TrueType font has a glyph (cmap format 4, which holds the basic plane).

    Source: OpenType specification, table ``cmap``. Read here because typst tells of a missing glyph only by
    refusing the whole file.
    """
    data = font.read_bytes()
    entries = range(12, 12 + 16 * _u16(data, 4), 16)
    tables = {data[at : at + 4]: struct.unpack_from(">I", data, at + 8)[0] for at in entries}
    cmap = tables[b"cmap"]
    offsets = [struct.unpack_from(">I", data, cmap + 8 + 8 * number)[0] for number in range(_u16(data, cmap + 2))]
    start = next(cmap + offset for offset in offsets if _u16(data, cmap + offset) == 4)
    return frozenset(_format_4(data, start))


def _format_4(data: bytes, start: int) -> list[int]:
    segments = _u16(data, start + 6) // 2
    points: list[int] = []
    for number in range(segments):
        last = _u16(data, start + 14 + 2 * number)
        first = _u16(data, start + 16 + 2 * (segments + number))
        shift = _u16(data, start + 16 + 2 * (2 * segments + number))
        at = start + 16 + 2 * (3 * segments + number)
        offset = _u16(data, at)
        for point in range(first, min(last, 0xFFFE) + 1):
            glyph = _u16(data, at + offset + 2 * (point - first)) if offset else (point + shift) & 0xFFFF
            if glyph:
                points.append(point)
    return points


def _u16(data: bytes, at: int) -> int:
    value: Any = struct.unpack_from(">H", data, at)[0]
    return int(value)
