"""Small named worlds that more than one test uses."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import duckdb
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parent.parent
SACRAMENTO = ROOT / "data" / "sacramento"
EIGHT_STORES = ("S01", "S05", "S09", "S14", "S20", "S26", "S31", "S38")
FEW_WEEKS = "DATE '2025-03-01'"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the example chain: one run serves its tests if one worker has them all, and they take longest."""
    items.sort(key=lambda item: item.path.name != "test_milk.py")


@pytest.fixture(scope="session")
def simulator() -> ModuleType:
    """The script that made the example chain: it knows the true tastes, which no stage may read."""
    spec = importlib.util.spec_from_file_location("make_sacramento", ROOT / "data" / "make_sacramento.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def eight_stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario and the part of the Sacramento chain that eight stores and four months make. Not to be changed."""
    home = tmp_path_factory.mktemp("a chain with a space") / "eight"
    chain = home / "chain"
    shutil.copytree(SACRAMENTO, chain, ignore=shutil.ignore_patterns("truth"))
    for table in ("stores", "shelves", "listing", "locks"):
        frame = pd.read_csv(chain / f"{table}.csv", dtype=str)
        frame[frame["store_id"].isin(EIGHT_STORES)].to_csv(chain / f"{table}.csv", index=False)
    suppliers = pd.read_csv(chain / "suppliers.csv", dtype=str).assign(minimum_stores="")
    suppliers.to_csv(chain / "suppliers.csv", index=False)
    _keep(chain / "sales.parquet", f"week >= {FEW_WEEKS}")
    _keep(chain / "offered.parquet", f"to_week >= {FEW_WEEKS}")
    (home / "milk.toml").write_text(
        """
title = "Milk in eight stores"
chain = "chain"
category = "milk"

[trade_area]
attractiveness = "size_m2"
distance_floor_m = 1000.0

[demand]
demographics = ["median_income", "over_65 / people"]

[rules]
core_min = 6
core_max = 8
local_min_stores = 2
changes_max = 14
groups = [{ attribute = "type", least = 1 }]

[solve]
gap = 0.005
workers = 1
""",
        encoding="utf-8",
    )
    return home


def _keep(file: Path, condition: str) -> None:
    stores = ", ".join(f"'{store}'" for store in EIGHT_STORES)
    kept = file.with_suffix(".kept")
    duckdb.sql(
        f"COPY (SELECT * FROM '{file}' WHERE store_id IN ({stores}) AND {condition}) TO '{kept}' (FORMAT parquet)"
    )
    kept.replace(file)


@pytest.fixture
def damaged(eight_stores: Path, tmp_path: Path) -> Callable[..., Path]:
    """Copy the eight stores and damage one table: ``damaged("products", lambda frame: …)`` gives the scenario file."""

    def damage(table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
        home = tmp_path / "damaged"
        shutil.copytree(eight_stores, home)
        file = home / "chain" / f"{table}.csv"
        change(pd.read_csv(file, dtype=str)).to_csv(file, index=False)
        return home / "milk.toml"

    return damage
