"""Calibration of Huff's model: known parameters come back, with errors that are right, by a likelihood that is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from geo_worlds import dense, grid, move_world, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.sparse import csr_array
from shoppers import flow_table, flows_of, households_at, households_of

from assortment.errors import AssortmentWarning
from assortment.geo import HuffFit, calibrate_huff, trade_areas
from assortment.geo.calibration.estimate import Estimate
from assortment.geo.calibration.likelihood import Likelihood
from assortment.geo.calibration.trips import Trips
from assortment.geo.ground.ground import Ground
from assortment.inputs import Stores

TRUE = {"alpha": 0.8, "decay": 1.7}
SIZED = {"attractiveness": "size_m2"}


def of_formats(stores: Stores) -> Stores:
    """The same stores, every other one small."""
    return Stores.from_frame(stores.frame.assign(format=["small", "large"] * (len(stores.ids) // 2)))


def likelihood_of(seed: int, *, groups: int = 1) -> Likelihood:
    """The likelihood of random trips in a small town, stores by turns in groups."""
    stores, world = town(6, 4, seed=seed)
    ground = Ground.of(stores, world)
    return Likelihood(
        trips=Trips.of_flows(flows_of(stores, world, 5, seed=seed, **SIZED, **TRUE), ground),
        store_xy=ground.store_xy,
        log_attractiveness=np.log(stores.frame["size_m2"].to_numpy()),
        group=np.arange(6) % groups,
        groups=groups,
        floor_m=100.0,
    )


def apart(fit: HuffFit, true: list[float], error: str = "standard_error") -> np.ndarray:
    """How many standard errors the estimates are from the truth."""
    return np.asarray((fit.table["value"] - true) / fit.table[error])


@pytest.mark.parametrize("seed", range(4))
def test_known_parameters_come_back_from_flows(seed: int) -> None:
    """Alpha and decay of simulated trips are found within three standard errors."""
    stores, world = town(10, 10, seed=seed)
    fit = calibrate_huff(stores, world, flows=flows_of(stores, world, 30, seed=seed, **SIZED, **TRUE), **SIZED)
    assert (fit.source, fit.observations, fit.clustered_by, fit.clusters) == ("flows", 3000, "neighbourhood", 100)
    assert fit.table["parameter"].tolist() == ["alpha", "decay"]
    assert (np.abs(apart(fit, list(TRUE.values()))) < 3.0).all()
    assert (fit.table["standard_error"] < 0.1).all() and fit.errors == "model" and fit.warnings == ()
    assert fit.dispersion == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("seed", range(4))
def test_known_parameters_come_back_from_homes(seed: int) -> None:
    """The same from households at their own places."""
    stores, world = town(10, 10, seed=seed)
    homes = households_of(stores, 10, 3000, seed=seed, **SIZED, **TRUE)
    fit = calibrate_huff(stores, world, households=homes, **SIZED)
    assert (fit.source, fit.observations, fit.clustered_by, fit.clusters) == ("households", 3000, "household", 3000)
    assert (np.abs(apart(fit, list(TRUE.values()))) < 3.0).all()
    assert np.isnan(fit.dispersion)
    assert fit.table["robust_error"].to_numpy() == pytest.approx(fit.table["standard_error"].to_numpy(), rel=0.15)


def test_parameters_of_each_format_come_back() -> None:
    """With by="format" each format gets its own alpha and decay, within three standard errors."""
    stores, world = town(12, 12, seed=5)
    stores = of_formats(stores)
    true = {"alpha": {"small": 0.9, "large": 0.7}, "decay": {"small": 2.4, "large": 1.6}}
    flows = flows_of(stores, world, 100, seed=2, **SIZED, **true)
    fit = calibrate_huff(stores, world, flows=flows, by="format", **SIZED)
    assert fit.table["group"].tolist() == ["large", "small"] * 2
    assert (np.abs(apart(fit, [0.7, 0.9, 1.6, 2.4])) < 3.0).all()
    with pytest.warns(AssortmentWarning, match="the flows vary .* more than size and distance counts"):
        alike = calibrate_huff(stores, world, flows=flows, **SIZED)
    assert fit.log_likelihood > alike.log_likelihood + 50.0


@pytest.mark.parametrize("by", [None, "format", "cluster"])
def test_the_parameters_go_straight_into_trade_areas(by: str | None) -> None:
    """What the fit hands over gives the trade areas whose shares the fit predicted."""
    stores, world = town(12, 8, seed=2)
    stores = Stores.from_frame(of_formats(stores).frame.assign(cluster=["a"] * 5 + ["b"] * 7))
    flows = flows_of(stores, world, 50, distance_floor_m=200.0, **SIZED, **TRUE)
    fit = calibrate_huff(stores, world, flows=flows, by=by, distance_floor_m=200.0, **SIZED)
    areas = trade_areas(stores, world, method="huff", **fit.parameters())
    assert dense(areas).mean(axis=1) == pytest.approx(fit.stores["predicted_share"].to_numpy(), rel=1e-9)
    assert isinstance(areas.parameters["decay"], float if by is None else dict)


def test_competitors_are_handed_on_and_change_no_estimate() -> None:
    """A card sees own stores alone: rivals that take half of all trips leave the odds of own stores as they are."""
    stores, world = town(16, 10, seed=3)
    own, rivals = Stores.from_frame(stores.frame.iloc[:8]), stores.frame.iloc[8:].drop(columns="store_id")
    flows = flows_of(stores, world, 60, **SIZED, **TRUE)
    seen = flows[flows["store_id"].isin(own.ids)]
    fit = calibrate_huff(own, world, flows=seen, competitors=rivals, **SIZED)
    assert (np.abs(apart(fit, list(TRUE.values()))) < 3.0).all()
    assert fit.log_likelihood == calibrate_huff(own, world, flows=seen, **SIZED).log_likelihood
    areas = trade_areas(own, world, method="huff", **fit.parameters())
    assert areas.parameters["competitors"] == 8 and (dense(areas).sum(axis=0) < 1.0).all()


def test_two_stores_have_the_closed_form_of_the_binary_logit() -> None:
    """Of alike stores at 100 and 200 m and 3 : 1 trips, decay is ln 3 / ln 2, and its error 1 / (ln 2 √(n p q))."""
    stores = stores_at([(600, 500), (300, 500)])
    flows = flow_table(stores, grid(1, 1), [0, 0], [0, 1], [300, 100])
    with pytest.warns(AssortmentWarning, match="alpha cannot be estimated"):
        fit = calibrate_huff(stores, grid(1, 1), flows=flows)
    decay = fit.table.iloc[1]
    assert decay["value"] == pytest.approx(np.log(3.0) / np.log(2.0), rel=1e-9)
    assert decay["standard_error"] == pytest.approx(1.0 / (np.log(2.0) * np.sqrt(400 * 0.75 * 0.25)), rel=1e-9)
    assert [decay["low"], decay["high"]] == pytest.approx(
        decay["value"] + np.array([-1.96, 1.96]) * decay["standard_error"], rel=1e-4
    )
    assert fit.log_likelihood == pytest.approx(300 * np.log(0.75) + 100 * np.log(0.25), rel=1e-12)
    assert fit.log_likelihood_equal == pytest.approx(400 * np.log(0.5), rel=1e-12)
    assert (fit.right_share, fit.share_error) == (0.75, pytest.approx(0.0, abs=1e-9))


def test_alpha_has_a_closed_form_too() -> None:
    """Stores of 1 and e at the same distance: the log-odds of the trips are alpha."""
    stores = stores_at([(600, 500), (400, 500)], size=[np.e, 1.0])
    flows = flow_table(stores, grid(1, 1), [0, 0], [0, 1], [300, 100])
    with pytest.warns(AssortmentWarning, match="decay cannot be estimated and is held at 2: .* equally far"):
        fit = calibrate_huff(stores, grid(1, 1), flows=flows, attractiveness="size")
    assert fit.table["value"].tolist() == [pytest.approx(np.log(3.0), rel=1e-9), 2.0]
    assert fit.table["standard_error"][0] == pytest.approx(1.0 / np.sqrt(400 * 0.75 * 0.25), rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    groups=st.integers(1, 3),
    values=st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6),
)
def test_derivatives_are_those_of_the_likelihood(seed: int, groups: int, values: list[float]) -> None:
    """Gradient and information agree with differences of value and gradient; the likelihood is concave anywhere."""
    likelihood, theta = likelihood_of(seed, groups=groups), np.array(values[: 2 * groups])
    point, step = likelihood.at(theta), 1e-5
    either = [(likelihood.at(theta + h), likelihood.at(theta - h)) for h in step * np.eye(len(theta))]
    slope = [(up.value - down.value) / (2.0 * step) for up, down in either]
    bend = [-(up.gradient - down.gradient) / (2.0 * step) for up, down in either]
    assert point.gradient == pytest.approx(np.array(slope), rel=1e-5, abs=1e-3)
    assert point.information == pytest.approx(np.array(bend), rel=1e-4, abs=1e-3)
    assert np.linalg.eigvalsh(point.information).min() > -1e-8 * np.trace(point.information)


def test_newton_finds_what_a_general_optimiser_finds() -> None:
    """The maximum is that of scipy's simplex search, which knows no derivatives."""
    stores, world = town(6, 4, seed=7)
    flows = flows_of(stores, world, 5, seed=7, **SIZED, **TRUE)
    fit = calibrate_huff(stores, world, flows=flows, distance_floor_m=100.0, **SIZED)
    likelihood = likelihood_of(7)
    searched = minimize(lambda x: -likelihood.at(x).value, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7})
    assert fit.table["value"].to_numpy() == pytest.approx(searched.x, abs=1e-5)
    assert fit.log_likelihood == pytest.approx(-searched.fun, rel=1e-10)


