"""Attributes of products as numbers, so that a product never sold has a forecast from what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assortment.demand.arrays import Floats, Ints
from assortment.errors import DemandError, listed

if TYPE_CHECKING:
    from assortment.inputs import Products

_ITSELF = "product_id"


@dataclass(frozen=True)
class AttributeColumn:
    """One column of the design: a level of a category, or a number.

    Parameters
    ----------
    attribute
        Column of the products' frame.
    level
        The category's level, or ``None`` for a number.
    centre, scale
        A value v is encoded as (v − centre) / scale.
    """

    attribute: str
    level: str | None
    centre: float
    scale: float

    @property
    def name(self) -> str:
        """As it is printed: ``type: plant`` or ``fat_percent``."""
        return self.attribute if self.level is None else f"{self.attribute}: {self.level}"


@dataclass(frozen=True)
class AttributeDesign:
    """How products become rows of numbers (Q columns, each with mean zero over the products of the fit).

    Text is one column per level (one alone where there are two levels), numbers are standardised. What was not seen in
    the fit, or is missing, counts as average.

    Parameters
    ----------
    columns
        The columns.
    levels
        Levels seen in the fit, per attribute of text.
    notes
        What was left out, and why.
    """

    columns: tuple[AttributeColumn, ...]
    levels: dict[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, products: Products, attributes: Sequence[str] | None = None) -> AttributeDesign:
        """Make the design of these products.

        Parameters
        ----------
        products
            Products of the fit.
        attributes
            Columns to use; default: all that the products bring beyond the specified ones, but for those that are the
            same for all products or different for each. When none is left, each product is its own attribute.

        Raises
        ------
        DemandError
            A column asked for does not exist.
        """
        frame = products.frame
        asked = tuple(products.attributes) if attributes is None else tuple(attributes)
        missing = [name for name in asked if name not in frame.columns]
        if missing:
            raise DemandError(
                f"Attributes not found in the products: {', '.join(missing)}; "
                f"the columns are {', '.join(frame.columns)}."
            )
        columns: list[AttributeColumn] = []
        levels: dict[str, tuple[str, ...]] = {}
        notes: list[str] = []
        for name in asked:
            found = _number_column(name, frame[name]) if _is_number(frame[name]) else _level_columns(name, frame[name])
            if not found and attributes is not None:
                notes.append(f"Attribute '{name}' is the same for all products, or different for each: not used.")
            columns += found
            notes += _unknown(name, frame) if found else []
            if found and found[0].level is not None:
                levels[name] = tuple(sorted(set(text_of(frame[name]).dropna())))
        if not columns:
            levels = {_ITSELF: tuple(products.ids)}
            columns = [AttributeColumn(_ITSELF, product, 1.0 / len(frame), 1.0) for product in products.ids]
            notes.append("No attribute tells products apart: each product is its own, and a new one counts as average.")
        return cls(tuple(columns), levels, tuple(notes))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, as they are printed."""
        return tuple(column.name for column in self.columns)

    @property
    def kind(self) -> Ints:
        """(Q,), to which attribute each column belongs, counted from 0."""
        first = {name: k for k, name in enumerate(dict.fromkeys(column.attribute for column in self.columns))}
        return np.array([first[column.attribute] for column in self.columns], dtype=np.intp)

    @property
    def each_its_own(self) -> bool:
        """Whether no attribute tells products apart, so that each is its own."""
        return _ITSELF in self.levels

    def encode(self, products: Products) -> Floats:
        """Return the (N, Q) rows of these products.

        Raises
        ------
        DemandError
            The products lack an attribute of the fit.
        """
        frame = products.frame
        missing = sorted({column.attribute for column in self.columns} - set(frame.columns))
        if missing:
            raise DemandError(f"The products lack the attributes that the model was fitted on: {', '.join(missing)}.")
        return np.column_stack([self._encode(frame, column) for column in self.columns])

    def groups(self, products: Products) -> dict[str, Ints]:
        """Return, by attribute, (N,) numbers that products with the same value share; -1 where it is not known."""
        names = {column.attribute: None for column in self.columns if column.attribute != _ITSELF}
        return {name: np.asarray(pd.factorize(text_of(products.frame[name]))[0], dtype=np.intp) for name in names}

    def unseen(self, products: Products) -> tuple[str, ...]:
        """Return the levels of these products that the fit has not seen, as ``brand: new``."""
        return tuple(
            f"{name}: {level}"
            for name, known in self.levels.items()
            if name != _ITSELF
            for level in sorted(set(text_of(products.frame[name]).dropna()) - set(known))
        )

    def _encode(self, frame: pd.DataFrame, column: AttributeColumn) -> Floats:
        if column.level is None:
            values = pd.to_numeric(frame[column.attribute]).to_numpy(np.float64, na_value=np.nan)
            return np.nan_to_num((values - column.centre) / column.scale, nan=0.0)
        text = text_of(frame[column.attribute])
        known = text.isin(self.levels[column.attribute]).to_numpy(np.bool_)
        is_level = (text == column.level).to_numpy(np.bool_, na_value=False)
        return np.where(known, (is_level - column.centre) / column.scale, 0.0)


def _unknown(name: str, frame: pd.DataFrame) -> list[str]:
    """What to say of products whose attribute is not known."""
    values = frame[name]
    if _is_number(values):
        lacks = ~np.isfinite(pd.to_numeric(values).to_numpy(np.float64, na_value=np.nan))
    else:
        lacks = text_of(values).isna().to_numpy(np.bool_)
    if not lacks.any():
        return []
    return [f"Attribute '{name}' is not known for {listed(frame[_ITSELF][lacks])}: there it counts as average."]


def _is_number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))


def text_of(values: pd.Series) -> pd.Series:
    """Return text without the spaces around it; what is empty is missing."""
    text: pd.Series = values.astype("string").str.strip()
    return text.mask(text == "")


def _number_column(name: str, values: pd.Series) -> list[AttributeColumn]:
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    known = numbers[np.isfinite(numbers)]
    spread = float(known.std()) if known.size else 0.0
    if spread <= 1e-9 * max(1.0, float(np.abs(known).max(initial=0.0))):
        return []
    return [AttributeColumn(name, None, float(known.mean()), spread)]


def _level_columns(name: str, values: pd.Series) -> list[AttributeColumn]:
    text = text_of(values)
    shares = text.dropna().value_counts(normalize=True).sort_index()
    if len(shares) < 2 or len(shares) == len(text):
        return []
    # Two levels mirror each other: the second alone says all.
    kept = shares.index[1:] if len(shares) == 2 else shares.index
    return [AttributeColumn(name, str(level), float(shares[level]), 1.0) for level in kept]
