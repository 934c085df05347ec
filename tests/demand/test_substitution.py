"""Whether sales move between products as forecast when stores change what they list."""

from __future__ import annotations

import numpy as np
import pytest
from mixture_worlds import random_choices
from substitution_worlds import Changing, changing, nested

from assortment.demand import ChoiceModel, Prior, fit_demand
from assortment.demand.backtest.listing_moves import Losses, listing_moves
from assortment.demand.backtest.substitution import (
    LEAST_STORES,
    findings_on_substitution,
    substitution,
    substitution_in_words,
)
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.mixture import MixtureLikelihood
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices

DRAWS = 20


def fitted_on(
    world: Changing,
    prior: Prior | None = Prior(),  # noqa: B008 - it is frozen
    *,
    nests: bool = False,
) -> ChoiceModel:
    return fit_demand(
        world.sales,
        world.products,
        world.profiles,
        offered=world.offered,
        demographics=[],
        classes=1,
        nests=nests,
        prior=prior,
    )


@pytest.fixture(scope="module")
def nests() -> ChoiceModel:
    return fitted_on(changing(77, apart=0.6))


def one_store(before: np.ndarray, after: np.ndarray, units: np.ndarray) -> Likelihood:
    """Two weeks of a store."""
    N = len(before)
    choices = Choices(
        group=np.zeros(2, dtype=np.intp),
        fold=np.zeros(2, dtype=np.intp),
        week=np.arange(2, dtype=np.intp),
        offered=np.array([before, after]),
        covariates=np.zeros((0, 2, N)),
        counts=units,
        weeks=np.ones(2),
    )
    terms = Terms(np.zeros((N, 0)), np.zeros((1, 0)), np.zeros((0, N)), np.full(2, -1, dtype=np.intp))
    return Likelihood(choices, terms, ())


def test_losses_are_those_of_the_closed_form() -> None:
    """Product 3 joins 0 (of its group), 1 and 2: forecast is the share before × its share after."""
    worth = np.array([1.0, 2.0, 3.0, 2.0])
    before, after = np.array([True, True, True, False]), np.ones(4, dtype=bool)
    group = np.array([0, 1, 1, 0])
    sold = np.array([nested(np.log(worth), there, group, 0.5) * 1000.0 for there in (before, after)])
    likelihood = one_store(before, after, sold)
    parts = Coefficients.zeros(likelihood.terms.shapes)
    parts.product[:] = np.log(worth)
    moves = next(listing_moves(likelihood, parts))
    found = Losses.of(moves, group, overdispersion=0.0)
    share, new = np.array([1 / 6, 5 / 6]), 2 / 8
    assert found.to_similar == pytest.approx([share[0] * new, 0.0])
    assert found.to_others == pytest.approx([0.0, share[1] * new])
    # What sold of the new product itself is not judged: the loss is what would make its forecast sales.
    among = sold[:, :3] / sold[:, :3].sum(axis=1, keepdims=True)
    surprise = (among[0, 0] - share[0]) - (among[1, 0] - share[0])
    assert found.actual == pytest.approx([share[0] * new + surprise * (1 - new), share[1] * new - surprise * (1 - new)])


def test_the_same_change_backwards_is_the_same_finding() -> None:
    """A product that leaves gives back what it took when it came: losses have the other sign."""
    worth = np.array([1.0, 2.0, 3.0, 2.0])
    less, more = np.array([True, True, True, False]), np.ones(4, dtype=bool)
    sold = np.array([[10.0, 25.0, 28.0, 0.0], [7.0, 20.0, 25.0, 22.0]])
    found = []
    for order in ([0, 1], [1, 0]):
        offered = np.array([less, more])[order]
        likelihood = one_store(offered[0], offered[1], sold[order])
        parts = Coefficients.zeros(likelihood.terms.shapes)
        parts.product[:] = np.log(worth)
        moves = next(listing_moves(likelihood, parts))
        found.append(Losses.of(moves, np.array([0, 1, 1, 0]), overdispersion=0.1))
    assert found[0].actual == pytest.approx(-found[1].actual)
    assert found[0].to_similar == pytest.approx(-found[1].to_similar)
    assert found[0].variance == pytest.approx(found[1].variance)


def test_where_shoppers_are_as_the_model_says_nothing_is_found() -> None:
    """In at most one of ten draws of a logit does any attribute stand out, and the ratios are 1 on average."""
    tables = [fitted_on(changing(seed)).substitution.set_index("attribute") for seed in range(DRAWS)]
    assert sum(table["differs"].any() for table in tables) <= DRAWS // 10
    for name in ("kind", "brand"):
        similar = np.array([table.loc[name, "loss_to_similar"] for table in tables])
        assert abs(similar.mean() - 1.0) < 4 * similar.std(ddof=1) / np.sqrt(DRAWS)
        # The error that is claimed is the spread between the draws.
        claimed = np.mean([table.loc[name, "standard_error"] for table in tables])
        assert 0.6 < similar.std(ddof=1) / claimed < 1.6


