"""The compact form of a store: its bounds hold for any duals, and its boxes keep all that beats the cut-off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_worlds import a_store, every

from assortment.optimiser.store.compact import Box, Compact, Duals, Fold
from assortment.optimiser.store.store import Store

SEEDS = st.integers(0, 100_000)
NUMBERS = st.sampled_from(["plain", "torture"])


def a_fold(store: Store, rng: np.random.Generator) -> Fold:
    """Some products carried and some left out, without those that must or may not."""
    compact = Compact.near(store, rng.random(len(store.cost)) < 0.5)
    root = compact.root().fold
    free = ~(root.ones | root.zeros) & (rng.random(compact.N) < 0.5)
    carried = rng.random(compact.N) < 0.5
    return Fold(compact, root.ones | (free & carried), root.zeros | (free & ~carried))


def a_box(store: Store, rng: np.random.Generator) -> Box:
    """The root's marks over such a fold, some of them lower, the ends as the free products leave them."""
    fold = a_fold(store, rng)
    mark = fold.compact.root().mark
    lower = mark * rng.uniform(0.3, 1, len(mark))
    mark = np.where(fold.short(lower)[0] >= 0, lower, mark)
    low, high = fold.short(mark)
    return Box(fold, mark, np.maximum(low, 0.0), np.maximum(high, 0.0))


def some_duals(compact: Compact, rng: np.random.Generator, P: int) -> Duals:
    """Duals of any size and sign, also where the sign is wrong."""
    size = 10.0 ** rng.integers(-4, 3)
    duals = [size * rng.normal(0, 1, shape) for shape in ((P, compact.K), (P, compact.K), (P, compact.M))]
    return Duals(np.abs(rng.normal(0, 1, P)) * 10.0 ** rng.integers(-3, 2), *duals)


def members(box: Box) -> list[np.ndarray]:
    """The assortments of a box that obey the store's rules."""
    fold, store = box.fold, box.fold.compact.store
    return [p for p in every(store) if (p >= fold.ones).all() and not (p & fold.zeros).any() and store.fits(p)]


def shortfalls(box: Box, carried: np.ndarray) -> np.ndarray:
    """The shortfall of each class from its mark, from the formula."""
    store, scale = box.fold.compact.store, box.fold.compact.scale
    pull = store.pull[:, carried]
    return (box.mark * (1 + pull.sum(axis=1)) - (store.pull * store.worth)[:, carried].sum(axis=1)) / scale


def holds(box: Box, carried: np.ndarray) -> bool:
    """Whether an assortment lies in the box, but for rounding."""
    short, slack = shortfalls(box, carried), 1e-9 * (1 + box.high)
    inside = (carried >= box.fold.ones).all() and not (carried & box.fold.zeros).any()
    return bool(inside and (short >= box.low - slack).all() and (short <= box.high + slack).all())


@given(SEEDS)
def test_tangents_lie_below_the_ratio(seed: int) -> None:
    """On the whole range of the shortfall and for any 1 + V, a tangent of any slope is below short/(1 + V)."""
    rng = np.random.default_rng(seed)
    box = a_box(a_store(seed, "plain"), rng)
    K = len(box.mark)
    slope = 10.0 ** rng.uniform(-3, 3, (1, K))
    curve, level = box.tangents(slope)
    for _ in range(20):
        t = 10.0 ** rng.uniform(-4, 4, K)
        short = box.low + rng.choice([0.0, 1.0, rng.random()], K) * (box.high - box.low)
        parts = slope[0] * short, curve[0] * t, level[0]
        assert (short / t >= parts[0] - parts[1] + parts[2] - 1e-12 * np.abs(parts).sum(axis=0)).all()


@settings(max_examples=150, deadline=None)
@given(SEEDS, NUMBERS)
def test_value_is_bounded_by_any_duals(seed: int, numbers: str) -> None:
    """No assortment of a box is worth more than any duals prove; with a product the other way, no more than that."""
    rng, store = np.random.default_rng(seed), a_store(seed, numbers)
    box = a_box(store, rng)
    bound, reduced = box.worth_most(some_duals(box.fold.compact, rng, 1))
    best_of_free = np.maximum(reduced, 0.0)
    for picks in members(box):
        value = store.value(picks)
        slack = 1e-12 * max(1.0, abs(value))
        assert value <= bound + slack
        against = best_of_free - np.where(picks[box.fold.free], reduced, 0.0)
        assert value <= bound - against.max(initial=0.0) + slack + 1e-12 * abs(bound)


