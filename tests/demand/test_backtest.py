"""The backtest hides what it says it hides, measures by hand-checked formulas, and says what it finds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from demand_worlds import EFFECT, World, make_profiles, simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.demand.backtest.backtest import backtest
from assortment.demand.backtest.backtest_result import Backtest
from assortment.demand.backtest.baselines import CHAIN, OWN, SHRUNKEN, baselines, forecast, pseudo_count
from assortment.demand.backtest.held_out import Part, parts_by_store, parts_by_week, training_sales, training_settings
from assortment.demand.backtest.scores import States, coverage, errors
from assortment.demand.observed.record import TillRecord, till_record
from assortment.errors import AssortmentWarning, DemandError
from assortment.inputs import Products, Sales


def record_of(units: np.ndarray, offered: np.ndarray | None = None) -> TillRecord:
    """A record of (S, W, N) units at price 1."""
    S, W, N = units.shape
    return TillRecord(
        store_ids=tuple(f"S{s}" for s in range(S)),
        product_ids=tuple(f"p{n}" for n in range(N)),
        promotion=(),
        weeks=pd.Index(range(W)),
        recorded=units.sum(axis=2) > 0,
        offered=np.ones(units.shape, bool) if offered is None else offered,
        units=units.astype(float),
        log_price=np.zeros(units.shape),
        promotions=np.zeros((0, *units.shape)),
        notes=(),
    )


def only(world: World, stores: tuple[str, ...], weeks: int | None = None) -> Sales:
    frame = world.sales.frame
    kept = frame["store_id"].isin(stores) & (frame["week"] < (weeks or 99))
    return Sales.from_frame(frame[kept], promotion=["flyer"])


@pytest.fixture(scope="module")
def by_store(world: World) -> Backtest:
    return backtest(
        world.sales, world.products, world.profiles, offered=world.offered, demographics=list(EFFECT), classes=1
    )


def test_the_chain_average_weighs_units_and_counts_only_what_was_offered() -> None:
    """A product offered in one store alone has its share there, not one diluted by the stores that lack it."""
    units = np.array([[[600_000, 200_000, 200_000]], [[300_000, 100_000, 0]]])
    record = record_of(units, units > 0)
    shares = baselines(record, np.ones((2, 1), bool), own=True)
    assert shares[CHAIN][1] == pytest.approx([0.9 / 1.4, 0.3 / 1.4, 0.2], rel=1e-5)
    assert shares[OWN][0] == pytest.approx([0.6, 0.2, 0.2], rel=1e-5)
    there = forecast(shares[CHAIN], np.array([1]), np.array([[True, True, False]]))
    assert there == pytest.approx(np.array([[0.75, 0.25, 0.0]]), rel=1e-5)
    assert shares[OWN][1, 2] == pytest.approx(0.2, rel=1e-5)  # what a store never offered is as in the chain


def test_a_product_never_sold_is_not_impossible() -> None:
    """Its share is an equal one before anything is known of it, and little once it was offered in vain."""
    units = np.array([[[500, 500, 0]]])
    sold = units > 0
    new, in_vain = (
        baselines(record_of(units, o), np.ones((1, 1), bool), own=False)[CHAIN] for o in (sold, ~sold | sold)
    )
    assert new[0, 2] == pytest.approx(1 / 3)
    assert 0 < in_vain[0, 2] < 1e-3


def test_history_is_shrunken_as_far_as_forecasts_gain_by_it() -> None:
    """Stores that are alike and sell little are pulled to the chain; stores that differ for good are left alone."""
    rng = np.random.default_rng(2)
    alike = rng.multinomial(5, [0.4, 0.3, 0.2, 0.1], (30, 12))
    tastes = rng.dirichlet([2.0] * 4, 30)
    different = np.array([rng.multinomial(500, taste, 12) for taste in tastes])
    everything = np.ones((30, 12), bool)
    assert pseudo_count(record_of(different), everything) < 500
    assert pseudo_count(record_of(alike), everything) > 1000
    shares = baselines(record_of(alike), everything, own=True)
    truth = np.array([0.4, 0.3, 0.2, 0.1])
    assert np.abs(shares[SHRUNKEN] - truth).mean() < 0.5 * np.abs(shares[OWN] - truth).mean()


def test_errors_are_those_worked_out_by_hand() -> None:
    """Two weeks of one store: weekly errors cancel in the total, not in the divergence."""
    units = np.array([[8.0, 2.0], [2.0, 8.0]])
    states = States(np.array([0, 0]), np.ones((2, 2), bool), units)
    row = errors(states, np.full((2, 2), 0.5), ("A", "silent")).iloc[0]
    assert (row["store_id"], row["units"], row["wape"]) == ("A", 20.0, 0.0)
    assert row["log_loss"] == pytest.approx(np.log(2.0))
    assert row["kl"] == pytest.approx(0.8 * np.log(1.6) + 0.2 * np.log(0.4))
    tilted = errors(states, np.array([[0.9, 0.1]] * 2), ("A", "silent"))
    assert tilted["wape"].item() == pytest.approx(2 * 8 / 20) and len(tilted) == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_divergence_is_log_loss_less_what_no_forecast_can_avoid(seed: int) -> None:
    """KL is never negative, is zero for the actual shares, and differs from the log-loss by the same for all."""
    rng = np.random.default_rng(seed)
    units = rng.integers(0, 5, (6, 3)) + np.eye(3, dtype=int)[rng.integers(0, 3, 6)]
    states = States(np.arange(6) % 2, np.ones((6, 3), bool), units.astype(float))
    made, perfect = rng.dirichlet([1.0] * 3, 6), units / units.sum(axis=1, keepdims=True)
    one, best = errors(states, made, ("A", "B")), errors(states, perfect, ("A", "B"))
    assert (one["kl"] >= -1e-12).all() and np.abs(best["kl"]).max() < 1e-12 and best["wape"].max() < 1e-12
    assert (one["log_loss"] - best["log_loss"]).to_numpy() == pytest.approx(one["kl"].to_numpy())


def test_intervals_of_the_right_width_cover_as_often_as_they_say() -> None:
    """Shares that stray by a known spread, and chance on top: near 90 %; of half the width: far less."""
    rng = np.random.default_rng(7)
    S, N, sd = 200, 8, 0.2
    p = rng.dirichlet([5.0] * N, S)
    truth = p * np.exp(rng.normal(0, sd, (S, N)))
    units = np.array([rng.multinomial(400, row / row.sum()) for row in truth]).astype(float)
    states, ids = States(np.arange(S), np.ones((S, N), bool), units), tuple(map(str, range(S)))
    found = [
        coverage(states, p, (np.full((S, N), np.exp(-half)), np.full((S, N), np.exp(half))), ids)
        for half in (1.645 * sd, 0.5 * 1.645 * sd)
    ]
    means = [float(table["coverage"] @ table["judged"] / table["judged"].sum()) for table in found]
    assert 0.86 < means[0] < 0.94 and means[1] < 0.8
    assert found[0]["width"].to_numpy() == pytest.approx(2 * np.sinh(1.645 * sd))
    assert found[0]["judged"].sum() == (p * 400 >= 10).sum()


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(2, 7), st.integers(0, 99))
def test_each_store_is_hidden_once_and_never_seen_then(stores: int, folds: int, seed: int) -> None:
    """The parts of the stores tile the record; a store is wholly seen or wholly hidden."""
    record = record_of(np.ones((stores, 3, 2)))
    parts = parts_by_store(record, folds, seed)
    assert len(parts) == min(folds, stores)
    assert (sum(part.test.astype(int) for part in parts) == 1).all()
    for part in parts:
        assert (part.train ^ part.test).all() and (part.test.all(axis=1) == part.test.any(axis=1)).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 40), st.integers(1, 6), st.integers(1, 20))
def test_weeks_are_forecast_from_those_before_them(total: int, folds: int, weeks: int) -> None:
    """The blocks tile the last weeks, and no refit sees a week of its block or after it."""
    record = record_of(np.ones((2, total, 2)))
    if total - weeks < 2:
        with pytest.raises(DemandError, match="left to"):
            parts_by_week(record, folds, weeks)
        return
    parts = parts_by_week(record, folds, weeks)
    assert len(parts) == min(folds, weeks)
    assert (sum(part.test[0].astype(int) for part in parts) == (np.arange(total) >= total - weeks)).all()
    for part in parts:
        assert np.flatnonzero(part.train[0])[-1] + 1 == np.flatnonzero(part.test[0])[0]


@pytest.mark.parametrize("hold_out", ["stores", "weeks"])
def test_a_refit_gets_no_row_of_what_is_hidden(small: World, hold_out: str) -> None:
    """Neither sales nor baskets; baskets that do not say where (when) they were bought are refused."""
    record = till_record(small.sales, small.products)
    part = parts_by_store(record, 3, 0)[0] if hold_out == "stores" else parts_by_week(record, 1, 2)[0]
    s, w = np.nonzero(part.test)
    hidden = set(zip(np.array(record.store_ids)[s], record.weeks[w], strict=True))
    seen = training_sales(small.sales, record, part)
    assert seen.promotion == ("flyer",) and 0 < len(seen.frame) < len(small.sales.frame)
    assert hidden.isdisjoint(zip(seen.frame["store_id"], seen.frame["week"], strict=True))
    baskets = small.sales.frame[["week", "store_id", "product_id", "units"]].assign(household_id="h")
    kept = training_settings({"baskets": baskets}, record, part)["baskets"]
    assert len(kept) == len(seen.frame)
    column = "store_id" if hold_out == "stores" else "week"
    with pytest.raises(DemandError, match=rf"no column {column}.*{hold_out} held out"):
        bare = baskets[["household_id", "product_id", "units"]].drop_duplicates("product_id")
        training_settings({"baskets": bare}, record, part)


def test_stores_not_seen_are_forecast_better_by_the_model(by_store: Backtest, world: World) -> None:
    """Where demographics move tastes the model beats the chain average beyond the spread, and its interval holds."""
    table = by_store.table.set_index("method")
    assert list(table.index) == ["chain average", "model"] and by_store.best == "model"
    assert by_store.model_is_better and by_store.gain > 3 * by_store.gain_spread
    assert table.loc["model", "kl"] < 0.2 * table.loc["chain average", "kl"]
    assert 0.8 <= table.loc["model", "coverage"] <= 1.0
    assert table.loc["chain average", ["coverage", "width"]].isna().all()
    assert "The model is the best forecast of stores that it had not seen" in by_store.summary()
    assert len(by_store.stores) == 2 * len(world.store_ids)
    units = by_store.stores.groupby("method")["units"].sum()
    assert units.to_numpy() == pytest.approx(world.sales.frame["units"].sum())


def test_the_table_is_the_stores_weighted_by_units(by_store: Backtest) -> None:
    """WAPE of the table is the sum of the stores' absolute errors over all units; its spread is that of the folds."""
    own = by_store.stores[by_store.stores["method"] == "model"]
    row = by_store.table.set_index("method").loc["model"]
    for name in ("wape", "kl", "log_loss"):
        assert row[name] == pytest.approx(float(own[name] @ own["units"] / own["units"].sum()))
    folds = by_store.folds[by_store.folds["method"] == "model"]
    assert row["wape_spread"] == pytest.approx(folds["wape"].std()) and len(folds) == 5


