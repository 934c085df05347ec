"""Team: stores that are asked together, and what they say to a whole choice of core and listed products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.infeasible.master import Choice
from assortment.optimiser.infeasible.relaxation import CHAIN
from assortment.optimiser.infeasible.store_programme import StoreProgramme
from assortment.optimiser.infeasible.store_rows import SPREAD

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Most stores whose solvers are kept from round to round.
_KEPT_MOST = 500
_NEARLY = 1e-5
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Team:
    """Stores that are asked together: by number their programmes, which rows hold and how far each gives, (M,)."""

    problem: Problem
    programmes: dict[int, StoreProgramme]
    on: dict[int, Mask]

    def given(self, s: int, choice: Choice) -> Floats:
        """Return by how much each row of store s gives in ``choice``, (M,)."""
        parts = self.programmes[s].parts
        return np.array([choice.given.get((part, s), choice.given.get((part, CHAIN), 0.0)) for part in parts])

    def wanted(self, choice: Choice) -> Floats:
        """Return in how many stores each product must stand because of ``choice``, (N,)."""
        local = np.maximum(0.0, choice.listed - choice.anywhere)
        wanted: Floats = self.problem.min_stores.astype(float) * local - choice.given.get((SPREAD, CHAIN), 0.0)
        return wanted

    def elsewhere(self, choice: Choice) -> Floats:
        """Return in how many stores that are not asked each product may stand, (N,)."""
        elsewhere: Floats = (self.problem.S - len(self.programmes)) * choice.listed
        return elsewhere

    @property
    def is_large(self) -> bool:
        """Whether the solvers of all stores take too much memory."""
        return len(self.programmes) > _KEPT_MOST


def each_alone(team: Team, choice: Choice, gains: Floats | None = None) -> dict[int, Mask] | None:
    """Return whole picks of each store, ``None`` when a store has none.

    With ``gains``, what each listing is worth, (S, N), the picks are worth much.
    """
    carried: dict[int, Mask] = {}
    for s, programme in team.programmes.items():
        box, given = programme.box(choice.core[team.problem.core_group[s]], choice.listed), team.given(s, choice)
        found, _ = programme.picks(team.on[s], box, given)
        if found is None:
            return None
        best = None if gains is None else programme.choose(team.on[s], box, gains[s], given)[0]
        carried[s] = found if best is None else best
        if team.is_large:
            programme.forget()
    return carried


def in_turn(team: Team, choice: Choice, gains: Floats | None = None) -> dict[int, Mask] | None:
    """Return what each store carries so that no product stands too rarely, or ``None`` when this quick way finds none.

    One store after the other takes what is still wanted, then what is worth much by ``gains`` (S, N); what stays too
    thin comes off the list, some rounds.
    """
    wanted = np.maximum(0.0, team.wanted(choice))
    picks: dict[int, Mask] = {}
    listed = choice.listed.copy()
    for _ in range(_ROUNDS):
        count = np.zeros(team.problem.N)
        for s, programme in team.programmes.items():
            box = programme.box(choice.core[team.problem.core_group[s]], listed)
            kept = picks.get(s)
            if kept is None or (kept & (box.listed < 0.5)).any():
                missing = np.clip(wanted - count, 0.0, None)
                gain = np.where(missing > 0, 1.0 + missing / max(1.0, float(missing.max())), 0.0)
                if gains is None:
                    gain -= np.where((wanted > 1) & (missing <= 0), 0.01, 0.0)
                else:
                    # What is still wanted comes before what is worth much.
                    gain += 0.5 * gains[s] / max(1e-12, float(np.abs(gains[s]).max()))
                kept, _ = programme.choose(team.on[s], box, gain, team.given(s, choice))
                if kept is None:
                    return None
                picks[s] = kept
            count += kept
        thin = (count > 0) & (count + team.elsewhere(choice) < wanted - _NEARLY) & (choice.anywhere < 0.5)
        if not thin.any():
            return picks
        listed = np.where(thin, 0.0, listed)
    return None
