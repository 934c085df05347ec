"""The likelihood of purchases by several latent classes of shoppers.

A class k deviates from the common utility by its own attributes, products and slopes. With π the shares of the classes
in the choice occasions, L the log sum of attraction of what is offered, and v the attraction of buying nothing,

.. math:: P_{tj} = \\sum_k \\rho_{tk} Q_{ktj}, \\quad
          \\rho_{tk} \\propto \\pi_{sk} b_{tk}, \\quad b_{tk} = 1 / (1 + v_k e^{-L_{tk}})

where Q is the multinomial logit of the class among what is offered, b its chance of a purchase and ρ its share of the
purchases. What was bought is known, who bought it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, log_expit, logsumexp, softmax

from assortment.demand.arrays import Floats
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import LEAST, Likelihood, Rows
from assortment.demand.observed.choices import TILLS


@dataclass(frozen=True)
class _Classes:
    """Some states seen by class (K classes, t states).

    Parameters
    ----------
    shares
        (K, t, N), among purchases of the class.
    log_sums
        (K, t), of attraction, against buying nothing.
    log_mix
        (K, t), log π.
    """

    shares: Floats
    log_sums: Floats
    log_mix: Floats

    @property
    def buys(self) -> Floats:
        """(K, t) chance of a purchase."""
        chance: Floats = expit(self.log_sums)
        return chance

    @property
    def purchases(self) -> Floats:
        """(K, t) share of each class in the purchases."""
        share: Floats = softmax(self.log_mix + log_expit(self.log_sums), axis=0)
        return share


@dataclass(frozen=True)
class Told:
    """Derivatives of the shares P of some states (t states, N products, K classes), each times √(units / P).

    Parameters
    ----------
    constants
        (t, N, K, N), by the utility of a product to a class.
    odds
        (t, N, K), by the log odds of a class.
    """

    constants: Floats
    odds: Floats


class MixtureLikelihood(Likelihood):
    """Log-likelihood of the purchases of K latent classes among what was offered; made as ``Likelihood`` is.

    The utility of buying nothing (``class_nothing``) is taken as known; see ``with_nothing``.
    """

    def value_and_gradient(self, vector: Floats) -> tuple[float, Floats]:
        """Return minus the log-likelihood and its (M,) gradient."""
        parts = self.parts(vector)
        by_class = self._by_class(parts)
        pieces = iter(self._pieces)
        shapes = self.terms.shapes
        product, covariate = np.zeros(shapes["class_product"]), np.zeros(shapes["class_covariate"])
        mix, value = np.zeros((shapes["store"][0], self.terms.classes)), 0.0

        def less_bought(rows: slice) -> Floats:
            nonlocal value, mix
            loss, change, odds = self._slope(by_class(rows), rows)
            value += loss
            product[...] += change.sum(axis=1)
            covariate[...] += change.reshape(len(change), change[0].size) @ self._flat(rows).T
            mix += next(pieces).by_group @ odds.T
            total: Floats = change.sum(axis=0)
            return total

        common = self.terms.derivative(self._summed(less_bought))
        gradient = replace(
            common,
            class_attribute=product @ self.terms.attributes,
            class_product=product,
            class_covariate=covariate,
            mix=mix.sum(axis=0),
            mix_demographic=mix.T @ self.terms.demographics,
        )
        return value, self.layout.join(gradient)

    def _slope(self, seen: _Classes, rows: Rows) -> tuple[float, Floats, Floats]:
        """Minus the log-likelihood of some states, and its slopes in the (K, t, N) utilities and (K, t) log odds."""
        bought = self.choices.counts[rows] * self.weight[rows, None]
        units, part = bought.sum(axis=1), seen.purchases
        joint = seen.shares
        joint *= part[:, :, None]
        shares = np.maximum(joint.sum(axis=0), LEAST)
        loss = -float(np.where(bought > 0, bought * np.log(shares), 0.0).sum())
        ratio = bought / shares
        # Units of each class among those bought, per unit of its share of the purchases.
        told = np.einsum("tn,ktn->kt", ratio, joint) / np.maximum(part, LEAST)
        buys = seen.buys
        change = (buys * told + (1.0 - buys) * units)[:, :, None] - ratio
        change *= joint
        return loss, change, part * (units - told)

    def slopes(self, parts: Coefficients) -> Callable[[Rows], tuple[Floats, Floats]]:
        """Return a function of states: slopes of the loss in the (K, t, N) utilities and (K, t) log odds."""
        by_class = self._by_class(parts)
        return lambda rows: self._slope(by_class(rows), rows)[1:]

    def told(self, parts: Coefficients) -> Callable[[Rows], Told]:
        """Return a function of states: what they tell of their utilities and log odds."""
        by_class = self._by_class(parts)
        return lambda rows: self._told(by_class(rows), rows)

    def _told(self, seen: _Classes, rows: Rows) -> Told:
        part, buys, Q = seen.purchases.T, seen.buys.T, seen.shares.transpose(1, 2, 0)
        shares = np.einsum("tk,tnk->tn", part, Q)
        units = (self.units[rows] * self.weight[rows])[:, None]
        scale = np.sqrt(np.divide(units, shares, out=np.zeros_like(shares), where=shares > 0))
        moved = (buys[:, None] * Q + (1.0 - buys)[:, None] * shares[:, :, None]) * part[:, None]
        constants = -(scale[:, :, None] * moved)[..., None] * Q.transpose(0, 2, 1)[:, None]
        n = np.arange(Q.shape[1])
        constants[:, n, :, n] += (scale[:, :, None] * part[:, None] * Q).transpose(1, 0, 2)
        return Told(constants, scale[:, :, None] * part[:, None] * (Q - shares[:, :, None]))

    def forecast(self, parts: Coefficients) -> Callable[[Rows], tuple[Floats, Floats]]:
        """Return a function of states: their (t, N) shares of the purchases, and the (t,) log chance of one."""
        by_class = self._by_class(parts)

        def forecast(rows: Rows) -> tuple[Floats, Floats]:
            seen = by_class(rows)
            shares = np.einsum("kt,ktn->tn", seen.purchases, seen.shares)
            return shares, logsumexp(seen.log_mix + log_expit(seen.log_sums), axis=0)

        return forecast

    def by_class(self, parts: Coefficients) -> Callable[[Rows], Floats]:
        """Return a function of states: (K, t, N), the part of their purchases that each class makes of each product."""
        by_class = self._by_class(parts)

        def joint(rows: Rows) -> Floats:
            seen = by_class(rows)
            return seen.purchases[:, :, None] * seen.shares

        return joint

    def log_sums(self, parts: Coefficients) -> Floats:
        """Return (T, K) logarithms of the sum of the attractions of what was offered, against buying nothing."""
        by_class = self._by_class(parts)
        return np.concatenate([by_class(piece.rows).log_sums.T for piece in self._pieces])

    def with_nothing(self, parts: Coefficients) -> Coefficients:
        """Return the same with a utility of buying nothing at which each class walks away at the assumed rate.

        On average over the observed offers, each counted by the units bought; on those of stores, where there are any.
        """
        nothing = parts.class_nothing
        log_sums = self.log_sums(parts) + nothing
        shelves = self.choices.sources == TILLS
        counted = self.choices.counted * (shelves if shelves.any() else 1.0)
        weight = counted[:, None] * self.terms.mix(parts)[self.choices.group]
        return replace(parts, class_nothing=nothings(log_sums, weight, self.terms.walk_away))

    def information(self, parts: Coefficients, *, store_variance: float = 0.0) -> Coefficients:
        """Return the diagonal of the expected Hessian of minus the log-likelihood, by name.

        What all classes share counts as if there was one.
        """
        A, Z = self.terms.attributes, self.terms.demographics
        shapes = self.terms.shapes
        by_class = self._by_class(parts)
        product, covariate = np.zeros(shapes["class_product"]), np.zeros(shapes["class_covariate"])
        mix = np.zeros((len(Z), self.terms.classes))
        for piece in self._pieces:
            rows = piece.rows
            seen = by_class(rows)
            units = self.units[rows] * self.weight[rows]
            part, Q = seen.purchases, seen.shares
            shares = np.maximum(np.einsum("kt,ktn->tn", part, Q), LEAST)
            even = (Q**2 / shares).sum(axis=2)
            of_product = (part**2 * units)[:, :, None] * Q**2 * ((1.0 - 2.0 * Q) / shares + even[:, :, None])
            product += of_product.sum(axis=1)
            for c, x in enumerate(self.choices.covariates[:, rows]):
                moved = Q * (x - np.einsum("ktn,tn->kt", Q, x)[:, :, None])
                covariate[:, c] += np.einsum("kt,ktn->k", part**2 * units, moved**2 / shares)
            mix += piece.by_group @ (part**2 * units * np.maximum(even - 1.0, 0.0)).T
        return replace(
            super().information(parts, store_variance=store_variance),
            class_attribute=product @ A**2,
            class_product=product,
            class_covariate=covariate,
            mix=mix.sum(axis=0),
            mix_demographic=mix.T @ Z**2,
        )

    def _flat(self, rows: slice) -> Floats:
        x = self.choices.covariates[:, rows]
        return x.reshape(len(x), x.shape[1] * x.shape[2])

    def _by_class(self, parts: Coefficients) -> Callable[[Rows], _Classes]:
        utilities = self._utilities(parts)
        constant = parts.class_attribute @ self.terms.attributes.T + parts.class_product - parts.class_nothing[:, None]
        log_mix = np.log(np.maximum(self.terms.mix(parts), LEAST))

        def by_class(rows: Rows) -> _Classes:
            common = utilities(rows)
            x = self.choices.covariates[:, rows]
            total = (parts.class_covariate @ x.reshape(len(x), common.size)).reshape(-1, *common.shape)
            total += constant[:, None, :]
            total += common
            np.copyto(total, -np.inf, where=~self.choices.offered[rows])
            peak = total.max(axis=2)
            total -= peak[:, :, None]
            np.exp(total, out=total)
            sums = total.sum(axis=2)
            total /= sums[:, :, None]
            return _Classes(total, np.log(sums) + peak, log_mix[self.choices.group[rows]].T)

        return by_class


def nothings(log_sums: Floats, weight: Floats, walk_away: float) -> Floats:
    """Return (K,) utilities of buying nothing at which each class walks away at this rate.

    Parameters
    ----------
    log_sums, weight
        (T, K), of what was offered, and how much it counts.
    walk_away
        The rate.
    """
    odds = float(np.log(walk_away / (1.0 - walk_away)))
    found = []
    for own, share in zip(log_sums.T, (weight / weight.sum(axis=0)).T, strict=True):

        def excess(value: float, own: Floats = own, share: Floats = share) -> float:
            return float(share @ expit(value - own)) - walk_away

        found.append(float(brentq(excess, own.min() + odds - 1.0, own.max() + odds + 1.0, xtol=1e-10)))
    return np.array(found)
