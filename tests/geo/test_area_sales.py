"""What sells in an area: every store's sales are conserved, and small worlds give the figures of a slide rule."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geo_worlds import ORIGIN, PLANE, SIDE, grid, neighbourhoods_of, squares, stores_at, town
from hypothesis import given, settings
from hypothesis import strategies as st

from assortment.errors import AssortmentWarning, GeographyError, InputError
from assortment.geo import trade_areas
from assortment.geo.sells.area_sales import AreaSales, area_sales
from assortment.geo.sells.drawn import read_area
from assortment.inputs import Neighbourhoods, Products, Sales, Stores

MEASURES = ["units_per_week", "sales_per_week", "margin_per_week"]
METHODS: dict[str, dict[str, Any]] = {
    "huff": {"method": "huff", "attractiveness": "size_m2", "distance_floor_m": 100.0},
    "ring": {"method": "ring", "radius_m": 2500.0},
    "nearest": {"method": "nearest"},
    "thiessen": {"method": "thiessen"},
}

Row = tuple[Any, str, str, float]


def products_of(*ids: str, **columns: object) -> Products:
    """Products at 3.00 that cost 2.00, unless told otherwise."""
    frame = {"product_id": list(ids), "price": 3.0, "unit_cost": 2.0, "width_cm": 10.0, **columns}
    return Products.from_frame(pd.DataFrame(frame))


def sales_of(rows: Sequence[Row], **columns: object) -> Sales:
    frame = pd.DataFrame(list(rows), columns=["week", "store_id", "product_id", "units"])
    return Sales.from_frame(frame.assign(**columns))


def box(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    """A rectangle, in metres from the origin of the world."""
    x, y = ORIGIN
    return shapely.box(x + west, y + south, x + east, y + north)


def in_degrees(x: float, y: float) -> tuple[float, float]:
    point = gpd.GeoSeries([shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y)], crs=PLANE).to_crs("EPSG:4326")[0]
    return point.x, point.y


def street(**more: Any) -> AreaSales:
    """Four squares in a row with two stores: s0 has n0 and n1, s1 has n2 and n3; each sells its own mix."""
    world = grid(4, 1, people=[100, 300, 50, 150])
    sales = sales_of([(1, "s0", "a", 30.0), (1, "s0", "b", 10.0), (1, "s1", "a", 20.0), (1, "s1", "b", 40.0)])
    areas = trade_areas(stores_at([(1000, 400), (3000, 400)]), world, method="nearest")
    return area_sales(sales, products_of("a", "b", type=["whole", "skim"]), areas, world, **more)


def random_world(seed: int, method: str) -> AreaSales:
    stores, world = town(5, 6, seed=seed)
    rng = np.random.default_rng(seed)
    rows = [(week, f"s{s}", p, float(rng.integers(1, 50))) for week in (1, 2) for s in range(5) for p in "abc"]
    return area_sales(sales_of(rows), products_of("a", "b", "c"), trade_areas(stores, world, **METHODS[method]), world)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), method=st.sampled_from(sorted(METHODS)))
def test_every_store_s_sales_are_conserved(seed: int, method: str) -> None:
    """Summed over the neighbourhoods, each store's units, money and margin are what it sold, to 1e-9."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssortmentWarning)
        sold = random_world(seed, method)
    whole = sum(block.sum(axis=0) for _, block in sold.spread.blocks(np.eye(5)))
    assert whole == pytest.approx(np.ones(5), rel=1e-9)
    by_key = sold.by_neighbourhood.groupby("product_id")[MEASURES].sum()
    chain = sold.chain.table.set_index("product_id")[MEASURES].loc[by_key.index]
    assert by_key.to_numpy() == pytest.approx(chain.to_numpy(), rel=1e-9)


def test_sales_follow_the_people_of_the_trade_area() -> None:
    """Of 30 units of s0, a quarter goes where 100 of its 400 people live: 7.5; the rest to the others."""
    frame = street().by_neighbourhood.set_index(["neighbourhood_id", "product_id"])["units_per_week"]
    assert frame.to_dict() == pytest.approx(
        {
            ("n0", "a"): 7.5, ("n0", "b"): 2.5, ("n1", "a"): 22.5, ("n1", "b"): 7.5,
            ("n2", "a"): 5.0, ("n2", "b"): 10.0, ("n3", "a"): 15.0, ("n3", "b"): 30.0,
        }
    )  # fmt: skip


