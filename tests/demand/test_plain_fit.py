"""Maximum likelihood without a prior: what it finds, and what it says when the data does not identify it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from demand_worlds import EFFECT, FLYER, PRICE, World

from assortment.demand import fit_demand
from assortment.errors import AssortmentWarning, DemandError
from assortment.inputs import Sales


def test_coefficients_are_those_of_the_world(world: World) -> None:
    """Price and flyer lie within four standard errors, constants are against the first product, with both errors."""
    model = fit_demand(
        world.sales, world.products, world.profiles, offered=world.offered, demographics=list(EFFECT), prior=None
    )
    table = model.coefficients.set_index("term")
    for term, truth in (("log price", PRICE), ("flyer", FLYER)):
        assert abs(table.loc[term, "value"] - truth) < 4 * table.loc[term, "standard_error_unclustered"]
    assert list(model.coefficients.columns) == ["term", "value", "standard_error", "standard_error_unclustered"]
    assert table.loc["product: 000"].to_list() == [0.0, 0.0, 0.0]
    assert not model.tastes.parts.store.any() and not model.tastes.parts.week.any()
    assert not any("×" in term and "product: " not in term for term in table.index)
    # Purchases are independent in this world, so clustering changes little.
    ratio = table["standard_error"] / table["standard_error_unclustered"]
    assert ratio[["log price", "flyer"]].between(0.6, 1.6).all()


def test_the_score_is_zero_at_the_optimum(small: World) -> None:
    """Expected units by product are the actual ones: the first-order condition of every constant."""
    model = fit_demand(small.sales, small.products, small.profiles, demographics=[], prior=None)
    frame = small.sales.frame
    shares = model.shares(frame.drop(columns="units"), small.profiles)
    total = frame.groupby(["week", "store_id"])["units"].transform("sum")
    expected = (shares * total).groupby(frame["product_id"]).sum()
    assert expected.to_numpy() == pytest.approx(frame.groupby("product_id")["units"].sum().to_numpy(), rel=1e-4)


def test_prices_are_taken_as_they_are(small: World) -> None:
    """Without a prior a price far off the others counts as it stands: the score in log price is zero with it."""
    frame = small.sales.frame.copy()
    frame.loc[frame.index[7], "price"] *= 30.0
    sales = Sales.from_frame(frame, promotion=["flyer"])
    model = fit_demand(sales, small.products, small.profiles, demographics=[], prior=None)
    assert not any("off the median" in note for note in model.notes)
    total = frame.groupby(["week", "store_id"])["units"].transform("sum")
    surprise = frame["units"] - model.shares(frame.drop(columns="units"), small.profiles) * total
    log_price = np.log(frame["price"])
    assert abs(surprise @ log_price) < 1e-3 * np.sqrt(frame["units"] @ log_price**2)
    with pytest.warns(AssortmentWarning, match="off the median"):
        fit_demand(sales, small.products, small.profiles, demographics=[])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(units=f["units"].where(f["product_id"] != "003", 0)), "Never sold: 003"),
        (lambda f: f.assign(leaflet=2.0 * f["flyer"]), "cannot tell apart: flyer, leaflet"),
        (lambda f: f.assign(leaflet=(f["product_id"] == "002").astype(float)), "product: 002, leaflet"),
    ],
    ids=["never sold", "twice the same", "a column that is a product"],
)
def test_what_is_not_identified_is_named(small: World, change: object, message: str) -> None:
    """Without a prior there is no estimate: refused, and the columns or products are named."""
    frame = change(small.sales.frame)  # type: ignore[operator]
    sales = Sales.from_frame(frame, promotion=[name for name in ("flyer", "leaflet") if name in frame])
    with pytest.raises(DemandError, match=message):
        fit_demand(sales, small.products, small.profiles, demographics=[], prior=None)


def test_perfect_separation_is_warned_of(small: World) -> None:
    """A flyer under which nothing is ever sold has no bound: named; with a prior there is a value."""
    frame = small.sales.frame.copy()
    frame.loc[frame["flyer"] == 1, "units"] = 0
    sales = Sales.from_frame(frame, promotion=["flyer"])
    with pytest.warns(AssortmentWarning, match="Perfect separation: flyer grow"):
        model = fit_demand(sales, small.products, small.profiles, demographics=[], prior=None)
    assert any("Perfect separation: flyer" in note for note in model.notes)
    with_prior = fit_demand(sales, small.products, small.profiles, demographics=[])
    assert np.isfinite(with_prior.coefficients["value"]).all()


def test_baskets_have_no_plain_fit(small: World) -> None:
    """Segments are shrunk towards each other: without a prior they are refused."""
    baskets = pd.DataFrame({"household_id": ["a", "b"], "product_id": ["000", "001"], "units": [1, 2], "week": [0, 1]})
    households = pd.DataFrame({"household_id": ["a", "b"], "band": ["x", "y"]})
    with pytest.raises(DemandError, match="prior=None"):
        fit_demand(
            None,
            small.products,
            small.profiles,
            baskets=baskets,
            households=households,
            segment="band",
            segments={"x": "people", "y": "old"},
            prior=None,
        )
