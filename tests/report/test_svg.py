"""Maps are well-formed SVG, whatever the names, and their labels do not overlap."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.report.svg import Frame, Layer, Point, draw, nice_length

SQUARE = np.array([[0.0, 0.0], [1000.0, 0.0], [1000.0, 1000.0], [0.0, 1000.0], [0.0, 0.0]])
NS = "{http://www.w3.org/2000/svg}"


def test_a_map_has_one_path_per_colour_class() -> None:
    """Two hundred neighbourhoods of two classes are two paths."""
    rings = tuple(SQUARE + 1000 * step for step in range(100))
    root = ET.fromstring(draw(Frame(0, 0, 5000, 5000), [Layer("#111111", rings), Layer("#222222", rings)], []))
    fills = [path.get("fill") for path in root.iter(f"{NS}path")]
    assert fills.count("#111111") == fills.count("#222222") == 1


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30))
@settings(max_examples=50, deadline=None)
def test_a_name_cannot_break_out_of_the_map(name: str) -> None:
    """Markup in a store's name is text in the SVG."""
    points = [Point(500, 500, f"<b>&{name}", shape=shape) for shape in ("star", "dot", "cross")]
    root = ET.fromstring(draw(Frame(0, 0, 1000, 1000), [], points))
    texts = [element.text or "" for element in root.iter(f"{NS}text")]
    assert any("<b>&" in text for text in texts) or len(name) > 5
    assert not list(root.iter(f"{NS}b"))


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=40))
@settings(max_examples=30, deadline=None)
def test_labels_never_overlap(places: list[tuple[int, int]]) -> None:
    """Of many crowded stores only those are labelled whose label has room; the labels printed are apart."""
    root = ET.fromstring(draw(Frame(0, 0, 5000, 5000), [], [Point(x, y, "Store") for x, y in places], font=20))
    written = [text for text in root.iter(f"{NS}text") if text.get("stroke") is None and text.text == "Store"]
    spots = [(float(text.get("x", 0)), float(text.get("y", 0))) for text in written]
    for at, (x, y) in enumerate(spots):
        assert all(abs(x - a) > 40 or abs(y - b) >= 19.5 for a, b in spots[:at])


@pytest.mark.parametrize(("most", "expected"), [(999, 500), (1000, 1000), (4999, 2000), (0.3, 0.2)])
def test_a_scale_bar_has_a_round_length(most: float, expected: float) -> None:
    """One, two or five times a power of ten, as long as there is room."""
    assert nice_length(most) == pytest.approx(expected)


def test_north_is_up_and_the_map_keeps_its_proportions() -> None:
    """A point further north is nearer the top; a frame around points has the aspect asked for."""
    frame = Frame.around(np.array([[0.0, 0.0], [9000.0, 3000.0]]), aspect=1.5)
    south, north = frame.place(np.array([[0.0, 0.0], [0.0, 3000.0]]))
    assert north[1] < south[1]
    assert 1000 / frame.height == pytest.approx(1.5)
