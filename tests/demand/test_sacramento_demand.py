"""The embedded chain: preferences that hold up on stores never seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assortment.demand import ChoiceModel, Demand, calibrate, fit_demand
from assortment.geo import store_profiles, trade_areas
from assortment.inputs import Chain, read_chain

SACRAMENTO = Path(__file__).parents[2] / "data" / "sacramento"
pytestmark = pytest.mark.skipif(not (SACRAMENTO / "sales.parquet").exists(), reason="data/sacramento is not there")
Estimated = tuple[Chain, ChoiceModel, Demand, pd.DataFrame]


@pytest.fixture(scope="module")
def estimated(tmp_path_factory: pytest.TempPathFactory) -> Estimated:
    """Fitted on a copy of the folder without what only the simulator knows."""
    folder = tmp_path_factory.mktemp("chain") / "sacramento"
    shutil.copytree(SACRAMENTO, folder, ignore=shutil.ignore_patterns("truth"))
    chain = read_chain(folder).of("milk")
    areas = trade_areas(
        chain.stores, chain.neighbourhoods, method="huff", attractiveness="size_m2", distance_floor_m=1000.0
    )
    profiles = store_profiles(areas, chain.neighbourhoods)
    demographics = [
        "median_income",
        *(f"{group} / people" for group in ("under_16", "over_65", "asian", "hispanic", "black")),
    ]
    model = fit_demand(
        chain.sales,
        chain.products,
        profiles,
        offered=chain.offered,
        shelves=chain.shelves,
        today=chain.listing,
        demographics=demographics,
        classes=1,  # as the scenario: looking for more kinds takes long and finds none
    )
    demand = model.predict(chain.stores, chain.products, profiles, listing=chain.listing)
    return chain, model, demand, calibrate(model, demand, chain.sales)


def test_preferences_hold_up_on_stores_never_seen(estimated: Estimated) -> None:
    """Demographics beat the chain average by many standard errors, milk of a type shares buyers; half of the totals
    are within 10 %.

    One test, as the fit is the costly part: products are within 35 % of the units, price and promotion have the right
    sign, every store and product has a forecast, also one never sold, which is named.
    """
    chain, model, demand, table = estimated
    assert model.evidence.demographics_help and model.evidence.gain > 3 * model.evidence.standard_error
    assert table["total_error"].abs().median() < 0.10
    assert table["product_error"].median() < 0.35
    values = model.coefficients.set_index("term")["value"]
    assert values["log price"] < -1 and values["promotion"] > 0
    assert model.tastes.nests is not None and model.tastes.nests.attribute == "type"
    assert demand.attraction.shape == (len(chain.stores.ids), 8, len(chain.products.ids))
    assert np.isfinite(demand.attraction).all() and (demand.attraction > 0).all()
    assert any("Never sold" in note for note in model.notes)
    assert demand.weight_source == "occasions" and 0.0 < demand.walk_away < 0.5
