"""The table of coefficients with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from assortment.demand.arrays import Floats, Ints
from assortment.demand.design.nests import Nests
from assortment.demand.fitting.precision import Precision
from assortment.demand.likelihood.curvature import Curvature
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.mixture_curvature import SHARED_BY_CLASSES, curvature_of
from assortment.demand.model.tastes import Tastes

_MOST = 2000
_MANY = ("covariate_product", "demographic_product", "demographic")


@dataclass(frozen=True)
class Errors:
    """Covariances of m parameters.

    Parameters
    ----------
    positions
        (m,), in the vector.
    reference
        Where parameters stand that are nothing by definition.
    unclustered
        (m, m), the inverse Hessian of the penalised likelihood, store effects integrated out.
    clustered
        (m, m), the sandwich of that with the scores of the stores; NaN where there is one store.
    """

    positions: Ints
    reference: Ints
    unclustered: Floats
    clustered: Floats

    @classmethod
    def of(cls, likelihood: Likelihood, parts: Coefficients, precision: Precision, *, reference: bool) -> Errors:
        """Return the errors at an optimum.

        Parameters
        ----------
        likelihood, parts, precision
            What was maximised, and where.
        reference
            Whether the first product is the reference, with nothing of its own to estimate.
        """
        layout = likelihood.layout
        wanted = [name for name in SHARED_BY_CLASSES if name in layout.free]
        for name in _MANY:
            if sum(int(np.prod(layout.shapes[part])) for part in wanted) > _MOST and name in wanted:
                wanted.remove(name)
        found = curvature_of(likelihood, parts, tuple(wanted), store_precision=precision.of_store())
        zero = layout.first_product() if reference else np.zeros(0, dtype=np.intp)
        found = found.at(np.setdiff1d(found.positions, zero))
        held = np.diag(precision.diagonal[found.positions])
        bread = np.asarray(np.linalg.inv(found.hessian + held), dtype=np.float64)
        return cls(found.positions, zero, bread, bread @ _meat(found) @ bread)

    def of_rows(self, rows: sparse.csr_array) -> tuple[Floats, Floats]:
        """Return clustered and unclustered standard errors of linear combinations, (L, M) of all M parameters."""
        unknown = np.ones(rows.shape[1])
        unknown[self.positions] = unknown[self.reference] = 0.0
        outside = abs(rows) @ unknown > 0
        inner = rows[:, self.positions].toarray()

        def errors(covariance: Floats) -> Floats:
            variance = np.einsum("lm,lm->l", inner @ covariance, inner)
            return np.where(outside, np.nan, np.sqrt(np.maximum(variance, 0.0)))

        return errors(self.clustered), errors(self.unclustered)


def _meat(found: Curvature) -> Floats:
    seen = found.scores[np.abs(found.scores).any(axis=1)]
    if len(seen) < 2:
        return np.full(found.hessian.shape, np.nan)
    meat: Floats = seen.T @ seen * (len(seen) / (len(seen) - 1))
    return meat


def coefficient_frame(
    tastes: Tastes,
    likelihood: Likelihood,
    precision: Precision,
    *,
    reference: bool = False,
    segments: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Tabulate the coefficients that stores share.

    Parameters
    ----------
    tastes
        The fit.
    likelihood, precision
        What was maximised.
    reference
        Whether products are measured against the first one; else against the average product.
    segments
        Names of the classes where they are observed segments; each is given by how it deviates from what is common.

    Returns
    -------
    pandas.DataFrame
        term, value, standard_error (clustered by store), standard_error_unclustered (inverse Hessian). A product is
        given by its whole constant, and a class by what it makes of attributes and covariates in all; its odds are
        against the average class. Errors take variances, seasons and weekly shocks as known.
    """
    layout, parts = likelihood.layout, tastes.parts
    places, M = layout.places(), layout.size
    errors = Errors.of(likelihood, parts, precision, reference=reference)
    terms: list[str] = []
    index: list[int] = []
    for names, place in (*_named(tastes, places, segments), *_of_segments(tastes, likelihood, segments)):
        terms += names
        index += [int(i) for i in place.ravel()]
    kept = [i for i, position in enumerate(index) if position >= 0]
    own = _picking(np.array([index[i] for i in kept], dtype=np.intp), M)
    by_class = [] if segments else _of_classes(tastes, places, M)
    constants = _constants(likelihood, places, reference=reference)
    # Few of the parameters are shared by all stores: dense rows of a large chain would fill the memory.
    rows = sparse.vstack([own, *(row for _, row in by_class), constants], format="csr")
    clustered, unclustered = errors.of_rows(rows)
    return pd.DataFrame(
        {
            "term": [
                *(terms[i] for i in kept),
                *(name for name, _ in by_class),
                *(f"product: {name}" for name in tastes.product_ids),
            ],
            "value": rows @ layout.join(parts),
            "standard_error": clustered,
            "standard_error_unclustered": unclustered,
        }
    )


