"""Maps of the chain: each store's trade area with the stores around it, and all stores at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from assortment.geo import MapShapes
from assortment.geo.ground.competitors import Competitors
from assortment.report.facts import Facts
from assortment.report.numbers import counted, number
from assortment.report.svg import INK, PAPER, Floats, Frame, Layer, Point, draw

# One hue from light to dark: it keeps its order in grey print and for colour-blind eyes.
SHARES = ("#e6ecf0", "#c3d8e6", "#8db6d1", "#4c87b0", "#124d7c")
_STAR, _DOT = "#e8731a", PAPER
_CHAIN_ASPECT = 1.5
_PIXELS = 1000
_LAND, _RIVAL = "#e6ecef", "#5b6770"


class Maps:
    """Draws the maps of a run; the shapes are projected once.

    Parameters
    ----------
    facts
        The run.
    """

    def __init__(self, facts: Facts) -> None:
        chain = facts.run.chain
        self._facts = facts
        self._ground = facts.run.areas.ground
        self._shapes = MapShapes(facts.run.areas, people=_people(facts))
        self._rivals = Competitors.of(chain.competitors, self._ground).xy

    def store(self, store_id: str) -> dict[str, Any]:
        """Return the map of a store's trade area: SVG, text for those who cannot see it, legend and source."""
        area = self._shapes.around(store_id)
        west, south, east, north = area.window
        place = next((x, y) for found, x, y in area.stores if found == store_id)
        others = [(found, x, y) for found, x, y in area.stores if found != store_id]
        layers = [Layer(SHARES[at], tuple(area.rings_of(at))) for at in range(len(area.classes))]
        layers.append(Layer("none", area.borders, edge=INK))
        rivals = self._rivals_inside(area.window)
        points = [
            *(Point(x, y, shape="cross", fill=_RIVAL, size=8) for x, y in rivals),
            *(Point(x, y, self._facts.store(other), fill=_DOT, size=10) for other, x, y in others),
            Point(*place, self._facts.store(store_id), shape="star", fill=_STAR, size=24),
        ]
        present = {shape.share_class for shape in area.neighbourhoods}
        legend = [
            {"shape": "star", "fill": _STAR, "label": "this store"},
            *([{"shape": "dot", "fill": _DOT, "label": "our other stores"}] if others else []),
            *([{"shape": "cross", "fill": _RIVAL, "label": "competitors"}] if len(rivals) else []),
            *(
                {"shape": "area", "fill": SHARES[at], "label": label}
                for at, label in enumerate(area.classes)
                if at in present
            ),
        ]
        return {
            "svg": draw(Frame(west, south, east, north), layers, points, font=27),
            "alt": self._described(store_id, area.classes, [shape.share_class for shape in area.neighbourhoods]),
            "caption": "Part of each neighbourhood's people who shop at this store",
            "legend": legend,
            "source": self._source(),
        }

    def chain(self) -> dict[str, Any]:
        """Return the map of all stores, coloured by how many local products they carry."""
        counts = np.asarray((self._facts.carried & ~np.asarray(self._facts.run.plan.core)).sum(axis=1))
        edges = _thirds(counts)
        labels = _ranges(counts, edges)
        frame = Frame.around(self._ground.store_xy, aspect=_CHAIN_ASPECT)
        points = [Point(float(x), float(y), shape="cross", fill=_RIVAL, size=5) for x, y in self._rivals]
        colours = (SHARES[0], SHARES[2], SHARES[4])
        for row, (x, y) in enumerate(self._ground.store_xy.tolist()):
            shade = colours[int(np.searchsorted(edges, counts[row], side="left"))]
            points.append(Point(x, y, self._facts.printed(self._ground.store_ids[row]), fill=shade, size=9))
        legend = [
            *({"shape": "dot", "fill": colours[at], "label": label} for at, label in enumerate(labels) if label),
            *([{"shape": "cross", "fill": _RIVAL, "label": "competitors"}] if len(self._rivals) else []),
        ]
        return {
            "svg": draw(frame, [Layer(_LAND, self._all_rings(frame), edge="#ffffff")], points, font=17),
            "alt": f"Map of {counted(len(counts), 'store')} by number of local products, which the table tells too.",
            "caption": "Stores by number of local products",
            "legend": legend,
            "source": self._source(),
        }

    def _rivals_inside(self, window: tuple[float, float, float, float]) -> list[tuple[float, float]]:
        west, south, east, north = window
        x, y = self._rivals[:, 0], self._rivals[:, 1]
        inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        return [(float(a), float(b)) for a, b in self._rivals[inside]]

    def _all_rings(self, frame: Frame) -> tuple[Floats, ...]:
        window = (frame.left, frame.bottom, frame.right, frame.top)
        simple = shapely.simplify(self._ground.polygons, (frame.right - frame.left) / _PIXELS / 2)
        parts = shapely.get_parts(shapely.clip_by_rect(simple, *window))
        polygons = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
        return tuple(shapely.get_coordinates(ring) for ring in shapely.get_rings(polygons))

    def _described(self, store_id: str, classes: tuple[str, ...], found: list[int]) -> str:
        told = ", ".join(f"{found.count(at)} with {label}" for at, label in enumerate(classes) if at in found)
        name = self._facts.store(store_id)
        return f"Map of the trade area of {name}. Neighbourhoods by the part of their people who shop here: {told}."

    def _source(self) -> str:
        areas, chain = self._facts.run.areas, self._facts.run.chain
        file = chain.files.get("neighbourhoods")
        origin = f" ({file.name})" if file is not None else ""
        told = "".join(f", {_setting(name, value)}" for name, value in areas.parameters.items() if _plain(value))
        many = counted(len(areas.neighbourhood_ids), "neighbourhood")
        return self._facts.printed.sentence(f"Source: {many}{origin}. Trade area by {areas.method}{told}.")


def _people(facts: Facts) -> Floats | None:
    """People of each neighbourhood (the first count), which set how far a map reaches; ``None`` without counts."""
    neighbourhoods = facts.run.chain.neighbourhoods
    if not neighbourhoods.counts or tuple(neighbourhoods.ids) != facts.run.areas.neighbourhood_ids:
        return None
    people: Floats = neighbourhoods.frame[neighbourhoods.counts[0]].to_numpy(dtype=np.float64, na_value=np.nan)
    return people


def _plain(value: object) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool) and value not in (0, "")


def _setting(name: str, value: object) -> str:
    words = name.removesuffix("_m").replace("_", " ")
    if not isinstance(value, int | float):
        return f"{words} {value}"
    return f"{words} {number(value, 0 if float(value).is_integer() else 2)}{' m' if name.endswith('_m') else ''}"


def _thirds(counts: np.ndarray[Any, np.dtype[np.int64]]) -> list[int]:
    """Upper borders of the lower two of three classes that hold about as many stores each."""
    low, high = np.quantile(counts, [1 / 3, 2 / 3], method="lower")
    return sorted({int(low), int(high)} - {int(counts.max())})


def _ranges(counts: np.ndarray[Any, np.dtype[np.int64]], edges: list[int]) -> list[str]:
    starts = [int(counts.min()), *(edge + 1 for edge in edges)]
    ends = [*edges, int(counts.max())]
    spans = [str(a) if a == b else f"{a}–{b}" for a, b in zip(starts, ends, strict=True)]
    return [f"{span} local products" for span in spans]
