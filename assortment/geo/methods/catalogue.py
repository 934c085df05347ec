"""``trade_areas``: the ways to draw trade areas, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from assortment.errors import GeographyError
from assortment.geo.areas import TradeAreas
from assortment.geo.ground.ground import Ground
from assortment.geo.ground.placement import require_inside
from assortment.geo.methods.customers import customers
from assortment.geo.methods.huff import huff
from assortment.geo.methods.nearest import nearest, thiessen
from assortment.geo.methods.ring import ring
from assortment.geo.methods.travel_time import travel_time
from assortment.inputs import Neighbourhoods, Stores

METHODS: Mapping[str, Callable[..., TradeAreas]] = {
    "huff": huff,
    "ring": ring,
    "nearest": nearest,
    "thiessen": thiessen,
    "travel_time": travel_time,
    "customers": customers,
}


def trade_areas(
    stores: Stores, neighbourhoods: Neighbourhoods, *, method: str = "huff", **parameters: Any
) -> TradeAreas:
    """Work out which part of each neighbourhood each store serves.

    Parameters
    ----------
    stores, neighbourhoods
        In any coordinate reference system, each in its own. Metres are measured on the neighbourhoods' own plane where
        that is true to scale within 0.2 %, else on an equal-area plane centred on them.
    method
        One of ``METHODS``, each a function of ``assortment.geo`` that says more:

        ================  ============================================  ==========================================
        method            who shops at a store                          parameters
        ================  ============================================  ==========================================
        ``huff``          everyone, more often where it is large and    ``attractiveness``, ``alpha``, ``decay``,
                          near                                          ``competitors``,
                                                                        ``competitor_attractiveness``,
                                                                        ``competitor_alpha``,
                                                                        ``competitor_decay``,
                                                                        ``distance_floor_m``
        ``ring``          who lives within a radius                     **radius_m**, ``inner_m``, ``ancillary``
        ``nearest``       neighbourhoods, whole, that it is nearest to  none
        ``thiessen``      who lives nearer to it than to any other      ``ancillary``
        ``travel_time``   neighbourhoods, whole, that reach it within   **minutes**, **within**, ``nearest_only``
                          a time, by a table of travel times
        ``customers``     who lives where the nearest part of its       **households**, ``share``, ``weight``,
                          loyalty customers live                        ``ancillary``
        ================  ============================================  ==========================================
    **parameters
        Of the method; those in bold are needed. Numbers may be one for all stores, one per store or per ``format``, or
        the name of the store column that holds them.

    Returns
    -------
    TradeAreas
        With stores and neighbourhoods in the order given.

    Raises
    ------
    GeographyError
        An unknown method or parameter, a store outside every neighbourhood, or what the method cannot use.

    Examples
    --------
    >>> areas = trade_areas(chain.stores, chain.neighbourhoods, method="ring", radius_m=2000)  # doctest: +SKIP
    """
    _require_known(method, parameters_of(method), parameters)
    ground = Ground.of(stores, neighbourhoods)
    require_inside(ground, stores)
    return METHODS[method](ground, **parameters)


def parameters_of(method: str) -> tuple[inspect.Parameter, ...]:
    """Return the parameters that a method takes.

    Raises
    ------
    GeographyError
        There is no such method.
    """
    if method not in METHODS:
        raise GeographyError(f"there is no trade-area method {method!r}; available: {', '.join(METHODS)}")
    return tuple(inspect.signature(METHODS[method]).parameters.values())[1:]


def _require_known(method: str, accepted: tuple[inspect.Parameter, ...], parameters: Mapping[str, Any]) -> None:
    names = [parameter.name for parameter in accepted]
    takes = f"{method} takes {', '.join(names)}" if names else f"{method} takes no parameters"
    foreign = [name for name in parameters if name not in names]
    if foreign:
        raise GeographyError(f"method '{method}' has no parameter {' or '.join(map(repr, foreign))}; {takes}")
    needed = [each.name for each in accepted if each.default is inspect.Parameter.empty]
    missing = [name for name in needed if parameters.get(name) is None]
    if missing:
        raise GeographyError(f"method '{method}' needs {' and '.join(missing)}; {takes}")
