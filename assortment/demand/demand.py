"""``Demand``: what shoppers would buy in each store, whatever it carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from assortment.demand.arrays import Bools, Floats, readonly_bools, readonly_floats
from assortment.errors import DemandError


@dataclass(frozen=True)
class Drivers:
    """Why tastes differ between stores (D demographics).

    Parameters
    ----------
    names
        Demographic expressions, or segments of shoppers.
    store_values
        (S, D), in the units of the profiles.
    chain_values
        (D,), averages of the chain.
    slopes
        (D, N), change of the log attraction per unit of each demographic.
    """

    names: tuple[str, ...]
    store_values: Floats
    chain_values: Floats
    slopes: Floats

    def __post_init__(self) -> None:
        for name in ("store_values", "chain_values", "slopes"):
            object.__setattr__(self, name, readonly_floats(getattr(self, name)))


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Expected choices of S stores, K classes of shoppers and N products; the arrays cannot be written to.

    Parameters
    ----------
    store_ids, class_names, product_ids
        Names along the axes.
    attraction
        (S, K, N), exp(utility), above zero.
    class_weight
        (S, K), choice occasions per week; one occasion buys one unit or nothing.
    no_purchase
        (S, K), attraction of buying nothing, above zero.
    log_sd
        (S, N), standard deviation of the log of a choice share in a store that the model has not seen.
    today
        (S, N), what stands on the shelf today, or ``None`` when that is not known.
    walk_away
        Share of the occasions that end without a purchase at today's listing.
    weight_source
        "occasions" when the size of the category is known for at least some stores, else "units": units sold and
        ``walk_away``.
    notes
        What was assumed, for every output to show.
    reasons
        Why tastes differ between stores, or ``None``.

    Raises
    ------
    DemandError
        Shapes that do not fit together, or a value out of range; store, class and product are named.
    """

    store_ids: tuple[str, ...]
    class_names: tuple[str, ...]
    product_ids: tuple[str, ...]
    attraction: Floats
    class_weight: Floats
    no_purchase: Floats
    log_sd: Floats
    today: Bools | None = None
    walk_away: float = float("nan")
    weight_source: Literal["occasions", "units"] = "units"
    notes: tuple[str, ...] = ()
    reasons: Drivers | None = None

    def __post_init__(self) -> None:
        S, K, N = len(self.store_ids), len(self.class_names), len(self.product_ids)
        shapes = {"attraction": (S, K, N), "class_weight": (S, K), "no_purchase": (S, K), "log_sd": (S, N)}
        for name in shapes:
            object.__setattr__(self, name, readonly_floats(getattr(self, name)))
        if self.today is not None:
            object.__setattr__(self, "today", readonly_bools(self.today))
            shapes["today"] = (S, N)
        wrong = [
            f"{name} has shape {getattr(self, name).shape}, expected {shape}"
            for name, shape in shapes.items()
            if getattr(self, name).shape != shape
        ]
        if wrong:
            raise DemandError(f"Demand of {S} stores, {K} classes and {N} products: {'; '.join(wrong)}.")
        self._check("attraction", self.attraction >= 0)
        self._check("class_weight", self.class_weight >= 0)
        self._check("no_purchase", self.no_purchase > 0)
        self._check("log_sd", self.log_sd >= 0)

    def shares(self, carried: npt.ArrayLike | None = None) -> Floats:
        """Return the (S, N) choice shares of an assortment, among all occasions, buying nothing included.

        Parameters
        ----------
        carried
            (S, N) of bool; default: today's listing.
        """
        weight = self.class_weight.sum(axis=1, keepdims=True)
        units = self.units(carried)
        shares: Floats = np.divide(units, weight, out=np.zeros_like(units), where=weight > 0)
        return shares

    def units(self, carried: npt.ArrayLike | None = None) -> Floats:
        """Return the (S, N) expected units per week of an assortment.

        Parameters
        ----------
        carried
            (S, N) of bool; default: today's listing.
        """
        there = self.attraction * self._carried(carried)[:, None, :]
        total = self.no_purchase + there.sum(axis=2)
        units: Floats = np.einsum("sk,skn->sn", self.class_weight / total, there)
        return units

    def interval(self, level: float = 0.90, carried: npt.ArrayLike | None = None) -> pd.DataFrame:
        """Return where the choice share of each carried product among purchases lies with probability ``level``.

        Parameters
        ----------
        level
            Between 0 and 1.
        carried
            (S, N) of bool; default: today's listing.

        Returns
        -------
        pandas.DataFrame
            store_id, product_id, share, low, high; one row per carried product.

        Raises
        ------
        DemandError
            ``level`` is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise DemandError(f"level = {level}: the level of an interval must be above 0 and below 1, as 0.9.")
        mask = self._carried(carried)
        units = self.units(mask)
        bought = units.sum(axis=1, keepdims=True)
        share = np.divide(units, bought, out=np.zeros_like(units), where=bought > 0)
        half = float(norm.ppf(0.5 + level / 2)) * self.log_sd
        s, n = np.nonzero(mask)
        return pd.DataFrame(
            {
                "store_id": np.asarray(self.store_ids, dtype=object)[s],
                "product_id": np.asarray(self.product_ids, dtype=object)[n],
                "share": share[s, n],
                "low": (share * np.exp(-half))[s, n],
                "high": np.minimum(share * np.exp(half), 1.0)[s, n],
            }
        )

    def transfer(self, product: str, store: str, carried: npt.ArrayLike | None = None) -> pd.DataFrame:
        """Return where the sales of a product go when its store drops it.

        Parameters
        ----------
        product, store
            Ids; the store must carry the product.
        carried
            (S, N) of bool, what is carried before; default: today's listing.

        Returns
        -------
        pandas.DataFrame
            product_id, share (of the lost units, largest first); the last row, "no purchase", is who walks away. Shares
            sum to 1.

        Raises
        ------
        DemandError
            An unknown id, or a product that the store does not carry.
        """
        s, n = self._index("store", store), self._index("product", product)
        before = self._carried(carried)[s]
        if not before[n]:
            raise DemandError(f"Store {store} does not carry product {product}, so it has no sales to lose.")
        after = before.copy()
        after[n] = False
        old, new = self._store_units(s, before), self._store_units(s, after)
        if not old[n] > 0:
            raise DemandError(
                f"Product {product} is expected to sell nothing in store {store}: there is nothing to transfer."
            )
        others = np.flatnonzero(after)
        shares = (new - old)[others] / old[n]
        order = np.argsort(-shares, kind="stable")
        names = [self.product_ids[i] for i in others[order]]
        return pd.DataFrame(
            {"product_id": [*names, "no purchase"], "share": np.append(shares[order], 1.0 - shares.sum())}
        )

    def drivers(self, product: str, store: str) -> pd.DataFrame:
        """Return which demographics move a product's attraction in a store away from the chain average.

        Parameters
        ----------
        product, store
            Ids.

        Returns
        -------
        pandas.DataFrame
            demographic, store_value, chain_value, effect; the strongest first. The attraction is exp(effect) times what
            it would be at the chain average of this demographic. With classes of shoppers the demographics are their
            shares, and the effect is that of the mix to first order.

        Raises
        ------
        DemandError
            An unknown id.
        """
        s, n = self._index("store", store), self._index("product", product)
        columns = ["demographic", "store_value", "chain_value", "effect"]
        if self.reasons is None:
            return pd.DataFrame({name: pd.Series(dtype=object if name == columns[0] else float) for name in columns})
        why = self.reasons
        effect = (why.store_values[s] - why.chain_values) * why.slopes[:, n]
        order = np.argsort(-np.abs(effect), kind="stable")
        values = [why.store_values[s][order], why.chain_values[order], effect[order]]
        return pd.DataFrame(dict(zip(columns, [[why.names[d] for d in order], *values], strict=True)))

    def _store_units(self, s: int, carried: Bools) -> Floats:
        there = self.attraction[s] * carried
        units: Floats = (self.class_weight[s] / (self.no_purchase[s] + there.sum(axis=1))) @ there
        return units

    def _carried(self, carried: npt.ArrayLike | None) -> Bools:
        if carried is None:
            if self.today is None:
                raise DemandError("Today's listing is not known; give `carried`, or predict with a listing.")
            return self.today
        mask = np.asarray(carried, dtype=np.bool_)
        if mask.shape != self.log_sd.shape:
            raise DemandError(f"carried has shape {mask.shape}, expected {self.log_sd.shape} (stores, products).")
        return mask

    def _index(self, noun: str, name: str) -> int:
        ids: Sequence[str] = self.store_ids if noun == "store" else self.product_ids
        if name not in ids:
            raise DemandError(f"There is no {noun} '{name}' in this demand; ids are text, such as '{ids[0]}'.")
        return ids.index(name)

    def _check(self, name: str, right: Bools) -> None:
        values: npt.NDArray[Any] = getattr(self, name)
        wrong = np.argwhere(~(right & np.isfinite(values)))
        if not len(wrong):
            return
        axes = {"log_sd": (self.store_ids, self.product_ids)}.get(
            name, (self.store_ids, self.class_names, self.product_ids)
        )
        nouns = ("store", "product") if name == "log_sd" else ("store", "class", "product")
        places = [
            " ".join(f"{noun} {ids[i]}" for noun, ids, i in zip(nouns, axes, place, strict=False))
            + f": {values[tuple(place)]}"
            for place in wrong[:10]
        ]
        least = "above zero" if name == "no_purchase" else "zero or more"
        raise DemandError(
            f"{name} must be a number, {least}; found {'; '.join(places)}{' …' if len(wrong) > 10 else ''}."
        )
