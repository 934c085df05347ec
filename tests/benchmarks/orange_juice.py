"""Dominick's refrigerated orange juice: 83 stores, 11 brands, 121 weeks, with who lives around the stores.

The data are those of the R package bayesm (``orangeJuice``: prices, units, in-store coupons, feature advertisements and
eleven demographics; Montgomery 1997, Marketing Science 16: 315-337). They are fetched by the package manager (Debian's
``r-cran-bayesm``), unpacked into the user's cache and read with the package rdata; nothing of them is kept here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales, Stores

PACKAGE = "r-cran-bayesm"
INSIDE = "usr/lib/R/site-library/bayesm/data/orangeJuice.rda"
PROMOTION = ("deal", "feat")
DEMOGRAPHICS = (
    "AGE60", "EDUC", "ETHNIC", "INCOME", "HHLARGE", "WORKWOM", "HVAL150", "SSTRDIST", "SSTRVOL", "CPDIST5", "CPWVOL5",
)  # fmt: skip
BRANDS = (  # family, premium, ounces: what the documentation of bayesm says of them; Dominick's is the chain itself
    ("Tropicana", "yes", 64),
    ("Tropicana", "yes", 96),
    ("Florida's Natural", "no", 64),
    ("Tropicana", "no", 64),
    ("Minute Maid", "no", 64),
    ("Minute Maid", "no", 96),
    ("Citrus Hill", "no", 64),
    ("Tree Fresh", "no", 64),
    ("Florida Gold", "no", 64),
    ("Dominicks", "no", 64),
    ("Dominicks", "no", 128),
)


class NotThereError(Exception):
    """The data cannot be had on this machine; the message says why, and what would help."""


@dataclass(frozen=True)
class OrangeJuice:
    """The chain as the package wants it, and the same as arrays (T store-weeks, S stores, N = 11 brands).

    Parameters
    ----------
    products, stores, profiles
        What ``fit_demand`` and ``predict`` take. Where the stores are is not known: all are given one place.
    rows
        Long frame store_id, week, product_id, units (packages), price (dollars a package), deal, feat; store-week by
        store-week, each with all the brands in the order of ``products``.
    store
        (T,), position in ``stores.ids``.
    week
        (T,).
    units
        (T, N).
    """

    products: Products
    stores: Stores
    profiles: StoreProfiles
    rows: pd.DataFrame
    store: np.ndarray
    week: np.ndarray
    units: np.ndarray

    def offers(self, states: np.ndarray) -> pd.DataFrame:
        """Return the rows of the store-weeks of a mask (T,)."""
        return self.rows[np.repeat(states, self.units.shape[1])]

    def sales(self, states: np.ndarray, *, units: np.ndarray | None = None, hidden: np.ndarray | None = None) -> Sales:
        """Return the sales of the store-weeks of a mask (T,).

        Parameters
        ----------
        states
            (T,) of bool.
        units
            (T, N), others than the real ones.
        hidden
            (S, N) of bool, brands that these stores are taken not to have offered.
        """
        rows = self.rows if units is None else self.rows.assign(units=units.ravel())
        kept = np.repeat(states, self.units.shape[1])
        if hidden is not None:
            kept &= ~hidden[self.store].ravel()
        return Sales.from_frame(rows[kept], promotion=PROMOTION)


@cache
def orange_juice() -> OrangeJuice:
    """Return the data, fetched the first time.

    Raises
    ------
    NotThereError
        No rdata, no Debian package manager, or no package.
    """
    try:
        import rdata  # noqa: PLC0415
    except ImportError:
        raise NotThereError("the package rdata is not installed: pip install '.[references]'") from None
    data = rdata.read_rda(fetched())["orangeJuice"]
    return _laid_out(data["yx"].astype(np.float64), data["storedemo"].astype(np.float64))


def fetched() -> Path:
    """Return the file, fetched by the package manager into the user's cache where it is not there yet.

    Raises
    ------
    NotThereError
        No Debian package manager, or no package.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "assortment" / PACKAGE
    for file in (home / INSIDE, Path("/") / INSIDE):
        if file.exists():
            return file
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise NotThereError(f"no Debian package manager here; put {INSIDE} of the package {PACKAGE} under {home}")
    home.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", PACKAGE], cwd=home, check=True, capture_output=True, timeout=120)
        (archive, *_) = sorted(home.glob(f"{PACKAGE}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=home, check=True, capture_output=True, timeout=60)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise NotThereError(f"apt-get could not fetch {PACKAGE} ({error}); try apt-get update") from None
    return home / INSIDE


def _laid_out(moves: pd.DataFrame, around: pd.DataFrame) -> OrangeJuice:
    moves = moves.sort_values(["store", "week", "brand"], ignore_index=True)
    brand, ounces = moves["brand"].astype(int) - 1, np.array([size for *_, size in BRANDS], dtype=np.float64)
    prices = moves[[f"price{number}" for number in range(1, len(BRANDS) + 1)]].to_numpy()
    price = prices[np.arange(len(moves)), brand] * ounces[brand]
    rows = pd.DataFrame(
        {
            "store_id": moves["store"].astype(int).astype(str),
            "week": moves["week"].astype(int),
            "product_id": [f"{number + 1:02d}" for number in brand],
            "units": np.round(np.exp(moves["logmove"]) / ounces[brand]),  # logmove is the log of ounces
            "price": price,
            "deal": moves["deal"],
            "feat": moves["feat"],
        }
    )
    units = rows["units"].to_numpy().reshape(-1, len(BRANDS))
    first = rows.iloc[:: len(BRANDS)]
    around = around.assign(store_id=around["STORE"].astype(int).astype(str)).drop(columns="STORE")
    ids = list(around["store_id"])
    cost = pd.Series(price * (1.0 - moves["profit"] / 100.0)).groupby(rows["product_id"]).median().to_numpy()
    return OrangeJuice(
        products=_products(rows.groupby("product_id")["price"].median().to_numpy(), cost),
        stores=Stores.from_frame(pd.DataFrame({"store_id": ids, "longitude": -87.6, "latitude": 41.9})),
        profiles=StoreProfiles.from_frame(around.set_index("store_id")),
        rows=rows,
        store=pd.Index(ids).get_indexer(first["store_id"]),
        week=first["week"].to_numpy(),
        units=units,
    )


def _products(price: np.ndarray, cost: np.ndarray) -> Products:
    """The brands with their facts; the width of a package is not known, and stands for nothing here."""
    frame = pd.DataFrame(BRANDS, columns=["brand", "premium", "ounces"]).assign(
        product_id=[f"{number + 1:02d}" for number in range(len(BRANDS))],
        category="orange juice",
        price=price,
        unit_cost=cost,
        width_cm=10.0,
    )
    premium = np.where(frame["premium"] == "yes", " Premium ", " ")
    frame["name"] = frame["brand"] + premium + frame["ounces"].astype(str) + " oz"
    return Products.from_frame(frame)
