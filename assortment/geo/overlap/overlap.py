"""``overlap``: people whom several own stores serve, and what closing one would bring the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from assortment.geo.areas import TradeAreas
from assortment.geo.arrays import FloatArray
from assortment.geo.overlap.sharing import Sharing
from assortment.geo.profiles.demographics import counted
from assortment.inputs import Neighbourhoods

_NAMED = 3
_NOTHING_SHARED = "no two stores share anybody"


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlap:
    """What the trade areas of a chain's S stores have in common; made by ``overlap``, which has the formulas.

    Attributes
    ----------
    count
        What is counted, such as ``people``.
    method, kind
        Of the trade areas.
    shared
        People whom two stores share, S × S, indexed both ways by ``store_id``; on the diagonal all whom a store serves.
    cannibalisation
        Part of a store's people (row) who would go to another (column) if it closed, S × S, diagonal 0. What a row
        lacks to 1 is lost to the chain. NaN where it is not known, or where a store has nobody.
    table
        One row per store, indexed by ``store_id``: ``people`` whom it serves, ``people_only_here``, ``people_shared``
        with any other own store, that as ``part_shared``, the store ``most_shared_with`` (``None``: it shares nobody),
        ``part_kept`` by the chain if it closed, and ``known``: the part of the area's neighbourhoods, by share, where
        the count is known. Unknown counts are left out; where nothing is known a row is NaN.
    total
        People whom the chain serves, nobody counted twice.
    known
        Part of the neighbourhoods, by what the chain covers of them, where the count is known.
    """

    count: str
    method: str
    kind: Literal["divides", "overlaps"]
    shared: pd.DataFrame = field(repr=False)
    cannibalisation: pd.DataFrame = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    total: float
    known: float

    @property
    def counted_twice(self) -> float:
        """By how much the sum of the stores' people exceeds the people there are; who has three stores counts twice."""
        return max(0.0, float(self.table["people"].sum()) - self.total)

    def summary(self) -> str:
        """Return a few lines for people: the chain's total, who shares most, and what closing would keep."""
        stores = "1 store" if len(self.table) == 1 else f"{len(self.table):,} stores"
        again = f"{self.counted_twice:,.0f} would be" if self.counted_twice >= 0.5 else "nobody is"
        lines = [
            f"{self.total:,.0f} {self.count} live in the trade areas ({self.method}) of {stores}; "
            f"in the sum over the stores {again} counted more than once"
        ]
        sharing = self.table[self.table["part_shared"] > 0.0].sort_values("part_shared", ascending=False, kind="stable")
        most = [
            f"{store} {row['part_shared']:.0%} (most with {row['most_shared_with']})"
            for store, row in sharing.head(_NAMED).iterrows()
        ]
        lines.append(f"largest part shared with other own stores: {', '.join(most)}" if most else _NOTHING_SHARED)
        lines.append(self._closing())
        if self.known < 1.0:
            lines.append(
                f"{self.count} is unknown for {1.0 - self.known:.1%} of the neighbourhoods, which are left out"
            )
        return "\n".join(lines)

    def _closing(self) -> str:
        kept = self.table["part_kept"].dropna()
        if kept.empty:
            return f"who would take over if a store closed cannot be told from {self.method} areas"
        least, most = f"{kept.min():.0%}", f"{kept.max():.0%}"
        part = least if least == most else f"{least} ({kept.idxmin()}) to {most} ({kept.idxmax()})"
        return f"if a store closed, the chain would keep {part} of its {self.count}"


