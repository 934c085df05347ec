"""L-BFGS for smooth convex functions, in plain numpy.

``scipy.optimize`` has it too, but calls LAPACK on tiny matrices in each step, for which a threaded BLAS wakes its
threads: where the cores are busy that was 25 times slower than the rest of the fit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assortment.demand.arrays import Floats

_MEMORY = 20
_DECREASE = 1e-4
_HALVINGS = 40
Function = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True)
class Minimum:
    """Where the search ended.

    Parameters
    ----------
    at
        (M,).
    value, gradient
        The function and its (M,) gradient there.
    """

    at: Floats
    value: float
    gradient: Floats


def minimise(function: Function, start: Floats, *, tolerance: float, iterations: int) -> Minimum:
    """Minimise a convex function.

    The direction is that of Nocedal and Wright, Numerical Optimization, algorithm 7.4; the step is halved until the
    function falls enough, which suffices where the function is convex.

    Parameters
    ----------
    function
        Gives value and gradient.
    start
        (M,), where the search begins; best in coordinates in which the Hessian is near the identity.
    tolerance
        The search ends when no element of the gradient is larger, or when rounding hides all progress.
    iterations
        At most so many steps.
    """
    here = Minimum(start, *function(start))
    steps: deque[tuple[Floats, Floats]] = deque(maxlen=_MEMORY)
    for _ in range(iterations):
        if float(np.abs(here.gradient).max(initial=0.0)) <= tolerance:
            break
        there = _step(function, here, _direction(here.gradient, steps))
        if there is None:
            break
        moved, change = there.at - here.at, there.gradient - here.gradient
        if _dot(moved, change) > 0:
            steps.append((moved, change))
        here = there
    return here


def _direction(gradient: Floats, steps: deque[tuple[Floats, Floats]]) -> Floats:
    """Minus the gradient times the inverse Hessian as the last steps show it."""
    direction = -gradient
    weights = []
    for moved, change in reversed(steps):
        weight = _dot(moved, direction) / _dot(moved, change)
        direction = direction - weight * change
        weights.append(weight)
    if steps:
        moved, change = steps[-1]
        direction = direction * (_dot(moved, change) / _dot(change, change))
    for (moved, change), weight in zip(steps, reversed(weights), strict=True):
        direction = direction + (weight - _dot(change, direction) / _dot(moved, change)) * moved
    return direction


def _step(function: Function, here: Minimum, direction: Floats) -> Minimum | None:
    """The longest of the steps 1, 1/2, 1/4, … that brings the function down, or ``None``."""
    slope = _dot(here.gradient, direction)
    length = 1.0
    for _ in range(_HALVINGS):
        there = Minimum(here.at + length * direction, *function(here.at + length * direction))
        if there.value <= here.value + _DECREASE * length * slope:
            return there
        length /= 2
    return None


def _dot(a: Floats, b: Floats) -> float:
    return float((a * b).sum())
