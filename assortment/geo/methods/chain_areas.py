"""``chain_areas``: trade areas of a chain by any method, each given the tables of the chain that it takes."""

from __future__ import annotations

import warnings
from typing import Any, Literal, NamedTuple

import pandas as pd

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo.areas import TradeAreas
from assortment.geo.calibration.calibration import calibrate_huff
from assortment.geo.calibration.fit import HuffFit
from assortment.geo.methods.catalogue import parameters_of, trade_areas
from assortment.inputs import TABLES, Chain, Neighbourhoods
from assortment.inputs.spend import SPEND, with_spend

_NEEDED = {"minutes": "travel_times", "households": "households"}
"""Parameters that are a table which the method cannot do without."""
_OPTIONAL = ("competitors", "ancillary")
"""Parameters that are a table of the same name, taken where the chain has it."""
_CALIBRATED = ("alpha", "decay")


class ChainAreas(NamedTuple):
    """Trade areas, and where their parameters were estimated, the estimate."""

    areas: TradeAreas
    huff_fit: HuffFit | None


def chain_areas(
    chain: Chain,
    neighbourhoods: Neighbourhoods | None = None,
    *,
    method: str = "huff",
    calibrate: Literal["households", "flows"] | None = None,
    calibrate_by: str | None = None,
    **parameters: Any,
) -> ChainAreas:
    """Work out who the stores of a chain serve.

    Parameters
    ----------
    chain
        Its stores, and of its tables travel_times, households, baskets, flows, competitors and ancillary those that the
        method takes.
    neighbourhoods
        Default: those of the chain.
    method, **parameters
        As in ``trade_areas``; tables given here come before those of the chain. ``competitors=False`` and
        ``ancillary=False`` leave those of the chain out. ``weight="spend"`` of customers is summed from the baskets
        where the households do not state it.
    calibrate
        Of huff: the table of the chain from which alpha and decay are estimated, see ``calibrate_huff``.
    calibrate_by
        Store column, such as ``format``, whose groups get an alpha and a decay each.

    Raises
    ------
    GeographyError
        A table that the method needs and the chain lacks, with the file to add; settings that do not go together; see
        also ``trade_areas`` and ``calibrate_huff``.
    """
    where = neighbourhoods or chain.neighbourhoods
    names = [parameter.name for parameter in parameters_of(method)]
    for name in _OPTIONAL:
        given = parameters.get(name, True)
        if name in names and isinstance(given, bool):
            parameters[name] = getattr(chain, name) if given else None
    for name, table in _NEEDED.items():
        if name in names and parameters.get(name) is None:
            parameters[name] = _needed(chain, table, f"method '{method}'")
    if "households" in names and parameters.get("weight") == SPEND:
        parameters["households"] = _spending(chain, parameters["households"])
    fit = None
    if calibrate is not None:
        fit = _calibrated(chain, where, method=method, source=calibrate, by=calibrate_by, parameters=parameters)
        parameters |= fit.parameters()
    elif calibrate_by is not None:
        raise GeographyError("calibrate_by means nothing without calibrate; say calibrate = 'households' or 'flows'")
    return ChainAreas(trade_areas(chain.stores, where, method=method, **parameters), fit)


def _needed(chain: Chain, table: str, by: str) -> pd.DataFrame:
    frame: pd.DataFrame | None = getattr(chain, table)
    if frame is None:
        columns = ", ".join(column.name for column in TABLES[table].columns if column.required)
        raise GeographyError(
            f"{by} needs the table {table} ({columns}; one row per {TABLES[table].row}), which {chain.name} does not "
            f'have; add its file under [tables] in chain.toml, such as {table} = "{table}.csv"'
        )
    return frame


def _spending(chain: Chain, households: pd.DataFrame) -> pd.DataFrame:
    if SPEND not in households and chain.baskets is not None:
        warnings.warn(
            f"what a customer spends is units × price, summed over the {len(chain.baskets):,} rows of the baskets",
            AssortmentWarning,
            stacklevel=3,
        )
    return with_spend(households, chain.baskets)


def _calibrated(
    chain: Chain, where: Neighbourhoods, *, method: str, source: str, by: str | None, parameters: dict[str, Any]
) -> HuffFit:
    if method != "huff":
        raise GeographyError(f"calibrate is for method 'huff'; '{method}' has nothing to estimate")
    stated = [name for name in _CALIBRATED if name in parameters]
    if stated:
        raise GeographyError(
            f"{' and '.join(stated)} cannot be given and estimated too; leave out either that or calibrate"
        )
    taken = {name: parameters[name] for name in ("attractiveness", "distance_floor_m") if name in parameters}
    trips: dict[str, Any] = {source: _needed(chain, source, f"calibrate = '{source}'")}
    return calibrate_huff(chain.stores, where, by=by, competitors=parameters["competitors"], **trips, **taken)
