"""Nests: products that share a level of an attribute, and so may share buyers more than others do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assortment.demand.arrays import Ints, positions
from assortment.demand.design.attributes import AttributeDesign, text_of
from assortment.inputs import Products

_MOST_LEVELS = 9
"""Each level is a class of shoppers, of which the optimiser bears ten."""


@dataclass(frozen=True)
class Nests:
    """The nests of one attribute (M levels).

    Parameters
    ----------
    attribute
        Column of the products' frame.
    levels
        Its M levels, each a nest.
    """

    attribute: str
    levels: tuple[str, ...]

    def of(self, products: Products) -> Ints:
        """Return the (N,) nest of each product; -1 for a level that is missing or not known."""
        level = text_of(products.frame[self.attribute])
        return positions(self.levels, pd.Series(level.to_numpy(object, na_value=""), dtype=object))


def possible_nests(design: AttributeDesign, products: Products) -> tuple[Nests, ...]:
    """Return the attributes of text whose levels may be nests: two to nine, two or more with several products."""
    found = []
    for attribute, levels in design.levels.items():
        if design.each_its_own or not 2 <= len(levels) <= _MOST_LEVELS:
            continue
        nests = Nests(attribute, levels)
        member = nests.of(products)
        if (np.bincount(member[member >= 0], minlength=len(levels)) > 1).sum() > 1:
            found.append(nests)
    return tuple(found)
