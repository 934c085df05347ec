"""``Demand``: what follows from attractions, whatever made them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assortment.demand import Demand, Drivers
from assortment.errors import DemandError


def random_demand(seed: int, *, S: int = 3, K: int = 2, N: int = 5) -> Demand:
    rng = np.random.default_rng(seed)
    return Demand(
        store_ids=tuple(f"s{s}" for s in range(S)),
        class_names=tuple(f"k{k}" for k in range(K)),
        product_ids=tuple(f"p{n}" for n in range(N)),
        attraction=rng.uniform(0.1, 3.0, (S, K, N)),
        class_weight=rng.uniform(10.0, 90.0, (S, K)),
        no_purchase=rng.uniform(0.2, 1.0, (S, K)),
        log_sd=rng.uniform(0.05, 0.3, (S, N)),
        today=rng.random((S, N)) < 0.8,
        reasons=Drivers(("rich", "old"), rng.normal(size=(S, 2)), np.zeros(2), rng.normal(size=(2, N))),
    )


def test_shares_are_those_of_the_formula() -> None:
    """Two products, one class: e¹ and e⁰ against 1 give e/(2+e) and 1/(2+e) (closed form)."""
    demand = Demand(
        store_ids=("s",),
        class_names=("all",),
        product_ids=("a", "b"),
        attraction=np.exp([[[1.0, 0.0]]]),
        class_weight=[[10.0]],
        no_purchase=[[1.0]],
        log_sd=[[0.1, 0.1]],
    )
    e = np.e
    assert demand.shares([[True, True]])[0] == pytest.approx([e / (2 + e), 1 / (2 + e)])
    assert demand.units([[True, False]])[0] == pytest.approx([10 * e / (1 + e), 0.0])


@given(seed=st.integers(0, 10_000))
def test_transfer_sums_to_one_and_is_what_the_shares_say(seed: int) -> None:
    """What a dropped product loses goes to others and to no purchase, as recomputed from units before and after."""
    demand = random_demand(seed)
    carried = np.ones((3, 5), bool)
    moved = demand.transfer("p1", "s2", carried)
    assert moved["share"].sum() == pytest.approx(1.0)
    assert moved["product_id"].iloc[-1] == "no purchase" and (moved["share"] > 0).all()
    after = carried.copy()
    after[2, 1] = False
    gain = demand.units(after)[2] - demand.units(carried)[2]
    shares = moved.set_index("product_id")["share"]
    for j, product in enumerate(demand.product_ids):
        if j != 1:
            assert shares[product] == pytest.approx(gain[j] / -gain[1])


@given(seed=st.integers(0, 10_000))
def test_only_what_is_carried_is_bought(seed: int) -> None:
    """Shares of the absent are zero, all sum to less than one, and units are shares of the occasions."""
    demand = random_demand(seed)
    carried = np.random.default_rng(seed + 1).random((3, 5)) < 0.6
    shares = demand.shares(carried)
    assert (shares[~carried] == 0).all() and (shares.sum(axis=1) < 1).all()
    assert np.allclose(shares * demand.class_weight.sum(axis=1, keepdims=True), demand.units(carried))


@given(seed=st.integers(0, 10_000), factor=st.floats(1e-3, 1e3))
def test_scaling_attraction_and_no_purchase_alike_changes_nothing(seed: int, factor: float) -> None:
    """Only ratios of attractions count."""
    demand = random_demand(seed)
    scaled = replace(demand, attraction=demand.attraction * factor, no_purchase=demand.no_purchase * factor)
    assert np.allclose(demand.shares(), scaled.shares())


def test_the_interval_holds_the_share_among_purchases() -> None:
    """One row per carried product; low ≤ share ≤ high, wider for a higher level; shares sum to one per store."""
    demand = random_demand(1)
    narrow, wide = demand.interval(0.5), demand.interval(0.9)
    assert demand.today is not None and len(wide) == demand.today.sum()
    assert (wide["low"] <= narrow["low"]).all() and (narrow["low"] <= narrow["share"]).all()
    assert (wide["high"] >= narrow["high"]).all()
    assert wide.groupby("store_id")["share"].sum().to_numpy() == pytest.approx(1.0)
    with pytest.raises(DemandError, match="level = 90"):
        demand.interval(90)


def test_drivers_are_the_strongest_first_and_multiply() -> None:
    """Effects are slope × (store − chain), ordered by size."""
    demand = random_demand(2)
    drivers = demand.drivers("p3", "s1")
    assert list(drivers.columns) == ["demographic", "store_value", "chain_value", "effect"]
    assert (np.diff(np.abs(drivers["effect"])) <= 0).all()
    assert demand.reasons is not None
    total = ((demand.reasons.store_values[1] - demand.reasons.chain_values) * demand.reasons.slopes[:, 3]).sum()
    assert drivers["effect"].sum() == pytest.approx(total)


def test_the_arrays_cannot_be_written_to() -> None:
    """A result is a value: writing raises, and the caller's array is not held."""
    demand = random_demand(3)
    for values in (demand.attraction, demand.class_weight, demand.no_purchase, demand.log_sd, demand.today):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attraction": np.full((3, 2, 5), -1.0)}, "attraction.*store s0 class k0 product p0: -1.0"),
        ({"no_purchase": np.zeros((3, 2))}, "no_purchase.*above zero.*store s0 class k0"),
        ({"class_weight": np.full((3, 2), np.nan)}, "class_weight.*store s0 class k0"),
        ({"log_sd": np.zeros((2, 5))}, r"log_sd has shape \(2, 5\), expected \(3, 5\)"),
    ],
)
def test_wrong_arrays_are_named(change: dict[str, object], message: str) -> None:
    """Shape and range faults name array, store, class and product."""
    with pytest.raises(DemandError, match=message):
        replace(random_demand(4), **change)  # type: ignore[arg-type]


def test_unknown_names_and_absent_products_are_refused() -> None:
    """An id that does not exist, a product that is not carried, a listing that is not known."""
    demand = random_demand(5)
    with pytest.raises(DemandError, match="no product 'p9'"):
        demand.drivers("p9", "s0")
    absent = np.ones((3, 5), bool)
    absent[0, 0] = False
    with pytest.raises(DemandError, match="does not carry product p0"):
        demand.transfer("p0", "s0", absent)
    with pytest.raises(DemandError, match="listing is not known"):
        replace(demand, today=None).shares()
    with pytest.raises(DemandError, match="carried has shape"):
        demand.shares(np.ones((2, 2)))
