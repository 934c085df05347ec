"""Master: what is core and what is listed, so that each store can live with it, as a programme without the stores.

The stores appear only by cuts: sums of a store's rows that hold whatever it carries between what is core and what is
listed. So a chain of thousands of stores stays a programme of a few hundred columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Ints
from assortment.optimiser.infeasible.relaxation import CHAIN
from assortment.optimiser.infeasible.store_programme import Cut
from assortment.optimiser.infeasible.store_rows import CARRIED, SPREAD, Part, hard_rules
from assortment.optimiser.programme.linear import LinearProgram, Polytope, safe_maximum

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

Key = tuple[Part, int]

# What all rows of the master must miss together, before that is more than a solver's tolerance.
_SHORT = 1e-7
_NODES = 3_000
_GUIDE = 1e-3
_GAP = 0.05


@dataclass(frozen=True, eq=False)
class Line:
    """One row: Σ y · ``core`` + Σ z · ``listed`` + Σ a · ``anywhere`` - Σ given · ``gives`` ≤ ``most``.

    Parameters
    ----------
    parts
        The limits that it follows from.
    stores
        Numbers of the stores that it follows from.
    core, listed, anywhere
        Coefficients, (C, N), (N,), (N,).
    gives
        What each limit, in a store or in the chain, adds to the right-hand side when it gives by 1.
    most
        The right-hand side.
    """

    parts: frozenset[Part]
    stores: frozenset[int]
    core: Floats
    listed: Floats
    anywhere: Floats
    gives: dict[Key, float]
    most: float


@dataclass(frozen=True, eq=False)
class Choice:
    """What is core, (C, N), core anywhere, (N,), and listed, (N,), and by how much limits give."""

    core: Floats
    anywhere: Floats
    listed: Floats
    given: dict[Key, float]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the master says.

    Parameters
    ----------
    choice
        A choice that obeys all lines, or ``None``.
    lines
        Without a choice: lines that together rule it out.
    bound
        What the limits give in sum is at least this much.
    certain
        Whether it is certain that there is no choice.
    """

    choice: Choice | None
    lines: tuple[Line, ...] = ()
    bound: float = 0.0
    certain: bool = True