def test_the_table_of_an_area_against_the_chain() -> None:
    """In n2, 10 of 15 units are b; in the chain half are: index 133. People, stores and their parts are told."""
    area = street().neighbourhood("n2")
    assert list(area.table["product_id"]) == ["b", "a"]
    assert list(area.table["share_of_units"]) == pytest.approx([2 / 3, 1 / 3])
    assert list(area.table["chain_share_of_units"]) == pytest.approx([0.5, 0.5])
    assert list(area.table["index"]) == pytest.approx([400 / 3, 200 / 3])
    assert (area.people, area.people_column, area.by) == (50.0, "people", ("product_id",))
    assert area.from_stores.to_dict("list") == {
        "store_id": ["s1"],
        "units_per_week": pytest.approx([15.0]),
        "part_of_area": pytest.approx([1.0]),
        "part_of_store": pytest.approx([0.25]),
    }


def test_the_chain_is_its_own_measure() -> None:
    """In the whole chain every index is 100, and everyone lives there."""
    chain = street().chain
    assert list(chain.table["index"]) == pytest.approx([100.0, 100.0])
    assert chain.people == 600.0 and chain.outline is None
    assert list(chain.table["units_per_week"]) == pytest.approx([50.0, 50.0])


def test_margin_is_price_less_cost_times_units() -> None:
    """The price of the row, else of the store, else of the product; the cost of the store, else of the product."""
    world = grid(1, 1)
    rows = [(1, "s0", "a", 10.0), (1, "s0", "b", 10.0), (1, "s0", "c", 10.0)]
    prices = pd.DataFrame({"store_id": ["s0", "s9"], "product_id": ["b", "a"], "price": [4.0, 9.0], "unit_cost": 1.0})
    sold = area_sales(
        sales_of(rows, price=[2.5, np.nan, np.nan]),
        products_of("a", "b", "c", price=[3.0, 3.0, 5.0]),
        trade_areas(stores_at([(500, 400)]), world, method="nearest"),
        world,
        prices=prices,
    )
    table = sold.chain.table.set_index("product_id")
    assert table["sales_per_week"].to_dict() == pytest.approx({"a": 25.0, "b": 40.0, "c": 50.0})
    assert table["margin_per_week"].to_dict() == pytest.approx({"a": 5.0, "b": 30.0, "c": 30.0})


def test_a_week_without_a_row_is_unknown_not_zero() -> None:
    """A store with two recorded weeks sells the mean of the two, whatever other stores recorded."""
    world = grid(2, 1)
    rows = [(1, "s0", "a", 10.0), (3, "s0", "a", 20.0), *((week, "s1", "a", 4.0) for week in (1, 2, 3, 4))]
    areas = trade_areas(stores_at([(500, 400), (1500, 400)]), world, method="nearest")
    sold = area_sales(sales_of(rows), products_of("a"), areas, world)
    assert list(sold.of()["units_per_week"]) == pytest.approx([15.0, 4.0])
    late = area_sales(sales_of(rows), products_of("a"), areas, world, weeks=(3, 4))
    assert list(late.of()["units_per_week"]) == pytest.approx([20.0, 4.0])


