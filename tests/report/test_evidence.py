"""The comparison of a local product with its stand-in, against brute force and finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.report.evidence import Mask, Shelf, compare


def shelf(seed: int, classes: int = 2, products: int = 7) -> Shelf:
    rng = np.random.default_rng(seed)
    return Shelf(
        attraction=rng.uniform(0.1, 2, (classes, products)),
        class_weight=rng.uniform(10, 50, classes),
        no_purchase=rng.uniform(0.5, 2, classes),
        worth=rng.uniform(0.2, 2, products),
        space_cm=rng.uniform(5, 15, products),
        listing_cost=rng.uniform(0, 1, products),
        log_sd=rng.uniform(0.05, 0.5, products),
        shelf_cm=45.0,
        may=rng.random(products) < 0.8,
    )


def picks(seed: int, products: int = 7) -> Mask:
    carried = np.random.default_rng(seed + 1).random(products) < 0.5
    carried[0] = True
    return carried


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_stand_in_is_the_best_of_all_that_may_take_the_place(seed: int) -> None:
    """No product that is free, allowed and fits is worth more in the place of the pick than the stand-in."""
    store, carried = shelf(seed), picks(seed)
    found = compare(store, carried, 0)
    values = {}
    for other in range(7):
        instead = carried.copy()
        instead[0], instead[other] = False, True
        if not carried[other] and store.may[other] and store.space_cm @ instead <= store.shelf_cm:
            values[other] = store.value(instead)
    assert (found.stand_in is None) == (not values)
    if values:
        assert found.worth == pytest.approx(store.value(carried) - max(values.values()))


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_sensitivity_is_the_derivative_of_the_value(seed: int) -> None:
    """Moving the log of an attraction by a little moves the value as the sensitivity says."""
    store, carried = shelf(seed), picks(seed)
    sensitivity = store.sensitivity(carried)
    for product in range(7):
        factor = np.ones(7)
        factor[product] = np.exp(1e-6)
        moved = replace(store, attraction=store.attraction * factor)
        assert (moved.value(carried) - store.value(carried)) / 1e-6 == pytest.approx(sensitivity[product], abs=1e-4)


def test_the_interval_covers_what_sampling_finds() -> None:
    """The delta method agrees with ten thousand draws of the attractions when they are fairly well known."""
    store, carried = replace(shelf(3), log_sd=np.full(7, 0.05), may=np.ones(7, bool)), picks(3)
    found = compare(store, carried, 0)
    assert found.stand_in is not None
    instead = carried.copy()
    instead[0], instead[found.stand_in] = False, True
    rng = np.random.default_rng(0)
    noise = np.exp(rng.normal(0, 0.05, (10_000, 1, 7)))
    worth = [
        replace(store, attraction=store.attraction * draw).value(carried)
        - replace(store, attraction=store.attraction * draw).value(instead)
        for draw in noise
    ]
    low, high = np.quantile(worth, [0.05, 0.95])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05 * (high - low) + 0.02)


def test_a_group_that_needs_the_pick_rules_stand_ins_out() -> None:
    """Where the pick is the only member of a group with a least, only a member of the group may take its place."""
    store, carried = replace(shelf(3), may=np.ones(7, bool), space_cm=np.ones(7)), np.arange(7) < 2
    members = np.isin(np.arange(7), [0, 5])
    found = compare(replace(store, groups=((members, 1, None),)), carried, 0)
    assert found.stand_in == 5


def test_a_change_limit_rules_stand_ins_out() -> None:
    """Where the store may change nothing, no other product may take the place; with two changes one may."""
    store, carried = replace(shelf(3), may=np.ones(7, bool), space_cm=np.ones(7)), np.arange(7) < 2
    assert compare(replace(store, today=carried, changes_max=1), carried, 0).stand_in is None
    assert compare(replace(store, today=carried, changes_max=2), carried, 0).stand_in is not None


def test_nothing_uncertain_leaves_no_interval() -> None:
    """With attractions known exactly the interval is the worth itself."""
    found = compare(replace(shelf(3), log_sd=np.zeros(7)), picks(3), 0)
    assert found.low == found.worth == found.high
