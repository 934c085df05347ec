"""``Spread``: how the sales of a store lie over the neighbourhoods that it serves."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from assortment.errors import AssortmentWarning, listed
from assortment.geo.areas import CELLS, SparseShares, TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.cover.disc import Discs
from assortment.geo.cover.overlay import Zones, cut
from assortment.geo.ground.placement import neighbourhood_of
from assortment.geo.profiles.demographics import counted
from assortment.inputs import Neighbourhoods


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """Divides what is known per store over the neighbourhoods, in proportion to the people whom the store serves there.

    Attributes
    ----------
    areas
        Who each store serves.
    people
        People of each neighbourhood, shape (M,); 0 where unknown.
    people_column
        The count that they are.
    served
        People whom each store serves, shape (S,).
    home
        Neighbourhood that each store stands in, shape (S,): everything of a store that serves nobody stays there.
    """

    areas: TradeAreas
    people: FloatArray
    people_column: str
    served: FloatArray
    home: npt.NDArray[np.intp]

    def __post_init__(self) -> None:
        for array in (self.people, self.served, self.home):
            array.setflags(write=False)

    @classmethod
    def over(cls, areas: TradeAreas, neighbourhoods: Neighbourhoods, column: str | None) -> Spread:
        """Spread over the people of a count, by default the first.

        Raises
        ------
        GeographyError
            No such count; neighbourhoods that the areas were not made from.
        """
        name, values = counted(areas, neighbourhoods, column, parameter="people")
        people = _known(values, name, areas)
        served = areas.sums(people[:, None])[:, 0]
        return cls(areas=areas, people=people, people_column=name, served=served, home=_home(areas))

    def covered(self, area: Zones) -> FloatArray:
        """Return the part of each neighbourhood that lies in one area, shape (M,).

        By what is counted there, where the trade areas were cut so, otherwise by area.
        """
        matrix = self.areas.matrix
        places = matrix.places if isinstance(matrix, SparseShares) else None
        return np.asarray(cut(area, self.areas.ground, places).toarray()[0], dtype=np.float64)

    def parts(self, covered: FloatArray, area: shapely.Geometry | None = None) -> FloatArray:
        """Return which part of each store's sales goes into an area, shape (S,).

        Parameters
        ----------
        covered
            Part of each neighbourhood that is in the area, shape (M,).
        area
            The area, where it cuts neighbourhoods.
        """
        there = self.areas.sums((self.people * covered)[:, None])[:, 0]
        if area is not None:
            there += self._cut_twice(covered, area)
        return np.divide(there, self.served, out=covered[self.home], where=self.served > 0.0)

    def _cut_twice(self, covered: FloatArray, area: shapely.Geometry) -> FloatArray:
        """People by whom an even split of a neighbourhood errs that both the area and a store's zone cut, shape (S,).

        A ring around the very store holds all whom it serves, though it holds half of a neighbourhood at its edge.
        """
        matrix, more = self.areas.matrix, np.zeros(len(self.served))
        edge = np.flatnonzero((covered > 0.0) & (covered < 1.0))
        if not isinstance(matrix, SparseShares) or matrix.zones is None or not edge.size:
            return more
        zones = matrix.zones.polygons if isinstance(matrix.zones, Discs) else matrix.zones
        share = matrix.matrix[:, edge].toarray()
        near = np.flatnonzero(share.any(axis=1))
        # Both from the polygons, so that the parts of areas which make a whole do too.
        inside, whole = (
            cut(each, self.areas.ground, matrix.places)[:, edge].toarray()
            for each in (shapely.intersection(zones[near], area), zones[near])
        )
        even = np.broadcast_to(covered[edge], whole.shape)
        part = np.divide(inside, whole, out=even.copy(), where=whole > 0.0)
        more[near] = (share[near] * (part - even)) @ self.people[edge]
        return more

    def blocks(self, values: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """Yield slices of the neighbourhoods with values of the stores, shape (S, C), spread to (neighbourhoods, C)."""
        nobody = np.flatnonzero(self.served == 0.0)
        served = self.served[:, None]
        per_person = np.divide(values, served, out=np.zeros_like(values), where=served > 0.0)
        size = max(1, CELLS // max(1, *values.shape))
        for first in range(0, len(self.people), size):
            part = slice(first, min(first + size, len(self.people)))
            block = (self.areas.matrix.columns(part).T @ per_person) * self.people[part, None]
            at_home = nobody[(self.home[nobody] >= part.start) & (self.home[nobody] < part.stop)]
            np.add.at(block, self.home[at_home] - part.start, values[at_home])
            yield part, block


def _known(people: FloatArray, name: str, areas: TradeAreas) -> FloatArray:
    """The count with 0 where it is unknown, which is said."""
    lost = np.flatnonzero(np.isnan(people))
    if lost.size:
        warnings.warn(
            f"no sales are placed where {name} is unknown, in neighbourhood "
            f"{listed(areas.neighbourhood_ids[row] for row in lost)}",
            AssortmentWarning,
            stacklevel=4,
        )
    return np.nan_to_num(people)


def _home(areas: TradeAreas) -> npt.NDArray[np.intp]:
    """Neighbourhood that each store stands in; the nearest for one in a gap between two."""
    ground = areas.ground
    home = neighbourhood_of(ground, ground.store_xy)
    outside = np.flatnonzero(home < 0)
    if outside.size:
        points = shapely.points(ground.store_xy[outside])
        home[outside] = shapely.STRtree(ground.polygons).query_nearest(points, all_matches=False)[1]
    return home
