"""Calibration of Huff's model where the data cannot tell, or cannot be used: each case says so."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from geo_worlds import ORIGIN, dense, grid, stores_at, town
from shoppers import flow_table, flows_of, households_at, households_of

from assortment.errors import AssortmentWarning, GeographyError
from assortment.geo import HuffFit, calibrate_huff, trade_areas
from assortment.inputs import Neighbourhoods, Stores

TRUE = {"alpha": 0.8, "decay": 1.7}
SIZED = {"attractiveness": "size_m2"}
TOWN = town(8, 6, seed=0)


def told(stores: Stores, world: Neighbourhoods, **given: object) -> HuffFit:
    """A fit whose doubts were also given as warnings, no more and no fewer."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = calibrate_huff(stores, world, **given)  # type: ignore[arg-type]
    spoken = [str(each.message) for each in caught if issubclass(each.category, AssortmentWarning)]
    assert spoken == [f"calibrate_huff: {sentence}" for sentence in fit.warnings]
    assert all(sentence in fit.summary() for sentence in fit.warnings)
    assert {each.filename for each in caught} <= {__file__}
    return fit


def test_good_data_leave_no_doubt() -> None:
    """Without a reason there is no warning."""
    assert told(*TOWN, flows=flows_of(*TOWN, 30, **SIZED, **TRUE), **SIZED).warnings == ()


@pytest.mark.parametrize("size", [1.0, 700.0])
@pytest.mark.parametrize("by", [None, "format"])
def test_equal_attractiveness_holds_alpha_at_one(size: float, by: str | None) -> None:
    """Stores alike in size cannot tell alpha, also not by format: it is held at 1 without errors; decay is found."""
    stores = Stores.from_frame(TOWN[0].frame.assign(format=["a", "b"] * 4))
    flows = flows_of(stores, TOWN[1], 30, **TRUE)
    fit = told(stores, TOWN[1], flows=flows, attractiveness=size, by=by)
    groups = 1 if by is None else 2
    assert fit.table["value"].tolist()[:groups] == [1.0] * groups
    assert fit.table.loc[: groups - 1, ["standard_error", "robust_error", "low", "high"]].isna().all(axis=None)
    assert fit.table["value"][groups:].to_numpy() == pytest.approx(1.7, abs=0.2)
    assert len(fit.warnings) == 1
    assert "cannot be estimated and is held at 1: attractiveness is the same for all stores" in fit.warnings[0]
    assert "not estimated" in fit.summary()
    trade_areas(stores, TOWN[1], method="huff", **fit.parameters())


def test_attractiveness_alike_within_a_format_is_told() -> None:
    """A format of stores of size 1 has no alpha; the other format's is found."""
    sizes = np.where(np.arange(8) % 2, TOWN[0].frame["size_m2"], 1.0)
    stores = Stores.from_frame(TOWN[0].frame.assign(format=["one", "many"] * 4, size_m2=sizes))
    true = {"alpha": 0.1, "decay": 1.7}
    fit = told(stores, TOWN[1], flows=flows_of(stores, TOWN[1], 60, **SIZED, **true), by="format", **SIZED)
    assert any("alpha of one cannot be estimated and is held at 1" in sentence for sentence in fit.warnings)
    values = fit.table.set_index(["parameter", "group"])["value"]
    assert values["alpha", "one"] == 1.0 and values["alpha", "many"] == pytest.approx(0.1, abs=0.05)


def collinear(noise: float) -> tuple[Stores, Neighbourhoods, pd.DataFrame]:
    """One home, stores on a line, whose size falls with distance but for some noise."""
    reach = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])
    size = 1e5 * reach**-1.0 * np.exp(noise * np.array([1.0, -1.0, 0.0, 1.0, -1.0]))
    stores = stores_at(np.column_stack([500.0 + reach, np.full(5, 500.0)]), size_m2=size)
    world = grid(3, 1)
    flows = flow_table(stores, world, [0] * 5, range(5), [400, 250, 160, 90, 60])
    return stores, world, flows


