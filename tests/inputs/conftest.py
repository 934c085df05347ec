"""Fixtures of the inputs: a chain in files, its polygons, a planner's products, and a way to collect faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from corner_world import Corner, blocks

from assortment.errors import Fault, InputError


@pytest.fixture
def corner(tmp_path: Path) -> Corner:
    """The chain, not yet written."""
    return Corner(tmp_path)


@pytest.fixture
def squares() -> gpd.GeoDataFrame:
    """The polygons of the chain."""
    return blocks()


@pytest.fixture
def milk() -> pd.DataFrame:
    """Three products as a planner would have them."""
    return pd.DataFrame(
        {"product_id": [7, 8, 9], "price": [2.5, 2.4, 3.1], "unit_cost": [1.5, 1.4, 2.0], "width_cm": [10, 10, 9]}
    )


@pytest.fixture
def faults_of() -> Callable[..., tuple[Fault, ...]]:
    """Call something that must fail, and give the faults."""

    def call(function: Callable[..., object], *args: object, **kwargs: object) -> tuple[Fault, ...]:
        with pytest.raises(InputError) as caught:
            function(*args, **kwargs)
        return caught.value.faults

    return call
