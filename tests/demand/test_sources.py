"""Till sales, household baskets and a survey together."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from demand_worlds import EFFECT, PRICE, World
from segment_worlds import SEGMENTS, SegmentWorld, two_segments
from test_fit_demand import stores_of
from test_model_file import same

from assortment.demand import ChoiceModel, Demand, Prior, calibrate, fit_demand
from assortment.errors import AssortmentWarning, DemandError, InputError

FIXED = Prior(
    demographic=0.5, store=0.1, period=0.1, week=0.05, covariate_product=0.2, overdispersion=0.01, time="weeks"
)
"""Everything that is estimated is held, so that fits differ by what they are given alone."""


@pytest.fixture(scope="module")
def alike() -> SegmentWorld:
    """The same people around every store: what segments like does not show in the tills."""
    return two_segments(seed=21, spread=0.0, asked=150, households=60)


def fit(world: SegmentWorld, *sources: str, **settings: Any) -> ChoiceModel:
    with_baskets = "baskets" in sources
    return fit_demand(
        world.sales if "sales" in sources else None,
        world.products,
        world.profiles,
        offered=world.offered,
        baskets=world.baskets if with_baskets else None,
        households=world.households if with_baskets else None,
        **{
            "survey": world.survey if "survey" in sources else None,
            "segment": "band",
            "segments": SEGMENTS,
            **settings,
        },
    )


def demand_of(model: ChoiceModel, world: SegmentWorld) -> Demand:
    shelves = pd.DataFrame({"store_id": world.stores.ids, "occasions_per_week": 450.0})
    return model.predict(world.stores, world.products, world.profiles, shelves=shelves)


def taste_error(model: ChoiceModel, world: SegmentWorld) -> float:
    """Distance in total variation of the tastes of the segments from the truth, the mean of both."""
    attraction = demand_of(model, world).attraction.mean(axis=0)
    found = attraction / attraction.sum(axis=1, keepdims=True)
    return 0.5 * float(np.abs(found - world.truth()).sum(axis=1).mean())


def diversion_error(model: ChoiceModel, world: SegmentWorld) -> float:
    """The same of where the sales of a dropped product go, the mean over stores and products."""
    demand = demand_of(model, world)
    everything = np.ones(demand.log_sd.shape, dtype=bool)
    errors = []
    for j, product in enumerate(world.products.ids):
        truth = world.transfers(j)
        for s, store in enumerate(world.stores.ids):
            found = demand.transfer(product, store, everything).set_index("product_id")["share"]
            others = found.reindex(world.products.ids).fillna(0.0).to_numpy()
            away = abs(found["no purchase"] - (1.0 - truth[s].sum()))
            errors.append(0.5 * (np.abs(others - truth[s]).sum() + away))
    return float(np.mean(errors))


def tastes(model: ChoiceModel) -> np.ndarray:
    parts = model.tastes.parts
    return np.concatenate([np.ravel(getattr(parts, part.name)) for part in fields(parts)])


@pytest.mark.parametrize("other", ["baskets", "survey"])
def test_two_sources_know_segments_better_than_either(alike: SegmentWorld, other: str) -> None:
    """Where tills alone cannot tell segments apart, tills with cards or answers recover what each likes, and where the
    sales of a dropped product go, better than either source alone."""
    alone = [fit(alike, "sales"), fit(alike, other)]
    together = fit(alike, "sales", other)
    assert not alone[0].evidence.demographics_help or taste_error(alone[0], alike) > 0.15
    assert together.evidence.demographics_help
    assert taste_error(together, alike) < 0.08 < taste_error(alone[0], alike)
    assert diversion_error(together, alike) < 0.05
    for model in alone:
        assert taste_error(together, alike) < taste_error(model, alike)
        assert diversion_error(together, alike) < diversion_error(model, alike)


def test_each_source_is_said_to_tell_what_it_told(alike: SegmentWorld, tmp_path: Path) -> None:
    """Shares sum to one; tills tell of prices and products, answers and cards of how segments differ; all of it is in
    the summary, in the notes of the forecast, and in the saved file."""
    model = fit(alike, "sales", "baskets", "survey", source_weights={"survey": 2.0})
    table = model.sources.set_index("source")
    assert list(table.index) == ["sales", "baskets", "survey"]
    assert table["purchases"].to_list() == [
        alike.sales.frame["units"].sum(),
        alike.baskets["units"].sum(),
        alike.survey["chose"].sum(),
    ]
    assert table["weighted_purchases"]["survey"] == 2 * table["purchases"]["survey"]
    assert (table["counted_purchases"] <= table["weighted_purchases"]).all()
    for name in ("information", "on_products", "on_prices", "on_people"):
        assert table[name].sum() == pytest.approx(1.0) and (table[name] >= 0).all()
    plain = alike.survey.groupby("product_id")["chose"].sum()
    own = -(plain * np.log(plain / plain.sum())).sum() / plain.sum()
    assert table["log_loss_average"]["survey"] == pytest.approx(own)
    assert table["on_prices"]["sales"] > 0.9 and table["on_products"]["sales"] > 0.8
    assert table["on_people"][["baskets", "survey"]].sum() > 0.8
    assert ((table["log_loss"] > 1.5) & (table["log_loss"] < np.log(9.0))).all()
    summary = model.summary()
    assert "What each source told:" in summary
    for name in ("Till sales", "Household baskets", "The survey"):
        (note,) = (note for note in demand_of(model, alike).notes if note.startswith(f"{name} ("))
        assert note in summary and "of how people differ" in note
    assert "each counted 2 times" in summary
    loaded = ChoiceModel.load(model.save(tmp_path / "a.model"))
    for part in fields(ChoiceModel):
        assert same(getattr(model, part.name), getattr(loaded, part.name)), part.name
    assert loaded.summary() == summary


def test_a_lone_source_is_in_the_frame_and_needs_no_words(fitted: ChoiceModel, world: World) -> None:
    """Sales alone: one row that tells all, no further notes."""
    row = fitted.sources.iloc[0]
    assert len(fitted.sources) == 1 and row["source"] == "sales" and row["information"] == 1.0
    assert row["purchases"] == world.sales.frame["units"].sum()
    assert "What each source told" not in fitted.summary()


@pytest.mark.parametrize("silent", ["sales", "baskets", "survey"])
def test_weight_0_leaves_a_source_out(alike: SegmentWorld, silent: str) -> None:
    """Exactly: the same tastes, evidence and notes as without the source."""
    names = ("sales", "baskets", "survey")
    weighed = fit(alike, *names, source_weights={silent: 0.0})
    without = fit(alike, *(name for name in names if name != silent))
    assert (tastes(weighed) == tastes(without)).all()
    assert weighed.evidence == without.evidence and weighed.notes == without.notes
    assert weighed.sources.equals(without.sources)


@pytest.mark.parametrize("heavy", ["baskets", "survey"])
def test_weight_2_is_every_row_twice(alike: SegmentWorld, heavy: str) -> None:
    """The same tastes and evidence, to rounding."""
    names = ("sales", "baskets", "survey")
    weighed = fit(alike, *names, source_weights={heavy: 2.0})
    rows = pd.concat([getattr(alike, heavy)] * 2)
    twice = fit_demand(
        alike.sales,
        alike.products,
        alike.profiles,
        offered=alike.offered,
        households=alike.households,
        segment="band",
        segments=SEGMENTS,
        baskets=rows if heavy == "baskets" else alike.baskets,
        survey=rows if heavy == "survey" else alike.survey,
    )
    if heavy == "baskets":  # twice the rows are twice the units of a household, which moves the shares of the segments
        assert weighed.purchase_rates["old"] / weighed.purchase_rates["young"] == pytest.approx(
            twice.purchase_rates["old"] / twice.purchase_rates["young"]
        )
    assert tastes(weighed) == pytest.approx(tastes(twice), abs=1e-6)
    assert weighed.evidence.gain == pytest.approx(twice.evidence.gain, abs=1e-9)


def test_weighing_all_of_one_source_changes_its_pull_against_the_prior_alone(alike: SegmentWorld) -> None:
    """Baskets alone, of any weight, go the way of baskets; a heavier weight strays further from nothing."""
    light, heavy = (fit(alike, "baskets", prior=FIXED, source_weights={"baskets": weight}) for weight in (0.1, 10.0))
    spread = [float(np.abs(model.tastes.parts.demographic).sum()) for model in (light, heavy)]
    assert spread[0] < spread[1]


def test_a_survey_alone_is_enough(alike: SegmentWorld) -> None:
    """Segments' tastes come from its answers; answers held out judge it, and the store's share of each is known."""
    model = fit(alike, "survey")
    assert model.evidence.blocked_by == "survey part" and model.evidence.demographics_help
    assert taste_error(model, alike) < 0.12
    demand = demand_of(model, alike)
    assert demand.class_names == ("young", "old")
    assert demand.class_weight == pytest.approx(450.0 * alike.mix)
    assert "Standard errors are of the inverse Hessian" in model.summary()
    with pytest.warns(AssortmentWarning, match="people_old are not used: the segments of 'band' take their place"):
        fit(alike, "survey", demographics=["people_old"])
    assert any("how much each segment buys" in note for note in model.notes)
    assert any("Who chose nothing is not used" in note for note in model.notes)
    with pytest.raises(DemandError, match="give occasions_per_week"):
        model.predict(alike.stores, alike.products, alike.profiles)


def test_a_source_that_contradicts_the_others_is_named(alike: SegmentWorld) -> None:
    """A survey that turns the tastes of both segments round: a note doubts it; the true one is not doubted."""
    fair, other = fit(alike, "sales", "survey"), alike.survey.copy()
    other["chose"] = other.groupby("band")["chose"].transform(lambda chose: chose.to_numpy()[::-1])
    turned = fit(alike, "sales", "survey", survey=other)
    assert not any("contradict" in note for note in fair.notes)
    assert [note for note in turned.notes if note.startswith("The survey contradicts the other sources")]


def test_segments_that_do_not_differ_are_said_not_to(alike: SegmentWorld) -> None:
    """Answers dealt to the segments at random: all are alike everywhere, and the summary says so."""
    survey = alike.survey.assign(chose=100.0)
    model = fit(alike, "sales", "survey", survey=survey)
    assert not model.evidence.demographics_help
    attraction = demand_of(model, alike).attraction
    assert attraction[:, 0] == pytest.approx(attraction[:, 1])
    assert "Tastes are those of the chain average everywhere" in model.summary()


def test_the_forecast_of_stores_fits_what_they_sold(alike: SegmentWorld) -> None:
    """Calibration of a fit with known shares: held-out stores within a few per cent, in all and by product."""
    model = fit(alike, "sales", "baskets")
    demand = model.predict(alike.stores, alike.products, alike.profiles)
    table = calibrate(model, demand, alike.sales, offered=alike.offered)
    assert table["held_out"].all() and (table["product_error"] < 0.12).all()
    assert model.shares(
        pd.DataFrame({"week": 0, "store_id": "S00", "product_id": alike.products.ids}), alike.profiles
    ).sum() == pytest.approx(1.0)
    reasons = demand.drivers(alike.products.ids[3], "S00")
    assert sorted(reasons["demographic"]) == ["old", "young"]


def answers(world: World, people: int, *, store: bool, seed: int = 0) -> pd.DataFrame:
    """What respondents choose at regular prices, store by store or of the chain on average."""
    rng = np.random.default_rng(seed)
    price = PRICE * np.log(world.products.frame["price"].to_numpy())
    tables = []
    for s, name in enumerate(world.store_ids):
        worth = np.exp((world.utility[s] if store else world.utility.mean(axis=0)) + price)
        chose = rng.multinomial(people, worth / worth.sum())
        group = {"store_id": name} if store else {"wave": s}
        tables.append(pd.DataFrame({**group, "product_id": world.products.ids, "respondents": people, "chose": chose}))
    return pd.concat(tables)


def share_error(model: ChoiceModel, world: World) -> float:
    shelves = pd.DataFrame({"store_id": world.store_ids, "occasions_per_week": 100.0})
    demand = model.predict(stores_of(world.store_ids), world.products, world.profiles, shelves=shelves)
    found = demand.shares(np.ones(demand.log_sd.shape, dtype=bool))
    truth = np.exp(world.utility + PRICE * np.log(world.products.frame["price"].to_numpy()))
    return float(np.abs(found / found.sum(1, keepdims=True) - truth / truth.sum(1, keepdims=True)).sum(axis=1).mean())


def test_answers_of_a_store_tell_of_its_people_and_of_itself(small: World) -> None:
    """With a group column store_id the demographics of the store count, and its own effect; without, only the chain."""
    settings: dict[str, Any] = {"offered": small.offered, "demographics": list(EFFECT)}
    plain = fit_demand(small.sales, small.products, small.profiles, **settings)
    local = fit_demand(small.sales, small.products, small.profiles, survey=answers(small, 3000, store=True), **settings)
    assert share_error(local, small) < share_error(plain, small)
    assert local.tastes.parts.store.shape == plain.tastes.parts.store.shape == (6, 5)
    assert local.reliability.mean() > plain.reliability.mean() or local.evidence.gain != plain.evidence.gain
    chain = fit_demand(small.sales, small.products, small.profiles, survey=answers(small, 50, store=False), **settings)
    assert chain.tastes.parts.store.shape == (6, 5) and chain.held_out is not None
    assert chain.held_out.parts[0].store.shape == (6, 5)
    assert chain.evidence.blocks == plain.evidence.blocks == 6  # a survey is never a store held out
    assert chain.sources.set_index("source")["on_people"]["survey"] < 0.05


def test_answers_of_stores_alone_and_of_nowhere(small: World) -> None:
    """Without sales, answers by store follow demographics; answers of nowhere are the chain's tastes everywhere."""
    local = fit_demand(
        None, small.products, small.profiles, survey=answers(small, 500, store=True), demographics=list(EFFECT)
    )
    chain = fit_demand(None, small.products, small.profiles, survey=answers(small, 500, store=False))
    assert local.evidence.blocked_by == "store" and local.evidence.blocks == 6
    assert share_error(local, small) < 0.1 < share_error(chain, small)
    assert "chain average everywhere" in chain.summary()


