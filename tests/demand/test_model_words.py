"""What a model says of itself in words: fit, hold-out, local tastes, buying nothing, and what to take care of."""

from __future__ import annotations

import re

import numpy as np
import pytest
from demand_worlds import EFFECT, World

from assortment.demand import CHAIN_EVERYWHERE, ChoiceModel, fit_demand


@pytest.fixture(scope="module")
def alike(indifferent: World) -> ChoiceModel:
    return fit_demand(
        indifferent.sales,
        indifferent.products,
        indifferent.profiles,
        offered=indifferent.offered,
        demographics=list(EFFECT),
        classes=1,
    )


def test_demographics_that_do_not_help_are_said_to_be_left_out(alike: ChoiceModel, fitted: ChoiceModel) -> None:
    """Both in the sentence on tastes and in the summary; where they help, neither."""
    assert not alike.local and "do not forecast" in alike.tastes_in_words
    assert alike.tastes_in_words.endswith(CHAIN_EVERYWHERE) and alike.tastes_in_words in alike.summary()
    assert fitted.local and CHAIN_EVERYWHERE not in fitted.summary()


def test_the_summary_has_figures_of_fit_and_hold_out(fitted: ChoiceModel, world: World) -> None:
    """The log-loss of the fit is that of the shares that it gives to what was offered."""
    offers = world.sales.frame.drop(columns="units")
    units = world.sales.frame["units"].to_numpy()
    loss = -float(units @ np.log(fitted.shares(offers, world.profiles).to_numpy())) / units.sum()
    assert fitted.evidence.log_loss_fit == pytest.approx(loss, rel=1e-6)
    on_offer = world.sales.frame.groupby(["week", "store_id"])["product_id"].transform("size").to_numpy()
    assert fitted.evidence.log_loss_even == pytest.approx(float(units @ np.log(on_offer)) / units.sum())
    assert f"of the fit {loss:.4f}" in fitted.summary()
    assert f"{fitted.evidence.log_loss_demographics:.4f} with demographics" in fitted.summary()


def test_an_assumed_walk_away_rate_is_printed(fitted: ChoiceModel, small: World) -> None:
    """Where the size of the category is not known, in the summary too."""
    assert "Assumed: 10% of the choice occasions end without a purchase" in fitted.summary()
    other = fit_demand(small.sales, small.products, small.profiles, demographics=[], walk_away=0.25)
    assert "Assumed: 25%" in other.summary()


def test_cautions_are_notes_that_are_told_once(small: World) -> None:
    """A product that never sold is a caution, a note of every forecast, and stands once in the summary."""
    frame = small.sales.frame
    sales = type(small.sales).from_frame(frame[frame["product_id"] != "003"], promotion=["flyer"])
    model = fit_demand(sales, small.products, small.profiles, demographics=[])
    caution = "Never sold, so forecast from attributes alone: 003."
    assert caution in model.cautions and set(model.cautions) <= set(model.notes)
    assert len(re.findall(re.escape(caution), model.summary())) == 1
