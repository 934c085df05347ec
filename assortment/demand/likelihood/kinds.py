"""Which likelihood a set of terms asks for: one class of shoppers, latent classes, or classes loyal to a nest."""

from __future__ import annotations

from assortment.demand.likelihood.layout import Coefficients
from assortment.demand.likelihood.logit import Likelihood
from assortment.demand.likelihood.loyalty import LoyalLikelihood
from assortment.demand.likelihood.mixture import MixtureLikelihood
from assortment.demand.likelihood.terms import Terms
from assortment.demand.observed.choices import Choices


def likelihood_of(
    choices: Choices,
    terms: Terms,
    free: tuple[str, ...],
    *,
    known: Coefficients | None = None,
    overdispersion: float = 0.0,
) -> Likelihood:
    """Return the likelihood of the classes that the terms have; the parameters are those of ``Likelihood``."""
    kind = Likelihood
    if terms.nest is not None:
        kind = LoyalLikelihood
    elif terms.classes > 1:
        kind = MixtureLikelihood
    return kind(choices, terms, free, known=known, overdispersion=overdispersion)
