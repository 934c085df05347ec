"""Where the search for latent classes begins: the likelihood of a mixture has several summits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from assortment.demand.arrays import Floats, Ints
from assortment.demand.fitting.estimate import maximise_in_stages
from assortment.demand.fitting.shrinkage import Shrunken
from assortment.demand.fitting.variance import Components
from assortment.demand.likelihood.kinds import likelihood_of
from assortment.demand.likelihood.layout import CLASSES, GIVEN, Coefficients
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices

_COMMON = ("attribute", "product", "covariate")
_BETWEEN = ("demographic", "demographic_product", "covariate_demographic", "store", "week")
_STEPS = ((4, (8, 10)), (2, (12, 15, 15)))  # how many go on, and for how long
_ENOUGH = 5.0
_CELLS = 200_000  # more do not lead elsewhere
_APART, _RANDOM, _SPLIT = 2.0, 0.6, 0.4
_SEEDS = (1, 2)
_ROUNDS = 20


def best_start(
    choices: Choices,
    terms: Terms,
    free: tuple[str, ...],
    components: Components,
    *,
    alike: Shrunken,
    fewer: Shrunken,
    workers: int,
) -> Coefficients:
    """Return the most likely of several short searches for K classes.

    They begin where stores that sell alike form a class, at random deviations from one class (the same in every run),
    and where the largest of one class less is split. What stores differ in is left to the classes alone.

    Parameters
    ----------
    choices
        Equal states counted together.
    terms
        With K classes.
    free
        Parts that the fit will estimate.
    components
        How far they stray.
    alike, fewer
        Fits with one class, and with one class less.
    workers
        Threads.
    """
    stride = 1 + choices.offered.size * terms.classes // _CELLS
    choices = choices.take(np.arange(len(choices.group)) % stride == 0)
    free = tuple(name for name in (*_COMMON, *CLASSES) if name in free)

    def short(parts: Coefficients, steps: tuple[int, ...]) -> tuple[float, Coefficients]:
        likelihood = likelihood_of(choices, terms, free, known=parts, overdispersion=components.overdispersion)
        parts = likelihood.with_nothing(parts)
        likelihood = likelihood_of(choices, terms, free, known=parts, overdispersion=components.overdispersion)
        precision = components.precision(likelihood)
        begin = likelihood.layout.join(parts)
        found = maximise_in_stages(likelihood, precision, begin, enough=_ENOUGH, steps=steps)
        return found.value, likelihood.parts(found.vector)

    found = [(np.inf, start) for start in _starts(terms, free, components, alike, fewer)]
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for kept, steps in _STEPS:
            begin = [parts for _, parts in found[:kept]]
            found = sorted(pool.map(short, begin, [steps] * len(begin)), key=lambda pair: pair[0])
    return found[0][1]


def _starts(
    terms: Terms, free: tuple[str, ...], components: Components, alike: Shrunken, fewer: Shrunken
) -> Iterator[Coefficients]:
    nothing = Coefficients.zeros(terms.shapes)
    common = replace(alike.parts.without(*_BETWEEN), **{name: getattr(nothing, name) for name in (*CLASSES, GIVEN)})
    tastes = _tastes(alike)
    if len(np.unique(tastes, axis=0)) >= terms.classes:
        yield _kept(_clusters(terms, common, components, tastes), free)
    for seed in _SEEDS:
        yield _kept(_random(common, np.random.default_rng(seed)), free)
    if terms.classes > 2:
        yield _kept(_split(common, fewer), free)


def _kept(parts: Coefficients, free: tuple[str, ...]) -> Coefficients:
    return parts.without(*(name for name in CLASSES if name not in free))


def _random(common: Coefficients, rng: np.random.Generator) -> Coefficients:
    drawn = {name: rng.normal(0.0, _RANDOM, getattr(common, name).shape) for name in CLASSES}
    return replace(common, **{**drawn, "mix": np.zeros_like(common.mix)})


def _split(common: Coefficients, fewer: Shrunken) -> Coefficients:
    """The largest class of one less, cut in two that differ a little."""
    share = fewer.likelihood.terms.mix(fewer.parts).mean(axis=0)
    twin = int(share.argmax())
    rng = np.random.default_rng(0)

    def cut(name: str) -> Floats:
        values = getattr(fewer.parts, name)
        step = rng.normal(0.0, _SPLIT, values[twin].shape)
        wider = np.concatenate([values, (values[twin] - step)[None]])
        wider[twin] = values[twin] + step
        return wider

    kept = {name: getattr(fewer.parts, name) for name in (*_COMMON, "covariate_product", "period")}
    return replace(common, **kept, **{name: cut(name) for name in CLASSES})


def _tastes(alike: Shrunken) -> Floats:
    """(S, N), by which the stores differ from the average one."""
    tastes = alike.likelihood.terms.base(alike.parts)
    tastes = tastes - tastes.mean(axis=0)
    centred: Floats = tastes - tastes.mean(axis=1, keepdims=True)
    return centred


def _clusters(terms: Terms, common: Coefficients, components: Components, tastes: Floats) -> Coefficients:
    """Stores with like tastes form a class; as each of them holds all classes, classes differ more than they do."""
    label = _grouped(tastes, terms.classes)
    member = [label == k for k in range(terms.classes)]
    centre = np.array([tastes[own].mean(axis=0) for own in member]) * _APART
    A = terms.attributes
    prior = np.eye(A.shape[1]) * (components.class_product**2 + 1e-2) / max(components.class_attribute, 1e-3) ** 2
    attribute = np.asarray(np.linalg.solve(A.T @ A + prior, A.T @ centre.T).T, dtype=np.float64)
    return replace(
        common,
        class_attribute=attribute,
        class_product=centre - attribute @ A.T,
        mix_demographic=np.array([terms.demographics[own].mean(axis=0) for own in member]),
    )


def _grouped(values: Floats, groups: int) -> Ints:
    """Rows by nearest centre (Lloyd), beginning with rows that lie far from each other; no group is empty."""
    picked = [int((values**2).sum(axis=1).argmax())]
    distance: Callable[[Floats], Floats] = lambda centre: ((values - centre) ** 2).sum(axis=1)  # noqa: E731
    while len(picked) < groups:
        picked.append(int(np.min([distance(values[i]) for i in picked], axis=0).argmax()))
    centres = values[picked]
    for _ in range(_ROUNDS):
        label = np.asarray(np.argmin([distance(centre) for centre in centres], axis=0), dtype=np.intp)
        label[picked] = np.arange(groups)
        centres = np.array([values[label == k].mean(axis=0) for k in range(groups)])
    return label