def test_errors_are_those_of_the_numerical_hessian() -> None:
    """Standard errors are the root of the inverse of minus the matrix of second differences."""
    likelihood, step = likelihood_of(11), 1e-3
    stores, world = town(6, 4, seed=11)
    flows = flows_of(stores, world, 5, seed=11, **SIZED, **TRUE)
    fit = calibrate_huff(stores, world, flows=flows, distance_floor_m=100.0, **SIZED)
    top, (a, b) = fit.table["value"].to_numpy(), step * np.eye(2)

    def second(h: np.ndarray, k: np.ndarray) -> float:
        up, down = likelihood.at(top + h + k).value, likelihood.at(top - h - k).value
        return (up - likelihood.at(top + h - k).value - likelihood.at(top - h + k).value + down) / (4.0 * step**2)

    covariance = np.linalg.inv(-np.array([[second(a, a), second(a, b)], [second(b, a), second(b, b)]]))
    errors = np.sqrt(np.diag(covariance))
    assert fit.table["standard_error"].to_numpy() == pytest.approx(errors, rel=1e-4)
    assert fit.correlation.loc["alpha", "decay"] == pytest.approx(covariance[0, 1] / errors.prod(), rel=1e-3)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of a hundred simulations the 95 % intervals of alpha and of decay hold the truth in 88 to 99."""
    likelihood, rng, true = likelihood_of(1), np.random.default_rng(0), np.array(list(TRUE.values()))
    distance = np.hypot(*(likelihood.trips.xy.T[:, :, None] - likelihood.store_xy.T[:, None, :]))
    attraction = np.exp(true[0] * likelihood.log_attractiveness - true[1] * np.log(np.maximum(distance, 100.0)))
    shares = attraction / attraction.sum(axis=1, keepdims=True)
    inside = np.zeros(2)
    for _ in range(100):
        drawn = dataclasses.replace(likelihood.trips, weight=csr_array(rng.multinomial(12, shares).astype(float)))
        estimate = Estimate.of(dataclasses.replace(likelihood, trips=drawn))
        inside += np.abs(estimate.theta - true) <= 1.959964 * estimate.errors
    assert (inside >= 88).all() and (inside <= 99).all()


def test_robust_errors_see_trips_that_go_together() -> None:
    """Where each trip is counted four times, robust errors stay, model errors halve, and the fit says which to use."""
    stores, world = town(8, 10, seed=4)
    flows = flows_of(stores, world, 40, seed=4, **SIZED, **TRUE)
    once = calibrate_huff(stores, world, flows=flows, **SIZED)
    with pytest.warns(AssortmentWarning, match=r"the flows vary [34]\.\d times .* rest on robust errors"):
        four = calibrate_huff(stores, world, flows=flows.assign(trips=4.0 * flows["trips"]), **SIZED)
    assert four.table["value"].to_numpy() == pytest.approx(once.table["value"].to_numpy(), rel=1e-6)
    assert four.table["robust_error"].to_numpy() == pytest.approx(once.table["robust_error"].to_numpy(), rel=1e-6)
    assert four.table["standard_error"].to_numpy() == pytest.approx(
        once.table["standard_error"].to_numpy() / 2, rel=1e-6
    )
    assert (once.errors, four.errors) == ("model", "robust")
    reach = 1.959964 * four.table["robust_error"]
    assert (four.table["high"] - four.table["value"]).to_numpy() == pytest.approx(reach.to_numpy(), rel=1e-6)


def test_homes_may_be_known_by_neighbourhood() -> None:
    """Households without coordinates count from the representative point: the same as flows of as many trips."""
    stores, world = town(6, 5, seed=6)
    flows = flows_of(stores, world, 20, **SIZED, **TRUE)
    each = flows.loc[flows.index.repeat(flows["trips"].astype(int))].drop(columns="trips").reset_index(drop=True)
    homes = each.assign(household_id=np.arange(len(each)))
    by_flow, by_home = (
        calibrate_huff(stores, world, **SIZED, flows=flows),
        calibrate_huff(stores, world, **SIZED, households=homes.sample(frac=1.0, random_state=0)),
    )
    assert by_home.table["value"].to_numpy() == pytest.approx(by_flow.table["value"].to_numpy(), rel=1e-9)
    assert by_home.table["robust_error"].to_numpy() == pytest.approx(by_flow.table["robust_error"].to_numpy(), rel=1e-9)
    assert (by_home.source, by_home.clustered_by, by_home.observations) == ("households", "neighbourhood", 500)


def test_coordinates_come_before_the_neighbourhood() -> None:
    """A home that has both is where its coordinates are; its neighbourhood is what its errors are clustered by."""
    stores, world = town(6, 5, seed=6)
    homes = households_of(stores, 5, 400, **SIZED, **TRUE)
    alone = calibrate_huff(stores, world, households=homes, **SIZED)
    named = calibrate_huff(stores, world, households=homes.assign(neighbourhood_id="n3"), **SIZED)
    assert named.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12)
    assert (named.clusters, named.clustered_by) == (1, "neighbourhood")
    assert np.isnan(named.table["robust_error"]).all()


def test_weights_count_households_more_or_less() -> None:
    """Weight 2 is the same as being there twice for the estimates; its unit does not matter; intervals are robust."""
    stores, world = town(6, 5, seed=8)
    homes = households_of(stores, 5, 300, **SIZED, **TRUE)
    twice = pd.concat([homes, homes.iloc[:100].assign(household_id=lambda t: "again " + t["household_id"])])
    doubled = calibrate_huff(stores, world, households=twice, **SIZED)
    spend = np.repeat([2.0, 1.0], [100, 200])
    weighted, scaled = (
        calibrate_huff(stores, world, households=homes.assign(spend=unit * spend), weight="spend", **SIZED)
        for unit in (1.0, 1e4)
    )
    assert weighted.table["value"].to_numpy() == pytest.approx(doubled.table["value"].to_numpy(), rel=1e-8)
    assert scaled.table["robust_error"].to_numpy() == pytest.approx(weighted.table["robust_error"].to_numpy(), rel=1e-9)
    assert (weighted.errors, weighted.observations) == ("robust", pytest.approx(300.0))


def test_chunks_and_order_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few pairs at a time, in another order, give the same estimates and errors."""
    stores, world = town(6, 5, seed=9)
    homes = households_of(stores, 5, 200, **SIZED, **TRUE)
    whole = calibrate_huff(stores, world, households=homes, **SIZED)
    monkeypatch.setattr("assortment.geo.calibration.likelihood.CELLS", 300)
    mixed = Stores.from_frame(stores.frame.sample(frac=1.0, random_state=1))
    parts = calibrate_huff(mixed, world, households=homes.sample(frac=1.0, random_state=2), **SIZED)
    columns = ["value", "standard_error", "robust_error"]
    assert parts.table[columns].to_numpy() == pytest.approx(whole.table[columns].to_numpy(), rel=1e-8)
    assert (parts.right_share, parts.share_error) == pytest.approx((whole.right_share, whole.share_error), rel=1e-9)


