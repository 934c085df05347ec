"""Trade areas by Huff's model: everyone shops everywhere, more often at what is large and near."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from assortment.errors import GeographyError, listed
from assortment.geo.areas import CELLS, TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.given import Given, number, numbers, recorded
from assortment.geo.ground.competitors import Competitors, CompetitorTable
from assortment.geo.ground.ground import Ground

_RANGE = 600.0
"""Logs of pull that differ by less leave the nearest store a term that is far from the smallest number there is."""


def huff(
    ground: Ground,
    *,
    attractiveness: Given = 1.0,
    alpha: Given = 1.0,
    decay: Given = 2.0,
    competitors: CompetitorTable | None = None,
    competitor_attractiveness: Given | None = None,
    competitor_alpha: Given | None = None,
    competitor_decay: Given | None = None,
    distance_floor_m: float | None = None,
) -> TradeAreas:
    r"""Divide each neighbourhood's people over all stores, competitors included.

    .. math:: w_{sm} = \frac{A_s^{\alpha_s} d_{sm}^{-\lambda_s}}{\sum_r A_r^{\alpha_r} d_{rm}^{-\lambda_r}}

    over own stores and competitors r, with d in metres from the store to the representative point of the polygon. The
    unit of A does not matter while α is the same for all; the unit of d does not while λ is.

    Parameters
    ----------
    ground
        Stores and neighbourhoods on a plane.
    attractiveness
        A > 0, often the sales area: a number, one per store or per format, or a column of the stores.
    alpha
        Exponent of the attractiveness, at least 0, given likewise.
    decay
        Exponent λ of the distance, at least 0, given likewise; ``calibrate_huff`` estimates both.
    competitors
        Rival stores: a frame with points, or with longitude and latitude; or ``Stores``. They take people, and get no
        area.
    competitor_attractiveness
        Theirs; default: the same number, the column of the same name or the number of their format.
    competitor_alpha, competitor_decay
        Theirs; default: the column of the same name, the number of their ``format`` where the stores' are given by
        format, or the number that all stores share.
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
        A store at a representative point without ``distance_floor_m``; a number that is missing or out of range;
        exponents that differ between stores and say nothing of a competitor.

    Warns
    -----
    AssortmentWarning
        Competitors farther away than the neighbourhoods reach.

    References
    ----------
    Huff (1963), A Probabilistic Analysis of Shopping Center Trade Areas, Land Economics 39(1): 81-90.
    """
    floor = 0.0 if distance_floor_m is None else number(distance_floor_m, parameter="distance_floor_m")
    pull = numbers(attractiveness, ground.stores, ground.store_ids, parameter="attractiveness", above=0.0)
    rivals = Competitors.of(competitors, ground)
    if rivals.names:
        rivals.warn_of_far(ground)
    rival_pull = rivals.attractiveness(attractiveness, competitor_attractiveness)
    alphas = _exponents(ground, rivals, alpha, competitor_alpha, parameter="alpha")
    decays = _exponents(ground, rivals, decay, competitor_decay, parameter="decay")
    xy = np.concatenate([ground.store_xy, rivals.xy])
    of_rivals = {
        "competitor_attractiveness": competitor_attractiveness,
        "competitor_alpha": competitor_alpha,
        "competitor_decay": competitor_decay,
    }
    nearest = cKDTree(xy).query(ground.centre_xy)[0]
    if floor == 0.0:
        names = (*(f"store {store}" for store in ground.store_ids), *rivals.names)
        _require_distance(ground, nearest, xy, names, decays)
    return TradeAreas(
        kind="divides",
        method="huff",
        parameters={
            "attractiveness": recorded(attractiveness),
            "alpha": recorded(alpha),
            "decay": recorded(decay),
            "competitors": len(rivals.names),
            "distance_floor_m": distance_floor_m,
        }
        | {name: recorded(value) for name, value in of_rivals.items() if value is not None},
        ground=ground,
        matrix=HuffShares(
            xy=xy,
            log_pull=_log_pull(np.concatenate([pull, rival_pull]), alphas),
            decay=decays,
            stores=len(ground.store_ids),
            centre_xy=ground.centre_xy,
            nearest_m=np.maximum(nearest, floor),
            floor_m=floor,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class HuffShares:
    """Shares that are computed when they are asked for, a chunk at a time.

    Where one decay holds for all, distances enter as parts of the distance to the nearest store, and pull as part of
    the greatest, which leaves the shares as they are and keeps the sum of the terms in range. Otherwise, or where pull
    spans too many orders of magnitude, terms are computed as logs, of which the largest of each neighbourhood is taken
    off.

    Parameters
    ----------
    xy, log_pull, decay
        Coordinates, shape (R, 2), and log of attractiveness ** alpha and exponent of distance, shape (R,), of own
        stores and then competitors.
    stores
        How many of them are own: S ≤ R.
    centre_xy, nearest_m
        Coordinates, shape (M, 2), and distance to the nearest of all stores, shape (M,), of the neighbourhoods.
    floor_m
        The least distance that counts.
    """

    xy: FloatArray
    log_pull: FloatArray
    decay: FloatArray
    stores: int
    centre_xy: FloatArray
    nearest_m: FloatArray
    floor_m: float

    def __post_init__(self) -> None:
        for array in (self.xy, self.log_pull, self.decay, self.centre_xy, self.nearest_m):
            array.setflags(write=False)

    def rows(self, stores: slice) -> FloatArray:
        """Return the shares of some stores, shape (stores, M)."""
        own = slice(*stores.indices(self.stores))
        return self._terms(own, slice(None)) / self._totals

    def columns(self, neighbourhoods: slice) -> FloatArray:
        """Return the shares of all own stores in some neighbourhoods, shape (S, neighbourhoods)."""
        return self.everyone(neighbourhoods)[: self.stores]

    def everyone(self, neighbourhoods: slice) -> FloatArray:
        """Return the shares of own stores and then competitors in some neighbourhoods, shape (R, neighbourhoods)."""
        terms = self._terms(slice(None), neighbourhoods)
        terms /= terms.sum(axis=0)
        return terms

    def times(self, values: FloatArray) -> FloatArray:
        """Return shares @ values, shape (S, C), in one pass over all pairs."""
        product = np.zeros((self.stores, values.shape[1]))
        for part in self._parts():
            terms = self._terms(slice(None), part)
            product += terms[: self.stores] @ (values[part] / terms.sum(axis=0)[:, None])
        return product

    def summed(self) -> FloatArray:
        """Return the sum of the shares over the own stores, shape (M,)."""
        return np.concatenate([self.columns(part).sum(axis=0) for part in self._parts()])

    def covered(self) -> FloatArray:
        """Return the part of each neighbourhood that own stores serve, shape (M,): the sum, as they divide people."""
        return self.summed()

    @cached_property
    def _totals(self) -> FloatArray:
        return np.concatenate([self._terms(slice(None), part).sum(axis=0) for part in self._parts()])

    @cached_property
    def _tops(self) -> FloatArray:
        """The largest log term of each neighbourhood, shape (M,)."""
        return np.concatenate([self._logs(slice(None), part).max(axis=0) for part in self._parts()])

    @cached_property
    def _common(self) -> float | None:
        """The decay of all stores, where there is one and the nearest store's term cannot vanish."""
        alike = np.ptp(self.decay) == 0.0 and np.ptp(self.log_pull) < _RANGE
        return float(self.decay[0]) if alike else None

    def _parts(self) -> Iterator[slice]:
        size = max(1, CELLS // len(self.decay))
        return (slice(first, first + size) for first in range(0, len(self.nearest_m), size))

    def _terms(self, stores: slice, neighbourhoods: slice) -> FloatArray:
        """Pull times distance ** -decay, up to a factor of each neighbourhood, shape (stores, neighbourhoods)."""
        if self._common is None:
            logs = self._logs(stores, neighbourhoods)
            everyone = len(logs) == len(self.decay)
            logs -= logs.max(axis=0) if everyone else self._tops[neighbourhoods]
            np.exp(logs, out=logs)
            return logs
        squared = self._squared(stores, neighbourhoods)
        if self._common == 0.0:
            squared.fill(1.0)  # 0 / 0 at a store's own door would otherwise reach the sum
        else:
            np.divide(self.nearest_m[neighbourhoods] ** 2, squared, out=squared)
        if self._common not in (0.0, 2.0):
            np.power(squared, self._common / 2.0, out=squared)
        squared *= np.exp(self.log_pull[stores, None] - self.log_pull.max())
        return squared

    def _logs(self, stores: slice, neighbourhoods: slice) -> FloatArray:
        """Log of pull times distance ** -decay, shape (stores, neighbourhoods)."""
        logs = self._squared(stores, neighbourhoods)
        np.maximum(logs, np.finfo(np.float64).tiny, out=logs)  # at a store's own door, where its decay is 0
        np.log(logs, out=logs)
        logs *= -0.5 * self.decay[stores, None]
        logs += self.log_pull[stores, None]
        return logs

    def _squared(self, stores: slice, neighbourhoods: slice) -> FloatArray:
        """Squared distance, at least that of the floor, shape (stores, neighbourhoods)."""
        squared: FloatArray = cdist(self.xy[stores], self.centre_xy[neighbourhoods], "sqeuclidean")
        if self.floor_m > 0.0:
            np.maximum(squared, self.floor_m**2, out=squared)
        return squared


def _exponents(ground: Ground, rivals: Competitors, given: Given, own: Given | None, *, parameter: str) -> FloatArray:
    """Exponents of own stores and then competitors, shape (R,)."""
    of_stores = numbers(given, ground.stores, ground.store_ids, parameter=parameter, least=0.0)
    return np.concatenate([of_stores, rivals.exponents(given, of_stores, own, parameter=parameter)])


def _log_pull(attractiveness: FloatArray, alpha: FloatArray) -> FloatArray:
    # The unit drops out of the shares where alpha is the same for all; it is then taken off before rounding can tell.
    unit = attractiveness.max() if np.ptp(alpha) == 0.0 else 1.0
    return np.asarray(alpha * (np.log(attractiveness) - np.log(unit)), dtype=np.float64)


def _require_distance(
    ground: Ground, nearest: FloatArray, xy: FloatArray, names: tuple[str, ...], decay: FloatArray
) -> None:
    pairs = [
        f"{names[row]} and neighbourhood {ground.neighbourhood_ids[column]}"
        for column in np.flatnonzero(nearest == 0.0)
        for row in np.flatnonzero((xy == ground.centre_xy[column]).all(axis=1) & (decay > 0.0))
    ]
    if pairs:
        raise GeographyError(
            f"the distance is zero between {listed(pairs)}, so all people there would go to one store; "
            "set distance_floor_m, such as 100"
        )
