"""How purchases moved when stores changed what they list, beside how they were forecast to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assortment.demand.arrays import Bools, Floats, Ints
from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.observed.choices import Choices

WINDOW = 13
"""Most weeks on either side of a change that are compared."""
_CELLS = 2_000_000  # of a piece


@dataclass(frozen=True)
class ListingMoves:
    """Weeks before and after each change of a store's listing (E changes, K classes, N products).

    A change lies between two recorded weeks of a store in which it offered other products. Compared are at most
    ``WINDOW`` weeks on either side of it, in which nothing else changed.

    Parameters
    ----------
    store
        (E,).
    stayed, came, left
        (E, N), products offered on both sides, only after and only before.
    bought
        (2, E, N), units before and after.
    expected
        (2, K, E, N), units that the model expects each class to buy of as many purchases.
    weeks
        (2, E), that were compared.
    """

    store: Ints
    stayed: Bools
    came: Bools
    left: Bools
    bought: Floats
    expected: Floats
    weeks: Ints


@dataclass(frozen=True)
class Losses:
    """What groups of products that stayed lost to those that came, as shares of all purchases (X change × group).

    Gains, as after a product left, are losses below zero.

    Parameters
    ----------
    store
        (X,).
    actual
        (X,).
    to_similar, to_others
        (X,), forecast: to products of the group, and to those of others.
    variance
        (X,), of the actual losses if purchases were independent but for their overdispersion.
    """

    store: Ints
    actual: Floats
    to_similar: Floats
    to_others: Floats
    variance: Floats

    @classmethod
    def of(cls, moves: ListingMoves, group: Ints, *, overdispersion: float) -> Losses:
        """Compare by groups of products.

        Parameters
        ----------
        moves
            Changes of listings.
        group
            (N,), number of the group of each product; -1 for none.
        overdispersion
            Variance that purchases of a week share, as a multiple of p (1 − p).
        """
        member = (group[:, None] == np.arange(group.max(initial=-1) + 1)).astype(np.float64)
        to_similar, to_others = np.subtract(
            _transferred(moves.expected[1], moves.stayed, moves.came, member),
            _transferred(moves.expected[0], moves.stayed, moves.left, member),
        )
        expected = moves.expected.sum(axis=1)
        # Among the products that stayed, so that how well the others sell does not matter.
        seen, forecast = (_shares(units * moves.stayed, member) for units in (moves.bought, expected))
        stayed = (expected * moves.stayed).sum(axis=2) / np.maximum(expected.sum(axis=2), 1e-300)
        rest = stayed.min(axis=0)[:, None]
        surprise = np.diff(forecast - seen, axis=0)[0] * rest
        units = (moves.bought * moves.stayed).sum(axis=2)
        noise = (1.0 / np.maximum(units, 1e-9) + overdispersion / moves.weeks).sum(axis=0)[:, None]
        middle = forecast.mean(axis=0)
        variance = middle * (1.0 - middle) * rest**2 * noise
        told = (variance > 0) & (np.abs(to_similar) + np.abs(to_others) > 0) & (units > 0).all(axis=0)[:, None]
        store = np.broadcast_to(moves.store[:, None], told.shape)
        actual = to_similar + to_others + surprise
        return cls(store[told], actual[told], to_similar[told], to_others[told], variance[told])

    @classmethod
    def together(cls, pieces: list[Losses]) -> Losses:
        """Return several one after the other."""
        names = ("store", "actual", "to_similar", "to_others", "variance")
        return cls(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names))


def listing_moves(likelihood: Likelihood, parts: Coefficients) -> Iterator[ListingMoves]:
    """Give the changes of listings, some stores at a time.

    Parameters
    ----------
    likelihood
        Of a state per store and week, in the order of stores and weeks.
    parts
        What was fitted.
    """
    choices, by_class = likelihood.choices, likelihood.by_class(parts)
    for rows in _of_whole_stores(choices):
        group, offered = choices.group[rows], choices.offered[rows]
        same_store = group[1:] == group[:-1]
        spell = np.concatenate([[0], np.cumsum(~same_store | (offered[1:] != offered[:-1]).any(axis=1))])
        at = np.flatnonzero(same_store & (np.diff(spell) > 0)) + 1
        if not len(at):
            continue
        first, last = np.searchsorted(spell, spell, "left"), np.searchsorted(spell, spell, "right")
        begin, end = np.maximum(first[at - 1], at - WINDOW), np.minimum(last[at], at + WINDOW)
        units = choices.counts[rows]
        forecast = by_class(rows) * units.sum(axis=1)[:, None]
        yield ListingMoves(
            store=group[at],
            stayed=offered[at - 1] & offered[at],
            came=offered[at] & ~offered[at - 1],
            left=offered[at - 1] & ~offered[at],
            bought=_either_side(units, begin, at, end),
            expected=_either_side(forecast, begin, at, end),
            weeks=np.array([at - begin, end - at]),
        )


def _of_whole_stores(choices: Choices) -> Iterator[slice]:
    """Consecutive states, cut between stores."""
    ends = np.append(np.flatnonzero(np.diff(choices.group)) + 1, len(choices.group))
    most = max(1, _CELLS // choices.counts.shape[1])
    start = 0
    for place, end in enumerate(ends):
        if place + 1 == len(ends) or ends[place + 1] - start > most:
            yield slice(start, int(end))
            start = int(end)


def _either_side(values: Floats, begin: Ints, at: Ints, end: Ints) -> Floats:
    """(2, …, E, N) sums of (…, t, N) values over the states before and after each change."""
    before = np.insert(np.cumsum(values, axis=-2), 0, 0.0, axis=-2)
    middle = before[..., at, :]
    return np.stack([middle - before[..., begin, :], before[..., end, :] - middle])


def _shares(units: Floats, member: Floats) -> Floats:
    """(2, E, G) shares of the groups in (2, E, N) units."""
    total = units.sum(axis=2, keepdims=True)
    shares: Floats = (units @ member) / np.maximum(total, 1e-300)
    return shares


def _transferred(expected: Floats, stayed: Bools, moved: Bools, member: Floats) -> Floats:
    """What groups lose to products that are there, to similar ones and to others; (2, E, G).

    With (K, E, N) expected units while they are there. Whoever buys one of them would have divided over what else there
    is as the rest of the class does.
    """
    of_class = np.maximum(expected.sum(axis=2, keepdims=True), 1e-300)
    by_group = (expected * moved) @ member / of_class
    everywhere = (expected * moved).sum(axis=2, keepdims=True) / of_class
    base = (expected * stayed) @ member / of_class.sum(axis=0) / np.maximum(1.0 - everywhere, 1e-9)
    return np.stack([(base * by_group).sum(axis=0), (base * (everywhere - by_group)).sum(axis=0)])