def test_weeks_that_are_dates() -> None:
    """The first and the last week are both included, and may be given as text."""
    world = grid(1, 1)
    rows = [(day, "s0", "a", units) for day, units in (("2024-01-01", 1.0), ("2024-01-08", 5.0), ("2024-01-15", 9.0))]
    areas = trade_areas(stores_at([(500, 400)]), world, method="nearest")
    sold = area_sales(sales_of(rows), products_of("a"), areas, world, weeks=("2024-01-08", "2024-01-15"))
    assert sold.chain.table["units_per_week"].sum() == pytest.approx(7.0)
    with pytest.raises(GeographyError, match="they run from 2024-01-01 to 2024-01-15"):
        area_sales(sales_of(rows), products_of("a"), areas, world, weeks=("2025-01-06", "2025-01-13"))
    with pytest.raises(GeographyError, match="weeks: expected"):
        area_sales(sales_of(rows), products_of("a"), areas, world, weeks=("spring", "summer"))


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_polygon_around_whole_neighbourhoods_is_their_sum(method: str) -> None:
    """A drawn L of three squares gives the sum of the three, whichever way the areas were made."""
    sold = random_world(3, method)
    corners = [14, 15, 20]
    drawn = shapely.union_all(squares(6, 6)[corners])
    parts = pd.concat([sold.neighbourhood(f"n{corner}").table for corner in corners])
    summed = parts.groupby("product_id")[MEASURES].sum()
    found = sold.within(drawn, crs=PLANE).table.set_index("product_id")[MEASURES].loc[summed.index]
    assert found.to_numpy() == pytest.approx(summed.to_numpy(), rel=1e-9)
    whole = sold.by_neighbourhood[sold.by_neighbourhood["neighbourhood_id"].isin([f"n{corner}" for corner in corners])]
    assert whole.groupby("product_id")[MEASURES].sum().to_numpy() == pytest.approx(summed.to_numpy(), rel=1e-9)


def test_a_polygon_splits_neighbourhoods_by_area_in_any_crs() -> None:
    """The west half of n1 has half its sales and people; drawn in degrees too, and as a frame that states its CRS."""
    sold, half = street(), box(1000, 0, 1500, 1000)
    found = sold.within(half, crs=PLANE)
    assert found.table.set_index("product_id")["units_per_week"].to_dict() == pytest.approx({"a": 11.25, "b": 3.75})
    assert found.people == pytest.approx(150.0)
    degrees = gpd.GeoSeries([half], crs=PLANE).to_crs("EPSG:4326")
    for drawn in (degrees, gpd.GeoDataFrame(geometry=degrees)):
        assert sold.within(drawn).people == pytest.approx(150.0, rel=1e-4)
    two = gpd.GeoSeries([half, half], crs=PLANE)
    assert sold.within(two).people == pytest.approx(150.0), "what is drawn twice counts once"


def test_near_a_place_is_an_exact_circle() -> None:
    """A circle of 300 m in the middle of a square kilometre holds π · 0.09 of its sales; a huge one the chain."""
    sold = street()
    circle = sold.near(*in_degrees(1500, 500), 300.0)
    assert circle.people == pytest.approx(300 * np.pi * 0.09, rel=1e-9)
    assert circle.table["units_per_week"].sum() == pytest.approx(30.0 * np.pi * 0.09, rel=1e-9)
    everywhere = sold.near(*in_degrees(0, 0), 1e6)
    pd.testing.assert_frame_equal(everywhere.table, sold.chain.table)
    assert everywhere.people == sold.chain.people


def test_the_circle_of_a_ring_holds_all_that_its_store_sells() -> None:
    """Where both cut a neighbourhood, the sales of the store go to what both hold; beside the ring there are none."""
    world = grid(4, 4)
    areas = trade_areas(stores_at([(1800, 2100)]), world, method="ring", radius_m=1200)
    sold = area_sales(sales_of([(1, "s0", "a", 10.0)]), products_of("a"), areas, world)
    same = sold.near(*in_degrees(1800, 2100), 1200)
    assert same.from_stores["part_of_store"].tolist() == pytest.approx([1.0])
    assert same.people == pytest.approx(100 * np.pi * 1.44)
    west, east = (sold.within(box(left, 0, left + 1800, 4000), crs=PLANE) for left in (0, 1800))
    for half in (west, east):
        assert half.table["units_per_week"].tolist() == pytest.approx([5.0], rel=1e-6)
    with pytest.raises(GeographyError, match="no store with known sales serves anybody there"):
        sold.within(box(2700, 2950, 2990, 2990), crs=PLANE)


