"""Spread: whether the stores together can carry each listed product that is not core often enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.infeasible.master import Choice, Line, Master
from assortment.optimiser.infeasible.mends import CHAIN
from assortment.optimiser.infeasible.store_rows import CARRIED
from assortment.optimiser.infeasible.team import SPREAD, Team
from assortment.optimiser.programme.linear import LinearProgram, Polytope

_Piece: TypeAlias = "tuple[sparse.sparray | Floats, Ints]"

# Most places (stores × products that are not settled) for which all stores are one programme.
_PLACES_MOST = 15_000
_CHAIN_MOST = 15_000
_WHOLE_MOST = 3_000
# Up to here the vertex is quick; beyond only the interior is.
_VERTEX_MOST = 4_000
_DEAR = 1e3
# Weights that are nothing but the solver's haze; any weights are true, these would only blame more rules.
_FAINT = 1e-6
_WEIGHT_MOST = 1e3
_NODES = 300
_SHORT = 1e-5
# The interior comes only so near.
_NEARLY = 1e-3
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Joint:
    """Weights of the products, (N,), and of each store's rows, that show what the stores cannot carry together."""

    products: Floats
    rows: dict[int, Floats]


def joint_line(team: Team, joint: Joint) -> Line:
    """Return what ``joint`` says of core and listed products; rows that do not hold count as if of no weight."""
    problem, mu = team.problem, joint.products
    core, listed, anywhere = np.zeros((problem.C, problem.N)), np.zeros(problem.N), np.zeros(problem.N)
    most, gives, parts, stores = 0.0, {(SPREAD, CHAIN): float(mu.sum())}, {SPREAD}, set()
    listed += mu * problem.min_stores
    anywhere -= mu * problem.min_stores
    for s in range(problem.S):
        if s not in team.programmes:
            listed -= mu
            continue
        programme = team.programmes[s]
        weights = np.where(team.on[s] | programme.always, joint.rows.get(s, programme.unrelaxed), 0.0)
        cut = programme.cut(weights)
        # What the store can carry of the products is at most this, wherever it lies between core and listed.
        worth, c = mu - cut.x, int(problem.core_group[s])
        listed -= np.maximum(worth, 0.0)
        core[c] -= np.minimum(worth, 0.0)
        core[c] += cut.k
        most += cut.most
        for i in np.flatnonzero(cut.weights):
            part = programme.parts[i]
            parts.add(part)
            for key in ((part, s), (part, CHAIN)):
                gives[key] = gives.get(key, 0.0) + float(cut.weights[i])
        if (worth != mu).any():
            stores.add(s)
    return Line(frozenset(parts) - {CARRIED}, frozenset(stores), core, listed, anywhere, gives, most)


def too_thin(team: Team, choice: Choice) -> Joint | None:
    """Return why the stores cannot carry the listed products often enough, or ``None`` when they can, or may."""
    wanted = team.wanted(choice) - team.elsewhere(choice)
    thin = np.flatnonzero(wanted > _SHORT)
    blocks = [_Block(team, s, choice) for s in team.programmes]
    if len(thin) == 0 or sum(len(block.free) for block in blocks) > _PLACES_MOST:
        return None
    programme, costs = _programme(blocks, thin, wanted)
    answer = LinearProgram(programme).maximise(costs)
    if answer.columns is None or answer.duals is None or -float(costs @ answer.columns) <= _SHORT:
        return None
    duals = np.maximum(0.0, -answer.duals)
    duals[duals < _FAINT] = 0.0
    products = np.zeros(team.problem.N)
    products[thin] = duals[: len(thin)]
    rows, at = {}, len(thin)
    for block in blocks:
        rows[block.s] = np.zeros(block.programme.M)
        rows[block.s][block.on] = duals[at : at + len(block.on)]
        at += len(block.on)
    return Joint(products, rows)


def all_at_once(
    team: Team, master: Master, lines: list[Line], *, budget: float | None = None
) -> tuple[list[Joint], Choice | None]:
    """Return the weights that the relaxation of the whole chain gives and its choice, if it has one.

    It shows at once what finding one joint after the other takes many rounds for. Nothing when the chain is too large.

    Parameters
    ----------
    team
        The stores.
    master
        The choice of core and listed products; what gives costs 1, a product that stands too rarely much more.
    lines
        What the choice must obey without the stores.
    budget
        What may be given in sum; then it costs nothing.
    """
    places = len(team.programmes) * team.problem.N
    if places > _CHAIN_MOST:
        return [], None
    stated = _State(team, master, lines, budget)
    cost = np.zeros(len(stated.upper))
    cost[list(master.at.values())], cost[stated.missing] = -1.0 if budget is None else 0.0, -_DEAR
    answer = LinearProgram(stated.polytope, once=True, interior=places > _VERTEX_MOST).maximise(cost)
    if answer.duals is None or answer.columns is None:
        return [], None
    enough = float(answer.columns[stated.missing].sum()) <= _NEARLY
    choice = master.choice(np.clip(answer.columns, 0.0, stated.upper)) if enough else None
    duals, top = np.maximum(0.0, -answer.duals), stated.often
    duals = duals / max(1e-12, float(duals[top:].max()))
    # Rows that face each other can be given any weight in the interior; too much of it is lost in rounding.
    if not duals[top:].any() or duals.max() > _WEIGHT_MOST:
        return [], choice
    duals[duals < _FAINT] = 0.0
    rows = {s: duals[first : first + team.programmes[s].M] for s, first in stated.own.items()}
    return [Joint(duals[top:], rows)], choice


