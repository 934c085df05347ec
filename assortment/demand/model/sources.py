"""What each source of demand contributed to a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from assortment.demand.arrays import Floats, Ints
from assortment.demand.fitting.precision import Precision
from assortment.demand.likelihood.kinds import likelihood_of
from assortment.demand.likelihood.layout import Coefficients, Layout
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.mixture_curvature import SHARED_BY_CLASSES, curvature_of
from assortment.demand.observed.choices import SOURCES, Choices

COLUMNS = (
    *("source", "purchases", "weight", "weighted_purchases", "counted_purchases"),
    *("log_loss", "log_loss_average", "information"),
)
PRODUCTS, PRICES, PEOPLE = "on_products", "on_prices", "on_people"
_TOPICS = {
    PRODUCTS: ("attribute", "product"),
    PRICES: ("covariate", "covariate_product"),
    PEOPLE: (
        *("demographic", "demographic_product", "covariate_demographic"),
        *("class_attribute", "class_product", "class_covariate", "mix", "mix_demographic"),
    ),
}
_SHARED_ON_AVERAGE = {"class_attribute": PRODUCTS, "class_product": PRODUCTS, "class_covariate": PRICES}
_NAMES = {"sales": "Till sales", "baskets": "Household baskets", "survey": "The survey"}
_MATTERS, _CHANCE = 0.02, 30.0
"""Part of the log-loss, and χ² of a likelihood ratio, beyond which a source contradicts the others."""
_MOST = 1500  # parameters whose information is divided between the sources
_MANY = ("covariate_product", "demographic_product", "demographic")


def no_sources() -> pd.DataFrame:
    """Return the frame of a model of which nobody noted where it came from."""
    numbers = [*COLUMNS[1:], *_TOPICS]
    return pd.DataFrame({COLUMNS[0]: pd.Series(dtype=object), **{name: pd.Series(dtype=float) for name in numbers}})


def source_frame(
    likelihood: Likelihood, choices: Choices, parts: Coefficients, precision: Precision, *, weights: Mapping[str, float]
) -> pd.DataFrame:
    """Tabulate what each source contributed.

    What all sources and the prior know of the parameters that stores share is the sum of their Hessians,
    :math:`H = \\sum_i H_i + P`. Source i determines :math:`\\gamma_i = \\operatorname{tr}(H^{-1/2} H_i H^{-1/2})` of
    them; its share in the information is that of the γ, in all and by what the parameters are about.

    Parameters
    ----------
    likelihood
        The fit: its free parameters, and how far purchases of one store-week count as one.
    choices
        States of all sources.
    parts, precision
        Where the fit ended, and the precision of the prior.
    weights
        Of the sources.

    Returns
    -------
    pandas.DataFrame
        source, purchases (units), weight, weighted_purchases, counted_purchases (what they count for in the end, as
        what surprises one shopper of a store-week surprises others too), log_loss (per purchase, with the model),
        log_loss_average (the same with the averages of the source itself, divided over what was on offer), information
        (share of 1); on_products, on_prices, on_people: the same of attributes and products, of prices and promotions,
        and of what sets people (demographics, segments, classes) apart; NaN where the model has none.
    """
    found = np.unique(choices.sources)
    states = [choices] if len(found) == 1 else [choices.take(choices.sources == source) for source in found]
    each = [_of(likelihood, own, parts) for own in states]
    information = _information(each, parts, precision)
    rows: list[dict[str, Any]] = []
    for source, own, shares in zip(found, each, information, strict=True):
        weight = float(weights.get(SOURCES[source], 1.0))
        units = float(own.units.sum())
        rows.append(
            {
                "source": SOURCES[source],
                "purchases": units,
                "weight": weight,
                "weighted_purchases": weight * units,
                "counted_purchases": float(own.units @ own.weight),
                "log_loss": float(own.log_loss(parts).sum()) / (weight * units),
                "log_loss_average": _average_loss(own.choices),
                **shares,
            }
        )
    return pd.DataFrame(rows).astype({"source": object})


def source_notes(sources: pd.DataFrame) -> tuple[str, ...]:
    """Say what each source told, where there are several, or one does not count once."""
    if len(sources) < 2 and (sources["weight"] == 1.0).all():
        return ()
    rows = sources.to_dict("records")
    return (*(_sentence(row) for row in rows), *(_doubt(row) for row in rows if _contradicts(row)))


def sources_in_words(sources: pd.DataFrame) -> list[str]:
    """Return the lines of a summary that show the frame, where there is more to say than how much was bought."""
    if not source_notes(sources):
        return []
    shown = sources.copy()
    for name in ("purchases", "weighted_purchases", "counted_purchases"):
        shown[name] = [f"{value:,.0f}" for value in sources[name]]
    for name in ("information", *_TOPICS):
        shown[name] = [_percent(value) if np.isfinite(value) else "-" for value in sources[name]]
    return ["", "What each source told:", shown.to_string(index=False, float_format=lambda value: f"{value:.4g}"), ""]


def _sentence(row: Mapping[Any, Any]) -> str:
    topics = {
        PRODUCTS: "of what is known of products",
        PRICES: "of prices and promotions",
        PEOPLE: "of how people differ",
    }
    told = ", ".join(f"{_percent(row[name])} {words}" for name, words in topics.items() if np.isfinite(row[name]))
    weight = "" if row["weight"] == 1.0 else f", each counted {row['weight']:g} times"
    return (
        f"{_NAMES[row['source']]} ({row['purchases']:,.0f} purchases{weight}; log-loss {row['log_loss']:.3f} per "
        f"purchase) told {told}."
    )


def _contradicts(row: Mapping[Any, Any]) -> bool:
    """Whether a source would be forecast better by its own averages, by more than chance and by enough to matter."""
    gap = row["log_loss"] - row["log_loss_average"]
    return bool(gap > _MATTERS * row["log_loss_average"] and 2.0 * row["purchases"] * gap > _CHANCE)


def _doubt(row: Mapping[Any, Any]) -> str:
    return (
        (
            f"{_NAMES[row['source']]} contradicts the other sources: its own averages forecast it better (log-loss "
            f"{row['log_loss_average']:.3f}) than the model of all of them does; find out why, or give it less weight."
        )
        .replace("sales contradicts", "sales contradict")
        .replace("baskets contradicts", "baskets contradict")
    )


def _average_loss(choices: Choices) -> float:
    """Log-loss per purchase if each product had one attraction, its units by the units of the states that offer it."""
    units = choices.counts.sum(axis=1)
    chances = units @ choices.offered
    worth = np.divide(choices.counts.sum(axis=0), chances, out=np.zeros_like(chances), where=chances > 0)
    # Σ n log (c_j / Σ c): what was bought, less the log of all that was on offer.
    bought = choices.counts.sum(axis=0) @ np.log(np.where(worth > 0, worth, 1.0))
    return float(units @ np.log(np.maximum(choices.offered @ worth, 1e-300)) - bought) / float(units.sum())


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def _of(likelihood: Likelihood, choices: Choices, parts: Coefficients) -> Likelihood:
    """The fit's likelihood of some choices."""
    return likelihood_of(
        choices, likelihood.terms, likelihood.layout.free, known=parts, overdispersion=likelihood.overdispersed
    )


