"""The public interface as the design states it, called with a foreigner's frames.

Ids that are odd (spaces, slashes, leading zeros, a formula), columns in another order, columns nobody asked for, weeks
as integers, an index that means something else. Written from the design page, not from the code.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from shapely.geometry import box

import assortment

STORE_IDS = ("007", "S 2/ä", "=1+1", "x-y[z]>", "10")
PRODUCT_IDS = ("0001", "0002", "a b", "c,d", 'q"e', "-5", "Ω", "08")
WEEKS = 30


@pytest.fixture(scope="module")
def stores() -> assortment.Stores:
    frame = pd.DataFrame(
        {
            "y": [500.0, 1500.0, 2500.0, 3500.0, 500.0],
            "remark": ["", "new", "", "", "x"],
            "name": ["A", "B", "C", "D", "E & F <b>"],
            "x": [500.0, 1500.0, 2500.0, 3500.0, 3500.0],
            "store_id": STORE_IDS,
        },
        index=[9, 7, 5, 3, 1],
    )
    points = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["x"], frame["y"]), crs="EPSG:32633")
    return assortment.Stores.from_frame(points)


@pytest.fixture(scope="module")
def neighbourhoods() -> assortment.Neighbourhoods:
    cells = [(i, j) for i in range(4) for j in range(4)]
    frame = gpd.GeoDataFrame(
        {
            "median_income": [20_000.0 + 9_000 * i + 3_000 * j for i, j in cells],
            "old": [10.0 + 12 * j for _, j in cells],
            "neighbourhood_id": [f"{i}/{j}" for i, j in cells],
            "population": [100.0 + 5 * i for i, _ in cells],
        },
        geometry=[box(1000 * i, 1000 * j, 1000 * i + 1000, 1000 * j + 1000) for i, j in cells],
        crs="EPSG:32633",
    )
    return assortment.Neighbourhoods.from_frame(
        frame, counts=["population", "old"], rates={"median_income": "population"}
    )


@pytest.fixture(scope="module")
def products() -> assortment.Products:
    n = len(PRODUCT_IDS)
    return assortment.Products.from_frame(
        pd.DataFrame(
            {
                "kind": ["whole", "skim"] * (n // 2),
                "width_cm": [10, 12, 9, 11, 10, 14, 8, 10],
                "unit_cost": np.linspace(0.6, 1.6, n),
                "price": np.linspace(1.0, 3.0, n),
                "category": "milk",
                "name": [f"Milk {p}" for p in PRODUCT_IDS],
                "product_id": PRODUCT_IDS,
            }
        )
    )


@pytest.fixture(scope="module")
def sales() -> assortment.Sales:
    rng = np.random.default_rng(3)
    rows = [(w, s, p) for w in range(WEEKS) for s in STORE_IDS for p in PRODUCT_IDS[:7]]  # the last was never sold
    frame = pd.DataFrame(rows, columns=["week", "store_id", "product_id"])
    price = frame["product_id"].map(dict(zip(PRODUCT_IDS, np.linspace(1.0, 3.0, len(PRODUCT_IDS)), strict=True)))
    frame["price"] = price * rng.choice([1.0, 0.9, 0.8], len(frame))
    frame["flyer"] = (rng.random(len(frame)) < 0.1).astype(int)
    frame["units"] = rng.poisson(40 * np.exp(-0.8 * np.log(frame["price"]) + 0.3 * frame["flyer"]))
    return assortment.Sales.from_frame(frame[["units", "flyer", "product_id", "price", "week", "store_id"]], ["flyer"])


@pytest.fixture(scope="module")
def chain(
    stores: assortment.Stores,
    neighbourhoods: assortment.Neighbourhoods,
    products: assortment.Products,
    sales: assortment.Sales,
) -> assortment.Chain:
    return assortment.Chain(
        name="Foreign",
        stores=stores,
        neighbourhoods=neighbourhoods,
        products=products,
        sales=sales,
        shelves=pd.DataFrame({"shelf_cm": [45, 50, 60, 70, 55], "category": "milk", "store_id": STORE_IDS}),
    )


@pytest.fixture(scope="module")
def profiles(stores: assortment.Stores, neighbourhoods: assortment.Neighbourhoods) -> assortment.StoreProfiles:
    areas = assortment.trade_areas(
        stores, neighbourhoods, method="huff", attractiveness=1.0, alpha=1.0, decay=2.0, distance_floor_m=100.0
    )
    return assortment.store_profiles(areas, neighbourhoods)


@pytest.fixture(scope="module")
def demand(
    chain: assortment.Chain, profiles: assortment.StoreProfiles, products: assortment.Products
) -> assortment.Demand:
    assert chain.sales is not None
    model = assortment.fit_demand(chain.sales, products, profiles, demographics=["median_income", "old / population"])
    return model.predict(chain.stores, chain.products, profiles, at=None)


def test_trade_areas_of_each_method_say_whether_they_divide_or_overlap(
    stores: assortment.Stores, neighbourhoods: assortment.Neighbourhoods
) -> None:
    """Every method gives one type; shares of what divides sum to at most one over the stores."""
    huff = assortment.trade_areas(stores, neighbourhoods, method="huff", distance_floor_m=50.0)
    ring = assortment.trade_areas(stores, neighbourhoods, method="ring", radius_m=800.0)
    nearest = assortment.trade_areas(stores, neighbourhoods, method="nearest")
    assert (huff.kind, ring.kind, nearest.kind) == ("divides", "overlaps", "divides")
    assert set(huff.shares.columns) == {"store_id", "neighbourhood_id", "share"}
    assert huff.shares.groupby("neighbourhood_id")["share"].sum().to_numpy() == pytest.approx(1.0)
    assert ring.shares["share"].max() <= 1


def test_profiles_are_indexed_by_store_and_hold_counts_and_rates_under_their_own_names(
    profiles: assortment.StoreProfiles,
) -> None:
    """Counts add up to the region's; a rate stays inside the range of its neighbourhoods."""
    assert list(profiles.table.index) == list(STORE_IDS)
    assert profiles.table.index.name == "store_id"
    assert profiles.table["population"].sum() == pytest.approx(4 * (100 + 105 + 110 + 115))
    assert profiles.table["median_income"].between(20_000, 56_000).all()