class Master:
    """The choice of core and listed products.

    Its columns are numbered by ``core`` (C, N), ``listed`` (N,), ``anywhere`` (N,) and, for what gives, ``at``.

    Parameters
    ----------
    problem
        The problem.
    keys
        The limits that may give.
    whole_gives
        Whether they give by whole numbers.
    gains
        What each listing is worth, (S, N): what to be near instead of today's listing.
    """

    def __init__(
        self,
        problem: Problem,
        keys: tuple[Key, ...] = (),
        *,
        whole_gives: bool = True,
        gains: Floats | None = None,
    ) -> None:
        self._problem, self._keys, self.whole_gives = problem, keys, whole_gives
        C, N = problem.C, problem.N
        self.core, self.listed = np.arange(C * N).reshape(C, N), np.arange(C * N, (C + 1) * N)
        # With one core "core anywhere" is the core.
        self.anywhere = self.core[0] if C == 1 else np.arange((C + 1) * N, (C + 2) * N)
        self.given = (C + 1 + (C > 1)) * N + np.arange(len(keys))
        self.count = (C + 1 + (C > 1)) * N + len(keys)
        self.at = {key: int(column) for key, column in zip(keys, self.given, strict=True)}
        self._guide = self._guided() if gains is None else self._worth(gains)

    def solve(self, lines: list[Line], *, budget: float | None = None) -> Verdict:
        """Return a fractional choice near today's listing that gives least, or ``budget`` in sum at most.

        Without any choice, the lines in conflict.
        """
        cost = -_GUIDE * self._guide
        if budget is None:
            cost[self.given] = -1.0
        polytope = self.polytope(lines, budget=budget)
        answer = LinearProgram(polytope).maximise(cost)
        if answer.columns is not None and answer.duals is not None:
            most = safe_maximum(cost, polytope, answer.duals)[0]
            return Verdict(self.choice(answer.columns), bound=max(0.0, -most - _GUIDE))
        return self._ruled_out(lines, polytope)

    def solve_whole(self, lines: list[Line], *, budget: float | None = None, near: Choice | None = None) -> Verdict:
        """Return a whole choice that gives ``budget`` in sum at most, close to ``near`` or to today's listing."""
        guide = self._guide.copy() if near is None else self._towards(near)
        # What may be given is worth taking.
        guide[self.given] = -_GUIDE
        whole = np.ones(self.count, bool)
        whole[self.given] = self.whole_gives
        programme = LinearProgram(self.polytope(lines, budget=budget), whole=whole, nodes=_NODES, gap=_GAP, sure=True)
        answer = programme.maximise(-guide)
        if answer.columns is None:
            return Verdict(None, certain=answer.infeasible)
        choice = self.choice(np.where(whole, np.round(answer.columns), answer.columns))
        # To be core somewhere is never worse than not.
        return Verdict(replace(choice, anywhere=choice.core.max(axis=0)))

    def _towards(self, near: Choice) -> Floats:
        guide = np.zeros(self.count)
        guide[self.core], guide[self.listed] = 0.5 - near.core, 0.5 - near.listed
        return guide

    def _ruled_out(self, lines: list[Line], polytope: Polytope) -> Verdict:
        """Return the lines that carry the proof that there is no choice."""
        slack = -sparse.csr_matrix(np.r_[np.ones(len(lines)), np.zeros(polytope.matrix.shape[0] - len(lines))][:, None])
        size = max(1.0, float(np.abs(polytope.high).max())) + float(self.count)
        short = Polytope(
            sparse.hstack([polytope.matrix, slack]).tocsr(),
            polytope.low,
            polytope.high,
            np.append(polytope.lower, 0.0),
            np.append(polytope.upper, size),
        )
        cost = np.append(np.zeros(self.count), -1.0)
        answer = LinearProgram(short).maximise(cost)
        if answer.duals is None or -safe_maximum(cost, short, answer.duals)[0] <= _SHORT:
            return Verdict(None, certain=False)
        held = tuple(line for line, dual in zip(lines, answer.duals[: len(lines)], strict=True) if -dual > 1e-9)
        return Verdict(None, held)

    def choice(self, columns: Floats) -> Choice:
        """Return the choice that values of all columns stand for."""
        given = {key: float(columns[at]) for key, at in self.at.items()}
        return Choice(columns[self.core], columns[self.anywhere], columns[self.listed], given)

    def polytope(self, lines: list[Line], *, budget: float | None = None) -> Polytope:
        """Return the lines as rows, then what core and listed mean: y ≤ z, and a ≤ Σ y; and what gives in sum."""
        rows, columns, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
        for i, line in enumerate(lines):
            numbers, coefficients = self._terms(line)
            rows.append(np.full(len(numbers), i))
            columns.append(numbers)
            values.append(coefficients)
        C, N = self._problem.C, self._problem.N
        for c in range(C):
            at = len(lines) + c * N + np.arange(N)
            rows += [at, at]
            columns += [self.core[c], self.listed]
            values += [np.ones(N), -np.ones(N)]
        count = len(lines) + C * N
        if C > 1:
            at = count + np.arange(N)
            rows += [at] * (C + 1)
            columns += [self.anywhere, *self.core]
            values += [np.ones(N)] + [-np.ones(N)] * C
            count += N
        if budget is not None:
            rows.append(np.full(len(self.given), count))
            columns.append(self.given)
            values.append(np.ones(len(self.given)))
            count += 1
        places = (np.concatenate(rows), np.concatenate(columns))
        matrix = sparse.csr_matrix((np.concatenate(values), places), shape=(count, self.count))
        high = np.zeros(count)
        high[: len(lines)] = [line.most for line in lines]
        if budget is not None:
            high[-1] = budget
        upper = np.ones(self.count)
        upper[self.given] = [self._most_given(key) for key in self._keys]
        return Polytope(matrix, np.full(count, -np.inf), high, np.zeros(self.count), upper)

    def _terms(self, line: Line) -> tuple[Ints, Floats]:
        gives = {self.at[key]: -weight for key, weight in line.gives.items() if key in self.at}
        row = np.zeros(self.count)
        row[self.core.ravel()] += line.core.ravel()
        row[self.listed] += line.listed
        row[self.anywhere] += line.anywhere
        for at, weight in gives.items():
            row[at] += weight
        numbers = np.flatnonzero(np.abs(row) > 1e-12)
        return numbers, row[numbers]

    def _most_given(self, key: Key) -> float:
        part, s = key
        if part.rule == "shelf":
            return float(self._problem.space_cm[s].sum())
        rules = self._problem.rules
        asked = [rules.core_min, rules.local_per_store[0] or 0, *(group.least or 0 for group in rules.groups)]
        return float(max(self._problem.N, self._problem.S, *asked))

    def _guided(self) -> Floats:
        """What each column costs so that the choice is near today's listing; at most 1 in sum."""
        problem, guide = self._problem, np.zeros(self.count)
        today = problem.rules.today
        space = problem.space_cm.mean(axis=0)
        for c in range(problem.C):
            own = problem.core_group == c
            rare = space / max(1e-12, float(space.max())) if today is None else 1 - today[own].mean(axis=0)
            guide[self.core[c]] = rare / (2 * problem.N * problem.C)
        guide[self.listed] = (0.5 if today is None else -today.mean(axis=0)) / (2 * problem.N)
        return guide

    def _worth(self, gains: Floats) -> Floats:
        """What each column costs so that the choice is worth much; at most 1 in sum."""
        problem, guide = self._problem, np.zeros(self.count)
        for c in range(problem.C):
            guide[self.core[c]] = -gains[problem.core_group == c].sum(axis=0)
        guide[self.listed] = -np.maximum(0.0, gains).sum(axis=0)
        return guide / max(1e-12, float(np.abs(guide).sum()))