def test_size_that_goes_with_distance_cannot_be_told_from_it() -> None:
    """Nearly so: a warning names the two and their correlation. Wholly: alpha is held."""
    fit = told(*collinear(0.01)[:2], flows=collinear(0.01)[2], **SIZED)
    assert abs(fit.correlation.loc["alpha", "decay"]) > 0.998
    assert any(
        "alpha and decay can hardly be told apart (their estimates correlate by" in each for each in fit.warnings
    )
    fit = told(*collinear(0.0)[:2], flows=collinear(0.0)[2], **SIZED)
    assert any("alpha cannot be estimated and is held at 1" in each and "as distance" in each for each in fit.warnings)
    assert fit.table["value"][0] == 1.0 and np.isfinite(fit.table["standard_error"][1])
    apart = told(*collinear(0.5)[:2], flows=collinear(0.5)[2], **SIZED)
    assert not any("told apart" in each for each in apart.warnings)


def test_stores_that_are_alike_in_all_leave_nothing_to_estimate() -> None:
    """Of the same size and as far from each home: both parameters are held, and no error comes of it."""
    stores = stores_at([(600, 500), (400, 500)])
    fit = told(stores, grid(1, 1), flows=flow_table(stores, grid(1, 1), [0, 0], [0, 1], [60, 40]))
    assert fit.table["value"].tolist() == [1.0, 2.0] and fit.table["low"].isna().all()
    assert [fit.log_likelihood, fit.log_likelihood_equal] == pytest.approx([100 * np.log(0.5)] * 2)
    assert len(fit.warnings) == 2 and all("is held at" in sentence for sentence in fit.warnings)


@pytest.mark.parametrize("seed", range(3))
def test_everyone_at_the_nearest_store_makes_decay_run_away(seed: int) -> None:
    """Then no decay is too great: it is stopped, without an interval, where the nearest store has all but everyone."""
    stores, world = town(6, 5, seed=seed)
    nearest = dense(trade_areas(stores, world, method="nearest")).argmax(axis=0)
    flows = flow_table(stores, world, range(25), nearest, [10] * 25)
    fit = told(stores, world, flows=flows)
    assert len(fit.warnings) == 2 and "everyone shops at the nearest store, so decay runs away" in fit.warnings[1]
    assert np.isnan(fit.table["standard_error"][1]) and 10.0 < fit.table["value"][1] < 1e4
    areas = trade_areas(stores, world, method="huff", **fit.parameters())
    assert (dense(areas).argmax(axis=0) == nearest).all()
    assert fit.right_share == 1.0 and fit.log_likelihood > 0.1 * fit.log_likelihood_equal


def test_a_format_where_nobody_shops_runs_away_and_spares_the_other() -> None:
    """Its parameters are named; those of the other format are what its trips alone say."""
    stores = Stores.from_frame(TOWN[0].frame.assign(format=["a", "b"] * 4))
    flows = flows_of(stores, TOWN[1], 60, **SIZED, **TRUE)
    to_a = flows[flows["store_id"].isin(stores.ids[::2])]
    fit = told(stores, TOWN[1], flows=to_a, by="format", **SIZED)
    assert any(
        "of b" in sentence and "runs away: the fit gets better without end" in sentence for sentence in fit.warnings
    )
    table = fit.table.set_index(["parameter", "group"])
    assert table.loc[(slice(None), "b"), "standard_error"].isna().any()
    of_a = calibrate_huff(Stores.from_frame(stores.frame.iloc[::2]), TOWN[1], flows=to_a, **SIZED)
    assert table.loc[(slice(None), "a"), "value"].to_numpy() == pytest.approx(of_a.table["value"].to_numpy(), abs=1e-3)


def test_few_trips_are_too_few() -> None:
    """29 trips are told to be few, 30 are not."""
    flows = flow_table(*TOWN, [0, 1, 2, 9, 14, 20], [0, 1, 2, 3, 4, 5], [5, 5, 5, 5, 5, 4])
    assert any("29 trips are too few to calibrate on" in each for each in told(*TOWN, flows=flows).warnings)
    flows["trips"] = 5.0
    assert not any("too few" in each for each in told(*TOWN, flows=flows).warnings)
    homes = households_of(TOWN[0], 6, 29, **SIZED, **TRUE)
    fit = told(*TOWN, households=homes, **SIZED)
    assert any("29 households are too few" in each for each in fit.warnings)


def test_trips_to_one_store_alone_say_little() -> None:
    """One store has all trips: told, whatever the estimates."""
    flows = flow_table(*TOWN, range(36), [3] * 36, [10] * 36)
    assert any("all trips go to one store" in each for each in told(*TOWN, flows=flows, **SIZED).warnings)


