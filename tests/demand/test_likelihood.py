"""The multinomial logit itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from assortment.demand.choices import Choices, purchases_of
from assortment.demand.estimate import maximise, precisions, rounding_shape
from assortment.demand.likelihood import Coefficients, Likelihood
from assortment.demand.prior import Prior


def random_likelihood(seed: int, *, states: int = 12, products: int = 5, groups: int = 4) -> Likelihood:
    rng = np.random.default_rng(seed)
    offered = rng.random((states, products)) < 0.7
    offered[:, 0] = True
    group = np.sort(rng.integers(0, groups, states))
    counts = np.where(offered, rng.poisson(6.0, offered.shape), 0).astype(float)
    choices = Choices(
        group=group,
        fold=group % 2,
        offered=offered,
        covariates=rng.normal(size=(2, *offered.shape)),
        counts=counts,
        weeks=np.ones(states),
        purchases=purchases_of(counts, group),
    )
    return Likelihood(choices, rng.normal(size=(products, 3)), rng.normal(size=(groups, 2)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_gradient_is_that_of_finite_differences(seed: int) -> None:
    """The analytic gradient agrees with central differences in every coordinate."""
    likelihood = random_likelihood(seed)
    at = np.random.default_rng(seed + 1).normal(0, 0.5, likelihood.layout.size)
    _, gradient = likelihood.value_and_gradient(at)
    step = 1e-5
    for i in range(len(at)):
        ends = [likelihood.value_and_gradient(at + sign * step * np.eye(len(at))[i])[0] for sign in (1, -1)]
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_hessian_is_the_derivative_of_the_gradient(seed: int) -> None:
    """The analytic Hessian agrees with differences of the gradient and is symmetric."""
    likelihood = random_likelihood(seed)
    at = np.random.default_rng(seed + 1).normal(0, 0.5, likelihood.layout.size)
    hessian = likelihood.hessian(at)
    step = 1e-5
    numeric = np.array(
        [
            (likelihood.value_and_gradient(at + step * e)[1] - likelihood.value_and_gradient(at - step * e)[1])
            / (2 * step)
            for e in np.eye(len(at))
        ]
    )
    assert np.allclose(hessian, hessian.T)
    assert np.allclose(hessian, numeric, rtol=1e-4, atol=1e-3)


def test_the_value_is_the_sum_of_log_shares() -> None:
    """The likelihood from sums is that of each purchase on its own."""
    likelihood = random_likelihood(3)
    at = np.random.default_rng(4).normal(0, 0.5, likelihood.layout.size)
    offered, counts = likelihood.choices.offered, likelihood.choices.counts
    direct = -(counts[offered] * likelihood.log_shares(at)[offered]).sum()
    assert likelihood.value_and_gradient(at)[0] == pytest.approx(direct)


@given(seed=st.integers(0, 1000), constant=st.floats(-30, 30))
def test_adding_a_constant_to_all_utilities_changes_no_share(seed: int, constant: float) -> None:
    """Shares depend on differences of utility only."""
    likelihood = random_likelihood(seed)
    at = np.random.default_rng(seed).normal(0, 0.5, likelihood.layout.size)
    moved = at.copy()
    moved[likelihood.layout.position("product")] += constant
    assert np.allclose(np.exp(likelihood.log_shares(at)), np.exp(likelihood.log_shares(moved)))


def test_what_was_not_offered_has_no_share() -> None:
    """Availability is respected: shares of the offered sum to one, the rest is exactly zero."""
    likelihood = random_likelihood(8)
    shares = np.exp(likelihood.log_shares(np.zeros(likelihood.layout.size)))
    assert (shares[~likelihood.choices.offered] == 0).all()
    assert shares.sum(axis=1) == pytest.approx(1.0)


def test_two_products_have_the_logistic_share() -> None:
    """With two products and nothing else the maximum is where the log odds are those of the counts (closed form)."""
    counts = np.array([[30.0, 10.0]])
    choices = Choices(
        group=np.zeros(1, dtype=np.intp),
        fold=np.zeros(1, dtype=np.intp),
        offered=np.ones((1, 2), bool),
        covariates=np.zeros((0, 1, 2)),
        counts=counts,
        weeks=np.ones(1),
        purchases=purchases_of(counts, np.zeros(1, dtype=np.intp)),
    )
    likelihood = Likelihood(choices, np.zeros((2, 0)), np.zeros((1, 0)))
    precision = precisions(likelihood.layout, Prior(product=1e4), 1.0, has_price=False)
    start = np.zeros(2)
    shape = rounding_shape(likelihood.hessian(start), precision)
    found = maximise(likelihood, precision, start, shape).vector
    assert found[0] - found[1] == pytest.approx(np.log(3.0), abs=1e-4)


def test_equal_states_counted_together_have_the_same_likelihood() -> None:
    """Merging is exact: value and gradient stay, and the weeks are counted."""
    one = random_likelihood(5)
    choices = one.choices
    twice = Choices(
        group=np.concatenate([choices.group, choices.group]),
        fold=np.concatenate([choices.fold, choices.fold]),
        offered=np.concatenate([choices.offered, choices.offered]),
        covariates=np.concatenate([choices.covariates, choices.covariates], axis=1),
        counts=np.concatenate([choices.counts, choices.counts]),
        weeks=np.ones(2 * len(choices.group)),
        purchases=purchases_of(np.concatenate([choices.counts] * 2), np.concatenate([choices.group] * 2)),
    )
    merged = twice.merged()
    assert len(merged.group) == len(choices.group) and (merged.weeks == 2).all()
    at = np.random.default_rng(6).normal(0, 0.5, one.layout.size)
    whole = Likelihood(twice, one.attributes, one.demographics).value_and_gradient(at)
    less = Likelihood(merged, one.attributes, one.demographics).value_and_gradient(at)
    assert less[0] == pytest.approx(whole[0])
    assert np.allclose(less[1], whole[1])
    rows = merged.purchases
    sums = np.zeros_like(merged.counts)
    np.add.at(sums, (rows.state, rows.product), rows.units)
    assert np.allclose(sums, merged.counts)


def test_splitting_and_joining_parameters_are_inverse() -> None:
    """``split`` then ``join`` gives the vector back, each part in its place."""
    layout = random_likelihood(1).layout
    vector = np.arange(layout.size, dtype=float)
    parts = layout.split(vector)
    assert (layout.join(parts) == vector).all()
    assert isinstance(parts, Coefficients)
    assert (vector[layout.position("demographic")] == parts.demographic.ravel()).all()


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_optimum_is_that_of_scipy(seed: int) -> None:
    """Our L-BFGS ends where scipy's does, wherever it starts."""
    likelihood = random_likelihood(seed)
    precision = precisions(likelihood.layout, Prior(), 0.3, has_price=True)
    start = np.random.default_rng(seed).normal(0, 1, likelihood.layout.size)
    found = maximise(likelihood, precision, start, rounding_shape(likelihood.hessian(start), precision))

    def negative(vector: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = likelihood.value_and_gradient(vector)
        return value + 0.5 * (precision * vector**2).sum(), gradient + precision * vector

    options = {"maxiter": 5000, "gtol": 1e-7, "ftol": 0.0}
    reference = minimize(negative, start, jac=True, method="L-BFGS-B", options=options)
    assert found.value <= reference.fun + 1e-6
    assert np.allclose(found.vector, reference.x, atol=1e-2)
