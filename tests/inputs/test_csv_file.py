"""CSV files: what is read, and the row of what cannot be."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.inputs.csv_file import read_csv


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a b[1]*.csv"


def rows_of(file: Path) -> list[int]:
    frame, source, faults = read_csv(file, "t.csv")
    assert not faults
    return source.rows(np.arange(len(frame)))


@pytest.mark.parametrize(
    "content", [b"id,n\n001,1\n", b"\xef\xbb\xbfid,n\n001,1", b"id , n\r\n001,1\r\n", b"id,n\r001,1\r"]
)
def test_leading_zeros_live(file: Path, content: bytes) -> None:
    """Cells stay text, with any line ending, with or without a byte order mark, in a file of any name."""
    file.write_bytes(content)
    frame, _, faults = read_csv(file, "t.csv")
    assert not faults
    assert frame.to_dict("list") == {"id": ["001"], "n": ["1"]}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n3,4\n", [2, 3]),
        (b"a,b\n1,2\n\n\n3,4\n", [2, 5]),
        (b"a,b\r\n\r\n1,2\r\n3,4\r\n", [3, 4]),
        (b"a,b\n,\n1,2\n,\n\n3,4\n,\n", [3, 6]),
        (b'a,b\n"x\n\ny",2\n\n3,4\n', [2, 4]),
        (b"a,b\n1,2\n   \n3,4\n", [2, 4]),
        (b'a,b\n5" pipe,2\n\n3,4\n', [2, 4]),
        (b"a,b\r\n1,2\n3,4\r\n", [2, 3]),
        (b"a\n1\n\n2\n", [2, 4]),
        (b"a,b,\n1,2,\n3,4,\n", [2, 3]),
    ],
)
def test_rows_are_numbered_as_a_spreadsheet_shows_them(file: Path, content: bytes, rows: list[int]) -> None:
    """The header is row 1; blank rows count although they hold nothing; a cell may have several lines."""
    file.write_bytes(content)
    assert rows_of(file) == rows


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["full", "blank", "commas", "lines"]), min_size=1, max_size=30), st.booleans())
def test_row_numbers_are_right_whatever_is_blank(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], crlf: bool
) -> None:
    """Every full row keeps the number it has among all rows of the file."""
    lines = {"full": "1,2", "blank": "", "commas": ",", "lines": '"1\n\n3",2'}
    end = "\r\n" if crlf else "\n"
    content = end.join(["a,b", *(lines[kind].replace("\n", end) for kind in kinds)]) + end
    file = tmp_path_factory.mktemp("csv") / "t.csv"
    file.write_bytes(content.encode())
    assert rows_of(file) == [row for row, kind in enumerate(kinds, start=2) if kind in ("full", "lines")]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text('abc,"\n é0', min_size=1), st.text("1,;' ")), min_size=1, max_size=10))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]) -> None:
    """What the csv module writes is read back, quotation marks, commas and line breaks too."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *cells])
    file = tmp_path_factory.mktemp("csv") / "t.csv"
    file.write_text(text.getvalue(), encoding="utf-8", newline="")
    frame, _, faults = read_csv(file, "t.csv")
    assert not faults
    assert [tuple(row) for row in frame.fillna("").to_numpy().tolist()] == cells


@pytest.mark.parametrize(
    ("content", "place", "found", "expected"),
    [
        (b"", (None, None), "an empty file", "header"),
        (b"\na,b\n", (1, None), "a blank row", "header"),
        (b"a;b\n1;2\n", (1, None), "semicolons", "commas"),
        (b"a\tb\n1\t2\n", (1, None), "tabs", "commas"),
        ("a,b\n1,2\n".encode("utf-16"), (1, None), "UTF-16", "UTF-8"),
        (b"PK\x03\x04...", (None, None), "a workbook", ".xlsx"),
        (b"a,b\n1,2\n1,M\xfcnch\n", (3, "b"), "'M�nch'", "UTF-8"),
        (b"a,b\n1\n3,4\n", (2, None), "1 cells", "2 cells"),
        (b"a,b\n1,2\n\n3,4,5\n", (4, None), "3 cells", "2 cells"),
        (b'a,b\n1,2\n"3,4\n5,6\n', (3, None), "cannot be read", "quotation mark"),
        (b"a,,b\n1,2,3\n", (1, None), "column 2 without a name", "a name"),
    ],
)
def test_what_cannot_be_read_has_its_row(
    file: Path, content: bytes, place: tuple[int | None, str | None], found: str, expected: str
) -> None:
    """Each way to break a CSV file gives one fault with its place, what was found and what to do."""
    file.write_bytes(content)
    _, _, faults = read_csv(file, "t.csv")
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [("t.csv", *place)]
    assert found in faults[0].found
    assert expected in faults[0].expected


def test_the_rows_around_a_broken_one_are_read(file: Path) -> None:
    """A broken row costs itself only, and those after it keep their numbers."""
    file.write_bytes(b"a,b\n1,2\n\n3\n4,5\n")
    frame, source, faults = read_csv(file, "t.csv")
    assert [fault.row for fault in faults] == [4]
    assert frame["a"].tolist() == ["1", "4"]
    assert source.rows(np.arange(2)) == [2, 5]


def test_many_broken_rows_are_summed_up(file: Path) -> None:
    """Twenty broken rows are named, the others are counted."""
    file.write_text("a,b\n" + "1\n" * 1000, encoding="utf-8")
    _, _, faults = read_csv(file, "t.csv")
    assert [fault.row for fault in faults[:20]] == list(range(2, 22))
    assert len(faults) == 21
    assert "980 more" in faults[-1].found
    assert "1001" in faults[-1].found