def test_the_future_is_compared_with_history_too(small: World) -> None:
    """All four methods on the same rows; progress rises to its total."""
    seen: list[tuple[int, int]] = []
    found = backtest(
        small.sales,
        small.products,
        small.profiles,
        hold_out="weeks",
        folds=2,
        weeks=2,
        progress=lambda *step: seen.append(step),
        offered=small.offered,
        demographics=["income"],
    )
    assert found.methods == ("chain average", "own history", "shrunken history", "model")
    assert found.held_out == "6 stores, 2 weeks"
    assert found.scores.groupby("method")["units"].sum().nunique() == 1
    assert [done for done, _ in seen] == sorted(done for done, _ in seen) and seen[-1] == (200, 200)


def test_the_result_is_the_same_whatever_workers_and_order_of_rows(small: World) -> None:
    """Shuffled sales and two threads give the same table; another seed hides other stores."""

    def table(sales: Sales, **how: int) -> pd.DataFrame:
        return backtest(sales, small.products, small.profiles, folds=2, demographics=["income"], classes=1, **how).folds

    shuffled = Sales.from_frame(small.sales.frame.sample(frac=1.0, random_state=1), promotion=["flyer"])
    first = table(small.sales)
    pd.testing.assert_frame_equal(first, table(shuffled, workers=2), rtol=1e-9)
    assert not first.equals(table(small.sales, seed=4))