def test_profiles_can_come_from_a_frame(products: assortment.Products, sales: assortment.Sales) -> None:
    """A planner with profiles of their own enters at the demand stage."""
    own = pd.DataFrame({"wealth": [1.0, 2.0, 3.0, 4.0, 5.0]}, index=pd.Index(STORE_IDS, name="store_id"))
    profiles = assortment.StoreProfiles.from_frame(own)
    model = assortment.fit_demand(sales, products, profiles, demographics=["wealth"])
    offers = sales.frame[["week", "store_id", "product_id", "price", "flyer"]].sample(frac=0.5, random_state=1)
    offers = offers.set_index(np.arange(len(offers))[::-1])
    shares = model.shares(offers, profiles)
    assert shares.index.equals(offers.index)
    totals = shares.groupby([offers["week"], offers["store_id"]]).sum()
    assert totals.to_numpy() == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["int64", "category", "object"])
def test_ids_of_any_type_in_any_frame_mean_the_same(kind: str) -> None:
    """Whole numbers, categories and text as ids give the same fit, forecast and shares, and none is ignored."""
    rng = np.random.default_rng(5)
    rows = pd.DataFrame([(w, s, p) for w in range(12) for s in (1, 2, 3) for p in (10, 20, 30, 40)])
    rows.columns = pd.Index(["week", "store_id", "product_id"])
    rows["price"], rows["units"] = rng.choice([1.0, 1.2, 1.5], len(rows)), rng.poisson(30, len(rows))
    goods = pd.DataFrame({"product_id": [10, 20, 30, 40], "price": 1.2, "unit_cost": 0.8, "width_cm": 9.0})
    places = pd.DataFrame({"store_id": [1, 2, 3], "x": [0.0, 1.0, 2.0], "y": 0.0})
    profiles = pd.DataFrame({"wealth": [1.0, 2.0, 4.0]}, index=pd.Index([1, 2, 3], name="store_id"))

    def forecast(like: str) -> tuple[assortment.Demand, np.ndarray]:
        def typed(frame: pd.DataFrame) -> pd.DataFrame:
            ids = {
                name: frame[name].astype(str).astype("object") for name in ("store_id", "product_id") if name in frame
            }
            ids = {name: frame[name].astype("int64") if like == "int64" else ids[name].astype(like) for name in ids}
            return frame.assign(**ids)

        offers, stood = typed(rows.drop(columns="units")), typed(rows[rows["product_id"] < 40])
        listing = stood.drop_duplicates(["store_id", "product_id"])[["store_id", "product_id"]]
        model = assortment.fit_demand(
            assortment.Sales.from_frame(typed(rows)),
            assortment.Products.from_frame(typed(goods)),
            assortment.StoreProfiles.from_frame(profiles),
            offered=listing.assign(from_week=0),
            today=listing,
        )
        at = listing.head(2).assign(price=0.9)
        stores = assortment.Stores.from_frame(typed(places), crs="EPSG:32633")
        demand = model.predict(stores, model.products, assortment.StoreProfiles.from_frame(profiles), at=at)
        return demand, model.shares(offers, assortment.StoreProfiles.from_frame(profiles)).to_numpy()

    (demand, shares), (other, other_shares) = forecast("object"), forecast(kind)
    assert demand.today is not None and demand.today.sum() == 9
    assert (demand.today == other.today).all()
    assert demand.attraction == pytest.approx(other.attraction, rel=1e-12)
    assert shares == pytest.approx(other_shares, rel=1e-12)