def test_moving_and_turning_the_world_changes_no_estimate() -> None:
    """Only distances count; neither does the unit of attractiveness."""
    stores, world = town(6, 5, seed=10)
    flows = flows_of(stores, world, 30, **SIZED, **TRUE)
    here = calibrate_huff(stores, world, flows=flows, **SIZED)
    there = calibrate_huff(*move_world(stores, world, 0.7, 4000.0, -900.0), flows=flows, **SIZED)
    assert there.table["value"].to_numpy() == pytest.approx(here.table["value"].to_numpy(), rel=1e-4)
    acres = calibrate_huff(stores, world, flows=flows, attractiveness=stores.frame["size_m2"].to_numpy() / 4046.9)
    assert acres.table["value"].to_numpy() == pytest.approx(here.table["value"].to_numpy(), rel=1e-9)


def test_the_floor_is_that_of_the_trade_areas() -> None:
    """Homes nearer than the floor are as far as it: all within it choose as if stores were alike but for size."""
    stores = stores_at([(600, 500), (300, 500), (2500, 500)])
    homes = households_at(np.array([[600_500.0, 4_200_500.0]] * 60), ["s0"] * 30 + ["s1"] * 30)
    with pytest.warns(AssortmentWarning):
        fit = calibrate_huff(stores, grid(3, 1), households=homes, distance_floor_m=250.0)
    # All chose one of the two that count as equally near, none the far one: decay has no upper limit.
    assert any("runs away" in sentence for sentence in fit.warnings)
    assert fit.stores["predicted_share"].tolist() == pytest.approx([0.5, 0.5, 0.0], abs=1e-3)


