"""Charges of a store: deliveries paid once, rules paid for, and the columns that say the same to a linear programme."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assortment.optimiser.programme.linear import LinearProgram, Polytope
from assortment.optimiser.store.charges import Charges


def some(seed: int) -> tuple[Charges, np.ndarray, np.ndarray]:
    """Charges of up to three suppliers and three rows, and two assortments of six products."""
    rng = np.random.default_rng(seed)
    F, R, N = int(rng.integers(0, 4)), int(rng.integers(0, 4)), 6
    ends = np.sort(rng.normal(0, 2, (2, R)), axis=0)
    ends[0, rng.random(R) < 0.3], ends[1, rng.random(R) < 0.3] = -np.inf, np.inf
    charges = Charges(
        supplier_of=rng.integers(-1, F, N) if F else np.full(N, -1),
        delivery=rng.uniform(0, 9, F),
        matrix=rng.integers(-2, 3, (R, N)).astype(float),
        low=ends[0],
        high=ends[1],
        price=rng.uniform(0, 3, R),
        rules=("groups",) * R,
    )
    return charges, rng.random(N) < 0.5, rng.random(N) < 0.5


def plainly(charges: Charges, carried: np.ndarray) -> float:
    """What is paid, in plain Python."""
    picks = [j for j, taken in enumerate(carried) if taken]
    paid = sum(charges.delivery[f] for f in {charges.supplier_of[j] for j in picks} - {-1})
    for row, low, high, price in zip(charges.matrix, charges.low, charges.high, charges.price, strict=True):
        total = sum(row[j] for j in picks)
        paid += price * (max(0.0, total - high) + max(0.0, low - total))
    return float(paid)


@given(st.integers(0, 10_000))
def test_every_way_to_say_it_agrees(seed: int) -> None:
    """One assortment, many at once, and the least that the added columns can cost: the same amount."""
    charges, one, other = some(seed)
    expected = [plainly(charges, one), plainly(charges, other)]
    assert [charges.of(one), charges.of(other)] == pytest.approx(expected, abs=1e-9)
    assert charges.of_each(np.array([one, other])).tolist() == pytest.approx(expected, abs=1e-9)
    assert max(expected) <= charges.most + 1e-9
    matrix, low, high = charges.rows
    fixed = [np.concatenate([one.astype(float), end]) for end in (0 * charges.upper, charges.upper)]
    cost = np.concatenate([np.zeros(6), charges.cost])
    answer = LinearProgram(Polytope(matrix, low, high, *fixed)).maximise(-cost)
    assert answer.columns is not None
    assert cost @ answer.columns == pytest.approx(expected[0], abs=1e-9)


@given(st.integers(0, 10_000))
def test_moves_cost_the_difference(seed: int) -> None:
    """For each product that leaves and each that enters the change is the difference of what is paid."""
    charges, carried, _ = some(seed)
    inside, outside = np.flatnonzero(carried), np.flatnonzero(~carried)
    table = charges.of_moves(carried, inside, outside)
    for i, leaving in enumerate([-1, *inside]):
        for e, entering in enumerate([-1, *outside]):
            moved = carried.copy()
            moved[[j for j in (leaving,) if j >= 0]] = False
            moved[[j for j in (entering,) if j >= 0]] = True
            assert table[i, e] == pytest.approx(plainly(charges, moved) - plainly(charges, carried), abs=1e-9)


@given(st.integers(0, 10_000))
def test_parts_add_up(seed: int) -> None:
    """The parts of what changes add up to the change, and what stays has none."""
    charges, before, after = some(seed)
    parts = charges.parts(before, after)
    assert parts.sum() == pytest.approx(plainly(charges, after) - plainly(charges, before), abs=1e-9)
    assert (parts[before == after] == 0).all()


def test_a_delivery_is_shared_by_those_who_need_it() -> None:
    """Who brings a supplier bears its cost in equal parts; nobody does while another of its products stays."""
    charges = Charges(np.array([0, 0, 0, -1]), np.array([6.0]), np.zeros((0, 4)), *([np.zeros(0)] * 3), ())
    none, two = np.zeros(4, bool), np.array([True, True, False, True])
    assert charges.parts(none, two).tolist() == [3, 3, 0, 0]
    assert charges.parts(two, none).tolist() == [-3, -3, 0, 0]
    assert charges.parts(np.array([False, False, True, False]), np.array([True, False, True, True])).tolist() == [0] * 4
    assert charges.parts(np.array([False, False, True, False]), np.array([True, False, False, True])).tolist() == [
        3,
        0,
        -3,
        0,
    ]
