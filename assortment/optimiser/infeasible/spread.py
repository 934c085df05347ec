"""Spread: whether the stores together can carry each listed product that is not core often enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.infeasible.master import Choice, Line, Master, line_of
from assortment.optimiser.infeasible.relaxation import CHAIN
from assortment.optimiser.infeasible.store_rows import SPREAD
from assortment.optimiser.infeasible.team import Team
from assortment.optimiser.programme.linear import LinearProgram, Polytope

_Piece: TypeAlias = "tuple[sparse.sparray | Floats, Ints]"

# Most places (stores × products) for which all stores are one programme, of fractions and of whole picks.
_CHAIN_MOST = 15_000
_WHOLE_MOST = 3_000
# Up to here the vertex is quick; beyond only the interior is, and that comes only near.
_VERTEX_MOST = 4_000
_SHORT, _NEARLY = 1e-5, 1e-3
_DEAR = 1e3
# Weights that are nothing but the solver's haze; any weights are true, these would only blame more rules.
_FAINT = 1e-6
_WEIGHT_MOST = 1e3
_NODES = 300


@dataclass(frozen=True, eq=False)
class Joint:
    """Weights of the products, (N,), and of each store's rows, that show what the stores cannot carry together."""

    products: Floats
    rows: dict[int, Floats]


def joint_line(team: Team, joint: Joint) -> Line:
    """Return what ``joint`` says of core and listed products; rows that do not hold count as if of no weight."""
    cuts = {}
    for s, programme in team.programmes.items():
        weights = np.where(team.on[s] | programme.always, joint.rows.get(s, programme.unrelaxed), 0.0)
        cuts[s] = programme.parts, programme.cut(weights)
    return line_of(team.problem, cuts, joint.products)


def all_at_once(
    team: Team, master: Master, lines: list[Line], *, budget: float | None = None, fixed: Choice | None = None
) -> tuple[Joint | None, Choice | None]:
    """Return the weights that the relaxation of the whole chain gives, and its choice if products stand often enough.

    Neither when the chain is too large.

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
    fixed
        The only choice to look at; ``None`` for all.
    """
    places = len(team.programmes) * team.problem.N
    if places > _CHAIN_MOST:
        return None, None
    stated, interior = _Whole(team, master, lines, budget), places > _VERTEX_MOST
    cost = np.zeros(len(stated.upper))
    cost[list(master.at.values())] = 0.0 if fixed is not None or budget is not None else -1.0
    cost[stated.missing] = -_DEAR
    polytope = stated.polytope if fixed is None else stated.at(fixed)
    answer = LinearProgram(polytope, once=True, interior=interior).maximise(cost)
    if answer.duals is None or answer.columns is None:
        return None, None
    enough = float(answer.columns[stated.missing].sum()) <= (_NEARLY if interior else _SHORT)
    choice = master.choice(np.clip(answer.columns, 0.0, stated.upper)) if enough else None
    duals, top = np.maximum(0.0, -answer.duals), stated.often
    duals = duals / max(1e-12, float(duals[top:].max()))
    # Rows that face each other can be given any weight in the interior; too much of it is lost in rounding.
    if not duals[top:].any() or duals.max() > _WEIGHT_MOST:
        return None, choice
    duals[duals < _FAINT] = 0.0
    rows = {s: duals[first : first + team.programmes[s].M] for s, first in stated.own.items()}
    return Joint(duals[top:], rows), choice


def whole_at_once(
    team: Team, master: Master, lines: list[Line], *, budget: float | None = None
) -> tuple[Choice | None, dict[int, Mask], bool]:
    """Return a whole choice with what each store carries, and whether the answer is certain; for small chains only."""
    if len(team.programmes) * team.problem.N > _WHOLE_MOST:
        return None, {}, False
    stated = _Whole(team, master, lines, budget)
    upper, whole = stated.upper.copy(), np.ones(len(stated.upper), bool)
    upper[stated.missing] = 0.0
    whole[master.given] = master.whole_gives
    polytope = replace(stated.polytope, upper=upper)
    answer = LinearProgram(polytope, whole=whole, nodes=_NODES, sure=True).maximise(np.zeros(len(upper)))
    if answer.columns is None:
        return None, {}, answer.infeasible
    picks = {s: answer.columns[x] > 0.5 for s, x in stated.picks.items()}
    return master.choice(np.where(whole, np.round(answer.columns), answer.columns)), picks, True


class _Whole:
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
            high += [np.zeros(2 * N), _most(team, s)]
            self.own[s] = sum(len(part) for part in high) - team.programmes[s].M
        self.often = sum(len(part) for part in high)
        width = int(self.missing[-1]) + 1
        matrix = sparse.vstack([_wide(row, width) for row in [*pieces, often]]).tocsr()
        ends = np.concatenate([*high, np.zeros(N)])
        self.upper = np.ones(width)
        self.upper[: master.count], self.upper[self.missing] = chosen.upper, float(problem.S)
        self.polytope = Polytope(matrix, np.full(len(ends), -np.inf), ends, np.zeros(width), self.upper)
        self._master = master

    def at(self, choice: Choice) -> Polytope:
        """Return the programme with the choice made."""
        lower, upper, master = self.polytope.lower.copy(), self.upper.copy(), self._master
        for columns, values in (
            (master.core, choice.core),
            (master.anywhere, choice.anywhere),
            (master.listed, choice.listed),
            (master.given, np.array([choice.given[key] for key in master.at])),
        ):
            lower[columns] = upper[columns] = values
        return replace(self.polytope, lower=lower, upper=upper)


def _most(team: Team, s: int) -> Floats:
    programme = team.programmes[s]
    return programme.most(team.on[s], programme.unrelaxed)


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
