"""What stores have in common: nothing that ties them together is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from optimiser_worlds import small_problem

from assortment.optimiser import RULES
from assortment.optimiser.chain.coupling import shared_rows
from assortment.optimiser.rules.columns import columns_of
from assortment.optimiser.rules.rows import listed


@given(st.integers(0, 10_000))
def test_every_row_that_touches_no_store_is_there(seed: int) -> None:
    """The rows of the shared part are those of all rules that touch nothing but shared variables."""
    problem = small_problem(seed)
    own = columns_of(problem).shared
    every = [row for rule in RULES if not rule.relaxed for row in rule.rows(problem)] + list(listed(problem))
    wanted = {
        row.name for row in every if len(row.columns) and own.start <= row.columns.min() <= row.columns.max() < own.stop
    }
    assert {row.name for row in shared_rows(problem)} == wanted