def _of_segments(tastes: Tastes, likelihood: Likelihood, segments: tuple[str, ...]) -> list[tuple[list[str], Floats]]:
    """Names and positions of what observed segments deviate by; none where all are alike."""
    if not segments or "class_attribute" not in likelihood.layout.free:
        return []
    names = [f"{segment} × {attribute}" for segment in segments for attribute in tastes.attributes.names]
    return [(names, likelihood.layout.places().class_attribute)]


def _named(tastes: Tastes, places: Coefficients, segments: tuple[str, ...]) -> list[tuple[list[str], Floats]]:
    """Names and positions of the coefficients, kind by kind."""
    attributes, products = tastes.attributes.names, [f"product: {name}" for name in tastes.product_ids]
    covariates, demographics = tastes.covariates.names, tastes.demographics
    common = [(list(covariates), places.covariate), (list(attributes), places.attribute)]
    shared = tastes.classes == 1 or tastes.nests is not None or segments
    return [
        *(common if shared else []),
        ([f"{d} × {a}" for d in demographics for a in attributes], places.demographic),
        ([f"{d} × {c}" for c in covariates for d in demographics], places.covariate_demographic),
        ([f"{d} × {p}" for d in demographics for p in products], places.demographic_product),
        ([f"{c} × {p}" for c in covariates for p in products], places.covariate_product),
    ]


def _of_classes(tastes: Tastes, places: Coefficients, size: int) -> list[tuple[str, sparse.csr_array]]:
    """Names and (1, M) rows of what each latent class has in all."""
    if tastes.classes == 1:
        return []
    if tastes.nests is not None:
        return _of_nests(tastes.nests, places, size)
    found: list[tuple[str, list[float], list[float]]] = []
    kinds = (
        (tastes.covariates.names, places.covariate, places.class_covariate),
        (tastes.attributes.names, places.attribute, places.class_attribute),
    )
    for k in range(tastes.classes):
        for names, common, deviation in kinds:
            found += [(f"class {k + 1}: {name}", [common[i], deviation[k, i]], []) for i, name in enumerate(names)]
        found.append((f"class {k + 1}: log odds", [places.mix[k]], list(places.mix)))
        for d, name in enumerate(tastes.demographics):
            odds = places.mix_demographic[:, d]
            found.append((f"class {k + 1}: log odds × {name}", [odds[k]], list(odds)))
    return [(name, _row(plus, average, size)) for name, plus, average in found]


def _of_nests(nests: Nests, places: Coefficients, size: int) -> list[tuple[str, sparse.csr_array]]:
    """Names and (1, M) rows of what the products of its nest are worth more to each loyal class, and of the odds."""
    odds = list(places.mix)
    found = [(f"any {nests.attribute}: log odds", _row(odds[:1], odds, size))]
    for level, own, place in zip(nests.levels, places.loyalty[1:], odds[1:], strict=True):
        who = f"set on {nests.attribute} {level}"
        found.append((f"{who}: worth more", _row([places.loyalty[0], own], [], size)))
        found.append((f"{who}: log odds", _row([place], odds, size)))
    return found


def _row(plus: list[float], average: list[float], size: int) -> sparse.csr_array:
    """Sum of some parameters less the mean of others; what is not free counts as nothing."""
    position = np.array([*plus, *average], dtype=np.intp)
    weight = np.repeat([1.0, -1.0 / max(1, len(average))], [len(plus), len(average)])
    free = position >= 0
    return sparse.csr_array(weight[None, free]) @ _picking(position[free], size)


def _constants(likelihood: Likelihood, places: Coefficients, *, reference: bool) -> sparse.csr_array:
    """The (N, M) rows that make the constant of each product, against the first or the average one."""
    A, M = likelihood.terms.attributes, likelihood.layout.size
    N = len(A)
    rows = sparse.csr_array((N, M))
    if "attribute" in likelihood.layout.free:
        rows = rows + sparse.csr_array(A) @ _picking(places.attribute.astype(np.intp), M)
    if "product" in likelihood.layout.free:
        rows = rows + _picking(places.product.astype(np.intp), M)
    against = np.eye(N)[0] if reference else np.full(N, 1.0 / N)
    return sparse.csr_array(np.eye(N) - against) @ rows


def _picking(index: Ints, size: int) -> sparse.csr_array:
    """The (L, size) matrix that takes from a vector what stands at the (L,) index."""
    return sparse.csr_array((np.ones(len(index)), (np.arange(len(index)), index)), shape=(len(index), size))
