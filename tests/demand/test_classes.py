"""Latent classes of shoppers: the likelihood of a mixture, and how many classes are found."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mixture_worlds import DEMOGRAPHICS, ThreeKinds, random_choices, three_kinds

from assortment.demand import ChoiceModel, calibrate, fit_demand
from assortment.demand.fitting.classes import Trial, class_shares, collapsed
from assortment.demand.fitting.estimate import Coordinates
from assortment.demand.fitting.precision import Precision
from assortment.demand.fitting.shrinkage import Shrunken
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.layout import CLASSES, GIVEN, PARTS, Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.mixture import MixtureLikelihood
from assortment.demand.likelihood.mixture_curvature import curvature_of
from assortment.demand.prior import Prior
from assortment.errors import DemandError

FREE = tuple(name for name in PARTS if name != GIVEN)


def fitted(world: ThreeKinds, **how: Any) -> ChoiceModel:
    return fit_demand(
        world.sales, world.products, world.profiles, offered=world.offered, demographics=DEMOGRAPHICS, **how
    )


@pytest.fixture(scope="module")
def mixture() -> tuple[MixtureLikelihood, np.ndarray]:
    choices, terms = random_choices()
    known = replace(Coefficients.zeros(terms.shapes), class_nothing=np.array([-0.5, 0.3, 1.0]))
    likelihood = MixtureLikelihood(choices, terms, FREE, known=known, overdispersion=0.1)
    return likelihood, np.random.default_rng(1).normal(0.0, 0.4, likelihood.layout.size)


@pytest.fixture(scope="module")
def world() -> ThreeKinds:
    return three_kinds()


@pytest.fixture(scope="module")
def two_classes(world: ThreeKinds) -> ChoiceModel:
    return fitted(world, classes=2)


@pytest.fixture(scope="module")
def model(world: ThreeKinds) -> ChoiceModel:
    return fitted(world)


def test_the_gradient_is_that_of_finite_differences(mixture: tuple[MixtureLikelihood, np.ndarray]) -> None:
    """Every parameter of every part, buying nothing held fixed: within 1e-6 of the largest slope."""
    likelihood, vector = mixture
    step = 1e-5 * np.eye(len(vector))
    slope = [
        (likelihood.value_and_gradient(vector + e)[0] - likelihood.value_and_gradient(vector - e)[0]) / 2e-5
        for e in step
    ]
    gradient = likelihood.value_and_gradient(vector)[1]
    assert np.abs(gradient - slope).max() < 1e-6 * np.abs(gradient).max()


def test_the_curvature_is_the_expected_hessian(mixture: tuple[MixtureLikelihood, np.ndarray]) -> None:
    """Σ units (∂P)(∂P)ᵀ / P by finite differences, and scores that add up to the gradient."""
    likelihood, vector = mixture
    found = curvature_of(likelihood, likelihood.parts(vector), FREE)

    def shares(at: np.ndarray) -> np.ndarray:
        return np.concatenate([part for _, part in likelihood.shares(likelihood.parts(at))]).ravel()

    moved = np.array([(shares(vector + e) - shares(vector - e)) / 2e-5 for e in 1e-5 * np.eye(len(vector))])
    units = np.repeat(likelihood.units * likelihood.weight, likelihood.choices.counts.shape[1])
    now = shares(vector)
    there = now > 0
    hessian = (moved[:, there] * (units / np.where(there, now, 1.0))[there]) @ moved[:, there].T
    assert found.hessian == pytest.approx(hessian[np.ix_(found.positions, found.positions)], abs=1e-5)
    gradient = likelihood.value_and_gradient(vector)[1]
    assert found.scores.sum(axis=0) == pytest.approx(gradient[found.positions], abs=1e-9)


def test_the_coordinates_turn_gradients_as_they_turn_steps(mixture: tuple[MixtureLikelihood, np.ndarray]) -> None:
    """A step changes the value by its product with the turned gradient; a store's effects are related."""
    likelihood, vector = mixture
    rng = np.random.default_rng(2)
    kin = 0.3 * rng.normal(size=(likelihood.terms.shapes["product"][0], 2))
    precision = Precision(np.full(len(vector), 2.0), likelihood.layout.position("store"), kin)
    coordinates = Coordinates.of(likelihood, likelihood.parts(vector), precision)
    step, gradient = rng.normal(size=(2, len(vector)))
    assert coordinates.change(step) @ gradient == pytest.approx(step @ coordinates.gradient(gradient), abs=1e-9)


