"""Circles and polygons: areas known on paper, and by drawing circles very finely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geo_worlds import ORIGIN, SIDE, moved, squares
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.geo.cover import disc, outlines
from assortment.geo.cover.disc import Discs, circles

CENTRE = np.array(ORIGIN)
PI = np.pi


def covered_m2(polygon: shapely.Geometry, *, radius: float, at: tuple[float, float] = (0.0, 0.0)) -> float:
    """Area that a polygon, given in metres from the origin of the world, shares with one circle."""
    placed = shapely.transform(np.array([polygon], dtype=object), lambda xy: xy + CENTRE)
    shares = Discs(CENTRE[None] + at, np.array([radius])).shares(placed)
    return float(shares.toarray()[0, 0] * polygon.area)


def segment(radius: float, distance: float) -> float:
    """Area that a line cuts off a circle."""
    return radius**2 * np.arccos(distance / radius) - distance * np.sqrt(radius**2 - distance**2)


def finely(centre_xy: np.ndarray, radius: np.ndarray, polygons: np.ndarray, corners: int = 4096) -> np.ndarray:
    """Shares by cutting with circles of many corners and the right area."""
    step = 2.0 * PI / corners
    around = np.exp(1j * step * np.arange(corners)) * np.sqrt(step / np.sin(step))
    unit = np.column_stack([around.real, around.imag])
    drawn = shapely.polygons(centre_xy[:, None] + radius[:, None, None] * unit)
    cut: np.ndarray = shapely.area(shapely.intersection(drawn[:, None], polygons[None]))
    return cut / shapely.area(polygons)


def cells(seed: int, *, count: int = 40, side: float = 4000.0) -> np.ndarray:
    """Cells around random points, which tile a square."""
    points = np.random.default_rng(seed).uniform(0.0, side, (count, 2)) + CENTRE
    whole = shapely.box(*CENTRE, *(CENTRE + side))
    drawn = shapely.voronoi_polygons(shapely.multipoints(points), extend_to=whole)
    tiles: np.ndarray = shapely.intersection(shapely.get_parts(drawn), whole)
    return tiles


@pytest.mark.parametrize(
    ("polygon", "at", "radius", "area"),
    [
        (shapely.box(-9, -9, 9, 9), (0, 0), 2.0, 4 * PI),
        (shapely.box(0, -9, 9, 9), (0, 0), 2.0, 2 * PI),
        (shapely.box(0, 0, 9, 9), (0, 0), 2.0, PI),
        (shapely.box(1, -9, 9, 9), (0, 0), 2.0, segment(2, 1)),
        (shapely.box(-1, -9, 1, 9), (0, 0), 2.0, 4 * PI - 2 * segment(2, 1)),
        (shapely.box(2, -9, 9, 9), (0, 0), 2.0, 0.0),
        (shapely.box(1, 1, 9, 9), (0, 0), np.sqrt(2.0), 0.0),
        (shapely.box(-2, -2, 2, 2), (0, 0), 2.0, 4 * PI),
        (shapely.box(-1, -1, 1, 1), (0, 0), np.sqrt(2.0), 4.0),
        (shapely.box(-1, -1, 1, 1), (0, 0), 9.0, 4.0),
        (shapely.box(5, 5, 9, 9), (0, 0), 2.0, 0.0),
        (shapely.Polygon([(0, 0), (9, 0), (0, 9)]), (0, 0), 2.0, PI),
        (shapely.Polygon([(0, 0), (9, 0), (0, 9)]), (4.5, 4.5), 2.0, 2 * PI),
        (shapely.Polygon([(0, 0), (9, 0), (9, 9)]), (0, 0), 2.0, PI / 2),
    ],
    ids=[
        "the polygon holds the circle",
        "the centre on an edge",
        "the centre on a corner",
        "an edge cuts",
        "a strip through the circle",
        "touched by an edge",
        "touched by a corner",
        "the circle in the square, touching",
        "the square in the circle, touching",
        "the polygon within",
        "apart, bounds too",
        "the centre on a right angle",
        "the centre on a slanting edge",
        "the centre on a sharp corner",
    ],
)
@pytest.mark.parametrize("turn", [False, True])
def test_areas_known_on_paper(
    polygon: shapely.Polygon, at: tuple[float, float], radius: float, area: float, turn: bool
) -> None:
    """Sectors, segments and squares have their areas, whichever way the outline runs."""
    outline = polygon.reverse() if turn else polygon
    assert covered_m2(outline, at=at, radius=radius) == pytest.approx(area, rel=1e-9, abs=1e-9)


def test_what_only_touches_has_no_share() -> None:
    """A circle that touches its neighbours from inside or outside leaves no entry of rounding behind."""
    shares = Discs(CENTRE[None] + 500.0, np.array([500.0])).shares(
        squares(3, 3, origin=(ORIGIN[0] - SIDE, ORIGIN[1] - SIDE))
    )
    assert shares.nnz == 1
    assert shares.toarray()[0, 4] == pytest.approx(PI / 4, rel=1e-12)


@pytest.mark.parametrize("turn_hole", [False, True])
@pytest.mark.parametrize("turn_shell", [False, True])
def test_holes_and_parts_count_for_what_they_are(turn_hole: bool, turn_shell: bool) -> None:
    """Holes are taken out and parts added up, whichever way any of the rings run."""
    shell, hole = shapely.box(-9, -9, 9, 9), shapely.box(-1, -1, 1, 1)
    rings = [ring.reverse() if turn else ring for ring, turn in ((shell, turn_shell), (hole, turn_hole))]
    frame = shapely.Polygon(rings[0].exterior.coords, [rings[1].exterior.coords])
    assert covered_m2(frame, radius=3.0) == pytest.approx(9 * PI - 4.0, rel=1e-12)
    assert covered_m2(frame, radius=0.5) == 0.0
    assert covered_m2(frame, radius=0.5, at=(1.0, 0.0)) == pytest.approx(PI / 8, rel=1e-9)
    far = shapely.box(20, -1, 22, 1)
    several = shapely.MultiPolygon([far.reverse() if turn_hole else far, frame, hole])
    assert covered_m2(several, radius=3.0) == pytest.approx(9 * PI, rel=1e-12)
    assert covered_m2(several, radius=1.0, at=(20.0, 0.0)) == pytest.approx(PI / 2, rel=1e-9)


def test_a_corner_given_twice_changes_nothing() -> None:
    """Edges without length, such as a file may hold, see nothing, also where one lies at the centre."""
    doubled = shapely.Polygon([(0, 0), (0, 0), (9, 0), (9, 9), (9, 9), (9, 9), (0, 9)])
    assert covered_m2(doubled, radius=2.0) == pytest.approx(PI, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(5.0, 20_000.0))
def test_a_tiling_of_the_plane_conserves_the_circle(seed: int, scale: float) -> None:
    """What the tiles of the plane cover of a circle sums to its area, wherever it lies and whatever its size."""
    tiles = cells(seed)
    rng = np.random.default_rng(seed)
    # The land around makes the tiling one of the plane, as far as the circles reach.
    whole = shapely.box(*CENTRE, *(CENTRE + 4000.0))
    polygons = np.append(tiles, shapely.difference(shapely.box(*(CENTRE - 1e5), *(CENTRE + 1e5)), whole))
    radius = scale * rng.uniform(0.2, 1.0, 6)
    shares = Discs(CENTRE + rng.uniform(0.0, 4000.0, (6, 2)), radius).shares(polygons)
    assert shares @ shapely.area(polygons) == pytest.approx(PI * radius**2, rel=1e-9)
    assert shares.data.min() > 0.0 and shares.data.max() <= 1.0


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_shares_agree_with_finely_drawn_circles(seed: int) -> None:
    """Cutting every pair with circles of 4,096 corners gives the same, to what the corners miss."""
    rng = np.random.default_rng(seed)
    whole = cells(seed, count=15)
    polygons = shapely.difference(whole, shapely.buffer(shapely.centroid(whole), 100.0))
    centre_xy, radius = CENTRE + rng.uniform(-500.0, 4500.0, (6, 2)), rng.uniform(50.0, 3000.0, 6)
    shares = Discs(centre_xy, radius).shares(polygons).toarray()
    assert shares == pytest.approx(finely(centre_xy, radius, polygons), abs=2e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), angle=st.floats(0, 6.28), dx=st.floats(-3e5, 3e5), dy=st.floats(-3e5, 3e5))
def test_moving_and_turning_changes_no_share(seed: int, angle: float, dx: float, dy: float) -> None:
    """A circle has no corners, so that shares do not depend on which way the world faces."""
    polygons, rng = cells(seed), np.random.default_rng(seed)
    centre_xy, radius = CENTRE + rng.uniform(0.0, 4000.0, (5, 2)), rng.uniform(100.0, 2000.0, 5)
    here = Discs(centre_xy, radius).shares(polygons).toarray()
    elsewhere = shapely.transform(polygons, lambda xy: moved(xy, angle, dx, dy))
    there = Discs(moved(centre_xy, angle, dx, dy), radius).shares(elsewhere).toarray()
    assert there == pytest.approx(here, rel=1e-9, abs=1e-11)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pairs and edges at a time give what all at once give, to the last bit."""
    polygons, rng = cells(3), np.random.default_rng(3)
    discs = Discs(CENTRE + rng.uniform(0.0, 4000.0, (7, 2)), rng.uniform(100.0, 4000.0, 7))
    at_once = discs.shares(polygons).toarray()
    monkeypatch.setattr(disc, "_PAIRS", 60)
    monkeypatch.setattr(outlines, "_EDGES", 17)
    assert (discs.shares(polygons).toarray() == at_once).all()


