"""Together: whether core and listed products exist that every store can live with, for thousands of stores.

The master chooses what is core and what is listed; each store says by its own programme whether it can live with that,
and if not, sends a cut; then the master chooses again. A choice is near today's listing, so few rounds are enough.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Mask
from assortment.optimiser.infeasible.master import Choice, Key, Line, Master, Verdict, chain_lines, line_of
from assortment.optimiser.infeasible.relaxation import BY_STORE, CHAIN, Way
from assortment.optimiser.infeasible.spread import Joint, all_at_once, joint_line, whole_at_once
from assortment.optimiser.infeasible.store_programme import StoreProgramme
from assortment.optimiser.infeasible.store_rows import CARRIED, SPREAD, Part, StoreRows, hard_rules, rows_of
from assortment.optimiser.infeasible.team import Team, each_alone, in_turn

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

# Most rounds: of the relaxation, of these after joints began, of whole choices, and of these that are too thin.
_ROUNDS, _JOINT_ROUNDS = 60, 6
_WHOLE_ROUNDS, _SPREAD_ROUNDS = 60, 4
# Places (stores × products) of a chain for which rounds cost nothing.
_SMALL = 300
# Most cuts that a round adds: those of the stores that miss most.
_CUTS_MOST = 200
# What the master itself holds; the stores need not.
_OF_THE_CHAIN = frozenset({"core", "products_max", "local_products_max"})


def is_small(problem: Problem) -> bool:
    """Return whether a chain is so small that everything can be asked to the end."""
    return problem.S * problem.N <= _SMALL


@dataclass(frozen=True)
class Asked:
    """A question: can the stores keep these limits together?

    Parameters
    ----------
    on
        The limits that hold.
    stores
        Numbers of the stores whose limits hold; all others carry anything.
    soft
        A rule whose limits may give; empty for none.
    """

    on: frozenset[Part]
    stores: tuple[int, ...]
    soft: str = ""


@dataclass(frozen=True, eq=False)
class Found:
    """A plan: what is core in each core group, (C, N), what each store asked carries, and by how much limits gave."""

    core: Mask
    carried: dict[int, Mask]
    given: dict[Key, float]


@dataclass
class Together:
    """Answers questions about one problem; what was learnt for one question serves the next.

    Parameters
    ----------
    problem
        The problem.
    ways
        Least relaxations found so far.
    """

    problem: Problem
    ways: dict[Asked, Way | None] = field(default_factory=dict)
    _cuts: list[Line] = field(default_factory=list)
    _joints: list[Joint] = field(default_factory=list)
    _joint_lines: dict[tuple[frozenset[Part], tuple[int, ...]], list[Line]] = field(default_factory=dict)
    _programmes: dict[int, StoreProgramme] = field(default_factory=dict)
    _spoke: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._rows: Callable[[int], StoreRows] = rows_of(self.problem)
        self._chain = chain_lines(self.problem)
        self._spread = self.problem.rules.local_min_stores is not None and any(
            rule.name == SPREAD.rule for rule in hard_rules(self.problem)
        )

    def parts(self) -> frozenset[Part]:
        """Return every limit that some store or the chain has."""
        found = {part for line in self._chain for part in line.parts}
        for s in range(self.problem.S):
            found |= set(self._programme(s).parts)
        return frozenset(found - {CARRIED}) | (frozenset({SPREAD}) if self._spread else frozenset())

    def relaxation(self, asked: Asked, *, budget: float | None = None) -> Verdict:
        """Return a fractional choice that all stores can live with, or the lines that rule any out.

        What is soft gives as little as it can, or ``budget`` in sum at most.
        """
        master, team = Master(self.problem, self.keys(asked)), self._team(asked)
        left = _ROUNDS
        while left > 0:
            left -= 1
            verdict = master.solve(self._lines(asked, team), budget=budget)
            if verdict.choice is None:
                return verdict
            if self._learn(team, asked, verdict.choice):
                continue
            if not self._is_thin(team, asked, master, verdict.choice):
                return verdict
            if left > _JOINT_ROUNDS:
                left = _JOINT_ROUNDS
                joint, choice = all_at_once(team, master, self._held(asked), budget=budget)
                self._joints += [] if joint is None else [joint]
                if choice is not None:
                    return Verdict(choice, bound=master.solve(self._lines(asked, team)).bound)
        return Verdict(None, certain=False)

    def plan(
        self, asked: Asked, *, budget: float | None = None, gains: Floats | None = None
    ) -> tuple[Found | None, bool]:
        """Return a plan in which limits give ``budget`` in sum at most, and whether the answer is certain.

        With ``gains``, what each listing is worth, (S, N), the plan is worth much, else it is near today's listing.
        """
        keys = self.keys(asked)
        master = Master(self.problem, keys, whole_gives=asked.soft != "shelf", gains=gains)
        team = self._team(asked)
        found, certain = self._plan(asked, team, master, budget, gains)
        if found is not None or certain:
            return found, certain
        # What stands often enough, or fits in whole picks, can be a riddle of its own; of a small chain it is solved.
        choice, carried, certain = whole_at_once(team, master, self._held(asked), budget=budget)
        return None if choice is None else Found(choice.core > 0.5, carried, choice.given), certain

    def _plan(
        self, asked: Asked, team: Team, master: Master, budget: float | None, gains: Floats | None
    ) -> tuple[Found | None, bool]:
        keys, near = self.keys(asked), None
        left = _WHOLE_ROUNDS if is_small(self.problem) else _SPREAD_ROUNDS
        if self._spreads(asked):
            # Which products stand often enough is hard to guess from today's listing; the relaxation knows.
            verdict = self.relaxation(asked, budget=budget)
            if verdict.choice is None:
                return None, verdict.certain
            near = verdict.choice
        for _ in range(_WHOLE_ROUNDS):
            verdict = master.solve_whole(self._lines(asked, team), budget=budget, near=near)
            choice = verdict.choice
            if choice is None:
                return None, verdict.certain
            if len(keys) == 1 and budget is not None:
                # More never harms; what is ruled out is then ruled out with all that may be given.
                choice = dataclasses.replace(choice, given={keys[0]: budget})
            if self._learn(team, asked, choice):
                continue
            carried = each_alone(team, choice, gains)
            if carried is not None and self._spreads(asked):
                carried = in_turn(team, choice, gains)
                if carried is None and left > 0 and self._is_thin(team, asked, master, choice):
                    left -= 1
                    continue
            return (None, False) if carried is None else (Found(choice.core > 0.5, carried, choice.given), True)
        return None, False

    def keys(self, asked: Asked) -> tuple[Key, ...]:
        """Return the limits that may give in a question."""
        soft = sorted(part for part in asked.on if part.rule == asked.soft)
        if asked.soft in BY_STORE and asked.soft != "changes_max":
            return tuple((part, s) for part in soft for s in asked.stores)
        return tuple((part, CHAIN) for part in soft)

    def _learn(self, team: Team, asked: Asked, choice: Choice) -> bool:
        """Ask stores whether they can live with a choice and keep what they say; those that spoke before come first."""
        spoke = tuple(s for s in asked.stores if s in self._spoke)
        silent = tuple(s for s in asked.stores if s not in self._spoke)
        return self._ask(team, spoke, choice) or self._ask(team, silent, choice)

    def _ask(self, team: Team, stores: tuple[int, ...], choice: Choice) -> bool:
        told = []
        for s in stores:
            programme = team.programmes[s]
            box = programme.box(choice.core[self.problem.core_group[s]], choice.listed)
            given = team.given(s, choice)
            cut, _ = programme.short(team.on[s], box, given)
            if cut is not None:
                told.append((cut.excess(box, given), s, cut))
            elif team.is_large and s not in self._spoke:
                programme.forget()
        told.sort(key=lambda item: (-item[0], item[1]))
        for _, s, cut in told[:_CUTS_MOST]:
            self._cuts.append(line_of(self.problem, {s: (team.programmes[s].parts, cut)}))
            self._spoke.add(s)
        return bool(told)

    def _spreads(self, asked: Asked) -> bool:
        return self._spread and SPREAD in asked.on

    def _is_thin(self, team: Team, asked: Asked, master: Master, choice: Choice) -> bool:
        """Return whether some product stands too rarely by a choice, as far as fractions show; why is kept."""
        short = team.wanted(choice) - team.elsewhere(choice)
        if not self._spreads(asked) or (short <= 1e-5).all():
            return False
        joint, enough = all_at_once(team, master, self._held(asked), fixed=choice)
        if joint is None or enough is not None:
            return False
        self._joints.append(joint)
        return True

    def _lines(self, asked: Asked, team: Team) -> list[Line]:
        """Return what the chain's rules and the stores' cuts ask, as far as it follows from what is asked."""
        lines, stores = self._held(asked), set(asked.stores)
        lines += [line for line in self._cuts if line.stores <= stores and line.parts <= asked.on]
        if SPREAD in asked.on:
            known = self._joint_lines.setdefault((asked.on, asked.stores), [])
            known += [joint_line(team, joint) for joint in self._joints[len(known) :]]
            lines += known
        return lines

    def _held(self, asked: Asked) -> list[Line]:
        """Return what the rules of the chain ask."""
        return [line for line in self._chain if line.parts <= asked.on]

    def _programme(self, s: int) -> StoreProgramme:
        if s not in self._programmes:
            self._programmes[s] = StoreProgramme(self._rows(s))
        return self._programmes[s]

    def _team(self, asked: Asked) -> Team:
        programmes = {s: self._programme(s) for s in asked.stores}
        own = asked.on - {part for part in asked.on if part.rule in _OF_THE_CHAIN}
        on = {s: np.array([part in own for part in programme.parts]) for s, programme in programmes.items()}
        return Team(self.problem, programmes, on)