def _information(each: list[Likelihood], parts: Coefficients, precision: Precision) -> list[dict[str, float]]:
    """Shares of the sources in what is known, in all and by topic."""
    layout = each[0].layout
    free = [name for name in SHARED_BY_CLASSES if name in layout.free]
    if len(each) == 1:
        return [_shares({"information": np.ones(1), **{topic: np.ones(1) for topic in _TOPICS}}, free, 0)]
    for name in _MANY:
        if sum(int(np.prod(layout.shapes[part])) for part in free) > _MOST and name in free:
            free.remove(name)
    own = precision.of_store()
    found = [curvature_of(one, parts, tuple(free), store_precision=own) for one in each]
    positions = found[0].positions
    values, vectors = np.linalg.eigh(sum(one.hessian for one in found) + np.diag(precision.diagonal[positions]))
    root = (vectors / np.sqrt(np.maximum(values, 1e-12))) @ vectors.T
    totals = [_by_topic(root @ one.hessian @ root, positions, layout, free) for one in found]
    together = {topic: np.array([own[topic] for own in totals]) for topic in totals[0]}
    return [_shares(together, free, i) for i in range(len(each))]


def _by_topic(known: Floats, positions: Ints, layout: Layout, free: list[str]) -> dict[str, float]:
    """The trace of a matrix in the shared parameters, in all and by topic.

    What classes deviate by on average is no difference between people: it counts with what they deviate from.
    """
    places, seat = layout.places(), np.full(layout.size, -1, dtype=np.intp)
    seat[positions] = np.arange(len(positions))
    found = dict.fromkeys(_TOPICS, 0.0)
    for topic, names in _TOPICS.items():
        for name in (name for name in names if name in free):
            index = seat[getattr(places, name).astype(np.intp)]
            found[topic] += float(np.diag(known)[index].sum())
            if name in _SHARED_ON_AVERAGE:
                average = float(sum(known[np.ix_(own, own)].sum() for own in index.T)) / len(index)
                found[topic] -= average
                found[_SHARED_ON_AVERAGE[name]] += average
    return {"information": float(np.trace(known)), **found}


def _shares(totals: Mapping[str, Floats], free: list[str], i: int) -> dict[str, float]:
    shares = {}
    for topic, known in totals.items():
        there = topic not in _TOPICS or any(name in free for name in _TOPICS[topic])
        shares[topic] = float(known[i] / known.sum()) if there and known.sum() > 0 else float("nan")
    return shares
