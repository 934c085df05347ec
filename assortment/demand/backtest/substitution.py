"""Do shares after a listing change follow the forecast, or do similar products share buyers more than it says?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from assortment.demand.arrays import Floats, Ints
from assortment.demand.backtest.listing_moves import Losses, listing_moves
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood

COLUMNS = {
    "attribute": "str",
    "comparisons": "int64",
    "stores": "int64",
    "loss_to_similar": "float64",
    "standard_error": "float64",
    "loss_to_others": "float64",
    "standard_error_others": "float64",
    "p_value": "float64",
    "differs": "bool",
}
LEAST_STORES = 5
"""With fewer stores that changed their listing, nothing is tested."""
_LEVEL = 0.01
_NOTABLE = 0.1
_SINGULAR = 1e-9


def untested() -> pd.DataFrame:
    """Return the table of a test that could not be made."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})


def substitution(
    likelihood: Likelihood, parts: Coefficients, groups: Mapping[str, Ints], *, overdispersion: float
) -> pd.DataFrame:
    """Test the forecast of who loses when a product is added, attribute by attribute.

    For each change of a store's listing, the share that products of one value of the attribute (all organic ones) lost
    is compared with the forecast. Actual losses are regressed on the losses forecast to new products of the same value
    and to new products of other values, each change weighed by what it can tell; both coefficients are 1 where shoppers
    are as the model says. Errors are those of the jackknife over stores.

    Parameters
    ----------
    likelihood
        Of a state per store and week, in the order of stores and weeks.
    parts
        What was fitted.
    groups
        By attribute, (N,) numbers that products with the same value share; -1 where it is not known.
    overdispersion
        Variance that purchases of a store and week share.

    Returns
    -------
    pandas.DataFrame
        attribute; comparisons (of a change and a value of the attribute) and stores that tell of it; loss_to_similar,
        what products lost to new ones that share the attribute, as a multiple of the forecast, and loss_to_others, to
        those that do not, with their standard errors clustered by store; p_value of no difference between the two;
        differs, whether they do by more than a tenth and more than chance (1 % over all attributes). No row where
        nothing can be told.
    """
    pieces: dict[str, list[Losses]] = {name: [] for name in groups}
    for moves in listing_moves(likelihood, parts):
        for name, group in groups.items():
            pieces[name].append(Losses.of(moves, group, overdispersion=overdispersion))
    rows = [row for name, found in pieces.items() if found and (row := _row(name, Losses.together(found))) is not None]
    if not rows:
        return untested()
    table = pd.DataFrame(rows)
    apart = (table["loss_to_similar"] - table["loss_to_others"]).abs() > _NOTABLE
    return table.assign(differs=apart & (table["p_value"] < _LEVEL / len(table))).astype(COLUMNS)


def _row(name: str, losses: Losses) -> dict[str, object] | None:
    """The row of an attribute, or ``None`` where the changes cannot tell."""
    tells = losses.to_similar != 0
    stores = len(np.unique(losses.store[tells]))
    if stores < LEAST_STORES:
        return None
    names, place = np.unique(losses.store, return_inverse=True)
    x = np.stack([losses.to_similar, losses.to_others]) / np.sqrt(losses.variance)
    y = losses.actual / np.sqrt(losses.variance)
    squares, products = np.zeros((len(names), 2, 2)), np.zeros((len(names), 2))
    np.add.at(squares, place, np.einsum("ix,jx->xij", x, x))
    np.add.at(products, place, (x * y).T)
    found = _jackknife(squares, products)
    if found is None:
        return None
    (similar, others), covariance = found
    gap = np.array([1.0, -1.0])
    error = np.sqrt(max(float(gap @ covariance @ gap), 1e-300))
    return {
        "attribute": name,
        "comparisons": int(tells.sum()),
        "stores": stores,
        "loss_to_similar": similar,
        "standard_error": np.sqrt(covariance[0, 0]),
        "loss_to_others": others,
        "standard_error_others": np.sqrt(covariance[1, 1]),
        "p_value": 2.0 * student.sf(abs(similar - others) / error, stores - 1),
    }


def _jackknife(squares: Floats, products: Floats) -> tuple[Floats, Floats] | None:
    """The coefficients and their covariance, each of the G stores left out in turn; ``None`` where one is not known."""
    G = len(squares)
    total, without = squares.sum(axis=0), squares.sum(axis=0) - squares
    for square in (total[None], without):
        if (np.linalg.det(square) < _SINGULAR * square[:, 0, 0] * square[:, 1, 1] + 1e-300).any():
            return None
    value = np.linalg.solve(total, products.sum(axis=0))
    left_out = np.linalg.solve(without, (products.sum(axis=0) - products)[:, :, None])[:, :, 0] - value
    covariance: Floats = (G - 1) / G * left_out.T @ left_out
    return value, covariance


def findings_on_substitution(table: pd.DataFrame) -> tuple[str, ...]:
    """Return a sentence for each attribute whose products share buyers otherwise than the model says."""
    return tuple(_sentence(row) for row in table[table["differs"]].to_dict("records"))


def substitution_in_words(table: pd.DataFrame) -> str:
    """Return what the test found where nothing is to be reported: that all went as forecast, or was not tested."""
    if table.empty:
        return (
            "Whether sales move between products as forecast was not tested: too few stores changed what they list "
            "among products that share an attribute."
        )
    alike = table[~table["differs"]].to_dict("records")
    if not alike:
        return ""
    figures = "; ".join(f"{_spoken(row)} {_figures(row)}" for row in alike)
    return (
        "After listings changed, sales moved between products that share an attribute as forecast, so far as this "
        f"record can tell ({figures})."
    )


def _sentence(row: Mapping[Hashable, Any]) -> str:
    closer = row["loss_to_similar"] > row["loss_to_others"]
    more, much = ("more", "little") if closer else ("less", "much")
    return (
        f"When a product was added, products of the same {_spoken(row)} lost {_figures(row)} as much as forecast, "
        f"others {row['loss_to_others']:.2f} × (± {row['standard_error_others']:.2f}; {row['stores']} stores, "
        f"{row['comparisons']} comparisons): they share buyers {more} than the model says, which makes too {much} of "
        "what they take from each other."
    )


def _spoken(row: Mapping[Hashable, Any]) -> str:
    return str(row["attribute"]).replace("_", " ")


def _figures(row: Mapping[Hashable, Any]) -> str:
    return f"{row['loss_to_similar']:.2f} × (± {row['standard_error']:.2f})"