def test_baskets_of_no_segment_join_the_tills_where_they_were_filled(small: World) -> None:
    """With store and week in the sales the shelf and the promotions of that store and week are what could be bought."""
    sold = small.sales.frame[small.sales.frame["units"] > 0]
    baskets = sold[["week", "store_id", "product_id"]].assign(units=1.0)
    baskets["household_id"] = [f"h{i % 30}" for i in range(len(baskets))]
    model = fit_demand(
        small.sales,
        small.products,
        small.profiles,
        offered=small.offered,
        demographics=list(EFFECT),
        baskets=baskets,
    )
    assert any("Of 100 % of the units in the baskets the tills tell" in note for note in model.notes)
    elsewhere = fit_demand(
        small.sales,
        small.products,
        small.profiles,
        offered=small.offered,
        demographics=list(EFFECT),
        baskets=baskets.drop(columns="store_id"),
    )
    assert any("No basket can be found in the tills" in note for note in elsewhere.notes)
    alone = fit_demand(None, small.products, small.profiles, baskets=baskets.drop(columns="store_id"))
    assert alone.class_names == ("all shoppers",) and alone.sources["source"].to_list() == ["baskets"]


def test_all_faults_of_the_sources_are_named_together(alike: SegmentWorld) -> None:
    """Too few respondents, unknown products, groups of no segment, weights that cannot be: one error, each named."""
    survey = alike.survey.copy()
    survey.loc[0, "chose"] = 1000.0
    survey.loc[1, "product_id"] = "milk?"
    survey.loc[2, "band"] = "middle"
    baskets = alike.baskets.copy()
    baskets.loc[3, "units"] = -1.0
    with pytest.raises(InputError) as caught:
        fit_demand(
            alike.sales,
            alike.products,
            alike.profiles,
            survey=survey,
            baskets=baskets,
            households=alike.households,
            segment="band",
            segments=SEGMENTS,
            source_weights={"survey": -1.0, "tils": 1.0, "baskets": float("nan")},
        )
    text = str(caught.value)
    for part in (
        "survey, row 1",
        "survey, row 2, column 'product_id': found 'milk?'",
        "survey, row 3, column 'band': found 'middle'; expected one of the segments young, old",
        "baskets, row 4, column 'units'",
        "column 'survey': found -1.0; expected a number of at least 0",
        "found 'tils'; expected one of the sources sales, baskets, survey",
        "column 'baskets': found nan",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source_weights": {"sales": 0.0, "survey": 0.0}}, "weight above 0"),
        ({"segments": {"young": "people_young"}, "survey": None}, "one segment alone"),
        ({"prior": None}, "knows no segments"),
        ({"classes": 2}, "each value of `segment` is a class"),
        ({"segments": {"young": "people_young", "old": "nobody"}}, "Demographics not found in the profiles: 'nobody'"),
        ({"segments": None, "survey": None}, "say in `segments` which profile count"),
    ],
)
def test_what_cannot_be_is_an_error_in_words(alike: SegmentWorld, change: dict[str, Any], message: str) -> None:
    """Each with what to do."""
    settings = {"survey": alike.survey, "segment": "band", "segments": SEGMENTS, **change}
    with pytest.raises(DemandError, match=message):
        fit_demand(alike.sales, alike.products, alike.profiles, **settings)