@pytest.mark.parametrize("seed", range(3))
def test_areas_that_make_a_whole_hold_all_sales(seed: int) -> None:
    """Two drawn halves, whose common border cuts rings and neighbourhoods alike, sell what the chain does."""
    sold = random_world(seed, "ring")
    halves = [sold.within(box(left, -SIDE, left + 5000, 8000), crs=PLANE) for left in (-1700, 3300)]
    total = sum(half.table["units_per_week"].sum() for half in halves)
    assert total == pytest.approx(sold.chain.table["units_per_week"].sum(), rel=1e-9)


def test_an_area_is_split_by_what_the_trade_areas_count() -> None:
    """Where rings are cut by dwellings, so is a drawn area: a quarter that holds all homes of a square holds all."""
    world = grid(2, 1)
    homes = gpd.GeoDataFrame(geometry=[shapely.Point(ORIGIN[0] + x, ORIGIN[1] + 100) for x in (100, 200)], crs=PLANE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssortmentWarning)  # nobody is counted in the other square
        areas = trade_areas(stores_at([(500, 400)]), world, method="ring", radius_m=600, ancillary=homes)
    sold = area_sales(sales_of([(1, "s0", "a", 10.0)]), products_of("a"), areas, world)
    assert sold.within(box(0, 0, 500, 500), crs=PLANE).people == pytest.approx(100.0)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_input_does_not_matter(seed: int) -> None:
    """Shuffled sales, products, stores and neighbourhoods give the same table of the same area."""
    stores, world = town(4, 5, seed=1)
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        [(1, f"s{s}", p, float(7 * s + 3 * i + 1)) for s in range(4) for i, p in enumerate("abc")],
        columns=["week", "store_id", "product_id", "units"],
    )

    def asked(mixed: bool) -> pd.DataFrame:
        def turn(given: Any) -> Any:
            return given.sample(frac=1.0, random_state=int(rng.integers(1e6))) if mixed else given

        homes = Neighbourhoods.from_frame(turn(world.frame), world.counts, world.rates)
        areas = trade_areas(Stores.from_frame(turn(stores.frame)), homes, **METHODS["huff"])
        products = Products.from_frame(turn(products_of("a", "b", "c").frame))
        sold = area_sales(Sales.from_frame(turn(frame)), products, areas, homes)
        return sold.within(box(400, 700, 3300, 2900), crs=PLANE).table

    pd.testing.assert_frame_equal(asked(True), asked(False), rtol=1e-9)


def test_sales_add_up_by_any_column_of_the_products() -> None:
    """By type, by type and brand, and by a column with an unknown value, which is a key of its own."""
    world = grid(1, 1)
    areas = trade_areas(stores_at([(500, 400)]), world, method="nearest")
    products = products_of("a", "b", "c", type=["whole", "skim", "whole"], brand=["X", None, None])
    rows = [(1, "s0", "a", 1.0), (1, "s0", "b", 10.0), (1, "s0", "c", 100.0)]

    def table(by: Any) -> list[list[object]]:
        found = area_sales(sales_of(rows), products, areas, world, by=by).chain.table
        return found.fillna("?")[[*([by] if isinstance(by, str) else by), "units_per_week"]].to_numpy().tolist()

    assert table("type") == [["whole", 101.0], ["skim", 10.0]]
    assert table("brand") == [["?", 110.0], ["X", 1.0]]
    assert table(("type", "brand")) == [["whole", "?", 100.0], ["skim", "?", 10.0], ["whole", "X", 1.0]]


def test_what_neighbourhoods_buy_of_one_key() -> None:
    """For maps: all neighbourhoods in order, with the index of the key; unknown keys get the nearest known one."""
    sold = street(by="type")
    frame = sold.of("skim")
    assert list(frame.index) == ["n0", "n1", "n2", "n3"]
    assert list(frame["units_per_week"]) == pytest.approx([2.5, 7.5, 10.0, 30.0])
    assert list(frame["index"]) == pytest.approx([50.0, 50.0, 400 / 3, 400 / 3])
    assert list(sold.of()["index"]) == pytest.approx([100.0] * 4)
    with pytest.raises(GeographyError, match="did you mean 'skim'"):
        sold.of("skimm")