def line_of(problem: Problem, cuts: dict[int, tuple[tuple[Part, ...], Cut]], products: Floats | None = None) -> Line:
    """Return what cuts of stores, added up, say of core and listed products, wherever what is carried lies between.

    Parameters
    ----------
    problem
        The problem.
    cuts
        By number of the store the limits that its rows are, and the cut; all other stores carry anything.
    products
        Weights, (N,), with which ``local_min_stores`` is added: that each product stands often enough.
    """
    mu = np.zeros(problem.N) if products is None else products
    core, listed = np.zeros((problem.C, problem.N)), mu * problem.min_stores - mu * (problem.S - len(cuts))
    gives: dict[Key, float] = {} if products is None else {(SPREAD, CHAIN): float(mu.sum())}
    most, stores = 0.0, set()
    for s, (parts, cut) in cuts.items():
        # What the store can carry of the products is at most this.
        worth, c = mu - cut.x, int(problem.core_group[s])
        listed -= np.maximum(worth, 0.0)
        core[c] += cut.k - np.minimum(worth, 0.0)
        most += cut.most
        if cut.weights.any():
            stores.add(s)
        for i in np.flatnonzero(cut.weights):
            for key in ((parts[i], s), (parts[i], CHAIN)):
                gives[key] = gives.get(key, 0.0) + float(cut.weights[i])
    told = frozenset(part for part, _ in gives) - {CARRIED}
    return Line(told, frozenset(stores), core, listed, -mu * problem.min_stores, gives, most)


def chain_lines(problem: Problem) -> list[Line]:
    """Return what the rules of the chain ask of core and listed products."""
    rules, C, N = problem.rules, problem.C, problem.N
    lines, none = [], np.zeros(N)
    hard = {rule.name for rule in hard_rules(problem)}

    def line(part: Part, core: Floats, listed: Floats, anywhere: Floats, most: float) -> None:
        if part.rule in hard:
            lines.append(Line(frozenset({part}), frozenset(), core, listed, anywhere, {(part, CHAIN): 1.0}, most))

    for c in range(C):
        own = np.zeros((C, N))
        own[c] = 1.0
        if rules.core_min > 0:
            line(Part("core", "least"), -own, none, none, -float(rules.core_min))
        if rules.core_max is not None:
            line(Part("core", "most"), own, none, none, float(rules.core_max))
    every, nobody = np.ones(N), np.zeros((C, N))
    if rules.products_max is not None:
        line(Part("products_max"), nobody, every, none, float(rules.products_max))
    if rules.local_products_max is not None:
        line(Part("local_products_max"), nobody, every, -every, float(rules.local_products_max))
    return lines
