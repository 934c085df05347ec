"""Small worlds that several tests of the optimiser share."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from assortment.optimiser import Costs, Group, Problem, Rules

# The instance generator of the benchmarks serves one test here too.
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

DELIVERY = {"delivery": np.array([[0.75, 0.5], [0.0, 0.25]]), "supplier_of": np.array([0, 1, -1])}


@pytest.fixture
def corner() -> Problem:
    """Two stores, two classes, three products, every rule on; names with odd characters."""
    return Problem(
        attraction=np.array([[[1.0, 2.0, 0.5], [0.5, 0.0, 3.0]], [[2.0, 1.0, 1.0], [1.0, 1.0, 0.2]]]),
        class_weight=np.array([[10.0, 5.0], [4.0, 20.0]]),
        no_purchase=np.array([[1.0, 2.0], [1.0, 0.5]]),
        margin=np.array([1.0, 2.0, 1.5]),
        price=np.array([3.0, 4.0, 2.0]),
        space_cm=np.array([10.0, 12.5, 8.0]),
        shelf_cm=np.array([20.0, 31.0]),
        rules=Rules(
            core_min=1,
            core_max=2,
            products_max=3,
            local_products_max=2,
            local_min_stores=2,
            local_per_store=(0, 2),
            local_share=(0.25, 0.75),
            groups=[Group("type: w h/ole", np.array([True, True, False]), least=1, most=2)],
            allowed=np.array([[True, True, True], [True, False, True]]),
            required=np.array([[False, False, False], [True, False, False]]),
            today=np.array([[True, False, False], [True, False, True]]),
            changes_max=np.array([2, 1]),
            assortments_max=2,
        ),
        costs=Costs(listing=0.25, product=0.5, local_product=np.array([0.1, 0.2, 0.3]), **DELIVERY),
        store_ids=("007", "s p-a/ce [1]"),
        product_ids=("00+1", "=x>y", "Milch & Honig"),
        class_names=("young", "old"),
    )
