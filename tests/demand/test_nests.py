"""Nests: found where products of a kind share buyers, left out where they do not, and kept in the model's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nested_worlds import KINDS, NestedWorld, nested_world

from assortment.demand import ChoiceModel, Demand, fit_demand
from assortment.errors import DemandError
from assortment.inputs import Products


def fitted(world: NestedWorld, **how: Any) -> ChoiceModel:
    return fit_demand(
        world.sales,
        world.products,
        world.profiles,
        offered=world.offered,
        today=world.listing,
        demographics=["income"],
        shelves=pd.DataFrame({"store_id": world.stores.ids, "occasions_per_week": 3000.0}),
        **{"classes": 1, **how},
    )


def diversion_error(world: NestedWorld, demand: Demand) -> float:
    """Mean over the products of the stores of half the absolute error of where their sales go."""
    assert demand.today is not None
    errors = []
    for n, product in enumerate(demand.product_ids):
        true = world.diversion(demand.today, n)
        for s, store in enumerate(demand.store_ids):
            if demand.today[s, n]:
                found = demand.transfer(product, store).set_index("product_id")["share"]
                goes = pd.Series([*true[s], 1.0 - true[s].sum()], index=[*demand.product_ids, "no purchase"])
                errors.append(0.5 * found.sub(goes, fill_value=0.0).abs().sum())
    return float(np.mean(errors))


@pytest.fixture(scope="module")
def world() -> NestedWorld:
    return nested_world(0.6)


@pytest.fixture(scope="module")
def model(world: NestedWorld) -> ChoiceModel:
    return fitted(world)


def test_nests_of_the_truth_are_found_and_improve_where_sales_go(world: NestedWorld, model: ChoiceModel) -> None:
    """Kind, not size; a class per kind; diversion at most half as wrong as without nests."""
    assert model.tastes.nests is not None
    assert (model.tastes.nests.attribute, model.tastes.nests.levels) == ("kind", KINDS)
    assert [name.split(" (")[0] for name in model.class_names] == ["any kind", *(f"set on kind {k}" for k in KINDS)]
    nested, plain = model.predict(world.stores, world.products, world.profiles), fitted(world, nests=False)
    assert plain.class_names == ("all shoppers",)
    alike = plain.predict(world.stores, world.products, world.profiles)
    assert diversion_error(world, nested) < 0.5 * diversion_error(world, alike)


def test_a_plain_logit_has_no_nests() -> None:
    """Dissimilarity 1: the trial does not pay, and the summary says what was tried."""
    model = fitted(nested_world(1.0))
    assert model.tastes.nests is None and len(model.class_names) == 1
    (trial,) = model.class_trials
    assert not trial.pays and trial.sentence in model.summary()


def test_what_shares_say_follows_from_the_classes_of_predict(world: NestedWorld, model: ChoiceModel) -> None:
    """Among purchases at regular prices, each class buying as often as it finds something: the same, to 1e-9."""
    demand = model.predict(world.stores, world.products, world.profiles)
    assert demand.today is not None
    offers = world.listing.assign(week=26)
    there = demand.attraction * demand.today[:, None]
    # In the fit buying nothing is worth 1; here it is what the known occasions ask for.
    chosen = np.einsum("sk,skn->sn", demand.class_weight / (1.0 + there.sum(axis=2)), there)
    chosen /= chosen.sum(axis=1, keepdims=True)
    s = pd.Index(demand.store_ids).get_indexer(offers["store_id"])
    n = pd.Index(demand.product_ids).get_indexer(offers["product_id"])
    assert model.shares(offers, world.profiles).to_numpy() == pytest.approx(chosen[s, n], abs=1e-9)


def test_a_new_product_belongs_to_the_nest_of_its_level(world: NestedWorld, model: ChoiceModel) -> None:
    """Those who are set on plant value a new plant product, and nobody a kind that was never seen."""
    frame = world.products.frame
    new = frame.iloc[[4, 4]].assign(product_id=["new", "odd"], kind=["plant", "hemp"])
    products = Products.from_frame(pd.concat([frame, new], ignore_index=True))
    demand = model.predict(world.stores, products, world.profiles)
    plant = model.class_names.index(next(name for name in model.class_names if name.startswith("set on kind plant")))
    bonus = np.log(demand.attraction[:, plant] / demand.attraction[:, 0])
    assert bonus[:, -2] == pytest.approx(bonus[:, 4], abs=1e-9)
    assert bonus[:, -1] == pytest.approx(bonus[:, 0], abs=1e-9)
    assert bonus[0, -2] > bonus[0, -1] + 0.5


def test_occasions_that_are_known_say_how_many_walk_away(world: NestedWorld, model: ChoiceModel) -> None:
    """Of 3,000 occasions as many end without a purchase as in the truth, within two hundredths."""
    demand = model.predict(world.stores, world.products, world.profiles)
    assert demand.today is not None
    bought = demand.units().sum(axis=1) / 3000.0
    assert bought.mean() == pytest.approx(world.shares(demand.today).sum(axis=1).mean(), abs=0.02)


def test_nests_can_be_asked_for_by_name(world: NestedWorld) -> None:
    """The attribute given is used without a test; one that cannot be nests is refused with those that can."""
    model = fitted(world, nests="size")
    assert model.tastes.nests is not None and model.tastes.nests.attribute == "size"
    with pytest.raises(DemandError, match=r"nests = 'brand'.*here these are kind, size"):
        fitted(world, nests="brand")


def test_the_file_keeps_the_nests(world: NestedWorld, model: ChoiceModel, tmp_path: Path) -> None:
    """A model that was saved predicts the same, to the last bit."""
    again = ChoiceModel.load(model.save(tmp_path / "milk.model"))
    assert again.tastes.nests == model.tastes.nests
    one, other = (found.predict(world.stores, world.products, world.profiles) for found in (model, again))
    assert (one.attraction == other.attraction).all() and (one.no_purchase == other.no_purchase).all()


def test_the_table_tells_what_loyalty_is_worth(model: ChoiceModel) -> None:
    """A line per nest with errors; loyalty is above zero by several of them."""
    table = model.coefficients.set_index("term")
    rows = table.loc[[f"set on kind {kind}: worth more" for kind in KINDS]]
    assert (rows["value"] > 2.0 * rows["standard_error"]).all()
    assert np.isfinite(rows[["standard_error", "standard_error_unclustered"]].to_numpy()).all()


def test_in_a_large_record_they_are_sought_only_where_asked_for(
    world: NestedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More distinct offers than a search bears: one class, and a note that says what to do; by name they are fitted."""
    monkeypatch.setattr("assortment.demand.fitting.classes._MOST_CELLS", 100)
    model = fitted(world, classes=None)
    assert model.class_names == ("all shoppers",)
    assert sum("ask for it by `classes` or `nests`" in note for note in model.notes) == 2
    assert fitted(world, nests="kind").tastes.nests is not None
