"""Costs: what a listing, a distinct product, a distinct local product and a supplier's delivery cost per week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Floats, Ints, read_only, shaped


class SizedCosts(NamedTuple):
    """Costs in full shape: (S, N), (N,), (N,), (S, F); the supplier of each product, (N,), and the suppliers' names."""

    listing: Floats
    product: Floats
    local_product: Floats
    delivery: Floats
    supplier_of: Ints
    supplier_ids: tuple[str, ...]


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
    delivery
        Of each supplier in each store that carries at least one of its products, (S, F), (F,) or one number, 0 or more.
        `Problem.from_demand` takes one number, for the suppliers whose ``delivery_cost`` the chain does not tell.
    supplier_of
        Number of the supplier of each product, (N,) whole numbers from 0 to F - 1; -1 for a product that comes without
        delivery. `Problem.from_demand` finds it in the chain.
    supplier_ids
        Names of the suppliers, by number; numbered when left out.
    """

    listing: npt.ArrayLike = 0.0
    product: npt.ArrayLike = 0.0
    local_product: npt.ArrayLike = 0.0
    delivery: npt.ArrayLike = 0.0
    supplier_of: npt.ArrayLike | None = None
    supplier_ids: tuple[str, ...] = ()

    def sized(self, S: int, N: int) -> SizedCosts:
        """Return every cost in full shape, read-only.

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
        delivery, supplier_of = self._deliveries(S, N, faults)
        names = tuple(str(item) for item in self.supplier_ids) or tuple(f"f{i + 1}" for i in range(delivery.shape[1]))
        if len(names) != delivery.shape[1] and not faults:
            faults.append(f"costs.supplier_ids: found {len(names)} names; expected {delivery.shape[1]}")
        if faults:
            raise ProblemError("\n".join(["the costs cannot be used:", *(f"  - {fault}" for fault in faults)]))
        return SizedCosts(sized[0], sized[1], sized[2], delivery, supplier_of, names)

    def _deliveries(self, S: int, N: int, faults: list[str]) -> tuple[Floats, Ints]:
        nobody, nothing = read_only(np.full(N, -1, np.int64)), read_only(np.zeros((S, 0)))
        if self.supplier_of is None:
            if np.any(np.asarray(self.delivery) != 0):
                faults.append("costs.delivery: nothing says who delivers which product; give costs.supplier_of")
            return nothing, nobody
        given = shaped("costs.supplier_of", self.supplier_of, (N,), np.float64, faults)
        if given is None:
            return nothing, nobody
        if not ((given == np.round(given)) & (given >= -1)).all():
            faults.append("costs.supplier_of: expected whole numbers, -1 for a product without supplier")
            return nothing, nobody
        F = int(given.max()) + 1 if np.ndim(self.delivery) == 0 else int(np.shape(self.delivery)[-1])
        if given.max() >= F:
            faults.append(f"costs.supplier_of: found supplier {int(given.max())}; costs.delivery has {F}")
            return nothing, nobody
        delivery = shaped("costs.delivery", self.delivery, (S, F), np.float64, faults)
        if delivery is not None and not (np.isfinite(delivery) & (delivery >= 0)).all():
            faults.append("costs.delivery: expected money per week, 0 or more")
        return nothing if delivery is None else delivery, read_only(given.astype(np.int64))