def test_demand_covers_every_store_and_product_also_one_never_sold(demand: assortment.Demand) -> None:
    """Attractions are positive and finite for each store, class and product; the shapes are as the design says."""
    S, N = len(STORE_IDS), len(PRODUCT_IDS)
    K = demand.attraction.shape[1]
    assert demand.attraction.shape == (S, K, N)
    assert demand.class_weight.shape == demand.no_purchase.shape == (S, K)
    assert np.isfinite(demand.attraction).all() and (demand.attraction > 0).all()
    carried = np.ones((S, N), bool)
    carried[:, 0] = False
    shares = demand.shares(carried)
    assert (shares[:, 0] == 0).all()
    assert (shares.sum(axis=1) < 1).all()
    interval = demand.interval(0.9, carried)
    assert {"store_id", "product_id", "low", "high"} <= set(interval.columns)
    assert (interval["low"] <= interval["high"]).all()


def test_a_chain_of_frames_is_solved_with_rules_and_costs(demand: assortment.Demand, chain: assortment.Chain) -> None:
    """From demand to a plan that obeys its rules and proves its gap, ids unchanged."""
    S, N = len(STORE_IDS), len(PRODUCT_IDS)
    rules = assortment.Rules(core_min=2, core_max=3, local_min_stores=2)
    costs = assortment.Costs(listing=np.full((S, N), 0.1), product=np.full(N, 0.5))
    problem = assortment.Problem.from_demand(demand, chain, category="milk", rules=rules, costs=costs)
    plan = assortment.solve(problem, gap=1e-3, time_limit_s=30, workers=1)
    assert plan.carried.shape == plan.core.shape == (S, N)
    assert 2 <= plan.core[0].sum() <= 3
    assert (plan.core == plan.core[0]).all() and (plan.carried | ~plan.core).all()
    assert plan.value <= plan.bound + 1e-6 * abs(plan.bound)
    assert plan.gap <= 1e-3 and plan.status == "optimal"
    assert set(plan.listings["store_id"]) <= set(STORE_IDS) and set(plan.listings["product_id"]) <= set(PRODUCT_IDS)
    assert set(plan.listings["role"]) <= {"core", "local"}
    columns = {"store_id", "product_id", "role", "units_per_week", "sales_per_week", "margin_per_week"}
    assert columns <= set(plan.listings.columns)
    assert {"store_id", "product_id", "action", "worth_per_week", "reason"} <= set(plan.changes.columns)
    assert plan.verify().ok


