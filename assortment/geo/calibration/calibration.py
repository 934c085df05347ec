"""``calibrate_huff``: the parameters of Huff's model that make the observed trips likeliest."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from assortment.errors import AssortmentWarning, GeographyError, listed
from assortment.geo.arrays import FloatArray, IntArray
from assortment.geo.calibration.doubts import Doubts
from assortment.geo.calibration.estimate import HELD, Estimate
from assortment.geo.calibration.fit import ALL_STORES, HuffFit
from assortment.geo.calibration.likelihood import Likelihood
from assortment.geo.calibration.trips import Trips
from assortment.geo.given import Given, number, numbers, plain_label
from assortment.geo.ground.competitors import Competitors, CompetitorTable
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.homes import Homes
from assortment.geo.ground.placement import require_inside
from assortment.geo.wording import unknown
from assortment.inputs import Neighbourhoods, Stores

_WITHIN_95 = 1.959963984540054


def calibrate_huff(
    stores: Stores,
    neighbourhoods: Neighbourhoods,
    *,
    households: pd.DataFrame | None = None,
    flows: pd.DataFrame | None = None,
    attractiveness: Given = 1.0,
    competitors: CompetitorTable | None = None,
    by: str | None = None,
    weight: str | None = None,
    distance_floor_m: float | None = None,
) -> HuffFit:
    r"""Estimate alpha and decay of Huff's model by maximum likelihood, from loyalty homes or from flows.

    .. math:: \max_{\alpha, \lambda} \sum_{is} n_{is} \ln \frac{A_s^{\alpha} d_{is}^{-\lambda}}
              {\sum_r A_r^{\alpha} d_{ir}^{-\lambda}}

    with n trips from i to the own stores s. A loyalty card does not see trips to competitors, so the likelihood is
    conditional on an own store, and r runs over own stores alone. Under Huff's model that estimates the same
    parameters, as the odds of two own stores do not depend on who else there is (independence of irrelevant
    alternatives). The likelihood is concave; it is maximised by Newton's method over all pairs of homes and stores.

    Parameters
    ----------
    stores, neighbourhoods
        As for ``trade_areas``; all stores could have been chosen by everyone.
    households
        One row per household: store_id, its usual store, and its home by longitude and latitude or by neighbourhood_id.
        Distance is from the home where its coordinates are known, else from the neighbourhood's representative point.
        Those without a store or a home are left out. Give these or ``flows``.
    flows
        store_id, neighbourhood_id and trips that were counted (not scaled up: errors shrink with their number), from
        representative points.
    attractiveness
        A > 0: a number, one per store or per format, or a column of the stores.
    competitors
        Handed on to ``HuffFit.parameters``; the estimates do not depend on them.
    by
        Column of the stores, such as ``"format"``, whose groups get an alpha and a decay each. There is no constant for
        a group, so its level is told by alpha, and the units of A and d matter.
    weight
        Numeric column of the households, at least 0, such as trips a year. It is scaled to a mean of 1, and the
        intervals rest on robust errors.
    distance_floor_m
        As in ``huff``: shorter distances count as this one.

    Returns
    -------
    HuffFit
        Estimates, errors and fit; ``fit.parameters()`` goes into ``trade_areas``. Robust errors take the homes of a
        neighbourhood together where the table names it for all, else each household for itself.

    Raises
    ------
    GeographyError
        One store; neither or both of households and flows; unknown ids, negative trips or weights, no household with a
        store and a home, no home in any neighbourhood, all together; a home at a store without ``distance_floor_m``; a
        number that is missing or out of range.

    Warns
    -----
    AssortmentWarning
        Households that are left out; homes outside every neighbourhood; what the data cannot tell, which is also in
        ``HuffFit.warnings``.

    References
    ----------
    McFadden (1974), Conditional Logit Analysis of Qualitative Choice Behavior, in Zarembka (ed.), Frontiers in
    Econometrics, 105-142. Huff (1963), see ``huff``.

    Examples
    --------
    >>> fit = calibrate_huff(chain.stores, chain.neighbourhoods, households=chain.households)  # doctest: +SKIP
    >>> areas = trade_areas(chain.stores, chain.neighbourhoods, method="huff", **fit.parameters())  # doctest: +SKIP
    """
    floor = 0.0 if distance_floor_m is None else number(distance_floor_m, parameter="distance_floor_m")
    ground = Ground.of(stores, neighbourhoods)
    require_inside(ground, stores)
    _require_choice(ground)
    pull = numbers(attractiveness, ground.stores, ground.store_ids, parameter="attractiveness", above=0.0)
    group, groups = _groups(ground, by)
    Competitors.of(competitors, ground)  # not needed here; but what is wrong with them is told before the work
    likelihood = Likelihood(
        trips=_trips(ground, households, flows, weight),
        store_xy=ground.store_xy,
        log_attractiveness=np.log(pull),
        group=group,
        groups=len(groups),
        floor_m=floor,
    )
    if floor == 0.0:
        _require_distance(ground, likelihood.trips)
    settings: dict[str, Any] = {"attractiveness": attractiveness}
    settings |= {} if distance_floor_m is None else {"distance_floor_m": distance_floor_m}
    settings |= {} if competitors is None else {"competitors": competitors}
    fit = _fit(likelihood, ground, groups=groups, by=by, settings=settings)
    for sentence in fit.warnings:
        warnings.warn(f"calibrate_huff: {sentence}", AssortmentWarning, stacklevel=2)
    return fit


def _trips(ground: Ground, households: pd.DataFrame | None, flows: pd.DataFrame | None, weight: str | None) -> Trips:
    if households is not None and flows is None:
        homes = Homes.of(households, ground, weight=weight)
        return Trips.of_homes(homes, ground, weighted=weight is not None)
    if flows is not None and households is None:
        if weight is not None:
            raise GeographyError(f"weight: '{weight}' is for households; flows weigh by their trips")
        return Trips.of_flows(flows, ground)
    found = "neither" if households is None else "both"
    raise GeographyError(f"calibrate_huff needs either households or flows; found {found}")


def _require_choice(ground: Ground) -> None:
    if len(ground.store_ids) < 2:
        raise GeographyError(
            "calibrate_huff needs at least 2 stores; found 1, so that nobody had a choice that could be explained"
        )


def _require_distance(ground: Ground, trips: Trips) -> None:
    distance, nearest = cKDTree(ground.store_xy).query(trips.xy)
    met = np.flatnonzero(distance == 0.0)
    if met.size:
        pairs = listed(f"{trips.names[row]} and store {ground.store_ids[nearest[row]]}" for row in met)
        raise GeographyError(f"the distance is zero between {pairs}; set distance_floor_m, such as 100")


def _groups(ground: Ground, by: str | None) -> tuple[IntArray, tuple[str, ...]]:
    """The number of each store's group, shape (S,), and the names of the groups."""
    if by is None:
        return np.zeros(len(ground.store_ids), dtype=np.intp), (ALL_STORES,)
    if by not in ground.stores.columns:
        raise GeographyError(f"by: {unknown('store column', by, [str(name) for name in ground.stores.columns])}")
    values = ground.stores[by]
    blank = np.flatnonzero(values.isna())
    if blank.size:
        without = listed(ground.store_ids[row] for row in blank)
        raise GeographyError(f"by: store {without} has no {by}; give each store its {by}")
    names, group = np.unique([plain_label(value) for value in values], return_inverse=True)
    return np.asarray(group, dtype=np.intp), tuple(str(name) for name in names)


