"""A fitted model at some stores and products: their tastes, their shoppers and what is not known of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from assortment.demand.arrays import Bools, Floats, Ints, positions
from assortment.demand.demand import Drivers
from assortment.demand.design.demographics import demographic_values
from assortment.demand.model.spread import UNKNOWN_SD
from assortment.demand.model.tastes import LocalTastes
from assortment.errors import DemandError

if TYPE_CHECKING:
    from assortment.demand.model.choice_model import ChoiceModel
    from assortment.geo import StoreProfiles
    from assortment.inputs import Products


@dataclass(frozen=True)
class ModelAt:
    """A model at S stores and N products, seen or not (K classes of shoppers).

    Parameters
    ----------
    model
        The fit.
    products
        The products.
    profiles
        Who the stores serve.
    store_ids
        The stores.
    """

    model: ChoiceModel
    products: Products
    profiles: StoreProfiles
    store_ids: tuple[str, ...]

    @cached_property
    def tastes(self) -> LocalTastes:
        """Tastes of the stores, or of the segments."""
        if self._same_everywhere:
            return self.model.tastes.of(self.products, np.eye(len(self.model.segments)))
        if self.model.design is None:
            return self.model.tastes.of(self.products, np.zeros((len(self.store_ids), 0)), self.store_ids)
        return self.model.tastes.of(
            self.products, self.model.design.encode(self.profiles, self.store_ids), self.store_ids
        )

    @property
    def seats(self) -> Ints:
        """(S, K) row of the tastes for each store and class; those of households alone are the same everywhere."""
        K = len(self.model.class_names)
        return np.arange(len(self.store_ids))[:, None] * (0 if self._same_everywhere else K) + np.arange(K)

    @property
    def _same_everywhere(self) -> bool:
        """Whether stores have no tastes of their own: the segments take the place of the demographics."""
        return self.model.design is None and self.model.tastes.classes == 1

    def log_sd(self) -> Floats:
        """Return (S, N) spreads: those of unseen stores, less what the sales of a store in the fit have settled."""
        typical = float(np.median(list(self.model.log_sd.values()))) if self.model.log_sd else UNKNOWN_SD
        new = float(np.hypot(typical, np.std(self.model.tastes.parts.product)))
        unseen = np.array([self.model.log_sd.get(product, new) for product in self.products.ids])
        s = np.asarray(pd.Index(self.model.tastes.store_ids).get_indexer(pd.Index(self.store_ids)))
        n = np.asarray(pd.Index(self.model.tastes.product_ids).get_indexer(pd.Index(self.products.ids)))
        settled = np.zeros((len(self.store_ids), len(n)))
        if len(self.model.reliability):
            settled = np.where((s >= 0)[:, None] & (n >= 0), self.model.reliability[s][:, n], 0.0)
        log_sd: Floats = unseen * np.sqrt(1.0 - settled)
        if self.model.design is None or self.model.spread is None:
            return log_sd
        apart = self.model.design.remoteness(self.model.design.encode(self.profiles, self.store_ids))
        return log_sd * self.model.spread.stretch(apart)[:, None]

    @cached_property
    def mix(self) -> Floats:
        """(S, K) share of each class in the choice occasions of a store; of observed segments it is known."""
        if self.model.design is not None:
            return self.model.tastes.mix(self.model.design.encode(self.profiles, self.store_ids))
        rate = np.array([self.model.purchase_rates[name] for name in self.model.segments])
        weight = demographic_values(self.profiles, self.store_ids, tuple(self.model.segments.values())) * rate
        total = weight.sum(axis=1, keepdims=True)
        empty = [store for store, there in zip(self.store_ids, total[:, 0] > 0, strict=True) if not there]
        if empty:
            raise DemandError(
                f"Nobody of a segment that bought anything lives around store {', '.join(empty[:10])}; "
                "check its trade area and the segments."
            )
        mix: Floats = weight / total
        return mix

    def people(self) -> Floats | None:
        """Return (S,) people as volume: who lives in the areas of two stores is divided over them."""
        stores, segments = list(self.store_ids), tuple(self.model.segments.values())
        if segments:
            if set(segments) <= set(self.profiles.counts):
                return self.profiles.divided.loc[stores, list(segments)].sum(axis=1).to_numpy(np.float64)
            people: Floats = demographic_values(self.profiles, self.store_ids, segments).sum(axis=1)
            return people
        if not self.profiles.counts:
            return None
        largest = str(self.profiles.divided.sum().idxmax())
        return self.profiles.divided[largest].loc[stores].to_numpy(np.float64)

    def terms(self, at: pd.DataFrame | None) -> tuple[Floats, dict[str, Floats]]:
        """Return (S, N) prices and promotions: regular, but for what ``at`` says."""
        shape = (len(self.store_ids), len(self.products.ids))
        price = np.broadcast_to(self.products.frame["price"].to_numpy(np.float64), shape).copy()
        promotions = {name: np.zeros(shape) for name in self.model.tastes.covariates.promotions}
        if at is None:
            return price, promotions
        s, n = self._positions(at)
        inside = (s >= 0) & (n >= 0)
        for name, target in {"price": price, **promotions}.items():
            if name in at.columns:
                values = at[name].to_numpy(np.float64, na_value=np.nan)
                given = inside & np.isfinite(values)
                target[s[given], n[given]] = values[given]
        if not (price > 0).all():
            raise DemandError("`at` holds prices that are not above zero; leave them empty where they are not known.")
        return price, promotions

    def unseen(self) -> tuple[str, ...]:
        """Return what is said of levels of attributes that the fit has not seen."""
        levels = self.model.tastes.attributes.unseen(self.products)
        return (f"Not seen in the fit, taken as average: {', '.join(levels)}.",) if levels else ()

    def reasons(self) -> Drivers | None:
        """Return why tastes differ between the stores; ``None`` where they do not."""
        regular = np.log(self.products.frame["price"].to_numpy(np.float64))
        slopes = self.model.tastes.drifts(self.products, regular)
        if (design := self.model.design) is not None:
            if not (names := design.expressions):
                return None
            values = demographic_values(self.profiles, self.store_ids, names)
            return Drivers(names, values, design.chain(self.profiles), slopes / design.scale[:, None])
        mix = self.mix
        share = mix.mean(axis=0)
        of_segments = self.tastes if self._same_everywhere else self.model.tastes.of(self.products, np.zeros((1, 0)))
        base = of_segments.constant
        log_shares = base - logsumexp(base, axis=1, keepdims=True)
        return Drivers(tuple(self.model.segments), mix, share, log_shares - share @ log_shares)

    def mask(self, listing: pd.DataFrame | None) -> Bools | None:
        """Return (S, N), what stands on the shelf; ``None`` where that is not known."""
        if listing is None:
            return None
        s, n = self._positions(listing)
        inside = (s >= 0) & (n >= 0)
        mask = np.zeros((len(self.store_ids), len(self.products.ids)), dtype=np.bool_)
        mask[s[inside], n[inside]] = True
        return mask

    def _positions(self, frame: pd.DataFrame) -> tuple[Ints, Ints]:
        return positions(self.store_ids, frame["store_id"]), positions(self.products.ids, frame["product_id"])
