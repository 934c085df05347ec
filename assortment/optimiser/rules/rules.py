"""Rules: what an assortment must obey, as plain numbers and masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from numbers import Real

import numpy as np

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Ints, Mask, read_only, shaped

# The rules that may have a price.
SOFT = ("shelf", "groups", "products_max", "local_products_max", "local_min_stores", "local_per_store", "changes_max")


@dataclass(frozen=True, eq=False)
class Group:
    """At least and at most so many products of a group in each store.

    Parameters
    ----------
    name
        What people call the group, as in "type: whole".
    members
        Which products belong to it, (N,).
    least, most
        Smallest and largest number of them per store; ``None`` for no limit.
    """

    name: str
    members: Mask
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, eq=False)
class Rules:
    """The rules of an assortment; every one is optional. Field names are the names in ``RULES``.

    S stores, N products. Masks may be given as (N,) where they are the same in every store.

    Parameters
    ----------
    core_min, core_max
        Least and most core products (of each core group). ``core_max=None``: no upper limit.
    core_groups
        Group of each store, (S,) integers; each group has a core of its own. ``None``: one core for the chain.
        A product counts as core in the chain-wide rules when it is core in at least one group.
    products_max
        Most distinct products in the chain, core included.
    local_products_max
        Most distinct products in the chain that are not core.
    local_min_stores
        Stores that carry each listed product that is not core: one number, or one per product, (N,).
    local_per_store
        Least and most products of a store that are not core there, each ``None`` for no limit.
    local_share
        Least and largest part of a store's products that is not core there, from 0 to 1, each ``None`` for no limit.
    groups
        Limits per store on groups of products.
    allowed
        Where a product may stand, (S, N). ``None``: everywhere.
    required
        Where a product must stand, (S, N). ``None``: nowhere.
    today
        What stands on the shelf today, (S, N); needed by ``changes_max`` and by ``Plan.changes``.
    changes_max
        Most adds plus drops per store against today: one number, or one per store, (S,).
    assortments_max
        Most different assortments in the chain; stores that share one carry exactly the same.
    soft
        Rules that may be broken for a price, and the price per week of each unit by which they are: of a centimetre for
        ``shelf``; of a product too many or too few for ``groups``, ``local_per_store`` (in each store),
        ``products_max`` and ``local_products_max``; of a change for ``changes_max``; of each store in which a product
        is missing for ``local_min_stores``. In the unit of the objective, 0 or more.
    """

    core_min: int = 0
    core_max: int | None = None
    core_groups: Ints | None = None
    products_max: int | None = None
    local_products_max: int | None = None
    local_min_stores: int | Ints | None = None
    local_per_store: tuple[int | None, int | None] = (None, None)
    local_share: tuple[float | None, float | None] = (None, None)
    groups: Sequence[Group] = field(default_factory=tuple)
    allowed: Mask | None = None
    required: Mask | None = None
    today: Mask | None = None
    changes_max: int | Ints | None = None
    assortments_max: int | None = None
    soft: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults: list[str] = []
        limits = {
            "core_min": self.core_min,
            "core_max": self.core_max,
            "products_max": self.products_max,
            "local_products_max": self.local_products_max,
            "local_per_store least": self.local_per_store[0],
            "local_per_store most": self.local_per_store[1],
            "assortments_max": self.assortments_max,
        }
        for group in self.groups:
            limits[f"groups: '{group.name}' least"] = group.least
            limits[f"groups: '{group.name}' most"] = group.most
        for name, limit in limits.items():
            if limit is not None and (isinstance(limit, bool) or limit != int(limit) or limit < 0):
                faults.append(f"{name}: found {limit}; expected a whole number, 0 or more")
        if self.assortments_max == 0:
            faults.append("assortments_max: found 0; expected 1 or more, or None for no limit")
        for name, part in zip(("least", "most"), self.local_share, strict=True):
            if part is not None and not 0 <= part <= 1:
                faults.append(f"local_share {name}: found {part}; expected a part between 0 and 1")
        for name, price in self.soft.items():
            faults += _price_faults(name, price)
        if faults:
            raise ProblemError(_message(faults))
        object.__setattr__(self, "groups", tuple(self.groups))
        object.__setattr__(self, "soft", {name: float(price) for name, price in self.soft.items()})

    def sized(self, S: int, N: int) -> Rules:
        """Return the rules with every mask and array in full shape and read-only.

        Raises
        ------
        ProblemError
            When a mask or an array does not fit S stores and N products; names all of them.
        """
        faults: list[str] = []
        full = dict(self.__dict__)
        for name in ("allowed", "required", "today"):
            if full[name] is not None:
                full[name] = shaped(f"rules.{name}", full[name], (S, N), np.bool_, faults)
        for name, shape in (("local_min_stores", (N,)), ("changes_max", (S,)), ("core_groups", (S,))):
            if full[name] is not None:
                full[name] = _whole(f"rules.{name}", full[name], shape, faults)
        full["groups"] = tuple(_sized_group(group, N, faults) for group in self.groups)
        if self.changes_max is not None and self.today is None:
            faults.append("rules.changes_max: there is no listing of today to count changes against; give rules.today")
        if faults:
            raise ProblemError(_message(faults))
        return Rules(**full)


def _sized_group(group: Group, N: int, faults: list[str]) -> Group:
    members = shaped(f"rules.groups '{group.name}' members", group.members, (N,), np.bool_, faults)
    return Group(group.name, np.zeros(N, bool) if members is None else members, group.least, group.most)


def _whole(name: str, value: int | Ints, shape: tuple[int, ...], faults: list[str]) -> Ints | None:
    array = shaped(name, value, shape, np.float64, faults)
    if array is None:
        return None
    if not (np.isfinite(array).all() and (array == np.round(array)).all() and (array >= 0).all()):
        faults.append(f"{name}: expected whole numbers, 0 or more")
        return None
    whole: Ints = array.astype(np.int64)
    return read_only(whole)


def _price_faults(name: str, price: float) -> list[str]:
    if name not in SOFT:
        near = get_close_matches(name, SOFT, n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(SOFT)}"
        return [f"soft: there is no rule '{name}' that may have a price; {advice}"]
    if isinstance(price, bool) or not isinstance(price, Real) or not 0 <= price < np.inf:
        return [f"soft: found {price!r} for '{name}'; expected a price per week, 0 or more"]
    return []


def _message(faults: list[str]) -> str:
    return "\n".join(["the rules cannot be used:", *(f"  - {fault}" for fault in faults)])