def test_one_store_is_only_forecast_ahead(small: World) -> None:
    """Holding out stores is refused with advice; its weeks are forecast."""
    sales = only(small, ("S01",))
    with pytest.raises(DemandError, match=r'Only store S01.*hold_out="weeks"'):
        backtest(sales, small.products, small.profiles)
    found = backtest(sales, small.products, small.profiles, hold_out="weeks", weeks=1)
    assert "with one part held out" in found.sentence and np.isnan(found.gain_spread)
    assert found.table["wape_spread"].isna().all() and not found.model_is_better


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"hold_out": "shops"}, r"'shops': hold out \"stores\" or \"weeks\""),
        ({"weeks": 3}, 'goes with hold_out="weeks"'),
        ({"folds": 1}, "at least 2 parts"),
        ({"hold_out": "weeks", "weeks": 5}, r"6 weeks; with 5 of them held out 1 are left.*between 1 and 4"),
        ({"hold_out": "weeks", "weeks": 0}, "between 1 and 4"),
        ({"hold_out": "weeks", "folds": 0}, "1 or more"),
    ],
)
def test_what_cannot_be_held_out_is_refused(small: World, asked: dict[str, object], said: str) -> None:
    """The message names what was asked and what to ask instead."""
    with pytest.raises(DemandError, match=said):
        backtest(small.sales, small.products, small.profiles, **asked)


