"""Several sources in one likelihood: weights, groups without effects of their own, and known mixtures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.demand.arrays import Floats
from assortment.demand.likelihood.curvature import SHARED
from assortment.demand.likelihood.kinds import likelihood_of
from assortment.demand.likelihood.layout import PARTS, Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.mixture_curvature import curvature_of
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import BASKETS, SURVEY, TILLS, Choices, Purchases

GROUPS, PRODUCTS, WEEKS = 6, 5, 4
COMMON = ("attribute", "product", "covariate", "covariate_product", "store", "period", "week")
OWN = np.array([True, True, True, False, False, False])
MIXES = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1], [1.0, 0.0], [0.0, 1.0], [0.6, 0.4]])


def choices_of(
    seed: int, source: int, groups: tuple[int, ...], *, weight: float = 1.0, timeless: bool = False
) -> Choices:
    """Three states for each group of one source."""
    rng = np.random.default_rng([seed, source])
    group = np.repeat(groups, 3)
    offered = rng.random((len(group), PRODUCTS)) < 0.8
    offered[:, 0] = True
    counts = np.where(offered, rng.poisson(4.0, offered.shape) + 1.0, 0.0)
    state, product = np.nonzero(counts)
    return Choices(
        group=group,
        fold=np.arange(len(group)) % 3,
        week=np.full(len(group), -1) if timeless else rng.integers(0, WEEKS, len(group)),
        offered=offered,
        covariates=rng.normal(size=(2, *offered.shape)),
        counts=counts,
        weeks=np.ones(len(group)),
        purchases=None if source == TILLS else Purchases(state % 4, state, product, counts[state, product]),
        source=np.full(len(group), source),
        weight=np.full(len(group), weight),
    )


def three_sources(seed: int, weights: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Choices:
    return Choices.joined(
        [
            choices_of(seed, TILLS, (0, 1, 2), weight=weights[0]),
            choices_of(seed, BASKETS, (3, 4), weight=weights[1]),
            choices_of(seed, SURVEY, (3, 4, 5), weight=weights[2], timeless=True),
        ]
    )


def terms_of(seed: int, *, classes: int) -> Terms:
    rng = np.random.default_rng(seed)
    return Terms(
        rng.normal(size=(PRODUCTS, 2)),
        rng.normal(size=(GROUPS, 1)) if classes == 1 else np.zeros((GROUPS, 0)),
        rng.normal(size=(2, PRODUCTS)),
        np.array([1, 1, 0, 0]),
        classes=classes,
        mixes=None if classes == 1 else MIXES,
        own=OWN,
    )


def likelihood(seed: int, classes: int, *, weights: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Likelihood:
    own = () if classes == 1 else ("class_attribute", "class_product", "class_covariate")
    free = (*COMMON, *own) if classes > 1 else (*COMMON, "demographic", "demographic_product", "covariate_demographic")
    terms = terms_of(seed, classes=classes)
    known = Coefficients.zeros(terms.shapes)
    if classes > 1:
        known = replace(known, class_nothing=np.linspace(-1.0, 0.5, classes))
    return likelihood_of(three_sources(seed, weights), terms, free, known=known, overdispersion=0.05)


def differences(one: Likelihood, at: Floats) -> Floats:
    step = 1e-5
    ends = [[one.value_and_gradient(at + sign * step * e)[0] for sign in (1, -1)] for e in np.eye(len(at))]
    return np.array([(up - down) / (2 * step) for up, down in ends])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.sampled_from([1, 2]))
def test_the_gradient_of_all_sources_is_that_of_finite_differences(seed: int, classes: int) -> None:
    """Weights, states of no week, groups without effects of their own, and one-hot mixtures: in every coordinate."""
    one = likelihood(seed, classes, weights=(1.0, 0.5, 3.0))
    at = np.random.default_rng(seed).normal(0.0, 0.4, one.layout.size)
    assert one.value_and_gradient(at)[1] == pytest.approx(differences(one, at), rel=1e-5, abs=1e-4)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.sampled_from([1, 2]))
def test_the_terms_of_the_sources_add_up(seed: int, classes: int) -> None:
    """Value and gradient of all sources are the weighted sums of those of each alone."""
    weights = (0.7, 2.0, 1.5)
    whole = likelihood(seed, classes, weights=weights)
    at = np.random.default_rng(seed).normal(0.0, 0.4, whole.layout.size)
    value, gradient = 0.0, np.zeros(whole.layout.size)
    plain = three_sources(seed)
    for source, weight in enumerate(weights):
        alone = likelihood_of(
            plain.take(plain.sources == source),
            whole.terms,
            whole.layout.free,
            known=whole.known,
            overdispersion=whole.overdispersed,
        )
        part, slope = alone.value_and_gradient(at)
        value, gradient = value + weight * part, gradient + weight * slope
    found = whole.value_and_gradient(at)
    assert found[0] == pytest.approx(value, rel=1e-12)
    assert found[1] == pytest.approx(gradient, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("classes", [1, 2])
def test_twice_the_weight_is_twice_the_rows(classes: int) -> None:
    """A source of weight 2 gives the same likelihood, loss and curvature as each of its states twice."""
    one = likelihood(1, classes, weights=(1.0, 1.0, 2.0))
    plain = three_sources(1)
    twice = Choices.joined([plain, plain.take(plain.sources == SURVEY)])
    other = likelihood_of(twice, one.terms, one.layout.free, known=one.known, overdispersion=one.overdispersed)
    at = np.random.default_rng(2).normal(0.0, 0.4, one.layout.size)
    for found, expected in zip(one.value_and_gradient(at), other.value_and_gradient(at), strict=True):
        assert found == pytest.approx(expected, rel=1e-12)
    parts = one.parts(at)
    assert one.log_loss(parts).sum() == pytest.approx(other.log_loss(parts).sum(), rel=1e-12)
    free = (*SHARED, "class_attribute")
    assert np.allclose(curvature_of(one, parts, free).hessian, curvature_of(other, parts, free).hessian, rtol=1e-10)


def test_only_till_sales_share_their_surprises() -> None:
    """The overdispersion discounts states of till sales alone, and is estimated from them alone."""
    one = likelihood(3, 1)
    tills = one.choices.sources == TILLS
    assert (one.weight[tills] < 1.0).all() and (one.weight[~tills] == 1.0).all()
    parts = one.parts(np.zeros(one.layout.size))
    alone = Likelihood(one.choices.take(tills), one.terms, one.layout.free, overdispersion=one.overdispersed)
    assert one.overdispersion(parts) == pytest.approx(alone.overdispersion(parts), rel=1e-12)


@pytest.mark.parametrize("classes", [1, 2])
def test_a_group_without_an_effect_of_its_own_has_none(classes: int) -> None:
    """Whatever the effects of such groups are, nothing changes; their gradient and information are nothing."""
    one = likelihood(4, classes)
    at = np.random.default_rng(4).normal(0.0, 0.4, one.layout.size)
    parts = one.parts(at)
    moved = replace(parts, store=np.where(OWN[:, None], parts.store, 9.0))
    assert one.value_and_gradient(one.layout.join(moved))[0] == pytest.approx(one.value_and_gradient(at)[0], rel=1e-12)
    place = one.layout.position("store")
    gradient = one.value_and_gradient(at)[1][place].reshape(GROUPS, PRODUCTS)
    assert (gradient[~OWN] == 0).all() and (np.abs(gradient[OWN]).max(axis=1) > 0).all()
    assert (one.information(parts).store[~OWN] == 0).all()


@pytest.mark.parametrize("classes", [1, 2])
def test_effects_are_integrated_out_only_where_they_are(classes: int) -> None:
    """The Hessian with store effects is that of each group with or without them, summed."""
    one = likelihood(5, classes)
    parts = one.parts(np.random.default_rng(5).normal(0.0, 0.3, one.layout.size))
    free = (*SHARED, "class_attribute", "class_product", "class_covariate")
    whole = curvature_of(one, parts, free, store_precision=4.0).hessian
    total = np.zeros_like(whole)
    for inside, precision in ((OWN, 4.0), (~OWN, None)):
        some = one.choices.take(inside[one.choices.group])
        terms = replace(one.terms, own=None)
        kept = replace(parts, store=parts.store * OWN[:, None])
        part = likelihood_of(some, terms, one.layout.free, known=one.known, overdispersion=one.overdispersed)
        total += curvature_of(part, kept, free, store_precision=precision).hessian
    assert np.allclose(whole, total, rtol=1e-9, atol=1e-9)


def test_a_segment_alone_is_a_plain_logit() -> None:
    """Where a group is one segment, its share of a known mixture is that of the segment's own tastes, whatever the
    others like and however attractive nothing is to them."""
    one = likelihood(6, 2)
    at = np.random.default_rng(6).normal(0.0, 0.4, one.layout.size)
    parts = one.parts(at)
    found = np.concatenate([shares for _, shares in one.shares(parts)])
    for k, group in enumerate((3, 4)):
        plain = replace(one.terms, classes=1, mixes=None)
        mine = replace(
            Coefficients.zeros(plain.shapes),
            **{name: getattr(parts, name) for name in COMMON},
        )
        mine = replace(
            mine,
            attribute=parts.attribute + parts.class_attribute[k],
            product=parts.product + parts.class_product[k],
            covariate=parts.covariate + parts.class_covariate[k],
        )
        alone = Likelihood(one.choices, plain, PARTS)
        expected = np.concatenate([shares for _, shares in alone.shares(mine)])
        rows = one.choices.group == group
        assert np.allclose(found[rows], expected[rows], rtol=1e-10)


def test_a_store_is_the_mixture_of_its_segments_purchases() -> None:
    """Shares by brute force: π b Q over π b, with b the chance of a purchase."""
    one = likelihood(7, 2)
    parts = one.parts(np.random.default_rng(7).normal(0.0, 0.4, one.layout.size))
    found = np.concatenate([shares for _, shares in one.shares(parts)])
    choices, terms = one.choices, one.terms
    for t in np.flatnonzero(choices.sources == TILLS):
        s, week = choices.group[t], choices.week[t]
        bought = np.zeros(PRODUCTS)
        for k in range(2):
            utility = terms.attributes @ (parts.attribute + parts.class_attribute[k])
            utility += parts.product + parts.class_product[k] + parts.store[s]
            utility += parts.period[terms.period[week]] + parts.week[week]
            for c in range(2):
                x = choices.covariates[c, t]
                utility += (parts.covariate[c] + parts.class_covariate[k, c]) * x
                utility += parts.covariate_product[c] * (x - terms.centre[c])
            worth = np.where(choices.offered[t], np.exp(utility), 0.0)
            bought += MIXES[s, k] * worth / (np.exp(parts.class_nothing[k]) + worth.sum())
        assert np.allclose(found[t], bought / bought.sum(), rtol=1e-10)


def test_equal_states_of_two_sources_are_not_counted_together() -> None:
    """Merging keeps sources and weights apart, and the likelihood as it was."""
    plain = three_sources(8, (1.0, 0.5, 2.0))
    twice = Choices.joined([plain, plain])
    again = replace(plain, source=(plain.sources + 1) % 3)
    both = Choices.joined([twice, again])
    terms = terms_of(8, classes=1)
    merged = both.merged(terms.period)
    assert len(merged.group) == 2 * len(plain.group)
    one, other = (Likelihood(choices, terms, COMMON) for choices in (both, merged))
    at = np.random.default_rng(8).normal(0.0, 0.4, one.layout.size)
    at[one.layout.position("week")] = 0.0
    assert one.value_and_gradient(at)[0] == pytest.approx(other.value_and_gradient(at)[0], rel=1e-12)
    assert merged.blocks == both.blocks == 6 * plain.blocks // 2
