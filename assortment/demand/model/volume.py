"""How many choose in the category, per week and store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from assortment.demand.arrays import Bools, Floats
from assortment.demand.likelihood.outside import log_no_purchase_at
from assortment.errors import DemandError, listed


@dataclass(frozen=True, kw_only=True)
class Size:
    """Choice occasions of S stores and K classes.

    Parameters
    ----------
    class_weight
        (S, K), occasions per week.
    no_purchase
        (S, K), attraction of buying nothing.
    walk_away
        Share of all occasions that end without a purchase at the listing.
    source
        "occasions" or "units".
    notes
        What was assumed.
    """

    class_weight: Floats
    no_purchase: Floats
    walk_away: float
    source: Literal["occasions", "units"]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Volume:
    """What the fit learnt about the size of the category.

    Parameters
    ----------
    occasions
        Choice occasions per week by store, where known.
    units
        Units per recorded week by store, where there are sales.
    log_no_purchase
        Estimated utility of buying nothing, or ``None``.
    walk_away
        Assumed where it is not estimated.
    nothing_alike
        Whether buying nothing is worth the same to all classes, instead of each walking away at the assumed rate.
    units_per_person
        Units per week of one household, for chains that have neither sales nor occasions; ``None`` with till sales.
    """

    occasions: Mapping[str, float]
    units: Mapping[str, float]
    log_no_purchase: float | None
    walk_away: float
    nothing_alike: bool = False
    units_per_person: float | None = field(default=None)

    def size(
        self, store_ids: tuple[str, ...], attraction: Floats, mix: Floats, carried: Bools, people: Floats | None
    ) -> Size:
        """Return the occasions and what buying nothing is worth.

        Parameters
        ----------
        store_ids
            S stores.
        attraction
            (S, K, N) at regular prices.
        mix
            (S, K), share of each class in a store's occasions.
        carried
            (S, N), today's listing, or what stands for it.
        people
            (S,), who lives in the trade areas; ``None``: not known.

        Raises
        ------
        DemandError
            A store of which neither occasions nor sales nor people are known.
        """
        known = np.array([self.occasions.get(store, np.nan) for store in store_ids])
        sold = np.array([self.units.get(store, np.nan) for store in store_ids])
        constant, notes = self._no_purchase(attraction, mix, carried, np.where(np.isfinite(known), known, sold))
        there = (attraction * carried[:, None, :]).sum(axis=2)
        away = (mix * np.exp(constant) / (np.exp(constant) + there)).sum(axis=1)
        # A store that stands empty has no sales to scale up, and all walk away.
        occasions = np.where(np.isfinite(known), known, sold / np.maximum(1.0 - away, 1e-9))
        if np.isfinite(sold[~np.isfinite(known)]).any():
            notes.append("Occasions are units sold ÷ (1 – walk-away rate) where the size of the category is not known.")
        occasions, scaled = self._scaled(store_ids, occasions, people)
        total = float(occasions.sum())
        return Size(
            class_weight=occasions[:, None] * mix,
            no_purchase=np.exp(constant),
            walk_away=float(occasions @ away) / total if total > 0 else self.walk_away,
            source="occasions" if np.isfinite(known).any() else "units",
            notes=(*notes, *scaled),
        )

    @property
    def told(self) -> str:
        """Whether buying nothing was estimated, or what is assumed of it."""
        if self.log_no_purchase is not None:
            return "Buying nothing is estimated from choice occasions and units sold, one constant for the chain."
        return f"Assumed: {self.walk_away:.0%} of the choice occasions end without a purchase at today's listing."

    def _no_purchase(self, attraction: Floats, mix: Floats, carried: Bools, size: Floats) -> tuple[Floats, list[str]]:
        if self.log_no_purchase is not None:
            return np.full(mix.shape, self.log_no_purchase), [self.told]
        weight = np.where(np.isfinite(size), size, 0.0) if np.isfinite(size).any() else np.ones(len(size))
        K = mix.shape[1]
        together = [slice(None)] if self.nothing_alike else [slice(k, k + 1) for k in range(K)]
        constants = [
            log_no_purchase_at(attraction[:, seats], carried, weight[:, None] * mix[:, seats], self.walk_away)
            for seats in together
        ]
        return np.broadcast_to(np.array(constants), mix.shape), [self.told]

    def _scaled(
        self, store_ids: tuple[str, ...], occasions: Floats, people: Floats | None
    ) -> tuple[Floats, tuple[str, ...]]:
        """Fill what is not known from the people of the trade area at the chain's rate."""
        missing = ~np.isfinite(occasions)
        if not missing.any():
            return occasions, ()
        names = _some([store for store, lacks in zip(store_ids, missing, strict=True) if lacks])
        if people is None or not np.isfinite(people[missing]).all():
            raise DemandError(
                f"How many shop in {names} is not known: there are neither sales nor people in the profile. "
                "Give occasions_per_week in the shelves."
            )
        if missing.all():
            if self.units_per_person is None:
                raise DemandError(f"There are no sales of {names}; give occasions_per_week in the shelves.")
            note = (
                "The size of the category is not known: each person of the trade area counts as one household of the "
                "baskets. Proportions between stores hold, amounts do not; give occasions_per_week in the shelves."
            )
            return people * self.units_per_person / (1.0 - self.walk_away), (note,)
        rate = float(occasions[~missing].sum() / people[~missing].sum())
        note = f"Without sales or occasions, scaled from the people of the trade area at the chain's rate: {names}."
        return np.where(missing, people * rate, occasions), (note,)


def occasions_by_store(shelves: pd.DataFrame | None, categories: set[str]) -> dict[str, float]:
    """Return the choice occasions per week by store, where the shelves tell them.

    Parameters
    ----------
    shelves
        Frame store_id, category, occasions_per_week, or ``None``.
    categories
        Of the products; shelves of others are ignored.

    Raises
    ------
    DemandError
        Two rows for a store, or occasions that are not above zero.
    """
    if shelves is None or "occasions_per_week" not in shelves.columns:
        return {}
    rows = shelves
    if "category" in rows.columns and rows["category"].isin(categories).any():
        rows = rows[rows["category"].isin(categories)]
    rows = rows[rows["occasions_per_week"].notna()]
    twice = rows["store_id"][rows["store_id"].duplicated()].unique()
    if len(twice):
        raise DemandError(f"More than one shelf row for {_some(list(twice))}; fit one category at a time.")
    wrong = rows["store_id"][~(rows["occasions_per_week"] > 0)]
    if len(wrong):
        raise DemandError(f"occasions_per_week must be above zero; it is not for {_some(list(wrong))}.")
    return {str(store): float(value) for store, value in zip(rows["store_id"], rows["occasions_per_week"], strict=True)}


def _some(stores: list[str]) -> str:
    return f"store{'' if len(stores) == 1 else 's'} {listed(stores)}"