@pytest.mark.parametrize("prior", [Prior(), None], ids=["shrunken", "plain"])
def test_products_that_share_buyers_are_found(prior: Prior | None) -> None:
    """In a nested logit each draw names the nest, with losses to similar products well above the forecast."""
    for seed in (5, 6, 7):
        table = fitted_on(changing(seed, apart=0.6), prior).substitution.set_index("attribute")
        assert table.loc["kind", "differs"]
        assert table.loc["kind", "loss_to_similar"] > 1.2 and table.loc["kind", "loss_to_others"] < 1.0


def test_the_finding_is_told(nests: ChoiceModel) -> None:
    """In the notes and the summary, in words, with its figures."""
    (finding,) = [note for note in nests.notes if "of the same kind" in note]
    assert "share buyers more than the model says" in finding and "20 stores" in finding
    assert finding in nests.summary()
    assert findings_on_substitution(nests.substitution)[0] == finding


def test_nests_that_are_found_explain_it(nests: ChoiceModel) -> None:
    """The same sales, with nests: losses to products of the kind are much nearer to the forecast."""
    model = fitted_on(changing(77, apart=0.6), nests=True)
    assert model.tastes.nests is not None and model.tastes.nests.attribute == "kind"
    off = [
        abs(found.substitution.set_index("attribute").loc["kind", "loss_to_similar"] - 1) for found in (model, nests)
    ]
    assert off[0] < 0.5 * off[1]


def test_classes_that_keep_to_a_kind_explain_it() -> None:
    """Shoppers drawn from a mixture: forecast by the mixture nothing is found, forecast as one class the kind is."""
    rng = np.random.default_rng(8)
    S, W, N = 30, 8, 6
    group = np.array([0, 0, 0, 1, 1, 1])
    offered = np.repeat(rng.random((2 * S, N)) > 0.3, W // 2, axis=0)
    offered[:, [0, 3]] = True
    choices = Choices(
        group=np.repeat(np.arange(S), W),
        fold=np.zeros(S * W, dtype=np.intp),
        week=np.tile(np.arange(W), S),
        offered=offered,
        covariates=np.zeros((0, S * W, N)),
        counts=np.ones((S * W, N)),
        weeks=np.ones(S * W),
    )
    terms = Terms(np.zeros((N, 0)), np.zeros((S, 0)), np.zeros((0, N)), np.full(W, -1, dtype=np.intp), classes=2)
    parts = Coefficients.zeros(terms.shapes)
    parts.class_product[:] = np.where(group == np.arange(2)[:, None], 1.5, -1.5)
    parts.class_nothing[:] = -20.0
    shares = np.concatenate([share for _, share in MixtureLikelihood(choices, terms, ()).shares(parts)])
    counts = np.array([rng.multinomial(2000, share) for share in shares]).astype(float)
    sold = Choices(**{**vars(choices), "counts": counts})
    told = substitution(MixtureLikelihood(sold, terms, ()), parts, {"kind": group}, overdispersion=0.0).iloc[0]
    assert not told["differs"] and abs(told["loss_to_similar"] - 1.0) < 4 * told["standard_error"]
    alone = Terms(np.zeros((N, 0)), np.zeros((S, 0)), np.zeros((0, N)), np.full(W, -1, dtype=np.intp))
    as_one = substitution(
        Likelihood(sold, alone, ()), Coefficients.zeros(alone.shapes), {"kind": group}, overdispersion=0.0
    ).iloc[0]
    assert as_one["differs"] and as_one["loss_to_similar"] > 1.3


def test_parts_of_the_classes_add_up_to_the_forecast() -> None:
    """By class and in all, for one class and several."""
    choices, terms = random_choices()
    rng = np.random.default_rng(2)
    parts = Coefficients(**{name: rng.normal(0, 0.5, shape) for name, shape in terms.shapes.items()})
    mixture = MixtureLikelihood(choices, terms, ())
    rows = slice(3, 9)
    joint = mixture.by_class(parts)(rows)
    assert joint.shape == (3, 6, 7)
    assert joint.sum(axis=0) == pytest.approx(mixture.forecast(parts)(rows)[0])
    one = Terms(terms.attributes, terms.demographics, terms.centre, terms.period)
    alone = Likelihood(choices, one, ())
    same = Coefficients(**{name: getattr(parts, name)[: one.shapes[name][0]] for name in one.shapes})
    assert alone.by_class(same)(rows)[0] == pytest.approx(alone.forecast(same)(rows)[0])


def test_too_few_stores_are_not_tested() -> None:
    """A chain of four stores has no test, and the summary says so."""
    model = fitted_on(changing(3, stores=LEAST_STORES - 1))
    assert model.substitution.empty
    assert "was not tested" in substitution_in_words(model.substitution)
    assert "was not tested: too few stores changed" in model.summary()
