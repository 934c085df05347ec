"""Demographics of trade areas as numbers that tell stores apart."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Floats
from assortment.errors import AssortmentWarning, DemandError, listed

if TYPE_CHECKING:
    from assortment.geo import StoreProfiles

_EXPLAINED, _ALIKE = 0.95, 0.9999
_FLAT = 1e-9
_NEARLY_ALL = 0.95
_STORES_PER_DEMOGRAPHIC = 4


@dataclass(frozen=True)
class DemographicDesign:
    """Which demographics the model sees, and how they are standardised over the stores of the fit.

    Parameters
    ----------
    expressions
        Names of rates, or ratios of two counts such as ``over_65 / people`` (D of them).
    centre, scale
        (D,), mean and standard deviation over the stores of the fit.
    notes
        What was left out, and why.
    """

    expressions: tuple[str, ...]
    centre: Floats
    scale: Floats
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, profiles: StoreProfiles, store_ids: Sequence[str], expressions: Sequence[str] | None
    ) -> DemographicDesign:
        """Choose and standardise the demographics.

        Parameters
        ----------
        profiles
            Who each store serves.
        store_ids
            Stores of the fit.
        expressions
            What to use; ``None``: see ``default_expressions``.

        Raises
        ------
        DemandError
            An unknown name, or a demographic that is not known for a store; all of them together.
        """
        asked, notes = default_expressions(profiles, store_ids) if expressions is None else (_once(expressions), ())
        values = demographic_values(profiles, store_ids, asked)
        spread = _spread(values)
        flat = spread <= _FLAT * np.maximum(np.abs(values).max(axis=0, initial=0.0), 1e-12)
        kept = ~flat
        names = tuple(name for name, keep in zip(asked, kept, strict=True) if keep)
        found = [*_left_out(np.asarray(asked, dtype=object)[flat], len(store_ids)), *_alike(names, values[:, kept])]
        for message in found:
            warnings.warn(message, AssortmentWarning, stacklevel=4)
        return cls(names, values[:, kept].mean(axis=0), spread[kept], (*notes, *found))

    @staticmethod
    def remoteness(standardised: Floats) -> Floats:
        """Return (S,), how far stores lie from the chain: the mean square of their (S, D) standardised demographics.

        It is 1 for a store of the fit on average, and for all where there is no demographic.
        """
        if standardised.shape[1] == 0:
            return np.ones(len(standardised))
        apart: Floats = (standardised**2).mean(axis=1)
        return apart

    def encode(self, profiles: StoreProfiles, store_ids: Sequence[str]) -> Floats:
        """Return the standardised (S, D) demographics of these stores."""
        values = demographic_values(profiles, store_ids, self.expressions)
        standardised: Floats = (values - self.centre) / self.scale
        return standardised

    def chain(self, profiles: StoreProfiles) -> Floats:
        """Return the (D,) chain averages, in the units of the profiles."""
        if not self.expressions:
            return np.zeros(0)
        return profiles.chain(list(self.expressions)).to_numpy(np.float64)


def demographic_values(profiles: StoreProfiles, store_ids: Sequence[str], expressions: Sequence[str]) -> Floats:
    """Return (S, D) values of demographic expressions.

    Raises
    ------
    DemandError
        A store without profile, an unknown name or an unknown value, each named.
    """
    table = profiles.table
    missing = [store for store in store_ids if store not in table.index]
    if missing:
        raise DemandError(f"No profile for {_names('store', missing)}; give a row for each store of the chain.")
    parts = {part.strip(): text for text in expressions for part in text.split("/")}
    unknown = [
        f"'{part}'" + (f" in '{text}'" if part != text else "")
        for part, text in parts.items()
        if part not in table.columns
    ]
    if unknown:
        raise DemandError(
            f"Demographics not found in the profiles: {', '.join(unknown)}; "
            f"the profiles hold {', '.join(map(str, table.columns))}."
        )
    if not expressions:
        return np.zeros((len(store_ids), 0))
    frame: pd.DataFrame = profiles.values(list(expressions)).loc[list(store_ids)]
    values = frame.to_numpy(np.float64)
    holes = [f"'{expressions[d]}' of store {store_ids[s]}" for s, d in np.argwhere(~np.isfinite(values))]
    if holes:
        raise DemandError(
            f"Unknown demographics: {', '.join(holes[:10])}{' …' if len(holes) > 10 else ''}; "
            "give the figures, or leave the demographic or the store out."
        )
    return values


def default_expressions(profiles: StoreProfiles, store_ids: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Choose demographics when none are named: every rate, then each count as a share of the largest count.

    Left out are, in this order: what is not known for all stores; a share that takes in nearly everyone (over 95 %);
    what does not vary; what those before it explain to more than 95 % (as men by women); and whatever comes after one
    per four stores.

    Returns
    -------
    expressions
        What is kept.
    notes
        What is left out, and why.
    """
    table = profiles.table.loc[[store for store in store_ids if store in profiles.table.index]]
    totals = table[list(profiles.counts)].sum().sort_values(ascending=False, kind="stable")
    shares = (
        [f"{name} / {totals.index[0]}" for name in profiles.counts if name != totals.index[0]] if len(totals) else []
    )
    candidates = [*profiles.rates, *shares]
    if not candidates:
        return (), ("The profiles hold no demographics to use.",)
    values = profiles.values(candidates).loc[table.index]
    kept: list[str] = []
    dropped: dict[str, list[str]] = {}
    for name in candidates:
        reason = _reason_to_drop(values, name, kept, is_share=name in shares)
        if reason is None:
            kept.append(name)
        else:
            dropped.setdefault(reason, []).append(name)
    return tuple(kept), tuple(f"Left out, as {reason}: {', '.join(names)}." for reason, names in dropped.items())