def overlap(areas: TradeAreas, neighbourhoods: Neighbourhoods, *, count: str | None = None) -> Overlap:
    r"""Work out whom the stores of a chain share, and whom a store would leave to the others if it closed.

    For counts :math:`p_m` and shares :math:`w_{sm}`:

    Areas that overlap (ring, travel time, customers) are cut along their borders into pieces x of :math:`p_x` people,
    all of whom live in the areas of the same :math:`n_x` stores. If one closes its people divide equally over the
    others that they have:

    .. math::

        \text{shared}_{ab} = \sum_{x \in a \cap b} p_x \qquad
        \text{cannibalisation}_{ab} = \frac{\sum_{x \in a \cap b} p_x / (n_x - 1)}{\sum_{x \in a} p_x}

    By Huff's model everyone chooses anew on each trip: shared are the people expected to choose a on one and b on
    another. If a closed, the model divides its people over the others, competitors included:

    .. math::

        \text{shared}_{ab} = \sum_m p_m w_{am} w_{bm} \qquad
        \text{cannibalisation}_{ab} = \frac{\sum_m p_m w_{am} w_{bm} / (1 - w_{am})}{\sum_m p_m w_{am}}

    With ``nearest``, ``thiessen`` and ``travel_time(nearest_only=True)`` each person has one store, so nothing is
    shared. If one closed, with ``nearest`` its people would go to the nearest that is left, which is worked out; with
    the others it cannot be told from the shares, and cannibalisation is NaN.

    Parameters
    ----------
    areas
        Trade areas of the same neighbourhoods; not ``divided()``, which has dropped who is shared.
    neighbourhoods
        With the count; NaN is unknown and left out.
    count
        Which count. Default: the first.

    Returns
    -------
    Overlap
        Stores in the order of the areas.

    Raises
    ------
    GeographyError
        No such count; areas of other neighbourhoods; areas that were divided.

    Notes
    -----
    Exact to rounding, but that a polygon of 256 corners stands for a circle where several cut the same neighbourhood,
    which costs about 1e-5.

    Examples
    --------
    >>> overlap(areas, chain.neighbourhoods).summary()  # doctest: +SKIP
    """
    name, values = counted(areas, neighbourhoods, count, parameter="count")
    known = np.isfinite(values)
    people = np.where(known, values, 0.0)
    sharing = Sharing.of(areas, people)
    served, with_known, all_served = areas.sums(np.column_stack([people, known, np.ones(len(known))])).T
    known_part = np.divide(with_known, all_served, out=np.ones_like(served), where=all_served > 0.0)
    return Overlap(
        count=name,
        method=areas.method,
        kind=areas.kind,
        **_frames(areas.store_ids, sharing, served, known_part),
        total=float(areas.covered @ people),
        known=_ratio(float(areas.covered @ known), float(areas.covered.sum())),
    )


def _frames(
    store_ids: tuple[str, ...], sharing: Sharing, served: FloatArray, known: FloatArray
) -> dict[str, pd.DataFrame]:
    index = pd.Index(store_ids, name="store_id")
    lost = known == 0.0
    people = np.where(lost, np.nan, served)
    # Circles are served exactly but drawn with 256 corners.
    common = np.minimum(sharing.common, served)
    np.minimum(common, served[:, None], out=common)
    by_name = np.argsort(np.array(store_ids, dtype=object), kind="stable")
    np.fill_diagonal(common, 0.0)
    most = by_name[common[:, by_name].argmax(axis=1)]
    some = common.max(axis=1) > 0.0
    np.fill_diagonal(common, served)
    common[lost] = common[:, lost] = np.nan
    shared = np.minimum(sharing.elsewhere, people)
    table = pd.DataFrame(
        {
            "people": people,
            "people_only_here": people - shared,
            "people_shared": shared,
            "part_shared": np.divide(shared, people, out=np.full_like(people, np.nan), where=people > 0.0),
            "most_shared_with": [store_ids[row] if shares else None for row, shares in zip(most, some, strict=True)],
            "part_kept": sharing.moving.sum(axis=1),
            "known": known,
        },
        index=index,
    )
    return {
        "shared": pd.DataFrame(common, index=index, columns=index),
        "cannibalisation": pd.DataFrame(sharing.moving, index=index, columns=index),
        "table": table,
    }


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0.0 else 1.0
