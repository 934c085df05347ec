"""A map as one SVG string: one path per colour class, points, labels that do not overlap, a scale bar.

Everything is drawn in the page's units (1 = 1/1000 of the width); y grows downwards, as SVG has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import floor, log10
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Style = dict[str, str | float]

WIDTH = 1000.0
INK, PAPER, WATER = "#1c2a33", "#ffffff", "#fcfdfd"
_FONT = "Noto Sans, Noto Sans Arabic, Noto Sans Hebrew"
_LETTER = 0.56  # mean width of a letter of Noto Sans, in font sizes


@dataclass(frozen=True)
class Layer:
    """All shapes of one colour.

    Parameters
    ----------
    fill
        Colour, or ``none``.
    rings
        Rings in metres, each (n, 2), the last corner being the first; a ring inside another is a hole. Without a fill
        lines may stand among them.
    edge
        Colour of the outline.
    """

    fill: str
    rings: tuple[Floats, ...]
    edge: str = "#aab7bf"


@dataclass(frozen=True)
class Point:
    """A store on the map.

    Parameters
    ----------
    x, y
        Metres.
    label
        Printed beside it where there is room; empty for none.
    shape
        ``star`` (the store of the page), ``dot`` (another store of the chain) or ``cross`` (a competitor).
    fill
        Colour inside, or of the cross.
    size
        Radius in page units.
    """

    x: float
    y: float
    label: str = ""
    shape: str = "dot"
    fill: str = PAPER
    size: float = 9.0


@dataclass(frozen=True)
class Frame:
    """The part of the plane that is shown.

    Parameters
    ----------
    left, bottom, right, top
        Metres.
    """

    left: float
    bottom: float
    right: float
    top: float

    @property
    def scale(self) -> float:
        """Page units per metre."""
        return WIDTH / (self.right - self.left)

    @property
    def height(self) -> float:
        """Height in page units."""
        return (self.top - self.bottom) * self.scale

    def place(self, metres: Floats) -> Floats:
        """Return page coordinates (n, 2) of points in metres (n, 2)."""
        page: Floats = (metres - np.array([self.left, self.top])) * np.array([self.scale, -self.scale])
        return page

    @classmethod
    def around(cls, points: Floats, *, aspect: float, margin: float = 0.06, least_m: float = 2000.0) -> Frame:
        """Return the frame that holds all points (n, 2), with a margin, at ``aspect`` = width / height."""
        low, high = points.min(axis=0), points.max(axis=0)
        centre, size = (low + high) / 2, np.maximum(high - low, least_m) * (1 + 2 * margin)
        width = max(size[0], size[1] * aspect)
        half = np.array([width, width / aspect]) / 2
        return cls(*(centre - half), *(centre + half))


@dataclass
class _Labels:
    """Boxes already taken, so that no label is printed over a point or another label."""

    width: float
    height: float
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)

    def take(self, left: float, top: float, right: float, bottom: float) -> bool:
        inside = left >= 0 and top >= 0 and right <= self.width and bottom <= self.height
        free = all(right <= a or left >= c or bottom <= b or top >= d for a, b, c, d in self.boxes)
        if inside and free:
            self.boxes.append((left, top, right, bottom))
        return inside and free


def draw(frame: Frame, layers: Iterable[Layer], points: Sequence[Point], *, font: float = 24.0) -> str:
    """Return the map as SVG text.

    Parameters
    ----------
    frame
        What is shown.
    layers
        Drawn in order, the first at the bottom.
    points
        Drawn in order, the last on top; labels are placed for the last first, as it matters most.
    font
        Size of the labels in page units.
    """
    height = round(frame.height, 1)
    labels = _Labels(WIDTH, height)
    bar = _scale_bar(frame, labels, font)
    at = [(point, *frame.place(np.array([[point.x, point.y]]))[0]) for point in points]
    for point, x, y in at:
        reach = point.size + 3
        labels.boxes.append((x - reach, y - reach, x + reach, y + reach))
    texts = [_label(point, float(x), float(y), labels, font) for point, x, y in reversed(at) if point.label]
    page: Style = {"width": WIDTH, "height": height}
    content = [
        _tag("rect", **page, fill=WATER),
        *(_path(frame, layer) for layer in layers),
        *(_marker(point, float(x), float(y)) for point, x, y in at),
        *texts,
        bar,
        _tag("rect", **page, fill="none", stroke="#9aa7af", stroke_width=3),
    ]
    clip = _tag("clipPath", _tag("rect", **page), id="page")
    drawn = clip + _tag("g", "".join(content), clip_path="url(#page)")
    return _tag("svg", drawn, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH:g} {height:g}")


def _tag(name: str, content: str = "", /, **attributes: str | float) -> str:
    """An element; content is given as SVG, attributes as they are meant, underscores standing for hyphens."""
    written = "".join(f" {key.replace('_', '-')}={quoteattr(_plain(value))}" for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 1):g}"


def _path(frame: Frame, layer: Layer) -> str:
    shapes = "".join(_ring(frame.place(ring)) for ring in layer.rings)
    style: Style = {"fill": layer.fill, "fill_rule": "evenodd", "stroke": layer.edge, "stroke_width": 1.0}
    return _tag("path", d=shapes, **style, stroke_linejoin="round") if shapes else ""


def _ring(page: Floats) -> str:
    whole = np.round(page).astype(np.int64)
    moved = np.ones(len(whole), dtype=bool)
    moved[1:] = np.any(whole[1:] != whole[:-1], axis=1)
    kept = whole[moved]
    closed = bool((kept[0] == kept[-1]).all())
    if len(kept) < 2 + closed:
        return ""
    # Relative steps are a third shorter than absolute coordinates.
    steps = " ".join(f"{x} {y}" for x, y in np.diff(kept, axis=0).tolist())
    return f"M{kept[0, 0]} {kept[0, 1]}l{steps}" + "z" * closed


def _marker(point: Point, x: float, y: float) -> str:
    r = point.size
    if point.shape == "cross":
        d = f"M{x - r:.1f} {y - r:.1f}l{2 * r:.1f} {2 * r:.1f}M{x - r:.1f} {y + r:.1f}l{2 * r:.1f} {-2 * r:.1f}"
        return _tag("path", d=d, stroke=PAPER, stroke_width=r * 1.1) + _tag(
            "path", d=d, stroke=point.fill, stroke_width=r * 0.55
        )
    if point.shape == "star":
        turns = np.arange(10) * np.pi / 5
        reach = np.where(np.arange(10) % 2 == 0, r, r * 0.45)
        corners = np.column_stack([x + reach * np.sin(turns), y - reach * np.cos(turns)])
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners.tolist())
        return _tag("polygon", points=points, fill=point.fill, stroke=PAPER, stroke_width=r * 0.18)
    return _tag("circle", cx=x, cy=y, r=r, fill=point.fill, stroke=INK, stroke_width=2.5)


def _label(point: Point, x: float, y: float, labels: _Labels, font: float) -> str:
    size = font * (1.15 if point.shape == "star" else 1.0)
    length, gap = _length(point.label, size), point.size + 6
    places = [
        (x + gap, y - size / 2),
        (x - gap - length, y - size / 2),
        (x - length / 2, y - gap - size),
        (x - length / 2, y + gap),
    ]
    for left, top in places:
        if labels.take(left, top, left + length, top + size):
            return _text(point.label, left + length / 2, top + size * 0.8, size, bold=point.shape == "star")
    return ""


def _length(text: str, size: float) -> float:
    return len(text) * _LETTER * size


def _text(text: str, middle: float, y: float, size: float, *, bold: bool = False) -> str:
    # Drawn twice: a white line below keeps the letters readable on any colour.
    style: Style = {
        "x": middle,
        "y": y,
        "font_size": size,
        "font_family": _FONT,
        "text_anchor": "middle",
    }
    if bold:
        style["font_weight"] = "bold"
    halo: Style = {"fill": PAPER, "stroke": PAPER, "stroke_width": size * 0.22, "stroke_linejoin": "round"}
    return _tag("text", escape(text), **style, **halo) + _tag("text", escape(text), **style, fill=INK)


def _scale_bar(frame: Frame, labels: _Labels, font: float) -> str:
    metres = nice_length((frame.right - frame.left) / 4)
    words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    length, left, bottom = metres * frame.scale, 24.0, frame.height - 24.0
    room = max(length, _length(words, font)) + 24
    labels.take(0, bottom - font * 1.7, left + room, frame.height)
    box = _tag(
        "rect", x=left - 12, y=bottom - font * 1.6, width=room, height=font * 1.6 + 12, fill=PAPER, fill_opacity=0.85
    )
    bar = _tag("path", d=f"M{left:g} {bottom - 8:.1f}v8h{length:.1f}v-8", fill="none", stroke=INK, stroke_width=3)
    return box + bar + _text(words, left + length / 2, bottom - font * 0.45, font * 0.9)


def nice_length(most: float) -> float:
    """Return the longest of 1, 2, 5 times a power of ten that is at most ``most`` metres."""
    power = 10.0 ** floor(log10(most))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= most)