def test_classes_that_are_equal_are_one_class() -> None:
    """Two classes with the same tastes: value and gradient of the common parameters are those of one class, exactly."""
    choices, terms = random_choices(classes=2)
    two = MixtureLikelihood(choices, terms, FREE, overdispersion=0.1)
    free = tuple(name for name in FREE if name not in CLASSES)
    one = Likelihood(choices, replace(terms, classes=1), free, overdispersion=0.1)
    vector = np.random.default_rng(3).normal(0.0, 0.4, one.layout.size)
    equal = Coefficients(
        **{**vars(Coefficients.zeros(terms.shapes)), **{n: getattr(one.parts(vector), n) for n in free}}
    )
    equal = replace(equal, mix=np.array([1.0, -0.5]))
    value, gradient = two.value_and_gradient(two.layout.join(equal))
    expected, slope = one.value_and_gradient(vector)
    assert value == pytest.approx(expected, rel=1e-12)
    parts, of_one = two.layout.split(gradient), one.layout.split(slope)
    for name in free:
        assert getattr(parts, name) == pytest.approx(getattr(of_one, name), abs=1e-9)


def test_the_order_of_the_classes_does_not_matter(mixture: tuple[MixtureLikelihood, np.ndarray]) -> None:
    """The same classes under other numbers are the same likelihood."""
    likelihood, vector = mixture
    parts = likelihood.parts(vector)
    other = replace(parts, **{name: getattr(parts, name)[[2, 0, 1]] for name in (*CLASSES, GIVEN)})
    turned = MixtureLikelihood(
        likelihood.choices, likelihood.terms, FREE, known=other, overdispersion=0.1
    ).value_and_gradient(likelihood.layout.join(other))[0]
    assert turned == pytest.approx(likelihood.value_and_gradient(vector)[0], rel=1e-12)


def test_each_class_walks_away_as_assumed(mixture: tuple[MixtureLikelihood, np.ndarray]) -> None:
    """On average over the observed offers, weighted by units and shares of the class: 10 % each."""
    likelihood, vector = mixture
    parts = likelihood.with_nothing(likelihood.parts(vector))
    away = 1.0 / (1.0 + np.exp(likelihood.log_sums(parts)))
    weight = likelihood.units[:, None] * likelihood.terms.mix(parts)[likelihood.choices.group]
    assert (weight * away).sum(axis=0) / weight.sum(axis=0) == pytest.approx(0.1, abs=1e-8)


def test_three_kinds_of_shoppers_are_found_without_being_told(world: ThreeKinds, model: ChoiceModel) -> None:
    """The number by the hold-out, and what each class chooses within 0.05; each is named for what it prefers."""
    assert len(model.class_names) == 3
    assert [trial.pays for trial in model.class_trials if isinstance(trial, Trial)] == [True, True, False]
    shares = class_shares(model.tastes.parts, model.tastes.attributes.encode(world.products))
    for truth in world.shares:
        assert 0.5 * np.abs(shares - truth).sum(axis=1).min() < 0.05
    named = {match for name in model.class_names for match in re.findall(r"prefers kind: (\w+)", name)}
    assert named == {"fresh", "plant", "flavoured"}
    share = [int(match) for name in model.class_names for match in re.findall(r"(\d+)%", name)]
    assert share == sorted(share, reverse=True) and sum(share) == pytest.approx(100, abs=2)
    assert "3 latent classes of shoppers forecast unseen stores better than 2 classes" in model.summary()