def _fit(
    likelihood: Likelihood, ground: Ground, *, groups: tuple[str, ...], by: str | None, settings: dict[str, Any]
) -> HuffFit:
    estimate, trips = Estimate.of(likelihood), likelihood.trips
    names = [parameter if by is None else f"{parameter} of {group}" for parameter in HELD for group in groups]
    stores = _stores(ground, trips, estimate)
    return HuffFit(
        table=_table(groups, estimate),
        log_likelihood=estimate.optimum.point.value,
        log_likelihood_equal=estimate.equal.value,
        source=trips.source,
        observations=trips.observations,
        correlation=pd.DataFrame(estimate.correlation, index=names, columns=names),
        stores=stores,
        right_share=estimate.prediction.right,
        share_error=float((stores["share"] - stores["predicted_share"]).abs().mean()),
        share_correlation=_correlation(stores),
        dispersion=estimate.dispersion,
        errors=estimate.used,
        clustered_by=trips.clustered_by,
        clusters=estimate.clusters,
        warnings=Doubts(likelihood=likelihood, estimate=estimate, names=tuple(names)).words(),
        arguments=settings | _exponents(ground, groups, estimate.theta, likelihood.group, by=by),
    )


def _table(groups: tuple[str, ...], estimate: Estimate) -> pd.DataFrame:
    reach = _WITHIN_95 * estimate.errors
    return pd.DataFrame(
        {
            "parameter": np.repeat(list(HELD), len(groups)),
            "group": np.tile(groups, len(HELD)),
            "value": estimate.theta,
            "standard_error": np.sqrt(np.diag(estimate.model)),
            "robust_error": np.sqrt(np.diag(estimate.robust)),
            "low": estimate.theta - reach,
            "high": estimate.theta + reach,
        }
    )


def _stores(ground: Ground, trips: Trips, estimate: Estimate) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "store_id": list(ground.store_ids),
            "trips": trips.of_stores,
            "share": trips.of_stores / trips.observations,
            "predicted_share": estimate.prediction.of_stores / trips.observations,
        }
    )


def _exponents(
    ground: Ground, groups: tuple[str, ...], theta: FloatArray, group: IntArray, *, by: str | None
) -> dict[str, Any]:
    values = dict(zip(HELD, theta.reshape(len(HELD), -1), strict=True))
    if by is None:
        return {name: float(value[0]) for name, value in values.items()}
    if by == "format":
        return {name: dict(zip(groups, value.tolist(), strict=True)) for name, value in values.items()}
    return {name: dict(zip(ground.store_ids, value[group].tolist(), strict=True)) for name, value in values.items()}


def _correlation(shares: pd.DataFrame) -> float:
    alike = min(np.ptp(shares["share"]), np.ptp(shares["predicted_share"])) < 1e-12
    return np.nan if alike else float(np.corrcoef(shares["share"], shares["predicted_share"])[0, 1])
