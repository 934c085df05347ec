"""Plan: what each store should carry, what it is worth, and how far from the best it can be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Floats, Mask, read_only
from assortment.optimiser.chain.bound import Certificate
from assortment.optimiser.chain.fixing import Fixing
from assortment.optimiser.plan.changes import changes_frame, listings_frame
from assortment.optimiser.plan.status import Status
from assortment.optimiser.problem.problem import Problem
from assortment.optimiser.rules.audit import audit, priced
from assortment.optimiser.rules.columns import costs_of
from assortment.optimiser.rules.violation import Excess, Violation
from assortment.optimiser.store.bound import replay
from assortment.optimiser.store.store import Store, stores_of

_ROUNDING = 4e-13


@dataclass(frozen=True)
class Verification:
    """What `Plan.verify` found.

    Parameters
    ----------
    violations
        Rules that the plan breaks.
    value
        The value, computed again.
    bound
        The bound, computed again; infinite when there is none.
    faults
        What does not agree, in words; empty when all is well.
    replayed
        The bound that follows from the steps replayed here, with nothing taken on trust; above ``bound`` where that
        rests on steps that were not replayed. Infinite without a certificate.
    taken
        How many store bounds are taken from the certificate because they rest on steps that were not replayed.
    """

    violations: tuple[Violation, ...]
    value: float
    bound: float
    faults: tuple[str, ...]
    replayed: float = np.inf
    taken: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.faults


@dataclass(frozen=True, eq=False)
class Plan:
    """An assortment for every store, its value and its proof.

    Parameters
    ----------
    problem
        What was asked.
    carried
        What each store carries, (S, N).
    core
        What is designated core in each store, (S, N).
    value
        Per week, less all costs, computed from the picks in numpy.
    bound
        No plan is worth more; infinite when no proof was asked for.
    status
        How the run ended.
    reproducible
        Whether the same inputs give the same plan; not after a stop by the clock or by the user.
    certificate
        What the bound rests on; ``None`` when it is infinite.
    """

    problem: Problem
    carried: Mask
    core: Mask
    value: float
    bound: float
    status: Status
    reproducible: bool = True
    certificate: Certificate | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "carried", read_only(np.asarray(self.carried, bool)))
        object.__setattr__(self, "core", read_only(np.asarray(self.core, bool)))

    @property
    def gap(self) -> float:
        """How much better another plan could be, relative to the value; 0.01 is 1 %."""
        return relative_gap(self.problem, self.value, self.bound)

    @cached_property
    def listings(self) -> pd.DataFrame:
        """One row per store and product carried.

        Columns: store_id, product_id, role ("core" or "local"), units_per_week, sales_per_week (NaN without prices),
        margin_per_week, space_cm.
        """
        return listings_frame(self.problem, self.carried, self.core)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """One row per store and product that stands today or in the plan; empty without a listing of today.

        Columns: store_id, product_id, action ("add", "drop" or "keep"), worth_per_week, reason. For adds and drops,
        worth_per_week is the part of the store's change in value that the change brings, from today to the plan; costs
        of listings, of deliveries and of broken rules with a price are in it, costs of the chain are not. It is the
        integral of the value's slope along the straight way from today to the plan, so that the parts of a store add up
        to its change. For a keep it is what the store loses when that one product is taken out.
        """
        return changes_frame(self.problem, self.carried, self.core)

    @cached_property
    def priced(self) -> tuple[Excess, ...]:
        """Where the plan breaks rules that have a price, and what each costs; the value has it taken off."""
        return tuple(priced(self.problem, self.carried, self.core))

    @cached_property
    def excess(self) -> pd.DataFrame:
        """The same as a frame: rule, store_id, product_id, amount, unit, cost_per_week, sentence."""
        columns = ["rule", "store_id", "product_id", "amount", "unit", "cost_per_week", "sentence"]
        return pd.DataFrame([{name: getattr(item, name) for name in columns} for item in self.priced], columns=columns)

    def summary(self) -> str:
        """Return the plan in a few lines."""
        listed = self.carried.any(axis=0)
        core = self.core.any(axis=0)
        gap = "not proven" if np.isinf(self.bound) else f"{self.gap:.3%} at most"
        broken = Counter(item.rule for item in self.priced)
        paid = sum(item.cost_per_week for item in self.priced)
        where = ", ".join(f"{rule} in {count} place{'s' * (count > 1)}" for rule, count in broken.items())
        return "\n".join(
            [
                f"stores {self.problem.S}, products listed {listed.sum()} of {self.problem.N}: "
                f"{core.sum()} core, {(listed & ~core).sum()} local",
                f"value per week {self.value:,.2f} ({self.problem.objective}); gap to the best possible: {gap}",
                *([f"rules broken for {paid:,.2f} a week, taken off the value: {where}"] if broken else []),
                f"status {self.status}" + ("" if self.reproducible else " (stopped early; not reproducible)"),
            ]
        )

    def verify(self, *, full: bool = False) -> Verification:
        """Check the plan again, without a solver.

        In any case this proves: the picks obey every rule (audit), and the value is theirs; the bound follows from the
        prices (which are ≥ 0), the duals of the shared part and the store bounds, all in plain arithmetic; no store of
        the plan earns more than its store bound at these prices.

        With ``full=True`` every step of every store's log is worked out again, so that each store bound is proven here,
        and the bound of the plan with it; nothing that a solver said is believed. Without, the steps at the root are
        worked out. For a store that was never split, as nearly all are, that is all, and its bound is proven here too.
        For one that was split, the root proves a weaker bound only, and the store bound is taken from the certificate:
        ``taken`` counts these stores, and ``replayed`` is the bound on the plan with what their roots prove instead.

        Where all plans were split into parts, all of this is done for each of them, and it is checked that the parts
        leave no plan out.

        An infinite bound, which has no certificate, is only checked not to lie below the value.

        Parameters
        ----------
        full
            Whether to replay every step of every store.
        """
        violations = tuple(audit(self.problem, self.carried, self.core))
        faults = [str(violation) for violation in violations]
        value = self.problem.value(self.carried, self.core)
        if abs(value - self.value) > 1e-9 * max(1.0, abs(value)):
            faults.append(f"the picks are worth {value!r}, not {self.value!r}")
        bound, replayed, taken = self.bound, np.inf, 0
        if self.certificate is not None:
            bound = self.certificate.bound(self.problem)
            if not bound <= self.bound + 1e-9 * max(1.0, abs(bound)) + rounding_of(self.problem):
                faults.append(f"the certificate proves {bound!r}, not {self.bound!r}")
            replayed, taken, found = self._replayed(self.certificate, full)
            faults += found
        if self.bound < value - 1e-9 * max(1.0, abs(value)):
            faults.append(f"the bound {self.bound!r} is below the value {value!r}")
        return Verification(violations, value, bound, tuple(faults), replayed, taken)

    def _replayed(self, certificate: Certificate, full: bool) -> tuple[float, int, list[str]]:
        """Return the bound that the logs prove, how many store bounds are taken, and the faults of the certificate."""
        stores, split = stores_of(self.problem), certificate.branches is not None
        most, taken, faults = -np.inf, 0, list[str]()
        try:
            for part in certificate.parts(self.problem):
                if part.certificate is None:
                    most = max(most, part.bound)
                    faults += [] if part.fixing.empty else ["nothing is proven of a part of all plans"]
                    continue
                own = part.fixing.stores(stores) if split else stores
                proven, found = self._replayed_part(part.certificate, part.fixing, own, full)
                most = max(most, part.certificate.total(part.shared, proven))
                taken += 0 if full else sum(log is not None and log.split for log in part.certificate.logs)
                faults += found
        except ProblemError as error:
            return np.inf, taken, [*faults, str(error)]
        return most, taken, faults

    def _replayed_part(
        self, certificate: Certificate, fixing: Fixing, stores: list[Store], full: bool
    ) -> tuple[Floats, list[str]]:
        """Return what the logs prove of each store of a part of all plans, (blocks,), and the faults found."""
        prices, faults = certificate.prices, []
        if not min(prices.core.min(), prices.listed.min(), prices.spread.min()) >= 0:
            faults.append("a price of the certificate is negative")
        if not len(stores) == len(certificate.logs) == len(certificate.store_bounds):
            return np.full(len(stores), np.inf), [*faults, "a part of the certificate is of other stores"]
        proven, paid, here = np.empty(len(stores)), fixing.paid(prices.per_store), fixing.holds(self.carried, self.core)
        for b, (block, store, log) in enumerate(zip(fixing.blocks, stores, certificate.logs, strict=True)):
            name, most = self.problem.store_ids[block[0]], float(certificate.store_bounds[b])
            priced = store.priced(paid[b])
            proven[b] = replay(priced, log, full=full)
            earned = priced.value(self.carried[block[0]])
            if here and earned > _outward(most):
                faults.append(f"store '{name}' earns {earned!r}, above its bound {most!r}")
            if (full or log is None or not log.split) and not proven[b] <= _outward(most):
                faults.append(f"store '{name}': its log proves {float(proven[b])!r}, not {most!r}")
        return proven, faults


def _outward(bound: float) -> float:
    """Return a bound with what rounding on another machine may add to it."""
    return bound if np.isneginf(bound) else bound + 1e-9 * max(1.0, abs(bound))


def relative_gap(problem: Problem, value: float, bound: float) -> float:
    """Return max(0, bound − value) relative to the value; 0 when both are 0."""
    missing = max(0.0, bound - value)
    if missing == 0:
        return 0.0
    scale = max(abs(value), 1e-9 * largest_value(problem))
    return missing / scale if scale > 0 else float("inf")


def largest_value(problem: Problem) -> float:
    """Return what the chain would earn if every occasion bought the product that is worth most."""
    return float((problem.class_weight.sum(axis=1) * np.abs(problem.worth).max(axis=1)).sum())


def rounding_of(problem: Problem) -> float:
    """Return how far two sums of the same value may lie apart because floats are rounded."""
    costs = np.abs(costs_of(problem)) @ np.maximum(1.0, problem.columns.upper)
    return _ROUNDING * (float(costs) + largest_value(problem))
