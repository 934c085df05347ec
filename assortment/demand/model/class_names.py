"""Names of latent classes: how large each is, and what sets it apart."""

from __future__ import annotations

from assortment.demand.arrays import Floats
from assortment.demand.design.covariates import LOG_PRICE
from assortment.demand.model.tastes import Tastes

EVERYBODY = "all shoppers"
_NOTABLE = 0.1
_PRICE = 0.3  # of the price coefficient, from which on a class minds prices more or less


def class_names(tastes: Tastes, units: Floats, demographics: Floats) -> tuple[str, ...]:
    """Return a name for each class, such as "class 1 (62%, prefers kind: plant, minds prices less)".

    Where they are loyal to nests, such as "set on type plant (9%)".

    Parameters
    ----------
    tastes
        The fit.
    units
        (S,), how much each store counts in the shares.
    demographics
        (S, D), standardised.
    """
    if tastes.classes == 1:
        return (EVERYBODY,)
    nests = tastes.nests
    share = units @ tastes.mix(demographics) / units.sum()
    if nests is not None:
        loyal = (f"set on {nests.attribute} {level}" for level in nests.levels)
        return tuple(f"{who} ({part:.0%})" for who, part in zip((f"any {nests.attribute}", *loyal), share, strict=True))
    apart = tastes.parts.class_attribute - share @ tastes.parts.class_attribute
    slopes = tastes.parts.class_covariate - share @ tastes.parts.class_covariate
    price = [c for c, name in enumerate(tastes.covariates.names) if name == LOG_PRICE]
    return tuple(
        f"class {k + 1} ({', '.join([f'{part:.0%}', *_tastes(tastes.attributes.names, own), *_prices(slope[price])])})"
        for k, (part, own, slope) in enumerate(zip(share, apart, slopes, strict=True))
    )


def _tastes(names: tuple[str, ...], apart: Floats) -> list[str]:
    """The attributes in which a class differs most from the average shopper, upwards and downwards."""
    told = []
    if len(apart) and float(apart.max()) >= _NOTABLE:
        told.append(f"prefers {names[int(apart.argmax())]}")
    if len(apart) and float(apart.min()) <= -_NOTABLE:
        told.append(f"avoids {names[int(apart.argmin())]}")
    return told


def _prices(apart: Floats) -> list[str]:
    """Whether a class answers to prices otherwise than the average shopper."""
    if not len(apart) or abs(float(apart[0])) < _PRICE:
        return []
    return ["minds prices more" if apart[0] < 0 else "minds prices less"]
