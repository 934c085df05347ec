"""What a store tells of its own parameters when shoppers are loyal to nests: the expected Hessian, state by state.

The shares of a nested likelihood move as P_n (δ_jn + P_n g_{m(j) m(n)}) with g by pairs of nests, which is -1 for all
pairs where nests do not matter. With Γ = g + gᵀ + gᵀ diag(P of the nests) g a state with one unit tells

.. math:: \\operatorname{diag}(P) + P_n P_{n'} \\Gamma_{m(n) m(n')}

of the utilities of its products.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assortment.demand.arrays import Floats, Ints
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.loyalty import AWAY, Fixed, LoyalLikelihood, Nested, drifts


def local_of_loyal(
    likelihood: LoyalLikelihood, parts: Coefficients, *, with_products: bool
) -> Callable[[Ints], tuple[Floats, Floats]]:
    """Return a function of states: expected Hessian and gradient of minus their log-likelihood.

    In the local parameters as ``curvature`` has them (constants of the products, then slopes), and after those the
    loyalty and the log odds of the classes, which are the same in all stores.
    """
    nested, fixed = likelihood.nested(parts)

    def local(states: Ints) -> tuple[Floats, Floats]:
        seen = nested(states)
        units = likelihood.units[states] * likelihood.weight[states]
        shares, share = likelihood.shares_of(seen), seen.share
        x = np.concatenate([np.ones((1, *shares.shape)), likelihood.choices.covariates[:, states]])
        change, of_classes = likelihood.slope_of_states(seen, fixed, states)
        slopes = np.einsum("tn,atn->an", change, x)
        gradient = slopes.ravel() if with_products else np.concatenate([slopes[0], slopes[1:].sum(axis=1)])
        of_nests, moves = _moves(seen, fixed)
        moved = _by_nest(shares * x, likelihood.member, with_products=with_products)
        gamma = of_nests + of_nests.swapaxes(1, 2)
        gamma += np.einsum("tlm,tl,tlk->tmk", of_nests, share, of_nests)
        across = np.einsum("tmk,ktl->mtl", gamma, moved) * units[:, None]
        hessian = np.tensordot(moved, across, axes=((0, 1), (0, 1)))
        hessian += alone(shares * units[:, None], x, with_products=with_products)
        # A class parameter moves a product as its nest is moved.
        drift = moves + np.einsum("tlm,tl,tvl->tvm", of_nests, share, moves)
        mixed = np.einsum("mtl,tvm,t->lv", moved, drift, units)
        own = np.einsum("tvl,tl,twl,t->vw", moves, share, moves, units)
        return np.block([[hessian, mixed], [mixed.T, own]]), np.concatenate([gradient, of_classes])

    return local


def _moves(seen: Nested, fixed: Fixed) -> tuple[Floats, Floats]:
    """g (t, M + 1, M + 1), and how the log shares of the nests move with loyalty and log odds (t, V, M + 1)."""
    more = np.append(fixed.bonus - 1.0, 0.0)
    told = fixed.mix / seen.sums**2
    q = np.column_stack([told[:, 1:], np.zeros(len(told))])
    everywhere = told[:, 0] * fixed.away**2 + q.sum(axis=1)
    pairs = everywhere[:, None, None] + (q * more)[:, :, None] + (q * more)[:, None, :]
    pairs += (q * more**2)[:, :, None] * np.eye(len(more))
    slopes = -pairs / seen.factor[:, :, None]
    share = seen.share
    slopes -= np.einsum("tl,tlm->tm", share, slopes)[:, None]
    by_bonus, by_away, by_mix = drifts(seen, fixed)
    common = by_bonus.sum(axis=1) - AWAY * by_away
    moves = np.concatenate([common[:, None], by_bonus, by_mix], axis=1)
    moves -= np.einsum("tl,tvl->tv", share, moves)[:, :, None]
    return slopes * (seen.chance[:, None] / seen.factor)[:, None] - 1.0, moves


def _by_nest(moved: Floats, member: Floats, *, with_products: bool) -> Floats:
    """(M + 1, t, L), what each nest contributes to the (A, t, N) shares times the constant and covariates."""
    by_product = member.T[:, None, None] * moved
    if with_products:
        return by_product.transpose(0, 2, 1, 3).reshape(len(by_product), moved.shape[1], -1)
    return np.concatenate([by_product[:, 0], by_product[:, 1:].sum(axis=3).transpose(0, 2, 1)], axis=2)


def alone(expected: Floats, x: Floats, *, with_products: bool) -> Floats:
    """The part of the Hessian without what products share, from (t, N) units expected and (A, t, N) covariates."""
    pairs = np.einsum("tn,atn,btn->abn", expected, x, x)
    A, _, N = pairs.shape
    if with_products:
        by_product: Floats = np.einsum("abn,nm->anbm", pairs, np.eye(N)).reshape(A * N, A * N)
        return by_product
    return np.block([[np.diag(pairs[0, 0]), pairs[0, 1:].T], [pairs[0, 1:], pairs[1:, 1:].sum(axis=2)]])
