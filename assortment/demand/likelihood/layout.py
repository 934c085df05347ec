"""The parameters of the choice model by name, and where each stands in the vector that is optimised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from assortment.demand.arrays import Floats, Ints


@dataclass(frozen=True)
class Coefficients:
    """Parameters of the model by kind (Q attributes, N products, D demographics, S groups, P periods, W weeks, C
    covariates, K latent classes, 0 where all shoppers are of one class, and L = 1 + M where M of the classes are loyal
    to a nest, 0 elsewhere); what a model does without is zero.

    Parameters
    ----------
    attribute
        (Q,), θ.
    product
        (N,), r, what each product has beyond its attributes.
    demographic
        (D, Q), G.
    demographic_product
        (D, N), R, what a demographic does to each product beyond its attributes.
    store
        (S, N), e, what a store has that no demographic explains.
    period
        (P, N), w, common to all stores in a period.
    week
        (W, N), shocks common to all stores in a single week, on top of the period.
    covariate
        (C,), m.
    covariate_product
        (C, N), M, by which a product answers to a covariate differently.
    covariate_demographic
        (C, D), h, by which a demographic changes the answer to a covariate.
    class_attribute, class_product, class_covariate
        (K, Q), (K, N) and (K, C), by which a class deviates from what is common.
    class_nothing
        (K,), utility of buying nothing; set from the walk-away rate, never estimated.
    mix, mix_demographic
        (K,) and (K, D), log odds of the classes, and what demographics add to them.
    loyalty
        (L,), what the products of its nest are worth more to a loyal class: what is common, then deviations by nest.
    """

    attribute: Floats
    product: Floats
    demographic: Floats
    demographic_product: Floats
    store: Floats
    period: Floats
    week: Floats
    covariate: Floats
    covariate_product: Floats
    covariate_demographic: Floats
    class_attribute: Floats
    class_product: Floats
    class_covariate: Floats
    class_nothing: Floats
    mix: Floats
    mix_demographic: Floats
    loyalty: Floats

    @classmethod
    def zeros(cls, shapes: Mapping[str, tuple[int, ...]]) -> Coefficients:
        """Return nothing in each part."""
        return cls(**{name: np.zeros(shape) for name, shape in shapes.items()})

    def without(self, *names: str) -> Coefficients:
        """Return the same with nothing in these parts."""
        return replace(self, **{name: np.zeros_like(getattr(self, name)) for name in names})


PARTS = tuple(field.name for field in fields(Coefficients))
GIVEN = "class_nothing"
"""The part that follows from the others and is never estimated."""
CLASSES = ("class_attribute", "class_product", "class_covariate", "mix", "mix_demographic")
"""The parts that tell latent classes apart."""
LOYAL = ("loyalty", "mix")
"""The parts that tell classes apart of which each is loyal to a nest."""


def shapes_of(
    *,
    attributes: int,
    products: int,
    demographics: int,
    groups: int,
    periods: int,
    weeks: int,
    covariates: int,
    classes: int = 1,
    nests: int = 0,
) -> dict[str, tuple[int, ...]]:
    """Return the shape of each part."""
    Q, N, D, C = attributes, products, demographics, covariates
    K = classes if classes > 1 else 0
    return {
        "attribute": (Q,),
        "product": (N,),
        "demographic": (D, Q),
        "demographic_product": (D, N),
        "store": (groups, N),
        "period": (periods, N),
        "week": (weeks, N),
        "covariate": (C,),
        "covariate_product": (C, N),
        "covariate_demographic": (C, D),
        "class_attribute": (K, Q),
        "class_product": (K, N),
        "class_covariate": (K, C),
        "class_nothing": (K,),
        "mix": (K,),
        "mix_demographic": (K, D),
        "loyalty": (1 + nests if nests else 0,),
    }


@dataclass(frozen=True)
class Layout:
    """Where the free parts stand in the vector of parameters, each as one block.

    Parameters
    ----------
    shapes
        Of all parts.
    free
        Names of the parts that are estimated; the others are known.
    """

    shapes: Mapping[str, tuple[int, ...]]
    free: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of free parameters, M."""
        return sum(self._length(name) for name in self.free)

    def position(self, part: str) -> slice:
        """Return where a part stands; nowhere (an empty slice) when it is not free."""
        start = 0
        for name in self.free:
            if name == part:
                return slice(start, start + self._length(name))
            start += self._length(name)
        return slice(0, 0)

    def split(self, vector: Floats, known: Coefficients | None = None) -> Coefficients:
        """Return a vector by name; parts that are not free come from ``known``, or are zero."""
        parts = {
            name: np.zeros(shape) if known is None else getattr(known, name)
            for name, shape in self.shapes.items()
            if name not in self.free
        }
        for name in self.free:
            parts[name] = vector[self.position(name)].reshape(self.shapes[name])
        return Coefficients(**parts)

    def join(self, parts: Coefficients) -> Floats:
        """Return the (M,) vector of the free parts."""
        return np.concatenate([np.zeros(0), *(np.ravel(getattr(parts, name)) for name in self.free)])

    def places(self) -> Coefficients:
        """Return the index of each parameter in the vector, by name; -1 where it is not free."""
        nowhere = Coefficients(**{name: np.full(shape, -1.0) for name, shape in self.shapes.items()})
        return self.split(np.arange(self.size, dtype=np.float64), nowhere)

    def first_product(self) -> Ints:
        """Return where the parameters that belong to the first product alone stand: it may be the reference."""
        places = self.places()
        found: Ints = np.concatenate([places.product[:1], places.demographic_product[:, :1].ravel()]).astype(np.intp)
        return found[found >= 0]

    def _length(self, name: str) -> int:
        return math.prod(self.shapes[name])