def whole_at_once(team: Team, master: Master, lines: list[Line]) -> tuple[Choice | None, dict[int, Mask], bool]:
    """Return a whole choice with what each store carries, and whether the answer is certain; for small chains only."""
    if len(team.programmes) * team.problem.N > _WHOLE_MOST:
        return None, {}, False
    stated = _State(team, master, lines, None)
    upper = stated.upper.copy()
    upper[stated.missing] = 0.0
    polytope = replace(stated.polytope, upper=upper)
    answer = LinearProgram(polytope, whole=np.ones(len(upper), bool), nodes=_NODES).maximise(np.zeros(len(upper)))
    if answer.columns is None:
        return None, {}, answer.infeasible
    picks = {s: answer.columns[x] > 0.5 for s, x in stated.picks.items()}
    return master.choice(np.round(answer.columns)), picks, True


class _State:
    """The whole chain as one programme: the master's columns, each store's picks, and where products are missing.

    ``picks`` (by store) and ``missing`` are the numbers of the columns, ``own`` (by store) and ``often`` of the first
    row of a kind.
    """

    def __init__(self, team: Team, master: Master, lines: list[Line], budget: float | None) -> None:
        problem, N, stores = team.problem, team.problem.N, list(team.programmes)
        chosen = master.polytope(lines, budget=budget)
        self.picks = {s: master.count + i * N + np.arange(N) for i, s in enumerate(stores)}
        self.missing = master.count + len(stores) * N + np.arange(N)
        one = sparse.identity(N, format="coo")
        # Each piece is a matrix and the columns that it is about.
        wanted = sparse.diags_array(problem.min_stores.astype(float)).tocoo()
        away = sparse.diags_array(np.full(N, float(problem.S - len(stores)))).tocoo()
        often: list[_Piece] = [(wanted, master.listed), (-wanted, master.anywhere), (-away, master.listed)]
        often.append((-one, self.missing))
        if (SPREAD, CHAIN) in master.at:
            often.append((-np.ones((N, 1)), np.array([master.at[SPREAD, CHAIN]])))
        pieces: list[list[_Piece]] = [[(chosen.matrix, np.arange(master.count))]]
        high, self.own = [chosen.high], {}
        for s, x in self.picks.items():
            y = master.core[problem.core_group[s]]
            often.append((-one, x))
            pieces += [[(one, y), (-one, x)], [(one, x), (-one, master.listed)], _own(team, s, master, x, y)]
            high += [np.zeros(2 * N), team.programmes[s].most(team.on[s])]
            self.own[s] = sum(len(part) for part in high) - team.programmes[s].M
        self.often = sum(len(part) for part in high)
        width = int(self.missing[-1]) + 1
        matrix = sparse.vstack([_wide(row, width) for row in [*pieces, often]]).tocsr()
        ends = np.concatenate([*high, np.zeros(N)])
        self.upper = np.ones(width)
        self.upper[: master.count], self.upper[self.missing] = chosen.upper, float(problem.S)
        self.polytope = Polytope(matrix, np.full(len(ends), -np.inf), ends, np.zeros(width), self.upper)


def _own(team: Team, s: int, master: Master, x: Ints, y: Ints) -> list[_Piece]:
    """The rows of one store over its picks, its core and what gives."""
    programme = team.programmes[s]
    matrix, core = programme.scaled
    pieces: list[_Piece] = [(matrix, x), (np.outer(core, np.ones(len(y))), y)]
    for key, column in master.at.items():
        if key[1] in (s, CHAIN):
            gives = np.array([part == key[0] for part in programme.parts]) / programme.scale
            pieces.append((-gives[:, None], np.array([column])))
    return pieces