def test_rows_of_other_products_are_ignored_but_their_weeks_are_recorded() -> None:
    """A week in which a store sold only other products is a week with none of these."""
    world = grid(1, 1)
    areas = trade_areas(stores_at([(500, 400)]), world, method="nearest")
    rows = [(1, "s0", "a", 10.0), (2, "s0", "other", 99.0)]
    sold = area_sales(sales_of(rows), products_of("a"), areas, world)
    assert sold.chain.table["units_per_week"].tolist() == [5.0]


def test_a_store_that_serves_nobody_keeps_its_sales_where_it_stands() -> None:
    """Nothing is lost: the sales stay in the neighbourhood of the store, with a warning that names both."""
    world = grid(3, 1, people=[0, 100, 100])
    areas = trade_areas(stores_at([(500, 400), (2000, 400)]), world, method="ring", radius_m=300)
    sales = sales_of([(1, "s0", "a", 8.0), (1, "s1", "a", 4.0)])
    with pytest.warns(AssortmentWarning, match=r"nobody lives .* s0 \(n0\)"):
        sold = area_sales(sales, products_of("a"), areas, world)
    assert list(sold.of()["units_per_week"]) == pytest.approx([8.0, 2.0, 2.0])
    assert sold.neighbourhood("n0").table["units_per_week"].tolist() == [8.0]
    assert sold.by_neighbourhood["units_per_week"].sum() == pytest.approx(12.0)


def test_what_is_not_known_is_said() -> None:
    """Unknown people get no sales, stores without sales are named; neither passes in silence."""
    world = grid(2, 1, people=[100, np.nan])
    areas = trade_areas(stores_at([(1000, 400)]), world, method="nearest")
    with pytest.warns(AssortmentWarning, match="where people is unknown, in neighbourhood n1"):
        sold = area_sales(sales_of([(1, "s0", "a", 8.0)]), products_of("a"), areas, world)
    assert list(sold.of()["units_per_week"]) == pytest.approx([8.0, 0.0])
    world = grid(2, 1)
    areas = trade_areas(stores_at([(500, 400), (1500, 400)]), world, method="nearest")
    with pytest.warns(AssortmentWarning, match="no sales are known: s1"):
        sold = area_sales(sales_of([(1, "s0", "a", 8.0)]), products_of("a"), areas, world)
    with pytest.raises(GeographyError, match="nothing sells in neighbourhood n1"):
        sold.neighbourhood("n1")


def test_another_count_may_spread_the_sales() -> None:
    """By people over 65, who are 0, 1, 2 and 3 in the four squares."""
    sold = street(people="over_65")
    assert list(sold.of()["units_per_week"]) == pytest.approx([0.0, 40.0, 24.0, 36.0])
    assert sold.chain.people_column == "over_65"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"by": "tipe"}, "did you mean 'type'"),
        ({"by": ()}, "name a product column"),
        ({"people": "peple"}, "did you mean 'people'"),
    ],
)
def test_an_unknown_column_is_named(more: dict[str, Any], message: str) -> None:
    """A column that is not there: the nearest one that is."""
    with pytest.raises(GeographyError, match=message):
        street(**more)


def test_tables_that_do_not_fit_together_are_refused() -> None:
    """No sales, sales of other products or stores, other neighbourhoods: each an error with advice."""
    world = grid(2, 1)
    areas = trade_areas(stores_at([(500, 400)]), world, method="nearest")
    known, rows = products_of("a"), [(1, "s0", "a", 1.0)]
    with pytest.raises(GeographyError, match="add a table of sales"):
        area_sales(None, known, areas, world)
    with pytest.raises(GeographyError, match="no units of these products"):
        area_sales(sales_of(rows), products_of("b"), areas, world)
    with pytest.raises(GeographyError, match="without a trade area: s7"):
        area_sales(sales_of([*rows, (1, "s7", "a", 1.0)]), known, areas, world)
    with pytest.raises(GeographyError, match="n2 stand in only one"):
        area_sales(sales_of(rows), known, areas, grid(3, 1))
    with pytest.raises(GeographyError, match="declare one"):
        area_sales(sales_of(rows), known, areas, replace(world, counts=(), rates={}))
    with pytest.raises(GeographyError, match="rename it"):
        area_sales(sales_of(rows), products_of("a", index=["x"]), areas, world, by="index")
    with pytest.raises(InputError, match="unit_cost"):
        prices = pd.DataFrame({"store_id": ["s0"], "product_id": ["a"], "unit_cost": [-1.0]})
        area_sales(sales_of(rows), known, areas, world, prices=prices)


