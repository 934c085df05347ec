"""What the prior leaves open is found in the data: variance components, structure in time, effects of stores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from demand_worlds import EFFECT, World, simulate
from test_fit_demand import stores_of

from assortment.demand import ChoiceModel, Prior, fit_demand
from assortment.demand.fitting.shrinkage import shrunken_fit, with_shocks
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.layout import PARTS
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices
from assortment.inputs import Sales

STORES, WEEKS, PRODUCTS = 60, 30, 8
TRUE = {"store": 0.25, "period": 0.2, "week": 0.1, "covariate_product": 0.6}


def known_chain(seed: int, *, overdispersion: float = 0.0) -> tuple[Choices, Terms]:
    """A chain whose effects were drawn with the deviations of ``TRUE``; the second demographic does nothing."""
    rng = np.random.default_rng(seed)
    group, week = (part.ravel() for part in np.mgrid[:STORES, :WEEKS])
    period = np.arange(WEEKS)[::-1] // 5
    z = rng.normal(size=(STORES, 2))
    price = rng.normal(0, 0.25, (STORES * WEEKS, PRODUCTS))
    utility = (
        rng.normal(0, 0.5, PRODUCTS)
        + (z[:, :1] * rng.normal(0, 0.4, PRODUCTS) + rng.normal(0, TRUE["store"], (STORES, PRODUCTS)))[group]
        + rng.normal(0, TRUE["period"], (6, PRODUCTS))[period[week]]
        + rng.normal(0, TRUE["week"], (WEEKS, PRODUCTS))[week]
        + price * (-2.0 + rng.normal(0, TRUE["covariate_product"], PRODUCTS))
    )
    shares = np.exp(utility)
    shares /= shares.sum(axis=1, keepdims=True)
    if overdispersion:
        shares = np.array([rng.dirichlet(row * (1 / overdispersion - 1)) for row in shares])
    counts = np.array([rng.multinomial(300, row) for row in shares]).astype(float)
    choices = Choices(group, group % 5, week, counts >= 0, price[None], counts, np.ones(len(group)))
    return choices, Terms(np.zeros((PRODUCTS, 0)), z, np.zeros((1, PRODUCTS)), period)


@pytest.mark.parametrize("overdispersion", [0.0, 0.05])
def test_variance_components_are_recovered(overdispersion: float) -> None:
    """Effects, slopes and the overdispersion come out as they were drawn; an idle demographic vanishes."""
    choices, terms = known_chain(1, overdispersion=overdispersion)
    first = Components.first(Prior(), demographics=2, covariates=("log price",))
    free = tuple(name for name in PARTS if name not in ("week", "attribute", "demographic"))
    fit = with_shocks(shrunken_fit(choices, terms, free, Prior(), first, rounds=8), choices, Prior())
    found = fit.components
    assert found.store == pytest.approx(TRUE["store"], rel=0.15)
    assert found.period == pytest.approx(TRUE["period"], rel=0.35)
    # Part of what single weeks do is taken for the season's.
    assert found.week == pytest.approx(TRUE["week"], rel=0.3)
    assert found.covariate_product[0] == pytest.approx(TRUE["covariate_product"], rel=0.5)
    assert found.demographic_product[1] < 0.25 * found.demographic_product[0]
    # Weekly shocks add to it, as they are found afterwards.
    assert overdispersion * 0.9 <= found.overdispersion <= overdispersion + 0.01


def test_what_the_prior_fixes_stays() -> None:
    """Numbers are kept, and 0 leaves a part out."""
    choices, terms = known_chain(2)
    prior = Prior(store=0.1, period=0.0, demographic_product=0.2, week=0.0, covariate_product=0.3, overdispersion=0.0)
    first = Components.first(prior, demographics=2, covariates=("log price",))
    fit = with_shocks(shrunken_fit(choices, terms, PARTS[:-4] + PARTS[-3:], prior, first, rounds=2), choices, prior)
    assert (fit.components.store, fit.components.period, fit.components.overdispersion) == (0.1, 0.0, 0.0)
    assert (fit.components.demographic_product == 0.2).all() and (fit.components.covariate_product == 0.3).all()
    assert not fit.parts.period.any() and not fit.parts.week.any() and fit.parts.store.any()


@pytest.fixture(scope="module")
def moody() -> World:
    """Stores that differ beyond their demographics, in a market that changes from quarter to quarter."""
    return simulate(stores=30, weeks=12, buyers=600, store_sd=0.3, seed=4)


@pytest.fixture(scope="module")
def model(moody: World) -> ChoiceModel:
    return fit_demand(moody.sales, moody.products, moody.profiles, offered=moody.offered, demographics=list(EFFECT))


def test_stores_in_the_fit_are_forecast_by_what_they_sold(model: ChoiceModel, moody: World) -> None:
    """Known stores come far closer to the truth than by demographics alone, and their intervals are narrower."""
    stores = stores_of(moody.store_ids)
    demand = model.predict(stores, moody.products, moody.profiles)
    plain = fit_demand(
        moody.sales,
        moody.products,
        moody.profiles,
        offered=moody.offered,
        demographics=list(EFFECT),
        prior=Prior(store=0),
    ).predict(stores, moody.products, moody.profiles)

    def error(attraction: np.ndarray) -> float:
        # The truth of the world is the utility at price 1; predictions are at regular prices.
        price = np.log(moody.products.frame["price"].to_numpy())
        apart = np.log(attraction[:, 0]) - (moody.utility - 1.8 * price)
        return float(np.std(apart - apart.mean(axis=1, keepdims=True)))

    assert error(demand.attraction) < 0.4 * error(plain.attraction)
    unseen = np.array([model.log_sd[product] for product in moody.products.ids])
    assert (demand.log_sd < unseen).all() and (demand.log_sd > 0).all()


def test_a_store_that_is_not_in_the_fit_has_no_effect_of_its_own(model: ChoiceModel, moody: World) -> None:
    """A newcomer like a known store has its attraction less that store's effect, and wider bounds."""
    table = moody.profiles.table
    twin = table.loc[["S03"]].set_axis(pd.Index(["new"], name="store_id"))
    profiles = type(moody.profiles).from_frame(
        pd.concat([table, twin]), counts=["people", "old"], rates={"income": "people"}
    )
    demand = model.predict(stores_of(("S03", "new")), moody.products, profiles)
    apart = np.log(demand.attraction[0, 0]) - np.log(demand.attraction[1, 0])
    assert apart == pytest.approx(model.tastes.parts.store[3])
    assert model.design is not None and model.spread is not None
    stretch = model.spread.stretch(model.design.remoteness(model.design.encode(profiles, ("new",))))[0]
    assert demand.log_sd[1] == pytest.approx([stretch * model.log_sd[product] for product in moody.products.ids])


