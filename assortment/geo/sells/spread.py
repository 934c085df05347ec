"""``Spread``: how the sales of a store lie over the neighbourhoods that it serves."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo.areas import CELLS, TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.ground.placement import neighbourhood_of
from assortment.geo.wording import listed, unknown
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
        name = _count(neighbourhoods, column)
        people = _people(areas, neighbourhoods, name)
        served = areas.sums(people[:, None])[:, 0]
        return cls(areas=areas, people=people, people_column=name, served=served, home=_home(areas))

    def parts(self, covered: FloatArray) -> FloatArray:
        """Return which part of each store lies in an area, shape (S,).

        Parameters
        ----------
        covered
            Part of each neighbourhood that is in the area, shape (M,).
        """
        there = self.areas.sums((self.people * covered)[:, None])[:, 0]
        return np.divide(there, self.served, out=covered[self.home], where=self.served > 0.0)

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


def _count(neighbourhoods: Neighbourhoods, column: str | None) -> str:
    if not neighbourhoods.counts:
        raise GeographyError("the neighbourhoods declare no count to spread sales by; declare one: counts=['people']")
    name = column or neighbourhoods.counts[0]
    if name not in neighbourhoods.counts:
        raise GeographyError(f"people: {unknown('count', name, neighbourhoods.counts)}")
    return name


def _people(areas: TradeAreas, neighbourhoods: Neighbourhoods, name: str) -> FloatArray:
    """A count in the order of the areas, shape (M,), 0 where unknown."""
    unlike = set(neighbourhoods.ids) ^ set(areas.neighbourhood_ids)
    if unlike:
        raise GeographyError(
            f"the trade areas were made from other neighbourhoods: {listed(sorted(unlike))} stand in only one of the "
            "two; make the areas again from these neighbourhoods"
        )
    values = pd.DataFrame(neighbourhoods.frame).set_index("neighbourhood_id")[name].loc[list(areas.neighbourhood_ids)]
    known: FloatArray = values.to_numpy(np.float64, na_value=np.nan)
    lost = np.flatnonzero(np.isnan(known))
    if lost.size:
        warnings.warn(
            f"{name} is unknown in {lost.size} neighbourhoods, where no sales are placed: "
            f"{listed(areas.neighbourhood_ids[row] for row in lost)}",
            AssortmentWarning,
            stacklevel=4,
        )
    return np.where(np.isnan(known), 0.0, known)


def _home(areas: TradeAreas) -> npt.NDArray[np.intp]:
    """Neighbourhood that each store stands in; the nearest for one in a gap between two."""
    ground = areas.ground
    home = neighbourhood_of(ground, ground.store_xy)
    outside = np.flatnonzero(home < 0)
    if outside.size:
        points = shapely.points(ground.store_xy[outside])
        home[outside] = shapely.STRtree(ground.polygons).query_nearest(points, all_matches=False)[1]
    return home
