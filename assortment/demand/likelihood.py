"""The multinomial logit: log-likelihood, gradient and Hessian.

The utility of product j in state t of group s (a store or a segment) is

.. math:: u_{tj} = A_j \\theta + r_j + z_s G A_j^T + x_{tj} c

with attributes A (N, Q), standardised demographics z (S, D), covariates x (log price, promotions). The part without x
is the same in all states of a group, so an evaluation costs one exponential per offered cell and little else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from assortment.demand.arrays import Floats
from assortment.demand.choices import Choices


@dataclass(frozen=True)
class Layout:
    """Where each parameter stands in the vector that is optimised.

    Parameters
    ----------
    attributes, products, demographics, covariates
        Q, N, D and C.
    """

    attributes: int
    products: int
    demographics: int
    covariates: int

    @property
    def size(self) -> int:
        """Number of parameters, M."""
        return self.attributes + self.products + self.demographics * self.attributes + self.covariates

    @property
    def _cuts(self) -> tuple[int, int, int]:
        end = self.attributes + self.products
        return self.attributes, end, end + self.demographics * self.attributes

    def split(self, vector: Floats) -> Coefficients:
        """Return the named parts of a vector (or of a vector of precisions)."""
        attribute, product, demographic, covariate = np.split(vector, self._cuts)
        return Coefficients(attribute, product, demographic.reshape(self.demographics, self.attributes), covariate)

    def join(self, parts: Coefficients) -> Floats:
        """Return the vector of these parts."""
        return np.concatenate([parts.attribute, parts.product, parts.demographic.ravel(), parts.covariate])

    def position(self, part: str) -> slice:
        """Return where ``part`` stands: attribute, product, demographic or covariate."""
        first, second, third = self._cuts
        places = {
            "attribute": slice(0, first),
            "product": slice(first, second),
            "demographic": slice(second, third),
            "covariate": slice(third, self.size),
        }
        return places[part]


@dataclass(frozen=True)
class Coefficients:
    """Parameters of the model by kind.

    Parameters
    ----------
    attribute
        (Q,), θ.
    product
        (N,), r, what each product has beyond its attributes.
    demographic
        (D, Q), G.
    covariate
        (C,), c.
    """

    attribute: Floats
    product: Floats
    demographic: Floats
    covariate: Floats

    def base(self, attributes: Floats, demographics: Floats) -> Floats:
        """Return the (S, N) utilities without covariates."""
        utilities: Floats = attributes @ self.attribute + self.product + demographics @ self.demographic @ attributes.T
        return utilities


class Likelihood:
    """Log-likelihood of choices among what was offered, per purchase (C covariates, M parameters).

    Parameters
    ----------
    choices
        Offers and purchases.
    attributes
        (N, Q).
    demographics
        (S, D), a row per group of the choices.
    """

    def __init__(self, choices: Choices, attributes: Floats, demographics: Floats) -> None:
        self.choices, self.attributes, self.demographics = choices, attributes, demographics
        self.layout = Layout(
            attributes.shape[1], attributes.shape[0], demographics.shape[1], choices.covariates.shape[0]
        )
        self._units = choices.counts.sum(axis=1)
        self._closed = np.where(choices.offered, 0.0, -np.inf)
        states = len(choices.group)
        self._sum_by_group = sparse.csr_array(
            (np.ones(states), (choices.group, np.arange(states))), shape=(len(demographics), states)
        )
        # What was bought enters the likelihood through sums only.
        self._bought = self._gather(choices.counts)

    def utilities(self, vector: Floats) -> Floats:
        """Return the (T, N) utilities, minus infinity where a product was not offered."""
        parts = self.layout.split(vector)
        utilities = parts.base(self.attributes, self.demographics)[self.choices.group]
        for coefficient, covariate in zip(parts.covariate, self.choices.covariates, strict=True):
            utilities += coefficient * covariate
        utilities += self._closed
        return utilities

    def log_shares(self, vector: Floats) -> Floats:
        """Return the (T, N) logarithms of the choice shares among what was offered."""
        utilities = self.utilities(vector)
        utilities -= utilities.max(axis=1, keepdims=True)
        utilities -= np.log(np.exp(utilities).sum(axis=1, keepdims=True))
        return utilities

    def value_and_gradient(self, vector: Floats) -> tuple[float, Floats]:
        """Return minus the log-likelihood and its (M,) gradient."""
        shares = self.utilities(vector)
        peak = shares.max(axis=1)
        shares -= peak[:, None]
        np.exp(shares, out=shares)
        total = shares.sum(axis=1)
        value = float((self._units * (np.log(total) + peak)).sum() - (self._bought * vector).sum())
        shares *= (self._units / total)[:, None]
        return value, self._gather(shares) - self._bought

    def _gather(self, units: Floats) -> Floats:
        """Sum (T, N) units into the derivative (M,) of Σ units × utility."""
        by_group: Floats = self._sum_by_group @ units
        product = by_group.sum(axis=0)
        # einsum, as BLAS would start threads for sums this small and wait for them.
        return self.layout.join(
            Coefficients(
                attribute=self.attributes.T @ product,
                product=product,
                demographic=self.demographics.T @ by_group @ self.attributes,
                covariate=np.einsum("tn,ctn->c", units, self.choices.covariates),
            )
        )

    def hessian(self, vector: Floats) -> Floats:
        """Return the (M, M) Hessian of minus the log-likelihood, group by group (Q and N small beside the states)."""
        layout, A, Z = self.layout, self.attributes, self.demographics
        shares = np.exp(self.log_shares(vector))
        weighted = shares * self._units[:, None]
        mean = np.einsum("tn,ctn->ct", shares, self.choices.covariates)
        deviation = weighted * (self.choices.covariates - mean[:, :, None])
        hessian = np.zeros((layout.size, layout.size))
        a, r, g, c = (layout.position(part) for part in ("attribute", "product", "demographic", "covariate"))
        covariate = [self._sum_by_group @ part for part in deviation]
        for s in np.unique(self.choices.group):
            rows = self.choices.group == s
            inner = np.diag(weighted[rows].sum(axis=0)) - shares[rows].T @ weighted[rows]
            half = inner @ A
            full = A.T @ half
            hessian[a, a] += full
            hessian[r, r] += inner
            hessian[r, a] += half
            if layout.demographics:
                hessian[g, a] += np.kron(Z[s][:, None], full)
                hessian[g, r] += np.kron(Z[s][:, None], half.T)
                hessian[g, g] += np.kron(np.outer(Z[s], Z[s]), full)
            for index in range(layout.covariates):
                row = c.start + index
                across = covariate[index][s]
                hessian[row, r] += across
                hessian[row, a] += across @ A
                hessian[row, g] += np.kron(Z[s], across @ A)
        hessian[c, c] = np.einsum("ctn,dtn->cd", deviation, self.choices.covariates)
        lower = np.tril(hessian)
        return lower + np.tril(hessian, -1).T
