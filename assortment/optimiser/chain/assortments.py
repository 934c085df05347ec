"""At most so many different assortments: stores put together in groups, each group one large store.

Begins with the plan without the rule: of its assortments those are kept that all stores together can live with best
(greedily, as facilities are located), and each store takes the one that earns most there. Then, as k-means does, each
group's assortment is improved for all of its stores and each store moves to the group where it earns more, until
nothing gets better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.chain.draft import (
    Draft,
    limits,
    marginal_values,
    rules_hold,
    store_with_core,
    take,
)
from assortment.optimiser.chain.programme import ChainProgramme
from assortment.optimiser.chain.search import designated
from assortment.optimiser.chain.start import surplus
from assortment.optimiser.infeasible.infeasible import explain, not_found
from assortment.optimiser.rules.excess import stores_missing
from assortment.optimiser.store.joined import joined
from assortment.optimiser.store.own_rows import can_be_core
from assortment.optimiser.store.search import search
from assortment.optimiser.store.store import Store
from assortment.optimiser.workers import Clock

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_PASSES = 8
_ROUNDS = 2
_CORES_TRIED = 8
# Most stores² × products for which the sharing of assortments is stated in rows.
_ROWS_MOST = 20_000


def shared_draft(problem: Problem, stores: list[Store], draft: Draft, clock: Clock) -> Draft | None:
    """Return a plan with at most ``assortments_max`` assortments that obeys every rule, or ``None`` if none is found.

    Parameters
    ----------
    problem, stores
        The problem and its stores.
    draft
        A plan that obeys every other rule.
    clock
        When to stop improving; a plan is made whatever it says.
    """
    most = problem.rules.assortments_max
    if most is None or len(_distinct(draft.carried)) <= most:
        return draft
    groups = _Groups(problem, stores, draft.copy())
    if not (groups.formed() and groups.repaired()):
        return None
    groups.improve(clock)
    return groups.draft


def first_shared_draft(problem: Problem, stores: list[Store], draft: Draft, known: Draft | None, clock: Clock) -> Draft:
    """Return a plan that obeys every rule.

    Parameters
    ----------
    problem, stores, draft, clock
        As for `shared_draft`.
    known
        A plan that obeys every rule, where there is one: no worse one is returned.

    Raises
    ------
    Infeasible
        When there is none, or, in a chain too large to state all of that in one programme, when none is found.
    """
    shared = shared_draft(problem, stores, draft, clock)
    if known is not None and (shared is None or shared.value(problem) < known.value(problem)):
        return known
    if shared is None and problem.S**2 * problem.N > _ROWS_MOST:
        raise not_found("assortments_max")
    if shared is None:
        gains = np.array([store.gains(draft.carried[s]) for s, store in enumerate(stores)])
        shared = ChainProgramme(problem).draft(gains)
        if shared is not None:
            groups = _Groups(problem, stores, shared)
            groups.improve(clock)
            shared = groups.draft
    if shared is None:
        raise explain(problem)
    return shared


def best_shared_draft(problem: Problem, stores: list[Store], draft: Draft, known: Draft, clock: Clock) -> Draft:
    """Return the better of a plan made from ``draft`` and one that is known to obey every rule."""
    if problem.rules.assortments_max is None:
        return draft
    found = shared_draft(problem, stores, draft, clock)
    better = found is not None and found.value(problem) > known.value(problem)
    return designated(problem, found if found is not None and better else known)


class _Groups:
    """Stores in groups that carry the same.

    Parameters
    ----------
    problem, stores
        The problem and its stores.
    draft
        A plan; changed so that each store carries what its group does.
    """

    def __init__(self, problem: Problem, stores: list[Store], draft: Draft) -> None:
        assert problem.rules.assortments_max is not None
        self.problem, self.stores, self.draft, self.most = problem, stores, draft, problem.rules.assortments_max
        self._fix_core()

    def _fix_core(self) -> None:
        cores = [self.draft.core[c] for c in self.problem.core_group]
        self.fixed = [store_with_core(self.problem, *pair) for pair in zip(self.stores, cores, strict=True)]

    def formed(self) -> bool:
        """Put the stores in groups, each with an assortment that obeys the rules of all its stores."""
        carried, every = self.draft.carried.copy(), _distinct(self.draft.carried)
        worth = np.array([_worths(store, every) for store in self.fixed])
        chosen = _located(worth, self.most)
        centres, worth = every[chosen], worth[:, chosen]
        group = np.where(np.isfinite(worth).any(axis=1), worth.argmax(axis=1), -1)
        for s in np.flatnonzero(group < 0):
            # No assortment of a group fits: one is sought that fits the group and this store, the likest group first.
            for c in np.argsort((centres != carried[s]).sum(axis=1), kind="stable"):
                members = np.append(np.flatnonzero(group == c), s)
                found = search(self._joined(members), centres[c], rounds=_ROUNDS)
                if found is not None:
                    group[s], centres[c] = c, found
                    break
            else:
                return False
        self.draft.carried[:] = centres[group]
        return True

    def repaired(self) -> bool:
        """Delist or spread products until the rules that count products and stores hold; return whether they do.

        In each round a product is delisted for good, held in enough stores for good, or found not to fit a group.
        """
        problem, draft = self.problem, self.draft
        listed: Mask = np.any(draft.carried, axis=0)
        held = np.zeros_like(draft.carried)
        units = [(members, self._joined(members)) for members in self._members()]
        can = np.zeros_like(draft.carried)
        for members, unit in units:
            can[members] = unit.may
        for _ in range(4 * problem.N + 1):
            margins = np.zeros(draft.carried.shape)
            for members, unit in units:
                fitted = unit.limited(must=held[members[0]], may=listed)
                margins[members] = marginal_values(fitted, draft.carried[members[0]]) / len(members)
            away, hold = surplus(problem, draft, margins, held, can)
            if not away.any() and not hold.any():
                break
            listed &= ~away
            for members, unit in units:
                carried, before = draft.carried[members[0]], held[members[0]].copy()
                wanted = before | hold[members].any(axis=0)
                found: Mask | None = carried
                if (carried & away).any() or (wanted & ~carried).any():
                    found = search(unit.limited(must=wanted, may=listed), carried, rounds=_ROUNDS)
                if found is None:
                    can[members] &= ~wanted | before
                    wanted, found = before, search(unit.limited(must=before, may=listed), carried, rounds=_ROUNDS)
                if found is None:
                    return False
                held[members], draft.carried[members] = wanted, found
        return rules_hold(problem, draft) or self._gathered()

    def _gathered(self) -> bool:
        """Move stores into the groups that carry a product that is too thin; return whether the rules hold then."""
        problem, draft = self.problem, self.draft
        for j in np.flatnonzero(stores_missing(problem, draft.carried, draft.core_by_store(problem))):
            for _ in range(int(problem.min_stores[j])):
                carried = draft.carried
                if carried[:, j].sum() >= problem.min_stores[j]:
                    break
                rows = _distinct(carried[carried[:, j]])
                free = np.flatnonzero(problem.allowed[:, j] & ~carried[:, j])
                gains = [_worths(self.fixed[s], rows) - self.fixed[s].value(carried[s]) for s in free]
                if not (gains and np.isfinite(gains).any()):
                    return False
                s, c = np.unravel_index(int(np.argmax(gains)), np.shape(gains))
                carried[free[s]] = rows[c]
        return rules_hold(problem, draft)

    def improve(self, clock: Clock) -> None:
        """Improve the assortments of the groups and the groups themselves, until a pass brings nothing."""
        for _ in range(_PASSES):
            better = False
            for step in (self._assortments, self._moves, self._new_groups, self._core):
                better |= step(clock)
            if not better:
                break

    def _assortments(self, clock: Clock) -> bool:
        """Improve what each group carries, all others as they are."""
        better = False
        for members in self._members():
            if clock.expired:
                break
            own = self._limited(members)
            found = search(own, self.draft.carried[members[0]], rounds=_ROUNDS)
            better |= found is not None and take(self.problem, self.draft, own, members, found)
        return better

    def _moves(self, clock: Clock) -> bool:
        """Move each store to the group whose assortment is worth most in it."""
        better = False
        for s in range(self.problem.S):
            if clock.expired:
                break
            others = _distinct(self.draft.carried)
            own = self._limited(np.array([s]))
            worth, now = _worths(own, others), own.value(self.draft.carried[s])
            for c in np.argsort(-worth, kind="stable")[: int((worth > now).sum())]:
                if take(self.problem, self.draft, own, np.array([s]), others[c]):
                    better = True
                    break
        return better

    def _new_groups(self, clock: Clock) -> bool:
        """Give the stores that gain most by it an assortment of their own, as many as there may be."""
        room = self.most - len(self._members())
        if room <= 0:
            return False
        found = []
        for s in range(self.problem.S):
            own = self._limited(np.array([s]))
            alone = None if clock.expired else search(own, self.draft.carried[s], rounds=_ROUNDS)
            if alone is not None and own.fits(alone):
                found.append((own.value(alone) - own.value(self.draft.carried[s]), s, alone))
        found.sort(key=lambda item: (-item[0], item[1]))
        better = False
        for _, s, alone in found[:room]:
            members = np.array([s])
            better |= take(self.problem, self.draft, self._limited(members), members, alone)
        return better

    def _core(self, clock: Clock) -> bool:
        """Make other products core, or one more or less, and let the groups follow: the first change that helps."""
        last, fixed, value = self.draft, self.fixed, self.draft.value(self.problem)
        for c, released, made in self._core_changes():
            if clock.expired:
                break
            self.draft = last.copy()
            self.draft.core[c, released], self.draft.core[c, made] = False, True
            self._fix_core()
            if self._followed(released) and self.draft.value(self.problem) > value + 1e-9 * abs(value):
                return True
        self.draft, self.fixed = last, fixed
        return False

    def _core_changes(self) -> list[tuple[int, Ints, Ints]]:
        """Return the most promising changes of the core: its group, the products released and those made core."""
        problem, draft = self.problem, self.draft
        loss, found = np.zeros((problem.C, problem.N)), list[tuple[float, int, Ints, Ints]]()
        for members in self._members():
            margins = np.maximum(0.0, -marginal_values(self._limited(members), draft.carried[members[0]]))
            loss[np.unique(problem.core_group[members])] += margins
        least, most = problem.rules.core_min, problem.rules.core_max
        none, candidates = np.zeros(0, np.int64), can_be_core(problem)
        for c in range(problem.C):
            inside, outside = np.flatnonzero(draft.core[c]), np.flatnonzero(candidates[c] & ~draft.core[c])
            for j in outside:
                found += [(loss[c, i] - loss[c, j], c, np.array([i]), np.array([j])) for i in inside]
                if most is None or len(inside) < most:
                    found.append((-loss[c, j], c, none, np.array([j])))
            if len(inside) > least:
                found += [(loss[c, i], c, np.array([i]), none) for i in inside]
        found.sort(key=lambda change: -change[0])
        return [change[1:] for change in found[:_CORES_TRIED]]

    def _followed(self, released: Ints) -> bool:
        """Let the groups that the core's change touches follow; return whether the rules hold then."""
        for members in self._members():
            own, carried = self._limited(members), self.draft.carried[members[0]]
            without = carried.copy()
            without[released] = False
            if not own.fits(carried) or (own.fits(without) and own.value(without) > own.value(carried)):
                found = search(own, carried, rounds=1)
                if found is None:
                    return False
                self.draft.carried[members] = found
        return rules_hold(self.problem, self.draft)

    def _members(self) -> list[Ints]:
        """Return the numbers of the stores of each group, by what they carry."""
        by_row: dict[bytes, list[int]] = {}
        for s, row in enumerate(self.draft.carried):
            by_row.setdefault(row.tobytes(), []).append(s)
        return [np.array(members) for members in by_row.values()]

    def _limited(self, members: Ints) -> Store:
        """Return the stores of a group as one that may change while all others stay."""
        must, may, price = limits(self.problem, members, self.draft)
        return self._joined(members).limited(must=must, may=may).priced(-price)

    def _joined(self, members: Ints) -> Store:
        """Return the stores of a group as one."""
        if len(members) == 1:
            return self.fixed[int(members[0])]
        delivery = self.problem.delivery_cost[members].sum(axis=0)
        return joined([self.fixed[int(s)] for s in members], self.problem.supplier_of, delivery)


def _distinct(carried: Mask) -> Mask:
    """Return the different rows of ``carried``, in the order in which they come."""
    first: dict[bytes, int] = {}
    for s, row in enumerate(carried):
        first.setdefault(row.tobytes(), s)
    return carried[list(first.values())]


def _worths(store: Store, assortments: Mask) -> Floats:
    """Return what each assortment is worth in a store, minus infinity where it does not fit."""
    return np.where(store.fit_each(assortments), store.values(assortments), -np.inf)


def _located(worth: Floats, count: int) -> Ints:
    """Return the columns of ``worth`` that serve the rows best when each row takes its best one; greedily.

    First as many rows as can be are served at all.
    """
    best = np.full(len(worth), -np.inf)
    chosen: list[int] = []
    for _ in range(min(count, worth.shape[1])):
        reached = np.maximum(best[:, None], worth)
        served = np.isfinite(reached)
        rank = np.lexsort((-np.arange(worth.shape[1]), np.where(served, reached, 0.0).sum(axis=0), served.sum(axis=0)))
        chosen.append(next(int(u) for u in rank[::-1] if u not in chosen))
        best = reached[:, chosen[-1]]
    return np.array(chosen)
