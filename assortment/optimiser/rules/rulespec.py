"""RuleSpec: the rules of an assortment in words, resolved against the tables of a chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
import pandas as pd

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Ints, Mask
from assortment.optimiser.rules.rules import Group, Rules


@dataclass(frozen=True)
class Cover:
    """At least and at most so many products per store with a value of an attribute.

    Parameters
    ----------
    attribute
        A column of the products, as "type" or "brand".
    value
        One value of it; ``None``: each value that it takes is a group of its own.
    least, most
        Per store, ``None`` for no limit.
    """

    attribute: str
    value: str | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class RuleSpec:
    """The rules that are a planner's choice; what follows from the chain's tables is added to them.

    Parameters
    ----------
    core_min, core_max, products_max, local_products_max, local_min_stores, local_per_store, local_share
        As in `Rules`.
    core_by
        A column of the stores; stores with the same value share a core. ``None``: one core for the chain.
    changes_max
        Most adds plus drops per store against today's listing.
    assortments_max, soft
        As in `Rules`.
    cover
        Limits on products by attribute; the price of ``groups`` is theirs.
    """

    core_min: int = 0
    core_max: int | None = None
    core_by: str | None = None
    products_max: int | None = None
    local_products_max: int | None = None
    local_min_stores: int | None = None
    local_per_store: tuple[int | None, int | None] = (None, None)
    local_share: tuple[float | None, float | None] = (None, None)
    changes_max: int | None = None
    assortments_max: int | None = None
    cover: tuple[Cover, ...] = ()
    soft: Mapping[str, float] = field(default_factory=dict)

    def resolve(
        self,
        stores: pd.DataFrame,
        products: pd.DataFrame,
        *,
        allowed: Mask,
        required: Mask,
        today: Mask | None,
        min_stores: Ints,
    ) -> Rules:
        """Return the rules as numbers and masks.

        Parameters
        ----------
        stores, products
            Frames with one row per store and product, in the order of the masks.
        allowed, required, today
            What the tables say, (S, N).
        min_stores
            Stores that a product's supplier asks for, (N,), 1 where it asks for none.

        Raises
        ------
        ProblemError
            For a column that is not there, or a value that no product has.
        """
        faults: list[str] = []
        groups = [group for cover in self.cover for group in _groups(cover, products, faults)]
        core_groups = None
        if self.core_by is not None:
            if self.core_by in stores:
                core_groups = pd.factorize(stores[self.core_by])[0].astype(np.int64)
                if (core_groups < 0).any():
                    faults.append(f"core_by: some stores have no '{self.core_by}'; fill the column")
            else:
                faults.append(f"core_by: {_unknown(self.core_by, stores.columns, 'column of the stores')}")
        if self.changes_max is not None and today is None:
            faults.append(
                "changes_max: the chain has no listing of today; add the table 'listing' or leave the rule out"
            )
        if faults:
            raise ProblemError("\n".join(["the rules cannot be used:", *(f"  - {fault}" for fault in faults)]))
        least = np.maximum(min_stores, self.local_min_stores or 0)
        return Rules(
            core_min=self.core_min,
            core_max=self.core_max,
            core_groups=core_groups,
            products_max=self.products_max,
            local_products_max=self.local_products_max,
            local_min_stores=least if (least > 1).any() else None,
            local_per_store=self.local_per_store,
            local_share=self.local_share,
            groups=groups,
            allowed=allowed,
            required=required,
            today=today,
            changes_max=self.changes_max,
            assortments_max=self.assortments_max,
            soft=self.soft,
        )


def _groups(cover: Cover, products: pd.DataFrame, faults: list[str]) -> list[Group]:
    if cover.attribute not in products:
        faults.append(f"groups: {_unknown(cover.attribute, products.columns, 'column of the products')}")
        return []
    column = products[cover.attribute].astype(str).where(products[cover.attribute].notna())
    values = sorted(column.dropna().unique())
    if cover.value is not None:
        if cover.value not in values:
            faults.append(f"groups: {_unknown(cover.value, values, cover.attribute)}")
            return []
        values = [cover.value]
    return [
        Group(f"{cover.attribute}: {value}", (column == value).to_numpy(bool), cover.least, cover.most)
        for value in values
    ]


def _unknown(name: str, known: object, what: str) -> str:
    names = [str(item) for item in known]  # type: ignore[attr-defined]
    near = get_close_matches(name, names, n=1)
    return f"there is no {what} '{name}'; " + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}")
