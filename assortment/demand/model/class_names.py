"""Names of latent classes: how large each is, and what sets it apart."""

from __future__ import annotations

import numpy as np

from assortment.demand.arrays import Floats
from assortment.demand.model.tastes import Tastes

EVERYBODY = "all shoppers"
_NOTABLE = 0.1


def class_names(tastes: Tastes, units: Floats, demographics: Floats) -> tuple[str, ...]:
    """Return a name for each class, such as "class 1 (62 %, prefers plant)" or, with nests, "set on type plant (9 %)".

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
    return tuple(
        f"class {k + 1} ({part:.0%}{_preference(tastes.attributes.names, own)})"
        for k, (part, own) in enumerate(zip(share, apart, strict=True))
    )


def _preference(names: tuple[str, ...], apart: Floats) -> str:
    """The attribute in which a class differs most from the average shopper."""
    if not len(apart) or float(np.abs(apart).max()) < _NOTABLE:
        return ""
    most = int(np.argmax(np.abs(apart)))
    return f", {'prefers' if apart[most] > 0 else 'avoids'} {names[most]}"
