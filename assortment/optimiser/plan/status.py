"""Status: how a run of the optimiser ended."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a run ended; also a plain string: ``plan.status == "optimal"``."""

    OPTIMAL = "optimal"
    """The gap asked for is proven."""
    GAP_OPEN = "gap_open"
    """Finished; the proven gap is larger than asked for, or no proof was asked for."""
    TIME_LIMIT = "time_limit"
    """Stopped by the clock; another run may give another plan."""
    INTERRUPTED = "interrupted"
    """Stopped by the user."""
