"""A small chain whose plan is set by hand, so that a test knows what its pages must say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point, box

from assortment.demand import Demand
from assortment.demand.demand import Drivers
from assortment.geo import store_profiles, trade_areas
from assortment.inputs import Chain, Neighbourhoods, Products, Sales, Stores
from assortment.optimiser import Costs, Group, Plan, Problem, Rules, Status

NOTE = "Made up: the chain, its stores and all sales."


@dataclass(frozen=True)
class World:
    """What a test may change about the small chain."""

    stores: int = 4
    products: int = 12
    classes: int = 1
    side: int = 5
    names: Sequence[str] = ()
    store_names: Sequence[str] = ()
    store_ids: Sequence[str] = ()
    core: int = 4
    local: int = 3
    changes: bool = True
    listing: bool = True
    calibrated: bool = True
    error: float = 0.04
    log_sd: float = 0.05
    bounded: bool = True
    radius_m: float | None = None
    notes: Sequence[str] = (NOTE,)
    costs: Costs = field(default_factory=Costs)
    everywhere: bool = False
    cautions: tuple[str, ...] = ()

    def ids(self) -> tuple[str, ...]:
        return tuple(self.store_ids) or tuple(f"S{number:02d}" for number in range(1, self.stores + 1))


def made_run(world: World) -> Any:
    """Return a run of the small chain: real types but for the model and the plan, which are set by hand."""
    rng = np.random.default_rng(5)
    chain = _chain(world, rng)
    method: dict[str, Any] = {"method": "huff", "distance_floor_m": 200.0}
    if world.radius_m is not None:
        method = {"method": "ring", "radius_m": world.radius_m}
    areas = trade_areas(chain.stores, chain.neighbourhoods, **method)
    profiles = store_profiles(areas, chain.neighbourhoods)
    demand = _demand(world, chain, profiles, rng)
    problem = _problem(world, chain, demand, rng)
    return SimpleNamespace(
        title="Milk for the neighbourhood",
        chain=chain,
        areas=areas,
        profiles=profiles,
        model=SimpleNamespace(
            evidence=SimpleNamespace(sentence="Demographics forecast better than the chain average does."),
            tastes_in_words="Demographics forecast better than the chain average does.",
            walk_away_in_words="Assumed: 10% of the choice occasions end without a purchase at today's listing.",
            cautions=world.cautions,
        ),
        demand=demand,
        problem=problem,
        plan=_plan(world, problem),
        calibration=_calibration(world),
        manifest={
            "scenario": "milk",
            "date": "2026-03-02T00:00:00+00:00",
            "inputs": {"stores (stores.csv)": "ab" * 32},
            "settings": {},
            "versions": {"assortment": "0.1.0", "PuLP": "3.3.2", "highspy": "1.15.1"},
            "seed": 0,
            "warnings": ["One thing to know."],
        },
    )


def _chain(world: World, rng: np.random.Generator) -> Chain:
    ids = world.ids()
    size = 1000.0 * world.side
    cells = [(i, j) for i in range(world.side) for j in range(world.side)]
    ground = gpd.GeoDataFrame(
        {
            "neighbourhood_id": [f"{i}-{j}" for i, j in cells],
            "people": rng.integers(500, 4000, len(cells)).astype(float),
            "over_65": rng.integers(50, 400, len(cells)).astype(float),
            "median_income": rng.uniform(20_000, 120_000, len(cells)),
        },
        geometry=[box(1000 * i, 1000 * j, 1000 * i + 1000, 1000 * j + 1000) for i, j in cells],
        crs="EPSG:32610",
    )
    names = list(world.store_names) or [f"Store {store}" for store in ids]
    places = rng.uniform(0.1 * size, 0.9 * size, (len(ids), 2))
    stores = gpd.GeoDataFrame(
        {"store_id": ids, "name": names, "format": "medium"}, geometry=[Point(xy) for xy in places], crs="EPSG:32610"
    )
    named = [*world.names, *(f"Milk {number}" for number in range(len(world.names), world.products))]
    products = pd.DataFrame(
        {
            "product_id": [f"{number:04d}" for number in range(1, world.products + 1)],
            "name": named,
            "category": "milk",
            "brand": ["Valley", "Farm"] * (world.products // 2) + ["Valley"] * (world.products % 2),
            "price": rng.uniform(1, 5, world.products).round(2),
            "unit_cost": 0.7,
            "width_cm": 10.0,
        }
    )
    # In the middle of the map, as a chain folder gives it.
    rival = gpd.GeoSeries([Point(size / 2, size / 2)], crs="EPSG:32610").to_crs("EPSG:4326")
    return Chain(
        name="Corner & Sons",
        currency="USD",
        shelves=pd.DataFrame({"store_id": ids, "category": "milk", "shelf_cm": 200.0}),
        stores=Stores.from_frame(stores),
        neighbourhoods=Neighbourhoods.from_frame(
            ground, counts=["people", "over_65"], rates={"median_income": "people"}
        ),
        products=Products.from_frame(products),
        competitors=pd.DataFrame({"name": ["Rival"], "longitude": rival.x, "latitude": rival.y}),
        sales=Sales.from_frame(pd.DataFrame({"week": [1], "store_id": ids[:1], "product_id": ["0001"], "units": [5]})),
        notes=tuple(world.notes),
    )


def _demand(world: World, chain: Chain, profiles: Any, rng: np.random.Generator) -> Demand:
    S, K, N = len(world.ids()), world.classes, world.products
    expressions = ["median_income", "over_65 / people"]
    slopes = np.vstack([np.linspace(-1, 1, N) * 3e-5, np.linspace(1, -1, N)])
    reasons = Drivers(
        tuple(expressions), profiles.values(expressions).to_numpy(), profiles.chain(expressions).to_numpy(), slopes
    )
    return Demand(
        store_ids=world.ids(),
        class_names=tuple(f"class {number}" for number in range(1, K + 1)),
        product_ids=chain.products.ids,
        attraction=rng.uniform(0.5, 2.0, (S, K, N)),
        class_weight=rng.uniform(100, 300, (S, K)),
        no_purchase=np.ones((S, K)),
        log_sd=np.full((S, N), world.log_sd),
        reasons=reasons,
    )


def _picks(world: World) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    S, N = len(world.ids()), world.products
    carried, core = np.zeros((S, N), bool), np.zeros((S, N), bool)
    core[:, : world.core] = True
    for store in range(S):
        local = (world.core + store + np.arange(world.local)) % (N - world.core) + world.core if world.local else []
        carried[store, local] = True
    carried |= core
    if world.everywhere:
        carried[:, world.core] = True
    today = carried.copy()
    if world.changes:
        today[:, 0] = False
        today[:, -1] = True
    return carried, core, today


def _problem(world: World, chain: Chain, demand: Demand, rng: np.random.Generator) -> Problem:
    carried, _, today = _picks(world)
    products = chain.products.frame
    return Problem(
        attraction=demand.attraction,
        class_weight=demand.class_weight,
        no_purchase=demand.no_purchase,
        margin=rng.uniform(0.3, 1.5, world.products),
        price=products["price"].to_numpy(),
        space_cm=np.full(world.products, 10.0),
        costs=world.costs,
        shelf_cm=np.full(len(world.ids()), 10.0 * (carried.sum(axis=1).max() + 0.5)),
        rules=Rules(
            core_min=world.core,
            core_max=world.core,
            groups=[Group("brand: Valley", np.arange(world.products) % 2 == 0, 1, None)],
            today=today if world.listing else None,
        ),
        store_ids=world.ids(),
        product_ids=chain.products.ids,
        class_names=demand.class_names,
    )


def _plan(world: World, problem: Problem) -> Plan:
    carried, core, _ = _picks(world)
    value = problem.value(carried, core)
    bound, status = (value * 1.004, Status.OPTIMAL) if world.bounded else (np.inf, Status.GAP_OPEN)
    return Plan(problem=problem, carried=carried, core=core, value=value, bound=bound, status=status)


def _calibration(world: World) -> pd.DataFrame | None:
    if not world.calibrated:
        return None
    actual = np.linspace(800, 1200, len(world.ids()))
    return pd.DataFrame(
        {
            "store_id": world.ids(),
            "actual_units_per_week": actual,
            "predicted_units_per_week": actual * (1 + world.error),
            "total_error": world.error,
            "product_error": 0.21,
        }
    )


@pytest.fixture(scope="session")
def made() -> Callable[..., Any]:
    """Return the maker of runs: ``made(products=45)`` changes what is named and keeps the rest."""
    return lambda **changes: made_run(replace(World(), **changes))
