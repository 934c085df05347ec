"""What makes fits of large chains fast changes nothing: states counted together, shocks with all else known, pieces."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_likelihood import doubled, random_likelihood

from assortment.demand.fitting.shrinkage import shrunken_fit
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood import logit
from assortment.demand.likelihood.by_group import expected_by_group
from assortment.demand.likelihood.layout import PARTS
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.shocks import ShockLikelihood
from assortment.demand.observed.distinct import first_equal
from assortment.demand.prior import Prior


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), covariates=st.integers(0, 2))
def test_equal_states_are_those_that_agree_in_every_product_offered(seed: int, covariates: int) -> None:
    """The hash finds what comparing each pair of states does; what was not offered does not count, and -0 is 0."""
    rng = np.random.default_rng(seed)
    states, products = 40, 2
    labels, offered = rng.integers(-1, 2, (3, states)), rng.random((states, products)) < 0.7
    values = rng.choice([-0.0, 0.0, 0.5, 1.0], (covariates, states, products))
    expected = np.arange(states)
    for t, other in itertools.combinations(range(states), 2):
        alike = (labels[:, t] == labels[:, other]).all() and (offered[t] == offered[other]).all()
        if alike and (values[:, t, offered[t]] == values[:, other, offered[t]]).all():
            expected[other] = min(expected[other], expected[t])
    assert (first_equal(labels, offered, values) == expected).all()


def test_states_of_one_hash_that_differ_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if all states had the same hash, none would be counted with another that it does not equal."""
    monkeypatch.setattr(
        "assortment.demand.observed.distinct._mixed", lambda bits: np.zeros(np.shape(bits), dtype=np.uint64)
    )
    offered, values = np.ones((4, 2), bool), np.array([[[1.0, 2.0], [1.0, 3.0], [1.0, 2.0], [0.0, 2.0]]])
    assert first_equal(np.zeros((1, 4), np.intp), offered, values).tolist() == [0, 1, 0, 3]


@pytest.mark.parametrize("seed", range(4))
def test_shocks_with_all_else_known_have_the_same_likelihood(seed: int) -> None:
    """Value, gradient, expected units and information are those of the general likelihood, merged rows or not.

    States of no week have no shocks.
    """
    whole = random_likelihood(seed)
    choices = doubled(whole.choices, week=3 if seed % 2 else 1)
    choices.week[seed::5] = -1  # of no week, as what a survey tells
    at = np.random.default_rng(seed).normal(0, 0.6, whole.layout.size)
    known = whole.parts(at)
    general = Likelihood(choices, whole.terms, ("week",), known=known, overdispersion=0.2)
    ours = ShockLikelihood(choices, whole.terms, known=known, overdispersion=0.2)
    for shocks in (np.zeros(general.layout.size), known.week.ravel(), 40.0 * known.week.ravel()):
        value, gradient = general.value_and_gradient(shocks)
        assert ours.value_and_gradient(shocks)[0] == pytest.approx(value, rel=1e-12)
        assert np.allclose(ours.value_and_gradient(shocks)[1], gradient, atol=1e-9)
        parts = general.parts(shocks)
        assert np.allclose(ours.expected(parts)[0].week, general.expected(parts)[0].week)
        assert np.allclose(ours.information(parts).week, general.information(parts).week, atol=1e-9)


def test_forecasts_of_groups_are_the_sums_of_their_states() -> None:
    """Units expected and loss by group, from the shares of each state; purchases that count more are dearer missed."""
    likelihood = random_likelihood(3, groups=5)
    weight = np.random.default_rng(3).exponential(1.0, len(likelihood.units))
    likelihood = Likelihood(replace(likelihood.choices, weight=weight), likelihood.terms, PARTS)
    parts = likelihood.parts(np.random.default_rng(3).normal(0, 0.5, likelihood.layout.size))
    expected, loss = expected_by_group(likelihood, parts)
    choices = likelihood.choices
    shares = np.concatenate([part for _, part in likelihood.shares(parts)])
    for s in range(5):
        own = choices.group == s
        assert np.allclose(expected[s], (shares * likelihood.units[:, None])[own].sum(axis=0))
        bought = choices.offered[own] & (choices.counts[own] > 0)
        surprise = -np.where(bought, choices.counts[own] * np.log(np.where(bought, shares[own], 1.0)), 0.0).sum(axis=1)
        assert loss[s] == pytest.approx(weight[own] @ surprise)


def test_pieces_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into single states, the likelihood has the same value, gradient, information and expected units."""
    whole = random_likelihood(9, states=30)
    at = np.random.default_rng(9).normal(0, 0.5, whole.layout.size)
    monkeypatch.setattr(logit, "_CELLS", 1)
    cut = Likelihood(whole.choices, whole.terms, PARTS)
    parts = whole.parts(at)
    assert np.allclose(cut.value_and_gradient(at)[1], whole.value_and_gradient(at)[1])
    for one, other in (
        (cut.information(parts), whole.information(parts)),
        (cut.expected(parts)[0], whole.expected(parts)[0]),
    ):
        assert all(np.allclose(getattr(one, name), getattr(other, name)) for name in PARTS)
    assert np.allclose(cut.expected(parts)[1], whole.expected(parts)[1])


def test_a_fit_to_states_counted_together_is_that_to_each_of_them() -> None:
    """Weeks that are alike may come merged or not: the optimum at fixed penalties is the same."""
    one = random_likelihood(11, states=40)
    twice = doubled(one.choices)
    merged = twice.merged(one.terms.period)
    assert len(merged.group) < len(twice.group)
    free = tuple(name for name in PARTS if name != "week" and not name.startswith(("class", "mix")))
    components = Components.first(Prior(), demographics=2, covariates=("log price", "flyer"))
    fits = [shrunken_fit(choices, one.terms, free, Prior(), components, rounds=0).parts for choices in (twice, merged)]
    for name in free:
        assert np.allclose(getattr(fits[0], name), getattr(fits[1], name), atol=1e-6)
