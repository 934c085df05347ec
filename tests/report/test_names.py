"""Foreign names become printable without losing what can be printed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.report.names import FONTS, REPLACEMENT, Printer, covered


@pytest.mark.parametrize("font", sorted(path.name for path in FONTS.glob("*.ttf")))
def test_the_glyphs_read_from_a_font_are_those_that_fonttools_reads(font: str) -> None:
    """Our short reader of the cmap table agrees with the reference on every font that we ship."""
    tool = pytest.importorskip("fontTools.ttLib")
    assert covered(FONTS / font) == set(tool.TTFont(FONTS / font).getBestCmap())


def test_a_bold_font_has_the_glyphs_of_its_regular_one() -> None:
    """What is found printable in regular type is printable in bold type."""
    for regular in FONTS.glob("*-Regular.ttf"):
        assert covered(regular) <= covered(regular.with_name(regular.name.replace("Regular", "Bold")))


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_becomes_one_line_of_characters_with_glyphs(text: str) -> None:
    """No control character, no line break, nothing without a glyph is left, and long names are cut."""
    clean = Printer()(text)
    glyphs = frozenset().union(*(covered(path) for path in FONTS.glob("*-Regular.ttf")))
    assert all(ord(char) in glyphs or char in " \u200c\u200d" for char in clean)
    assert not any(unicodedata.category(char) == "Cc" for char in clean)
    assert len(clean.replace("\u200b", "")) <= 120


def test_what_is_replaced_is_told() -> None:
    """An emoji becomes a visible mark and one warning that names the text and the code point."""
    printer = Printer()
    assert printer("Milk 😀") == f"Milk {REPLACEMENT}"
    assert printer("Milk") == "Milk"
    (sentence,) = printer.warnings()
    assert "U+1F600" in sentence and "Milk" in sentence


def test_what_has_a_plain_equal_is_not_called_missing() -> None:
    """The minus sign of the program's own sentences, which the fonts lack, prints as an en dash without a warning."""
    printer = Printer()
    assert printer("(1 \u2212 rate) \u2264 2") == "(1 – rate) <= 2"
    assert not printer.replaced


def test_hidden_characters_are_dropped_and_arabic_is_kept() -> None:
    """A direction override or a control character cannot hide in a name; Arabic with its joiners stays as written."""
    assert Printer()("a\u202eb\x07c\ufeff") == "ab c"
    assert Printer()("حليب\u200cها") == "حليب\u200cها"


def test_a_long_word_can_break_and_a_short_one_cannot() -> None:
    """Zero-width spaces stand only in words that would not fit a column."""
    assert "\u200b" in Printer()("W" * 60)
    assert "\u200b" not in Printer()("lactose-free reduced fat")
