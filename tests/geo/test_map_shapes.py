"""What maps draw: cut to the window, classified, in metres."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geo_worlds import ORIGIN, grid, stores_at, town

from assortment.errors import GeographyError
from assortment.geo import MapShapes, trade_areas


def area_of(rings: tuple[np.ndarray, ...]) -> float:
    """Area by the even-odd rule."""
    total = shapely.Polygon()
    for ring in rings:
        total = total.symmetric_difference(shapely.Polygon(ring))
    return float(total.area)


def test_a_map_covers_its_window_and_nothing_beyond() -> None:
    """Inside the coverage the shapes fill the square around the store; no coordinate lies outside it."""
    areas = trade_areas(stores_at([(5000, 5000)]), grid(10, 10), method="ring", radius_m=1800)
    picture = MapShapes(areas).around("s0")
    west, south, east, north = picture.window
    assert (east - west, north - south) == pytest.approx((2 * 1.1 * 1800, 2 * 1.1 * 1800))
    assert ((west + east) / 2 - ORIGIN[0], (south + north) / 2 - ORIGIN[1]) == pytest.approx((5000, 5000))
    points = np.vstack([ring for shape in picture.neighbourhoods for ring in shape.rings])
    assert (points >= [west - 1e-6, south - 1e-6]).all() and (points <= [east + 1e-6, north + 1e-6]).all()
    assert sum(area_of(shape.rings) for shape in picture.neighbourhoods) == pytest.approx((east - west) ** 2, rel=1e-3)
    assert picture.stores[0][0] == "s0"


def test_classes_follow_the_share_and_their_labels_the_breaks() -> None:
    """Every neighbourhood is in the class whose borders hold its share; rings can be had class by class."""
    stores, world = town(4, 8, seed=3)
    shapes = MapShapes(trade_areas(stores, world), people=world.frame["people"], breaks=(0.1, 0.25, 0.5))
    assert shapes.classes == ("under 10 %", "10–25 %", "25–50 %", "over 50 %")
    edges = [0.0, 0.1, 0.25, 0.5, 1.01]
    for store in ("s0", "s3"):
        picture = shapes.around(store)
        assert picture.store_id == store and store in [each[0] for each in picture.stores]
        for shape in picture.neighbourhoods:
            assert edges[shape.share_class] <= shape.share < edges[shape.share_class + 1]
        total = sum(len(picture.rings_of(number)) for number in range(4))
        assert total == sum(len(shape.rings) for shape in picture.neighbourhoods)


def test_a_wider_part_of_the_people_needs_a_wider_map() -> None:
    """The map grows with the part of the store's people that it is to hold."""
    stores, world = town(4, 8, seed=3)
    shapes = MapShapes(trade_areas(stores, world), people=world.frame["people"])
    widths = [
        picture.window[2] - picture.window[0] for picture in (shapes.around("s0", held=h) for h in (0.3, 0.7, 1.0))
    ]
    assert widths[0] < widths[1] < widths[2]


def test_the_map_of_the_chain_shows_who_serves_most_of_each_neighbourhood() -> None:
    """Each neighbourhood comes with the store of its largest share, all stores being shown."""
    areas = trade_areas(stores_at([(400, 500), (3600, 500)]), grid(4, 1), method="nearest")
    picture = MapShapes(areas).chain()
    assert [shape.store_id for shape in picture.neighbourhoods] == ["s0", "s0", "s1", "s1"]
    assert [shape.share for shape in picture.neighbourhoods] == [1.0, 1.0, 1.0, 1.0]
    assert picture.store_id is None and len(picture.stores) == 2


def test_what_cannot_be_drawn_is_named() -> None:
    """An unknown store, breaks out of order and people of another region are errors."""
    areas = trade_areas(stores_at([(400, 500)]), grid(4, 1), method="nearest")
    with pytest.raises(GeographyError, match="store 's9' is not known"):
        MapShapes(areas).around("s9")
    with pytest.raises(GeographyError, match="rise between 0 and 1"):
        MapShapes(areas, breaks=(0.5, 0.1))
    with pytest.raises(GeographyError, match="expected 4 numbers, one per neighbourhood; found 3"):
        MapShapes(areas, people=[1, 2, 3])


def test_borders_of_rings_are_circles() -> None:
    """Around a store its own ring, whose corners lie at its radius; on the map of the chain the ring of every store."""
    areas = trade_areas(stores_at([(3000, 5000), (7000, 5000)]), grid(10, 10), method="ring", radius_m=1500)
    shapes = MapShapes(areas)
    (border,) = shapes.around("s1").borders
    away = np.hypot(*(border - areas.ground.store_xy[1]).T)
    assert away == pytest.approx(np.full(len(border), 1500.0), rel=1e-3)
    assert len(shapes.chain().borders) == 2


def test_borders_of_thiessen_cells_lie_halfway_between_the_stores() -> None:
    """Two stores side by side: a line at x = 2,000 m ends within the map. Methods that cut nothing have no borders."""
    stores, world = stores_at([(1000, 2000), (3000, 2000)]), grid(4, 4)
    picture = MapShapes(trade_areas(stores, world, method="thiessen")).chain()
    corners = np.vstack(picture.borders) - ORIGIN
    inside = corners[(corners[:, 0] > 1.0) & (corners[:, 0] < 3999.0)]
    assert len(inside) and inside[:, 0] == pytest.approx(np.full(len(inside), 2000.0))
    assert MapShapes(trade_areas(stores, world, method="nearest")).chain().borders == ()


def test_a_map_over_an_area_shows_what_lies_around_it() -> None:
    """The window is the area's bounds, wider by half its longer side; shares are as on the map of the chain."""
    areas = trade_areas(stores_at([(400, 500), (9600, 500)]), grid(10, 10), method="nearest")
    x, y = ORIGIN
    picture = MapShapes(areas).over(shapely.box(x + 4000, y + 4000, x + 6000, y + 5000))
    assert np.subtract(picture.window, [x, y, x, y]) == pytest.approx([3000, 3000, 7000, 6000])
    assert len(picture.neighbourhoods) == 12
    assert {shape.store_id for shape in picture.neighbourhoods} == {"s0", "s1"}