def test_an_error_of_more_than_half_the_estimate_is_told() -> None:
    """Alpha of 0.02 from a few hundred trips has a standard error as large: named with its value."""
    flows = flows_of(*TOWN, 10, alpha=0.02, decay=1.7, **SIZED)
    fit = told(*TOWN, flows=flows, **SIZED)
    assert fit.table["standard_error"][0] > 0.5 * abs(fit.table["value"][0])
    assert any("alpha (" in each and "is not known well" in each for each in fit.warnings)
    assert not any("decay (" in each for each in fit.warnings)


@pytest.mark.parametrize(("parameter", "true"), [("alpha", [-1.0, 1.7]), ("decay", [0.8, -1.0])])
def test_negative_estimates_are_told(parameter: str, true: list[float]) -> None:
    """People who shun large or near stores: the estimate stands, a warning says so, and it makes no parameters."""
    stores, world = TOWN
    shares = dense(trade_areas(stores, world, attractiveness=stores.frame["size_m2"].to_numpy() ** np.sign(true[0]),
                               alpha=abs(true[0]), decay=abs(true[1])))  # fmt: skip
    drawn = shares if true[1] > 0 else (1.0 / shares) / (1.0 / shares).sum(axis=0)
    if true[1] < 0:
        true = [-0.8, -1.0]
    row, column = np.indices(drawn.shape)
    flows = flow_table(stores, world, column.ravel(), row.ravel(), np.round(100.0 * drawn).ravel())
    fit = told(stores, world, flows=flows, **SIZED)
    assert fit.table["value"].to_numpy() == pytest.approx(true, abs=0.15)
    assert any(f"{parameter} (" in each and "is below 0" in each for each in fit.warnings)
    with pytest.raises(GeographyError, match=rf"the flows speak against Huff's model.*{parameter} of all stores \(-"):
        fit.parameters()


def test_flows_that_vary_more_than_chance_are_told() -> None:
    """Shares that differ from home to home for other reasons: the dispersion says so, the intervals become wider."""
    rng = np.random.default_rng(0)
    shares = dense(trade_areas(*TOWN, **SIZED, **TRUE))
    drawn = np.array([rng.multinomial(200, rng.dirichlet(20.0 * share)) for share in shares.T])
    home, store = np.indices(drawn.shape)
    fit = told(*TOWN, flows=flow_table(*TOWN, home.ravel(), store.ravel(), drawn.ravel()), **SIZED)
    assert fit.errors == "robust" and fit.dispersion > 3.0
    assert any("times as much as chance would have them" in each for each in fit.warnings)
    assert (fit.table["high"] - fit.table["value"]).to_numpy() == pytest.approx(
        1.96 * fit.table["robust_error"], rel=1e-4
    )


def test_households_without_a_usual_store_or_a_home_are_left_out() -> None:
    """They are counted in a note of their own, and the others tell the same."""
    homes = households_of(TOWN[0], 6, 200, **SIZED, **TRUE)
    lost = homes[:25].assign(household_id=range(25))
    lost.loc[:19, "store_id"] = None
    lost.loc[20:, "latitude"] = np.nan
    with pytest.warns(AssortmentWarning, match=r"households: of 225, 20 without a usual store .* and 5 without a home"):
        fit = calibrate_huff(*TOWN, households=pd.concat([homes, lost]), **SIZED)
    assert fit.log_likelihood == calibrate_huff(*TOWN, households=homes, **SIZED).log_likelihood


def test_homes_far_from_every_neighbourhood_are_told() -> None:
    """Longitude and latitude 0 are a place in the sea: the household is named with its distance."""
    homes = households_of(TOWN[0], 6, 200, **SIZED, **TRUE)
    homes.loc[3, ["longitude", "latitude"]] = 0.0
    with pytest.warns(AssortmentWarning, match=r"1 of 200 homes lie outside .* [\d,.]+ km \(household h3, store s"):
        calibrate_huff(*TOWN, households=homes, **SIZED)


def faulty(**columns: object) -> pd.DataFrame:
    """Three households, some of whose columns are wrong."""
    good = households_at(np.array([[600.0, 700.0], [1700.0, 800.0], [900.0, 1900.0]]) + ORIGIN, ["s0", "s1", "s2"])
    return good.assign(**columns)