@settings(max_examples=150, deadline=None)
@given(SEEDS, NUMBERS)
def test_boxes_keep_what_beats_the_cutoff(seed: int, numbers: str) -> None:
    """Narrowing to any marks by any duals, and folding by reduced costs, loses nothing worth more than the cut-off."""
    rng, store = np.random.default_rng(seed), a_store(seed, numbers)
    box = a_box(store, rng)
    inside = members(box)
    if not inside:
        return
    compact = box.fold.compact
    cutoff = float(rng.choice([store.value(picks) for picks in inside])) - 1e-6
    mark = np.where(rng.random(compact.K) < 0.5, box.mark, box.mark * rng.uniform(0.5, 1.1, compact.K))
    narrow = box.narrowed(mark, some_duals(compact, rng, 2 * compact.K), cutoff)
    fixed = narrow.fixed(*narrow.worth_most(some_duals(compact, rng, 1)), cutoff)
    beaten = fixed.beaten(some_duals(compact, rng, 1), cutoff)
    for picks in inside:
        if store.value(picks) > cutoff + 1e-9 * max(1.0, abs(cutoff)):
            assert holds(narrow, picks)
            assert holds(fixed, picks)
            assert not fixed.empty()
            assert not beaten


@given(SEEDS, NUMBERS)
def test_folding_changes_no_sum(seed: int, numbers: str) -> None:
    """Constants plus free products give 1 + V, R, costs and rows of the whole store; the best of a fold is its best."""
    rng, store = np.random.default_rng(seed), a_store(seed, numbers)
    box = a_box(store, rng)
    fold, compact = box.fold, box.fold.compact
    if fold.torn:
        assert box.empty()
        assert not members(box)
        return
    assert sorted([*np.flatnonzero(fold.ones), *np.flatnonzero(fold.zeros), *fold.free]) == list(range(compact.N))
    picks = fold.ones.copy()
    picks[fold.free] = rng.random(len(fold.free)) < 0.5
    x = picks[fold.free]
    pull = store.pull[:, picks]
    assert (fold.t + fold.pull @ x) * compact.scale == pytest.approx(1 + pull.sum(axis=1), rel=1e-12)
    income = (store.pull * store.worth)[:, picks]
    size = np.abs(income).sum(axis=1) + 1
    assert ((fold.income + fold.earned @ x) * compact.scale - income.sum(axis=1)) / size == pytest.approx(0, abs=1e-12)
    assert fold.paid + fold.cost @ x == pytest.approx(store.cost[picks].sum(), abs=1e-9)
    assert fold.sums + compact.rows[:, fold.free] @ x == pytest.approx(compact.rows @ picks, abs=1e-9)
    values = [store.value(one) for one in members(box)]
    most, carried = fold.best()
    if values:
        assert most == pytest.approx(max(values), rel=1e-9, abs=1e-9 * compact.size)
        assert store.value(carried) == pytest.approx(max(values), rel=1e-9, abs=1e-9)
    else:
        assert most == -np.inf


@given(SEEDS)
def test_one_assortment_is_bounded_by_its_value(seed: int) -> None:
    """With every product folded, the tangent at the assortment gives the value of its sales and costs."""
    rng, store = np.random.default_rng(seed), a_store(seed, "plain")
    compact = Compact.near(store, np.zeros(len(store.cost), bool))
    picks = rng.random(compact.N) < 0.5
    fold, mark = Fold(compact, picks, ~picks), np.full(compact.K, np.abs(store.worth).max())
    low, high = fold.short(mark)
    box = Box(fold, mark, np.maximum(low, 0.0), high)
    duals = Duals.none(1, compact.K, compact.M)
    duals.money[0], duals.slope[0] = 1.0, 1 / fold.t
    value = store.value(picks) + store.charges.of(picks)
    assert value - 1e-9 <= box.worth_most(duals)[0] <= value + 1e-6 * max(1.0, compact.size)


@given(SEEDS)
def test_halves_make_the_whole(seed: int) -> None:
    """Every assortment of a box lies in one of its halves, wherever it is split."""
    rng = np.random.default_rng(seed)
    box = a_box(a_store(seed, "plain"), rng)
    if len(box.mark):
        k = int(rng.integers(len(box.mark)))
        at = float(rng.uniform(0.5 * box.low[k], 1.5 * box.high[k] + 1))
        for picks in members(box):
            assert any(holds(half, picks) for half in box.halved(k, at) if not half.empty())