def _wide(pieces: list[_Piece], width: int) -> sparse.csr_matrix:
    """Put matrices side by side, each over columns of its own."""
    parts = [(sparse.coo_matrix(matrix), columns) for matrix, columns in pieces]
    rows = np.concatenate([part.row for part, _ in parts])
    places = np.concatenate([columns[part.col] for part, columns in parts])
    values = np.concatenate([part.data for part, _ in parts])
    return sparse.csr_matrix((values, (rows, places)), shape=(parts[0][0].shape[0], width))


def in_one(team: Team, choice: Choice) -> tuple[dict[int, Mask] | None, bool]:
    """Return what each store carries so that every listed product stands often enough, and whether that is certain.

    One programme for all stores, for small chains only.
    """
    wanted = team.wanted(choice) - team.elsewhere(choice)
    thin = np.flatnonzero(wanted > _SHORT)
    blocks = [_Block(team, s, choice) for s in team.programmes]
    if sum(len(block.free) for block in blocks) > _WHOLE_MOST:
        return None, False
    polytope, _ = _programme(blocks, thin, wanted)
    whole = np.arange(polytope.matrix.shape[1]) >= len(thin)
    upper = np.where(whole, polytope.upper, 0.0)
    polytope = Polytope(polytope.matrix, polytope.low, polytope.high, polytope.lower, upper)
    answer = LinearProgram(polytope, whole=whole, nodes=_NODES).maximise(np.zeros(len(whole)))
    if answer.columns is None:
        return None, answer.infeasible
    found, at = {}, len(thin)
    for block in blocks:
        carried = block.fixed > 0.5
        carried[block.free] = answer.columns[at : at + len(block.free)] > 0.5
        found[block.s] = carried
        at += len(block.free)
    return found, True


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
            block = _Block(team, s, Choice(choice.core, choice.anywhere, listed, choice.given))
            kept = picks.get(s)
            if kept is None or (kept & (block.box.listed < 0.5)).any():
                missing = np.clip(wanted - count, 0.0, None)
                gain = np.where(missing > 0, 1.0 + missing / max(1.0, float(missing.max())), 0.0)
                if gains is None:
                    gain -= np.where((wanted > 1) & (missing <= 0), 0.01, 0.0)
                else:
                    # What is still wanted comes before what is worth much.
                    gain += 0.5 * gains[s] / max(1e-12, float(np.abs(gains[s]).max()))
                kept, _ = programme.choose(team.on[s], block.box, gain, team.given(s, choice))
                if kept is None:
                    return None
                picks[s] = kept
            count += kept
        thin = (count > 0) & (count + team.elsewhere(choice) < wanted - _SHORT) & (choice.anywhere < 0.5)
        if not thin.any():
            return picks
        listed = np.where(thin, 0.0, listed)
    return None


class _Block:
    """One store as part of the programme of all: its products that are not settled by the choice."""

    def __init__(self, team: Team, s: int, choice: Choice) -> None:
        self.s, self.programme = s, team.programmes[s]
        self.box = self.programme.box(choice.core[team.problem.core_group[s]], choice.listed)
        self.fixed = self.box.core
        self.free = np.flatnonzero(self.box.listed > self.box.core + 1e-9)
        self.on = np.flatnonzero(team.on[s] | self.programme.always)
        self.matrix, self.most = self.programme.left(self.on, self.box, self.free, team.given(s, choice))


def _programme(blocks: list[_Block], thin: np.ndarray, wanted: Floats) -> tuple[Polytope, Floats]:
    """Rows: each thin product often enough, with a shortfall; then every store's own rows."""
    place = np.full(len(wanted), -1)
    place[thin] = np.arange(len(thin))
    tops = []
    missing = wanted[thin].copy()
    for block in blocks:
        missing -= block.fixed[thin]
        at = place[block.free]
        on = at >= 0
        size = (len(thin), len(block.free))
        tops.append(sparse.csr_matrix((-np.ones(on.sum()), (at[on], np.flatnonzero(on))), shape=size))
        # Fixed picks of a free product are counted by its variable, which starts there.
        fixed_free = np.zeros(len(wanted))
        fixed_free[block.free] = block.fixed[block.free]
        missing += fixed_free[thin]
    top = sparse.hstack([-sparse.identity(len(thin)), *tops])
    below = sparse.block_diag([block.matrix for block in blocks])
    matrix = sparse.vstack([top, sparse.hstack([sparse.csr_matrix((below.shape[0], len(thin))), below])]).tocsr()
    high = np.concatenate([-missing, *(block.most for block in blocks)])
    lower = np.concatenate([np.zeros(len(thin)), *(block.box.core[block.free] for block in blocks)])
    upper = np.concatenate([np.maximum(missing, 0.0) + 1.0, *(block.box.listed[block.free] for block in blocks)])
    cost = np.zeros(len(lower))
    cost[: len(thin)] = -1.0
    return Polytope(matrix, np.full(len(high), -np.inf), high, lower, upper), cost
