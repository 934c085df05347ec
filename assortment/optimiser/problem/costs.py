"""Costs: what a listing, a distinct product and a distinct local product cost per week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Floats, shaped


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs per week, in the unit of the objective; a negative cost is a fee received.

    Parameters
    ----------
    listing
        Of each product in each store that carries it, (S, N), (N,) or one number.
    product
        Of each distinct product in the chain, (N,) or one number.
    local_product
        Of each distinct product that is not core, on top of ``product``, (N,) or one number.
    """

    listing: npt.ArrayLike = 0.0
    product: npt.ArrayLike = 0.0
    local_product: npt.ArrayLike = 0.0

    def sized(self, S: int, N: int) -> tuple[Floats, Floats, Floats]:
        """Return listing (S, N), product (N,) and local product costs (N,), read-only.

        Raises
        ------
        ProblemError
            When an array does not fit S stores and N products or holds a number that is not finite.
        """
        faults: list[str] = []
        sized: list[Floats] = []
        for name, shape in (("listing", (S, N)), ("product", (N,)), ("local_product", (N,))):
            array = shaped(f"costs.{name}", getattr(self, name), shape, np.float64, faults)
            if array is not None and not np.isfinite(array).all():
                faults.append(f"costs.{name}: found a number that is not finite; expected money per week")
            sized.append(np.zeros(shape) if array is None else array)
        if faults:
            raise ProblemError("\n".join(["the costs cannot be used:", *(f"  - {fault}" for fault in faults)]))
        return sized[0], sized[1], sized[2]
