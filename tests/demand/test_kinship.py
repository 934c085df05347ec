"""A store that likes one product likes those that are like it: variances, posteriors and what is inherited."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from demand_worlds import EFFECT, World, make_products, simulate
from hypothesis import given, settings
from hypothesis import strategies as st
from test_fit_demand import stores_of
from test_likelihood import first_components, random_likelihood

from assortment.demand import Prior, fit_demand
from assortment.demand.fitting.kinship import Kinship
from assortment.demand.fitting.precision import Precision
from assortment.demand.fitting.shrinkage import shrunken_fit
from assortment.demand.fitting.till_fit import inherited
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices
from assortment.inputs import Products, Sales

KIND = np.array([0, 0, 1], dtype=np.intp)


def random_kinship(rng: np.random.Generator, products: int = 6) -> Kinship:
    return Kinship(rng.normal(size=(products, 3)), KIND, rng.uniform(0.1, 1.0, 2)[KIND], float(rng.uniform(0.1, 1.0)))


def covariance(kin: Kinship) -> np.ndarray:
    return np.asarray(kin.own**2 * np.eye(len(kin.attributes)) + (kin.attributes * kin.spread**2) @ kin.attributes.T)


def curvatures(expected: np.ndarray) -> np.ndarray:
    return np.array([np.diag(a) - np.outer(a, a) / max(a.sum(), 1e-300) for a in expected])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_precision_and_what_is_inherited_follow_from_the_covariance(seed: int) -> None:
    """p − B Bᵀ is the inverse of σ² + A D Aᵀ, and f is told from e as the normal distribution asks."""
    kin = random_kinship(np.random.default_rng(seed))
    inverse = np.linalg.inv(covariance(kin))
    assert np.allclose(np.eye(6) / kin.own**2 - kin.factor @ kin.factor.T, inverse)
    assert np.allclose(kin.inherited, inverse @ kin.attributes * kin.spread**2)
    assert np.allclose(kin.variance, np.diag(covariance(kin)))
    idle = replace(kin, spread=np.zeros(3))
    assert idle.factor.shape == (6, 0) and not idle.inherited.any()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_stores_know_is_that_of_dense_matrices(seed: int) -> None:
    """Posterior variances and what a demographic can learn agree with inverses of the whole matrices."""
    rng = np.random.default_rng(seed)
    kin = random_kinship(rng)
    expected = rng.exponential(20.0, (4, 6)) * (rng.random((4, 6)) < 0.8)
    expected[3] = 0.0
    Z = rng.normal(size=(4, 2))
    prior, H = np.linalg.inv(covariance(kin)), curvatures(expected)
    posterior = np.linalg.inv(H + prior)
    assert np.allclose(kin.settled(expected), 1.0 - np.einsum("sii->si", posterior) / kin.variance)
    left = H - H @ posterior @ H
    by_attribute, by_product = kin.told(expected, Z)
    assert np.allclose(by_product, (Z**2).T @ np.einsum("sii->si", left))
    assert np.allclose(by_attribute, (Z**2).T @ np.einsum("iq,sij,jq->sq", kin.attributes, left, kin.attributes))


def test_the_penalty_is_that_of_the_covariance() -> None:
    """Value and slope are those of the normal density of the effects of each store, and of the other parameters."""
    likelihood = random_likelihood(2)
    components = replace(first_components(likelihood), store_attribute=np.array([0.3, 0.5, 0.2]))
    precision = components.precision(likelihood)
    layout = likelihood.layout
    at = np.random.default_rng(2).normal(size=layout.size)
    dense = np.diag(precision.diagonal)
    place = np.arange(layout.size)[layout.position("store")]
    one = np.linalg.inv(covariance(components.kinship(likelihood.terms)))
    dense[np.ix_(place, place)] = np.kron(np.eye(likelihood.terms.shapes["store"][0]), one)
    assert np.allclose(precision.times(at), dense @ at)
    assert precision.penalty(at) == pytest.approx(0.5 * at @ dense @ at)
    assert np.allclose(precision.of_store(), one)
    none = Precision(np.ones(3), slice(0, 0), np.zeros((5, 0)))
    assert none.of_store() is None and (none.times(np.ones(3)) == 1.0).all()


def test_one_round_of_variances_is_that_of_dense_matrices() -> None:
    """σ² ← Σ v² ÷ Σ γ, with posterior means and variances of f and ε from the joint normal distribution."""
    rng = np.random.default_rng(5)
    kin = random_kinship(rng)
    expected, e = rng.exponential(30.0, (7, 6)), rng.normal(0, 0.4, (7, 6))
    A, D, H = kin.attributes, kin.spread**2, curvatures(expected)
    both, prior = np.hstack([A, np.eye(6)]), np.concatenate([1.0 / D, np.full(6, kin.own**-2)])
    posterior = np.linalg.inv(both.T @ H @ both + np.diag(prior))
    score = np.einsum("sij,sj->si", H + np.linalg.inv(covariance(kin)), e)
    means = np.einsum("sij,sj->si", posterior, score @ both)
    assert np.allclose(means @ both.T, e)
    settled = 1.0 - np.einsum("sii->si", posterior) * prior
    shared = [np.sqrt((means[:, q] ** 2).sum() / settled[:, q].sum()) for q in ([0, 1], [0, 1], [2])]
    found = kin.updated(expected, e, fixed=(False, False))
    assert found.spread == pytest.approx(shared)
    assert found.own == pytest.approx(np.sqrt((means[:, 3:] ** 2).sum() / settled[:, 3:].sum()))
    kept = kin.updated(expected, e, fixed=(True, True))
    assert kept.own == kin.own and (kept.spread == kin.spread).all()


def drawn(seed: int, *, shared: tuple[float, float], own: float, stores: int = 200) -> tuple[Choices, Terms]:
    """Stores whose effects on 12 products (4 brands and a number) were drawn with these standard deviations."""
    rng = np.random.default_rng(seed)
    brand = np.eye(4)[np.arange(12) % 4]
    A = np.column_stack([brand - brand.mean(axis=0), np.linspace(-1.5, 1.5, 12)])
    kind = np.array([0, 0, 0, 0, 1], dtype=np.intp)
    f = rng.normal(size=(stores, 5)) * np.array(shared)[kind]
    utility = rng.normal(0, 0.5, 12) + f @ A.T + rng.normal(0, own, (stores, 12))
    group = np.arange(stores, dtype=np.intp)
    shares = np.exp(utility) / np.exp(utility).sum(axis=1, keepdims=True)
    counts = np.array([rng.multinomial(3000, row) for row in shares]).astype(float)
    week = np.zeros(stores, dtype=np.intp)
    choices = Choices(group, group % 5, week, counts >= 0, np.zeros((0, stores, 12)), counts, np.ones(stores))
    return choices, Terms(A, np.zeros((stores, 0)), np.zeros((0, 12)), np.full(1, -1), kind=kind)


@pytest.mark.parametrize("shared", [(0.4, 0.15), (0.0, 0.3), (0.0, 0.0)])
def test_variances_of_kinship_are_recovered(shared: tuple[float, float]) -> None:
    """Each attribute's variance and that of single products come out as drawn; an idle attribute's is next to none."""
    choices, terms = drawn(3, shared=shared, own=0.2)
    prior = Prior(overdispersion=0.0)
    first = Components.first(prior, demographics=0, covariates=(), attributes=5)
    found = shrunken_fit(choices, terms, ("attribute", "product", "store"), prior, first).components
    assert found.store == pytest.approx(0.2, rel=0.08)
    assert found.store_attribute[:4] == pytest.approx(shared[0], rel=0.12, abs=0.06)
    assert found.store_attribute[4] == pytest.approx(shared[1], rel=0.12, abs=0.06)


def test_without_variance_nothing_changes() -> None:
    """With ``store_attribute`` = 0 the fit is the one of independent effects, to the last digit, and none inherits."""
    choices, terms = drawn(4, shared=(0.3, 0.0), own=0.2, stores=30)
    free = ("attribute", "product", "store")
    plain = shrunken_fit(
        choices, terms, free, Prior(), Components.first(Prior(), demographics=0, covariates=()), rounds=2
    )
    prior = Prior(store_attribute=0.0)
    idle = shrunken_fit(
        choices, terms, free, prior, Components.first(prior, demographics=0, covariates=(), attributes=5), rounds=2
    )
    assert (idle.parts.store == plain.parts.store).all() and idle.components.store == plain.components.store
    assert not inherited(idle).any()
    both = Prior(store_attribute=0.1, store=0.3)
    kept = shrunken_fit(
        choices, terms, free, both, Components.first(both, demographics=0, covariates=(), attributes=5), rounds=2
    ).components
    assert kept.store == 0.3 and (kept.store_attribute == 0.1).all()


def test_the_effects_are_most_likely_under_the_joint_model() -> None:
    """e is A f + ε at the optimum of the likelihood with f and ε as parameters of their own (plain L-BFGS)."""
    from scipy.optimize import minimize  # noqa: PLC0415

    choices, terms = drawn(6, shared=(0.4, 0.2), own=0.2, stores=12)
    prior = Prior(product=1.0, store_attribute=0.3, store=0.2, overdispersion=0.0)
    first = Components.first(prior, demographics=0, covariates=(), attributes=5)
    fit = shrunken_fit(choices, terms, ("product", "store"), prior, first)
    likelihood = Likelihood(choices, terms, ("product", "store"))

    def negative(vector: np.ndarray) -> tuple[float, np.ndarray]:
        product, f, rest = np.split(vector, [12, 12 + 60])
        store = (f.reshape(12, 5) @ terms.attributes.T).ravel() + rest
        value, slope = likelihood.value_and_gradient(np.concatenate([product, store]))
        down = slope[12:].reshape(12, 12)
        pulls = [product, f / 0.3**2, rest / 0.2**2]
        gradient = np.concatenate([slope[:12], (down @ terms.attributes).ravel(), slope[12:]]) + np.concatenate(pulls)
        return value + 0.5 * float(vector @ np.concatenate(pulls)), gradient

    options = {"maxiter": 5000, "maxfun": 20_000, "gtol": 1e-7, "ftol": 0.0, "maxcor": 40}
    found = minimize(negative, np.zeros(12 + 60 + 144), jac=True, method="L-BFGS-B", options=options).x
    f = found[12:72].reshape(12, 5)
    assert np.allclose(fit.parts.store, f @ terms.attributes.T + found[72:].reshape(12, 12), atol=2e-3)
    assert np.allclose(fit.parts.store @ inherited(fit), f, atol=2e-3)


@pytest.fixture(scope="module")
def partial() -> World:
    """Half of the stores love product kinds by chance; four of them have never offered product 000, a whole milk."""
    world = simulate(stores=40, weeks=8, products=12, buyers=500, seed=7)
    rng = np.random.default_rng(8)
    likes = rng.normal(0.0, 0.6, (40, 3))[:, np.arange(12) % 3]
    frame = world.sales.frame.copy()
    s, n = frame["store_id"].str[1:].astype(int), frame["product_id"].astype(int)
    frame["units"] = rng.poisson(frame["units"] * np.exp(likes[s, n]))
    hidden = frame["store_id"].isin(["S00", "S01", "S02", "S03"]) & (frame["product_id"] == "000")
    offered = world.offered[
        ~(world.offered["store_id"].isin(["S00", "S01", "S02", "S03"]) & (world.offered["product_id"] == "000"))
    ]
    return replace(
        world,
        sales=Sales.from_frame(frame[~hidden], promotion=["flyer"]),
        offered=offered,
        utility=world.utility + likes,
    )


def test_a_product_new_to_a_store_inherits_from_its_like(partial: World) -> None:
    """Where whole milks sell better than elsewhere, one that the store never had is forecast to, and so is a new one.

    Each comes closer to the truth than with independent effects.
    """
    new = make_products(12).frame.iloc[[0]].assign(product_id="new", name="new")
    products = Products.from_frame(pd.concat([partial.products.frame, new], ignore_index=True))
    errors = {}
    for name, prior in (("kin", Prior()), ("alone", Prior(store_attribute=0.0))):
        model = fit_demand(
            partial.sales,
            partial.products,
            partial.profiles,
            offered=partial.offered,
            demographics=list(EFFECT),
            prior=prior,
        )
        demand = model.predict(stores_of(partial.store_ids), products, partial.profiles)
        # Against the mean of the other products, so that one constant per store does not count.
        found = np.log(demand.attraction[:, 0])
        price = np.log(products.frame["price"].to_numpy())
        truth = np.hstack([partial.utility, partial.utility[:, :1]]) - 1.8 * price
        apart = found - truth
        apart -= apart[:, 1:12].mean(axis=1, keepdims=True)
        errors[name] = (apart[:4, 0] - apart[4:, 0].mean(), apart[:, 12] - apart[:, 12].mean())
    hidden, fresh = ([float(np.sqrt((errors[name][i] ** 2).mean())) for name in ("kin", "alone")] for i in (0, 1))
    assert hidden[0] < 0.4 * hidden[1]
    assert fresh[0] < 0.4 * fresh[1]
