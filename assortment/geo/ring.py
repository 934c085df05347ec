"""Trade areas as circles around the stores."""

from __future__ import annotations

import numpy as np
import shapely

from assortment.geo.areas import SparseShares, TradeAreas
from assortment.geo.arrays import FloatArray, Geometries
from assortment.geo.given import Given, numbers, recorded
from assortment.geo.ground import Ground
from assortment.geo.overlay import area_shares

CORNERS = 256


def ring(ground: Ground, *, radius_m: Given) -> TradeAreas:
    """Give each store everyone within a distance, neighbourhoods split by area; rings may overlap.

    Parameters
    ----------
    ground
        Stores and neighbourhoods on a plane.
    radius_m
        Metres: a number, one per store, or the store column that holds them.

    Returns
    -------
    TradeAreas
        Of kind ``overlaps``: who lives within reach of two stores counts fully for both.

    Raises
    ------
    GeographyError
        A radius that is missing or not above zero.
    """
    radii = numbers(radius_m, ground.stores, ground.store_ids, parameter="radius_m", above=0.0)
    return TradeAreas(
        kind="overlaps",
        method="ring",
        parameters={"radius_m": recorded(radius_m)},
        ground=ground,
        matrix=SparseShares(area_shares(circles(ground.store_xy, radii), ground.polygons)),
    )


def circles(centre_xy: FloatArray, radius_m: FloatArray) -> Geometries:
    r"""Return circles as polygons of 256 corners that have exactly the circle's area.

    An inscribed polygon of n corners would miss :math:`1 - \frac{\sin(2\pi/n)}{2\pi/n}` of the area, 0.01 % here, so
    the corners are moved out until the areas agree; the border then lies within 0.008 % of the radius on either side of
    the circle.

    Parameters
    ----------
    centre_xy
        Shape (S, 2), metres.
    radius_m
        Shape (S,).
    """
    step = 2.0 * np.pi / CORNERS
    angle = np.arange(CORNERS) * step
    corners = np.column_stack([np.cos(angle), np.sin(angle)]) * np.sqrt(step / np.sin(step))
    rings: Geometries = shapely.polygons(centre_xy[:, None, :] + radius_m[:, None, None] * corners)
    return rings
