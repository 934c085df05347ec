"""Branches: the parts that all plans were split into, decision by decision, and what was proven of each.

Every decision has two answers, so that the parts of a whole tree of them leave no plan out, whatever the decisions are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from assortment.errors import ProblemError
from assortment.optimiser.chain.coupling import Coupling
from assortment.optimiser.chain.fixing import Decision, Fixing

if TYPE_CHECKING:
    from assortment.optimiser.chain.bound import Certificate
    from assortment.optimiser.problem.problem import Problem


class Part(NamedTuple):
    """A part of all plans, and what was proven of it.

    Parameters
    ----------
    fixing
        What has been decided in it.
    coupling
        What its stores have in common.
    certificate
        ``None``: the decisions alone must show that there is no plan in it.
    """

    fixing: Fixing
    coupling: Coupling
    certificate: Certificate | None

    @property
    def shared(self) -> float:
        """The bound on what the stores have in common."""
        assert self.certificate is not None
        return self.coupling.bound(self.certificate.prices, self.certificate.duals)

    @property
    def bound(self) -> float:
        """The bound on the chain that follows, infinite where nothing does."""
        if self.certificate is None:
            return -np.inf if self.fixing.empty else np.inf
        bound = self.certificate.total(self.shared, self.certificate.store_bounds)
        return np.inf if np.isnan(bound) else bound


@dataclass(frozen=True, eq=False)
class Branches:
    """A tree of decisions and the certificates of its leaves.

    Parameters
    ----------
    decisions
        What was decided, each followed by the whole tree of the answer no, then that of yes; ``None``: a leaf.
    leaves
        What was proven of each leaf, in the same order; ``None``: its decisions alone show that it holds no plan.
    """

    decisions: tuple[Decision | None, ...]
    leaves: tuple[Certificate | None, ...]

    def parts(self, problem: Problem) -> Iterator[Part]:
        """Yield each leaf and what was proven of it.

        Raises
        ------
        ProblemError
            When the decisions are not a whole tree, or there are not as many leaves as it has: plans may be left out.
        """
        open_, leaves, coupling = [Fixing.none(problem)], iter(self.leaves), Coupling(problem)
        missing = ProblemError("the parts of the certificate leave plans out: decisions or parts are missing or odd")
        if sum(decision is None for decision in self.decisions) != len(self.leaves):
            raise missing
        for decision in self.decisions:
            if not open_:
                raise missing
            fixing = open_.pop()
            if decision is None:
                yield Part(fixing, coupling.within(fixing), next(leaves))
                continue
            if not decision.fits(problem):
                raise missing
            open_ += [fixing.decided(decision, True), fixing.decided(decision, False)]
        if open_:
            raise missing