def test_an_area_that_is_none_is_refused() -> None:
    """No CRS, empty, a line, a bow tie, far away, an unknown neighbourhood: each says what to do."""
    sold, square = street(), box(0, 0, 100, 100)
    with pytest.raises(GeographyError, match="no coordinate reference system"):
        sold.within(square)
    with pytest.raises(GeographyError, match="not known to PROJ"):
        sold.within(square, crs="EPSG:0")
    with pytest.raises(GeographyError, match="leave crs out"):
        sold.within(gpd.GeoSeries([square], crs=PLANE), crs="EPSG:4326")
    with pytest.raises(GeographyError, match="empty"):
        sold.within(shapely.Polygon(), crs=PLANE)
    with pytest.raises(GeographyError, match="LineString"):
        sold.within(shapely.LineString([(0, 0), (1, 1)]), crs=PLANE)
    with pytest.raises(GeographyError, match="Self-intersection"):
        sold.within(shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), crs=PLANE)
    with pytest.raises(GeographyError, match=r"6\.0 km from the nearest, n3"):
        sold.within(box(10_000, 0, 11_000, 1000), crs=PLANE)
    with pytest.raises(GeographyError, match=r"longitude .* comes first"):
        sold.near(38.0, -121.0, 1000)
    with pytest.raises(GeographyError, match="within_m"):
        sold.near(-121.0, 38.0, 0)
    with pytest.raises(GeographyError, match="neighbourhood 'n9' is not known"):
        sold.neighbourhood("n9")


def test_what_is_kept_cannot_be_written_to() -> None:
    """The frozen types hold read-only arrays, and a frame that was handed out is the caller's own."""
    sold = street()
    for array in (sold.sold.amounts, sold.spread.people, sold.spread.served):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0
    table = sold.chain.table
    table["units_per_week"] = 0.0
    assert sold.chain.table["units_per_week"].sum() == pytest.approx(100.0)


def test_holes_and_islands_of_neighbourhoods() -> None:
    """An area over the hole of a polygon is outside everything, and a multipolygon counts with both parts."""
    ring = box(0, 0, 3000, 3000).difference(box(1000, 1000, 2000, 2000))
    island = shapely.union_all([box(5000, 0, 6000, 1000), box(5000, 2000, 6000, 3000)])
    world = neighbourhoods_of(np.array([ring, island]), people=[80, 20])
    areas = trade_areas(stores_at([(500, 500)]), world, method="nearest")
    sold = area_sales(sales_of([(1, "s0", "a", 100.0)]), products_of("a"), areas, world)
    with pytest.raises(GeographyError, match="outside every neighbourhood"):
        sold.within(box(1200, 1200, 1800, 1800), crs=PLANE)
    assert sold.within(box(4500, -500, 6500, 1500), crs=PLANE).table["units_per_week"].tolist() == pytest.approx([10.0])


@pytest.mark.parametrize("ending", [".geojson", ".gpkg", ".shp"])
def test_an_area_is_read_from_a_file(tmp_path: Path, ending: str) -> None:
    """Any geometry file will do; a missing one is named."""
    file = tmp_path / f"area{ending}"
    drawn = gpd.GeoSeries([box(0, 0, SIDE, SIDE)], crs=PLANE)
    (drawn.to_crs("EPSG:4326") if ending == ".geojson" else drawn).to_file(file)
    assert street().within(read_area(file)).people == pytest.approx(100.0, rel=1e-4)
    with pytest.raises(InputError, match="nothing_here"):
        read_area(tmp_path / f"nothing_here{ending}")