def arrays_problem(**changes: object) -> assortment.Problem:
    rng = np.random.default_rng(11)
    S, K, N = 4, 2, 6
    today = np.zeros((S, N), bool)
    today[:, :2] = True
    settings: dict[str, object] = {
        "attraction": rng.uniform(0.1, 2.0, (S, K, N)),
        "class_weight": rng.uniform(50, 100, (S, K)),
        "no_purchase": np.ones((S, K)),
        "margin": rng.uniform(0.2, 1.0, N),
        "price": rng.uniform(1, 3, N),
        "space_cm": np.full(N, 10.0),
        "shelf_cm": np.array([30.0, 40.0, 40.0, 50.0]),
        "rules": assortment.Rules(
            core_min=1,
            core_max=2,
            products_max=6,
            local_products_max=None,
            local_min_stores=2,
            local_per_store=(None, 3),
            groups=[assortment.Group("kind: whole", members=np.arange(N) % 2 == 0, least=1, most=None)],
            allowed=np.ones((S, N), bool),
            required=np.zeros((S, N), bool),
            today=today,
            changes_max=np.array([5, 5, 5, 6]),
        ),
        "costs": assortment.Costs(listing=np.full((S, N), 0.2), product=np.full(N, 0.3), local_product=np.full(N, 0.1)),
        "objective": "margin",
        "store_ids": STORE_IDS[:S],
        "product_ids": PRODUCT_IDS[:N],
    }
    return assortment.Problem(**{**settings, **changes})  # type: ignore[arg-type]


def test_the_optimiser_works_from_arrays_alone() -> None:
    """A planner with another demand model uses the arrays; the value is the stated formula, recomputed here."""
    problem = arrays_problem()
    plan = assortment.solve(problem, gap=2e-4, time_limit_s=60, workers=2, prove=True, executor=None)
    x = plan.carried
    pull, weight = problem.attraction * x[:, None, :], problem.class_weight
    gross = sum(
        weight[s, k] * (problem.margin[s] * pull[s, k]).sum() / (problem.no_purchase[s, k] + pull[s, k].sum())
        for s in range(4)
        for k in range(2)
    )
    listed, core = x.any(axis=0), plan.core.any(axis=0)
    expected = gross - 0.2 * x.sum() - 0.3 * listed.sum() - 0.1 * (listed & ~core).sum()
    assert plan.value == pytest.approx(expected, rel=1e-9)
    assert plan.gap == pytest.approx(max(0.0, plan.bound - plan.value) / abs(plan.value), abs=1e-12)
    assert plan.status in {"optimal", "gap_open", "time_limit", "interrupted"}


def test_without_proof_the_bound_is_infinite_and_the_status_open() -> None:
    """``prove=False`` claims nothing."""
    plan = assortment.solve(arrays_problem(), prove=False)
    assert plan.bound == np.inf and plan.status == "gap_open"


def test_a_negative_attraction_is_named() -> None:
    """Anything but attraction ≥ 0 and no_purchase > 0 is an error that names store, class and product."""
    attraction = np.ones((4, 2, 6))
    attraction[2, 1, 3] = -1
    with pytest.raises(assortment.ProblemError, match=r"=1\+1[\s\S]*c,d"):
        arrays_problem(attraction=attraction)


def test_a_rule_that_cannot_hold_raises_infeasible_with_rules_and_stores() -> None:
    """``solve`` never returns a plan that breaks a rule."""
    with pytest.raises(assortment.Infeasible) as caught:
        assortment.solve(arrays_problem(shelf_cm=np.array([30.0, 5.0, 40.0, 50.0])))
    assert "shelf" in caught.value.rules and caught.value.stores == ("S 2/ä",)


def test_the_same_inputs_give_the_same_plan_whatever_the_number_of_workers() -> None:
    """One worker or two: the same picks, value and bound."""
    one, two = (assortment.solve(arrays_problem(), workers=workers) for workers in (1, 2))
    assert (one.carried == two.carried).all() and one.value == two.value and one.bound == two.bound


def test_a_figure_draws_on_the_axes_it_is_given(
    stores: assortment.Stores, neighbourhoods: assortment.Neighbourhoods
) -> None:
    """``assortment.plot`` leaves the figure to its caller."""
    axes = Figure().subplots()
    areas = assortment.trade_areas(stores, neighbourhoods, method="nearest")
    assortment.plot.trade_areas(areas, axes)
    assert axes.has_data()


def test_every_error_is_one_tree() -> None:
    """Whoever catches ``AssortmentError`` catches every mistake of a user."""
    kinds = [getattr(assortment, name) for name in assortment.__all__ if name.endswith(("Error", "Infeasible"))]
    assert len(kinds) == 8 and all(issubclass(kind, assortment.AssortmentError) for kind in kinds)
    assert len({kind.exit_code for kind in kinds}) == 8
    with pytest.raises(assortment.InputError):
        assortment.read_chain(Path("no such folder"))
