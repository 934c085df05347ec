"""What a map of one store's trade area draws: plain coordinates in metres, ready for SVG or matplotlib alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely

from assortment.errors import GeographyError
from assortment.geo.areas import SparseShares, TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.cover.disc import Discs
from assortment.geo.cover.overlay import Zones

BREAKS = (0.05, 0.15, 0.3, 0.5)
"""The same for every store, so that two maps can be laid side by side."""
_MARGIN = 1.1
_PIXELS = 800
"""Width of a printed map, which sets how fine its lines need to be."""


@dataclass(frozen=True)
class NeighbourhoodShape:
    """The part of a neighbourhood that a map shows.

    Parameters
    ----------
    neighbourhood_id
        Which one.
    store_id
        The store that ``share`` is about.
    share
        Part of the neighbourhood's people whom that store serves, 0 to 1.
    share_class
        Class of that part: 0 (lowest) to the number of breaks.
    rings
        Closed rings, each of shape (n, 2) in metres, outer rings and holes alike: fill them by the even-odd rule.
    """

    neighbourhood_id: str
    store_id: str
    share: float
    share_class: int
    rings: tuple[FloatArray, ...]


@dataclass(frozen=True, kw_only=True)
class AreaMap:
    """Everything that a map of trade areas shows, in metres on a plane, east to the right and north up.

    Attributes
    ----------
    store_id
        The store in the middle; ``None`` for the map of the chain.
    window
        West, south, east, north; the neighbourhoods are cut to it.
    neighbourhoods
        Those inside the window.
    classes
        One label per share class, lowest first, such as ``15–30 %``.
    stores
        All stores inside the window, ``store_id`` among them: (id, x, y).
    borders
        Lines, each of shape (n, 2), along the borders of the areas that cut neighbourhoods (rings, Thiessen polygons,
        hulls around customers): of ``store_id``, or of every store on the map of the chain.
    """

    store_id: str | None
    window: tuple[float, float, float, float]
    neighbourhoods: tuple[NeighbourhoodShape, ...]
    classes: tuple[str, ...]
    stores: tuple[tuple[str, float, float], ...]
    borders: tuple[FloatArray, ...] = ()

    def rings_of(self, share_class: int) -> list[FloatArray]:
        """Return the rings of all neighbourhoods of a class, for one path per colour."""
        return [ring for shape in self.neighbourhoods if shape.share_class == share_class for ring in shape.rings]


class MapShapes:
    """Prepares the maps of a chain's trade areas; what is projected once serves all of them.

    Parameters
    ----------
    areas
        Trade areas.
    people
        People in each neighbourhood, in the order of the areas: they set how far the map of a store reaches. Default:
        all neighbourhoods alike.
    breaks
        Rising borders of the share classes, between 0 and 1.

    Raises
    ------
    GeographyError
        People that do not fit the neighbourhoods; breaks that do not rise from 0 to 1.
    """

    def __init__(
        self, areas: TradeAreas, *, people: Sequence[float] | FloatArray | None = None, breaks: Sequence[float] = BREAKS
    ) -> None:
        self.breaks = tuple(float(edge) for edge in breaks)
        if not self.breaks or not (np.diff(self.breaks, prepend=0.0, append=1.0) > 0.0).all():
            raise GeographyError(f"breaks: expected numbers that rise between 0 and 1; found {self.breaks}")
        size = len(areas.neighbourhood_ids)
        self._people = np.ones(size) if people is None else np.nan_to_num(np.asarray(people, dtype=np.float64))
        if self._people.shape != (size,):
            raise GeographyError(f"people: expected {size} numbers, one per neighbourhood; found {self._people.size}")
        self._areas, self._ground = areas, areas.ground
        self._tree = shapely.STRtree(self._ground.polygons)

    @property
    def classes(self) -> tuple[str, ...]:
        """One label per share class, lowest first."""
        edges = [f"{100.0 * edge:g}" for edge in self.breaks]
        return (f"under {edges[0]} %", *(f"{low}–{high} %" for low, high in pairwise(edges)), f"over {edges[-1]} %")

    def around(self, store_id: str, *, held: float = 0.7) -> AreaMap:
        """Prepare the map of one store: a square around it.

        Parameters
        ----------
        store_id
            Of the chain.
        held
            Part of the store's people who live in the largest circle inside the map; for rings, the map holds the ring.

        Raises
        ------
        GeographyError
            There is no such store.
        """
        shares = self._areas.of_store(store_id).to_numpy()
        row = self._areas.store_ids.index(store_id)
        x, y = map(float, self._ground.store_xy[row])
        zones = self._zones
        half = _MARGIN * float(zones.radius_m[row] if isinstance(zones, Discs) else self._reach(row, shares, held))
        leaders = np.full(len(shares), row)
        return self._map((x - half, y - half, x + half, y + half), leaders, shares, store_id)

    def chain(self) -> AreaMap:
        """Prepare the map of the chain: every neighbourhood with the store that serves most of it."""
        west, south, east, north = map(float, shapely.total_bounds(self._ground.polygons))
        return self._map((west, south, east, north), *self._leaders)

    def over(self, area: shapely.Geometry, *, margin: float = 0.5) -> AreaMap:
        """Prepare a map as that of the chain, of an area on the plane and what lies around it.

        Parameters
        ----------
        area
            With an extent, such as the outline of an ``AreaTable``.
        margin
            What is shown on each side, as part of the longer side of the area's bounds.
        """
        west, south, east, north = map(float, shapely.bounds(area))
        wider = margin * max(east - west, north - south)
        return self._map((west - wider, south - wider, east + wider, north + wider), *self._leaders)

    @property
    def _zones(self) -> Zones | None:
        matrix = self._areas.matrix
        return matrix.zones if isinstance(matrix, SparseShares) else None

    @cached_property
    def _leaders(self) -> tuple[npt.NDArray[np.intp], FloatArray]:
        """The store that serves most of each neighbourhood, and its share, shape (M,) each."""
        leaders = np.zeros(len(self._areas.neighbourhood_ids), dtype=np.intp)
        shares = np.full(len(leaders), -1.0)
        for part, block in self._areas.blocks():
            best = block.argmax(axis=0)
            most = np.take_along_axis(block, best[None, :], axis=0)[0]
            leaders = np.where(most > shares, best + part.start, leaders)
            shares = np.maximum(shares, most)
        return leaders, shares

    def _map(
        self,
        window: tuple[float, float, float, float],
        leaders: npt.NDArray[np.intp],
        shares: FloatArray,
        store_id: str | None = None,
    ) -> AreaMap:
        west, south, east, north = window
        stores = zip(self._ground.store_ids, self._ground.store_xy.tolist(), strict=True)
        return AreaMap(
            store_id=store_id,
            window=window,
            neighbourhoods=tuple(self._shapes(window, leaders, shares)),
            classes=self.classes,
            stores=tuple((store, x, y) for store, (x, y) in stores if west <= x <= east and south <= y <= north),
            borders=tuple(self._borders(window, store_id)),
        )

    def _borders(self, window: tuple[float, float, float, float], store_id: str | None) -> Iterator[FloatArray]:
        if self._zones is None:
            return
        outlines = self._zones.polygons if isinstance(self._zones, Discs) else self._zones
        shown = outlines if store_id is None else outlines[[self._areas.store_ids.index(store_id)]]
        for line in shapely.get_parts(shapely.clip_by_rect(shapely.boundary(shown), *window)):
            yield shapely.get_coordinates(line)

    def _reach(self, row: int, shares: FloatArray, held: float) -> float:
        """Distance within which a part of the store's people live, but at least the width of the nearest polygon."""
        distance = np.linalg.norm(self._ground.centre_xy - self._ground.store_xy[row], axis=1)
        order = np.argsort(distance, kind="stable")
        served = np.cumsum((self._people * shares)[order])
        last = min(int(np.searchsorted(served, held * served[-1])), len(order) - 1)
        width = float(np.sqrt(shapely.area(self._ground.polygons[order[0]])))
        return max(float(distance[order[last]]), width)

    def _shapes(
        self, window: tuple[float, float, float, float], leaders: npt.NDArray[np.intp], shares: FloatArray
    ) -> Iterator[NeighbourhoodShape]:
        inside = np.sort(self._tree.query(shapely.box(*window), predicate="intersects"))
        # Half a pixel: each neighbour is simplified for itself, and a gap between two cannot be seen.
        simple = shapely.simplify(self._ground.polygons[inside], 0.5 * (window[2] - window[0]) / _PIXELS)
        classes = np.searchsorted(self.breaks, shares, side="right")
        for index, geometry in zip(inside, shapely.clip_by_rect(simple, *window), strict=True):
            rings = _rings(geometry)
            if rings:
                yield NeighbourhoodShape(
                    self._ground.neighbourhood_ids[index],
                    self._ground.store_ids[leaders[index]],
                    float(shares[index]),
                    int(classes[index]),
                    rings,
                )


def _rings(geometry: shapely.Geometry) -> tuple[FloatArray, ...]:
    parts = shapely.get_parts(geometry)
    polygons = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    return tuple(shapely.get_coordinates(line) for line in shapely.get_rings(polygons))