def test_too_short_a_record_is_refused(small: World) -> None:
    """Two weeks leave one to learn from."""
    with pytest.raises(DemandError, match="2 weeks; with 1 of them held out 1 are left"):
        backtest(only(small, small.store_ids, weeks=2), small.products, small.profiles, hold_out="weeks")


def test_a_product_sold_only_in_what_was_hidden_is_named(small: World) -> None:
    """It is forecast all the same, its refit warns once, and nothing becomes infinite."""
    frame = small.sales.frame
    late = Sales.from_frame(frame[(frame["product_id"] != "003") | (frame["week"] >= 5)], promotion=["flyer"])
    with pytest.warns(AssortmentWarning, match="Never sold.*003") as told:
        found = backtest(late, small.products, small.profiles, hold_out="weeks", weeks=1, demographics=["income"])
    assert sum("Never sold" in str(warning.message) for warning in told) == 1
    assert any("only in what was held out" in note and "003" in note for note in found.notes)
    assert np.isfinite(found.table[["wape", "kl", "log_loss"]].to_numpy()).all()


def made(model: list[float], rival: list[float], *, kl: tuple[float, float] = (0.1, 0.2)) -> Backtest:
    """Scores of one store per fold, set by hand."""
    rows = [
        {"fold": f + 1, "store_id": f"S{f}", "method": method, "units": 100.0, "wape": wape[f], "kl": k, "log_loss": k}
        for f in range(len(model))
        for method, wape, k in (("own history", rival, kl[1]), ("model", model, kl[0]))
    ]
    frame = pd.DataFrame(rows).assign(judged=np.nan, coverage=np.nan, width=np.nan)
    return Backtest(hold_out="weeks", scores=frame, held_out="some stores")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (made([0.10, 0.11, 0.12], [0.20, 0.21, 0.22]), "The model is the best forecast of weeks"),
        (made([0.20, 0.21, 0.22], [0.10, 0.11, 0.12]), "worse than own history does.*rely on own history"),
        (made([0.10, 0.21, 0.12], [0.20, 0.11, 0.14]), "does not forecast weeks.*better than own history.*beyond"),
        (made([0.10], [0.20]), "better than own history does.*not known"),
        (made([0.20], [0.10], kl=(0.2, 0.3)), "no better than.*the other way round: KL 0.200 per unit for the model"),
    ],
)
def test_the_finding_is_said_as_it_is(result: Backtest, said: str) -> None:
    """Better, worse, or not to be told apart: in words, with the figures."""
    assert pd.Series([result.sentence]).str.contains(said, regex=True).item()
    assert result.sentence in result.summary()


def test_a_gain_counts_beyond_the_spread_between_folds() -> None:
    """The bound is that of a one-sided t test on the differences of the folds at 5 %."""
    result = made([0.10, 0.10, 0.10], [0.12, 0.14, 0.16])
    assert result.gain == pytest.approx(0.04)
    assert result.gain_spread == pytest.approx(2.919986 * 0.02 / np.sqrt(3))
    assert result.model_is_better


def test_stores_without_profile_are_named(small: World) -> None:
    """As in a fit."""
    few = make_profiles(4)
    with pytest.raises(DemandError, match=r"No profile for .*S05"):
        backtest(small.sales, small.products, few, demographics=["income"])


def test_without_sales_of_the_products_there_is_nothing_to_hide(small: World) -> None:
    """The ids are the likely fault."""
    with pytest.raises(DemandError, match="give sales"):
        backtest(None, small.products, small.profiles)
    other = Products.from_frame(small.products.frame.assign(product_id=[f"x{n}" for n in range(5)]))
    with pytest.raises(DemandError, match="no units of these products"):
        backtest(small.sales, other, small.profiles)


def test_parts_know_nothing_of_silent_weeks() -> None:
    """A week in which a store has no record is neither learnt from nor forecast."""
    units = np.ones((3, 6, 2))
    units[1, 4:] = 0
    parts = parts_by_week(record_of(units), 1, 2)
    assert isinstance(parts[0], Part) and not parts[0].test[1].any() and parts[0].test[0].sum() == 2


def test_simulated_worlds_without_local_tastes_give_no_local_gain() -> None:
    """Where all stores are alike, most of what the chain average misses is chance: the model gains little."""
    same = simulate(stores=8, weeks=6, products=4, buyers=300, effect={})
    found = backtest(same.sales, same.products, same.profiles, folds=4, demographics=["income"], classes=1)
    assert found.gain < 0.08
