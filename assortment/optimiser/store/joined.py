"""Several stores as one: all of them carry the same, and each earns and obeys on its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assortment.optimiser.arrays import Floats, Ints
from assortment.optimiser.store.charges import Charges
from assortment.optimiser.store.store import Store


def joined(stores: Sequence[Store], supplier_of: Ints, delivery: Floats) -> Store:
    """Return the store whose shoppers, rules and costs are those of all ``stores``.

    Parameters
    ----------
    stores
        At least one.
    supplier_of
        Number of the supplier of each product, (N,); -1 for none.
    delivery
        What each supplier costs in all of these stores together, (F,).
    """
    N = len(stores[0].cost)
    matrix, low, high = _narrowest(stores)
    paid = delivery > 0
    number = np.append(np.where(paid, np.cumsum(paid) - 1, -1), -1)
    charges = [store.charges for store in stores]
    return Store(
        pull=np.concatenate([store.pull for store in stores]),
        weight=np.concatenate([store.weight for store in stores]),
        worth=np.concatenate([np.broadcast_to(store.worth, (len(store.weight), N)) for store in stores]),
        cost=np.sum([store.cost for store in stores], axis=0),
        matrix=matrix,
        low=low,
        high=high,
        must=np.any([store.must for store in stores], axis=0),
        may=np.all([store.may for store in stores], axis=0),
        charges=Charges(
            supplier_of=number[supplier_of],
            delivery=delivery[paid],
            matrix=np.concatenate([item.matrix for item in charges]),
            low=np.concatenate([item.low for item in charges]),
            high=np.concatenate([item.high for item in charges]),
            price=np.concatenate([item.price for item in charges]),
            rules=tuple(rule for item in charges for rule in item.rules),
        ),
    )


def _narrowest(stores: Sequence[Store]) -> tuple[Floats, Floats, Floats]:
    """Return the rows of all stores, those with the same coefficients as one with the narrowest ends."""
    every = np.concatenate([store.matrix for store in stores])
    matrix, which = np.unique(every, axis=0, return_inverse=True)
    low, high = np.full(len(matrix), -np.inf), np.full(len(matrix), np.inf)
    np.maximum.at(low, which.ravel(), np.concatenate([store.low for store in stores]))
    np.minimum.at(high, which.ravel(), np.concatenate([store.high for store in stores]))
    return matrix, low, high