def test_shocks_of_the_record_are_known_in_its_weeks_only(model: ChoiceModel, moody: World) -> None:
    """Shares of a week of the record differ from those of the next, in which nothing is known of the week."""
    offers = pd.DataFrame({"store_id": "S01", "product_id": moody.products.ids, "price": 1.0})
    shares = [model.shares(offers.assign(week=week), moody.profiles).to_numpy() for week in (3, 50, 51)]
    assert not np.allclose(shares[0], shares[1]) and (shares[1] == shares[2]).all()


def with_seasons(world: World, taste: float) -> Sales:
    """The sales of a world in which product 000 sells ``taste`` times as much from week 26 on."""
    frame = world.sales.frame.copy()
    late = (frame["week"] >= 26) & (frame["product_id"] == "000")
    frame.loc[late, "units"] = frame.loc[late, "units"] * taste
    return Sales.from_frame(frame, promotion=["flyer"])


def test_the_last_season_is_carried_into_the_future() -> None:
    """Where a product sells five times as much since two quarters, the forecast follows; without time it does not."""
    world = simulate(stores=8, weeks=52, products=5, buyers=100)
    sales = with_seasons(world, 5.0)
    everything = np.ones((8, 5), bool)
    share = {}
    for time in (None, "none"):
        model = fit_demand(sales, world.products, world.profiles, demographics=[], prior=Prior(time=time))
        demand = model.predict(stores_of(world.store_ids), world.products, world.profiles)
        share[time] = (demand.units(everything) / demand.units(everything).sum(axis=1, keepdims=True))[:, 0].mean()
        assert model.tastes.calendar.length == (0 if time else 13)
        assert any("season of 13 weeks" in note for note in model.notes) == (time is None)
    before = fit_demand(world.sales, world.products, world.profiles, demographics=[]).predict(
        stores_of(world.store_ids), world.products, world.profiles
    )
    units = before.units(everything)
    old = (units / units.sum(axis=1, keepdims=True))[:, 0].mean()
    late = 5 * old / (1 + 4 * old)
    assert share[None] == pytest.approx(late, rel=0.05)
    assert share["none"] < 0.5 * (old + late) + 0.1 * late


def test_how_far_products_stray_from_their_attributes_is_estimated() -> None:
    """Forty products of two attributes: the standard deviations that they were drawn with, within a third."""
    rng = np.random.default_rng(5)
    S, N = 12, 40
    kind = rng.integers(0, 5, N)
    A = np.column_stack([np.eye(5)[kind] - np.eye(5)[kind].mean(axis=0), rng.normal(size=N)])
    level = rng.normal(0.0, 0.8, 5)
    constant = A[:, :5] @ level + 0.3 * rng.normal(size=N)
    share = np.exp(constant) / np.exp(constant).sum()
    choices = Choices(
        group=np.arange(S),
        fold=np.arange(S) % 3,
        week=np.zeros(S, dtype=np.intp),
        offered=np.ones((S, N), dtype=np.bool_),
        covariates=np.zeros((0, S, N)),
        counts=rng.multinomial(20_000, share, S).astype(np.float64),
        weeks=np.ones(S),
    )
    terms = Terms(A, np.zeros((S, 0)), np.zeros((0, N)), np.zeros(1, dtype=np.intp), kind=np.array([0] * 5 + [1]))
    first = Components.first(Prior(), demographics=0, covariates=(), attributes=6)
    found = shrunken_fit(choices, terms, ("attribute", "product"), Prior(), first).components
    assert found.product == pytest.approx(0.3, rel=1 / 3)
    assert found.attribute[0] == pytest.approx(np.sqrt((level - level.mean()).var()), rel=0.5)
    assert found.attribute[5] < 0.15
