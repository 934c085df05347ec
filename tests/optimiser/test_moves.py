"""Moves of the chain: the core of every group finds its way, and formats with cores of their own lose nothing."""

from __future__ import annotations

import numpy as np
from chain_instances import chain_problem
from hypothesis import given, settings
from hypothesis import strategies as st
from optimiser_worlds import best_value, obeys, small_problem

from assortment.optimiser import Problem, solve
from assortment.optimiser.chain.draft import Draft, marginal_values
from assortment.optimiser.chain.moves import moves_that_help
from assortment.optimiser.chain.start import around_core, free_stores, loss_as_core
from assortment.optimiser.store.own_rows import can_be_core
from assortment.optimiser.store.store import stores_of
from assortment.optimiser.workers import Clock, Workers


def formats(S: int, N: int, *, count: int, seed: int = 1) -> Problem:
    """A chain whose stores belong to ``count`` formats in turn, each with a core of its own."""
    return chain_problem(S, N, 2, seed=seed, core=4).with_rules(core_groups=np.arange(S) % count)


def test_the_core_of_every_format_moves() -> None:
    """From a core of the next best products, moves alone lead every format to a better one."""
    problem, team = formats(8, 24, count=2), Workers(None)
    stores = stores_of(problem)
    free = free_stores(problem, stores, team)
    margins = np.array([marginal_values(store, free[s]) for s, store in enumerate(stores)])
    worse = np.zeros((2, problem.N), bool)
    for c, candidates in enumerate(can_be_core(problem)):
        loss = np.where(candidates, loss_as_core(problem, margins, c), np.inf)
        worse[c, np.argsort(loss, kind="stable")[4:8]] = True
    first = around_core(problem, stores, free, worse, team)
    assert first is not None
    drafts: list[Draft] = [first]
    while (moved := moves_that_help(problem, stores, drafts[-1], gap=1e-4, clock=Clock(None))) is not None:
        drafts.append(moved)
        assert moved.value(problem) > drafts[-2].value(problem)
        assert obeys(problem, moved.carried, moved.core_by_store(problem))
    changed = (drafts[-1].core != worse).any(axis=1)
    assert changed.all()
    plan = solve(problem, prove=False)
    assert drafts[-1].value(problem) > 0.5 * (first.value(problem) + plan.value)


def test_more_core_freedom_is_never_worse() -> None:
    """Formats with a core each earn no less than with one core for all, within the proven gap."""
    own = formats(6, 16, count=3)
    one = own.with_rules(core_groups=None)
    alike, apart = solve(one, gap=2e-3), solve(own, gap=2e-3)
    assert apart.bound >= alike.value
    assert apart.value >= alike.value - 2e-3 * abs(alike.value)
    # The plan with one core is one of those with a core each.
    assert obeys(own, alike.carried, alike.core)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100_000))
def test_more_core_freedom_of_small_chains(seed: int) -> None:
    """The same on small problems with every rule, where the best of both is known by trying all."""
    one = small_problem(seed).with_rules(core_groups=None)
    own = one.with_rules(core_groups=np.arange(one.S))
    best, free = best_value(one), best_value(own)
    if best is None:
        return
    assert free is not None
    assert free >= best - 1e-9 * max(1.0, abs(best))
    assert solve(own, gap=1e-4).bound >= best - 1e-9 * max(1.0, abs(best))
