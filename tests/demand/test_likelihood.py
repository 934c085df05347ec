"""The multinomial logit itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from assortment.demand.fitting.effects import Effects
from assortment.demand.fitting.estimate import Coordinates, maximise
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.curvature import SHARED, curvature
from assortment.demand.likelihood.layout import PARTS, Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices
from assortment.demand.prior import Prior

COVARIATES = ("log price", "flyer")


def random_likelihood(
    seed: int,
    *,
    states: int = 12,
    products: int = 5,
    groups: int = 4,
    free: tuple[str, ...] = PARTS,
    overdispersion: float = 0.0,
) -> Likelihood:
    rng = np.random.default_rng(seed)
    offered = rng.random((states, products)) < 0.7
    offered[:, 0] = True
    group = np.sort(rng.integers(0, groups, states))
    choices = Choices(
        group=group,
        fold=group % 2,
        week=rng.integers(0, 6, states),
        offered=offered,
        covariates=rng.normal(size=(2, *offered.shape)),
        counts=np.where(offered, 1.0 + rng.poisson(6.0, offered.shape), 0.0),
        weeks=np.ones(states),
    )
    terms = Terms(
        rng.normal(size=(products, 3)),
        rng.normal(size=(groups, 2)),
        rng.normal(size=(2, products)),
        np.array([1, 1, 1, 0, 0, 0]),
    )
    return Likelihood(choices, terms, free, overdispersion=overdispersion)


def first_components(likelihood: Likelihood, prior: Prior | None = None) -> Components:
    terms = likelihood.terms
    return Components.first(
        prior or Prior(),
        demographics=terms.demographics.shape[1],
        covariates=COVARIATES[: len(terms.centre)],
        attributes=terms.attributes.shape[1],
    )


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
    """The Hessian put together from the stores agrees with differences of the gradient, and so do the scores."""
    likelihood = random_likelihood(seed, free=SHARED)
    at = np.random.default_rng(seed + 1).normal(0, 0.5, likelihood.layout.size)
    found = curvature(likelihood, likelihood.parts(at), SHARED)
    assert (found.positions == np.arange(len(at))).all()
    step = 1e-5
    numeric = np.array(
        [
            (likelihood.value_and_gradient(at + step * e)[1] - likelihood.value_and_gradient(at - step * e)[1])
            / (2 * step)
            for e in np.eye(len(at))
        ]
    )
    assert np.allclose(found.hessian, found.hessian.T)
    assert np.allclose(found.hessian, numeric, rtol=1e-4, atol=1e-3)
    assert np.allclose(found.scores.sum(axis=0), likelihood.value_and_gradient(at)[1])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), precision=st.floats(0.5, 50))
def test_store_effects_are_integrated_out_as_in_the_whole_hessian(seed: int, precision: float) -> None:
    """The Hessian without store effects is the Schur complement of the one with them."""
    likelihood = random_likelihood(seed, free=(*SHARED, "store"))
    layout = likelihood.layout
    at = np.random.default_rng(seed).normal(0, 0.3, layout.size)
    step = 1e-5
    whole = np.array(
        [
            (likelihood.value_and_gradient(at + step * e)[1] - likelihood.value_and_gradient(at - step * e)[1])
            / (2 * step)
            for e in np.eye(layout.size)
        ]
    )
    store = np.arange(layout.size)[layout.position("store")]
    rest = np.setdiff1d(np.arange(layout.size), store)
    pull = np.random.default_rng(seed).normal(size=(5, 2))
    prior = precision * np.eye(5) + pull @ pull.T
    groups = likelihood.terms.shapes["store"][0]
    inner = whole[np.ix_(store, store)] + np.kron(np.eye(groups), prior)
    schur = whole[np.ix_(rest, rest)] - whole[np.ix_(rest, store)] @ np.linalg.solve(inner, whole[np.ix_(store, rest)])
    found = curvature(likelihood, likelihood.parts(at), SHARED, store_precision=prior)
    assert np.allclose(found.hessian, schur, rtol=1e-3, atol=1e-2)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_information_is_the_diagonal_of_the_hessian(seed: int) -> None:
    """In every parameter, those of stores and time included, it is the second derivative."""
    likelihood = random_likelihood(seed, overdispersion=0.1)
    at = np.random.default_rng(seed).normal(0, 0.3, likelihood.layout.size)
    step = 1e-5
    numeric = [
        (likelihood.value_and_gradient(at + step * e)[1] @ e - likelihood.value_and_gradient(at - step * e)[1] @ e)
        / (2 * step)
        for e in np.eye(len(at))
    ]
    found = likelihood.information(likelihood.parts(at))
    for name in ("product", "store", "period", "week", "covariate_product"):
        place = likelihood.layout.position(name)
        assert np.allclose(getattr(found, name).ravel(), np.array(numeric)[place], rtol=1e-4, atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_gradients_turn_as_steps_do(seed: int) -> None:
    """The gradient in the coordinates is the transpose of the change that a step makes."""
    likelihood = random_likelihood(seed)
    precision = first_components(likelihood).precision(likelihood)
    coordinates = Coordinates.of(likelihood, likelihood.parts(np.zeros(likelihood.layout.size)), precision)
    rng = np.random.default_rng(seed)
    step, gradient = rng.normal(size=(2, likelihood.layout.size))
    assert coordinates.change(step) @ gradient == pytest.approx(step @ coordinates.gradient(gradient))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), precision=st.floats(0.01, 100))
def test_the_curvature_of_effects_has_a_closed_inverse_and_root(seed: int, precision: float) -> None:
    """Inverse and root are those of diag(a) − a aᵀ / Σ a + p − B Bᵀ, also where nothing is expected."""
    rng = np.random.default_rng(seed)
    a = rng.exponential(10.0, (3, 5)) * (rng.random((3, 5)) < 0.8)
    a[2] = 0.0
    values, A = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
    # The precision of effects with covariance 1 / p + A Aᵀ.
    prior = np.linalg.inv(np.eye(5) / precision + A @ A.T)
    root = np.linalg.eigh(precision * np.eye(5) - prior)
    kin = (root.eigenvectors * np.sqrt(np.maximum(root.eigenvalues, 0.0)))[:, 3:]
    for effects, own in ((Effects(a, precision), precision * np.eye(5)), (Effects(a, precision, kin), prior)):
        assert np.allclose(effects.pulled(values), values @ own)
        for g in range(3):
            hessian = np.diag(a[g]) - np.outer(a[g], a[g]) / max(a[g].sum(), 1e-300) + own
            inverse = np.linalg.inv(hessian)
            assert np.allclose(effects.inverse(values)[g], inverse @ values[g])
            assert np.allclose(effects.root(effects.transposed_root(values))[g], inverse @ values[g])


def test_the_value_is_the_sum_of_log_shares() -> None:
    """The likelihood from sums is that of each purchase on its own."""
    likelihood = random_likelihood(3)
    at = np.random.default_rng(4).normal(0, 0.5, likelihood.layout.size)
    offered, counts = likelihood.choices.offered, likelihood.choices.counts
    shares = np.concatenate([part for _, part in likelihood.shares(likelihood.parts(at))])
    direct = -(counts[offered] * np.log(shares[offered])).sum()
    assert likelihood.log_loss(likelihood.parts(at)).sum() == pytest.approx(direct)
    assert likelihood.value_and_gradient(at)[0] == pytest.approx(direct)


@given(seed=st.integers(0, 1000), constant=st.floats(-30, 30))
def test_adding_a_constant_to_all_utilities_changes_no_share(seed: int, constant: float) -> None:
    """Shares depend on differences of utility only."""
    likelihood = random_likelihood(seed)
    at = np.random.default_rng(seed).normal(0, 0.5, likelihood.layout.size)
    moved = at.copy()
    moved[likelihood.layout.position("product")] += constant
    first, second = (np.concatenate([part for _, part in likelihood.shares(likelihood.parts(v))]) for v in (at, moved))
    assert np.allclose(first, second)


def test_what_was_not_offered_has_no_share() -> None:
    """Availability is respected: shares of the offered sum to one, the rest is exactly zero."""
    likelihood = random_likelihood(8)
    parts = likelihood.parts(np.zeros(likelihood.layout.size))
    shares = np.concatenate([part for _, part in likelihood.shares(parts)])
    assert (shares[~likelihood.choices.offered] == 0).all()
    assert shares.sum(axis=1) == pytest.approx(1.0)


def test_two_products_have_the_logistic_share() -> None:
    """With two products and nothing else the maximum is where the log odds are those of the counts (closed form)."""
    nobody = np.zeros(1, dtype=np.intp)
    choices = Choices(
        group=nobody,
        fold=nobody,
        week=nobody,
        offered=np.ones((1, 2), bool),
        covariates=np.zeros((0, 1, 2)),
        counts=np.array([[30.0, 10.0]]),
        weeks=np.ones(1),
    )
    terms = Terms(np.zeros((2, 0)), np.zeros((1, 0)), np.zeros((0, 2)), nobody)
    likelihood = Likelihood(choices, terms, ("product",))
    precision = first_components(likelihood, Prior(product=1e4)).precision(likelihood)
    start = np.zeros(2)
    found = maximise(
        likelihood, precision, start, Coordinates.of(likelihood, likelihood.parts(start), precision), tolerance=1e-5
    )
    assert found.vector[0] - found.vector[1] == pytest.approx(np.log(3.0), abs=1e-4)


def doubled(choices: Choices, *, week: int = 0) -> Choices:
    """Each state twice, the second time in another week."""
    return Choices(
        group=np.concatenate([choices.group] * 2),
        fold=np.concatenate([choices.fold] * 2),
        week=np.concatenate([choices.week, (choices.week + week) % 6]),
        offered=np.concatenate([choices.offered] * 2),
        covariates=np.concatenate([choices.covariates] * 2, axis=1),
        counts=np.concatenate([choices.counts] * 2),
        weeks=np.ones(2 * len(choices.group)),
    )


def test_equal_states_counted_together_have_the_same_likelihood() -> None:
    """Merging is exact: value and gradient stay, and the weeks are counted."""
    one = random_likelihood(5)
    twice = doubled(one.choices)
    merged = twice.merged(one.terms.period)
    assert len(merged.group) == len(one.choices.group) and (merged.weeks == 2).all()
    at = np.random.default_rng(6).normal(0, 0.5, one.layout.size)
    for overdispersion in (0.0, 0.3):
        whole, less = (
            Likelihood(choices, one.terms, PARTS, overdispersion=overdispersion).value_and_gradient(at)
            for choices in (twice, merged)
        )
        assert less[0] == pytest.approx(whole[0])
        assert np.allclose(less[1], whole[1])


def test_states_of_different_periods_are_never_counted_together() -> None:
    """The same offers in another season stay apart; in another week of the same season they do not."""
    one = random_likelihood(5)
    apart = doubled(one.choices, week=3).merged(one.terms.period)
    assert len(apart.group) == 2 * len(one.choices.group)
    assert len(doubled(one.choices, week=3).merged(np.zeros(6, dtype=np.intp)).group) == len(one.choices.group)


def test_known_parts_enter_the_likelihood_and_stay() -> None:
    """With all but the weekly shocks known, value and gradient are those of the whole vector."""
    whole = random_likelihood(7)
    at = np.random.default_rng(7).normal(0, 0.4, whole.layout.size)
    shocks = Likelihood(whole.choices, whole.terms, ("week",), known=whole.parts(at))
    place = whole.layout.position("week")
    value, gradient = shocks.value_and_gradient(at[place])
    assert value == pytest.approx(whole.value_and_gradient(at)[0])
    assert np.allclose(gradient, whole.value_and_gradient(at)[1][place])


def test_overdispersion_is_recovered() -> None:
    """Dirichlet-multinomial purchases give back the variance that they share, plain ones next to none."""
    rng = np.random.default_rng(3)
    shares, states = np.array([0.5, 0.3, 0.2]), 4000
    for delta in (0.0, 0.05):
        concentration = np.inf if delta == 0 else 1.0 / delta - 1.0
        p = np.tile(shares, (states, 1)) if delta == 0 else rng.dirichlet(shares * concentration, states)
        counts = np.array([rng.multinomial(60, row) for row in p]).astype(float)
        nobody = np.zeros(states, dtype=np.intp)
        choices = Choices(nobody, nobody, nobody, counts >= 0, np.zeros((0, states, 3)), counts, np.ones(states))
        terms = Terms(np.zeros((3, 0)), np.zeros((1, 0)), np.zeros((0, 3)), nobody)
        likelihood = Likelihood(choices, terms, ("product",), overdispersion=0.1)
        found = likelihood.overdispersion(likelihood.parts(np.log(shares)))
        assert found == pytest.approx(delta * 59 / 60, abs=0.004)


def test_splitting_and_joining_parameters_are_inverse() -> None:
    """``split`` then ``join`` gives the vector back, each part in its place."""
    layout = random_likelihood(1).layout
    vector = np.arange(layout.size, dtype=float)
    parts = layout.split(vector)
    assert (layout.join(parts) == vector).all()
    assert isinstance(parts, Coefficients)
    assert (vector[layout.position("demographic")] == parts.demographic.ravel()).all()
    assert (layout.join(layout.places()) == vector).all()


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_optimum_is_that_of_scipy(seed: int) -> None:
    """Our coordinates end where plain L-BFGS does, wherever it starts."""
    likelihood = random_likelihood(seed)
    precision = first_components(likelihood).precision(likelihood)
    start = np.random.default_rng(seed).normal(0, 1, likelihood.layout.size)
    coordinates = Coordinates.of(likelihood, likelihood.parts(start), precision)
    found = maximise(likelihood, precision, start, coordinates, tolerance=1e-4)

    def negative(vector: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = likelihood.value_and_gradient(vector)
        return value + precision.penalty(vector), gradient + precision.times(vector)

    options = {"maxiter": 20_000, "maxfun": 50_000, "gtol": 1e-6, "ftol": 0.0, "maxcor": 40}
    reference = minimize(negative, start, jac=True, method="L-BFGS-B", options=options)
    assert found.value <= reference.fun + 1e-5
    assert np.allclose(found.vector, reference.x, atol=1e-2)
