"""The likelihood of shoppers who are loyal to nests: the same as a mixture, with exact derivatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mixture_worlds import random_choices

from assortment.demand.likelihood.curvature import SHARED, curvature
from assortment.demand.likelihood.layout import CLASSES, GIVEN, LOYAL, PARTS, Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.loyalty import LoyalLikelihood, constants_of_classes
from assortment.demand.likelihood.mixture import MixtureLikelihood

FREE = tuple(name for name in PARTS if name not in (GIVEN, *CLASSES) or name in LOYAL)
NEST = np.array([0, 0, 1, 1, 2, -1, 2])


@pytest.fixture(scope="module")
def loyal() -> tuple[LoyalLikelihood, np.ndarray]:
    """Seven products, of three nests but for one of none, with whatever the terms can hold."""
    choices, terms = random_choices(classes=4)
    terms = replace(terms, nest=NEST)
    known = replace(Coefficients.zeros(terms.shapes), class_nothing=np.full(4, -0.5))
    likelihood = LoyalLikelihood(choices, terms, FREE, known=known, overdispersion=0.1)
    return likelihood, np.random.default_rng(1).normal(0.0, 0.4, likelihood.layout.size)


def shares(likelihood: Likelihood, vector: np.ndarray) -> np.ndarray:
    return np.concatenate([part for _, part in likelihood.shares(likelihood.parts(vector))])


def derivative(likelihood: Likelihood, vector: np.ndarray) -> np.ndarray:
    """(M, T, N), of the shares."""
    return np.array(
        [(shares(likelihood, vector + e) - shares(likelihood, vector - e)) / 2e-5 for e in 1e-5 * np.eye(len(vector))]
    )


def test_it_is_a_mixture_whose_classes_differ_by_their_nest_alone(loyal: tuple[LoyalLikelihood, np.ndarray]) -> None:
    """Value, shares and log sums are those of the general mixture with these constants, to rounding."""
    likelihood, vector = loyal
    parts = likelihood.parts(vector)
    own = replace(parts, class_product=constants_of_classes(NEST, parts.loyalty), loyalty=np.zeros(0))
    terms = replace(likelihood.terms, nest=None)
    mixture = MixtureLikelihood(likelihood.choices, terms, (), known=own, overdispersion=0.1)
    nobody = np.zeros(0)
    assert likelihood.value_and_gradient(vector)[0] == pytest.approx(mixture.value_and_gradient(nobody)[0], rel=1e-12)
    assert shares(likelihood, vector) == pytest.approx(shares(mixture, nobody), abs=1e-13)
    assert likelihood.log_sums(parts) == pytest.approx(mixture.log_sums(own), abs=1e-12)


def test_the_gradient_is_that_of_finite_differences(loyal: tuple[LoyalLikelihood, np.ndarray]) -> None:
    """Every parameter of every part, buying nothing held fixed: within 1e-7 of the largest slope."""
    likelihood, vector = loyal
    slope = [
        (likelihood.value_and_gradient(vector + e)[0] - likelihood.value_and_gradient(vector - e)[0]) / 2e-5
        for e in 1e-5 * np.eye(len(vector))
    ]
    gradient = likelihood.value_and_gradient(vector)[1]
    assert np.abs(gradient - slope).max() < 1e-7 * np.abs(gradient).max()


@pytest.mark.parametrize("without", ["", "covariate_product"])
def test_the_curvature_is_the_expected_hessian(loyal: tuple[LoyalLikelihood, np.ndarray], without: str) -> None:
    """Σ units (∂P)(∂P)ᵀ / P by finite differences, and scores that add up to the gradient."""
    likelihood, vector = loyal
    found = curvature(
        likelihood, likelihood.parts(vector), tuple(name for name in (*SHARED, *LOYAL) if name != without)
    )
    moved, now = derivative(likelihood, vector)[found.positions], shares(likelihood, vector)
    weight = (likelihood.units * likelihood.weight)[:, None] * np.where(now > 0, 1.0 / np.where(now > 0, now, 1.0), 0.0)
    assert found.hessian == pytest.approx(np.einsum("atn,tn,btn->ab", moved, weight, moved), abs=1e-6)
    gradient = likelihood.value_and_gradient(vector)[1]
    assert found.scores.sum(axis=0) == pytest.approx(gradient[found.positions], abs=1e-9)


def test_the_information_is_the_diagonal(loyal: tuple[LoyalLikelihood, np.ndarray]) -> None:
    """Of loyalty and log odds, against finite differences."""
    likelihood, vector = loyal
    moved, now = derivative(likelihood, vector), shares(likelihood, vector)
    weight = (likelihood.units * likelihood.weight)[:, None] * np.where(now > 0, 1.0 / np.where(now > 0, now, 1.0), 0.0)
    diagonal = np.einsum("atn,tn,atn->a", moved, weight, moved)
    information = likelihood.information(likelihood.parts(vector))
    for name in LOYAL:
        assert getattr(information, name) == pytest.approx(diagonal[likelihood.layout.position(name)], rel=1e-6)


def test_without_loyalty_there_is_one_class(loyal: tuple[LoyalLikelihood, np.ndarray]) -> None:
    """Loyalty of zero: shares are those of the plain logit, whatever the odds."""
    likelihood, vector = loyal
    parts = replace(likelihood.parts(vector), loyalty=np.zeros(4))
    plain = Likelihood(likelihood.choices, replace(likelihood.terms, nest=None, classes=1), ())
    one = replace(parts, loyalty=np.zeros(0), **{name: np.zeros((0,)) for name in ("mix", GIVEN)})
    found = np.concatenate([part for _, part in likelihood.shares(parts)])
    assert found == pytest.approx(np.concatenate([part for _, part in plain.shares(one)]), abs=1e-13)


def test_shoppers_walk_away_at_the_rate_that_is_assumed(loyal: tuple[LoyalLikelihood, np.ndarray]) -> None:
    """Over all classes together; buying nothing is worth the same to each."""
    likelihood, vector = loyal
    parts = likelihood.with_nothing(likelihood.parts(vector))
    weight = likelihood.units[:, None] * likelihood.terms.mix(parts)[likelihood.choices.group]
    away = 1.0 / (1.0 + np.exp(likelihood.log_sums(parts)))
    assert (weight * away).sum() / weight.sum() == pytest.approx(likelihood.terms.walk_away, abs=1e-9)
    assert np.ptp(parts.class_nothing) == 0.0
