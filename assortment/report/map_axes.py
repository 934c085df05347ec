"""``MapAxes``: matplotlib axes that show a map, its legend above and its scale below, nothing over the land.

The only module of the report that imports matplotlib; what writes files must not import it when it is loaded itself.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path

from assortment.report.scale import Scale
from assortment.report.svg import Floats, nice_length

EDGE, INK, STORE, LAND, UNKNOWN = "#ffffff", "#1c2a33", "#e8731a", "#e6ecef", "#d0d0d0"
_HATCH = "////"
_GAP = 6.0
_BAR_HEIGHT, _BAR_WIDTH = 8.0, 0.54  # points, and part of the map's width
_TICK = 45.0
_WIDTH_OF_LETTER = 0.52  # of the font's size, a little more than the mean
_SMALL, _LARGE = 8.0, 10.0


class MapAxes:
    """Draws a map on axes that the caller gives, and on nothing else of the figure.

    Parameters
    ----------
    ax
        Axes to draw on.
    window
        West, south, east, north of what is shown, in metres.
    """

    def __init__(self, ax: Axes, window: tuple[float, float, float, float]) -> None:
        self.ax, self._window = ax, window
        figure = ax.get_figure(root=True)
        assert figure is not None
        self._figure: Figure = figure
        self._entries: list[Artist] = []

    def fill(self, shapes: Sequence[Sequence[Floats]], colour: str = LAND, label: str | None = None) -> None:
        """Fill shapes, each given as its rings, with one colour."""
        if shapes:
            self._add(shapes, facecolors=colour)
        if shapes and label is not None:
            self._entries.append(Patch(facecolor=colour, edgecolor=INK, linewidth=0.3, label=label))

    def colour(
        self, shapes: Sequence[Sequence[Floats]], values: Floats, scale: Scale | None, *, without: str = "unknown"
    ) -> None:
        """Fill shapes by their values; those without one (NaN) are hatched, and the legend says why they lack it."""
        known = np.isfinite(values)
        if scale is not None:
            shown = [shape for shape, is_known in zip(shapes, known, strict=True) if is_known]
            self._add(shown, array=values[known], cmap=scale.colours, norm=_norm(scale))
        unknown = [shape for shape, is_known in zip(shapes, known, strict=True) if not is_known]
        if unknown:
            self._add(unknown, facecolors=UNKNOWN, hatch=_HATCH, zorder=0.9)
            self._entries.append(Patch(facecolor=UNKNOWN, edgecolor=EDGE, hatch=_HATCH, label=without))

    def lines(self, lines: Sequence[Floats], label: str, *, width: float = 0.9) -> None:
        """Draw lines."""
        if lines:
            self.ax.add_collection(LineCollection(list(lines), colors=INK, linewidths=width, zorder=2))
            self._entries.append(Line2D([], [], color=INK, linewidth=width, label=label))

    def stores(self, xy: Floats, label: str = "store", *, colour: str = STORE, star: bool = False) -> None:
        """Draw stores, shape (n, 2), all alike."""
        size, marker = (150, "*") if star else (22, "o")
        x, y = xy.T
        drawn = self.ax.scatter(
            x, y, size, colour, marker=marker, edgecolors=INK, linewidths=0.8, zorder=3, label=label
        )
        self._entries.append(drawn)

    def coloured_stores(self, xy: Floats, values: Floats, scale: Scale | None, label: str) -> None:
        """Draw stores, shape (n, 2), by their values; those that are unknown (NaN) are grey."""
        known = np.isfinite(values)
        look: dict[str, Any] = {"edgecolors": EDGE, "zorder": 3, "linewidths": 1.2}
        x, y = xy.T
        self.ax.scatter(x, y, 60, INK, linewidths=0, zorder=3)  # the dark ring around the light one
        if scale is not None:
            self.ax.scatter(x[known], y[known], 36, values[known], cmap=scale.colours, norm=_norm(scale), **look)
        if not known.all():
            self.ax.scatter(x[~known], y[~known], 36, UNKNOWN, **look)
        self._entries.append(_ring_marker(label))

    def labels(self, xy: Floats, labels: Sequence[str]) -> None:
        """Write beside places, shape (n, 2), what has room there; call it last."""
        taken: list[Any] = []
        for (x, y), label in zip(xy.tolist(), labels, strict=True):
            # A dollar sign in a name must not switch to formulas.
            text = self.ax.annotate(
                label, (x, y), xytext=(4, 3), textcoords="offset points", fontsize="x-small", parse_math=False
            )
            box = text.get_window_extent()
            if any(box.overlaps(other) for other in taken):
                text.remove()
            else:
                taken.append(box)

    def finish(
        self, *, title: str = "", legend: str | None = None, scale: Scale | None = None, source: str = ""
    ) -> None:
        """Add title, legend, colour bar, scale bar and source line, and set the limits.

        Parameters
        ----------
        title
            Above the map.
        legend
            Title of the legend.
        scale
            What the colours mean.
        source
            Lines below the map.
        """
        self.ax.set(aspect="equal", xticks=[], yticks=[])
        per_point, label = self._lay_out(legend, scale)
        across = (self._window[2] - self._window[0]) / per_point
        if title:
            self.ax.set_title(_wrapped(title, across, _LARGE), fontsize=_LARGE, parse_math=False)
        if source:
            self.ax.set_xlabel(_wrapped(source, across, _SMALL), fontsize=_SMALL, loc="left", parse_math=False)
        self._scale_bar(per_point)
        if scale is not None:
            self._colour_bar(scale, label, per_point)

    def _lay_out(self, legend: str | None, scale: Scale | None) -> tuple[float, str]:
        """Set limits with room for the legend and the scales; metres per point and the label of the colours return."""
        wide, _ = self._points
        legend_wide, above = self._legend(legend, wide) if self._entries else (0.0, 0.0)
        west, south, east, north = self._window
        below, label = 3.0 * _GAP + _SMALL, ""
        if scale is not None:
            narrow = (east - west) / self._metres_per_point(above, below + 4.0 * _SMALL)
            label = _wrapped(scale.label, _BAR_WIDTH * max(narrow, min(legend_wide, wide)), _SMALL)
            below += (1.0 + 1.2 * len(label.splitlines())) * _SMALL
        per_point = self._metres_per_point(above, below)
        # Where the land is narrower than the legend, there is room beside it, as the axes are wide enough for both.
        beside = max(0.0, min(legend_wide, wide) - (east - west) / per_point) * per_point / 2.0
        self._window = (west - beside, south, east + beside, north)
        self.ax.set(xlim=(west - beside, east + beside), ylim=(south - below * per_point, north + above * per_point))
        return per_point, label

    def _add(self, shapes: Sequence[Sequence[Floats]], **look: Any) -> None:
        paths = [_path(rings) for rings in shapes]
        self.ax.add_collection(PathCollection(paths, **{"edgecolors": EDGE, "linewidths": 0.3, "zorder": 1, **look}))

    @property
    def _points(self) -> tuple[float, float]:
        """Width and height that the axes may take, in points."""
        box = self.ax.get_position(original=True)
        width, height = self._figure.get_size_inches()
        return float(box.width * width * 72.0), float(box.height * height * 72.0)

    def _metres_per_point(self, above: float, below: float) -> float:
        """Scale at which the land fits into the axes, where room is left above and below it, in points."""
        wide, high = self._points
        west, south, east, north = self._window
        return max((east - west) / wide, (north - south) / max(high - above - below, 0.2 * high))

    def _legend(self, title: str | None, wide: float) -> tuple[float, float]:
        """Put the legend into as few rows as fit a width in points; width and height to keep free for it come back."""
        to_points = 72.0 / self._figure.dpi
        size = (0.0, 0.0)
        for columns in range(len(self._entries), 0, -1):
            legend = self.ax.legend(
                handles=self._entries, title=_wrapped(title or "", wide - 2.0 * _GAP, _SMALL) or None, ncols=columns,
                loc="upper left", fontsize=_SMALL, title_fontsize=_SMALL, frameon=False, borderaxespad=0.4,
                columnspacing=1.2, handletextpad=0.5,
            )  # fmt: skip
            legend.set_alignment("left")
            box = legend.get_window_extent()
            size = (float(box.width) * to_points + 2.0 * _GAP, float(box.height) * to_points + 2.0 * _GAP)
            if size[0] <= wide:
                break
        return size

    def _scale_bar(self, per_point: float) -> None:
        west, south, east, _ = self._window
        metres = nice_length((east - west) / 4)
        words = f"{metres / 1000:,g} km" if metres >= 1000 else f"{metres:g} m"
        left, y = west + _GAP * per_point, south - (_SMALL + 2.5 * _GAP) * per_point
        tick = 3.0 * per_point
        self.ax.plot([left, left, left + metres, left + metres], [y + tick, y, y, y + tick], color=INK, linewidth=1.2)
        self.ax.text(left + metres / 2, y + 2.0 * per_point, words, fontsize=_SMALL, ha="center", va="bottom")

    def _colour_bar(self, scale: Scale, label: str, per_point: float) -> None:
        west, south, east, _ = self._window
        wide, thick = _BAR_WIDTH * (east - west), _BAR_HEIGHT * per_point
        place = (east - wide - 0.06 * (east - west), south - _GAP * per_point - thick, wide, thick)
        inset = self.ax.inset_axes(place, transform=self.ax.transData)
        colours = ScalarMappable(norm=_norm(scale), cmap=scale.colours)
        bar = self._figure.colorbar(
            colours, cax=inset, orientation="horizontal", extend=scale.beyond, format=scale.written
        )
        bar.ax.tick_params(labelsize=_SMALL, pad=1.5, length=2)
        bar.ax.locator_params(nbins=max(1, min(4, int(wide / per_point / _TICK))))
        bar.set_label(label, fontsize=_SMALL, labelpad=1.0)


def _wrapped(text: str, points: float, size: float) -> str:
    """Text in lines that are no wider than so many points."""
    letters = max(16, int(points / (size * _WIDTH_OF_LETTER)))
    return "\n".join(line for part in text.splitlines() for line in textwrap.wrap(part, letters))


def _path(rings: Sequence[Floats]) -> Path:
    codes: list[Any] = [np.r_[Path.MOVETO, np.full(len(ring) - 2, Path.LINETO), Path.CLOSEPOLY] for ring in rings]
    return Path(np.concatenate(list(rings)), np.concatenate(codes).astype(Path.code_type))


def _norm(scale: Scale) -> Normalize:
    return Normalize(scale.low, scale.high)


def _ring_marker(label: str) -> Line2D:
    look: dict[str, Any] = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": INK, "markersize": 6}
    return Line2D([], [], linestyle="none", **look, label=label)
