"""The log of a store's proof: it replays to the same bound, and no change of it makes a false one."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_worlds import a_store, best_of, best_of_many, branching, wider_store

from assortment.optimiser.store.bound import StoreBound, prove, replay
from assortment.optimiser.store.log import Kind, StoreLog
from assortment.optimiser.store.search import search
from assortment.optimiser.store.store import Store


def proven(store: Store, tolerance: float = 1e-3) -> StoreBound:
    """The bound of a store by branching."""
    return prove(store, search(store), tolerance, nodes=200)


def without_step(log: StoreLog, step: int) -> StoreLog:
    """The log with one step left out."""
    K = len(log.powers)
    counts = np.where(log.kinds == Kind.NARROW, 2 * K, 1)
    first = int(counts[:step].sum())
    gone = np.arange(first, first + counts[step])
    steps = log.steps.copy()
    steps[np.searchsorted(np.cumsum(steps), step, side="right")] -= 1
    marks = log.marks
    if log.kinds[step] == Kind.NARROW:
        marks = np.delete(marks, int((log.kinds[:step] == Kind.NARROW).sum()), axis=0)
    rows = np.diff(log.row_starts)
    lost = np.arange(log.row_starts[first], log.row_starts[first + counts[step]])
    return dataclasses.replace(
        log,
        kinds=np.delete(log.kinds, step),
        cutoffs=np.delete(log.cutoffs, step),
        marks=marks,
        money=np.delete(log.money, gone),
        slope=np.delete(log.slope, gone, axis=0),
        ends=np.delete(log.ends, gone, axis=0),
        row_starts=np.concatenate([[0], np.cumsum(np.delete(rows, gone))]).astype(np.int32),
        row_numbers=np.delete(log.row_numbers, lost),
        row_duals=np.delete(log.row_duals, lost),
        steps=steps,
    )


def tampered(log: StoreLog, rng: np.random.Generator) -> StoreLog:
    """The log with one thing changed."""
    what = rng.choice(
        ["money", "slope", "ends", "row_duals", "marks", "cutoffs", "split_at", "splits", "powers", "step", "box"]
    )
    if what == "step":
        return without_step(log, int(rng.integers(len(log.kinds)))) if len(log.kinds) else log
    if what == "box":
        kept = int(rng.integers(len(log.steps)))
        return dataclasses.replace(log, steps=log.steps[:kept], splits=log.splits[:kept])
    array = getattr(log, what).copy()
    if array.size:
        at = np.unravel_index(rng.integers(array.size), array.shape)
        if what in ("splits", "powers"):
            array[at] = rng.integers(-100, 100)
        else:
            array[at] = rng.choice([-array[at], array[at] - 1e-3, 0.0, 10 * array[at], np.nan, np.inf])
    return dataclasses.replace(log, **{what: array})


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100_000))
def test_log_travels(seed: int) -> None:
    """Pickled and back, a log gives the very bound that was proven; the root alone gives no less."""
    store = wider_store(seed)
    with branching():
        proof = proven(store)
        log = pickle.loads(pickle.dumps(proof.log))
        assert replay(store, log) == proof.bound
        assert replay(store, log, full=False) >= proof.bound
        if not log.split:
            assert replay(store, log, full=False) == proof.bound
        assert 0 < log.size < 1_000_000


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from(["plain", "torture", "wider"]))
def test_no_change_makes_a_false_bound(seed: int, numbers: str) -> None:
    """Whatever is changed in a log, what it replays to is not below the best of all assortments."""
    rng = np.random.default_rng(seed)
    store = wider_store(seed, 8) if numbers == "wider" else a_store(seed, numbers)
    best = best_of(store)
    if best is None:
        return
    with branching(), np.errstate(all="ignore"):
        log = proven(store, 1e-6).log
        for _ in range(10):
            changed = tampered(log, rng)
            assert replay(store, changed) >= best - 1e-9 * max(1.0, abs(best))


def test_what_is_missing_is_missed() -> None:
    """Without the first step that narrows, or many others, or with a lower cut-off, a log no longer gives the bound."""
    store = wider_store(5)
    with branching():
        proof = proven(store)
        log = proof.log
        assert isinstance(log, StoreLog)
        assert log.split
        assert replay(store, log) == proof.bound
        needed = [replay(store, without_step(log, i)) > proof.bound + 1e-6 for i in range(len(log.kinds))]
        assert needed[int(np.flatnonzero(log.kinds == Kind.NARROW)[0])]
        assert sum(needed) > 0.2 * len(needed)
        lower = dataclasses.replace(log, cutoffs=log.cutoffs - 1e-3)
        assert replay(store, lower) >= best_of_many(store)
        # Boxes after the last one that took a step were empty from the start.
        for kept in range(1, int(np.flatnonzero(log.steps)[-1]) + 1):
            cut = dataclasses.replace(log, steps=log.steps[:kept], splits=log.splits[:kept])
            assert replay(store, cut) > proof.bound + 1e-6


def test_a_log_is_of_its_prices() -> None:
    """Replayed for the same store at other prices, a log proves nothing false of it."""
    store = wider_store(7)
    other = store.priced(np.random.default_rng(0).normal(0, 1, len(store.cost)))
    with branching():
        log = proven(store).log
        assert replay(other, log) >= best_of_many(other) - 1e-9


def test_no_log_means_the_trivial_bound() -> None:
    """Without a log the bound that needs no work is what follows."""
    store = wider_store(3)
    assert replay(store, None) >= best_of_many(store)
    assert replay(store, None) == pytest.approx(
        store.weight.sum() * store.worth.max() + np.maximum(0.0, -store.cost).sum(), rel=1e-8
    )
