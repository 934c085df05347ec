"""Fixing: what has been decided of a part of all plans: what is core, listed, carried, and which stores are alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from assortment.optimiser.arrays import Floats, Ints, Mask
from assortment.optimiser.chain.draft import Draft
from assortment.optimiser.store.joined import joined
from assortment.optimiser.store.own_rows import can_be_core, local_counts, share_counts
from assortment.optimiser.store.store import Store

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem


class Kind(IntEnum):
    """What a decision is about."""

    CORE = 0  # whether a product is core in a core group
    LISTED = 1  # whether a product is listed
    CARRIED = 2  # whether a store carries a product
    ALIKE = 3  # whether two stores carry the same


@dataclass(frozen=True)
class Decision:
    """A question with two answers, which between them leave no plan out.

    Parameters
    ----------
    kind
        What it is about.
    place
        Number of the core group or of the store; 0 for `Kind.LISTED`.
    other
        Number of the product; of the other store for `Kind.ALIKE`.
    """

    kind: Kind
    place: int
    other: int

    def fits(self, problem: Problem) -> bool:
        """Return whether ``problem`` has what this is about."""
        places = (problem.C, 1, problem.S, problem.S)[self.kind]
        others = problem.S if self.kind == Kind.ALIKE else problem.N
        return 0 <= self.place < places and 0 <= self.other < others


@dataclass(frozen=True, eq=False)
class Fixing:
    """The plans in which some decisions are taken, and what follows from them.

    Parameters
    ----------
    problem
        The problem.
    must, may
        What stores carry for certain and what they may carry, (S, N).
    core, maybe_core
        What is core for certain and what may be, (C, N).
    listed, maybe_listed
        What is listed for certain and what may be, (N,).
    first
        The first of the stores that carry the same as each store for certain, (S,).
    apart
        Which stores do not carry the same, (S, S).
    empty
        Whether there is no such plan, as far as the decisions alone show.
    """

    problem: Problem
    must: Mask
    may: Mask
    core: Mask
    maybe_core: Mask
    listed: Mask
    maybe_listed: Mask
    first: Ints
    apart: Mask
    empty: bool = False

    @classmethod
    def none(cls, problem: Problem) -> Fixing:
        """Return all plans of ``problem``."""
        S, N, C = problem.S, problem.N, problem.C
        some = cls(
            problem,
            must=problem.required,
            may=problem.allowed,
            core=np.zeros((C, N), bool),
            maybe_core=can_be_core(problem),
            listed=np.zeros(N, bool),
            maybe_listed=np.ones(N, bool),
            first=np.arange(S),
            apart=np.zeros((S, S), bool),
        )
        return some._followed()

    def decided(self, decision: Decision, answer: bool) -> Fixing:
        """Return the plans among these in which ``decision`` has this answer."""
        kind, at = decision.kind, (decision.place, decision.other)
        if kind == Kind.ALIKE:
            return self._likened(*at, answer)
        names = {Kind.CORE: ("core", "maybe_core"), Kind.LISTED: ("listed", "maybe_listed")}
        name = names.get(kind, ("must", "may"))[0 if answer else 1]
        changed = getattr(self, name).copy()
        changed[at[1] if kind == Kind.LISTED else at] = answer
        return replace(self, **{name: changed})._followed()

    def _likened(self, s: int, t: int, alike: bool) -> Fixing:
        first, apart = self.first.copy(), self.apart.copy()
        both = np.isin(first, first[[s, t]])
        if alike:
            first[both] = first[both].min()
            apart[both] |= apart[both].any(axis=0)
        else:
            apart[np.ix_(first == first[s], first == first[t])] = True
        return replace(self, first=first, apart=apart | apart.T)._followed()

    @property
    def blocks(self) -> list[Ints]:
        """The stores that carry the same for certain, together."""
        return [np.flatnonzero(self.first == s) for s in np.unique(self.first)]

    def core_sizes(self) -> tuple[Ints, Ints]:
        """Return how many products are core in each core group, at least and at most, (C,) each."""
        rules = self.problem.rules
        most = self.problem.N if rules.core_max is None else rules.core_max
        least: Ints = np.maximum(rules.core_min, self.core.sum(axis=1))
        return least, np.minimum(most, self.maybe_core.sum(axis=1))

    def stores(self, stores: list[Store]) -> list[Store]:
        """Return one store for each of ``blocks`` that carries what these plans let it, of all ``stores`` as given."""
        problem, blocks = self.problem, self.blocks
        limited = [self._limited(store, s) for s, store in enumerate(stores)]
        return [
            limited[block[0]]
            if len(block) == 1
            else joined([limited[s] for s in block], problem.supplier_of, problem.delivery_cost[block].sum(axis=0))
            for block in blocks
        ]

    def paid(self, per_store: Floats) -> Floats:
        """Return what each of ``blocks`` is paid for a product, (blocks, N), from what its stores are, (S, N)."""
        return np.array([per_store[block].sum(axis=0) for block in self.blocks])

    def holds(self, carried: Mask, core: Mask) -> bool:
        """Return whether a plan, (S, N) each, is one of these, as far as core, listed and carried products go."""
        listed: Mask = np.any(carried, axis=0)
        pairs = (
            (self.must, self.may, carried),
            (self.core, self.maybe_core, Draft.of(self.problem, carried, core).core),
            (self.listed, self.maybe_listed, listed),
        )
        alike = all((carried[block] == carried[block[0]]).all() for block in self.blocks)
        differ = not any((carried[s] == carried[t]).all() for s, t in np.argwhere(self.apart))
        return alike and differ and not any((low & ~has).any() or (has & ~high).any() for low, high, has in pairs)

    def _limited(self, store: Store, s: int) -> Store:
        rules, (least, most) = self.problem.rules, self.core_sizes()
        sizes = int(least[self.problem.core_group[s]]), int(most[self.problem.core_group[s]])
        limited = store.limited(must=self.must[s], may=self.may[s])
        if rules.local_per_store != (None, None):
            ends = local_counts(self.problem, *sizes)
            if "local_per_store" in rules.soft:
                limited = replace(limited, charges=limited.charges.counted(*ends))
            else:
                limited = limited.counted(*ends)
        return limited if rules.local_share == (None, None) else limited.counted(*share_counts(self.problem, *sizes))

    def _followed(self) -> Fixing:
        """Return the same plans with what follows from one decision for others, as far as single rules show it."""
        now = self
        while True:
            after = now._once()
            if after.empty or all((getattr(now, name) == getattr(after, name)).all() for name in _LIMITS):
                return after
            now = after

    def _once(self) -> Fixing:
        group, rules = self.problem.core_group, self.problem.rules
        must, may = self.must | self.core[group], self.may & self.maybe_listed
        for block in self.blocks:
            must[block], may[block] = must[block].any(axis=0), may[block].all(axis=0)
        could = np.array([may[group == c].all(axis=0) for c in range(self.problem.C)])
        core, maybe_core = _counted(self.core, self.maybe_core & could, rules.core_min, rules.core_max)
        listed, maybe_listed = self.listed | must.any(axis=0), self.maybe_listed & may.any(axis=0)
        most = None if "products_max" in rules.soft else rules.products_max
        (listed,), (maybe_listed,) = _counted(listed[None], maybe_listed[None], 0, most)
        pairs = ((must, may), (core, maybe_core), (listed, maybe_listed))
        empty = any((low & ~high).any() for low, high in pairs) or self._too_many()
        least, many = replace(self, core=core, maybe_core=maybe_core).core_sizes()
        empty = empty or bool((least > many).any()) or (most is not None and int(listed.sum()) > most)
        return replace(
            self,
            must=must,
            may=may,
            core=core,
            maybe_core=maybe_core,
            listed=listed,
            maybe_listed=maybe_listed,
            empty=bool(empty),
        )

    def _too_many(self) -> bool:
        """Whether stores that are alike are apart, or so many are apart from each other that they cannot share."""
        if self.apart.diagonal().any() or any(self.apart[np.ix_(block, block)].any() for block in self.blocks):
            return True
        chosen = list[int]()
        for s in np.unique(self.first):
            if self.apart[s, chosen].all():
                chosen.append(int(s))
        most = self.problem.rules.assortments_max
        return most is not None and len(chosen) > most


_LIMITS = ("must", "may", "core", "maybe_core", "listed", "maybe_listed")


def _counted(sure: Mask, maybe: Mask, least: int, most: int | None) -> tuple[Mask, Mask]:
    """Return what is sure and what may be, (rows, N) each, when so many of each row are."""
    full = np.zeros(len(sure), bool) if most is None else sure.sum(axis=1) == most
    bare = maybe.sum(axis=1) == least
    return np.where(bare[:, None], sure | maybe, sure), np.where(full[:, None], sure & maybe, maybe)