ONE_FLOW = {"store_id": ["s0", "s1"], "neighbourhood_id": ["n0", "n1"], "trips": [3.0, 4.0]}


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        ({}, ["either households or flows; found neither"]),
        ({"households": faulty(), "flows": pd.DataFrame(ONE_FLOW)}, ["either households or flows; found both"]),
        ({"flows": pd.DataFrame(ONE_FLOW), "weight": "trips"}, ["weight: 'trips' is for households"]),
        (
            {
                "flows": pd.DataFrame(
                    ONE_FLOW | {"store_id": ["s0", "x9"], "neighbourhood_id": ["m1", "n1"], "trips": [-1, 2]}
                )
            },
            ["x9", "m1", "-1", "at least 0"],
        ),
        ({"flows": pd.DataFrame(ONE_FLOW | {"trips": [0.0, 0.0]})}, ["no trips at all"]),
        ({"flows": pd.DataFrame(ONE_FLOW).drop(columns="trips")}, ["trips", "no such column"]),
        (
            {"households": faulty(store_id=["s0", "x9", None], longitude=[np.nan, 0.1, 0.1])},
            ["1 row of stores that do not exist: x9"],
        ),
        (
            {"households": faulty(neighbourhood_id=["n0", None, "m7"]).drop(columns=["longitude", "latitude"])},
            ["1 row of neighbourhoods that do not exist: m7"],
        ),
        ({"households": faulty(store_id=None)}, ["no household has both a usual store"]),
        ({"households": faulty(latitude=np.nan)}, ["no household has both a usual store"]),
        ({"households": faulty(longitude=0.1)}, ["all 3 homes lie outside every neighbourhood"]),
        ({"households": faulty().drop(columns=["longitude", "store_id"])}, ["'store_id' is missing", "have no place"]),
        (
            {"households": faulty(spend=[1.0, -2.0, np.nan]), "weight": "spend"},
            ["h1 (-2), household h2 (nan)"],
        ),
        ({"households": faulty(spend=0.0), "weight": "spend"}, ["'spend' is 0 for all households of store s0, s1, s2"]),
        ({"households": faulty(spend=1.0), "weight": "spent"}, ["did you mean 'spend'"]),
        ({"households": faulty(), "attractiveness": "size"}, ["attractiveness: store column 'size' is not known"]),
        ({"households": faulty(), "by": "formats"}, ["by: store column 'formats' is not known"]),
        ({"households": faulty(), "by": "cluster"}, ["by: store s1 has no cluster"]),
        ({"households": faulty(), "distance_floor_m": -1.0}, ["distance_floor_m: expected"]),
        (
            {"households": faulty(), "competitors": pd.DataFrame({"longitude": [1.0]})},
            ["competitors, column 'latitude'"],
        ),
    ],
)
def test_what_cannot_be_used_is_named(given: dict[str, object], messages: list[str]) -> None:
    """Faults of ids, trips, homes, weights and settings: those of one table all together."""
    stores = Stores.from_frame(TOWN[0].frame.assign(cluster=["a", None, *"aabbab"]))
    with pytest.raises(GeographyError) as caught:
        calibrate_huff(stores, TOWN[1], **given)  # type: ignore[arg-type]
    assert [message for message in messages if message not in str(caught.value)] == []


def test_one_store_leaves_no_choice() -> None:
    """With one store there is nothing to explain."""
    stores = Stores.from_frame(TOWN[0].frame.iloc[:1])
    with pytest.raises(GeographyError, match="needs at least 2 stores; found 1"):
        calibrate_huff(stores, TOWN[1], flows=flow_table(stores, TOWN[1], [0], [0], [9]))


def test_a_home_at_a_store_needs_the_floor() -> None:
    """Zero distance is an error that names both, as in trade areas; with the floor it counts."""
    world, stores = grid(3, 1), stores_at([(500, 500), (2600, 500)])
    flows = flow_table(stores, world, [0, 1, 2, 2], [0, 1, 1, 0], [10, 10, 10, 5])
    with pytest.raises(GeographyError, match="zero between neighbourhood n0 and store s0; set distance_floor_m"):
        calibrate_huff(stores, world, flows=flows)
    assert told(stores, world, flows=flows, distance_floor_m=50.0).table["value"][1] > 0.0
