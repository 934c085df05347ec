"""``trade_areas``: the ways to draw trade areas, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from assortment.errors import GeographyError
from assortment.geo.areas import TradeAreas
from assortment.geo.ground import Ground
from assortment.geo.huff import huff
from assortment.geo.nearest import nearest, thiessen
from assortment.geo.placement import require_inside
from assortment.geo.ring import ring
from assortment.inputs import Neighbourhoods, Stores

METHODS: Mapping[str, Callable[..., TradeAreas]] = {
    "huff": huff,
    "ring": ring,
    "nearest": nearest,
    "thiessen": thiessen,
}


def trade_areas(
    stores: Stores, neighbourhoods: Neighbourhoods, *, method: str = "huff", **parameters: Any
) -> TradeAreas:
    """Work out which part of each neighbourhood each store serves.

    Parameters
    ----------
    stores, neighbourhoods
        In any coordinate reference system, each in its own; metres are measured on an equal-area plane centred on the
        data.
    method
        ``huff`` divides people by attraction and distance; ``ring`` gives each store who lives within a radius;
        ``nearest`` gives whole neighbourhoods to the nearest store; ``thiessen`` splits them along the line halfway
        between stores.
    **parameters
        Of the method, see the function of its name: ``radius_m`` for ring; ``attractiveness``, ``alpha``, ``decay``,
        ``competitors``, ``competitor_attractiveness``, ``distance_floor_m`` for huff; none for nearest and thiessen.

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
    if method not in METHODS:
        raise GeographyError(f"there is no trade-area method {method!r}; available: {', '.join(METHODS)}")
    draw = METHODS[method]
    _require_known(method, draw, parameters)
    ground = Ground.of(stores, neighbourhoods)
    require_inside(ground, stores)
    return draw(ground, **parameters)


def _require_known(method: str, draw: Callable[..., TradeAreas], parameters: Mapping[str, Any]) -> None:
    accepted = list(inspect.signature(draw).parameters.values())[1:]
    names = [parameter.name for parameter in accepted]
    takes = f"{method} takes {', '.join(names)}" if names else f"{method} takes no parameters"
    foreign = [name for name in parameters if name not in names]
    if foreign:
        raise GeographyError(f"method '{method}' has no parameter {' or '.join(map(repr, foreign))}; {takes}")
    needed = [each.name for each in accepted if each.default is inspect.Parameter.empty]
    missing = [name for name in needed if parameters.get(name) is None]
    if missing:
        raise GeographyError(f"method '{method}' needs {' and '.join(missing)}; {takes}")
