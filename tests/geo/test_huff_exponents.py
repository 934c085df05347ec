"""Huff's model with exponents by store or format: the definition, one exponent for all, and numbers at the edge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from geo_worlds import dense, grid, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import GeographyError
from assortment.geo import trade_areas
from assortment.geo.given import numbers
from assortment.inputs import Stores

TWO = stores_at([(500, 900), (1500, 700)], size=[1.0, 2.0])
"""400 m above the middle of the first square, 200 m above the middle of the second."""


def _terms(stores: list[tuple[float, float, float, float]]) -> np.ndarray:
    """Pull over distance ** decay of stores (x, y, pull, decay) in the two squares."""
    return np.array([[a * np.hypot(x - cx, y - 500) ** -decay for cx in (500, 1500)] for x, y, a, decay in stores])


def test_exponents_of_one_store_are_its_own() -> None:
    """With alpha and decay store by store each term has those of its store."""
    areas = trade_areas(TWO, grid(2, 1), attractiveness="size", alpha={"s1": 1.5, "s0": 0.5}, decay=[1.2, 2.6])
    expected = _terms([(500, 900, 1.0, 1.2), (1500, 700, 2.0**1.5, 2.6)])
    assert dense(areas) == pytest.approx(expected / expected.sum(axis=0), rel=1e-12)
    assert areas.parameters["alpha"] == {"s1": 1.5, "s0": 0.5} and areas.parameters["decay"] == [1.2, 2.6]


def test_exponents_may_go_by_format() -> None:
    """A mapping by format gives each store the number of its format, and the record keeps the formats."""
    stores, world = town(6, 4, seed=2)
    formats = ["small", "large", "small", "small", "large", "small"]
    stores = Stores.from_frame(stores.frame.assign(format=formats))
    by_format = {"alpha": {"small": 0.9, "large": 1.1}, "decay": {"small": 2.4, "large": 1.6}}
    one_by_one = {name: [numbers[each] for each in formats] for name, numbers in by_format.items()}
    areas = trade_areas(stores, world, attractiveness="size_m2", **by_format)
    assert dense(areas) == pytest.approx(
        dense(trade_areas(stores, world, attractiveness="size_m2", **one_by_one)), rel=1e-12
    )
    assert {name: areas.parameters[name] for name in by_format} == by_format


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), decay=st.floats(0.0, 30.0), alpha=st.floats(0.0, 10.0), data=st.data())
def test_one_number_each_is_the_same_as_one_for_all(seed: int, decay: float, alpha: float, data: st.DataObject) -> None:
    """Exponents that are given store by store, and all the same, give the shares of that one exponent."""
    stores, world = town(5, 4, seed=seed)
    common = dense(trade_areas(stores, world, attractiveness="size_m2", decay=decay, alpha=alpha))
    form = data.draw(st.sampled_from(["list", "mapping", "series"]))
    each: object = [decay] * 5
    if form == "mapping":
        each = dict.fromkeys(stores.ids, decay)
    elif form == "series":
        each = pd.Series(decay, index=stores.ids)
    given_each = trade_areas(stores, world, attractiveness="size_m2", decay=each, alpha=[alpha] * 5)
    assert dense(given_each) == pytest.approx(common, rel=1e-12, abs=1e-300)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), decay=st.floats(0.1, 30.0), alpha=st.floats(0.0, 10.0))
def test_logs_agree_with_the_direct_way(seed: int, decay: float, alpha: float) -> None:
    """A rival of no account with another decay, which takes all through logs, changes no share."""
    stores, world = town(5, 4, seed=seed)
    direct = trade_areas(stores, world, attractiveness="size_m2", decay=decay, alpha=alpha, distance_floor_m=1.0)
    rival = stores_at([(2000, 2000)])
    logs = trade_areas(
        stores,
        world,
        attractiveness="size_m2",
        decay=decay,
        alpha=alpha,
        distance_floor_m=1.0,
        competitors=rival,
        competitor_attractiveness=1e-300,
        competitor_alpha=1.0,
        competitor_decay=decay / 2.0,
    )
    assert dense(logs) == pytest.approx(dense(direct), rel=1e-10, abs=1e-300)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), alpha=st.floats(0.0, 10.0), unit=st.sampled_from([1e-150, 1e-3, 4046.9, 1e150]))
def test_the_unit_of_attractiveness_does_not_matter(seed: int, alpha: float, unit: float) -> None:
    """With one alpha for all, sizes in another unit give the same shares, whatever the decays."""
    stores, world = town(5, 4, seed=seed)
    size, decay = stores.frame["size_m2"].to_numpy(), np.linspace(1.0, 3.0, 5)
    for decays in (2.0, decay):
        metres, other = (
            dense(trade_areas(stores, world, attractiveness=by * size, alpha=alpha, decay=decays)) for by in (1.0, unit)
        )
        assert other == pytest.approx(metres, rel=1e-11)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), common=st.booleans(), unit=st.sampled_from([1e-9, 1.0, 1e9]))
def test_exponents_of_thirty_and_ten_stay_in_range(seed: int, common: bool, unit: float) -> None:
    """Shares are finite and sum to 1 for decay 30 and alpha 10, for all stores or store by store."""
    stores, world = town(5, 4, seed=seed)
    size = unit * 10.0 ** (stores.frame["size_m2"].to_numpy() / 1000.0)
    decay, alpha = (30.0, 10.0) if common else ([30.0, 29.0, 0.0, 12.0, 30.0], [10.0, 0.0, 9.0, 10.0, 3.0])
    for factor in (1.0, 20.0):
        steep = trade_areas(stores, world, attractiveness=size, decay=decay, alpha=np.multiply(alpha, factor))
        shares = dense(steep)
        assert np.isfinite(shares).all() and (shares >= 0.0).all()
        assert shares.sum(axis=0) == pytest.approx(np.ones(16), rel=1e-12)
        assert steep.covered == pytest.approx(np.ones(16), rel=1e-12)
        assert steep.of_store("s3").to_numpy() == pytest.approx(shares[3], rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    ("of_stores", "of_rival", "table", "expected"),
    [
        ({"decay": 1.5}, {}, {}, 1.5),
        ({"decay": [1.5, 1.5]}, {}, {}, 1.5),
        ({"decay": [1.5, 2.0]}, {"competitor_decay": 3.0}, {}, 3.0),
        ({"decay": {"near": 1.5, "far": 2.0}}, {}, {"format": "far"}, 2.0),
        ({"decay": {"near": 1.5, "far": 2.0}}, {"competitor_decay": {"far": 2.5}}, {"format": "far"}, 2.5),
        ({"decay": {"near": 1.5, "far": 1.5, "rival": 4.0}}, {}, {"format": "rival"}, 4.0),
        ({"decay": "own"}, {}, {"own": 3.5}, 3.5),
    ],
)
def test_competitors_find_their_exponents(
    of_stores: dict[str, object], of_rival: dict[str, object], table: dict[str, object], expected: float
) -> None:
    """Their own, else by the column of the same name, by their format, or the number that all stores share."""
    stores = Stores.from_frame(TWO.frame.assign(format=["near", "far"], own=[1.0, 2.0]))
    rival = stores_at([(1000, 500)], size=[3.0], **table)
    areas = trade_areas(stores, grid(2, 1), attractiveness="size", competitors=rival, **of_stores, **of_rival)
    own = numbers(of_stores["decay"], stores.frame, stores.ids, parameter="decay")  # type: ignore[arg-type]
    terms = _terms([(500, 900, 1.0, own[0]), (1500, 700, 2.0, own[1]), (1000, 500, 3.0, expected)])
    assert dense(areas) == pytest.approx((terms / terms.sum(axis=0))[:2], rel=1e-9)


def test_a_store_to_which_distance_is_nothing_may_stand_anywhere() -> None:
    """With decay 0 a store at a representative point needs no floor, although the decay of the other one is 2."""
    world = grid(2, 1)
    stores = stores_at([(1500, 500), (1500, 600)])
    areas = trade_areas(stores, world, decay=[0.0, 2.0])
    assert dense(areas)[:, 1] == pytest.approx([1.0, 1e-4] / np.float64(1.0001), rel=1e-12)
    with pytest.raises(GeographyError, match=r"between store s0 and neighbourhood n1, so"):
        trade_areas(stores, world, decay=[2.0, 0.0])
