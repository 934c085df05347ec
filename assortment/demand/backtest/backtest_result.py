"""``Backtest``: forecasts of what no method had seen, compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import t as student

from assortment.demand.backtest.baselines import CHAIN, OWN, SHRUNKEN
from assortment.demand.backtest.held_out import HoldOut
from assortment.demand.backtest.scores import MEASURES

MODEL = "model"
METHODS = (CHAIN, OWN, SHRUNKEN, MODEL)
_CHANCE = 0.95  # a gain beyond the spread is chance in one case of twenty


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """How well each method forecast what was held out; made by ``backtest``.

    Attributes
    ----------
    hold_out
        "stores" or "weeks".
    scores
        One row per fold, store and method: fold, store_id, method, units, the errors wape, kl and log_loss of the store
        (see ``scores.errors``), and of the model judged, coverage and width (see ``scores.coverage``).
    held_out
        What was held out, in words.
    notes
        What was assumed.
    """

    hold_out: HoldOut
    scores: pd.DataFrame
    held_out: str
    notes: tuple[str, ...] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per method, of all folds together.

        method, wape (sum over stores and products of the absolute errors of their units ÷ units), kl and log_loss (nats
        per unit), coverage and width (of the nominal 90 % interval of the choice shares of store × product, the model
        only), wape_spread and kl_spread (standard deviation between folds; NaN with one fold).
        """
        rows = []
        for method in self.methods:
            own = self.scores[self.scores["method"] == method]
            folds = self.folds[self.folds["method"] == method]
            rows.append({"method": method, **_pooled(own), **_spread(folds)})
        return pd.DataFrame(rows)

    @cached_property
    def folds(self) -> pd.DataFrame:
        """One row per fold and method: fold, method, units, wape, kl, log_loss, coverage, width."""
        groups = self.scores.groupby(["fold", "method"], sort=False)
        return pd.DataFrame(
            [
                {"fold": fold, "method": method, "units": group["units"].sum(), **_pooled(group)}
                for (fold, method), group in groups
            ]
        )

    @cached_property
    def stores(self) -> pd.DataFrame:
        """One row per store and method: store_id, method, units, wape, kl, log_loss, coverage, width."""
        groups = self.scores.sort_values("store_id", kind="stable").groupby(["store_id", "method"], sort=False)
        return pd.DataFrame(
            [
                {"store_id": store, "method": method, "units": group["units"].sum(), **_pooled(group)}
                for (store, method), group in groups
            ]
        )

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods compared, the model last."""
        there = set(self.scores["method"])
        return tuple(method for method in METHODS if method in there)

    @property
    def best(self) -> str:
        """The method with the least WAPE."""
        return _least_wape(self.table)

    @property
    def rival(self) -> str:
        """The simple method with the least WAPE: what the model has to beat."""
        return _least_wape(self.table[self.table["method"] != MODEL])

    @property
    def gain(self) -> float:
        """WAPE of the best simple method less that of the model, all folds together; below zero: the model is worse."""
        wape = self.table.set_index("method")["wape"]
        return float(wape[self.rival] - wape[MODEL])

    @property
    def gain_spread(self) -> float:
        """How much the gain may be chance, from its differences between folds; NaN with one fold.

        The half width of a one-sided 95 % t interval: quantile × standard deviation ÷ √folds.
        """
        wide = self.folds.pivot_table(index="fold", columns="method", values="wape")
        gains = (wide[self.rival] - wide[MODEL]).to_numpy(np.float64)
        if len(gains) < 2:
            return float("nan")
        return float(student.ppf(_CHANCE, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains)))

    @property
    def model_is_better(self) -> bool:
        """Whether the model beats the best simple method beyond the spread between folds."""
        return bool(self.gain > self.gain_spread)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        table = self.table.set_index("method")
        wape, rival = table["wape"], self.rival
        what = "stores that it had not seen" if self.hold_out == "stores" else "weeks that were still to come"
        figures = f"WAPE {wape[MODEL]:.1%} against {wape[rival]:.1%} for {_the(rival)}"
        folds = self.folds["fold"].nunique()
        if folds < 2:
            side = "better" if self.gain > 0 else "no better"
            text = f"The model forecasts {what} {side} than {_the(rival)} does ({figures}); with one part held out, "
            return text + "how much of that is chance is not known." + self._other_measure(rival)
        margin = f"{figures}; gain {100 * self.gain:.1f} ± {100 * self.gain_spread:.1f} points, {_parts(folds)}"
        if self.model_is_better:
            text = f"The model is the best forecast of {what} ({margin})."
        elif self.gain < -self.gain_spread:
            text = f"The model forecasts {what} worse than {_the(rival)} does ({margin}): rely on {_the(rival)}."
        else:
            text = (
                f"The model does not forecast {what} better than {_the(rival)} does, beyond the spread between parts "
                f"({margin})."
            )
        return text + self._other_measure(rival)

    def summary(self) -> str:
        """Return the finding, the table and what was assumed, as text."""
        shown = self.table.dropna(axis="columns", how="all")
        return "\n".join(
            [
                f"Backtest, held out: {self.held_out}, in {_parts(self.folds['fold'].nunique())}",
                self.sentence,
                "",
                shown.to_string(index=False, float_format=lambda value: f"{value:.4f}", na_rep=""),
                "",
                "WAPE: sum over stores and products of the absolute errors of their units, as a part of all units. KL, "
                "log-loss: nats per unit. Coverage and width: of the 90 % interval of choice shares.",
                "Category totals, offers, prices and promotions of what was held out are taken as known.",
                *self.notes,
            ]
        )

    def _other_measure(self, rival: str) -> str:
        """What to add where the divergence by unit says the opposite of the totals."""
        kl = self.table.set_index("method")["kl"]
        if (kl[rival] - kl[MODEL]) * self.gain >= 0:
            return ""
        better, worse = (MODEL, rival) if kl[MODEL] < kl[rival] else (rival, MODEL)
        return (
            f" Week by week it is the other way round: KL {kl[better]:.3f} per unit for {_the(better)}, "
            f"{kl[worse]:.3f} for {_the(worse)}."
        )


def _pooled(scores: pd.DataFrame) -> dict[str, float]:
    """Measures of several stores together: errors weighted by units, intervals by the products judged."""
    units, judged = scores["units"].to_numpy(np.float64), scores["judged"].fillna(0.0).to_numpy(np.float64)
    measures = {name: float(scores[name] @ units / units.sum()) for name in MEASURES}
    for name in ("coverage", "width"):
        total = judged.sum()
        values = scores[name].fillna(0.0).to_numpy(np.float64)
        measures[name] = float(values @ judged / total) if total > 0 else float("nan")
    return measures


def _least_wape(table: pd.DataFrame) -> str:
    return str(table["method"].iloc[int(table["wape"].to_numpy().argmin())])


def _spread(folds: pd.DataFrame) -> dict[str, float]:
    return {f"{name}_spread": float(folds[name].std(ddof=1)) for name in ("wape", "kl")}


def _parts(number: int) -> str:
    return f"{number} part{'s' * (number != 1)}"


def _the(method: str) -> str:
    return method if method.endswith("history") else f"the {method}"