def test_everything_that_follows_knows_the_classes(world: ThreeKinds, model: ChoiceModel, tmp_path: Path) -> None:
    """Demand by class, shares as in the likelihood, calibration, and the same after a round trip through a file."""
    demand = model.predict(world.stores, world.products, world.profiles)
    assert demand.attraction.shape == (18, 3, 6) and demand.class_names == model.class_names
    week = world.sales.frame[world.sales.frame["week"] == 7]
    shares = model.shares(week[["week", "store_id", "product_id", "price"]], world.profiles)
    total = week.groupby("store_id")["units"].transform("sum")
    assert np.abs(shares - week["units"] / total).mean() < 0.02
    lost = demand.transfer(week["product_id"].iloc[0], "S00")
    assert lost["share"].sum() == pytest.approx(1.0)
    assert set(demand.drivers("0", "S00")["demographic"]) == set(DEMOGRAPHICS)
    table = calibrate(model, demand, world.sales)
    assert (table["product_error"] < 0.1).all()
    again = ChoiceModel.load(model.save(tmp_path / "model.zip"))
    assert again.class_trials == model.class_trials
    assert np.array_equal(again.predict(world.stores, world.products, world.profiles).attraction, demand.attraction)


def test_the_fit_is_the_same_whatever_the_number_of_threads(world: ThreeKinds, two_classes: ChoiceModel) -> None:
    """To the last bit, starts and folds being the same in every run."""
    other = fitted(world, classes=2, workers=2)
    for name in PARTS:
        assert np.array_equal(getattr(two_classes.tastes.parts, name), getattr(other.tastes.parts, name))


def test_the_walk_away_rate_enters_the_fit(world: ThreeKinds, two_classes: ChoiceModel) -> None:
    """With two classes another rate gives other tastes; with one it does not."""
    other = fitted(world, classes=2, walk_away=0.4)
    assert np.abs(two_classes.tastes.parts.class_attribute - other.tastes.parts.class_attribute).max() > 1e-3
    one = [fitted(world, classes=1, nests=False, walk_away=rate).tastes.parts.attribute for rate in (0.1, 0.4)]
    assert np.array_equal(one[0], one[1])


def test_a_class_that_collapsed_is_named(mixture: tuple[MixtureLikelihood, np.ndarray]) -> None:
    """One that nobody belongs to, and two that choose alike."""
    likelihood, vector = mixture
    components = Components.first(Prior(), demographics=2, covariates=("log price", "flyer"))
    parts = replace(likelihood.parts(vector), mix_demographic=np.zeros((3, 2)), mix=np.array([0.0, -9.0, 0.0]))
    assert "class 2 collapsed" in (collapsed(Shrunken(likelihood, parts, components)) or "")
    kept = replace(parts, mix=np.zeros(3))
    assert collapsed(Shrunken(likelihood, kept, components)) is None
    twin = {name: getattr(kept, name)[[0, 1, 0]] for name in CLASSES}
    assert "1 and 3 came out alike" in (collapsed(Shrunken(likelihood, replace(kept, **twin), components)) or "")


def test_where_classes_cannot_be_told_they_are_not_sought() -> None:
    """Seven stores: one class, and a note that says why."""
    few = three_kinds(stores=7)
    model = fitted(few)
    assert model.class_names == ("all shoppers",) and not model.class_trials
    assert any("7 stores have sales, and at least 8 are needed" in note for note in model.notes)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"classes": 0}, "at least 1 class"),
        ({"most_classes": 0}, "at least 1 class"),
        ({"classes": 2, "prior": None}, "need a Prior"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(world: ThreeKinds, how: dict[str, Any], message: str) -> None:
    """Each says what to do."""
    with pytest.raises(DemandError, match=message):
        fitted(world, **how)