def test_measures_of_fit_are_what_they_say() -> None:
    """Shares, their mean error and their correlation are those of the table of stores; the summary holds them."""
    stores, world = town(6, 5, seed=12)
    flows = flows_of(stores, world, 30, **SIZED, **TRUE)
    fit = calibrate_huff(stores, world, flows=flows, **SIZED)
    seen = flows.groupby("store_id")["trips"].sum().loc[list(stores.ids)]
    assert fit.stores["trips"].tolist() == seen.tolist()
    assert fit.stores[["share", "predicted_share"]].sum().tolist() == pytest.approx([1.0, 1.0])
    gap = (fit.stores["share"] - fit.stores["predicted_share"]).abs().mean()
    assert fit.share_error == pytest.approx(gap) and 0.0 < gap < 0.02
    assert fit.share_correlation == pytest.approx(fit.stores["share"].corr(fit.stores["predicted_share"]))
    shares = dense(trade_areas(stores, world, method="huff", **fit.parameters()))
    best = flows.pivot(index="store_id", columns="neighbourhood_id", values="trips").loc[
        list(stores.ids), list(world.ids)
    ]
    right = best.to_numpy()[shares.argmax(axis=0), np.arange(shares.shape[1])].sum() / 750
    assert fit.right_share == pytest.approx(right)
    text = fit.summary()
    for words in ("750 trips", "decay: 1.", f"{right:.1%}", "all stores were alike", "Dispersion"):
        assert words in text
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.errors = "robust"  # type: ignore[misc]