def _reason_to_drop(values: pd.DataFrame, name: str, kept: list[str], *, is_share: bool) -> str | None:
    column = values[name].to_numpy(np.float64)
    if not np.isfinite(column).all():
        return "not known for all stores"
    if is_share and column.mean() > _NEARLY_ALL:
        return "it takes in nearly everyone"
    if _spread(column) <= _FLAT * max(float(np.abs(column).max()), 1e-12):
        return "it is the same for all stores"
    if len(kept) >= max(1, len(values) // _STORES_PER_DEMOGRAPHIC):
        return f"{len(values)} stores cannot tell more demographics apart"
    if kept and _explained(column, values[kept].to_numpy(np.float64)) > _EXPLAINED:
        return "others say nearly the same"
    return None


def _explained(column: Floats, others: Floats) -> float:
    """Share of the variance of ``column`` that a linear regression on ``others`` explains."""
    centred = column - column.mean()
    scaled = (others - others.mean(axis=0)) / others.std(axis=0)
    fitted = scaled @ np.linalg.lstsq(scaled, centred, rcond=None)[0]
    return float((fitted @ fitted) / (centred @ centred))


def _once(expressions: Sequence[str]) -> tuple[str, ...]:
    """Each expression once, in the order given."""
    return tuple(dict.fromkeys(expressions))


def _spread(values: Floats) -> Floats:
    """Standard deviations over the first axis, of numbers of any size."""
    scale = np.maximum(np.abs(values).max(axis=0, initial=0.0), 1e-300)
    spread: Floats = (values / scale).std(axis=0) * scale
    return spread


def _left_out(flat: Sequence[str], stores: int) -> list[str]:
    if stores == 1 and len(flat):
        return [f"One store cannot tell what demographics do: left out {listed(flat)}."]
    return [f"Demographic '{name}' is the same for all {stores} stores of the fit: it is left out." for name in flat]


def _alike(names: Sequence[str], values: Floats) -> list[str]:
    """What the stores cannot tell apart, although each is used as far as its prior allows."""
    stores, count = values.shape
    if 0 < count >= stores - 1:
        some = "1 demographic is" if count == 1 else f"{count} demographics are"
        return [
            f"{some} more than {stores} stores can tell from chance; forecasts of other stores rest on what the prior "
            f"holds likely: {listed(names)}."
        ]
    values = values / _spread(values)
    return [
        f"Demographic '{names[d]}' says the same as {listed(names[:d])}: which of them matters is not known."
        for d in range(1, count)
        if _explained(values[:, d], values[:, :d]) > _ALIKE
    ]


def _names(noun: str, ids: Sequence[str]) -> str:
    return f"{noun if len(ids) == 1 else noun + 's'} {listed(ids)}"