def test_a_circle_of_a_thousand_polygon_widths_leaves_little_rounding() -> None:
    """Squares of 10 m on the rim of a circle of 10 km keep nine digits of their shares."""
    polygons = squares(40, 40, origin=(ORIGIN[0] - 200.0, ORIGIN[1] - 200.0), side=10.0)
    shares = Discs(CENTRE[None] + (1e4, 0.0), np.array([1e4])).shares(polygons).toarray().reshape(40, 40)
    x = np.linspace(-200.0, 200.0, 41)

    def integral(y: np.ndarray) -> np.ndarray:
        """Of the distance between the circle and its tangent."""
        return 1e4 * y - 0.5 * (y * np.sqrt(1e8 - y**2) + 1e8 * np.arcsin(y / 1e4))

    rows = 4000.0 - 20 * 100.0 - np.diff(integral(x))
    assert shares.sum(axis=1) * 100.0 == pytest.approx(rows, abs=1e-7)


def test_corners_keep_the_area_and_stay_near_the_circle() -> None:
    """The polygon of a disc has the circle's area, and its border departs by less than 0.01 % of the radius."""
    circle = circles(np.array([[3.0, 4.0]]), np.array([1000.0]))[0]
    assert circle.area == pytest.approx(PI * 1e6, rel=1e-12)
    corner = shapely.distance(shapely.Point(3, 4), shapely.points(shapely.get_coordinates(circle))).max()
    assert corner == pytest.approx(1000.0, rel=1e-4)
    assert shapely.distance(shapely.Point(3, 4), circle.exterior) == pytest.approx(1000.0, rel=1e-4)


def test_polygons_of_bands_have_their_area() -> None:
    """A band is drawn as a disc with a hole."""
    band = Discs(np.zeros((1, 2)), np.array([5.0]), np.array([3.0])).polygons[0]
    assert band.area == pytest.approx(16 * PI, rel=1e-12)
    assert not band.contains(shapely.Point(0, 0))
