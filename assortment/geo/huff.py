"""Trade areas by Huff's model: everyone shops everywhere, more often at what is large and near."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from assortment.errors import GeographyError
from assortment.geo.areas import CELLS, TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.competitors import Competitors, CompetitorTable
from assortment.geo.given import Given, number, numbers, recorded
from assortment.geo.ground import Ground
from assortment.geo.wording import listed


def huff(
    ground: Ground,
    *,
    attractiveness: Given = 1.0,
    alpha: float = 1.0,
    decay: float = 2.0,
    competitors: CompetitorTable | None = None,
    competitor_attractiveness: Given | None = None,
    distance_floor_m: float | None = None,
) -> TradeAreas:
    r"""Divide each neighbourhood's people over all stores, competitors included.

    .. math:: w_{sm} = \frac{A_s^{\alpha} d_{sm}^{-\lambda}}{\sum_r A_r^{\alpha} d_{rm}^{-\lambda}}

    over own stores and competitors r, with d in metres from the store to the representative point of the polygon.

    Parameters
    ----------
    ground
        Stores and neighbourhoods on a plane.
    attractiveness
        A > 0, often the sales area: a number, one per store, or a column of the stores.
    alpha
        Exponent of the attractiveness, at least 0.
    decay
        Exponent λ of the distance, at least 0.
    competitors
        Rival stores: a frame with points, or with longitude and latitude; or ``Stores``. They take people, and get no
        area.
    competitor_attractiveness
        Theirs; default: the same number or the column of the same name as ``attractiveness``.
    distance_floor_m
        Shorter distances count as this one. Without it a store at a representative point would take everyone there.

    Returns
    -------
    TradeAreas
        Of kind ``divides``; shares sum to 1 over own stores where there are no competitors. Exact: no store is left out
        for being far, since that shifts store totals by 5-17 %.

    Raises
    ------
    GeographyError
        A store at a representative point without ``distance_floor_m``; a number that is missing or out of range.

    References
    ----------
    Huff (1963), A Probabilistic Analysis of Shopping Center Trade Areas, Land Economics 39(1): 81-90.
    """
    alpha, decay = number(alpha, parameter="alpha"), number(decay, parameter="decay")
    floor = 0.0 if distance_floor_m is None else number(distance_floor_m, parameter="distance_floor_m")
    pull = numbers(attractiveness, ground.stores, ground.store_ids, parameter="attractiveness", above=0.0)
    rivals = Competitors.of(competitors, ground)
    rival_pull = rivals.attractiveness(attractiveness, competitor_attractiveness)
    xy = np.concatenate([ground.store_xy, rivals.xy])
    nearest = cKDTree(xy).query(ground.centre_xy)[0]
    if floor == 0.0 and decay > 0.0:
        _require_distance(ground, nearest, xy, (*(f"store {store}" for store in ground.store_ids), *rivals.names))
    everyone = np.concatenate([pull, rival_pull])
    return TradeAreas(
        kind="divides",
        method="huff",
        parameters={
            "attractiveness": recorded(attractiveness),
            "alpha": alpha,
            "decay": decay,
            "competitors": len(rivals.names),
            "distance_floor_m": distance_floor_m,
        },
        ground=ground,
        matrix=HuffShares(
            xy=xy,
            pull=(everyone / everyone.max()) ** alpha,
            stores=len(ground.store_ids),
            centre_xy=ground.centre_xy,
            nearest_m=np.maximum(nearest, floor),
            decay=decay,
            floor_m=floor,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class HuffShares:
    """Shares that are computed when they are asked for, a chunk at a time.

    Distances enter as parts of the distance to the nearest store, and pull as part of the greatest, which leaves the
    shares as they are and keeps every term in range whatever the exponents.

    Parameters
    ----------
    xy, pull
        Coordinates, shape (R, 2), and attractiveness ** alpha, shape (R,), of own stores and then competitors.
    stores
        How many of them are own: S ≤ R.
    centre_xy, nearest_m
        Coordinates, shape (M, 2), and distance to the nearest of all stores, shape (M,), of the neighbourhoods.
    decay, floor_m
        Exponent of distance, and the least distance that counts.
    """

    xy: FloatArray
    pull: FloatArray
    stores: int
    centre_xy: FloatArray
    nearest_m: FloatArray
    decay: float
    floor_m: float

    def __post_init__(self) -> None:
        for array in (self.xy, self.pull, self.centre_xy, self.nearest_m):
            array.setflags(write=False)

    def rows(self, stores: slice) -> FloatArray:
        """Return the shares of some stores, shape (stores, M)."""
        own = slice(*stores.indices(self.stores))
        return self._terms(own, slice(None)) / self._totals

    def times(self, values: FloatArray) -> FloatArray:
        """Return shares @ values, shape (S, C), in one pass over all pairs."""
        product = np.zeros((self.stores, values.shape[1]))
        for part in self._parts():
            terms = self._terms(slice(None), part)
            product += terms[: self.stores] @ (values[part] / terms.sum(axis=0)[:, None])
        return product

    @cached_property
    def _totals(self) -> FloatArray:
        return np.concatenate([self._terms(slice(None), part).sum(axis=0) for part in self._parts()])

    def _parts(self) -> Iterator[slice]:
        size = max(1, CELLS // len(self.pull))
        return (slice(first, first + size) for first in range(0, len(self.nearest_m), size))

    def _terms(self, stores: slice, neighbourhoods: slice) -> FloatArray:
        """Pull times (nearest distance / distance) ** decay, shape (stores, neighbourhoods)."""
        x, y = self.xy[stores].T[:, :, None] - self.centre_xy[neighbourhoods].T[:, None, :]
        np.multiply(x, x, out=x)
        np.multiply(y, y, out=y)
        squared: FloatArray = np.add(x, y, out=x)
        if self.floor_m > 0.0:
            np.maximum(squared, self.floor_m**2, out=squared)
        if self.decay == 0.0:
            squared.fill(1.0)  # 0 / 0 at a store's own door would otherwise reach the sum
        else:
            np.divide(self.nearest_m[neighbourhoods] ** 2, squared, out=squared)
        if self.decay not in (0.0, 2.0):
            np.power(squared, self.decay / 2.0, out=squared)
        return np.multiply(squared, self.pull[stores, None], out=squared)


def _require_distance(ground: Ground, nearest: FloatArray, xy: FloatArray, names: tuple[str, ...]) -> None:
    met: npt.NDArray[np.intp] = np.flatnonzero(nearest == 0.0)
    if not met.size:
        return
    pairs = [
        f"{names[row]} and neighbourhood {ground.neighbourhood_ids[column]}"
        for column in met
        for row in np.flatnonzero((xy == ground.centre_xy[column]).all(axis=1))
    ]
    raise GeographyError(
        f"the distance is zero between {listed(pairs)}, so all people there would go to one store; "
        "set distance_floor_m, such as 100"
    )
