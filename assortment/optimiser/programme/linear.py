"""LinearProgram: one linear programme in arrays on HiGHS, and bounds from its duals that rounding cannot make false."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import highspy
import numpy as np
from scipy import sparse

from assortment.optimiser.arrays import Floats, Mask

Matrix: TypeAlias = "Floats | sparse.csr_matrix"

_ROUNDING = 4e-16


@dataclass(frozen=True, eq=False)
class Answer:
    """What HiGHS found.

    Parameters
    ----------
    columns
        Values of the variables, or ``None`` when there is no feasible point.
    duals
        Row duals, of an infeasible programme a ray; ``None`` when there is neither (integer programmes).
    bound
        HiGHS's own bound on the maximum of an integer programme; not safe against rounding.
    infeasible
        Whether HiGHS found it so.
    """

    columns: Floats | None
    duals: Floats | None
    bound: float
    infeasible: bool


@dataclass(frozen=True, eq=False)
class Polytope:
    """low ≤ matrix · v ≤ high, lower ≤ v ≤ upper.

    Parameters
    ----------
    matrix
        Rows × variables, dense or sparse.
    low, high
        Ends of the rows, may be infinite.
    lower, upper
        Ends of the variables; finite where `safe_maximum` is to say something.
    """

    matrix: Matrix
    low: Floats
    high: Floats
    lower: Floats
    upper: Floats


class LinearProgram:
    """Maximise cost · v over a polytope, some variables whole.

    Solved with one thread and no clock, so that the same programme gives the same answer anywhere.

    Parameters
    ----------
    polytope
        Where v may be.
    whole
        Which variables are whole numbers; ``None``: none.
    nodes
        Most branch-and-bound nodes.
    gap
        Relative gap at which an integer programme may stop.
    once
        Whether it is solved only once, so that presolving pays; there is no ray then when it is infeasible.
    sure
        Whether an integer programme without a solution is solved again without presolve before it is called infeasible:
        presolve has been seen to lose solutions.
    interior
        Whether to go through the interior: for large programmes solved once; the duals are close, not of a vertex.
    """

    def __init__(
        self,
        polytope: Polytope,
        *,
        whole: Mask | None = None,
        nodes: int = 10_000,
        gap: float = 1e-6,
        once: bool = False,
        sure: bool = False,
        interior: bool = False,
    ) -> None:
        self._whole = whole is not None and bool(whole.any())
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        options: dict[str, Any] = {"output_flag": False, "threads": 1, "mip_max_nodes": nodes, "mip_rel_gap": gap}
        if self._whole:
            # Tighter than the audit, so that no pick is one that the audit refuses.
            options |= {"mip_feasibility_tolerance": 1e-9, "primal_feasibility_tolerance": 1e-9}
        # Small warm-started programmes lose more to presolve than they gain.
        options["presolve"] = "on" if self._whole or once or interior else "off"
        if interior:
            options |= {"solver": "ipm", "run_crossover": "off"}
        self._sure = sure
        for name, value in options.items():
            self._highs.setOptionValue(name, value)
        self._numbers = np.arange(polytope.matrix.shape[1], dtype=np.int32)
        self._highs.passModel(_model(polytope, whole))

    def maximise(self, cost: Floats) -> Answer:
        """Solve for the objective ``cost``, starting from the basis of the last solve."""
        highs = self._highs
        highs.changeColsCost(len(self._numbers), self._numbers, -cost)
        highs.run()
        if self._whole and self._sure and highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            highs.clearSolver()
            highs.setOptionValue("presolve", "off")
            highs.run()
            highs.setOptionValue("presolve", "on")
        status, info = highs.getModelStatus(), highs.getInfo()
        # The primal status is what counts: an infeasible integer programme can return zeros.
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        infeasible = status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
        solution = highs.getSolution()
        columns = np.array(solution.col_value) if found else None
        bound = -info.mip_dual_bound if self._whole else np.inf
        duals = None
        if not self._whole:
            if infeasible:
                _, exists, ray = highs.getDualRay()
                duals = np.array(ray) if exists else None
            else:
                duals = np.array(solution.row_dual)
        return Answer(columns, duals, bound, infeasible)

    def add_rows(self, matrix: sparse.csr_matrix, low: Floats, high: Floats) -> None:
        """Add rows below the others; the basis of the last solve stays."""
        self._highs.addRows(len(low), low, high, matrix.nnz, matrix.indptr[:-1], matrix.indices, matrix.data)

    def set_bounds(self, lower: Floats, upper: Floats) -> None:
        """Change the ends of all variables."""
        self._highs.changeColsBounds(len(self._numbers), self._numbers, lower, upper)

    def set_rows(self, low: Floats, high: Floats) -> None:
        """Change the ends of all rows."""
        self._highs.changeRowsBounds(len(low), np.arange(len(low), dtype=np.int32), low, high)

    def set_row(self, row: int, low: float, high: float) -> None:
        """Change the ends of one row."""
        self._highs.changeRowBounds(row, low, high)


def safe_maximum(cost: Floats, polytope: Polytope, duals: Floats) -> tuple[float, Floats]:
    """Return a number that the maximum of cost · v cannot exceed, and the reduced costs behind it.

    True for any ``duals`` (as HiGHS gives them for the minimisation of -cost): each variable takes the end of its range
    that is worse for us, each row too, and a rounding allowance is added. Variables must have finite ends.
    """
    matrix, low, high = polytope.matrix, polytope.low, polytope.high
    lower, upper = polytope.lower, polytope.upper
    duals = np.where(np.isneginf(low), np.minimum(duals, 0.0), duals)
    duals = np.where(np.isposinf(high), np.maximum(duals, 0.0), duals)
    # -cost·v = (-cost - duals·matrix)·v + duals·(matrix v), each product at least its smaller end.
    reduced = cost + duals @ matrix
    ends = np.where(duals > 0, low, high)
    rows = -duals[duals != 0] * ends[duals != 0]
    columns = np.where(reduced > 0, reduced * upper, reduced * lower)
    width = np.maximum(np.abs(lower), np.abs(upper))
    size = (np.abs(cost) + np.abs(duals) @ np.abs(matrix)) @ width + np.abs(rows).sum()
    allowance = _ROUNDING * (len(cost) + len(duals)) * size
    return float(columns.sum() + rows.sum() + allowance), reduced


def packed(matrix: Floats) -> sparse.csr_matrix:
    """Return a dense matrix as a sparse one."""
    there = matrix != 0
    starts = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
    return sparse.csr_matrix((matrix[there], np.nonzero(there)[1].astype(np.int32), starts), shape=matrix.shape)


def _model(polytope: Polytope, whole: Mask | None) -> highspy.HighsLp:
    compressed = sparse.csr_matrix(polytope.matrix)
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = compressed.shape
    model.col_cost_ = np.zeros(model.num_col_)
    model.col_lower_, model.col_upper_ = polytope.lower, polytope.upper
    model.row_lower_, model.row_upper_ = polytope.low, polytope.high
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = compressed.indptr
    model.a_matrix_.index_ = compressed.indices
    model.a_matrix_.value_ = compressed.data
    if whole is not None and whole.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[int(item)] for item in whole]
    return model
