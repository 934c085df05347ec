r"""Is a local product better than the best product that could stand in its place, beyond what the forecast can tell?

For store s and carried set x the value is :math:`f(x) = \sum_k w_k R_k / (v_k + V_k)`, less costs,
with :math:`V_k = \sum_j a_{kj} x_j` and :math:`R_k = \sum_j m_j a_{kj} x_j`, m the worth of a unit. With x' the set in
which the pick is replaced by its stand-in, the worth of the pick is :math:`f(x) - f(x')`. The logarithm of each
attraction is uncertain by an independent error of standard deviation ``log_sd``; to first order (delta method) the
worth then has the variance

.. math::
   \sum_i (\partial f(x) / \partial \log a_i - \partial f(x') / \partial \log a_i)^2 sd_i^2, \qquad
   \partial f(x) / \partial \log a_i = x_i \sum_k \frac{w_k a_{ki}}{v_k + V_k} \left(m_i - \frac{R_k}{v_k + V_k}\right).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assortment.optimiser.store.charges import Charges

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

LEVEL = 0.90
"""Coverage of the intervals on the pages."""
_Z = 1.6448536269514722  # the normal quantile of 0.95, for 5 % on either side


@dataclass(frozen=True)
class Shelf:
    """One store as the comparison sees it (K classes, N products).

    Parameters
    ----------
    attraction
        (K, N), no unit.
    class_weight, no_purchase
        (K,), choice occasions per week and the attraction of buying nothing.
    worth, space_cm, listing_cost, log_sd
        (N,), worth per unit, centimetres, worth per week, standard deviation of the log attraction.
    shelf_cm
        Length that what is carried must fit into.
    may
        (N,) of bool, products that the store may carry at all.
    groups
        For each group of the store its members (N,), the least and the most products carried (``None``: no limit).
    today, changes_max
        (N,) of bool, what stands there today, and the most adds plus drops; ``None``: no limit.
    charges
        What deliveries, and rules that may be broken for a price, cost; such rules are no limits. ``None``: nothing.
    """

    attraction: Floats
    class_weight: Floats
    no_purchase: Floats
    worth: Floats
    space_cm: Floats
    listing_cost: Floats
    log_sd: Floats
    shelf_cm: float
    may: Mask
    groups: tuple[tuple[Mask, int | None, int | None], ...] = ()
    today: Mask | None = None
    changes_max: int | None = None
    charges: Charges | None = None

    def value(self, carried: Mask) -> float:
        """Return the worth per week of what is carried, less what listings, deliveries and broken rules cost."""
        total = self.no_purchase + self.attraction @ carried
        earned = self.attraction @ (carried * self.worth)
        charged = 0.0 if self.charges is None else self.charges.of(carried)
        return float(self.class_weight @ (earned / total) - self.listing_cost @ carried) - charged

    def sensitivity(self, carried: Mask) -> Floats:
        """Return (N,) the change of value per unit of log attraction of each product."""
        total = self.no_purchase + self.attraction @ carried
        mean = (self.attraction @ (carried * self.worth)) / total
        chosen = self.attraction / total[:, None] * carried
        change: Floats = self.class_weight @ (chosen * (self.worth[None, :] - mean[:, None]))
        return change


@dataclass(frozen=True)
class Comparison:
    """A pick against what would stand in its place.

    Parameters
    ----------
    stand_in
        Index of the best other product, or ``None`` when only an empty place could take its place.
    worth, low, high
        Worth per week of the pick above that of the stand-in, and its interval at ``LEVEL``.
    """

    stand_in: int | None
    worth: float
    low: float
    high: float


def compare(shelf: Shelf, carried: Mask, pick: int) -> Comparison:
    """Compare a carried product with the best product that may stand in its place, or with an empty place.

    Candidates are not carried, allowed in the store, fit into the space that the pick frees, and keep to the groups
    and the change limit.

    Parameters
    ----------
    shelf
        The store.
    carried
        (N,) of bool, what the plan puts on the shelf.
    pick
        Index of the product in question.
    """
    without = carried.copy()
    without[pick] = False
    candidates = [index for index in range(len(carried)) if _fits(shelf, carried, without, index)]
    values = [shelf.value(_with(without, index)) for index in candidates]
    best = candidates[int(np.argmax(values))] if candidates else None
    instead = without if best is None else _with(without, best)
    worth = shelf.value(carried) - shelf.value(instead)
    spread = shelf.sensitivity(carried) - shelf.sensitivity(instead)
    half = _Z * float(np.sqrt(np.sum((spread * shelf.log_sd) ** 2)))
    return Comparison(best, worth, worth - half, worth + half)


def _fits(shelf: Shelf, carried: Mask, without: Mask, index: int) -> bool:
    if carried[index] or not shelf.may[index]:
        return False
    if shelf.space_cm @ without + shelf.space_cm[index] > shelf.shelf_cm * (1 + 1e-9):
        return False
    instead = _with(without, index)
    if shelf.changes_max is not None and shelf.today is not None and (instead != shelf.today).sum() > shelf.changes_max:
        return False
    counts = [(int((members & instead).sum()), least, most) for members, least, most in shelf.groups]
    return all((least is None or count >= least) and (most is None or count <= most) for count, least, most in counts)


def _with(carried: Mask, index: int) -> Mask:
    added = carried.copy()
    added[index] = True
    return added
