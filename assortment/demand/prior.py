"""How far the parameters of the choice model may stray from zero before the data has spoken."""

from __future__ import annotations

from dataclasses import dataclass, fields

from assortment.errors import DemandError


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Standard deviations of the Gaussian priors, in units of utility (all priors have mean zero).

    Parameters
    ----------
    attribute
        Of the effect of an attribute (one level against the average product, or one standard deviation of a number).
    product
        Of what a product has beyond its attributes; small values pull products that sold little towards their
        attributes.
    demographic
        Of the effect of one standard deviation of a demographic on one attribute. ``None``: chosen from ``grid`` by
        cross-validation blocked by store (or household).
    price
        Of the coefficient of log price.
    promotion
        Of the coefficient of a promotion column.
    grid
        The candidates for ``demographic``.

    Raises
    ------
    DemandError
        A standard deviation is not above zero, or ``grid`` is empty.
    """

    attribute: float = 3.0
    product: float = 1.0
    demographic: float | None = None
    price: float = 5.0
    promotion: float = 5.0
    grid: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)

    def __post_init__(self) -> None:
        wrong = [
            f"{field.name} = {value}"
            for field in fields(self)
            if field.name != "grid" and (value := getattr(self, field.name)) is not None and not value > 0
        ]
        if wrong:
            raise DemandError(f"Prior: {', '.join(wrong)}; a standard deviation must be above zero.")
        if not self.grid or not all(value > 0 for value in self.grid):
            raise DemandError(f"Prior: grid = {self.grid}; give at least one standard deviation, all above zero.")

    @property
    def candidates(self) -> tuple[float, ...]:
        """The scales of the demographic effects to try, smallest first."""
        return tuple(sorted(self.grid)) if self.demographic is None else (self.demographic,)


DEFAULT = Prior()
"""The prior of a fit that is given none."""
