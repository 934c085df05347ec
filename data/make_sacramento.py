"""Make the example chain `data/sacramento`: real neighbourhoods, a made-up chain of 40 stores and its milk sales.

The neighbourhoods are real (Census 2000); everything else is drawn here from one seed: same seed, same bytes.
What shoppers do follows a stated choice model, "the truth", for store s, product j of type n, and week t:

    people_s   = Σ_i people_i · (size_s / max(d_is, 1 km)²) / Σ_r size_r / max(d_ir, 1 km)²
    z_s        = income, ages and ethnicity of people_s, and distance from the city, standardised over the stores
    u_sj       = a_j + z_s · g_j + e_sj + c_s
    u_sjt      = u_sj + (b + b_income · z_s,income) · log(price_sjt / price_j) + x · promotion_sjt
    Y_snt      = (Σ_{i of type n} exp(u_sit / λ))^λ
    P_sjt      = (Y_snt / (v0 + Σ_m Y_smt)) · exp(u_sjt / λ) / Σ_{i of type n} exp(u_sit / λ)
    units_st   ~ Multinomial(Poisson(occasions_s · season_t · noise_st), P_st)

The first line is Huff's: d_is is the distance from tract i to store s, and r runs over own and rival stores. The sums
over i and m below it run over what stands on the shelf: a nested logit, the plain one if λ were 1. a_j follows the
attributes of j but for a residual, g_j follows them wholly, e_sj is a taste of the store that no demographic explains,
and c_s makes the mean of exp(u_sj) over all products the same in every store. Now and then a product is sold out for a
part of a week, which no table tells. price_j is the regular price today, and "today" is the last week of the record.

    python data/make_sacramento.py [--seed 2000] [--out DIR] [--census DIR]
"""

from __future__ import annotations

import argparse
import json
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

HOME = Path(__file__).resolve().parent / "sacramento"
FIRST_WEEK = np.datetime64("2024-01-01")  # a Monday
WEEKS = 78
CITY = (-121.4944, 38.5816)  # longitude, latitude of the middle of Sacramento

# --- What the shops sell ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Brand:
    """A brand, who delivers it, how dear it is, how much it leaves; a local dairy has a place and a delivery radius."""

    name: str
    supplier_id: str
    supplier: str
    origin: str
    price: float
    margin: float
    minimum_stores: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    delivers_within_km: float | None = None


@dataclass(frozen=True)
class Line:
    """Products of one brand that differ in size only; `launch` is the week of the record from which they can be had."""

    brand: str
    type: str
    fat_percent: float
    sizes: str
    organic: bool = False
    what: str = ""
    launch: int = 0


BRANDS = (
    Brand("Valley Pantry", "V01", "Valley Grocers own brand", "private", 0.85, 1.00),
    Brand("Goldfield", "V02", "Goldfield Dairies", "national", 1.00, 0.97),
    Brand("Clearday", "V03", "Clearday Foods", "national", 1.00, 1.03),
    Brand("Oatfield", "V04", "Oatfield Drinks", "national", 1.00, 1.05),
    Brand("Green Meadow", "V05", "Green Meadow Organic", "national", 1.05, 1.00),
    Brand("Foothill Bell", "V06", "Foothill Bell Dairy", "local", 1.40, 1.05, 3, -121.0300, 38.9050, 45.0),
    Brand("Tule Fog", "V07", "Tule Fog Creamery", "local", 1.35, 1.05, 3, -121.5200, 38.2600, 45.0),
    Brand("Capay Oak", "V08", "Capay Oak Dairy", "local", 1.30, 1.05, 3, -121.9200, 38.6900, 46.0),
    Brand("Cosumnes Bend", "V09", "Cosumnes Bend Farm", "local", 1.35, 1.05, 3, -121.1900, 38.4300, 33.0),
)

LINES = (
    Line("Valley Pantry", "whole", 3.25, "gallon, half gallon, quart"),
    Line("Valley Pantry", "reduced fat", 2.0, "gallon, half gallon"),
    Line("Valley Pantry", "low fat", 1.0, "gallon, half gallon"),
    Line("Valley Pantry", "skim", 0.0, "gallon, half gallon"),
    Line("Valley Pantry", "whole", 3.25, "half gallon", organic=True),
    Line("Valley Pantry", "reduced fat", 2.0, "half gallon", organic=True),
    Line("Valley Pantry", "lactose free", 2.0, "half gallon", what="lactose free reduced fat milk"),
    Line("Valley Pantry", "plant based", 2.5, "half gallon", what="almond drink"),
    Line("Valley Pantry", "flavoured", 2.0, "quart", what="chocolate milk"),
    Line("Goldfield", "whole", 3.25, "gallon, half gallon, quart"),
    Line("Goldfield", "reduced fat", 2.0, "gallon, half gallon, quart"),
    Line("Goldfield", "low fat", 1.0, "gallon, half gallon, quart"),
    Line("Goldfield", "skim", 0.0, "gallon, half gallon"),
    Line("Goldfield", "flavoured", 2.0, "half gallon, quart", what="chocolate milk"),
    Line("Clearday", "lactose free", 3.25, "half gallon", what="lactose free whole milk"),
    Line("Clearday", "lactose free", 3.25, "quart", what="lactose free whole milk", launch=46),
    Line("Clearday", "lactose free", 2.0, "half gallon, quart", what="lactose free reduced fat milk"),
    Line("Clearday", "lactose free", 0.0, "half gallon", what="lactose free skim milk"),
    Line("Oatfield", "plant based", 2.0, "half gallon", what="oat drink", launch=20),
    Line("Oatfield", "plant based", 2.0, "quart", what="oat drink"),
    Line("Oatfield", "plant based", 2.5, "half gallon", what="almond drink"),
    Line("Oatfield", "plant based", 1.8, "half gallon, quart", what="soy drink"),
    Line("Oatfield", "plant based", 4.5, "half gallon", what="coconut drink"),
    Line("Oatfield", "plant based", 1.0, "half gallon", what="rice drink"),
    Line("Green Meadow", "whole", 3.25, "gallon, half gallon", organic=True),
    Line("Green Meadow", "reduced fat", 2.0, "half gallon", organic=True),
    Line("Green Meadow", "low fat", 1.0, "half gallon", organic=True),
    Line("Green Meadow", "skim", 0.0, "half gallon", organic=True),
    Line("Green Meadow", "lactose free", 2.0, "half gallon", True, "lactose free reduced fat milk", launch=34),
    Line("Green Meadow", "plant based", 1.8, "half gallon", True, "soy drink"),
    Line("Green Meadow", "flavoured", 2.0, "quart", True, "chocolate milk"),
    Line("Foothill Bell", "whole", 3.25, "half gallon, quart"),
    Line("Foothill Bell", "reduced fat", 2.0, "half gallon"),
    Line("Foothill Bell", "flavoured", 3.25, "quart", what="chocolate milk"),
    Line("Tule Fog", "whole", 3.25, "half gallon"),
    Line("Tule Fog", "reduced fat", 2.0, "half gallon"),
    Line("Tule Fog", "skim", 0.0, "half gallon"),
    Line("Capay Oak", "whole", 3.25, "half gallon", organic=True),
    Line("Capay Oak", "reduced fat", 2.0, "half gallon", organic=True),
    Line("Capay Oak", "flavoured", 2.0, "quart", True, "chocolate milk"),
    Line("Cosumnes Bend", "whole", 3.25, "gallon"),
    Line("Cosumnes Bend", "low fat", 1.0, "half gallon"),
    Line("Cosumnes Bend", "lactose free", 3.25, "half gallon", what="lactose free whole milk", launch=WEEKS),
)
MUST = "Valley Pantry reduced fat milk, gallon"
NEVER = "Goldfield low fat milk, quart"
DELISTED_IN_WEEK = 52  # when the product with status never left the last shelf

SIZES = {  # price and margin in dollars of a plain product, width in cm, litres
    "gallon": (4.29, 0.90, 15.2, 3.785),
    "half gallon": (2.79, 0.84, 9.8, 1.893),
    "quart": (2.19, 0.79, 7.6, 0.946),
}
DEARER = {"lactose free": 1.40, "plant based": 1.30, "flavoured": 1.10}

# --- What the shoppers like ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taste:
    """The parameters of the truth; `level` and `effect` are keyed by "attribute=value" of a product."""

    level: dict[str, float]
    effect: dict[str, dict[str, float]]  # on u, per standard deviation of the demographic over the stores
    product_sd: float  # of the part of a_j that the attributes leave open
    store_type_sd: float  # e_sj is a draw per store and type, and
    store_product_sd: float  # one per store and product
    price: float
    price_income: float
    promotion: float
    dissimilarity: float
    no_purchase: float
    stock_out_share: float  # of the rows: sold out for 30 to 100 % of the week
    occasions_per_person: float  # and week, in these stores
    huff_decay: float
    huff_floor_m: float


TASTE = Taste(
    level={
        "type=whole": 0.30,
        "type=reduced fat": 0.45,
        "type=low fat": 0.05,
        "type=skim": 0.0,
        "type=lactose free": -0.25,
        "type=plant based": -0.20,
        "type=flavoured": -0.30,
        "size=gallon": 0.50,
        "size=quart": -0.30,
        "origin=private": 0.25,
        "origin=local": -0.10,
        "organic=yes": -0.30,
    },
    effect={
        "organic=yes": {"income": 0.60},
        "type=plant based": {"income": 0.45, "asian": 0.30},
        "type=lactose free": {"asian": 0.35, "black": 0.25, "hispanic": 0.35},
        "type=whole": {"under_16": 0.30, "hispanic": 0.25},
        "type=skim": {"over_65": 0.45, "income": 0.20},
        "type=flavoured": {"under_16": 0.40},
        "size=gallon": {"under_16": 0.50, "over_65": -0.25},
        "size=half gallon": {"over_65": 0.20},
        "size=quart": {"over_65": 0.45},
        "origin=private": {"income": -0.50},
        "origin=local": {"outside_city": 0.45},
    },
    product_sd=0.30,
    store_type_sd=0.15,
    store_product_sd=0.15,
    price=-1.9,
    price_income=0.3,
    promotion=0.25,
    dissimilarity=0.75,
    no_purchase=3.4,
    stock_out_share=0.015,
    occasions_per_person=0.16,
    huff_decay=2.0,
    huff_floor_m=1000.0,
)


@dataclass(frozen=True)
class Truth:
    """All that is needed for the expected sales of any assortment at today's regular prices.

    Attributes
    ----------
    attraction
        (S, N) exp(u) at the regular price, without promotion.
    occasions
        (S,) expected choice occasions per week, those who buy nothing included.
    nest
        (N,) number of the nest (milk type) of each product.
    margin
        (N,) dollars per unit at the regular price.
    """

    store_ids: tuple[str, ...]
    product_ids: tuple[str, ...]
    attraction: Floats
    occasions: Floats
    nest: Ints
    margin: Floats
    no_purchase: float
    dissimilarity: float


def nested_shares(attraction: Floats, nest: Ints, *, no_purchase: float, dissimilarity: float) -> Floats:
    """Choice shares (S, N) of a nested logit; a product that is not there has attraction 0."""
    within = attraction ** (1 / dissimilarity)
    nests = within @ np.eye(nest.max() + 1)[nest]
    worth = nests**dissimilarity
    share_of_nest = worth / (no_purchase + worth.sum(axis=1, keepdims=True))
    return np.asarray(within / np.maximum(nests, 1e-300)[:, nest] * share_of_nest[:, nest])


def true_units(truth: Truth, carried: Mask) -> Floats:
    """Expected units per week (S, N) if the stores carried `carried` (S, N), at regular prices and never sold out."""
    shares = nested_shares(
        np.where(carried, truth.attraction, 0.0),
        truth.nest,
        no_purchase=truth.no_purchase,
        dissimilarity=truth.dissimilarity,
    )
    return truth.occasions[:, None] * shares


def true_margin(truth: Truth, carried: Mask) -> Floats:
    """Expected margin in dollars per week of each store (S,)."""
    return true_units(truth, carried) @ truth.margin


def read_truth(folder: Path = HOME / "truth") -> Truth:
    """Read back what `write_truth` wrote."""
    text = {"store_id": str, "product_id": str}
    stores = pd.read_csv(folder / "stores.csv", dtype=text)
    products = pd.read_csv(folder / "products.csv", dtype=text)
    pairs = pd.read_csv(folder / "attraction.csv", dtype=text)
    parameters = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
    return Truth(
        store_ids=tuple(stores["store_id"]),
        product_ids=tuple(products["product_id"]),
        attraction=pairs["attraction"].to_numpy().reshape(len(stores), len(products)),
        occasions=stores["occasions_per_week"].to_numpy(dtype=float),
        nest=products["nest"].to_numpy(),
        margin=products["margin_per_unit"].to_numpy(),
        no_purchase=parameters["no_purchase"],
        dissimilarity=parameters["dissimilarity"],
    )


# --- Places ----------------------------------------------------------------------------------------------------------

CENSUS_COLUMNS = {
    "FIPS": "neighbourhood_id",
    "TOT_POP": "people",
    "POP_16": "under_16",
    "POP_65": "over_65",
    "WHITE_": "white",
    "BLACK_": "black",
    "ASIAN_": "asian",
    "HISP_": "hispanic",
    "MULTI_RA": "multiracial",
    "POV_TOT": "in_poverty",
    "POV_POP": "poverty_base",
    "HH_INC": "median_income",
    "HSG_VAL": "median_house_value",
}
HOUSE_VALUE_UNKNOWN = (0, 1_000_001)

CITY_NAMES = (
    "Almond Boulevard;Arroyo Plaza;Birchwood Avenue;Bluff Street;Canal Street;Cedar Crossing;Citrus Lane;"
    "Fig Tree Center;Commerce Square;Cottonwood Road;Dunmore Village;Fairlawn Avenue;Garden Court;Granger Road;"
    "Harbor Parkway;Levee Road;Juniper Street;Larkspur Plaza;Linden Boulevard;Magnolia Village;Manzanita Square;"
    "Marsh Street;Mill Crossing;Rosewood;Olive Grove;Orchard Parkway;Parkside;Pear Blossom Road;Poplar Avenue;"
    "Quarry Road;Railyard Street;Sycamore Drive;Tanager Village;Vineyard Road;Walnut Crossing;Willow Bend;"
    "Fieldstone Center;Plum Street;Heron Lane;Tower Square"
)
FOOTHILL_NAMES = (
    "Assay Street;Bear Flat;Black Oak Crossing;Gray Pine Road;Granite Ridge;High Meadow;Lakeshore;Long Ravine;"
    "Miners Hill;Pony Trail;Quartz Hill;Summit Road;Sugar Pine;Timber Ridge"
)
RIVALS = ("Budget Barn", "Harvest Depot", "Parkway Foods", "Buena Plaza Market")
FORMATS = {  # number of stores, square metres from and to, centimetres of shelf from and to
    "large": (10, 2800, 3600, 800, 920),
    "medium": (16, 2000, 2600, 560, 680),
    "small": (14, 1200, 1700, 430, 490),
}


@dataclass(frozen=True)
class World:
    """What the stages may know, but for the sales: tables as they are written to the folder of the chain."""

    tracts: gpd.GeoDataFrame
    stores: pd.DataFrame
    competitors: pd.DataFrame
    suppliers: pd.DataFrame
    products: pd.DataFrame
    launch: Ints
    shelf_cm: Ints
    reach: Mask


def stream(seed: int, name: str) -> np.random.Generator:
    """A random stream of its own for each step, so that a change in one leaves the others alone."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def metres(longitude: Floats, latitude: Floats) -> Floats:
    """Plane coordinates (n, 2) around the city; good to 1 % over the region, and the same on every machine."""
    radius, (east, north) = 6_371_008.8, CITY
    x = np.radians(longitude - east) * radius * np.cos(np.radians(north))
    return np.column_stack([x, np.radians(latitude - north) * radius])


def distances(a: Floats, b: Floats) -> Floats:
    """Distances (n, m) in whole metres between plane points (n, 2) and (m, 2)."""
    return np.asarray(np.round(np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))))


def tract_points(tracts: gpd.GeoDataFrame) -> Floats:
    """Plane coordinates (n, 2) of a point inside each tract."""
    points = tracts.representative_point()
    return metres(points.x.to_numpy(), points.y.to_numpy())


def points_inside(shape: BaseGeometry, count: int, rng: np.random.Generator) -> Floats:
    """Random points (count, 2) inside a polygon, longitude and latitude."""
    west, south, east, north = shape.bounds
    found: list[tuple[float, float]] = []
    while len(found) < count:
        spot = (round(rng.uniform(west, east), 5), round(rng.uniform(south, north), 5))
        if shape.contains(Point(spot)):
            found.append(spot)
    return np.array(found)


def settle(tracts: gpd.GeoDataFrame, count: int, apart_m: float, rng: np.random.Generator) -> Floats:
    """Places (count, 2) where people live: a tract with odds as its people, in it the liveliest of a few points.

    Liveliest: most people over squared distance. No two places are nearer than `apart_m`, and 80 m more for each
    kilometre from the city.
    """
    people = tracts["people"].to_numpy(dtype=float)
    middles = tract_points(tracts)
    chosen: list[Floats] = []
    while len(chosen) < count:
        tract = rng.choice(len(tracts), p=people / people.sum())
        spots = points_inside(tracts.geometry.iloc[tract], 12, rng)
        near = np.maximum(distances(metres(*spots.T), middles), 1500.0)
        best = int(np.argmax((people / near**2).sum(axis=1)))
        place = metres(*spots[best : best + 1].T)
        least = apart_m + 0.08 * np.hypot(*place[0])
        if not chosen or distances(place, metres(*np.array(chosen).T)).min() >= least:
            chosen.append(spots[best])
    return np.array(chosen)


def make_stores(tracts: gpd.GeoDataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, Ints]:
    """The stores from west to east, and the length (S,) of their milk shelves in cm."""
    count = sum(number for number, *_ in FORMATS.values())
    places = settle(tracts, count, 2400.0, rng)
    places = places[np.argsort(places[:, 0])]
    formats = rng.permutation(np.repeat(list(FORMATS), [number for number, *_ in FORMATS.values()]))
    limits = np.array([FORMATS[name][1:] for name in formats])
    foothill = places[:, 0] > -121.08
    names = {
        True: iter(rng.permutation(FOOTHILL_NAMES.split(";"))),
        False: iter(rng.permutation(CITY_NAMES.split(";"))),
    }
    opened = pd.Timestamp("1985-01-07") + pd.to_timedelta(7 * rng.integers(0, 1900, count), unit="D")
    stores = pd.DataFrame(
        {
            "store_id": [f"S{s + 1:02d}" for s in range(count)],
            "name": [next(names[bool(hill)]) for hill in foothill],
            "longitude": places[:, 0],
            "latitude": places[:, 1],
            "format": formats,
            "size_m2": np.round(rng.uniform(limits[:, 0], limits[:, 1]), -1).astype(int),
            "opened": opened.strftime("%Y-%m-%d"),
        }
    )
    late = rng.choice(count, 2, replace=False)  # two stores opened while the record ran
    stores.loc[late, "opened"] = [str(FIRST_WEEK + 7 * week) for week in (22, 40)]
    return stores, np.round(rng.uniform(limits[:, 2], limits[:, 3]), -1).astype(np.int64)


def make_competitors(tracts: gpd.GeoDataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Fifty rival stores."""
    places = settle(tracts, 50, 1000.0, rng)
    banners = rng.integers(0, len(RIVALS), len(places))
    number = pd.Series(banners).groupby(banners).cumcount() + 1
    return pd.DataFrame(
        {
            "name": [f"{RIVALS[banner]} {n}" for banner, n in zip(banners, number, strict=True)],
            "longitude": places[:, 0],
            "latitude": places[:, 1],
            "size_m2": np.round(rng.uniform(1800, 6000, len(places)), -1).astype(int),
        }
    )


def make_suppliers() -> pd.DataFrame:
    """One supplier per brand; only the local dairies have a place, a radius and a least number of stores."""
    columns = ["supplier_id", "supplier", "longitude", "latitude", "delivers_within_km", "minimum_stores"]
    table = pd.DataFrame([asdict(brand) for brand in BRANDS])[columns].rename(columns={"supplier": "name"})
    return table.astype({"minimum_stores": "Int64"})


def make_products(rng: np.random.Generator) -> tuple[pd.DataFrame, Ints]:
    """The milk products and the week (N,) of the record from which each can be had."""
    brands = {brand.name: brand for brand in BRANDS}
    rows, launch = [], []
    for line in LINES:
        for size in line.sizes.split(", "):
            rows.append(product_row(brands[line.brand], line, size, rng))
            launch.append(line.launch)
    products = pd.DataFrame(rows)
    products.insert(0, "product_id", [f"{j + 1:04d}" for j in range(len(products))])
    return products, np.array(launch)


def product_row(brand: Brand, line: Line, size: str, rng: np.random.Generator) -> dict[str, object]:
    """One product: the price ends in a 9; the margin is nearly the same in dollars, not in per cent."""
    base, dollars, width, litres = SIZES[size]
    price = base * brand.price * DEARER.get(line.type, 1.0) * (1.45 if line.organic else 1.0)
    price = round(round(price * 10) / 10 - 0.01, 2)
    margin = dollars * brand.margin * (1.15 if line.organic else 1.0) * rng.uniform(0.95, 1.05)
    name = f"{brand.name} {'organic ' if line.organic else ''}{line.what or line.type + ' milk'}, {size}"
    facings = 3 if size == "gallon" and brand.origin == "private" else 2
    return {
        "name": name,
        "category": "milk",
        "brand": brand.name,
        "origin": brand.origin,
        "supplier_id": brand.supplier_id,
        "type": line.type,
        "fat_percent": line.fat_percent,
        "size": size,
        "organic": "yes" if line.organic else "no",
        "price": price,
        "unit_cost": round(price - margin, 2),
        "width_cm": width,
        "facings": facings,
        "pack_size": litres,
        "unit": "l",
        "status": {MUST: "must", NEVER: "never"}.get(name, "may"),
    }


def supplier_reach(stores: pd.DataFrame, suppliers: pd.DataFrame, products: pd.DataFrame) -> Mask:
    """Which products (S, N) the suppliers bring to which stores: all but those of a dairy that is too far away."""
    places = metres(stores["longitude"].to_numpy(), stores["latitude"].to_numpy())
    dairies = metres(suppliers["longitude"].to_numpy(), suppliers["latitude"].to_numpy())
    radius = suppliers["delivers_within_km"].to_numpy(dtype=float)
    reach = np.isnan(radius) | (distances(places, dairies) <= 1000 * radius)
    return np.asarray(reach[:, suppliers.set_index("supplier_id").index.get_indexer(pd.Index(products["supplier_id"]))])


def make_world(tracts: gpd.GeoDataFrame, seed: int) -> World:
    """Stores, rivals, suppliers and products."""
    stores, shelf_cm = make_stores(tracts, stream(seed, "stores"))
    products, launch = make_products(stream(seed, "products"))
    suppliers = make_suppliers()
    return World(
        tracts=tracts,
        stores=stores,
        competitors=make_competitors(tracts, stream(seed, "competitors")),
        suppliers=suppliers,
        products=products,
        launch=launch,
        shelf_cm=shelf_cm,
        reach=supplier_reach(stores, suppliers, products),
    )


# --- The truth -------------------------------------------------------------------------------------------------------


def huff_people(world: World, taste: Taste) -> Floats:
    """People (S, tracts) of each tract who shop at each own store; rivals take the rest."""
    both = pd.concat([world.stores, world.competitors])
    places = metres(both["longitude"].to_numpy(), both["latitude"].to_numpy())
    far = np.maximum(distances(places, tract_points(world.tracts)), taste.huff_floor_m)
    pull = both["size_m2"].to_numpy(dtype=float)[:, None] / far**taste.huff_decay
    shares = pull[: len(world.stores)] / pull.sum(axis=0)
    return np.asarray(shares * world.tracts["people"].to_numpy(dtype=float))


def store_profiles(world: World, people: Floats) -> pd.DataFrame:
    """Who shops at each store: people, mean income, shares of ages and ethnic groups, log distance from the city."""
    per_person = world.tracts.drop(columns="geometry").set_index("neighbourhood_id")
    total = people.sum(axis=1)
    profile = pd.DataFrame({"store_id": world.stores["store_id"], "people": total})
    profile["income"] = people @ per_person["median_income"].to_numpy(dtype=float) / total
    for column in ("under_16", "over_65", "asian", "black", "hispanic"):
        profile[column] = people @ (per_person[column] / per_person["people"]).to_numpy(dtype=float) / total
    places = metres(world.stores["longitude"].to_numpy(), world.stores["latitude"].to_numpy())
    profile["outside_city"] = np.log(np.maximum(distances(places, np.zeros((1, 2)))[:, 0], 3000.0))
    return profile


def standardised(profile: pd.DataFrame) -> pd.DataFrame:
    """The demographics of a profile in standard deviations over the stores."""
    values = profile.drop(columns=["store_id", "people"])
    return (values - values.mean()) / values.std(ddof=0)


def attribute_masks(products: pd.DataFrame) -> dict[str, Floats]:
    """1.0 where a product has an attribute value, by "attribute=value"."""
    columns = ("type", "size", "origin", "organic")
    return {f"{c}={v}": (products[c] == v).to_numpy(float) for c in columns for v in products[c].unique()}


def make_utility(world: World, z: pd.DataFrame, taste: Taste, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """u (S, N) at regular prices, and the part e (S, N) of it that no demographic explains."""
    masks = attribute_masks(world.products)
    stores, products = len(z), len(world.products)
    level = sum(value * masks[name] for name, value in taste.level.items()) + rng.normal(0, taste.product_sd, products)
    kinds, nest = np.unique(world.products["type"], return_inverse=True)
    own = rng.normal(0, taste.store_type_sd, (stores, len(kinds)))[:, nest]
    own = own + rng.normal(0, taste.store_product_sd, (stores, products))
    utility = level + own
    for name, effects in taste.effect.items():
        for demographic, size in effects.items():
            utility = utility + size * np.outer(z[demographic], masks[name])
    return np.asarray(utility - np.log(np.exp(utility).mean(axis=1, keepdims=True))), own


def make_truth(world: World, profile: pd.DataFrame, utility: Floats, taste: Taste) -> Truth:
    """Put the parts together, rounded as they are written."""
    return Truth(
        store_ids=tuple(world.stores["store_id"]),
        product_ids=tuple(world.products["product_id"]),
        attraction=np.asarray(np.round(np.exp(utility), 5), dtype=np.float64),
        occasions=np.round(profile["people"].to_numpy() * taste.occasions_per_person, 1),
        nest=np.unique(world.products["type"], return_inverse=True)[1].astype(np.int64),
        margin=np.round((world.products["price"] - world.products["unit_cost"]).to_numpy(), 2),
        no_purchase=taste.no_purchase,
        dissimilarity=taste.dissimilarity,
    )


# --- What stood on the shelf -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shelf:
    """What limits the listing of one store; `must` and `kind` (milk type) are (N,), `space` and `length` in cm."""

    length: float
    space: Floats
    must: Mask
    kind: Ints

    def fill(self, listed: Mask, allowed: Mask, score: Floats) -> Mask:
        """List what must stand there, then the best of each missing type, then the best that still fits."""
        listed = listed | self.must
        order = np.argsort(-score, kind="stable")
        for kind in np.unique(self.kind):
            if not listed[self.kind == kind].any():
                listed[next(j for j in order if self.kind[j] == kind and allowed[j])] = True
        for j in order:
            if allowed[j] and not listed[j] and self.space[listed].sum() + self.space[j] <= self.length:
                listed[j] = True
        return listed

    def drop(self, listed: Mask, count: int, rng: np.random.Generator) -> Mask:
        """Take some products out at random, but never one that must stand there or the last of its type."""
        listed = listed.copy()
        for j in rng.permutation(np.flatnonzero(listed & ~self.must)):
            if count and listed[self.kind == self.kind[j]].sum() > 1:
                listed[j] = False
                count -= 1
        return listed


def make_listings(world: World, truth: Truth, rng: np.random.Generator) -> Mask:
    """What was listed (weeks, S, N): the chain's best sellers with some whim, looked through four times a year."""
    products = world.products
    space = (products["width_cm"] * products["facings"]).to_numpy(dtype=float)
    must, never = ((products["status"] == word).to_numpy() for word in ("must", "never"))
    seller = np.log(truth.attraction.mean(axis=0))
    listed = np.zeros((WEEKS, *truth.attraction.shape), dtype=bool)
    for s, length in enumerate(world.shelf_cm):
        shelf = Shelf(float(length), space, must, truth.nest)
        whim = seller + rng.normal(0, 0.8, len(products))
        for week in range(WEEKS):
            allowed = world.reach[s] & (world.launch <= week) & ~(never & (week >= DELISTED_IN_WEEK))
            if week == 0 or week % 13 == s % 13:
                before = shelf.drop(listed[week - 1, s], int(rng.integers(1, 4)), rng) if week else listed[0, s]
                news = 0.8 * ((world.launch > week - 13) & (world.launch > 0))
                listed[week, s] = shelf.fill(
                    before & allowed, allowed, whim + news + rng.normal(0, 0.45, len(products))
                )
            else:
                listed[week, s] = listed[week - 1, s] & allowed
    return listed


def intervals(listed: Mask) -> Iterator[tuple[int, int, int, int]]:
    """Store, product, first and last week (inclusive) of each spell on the shelf."""
    padded = np.pad(listed.astype(np.int8), ((1, 1), (0, 0), (0, 0)))
    change = np.diff(padded, axis=0)
    for s, j in np.argwhere(listed.any(axis=0)):
        starts, ends = np.flatnonzero(change[:, s, j] == 1), np.flatnonzero(change[:, s, j] == -1) - 1
        for start, end in zip(starts, ends, strict=True):
            yield int(s), int(j), int(start), int(end)


def opening_week(stores: pd.DataFrame) -> Ints:
    """First week of the record (S,) in which each store was open."""
    weeks = (pd.to_datetime(stores["opened"]) - pd.Timestamp(FIRST_WEEK)).dt.days // 7
    return np.maximum(weeks.to_numpy(), 0).astype(np.int64)


# --- What was sold ---------------------------------------------------------------------------------------------------


def make_prices(world: World, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Regular prices (weeks, N) that end at today's, and promotional price cuts (weeks, N), 0 where there is none."""
    today = world.products["price"].to_numpy(dtype=float)
    steps = np.where(rng.random((WEEKS, len(today))) < 0.03, rng.normal(0.02, 0.05, (WEEKS, len(today))), 0.0)
    steps[-6:] = 0.0  # nothing moves shortly before today
    later = steps[::-1].cumsum(axis=0)[::-1] - steps
    regular = np.round(today * np.exp(-later), 2)
    rate = np.where(world.products["origin"] == "local", 0.02, 0.05)
    cut = np.zeros_like(regular)
    for week, j in np.argwhere(rng.random(regular.shape) < rate):
        cut[week : week + int(rng.integers(1, 3)), j] = rng.choice([0.15, 0.20, 0.25, 0.30])
    return regular, cut


def make_sales(world: World, truth: Truth, listed: Mask, z: pd.DataFrame, *, taste: Taste, seed: int) -> pd.DataFrame:
    """The record: one row per week, store and listed product, without the gaps."""
    rng = stream(seed, "sales")
    regular, cut = make_prices(world, stream(seed, "prices"))
    promoted = (cut[:, None, :] > 0) & (rng.random(listed.shape) < 0.92)  # a store may sit a promotion out
    price = np.where(promoted, np.round(regular * (1 - cut), 2)[:, None, :], regular[:, None, :])
    change = np.log(price / world.products["price"].to_numpy(dtype=float))
    sensitivity = (taste.price + taste.price_income * z["income"]).to_numpy()[:, None]
    lift = np.exp(sensitivity * change + taste.promotion * promoted)
    sold_out = np.where(rng.random(listed.shape) < taste.stock_out_share, rng.uniform(0.3, 1.0, listed.shape), 0.0)
    attraction = np.where(listed, truth.attraction * lift * (1 - sold_out), 0.0)
    season = 1 + 0.05 * np.cos(2 * np.pi * (np.arange(WEEKS) - 3) / 52)
    expected = truth.occasions * season[:, None] * np.exp(rng.normal(0, 0.03, (WEEKS, len(truth.occasions))))
    units = draw_units(truth, attraction, expected, rng)
    week, store, product = np.nonzero(listed & known_rows(world, rng))
    sales = pd.DataFrame(
        {
            "week": FIRST_WEEK + 7 * week,
            "store_id": np.array(truth.store_ids)[store],
            "product_id": np.array(truth.product_ids)[product],
            "units": units[week, store, product],
            "price": price[week, store, product],
            "promotion": promoted[week, store, product].astype(int),
        }
    )
    return sales.sort_values(["store_id", "product_id", "week"], ignore_index=True)


def draw_units(truth: Truth, attraction: Floats, expected: Floats, rng: np.random.Generator) -> Ints:
    """Units (weeks, S, N) from the attraction (weeks, S, N) of what stood there and the occasions (weeks, S)."""
    units = np.zeros(attraction.shape, dtype=np.int64)
    for week in range(len(attraction)):
        shares = nested_shares(
            attraction[week], truth.nest, no_purchase=truth.no_purchase, dissimilarity=truth.dissimilarity
        )
        everything = np.column_stack([shares, 1 - shares.sum(axis=1)])
        units[week] = rng.multinomial(rng.poisson(expected[week]), everything)[:, :-1]
    return units


def known_rows(world: World, rng: np.random.Generator) -> Mask:
    """Which rows (weeks, S, N) the record still has: lost are weeks before the opening, whole weeks, single rows."""
    known = rng.random((WEEKS, len(world.stores), len(world.products))) >= 0.007
    for s, week in enumerate(opening_week(world.stores)):
        known[:week, s] = False
    for s in rng.choice(len(world.stores), 14, replace=False):
        week = rng.integers(2, WEEKS - 8)
        known[week : week + rng.integers(1, 5), s] = False
    return known


# --- Files -----------------------------------------------------------------------------------------------------------


def write_neighbourhoods(census: Path, target: Path) -> None:
    """Join the simplified coverage and the census columns; coordinates are taken over digit by digit."""
    shutil.copyfile(census / "PySAL_LICENSE.txt", target.parent / "PySAL_LICENSE.txt")
    shapes = json.loads((census / "simplified.geojson").read_text(encoding="utf-8"))
    table = gpd.read_file(census / "sacramentot2.dbf", ignore_geometry=True).set_index("FIPS", drop=False)
    features = []
    for feature in shapes["features"]:
        row = table.loc[feature["properties"]["FIPS"]]
        facts = {name: row[column] if column == "FIPS" else int(row[column]) for column, name in CENSUS_COLUMNS.items()}
        if facts["median_house_value"] in HOUSE_VALUE_UNKNOWN:
            facts["median_house_value"] = None
        features.append({"type": "Feature", "properties": facts, "geometry": feature["geometry"]})
    features.sort(key=lambda feature: feature["properties"]["neighbourhood_id"])
    crs = '{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4269"}}'
    lines = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    target.write_text(f'{{"type":"FeatureCollection","crs":{crs},"features":[\n{lines}\n]}}\n', encoding="utf-8")


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table; the same bytes on every system."""
    frame.to_csv(path, index=False, lineterminator="\n")


def write_parquet(frame: pd.DataFrame, path: Path, types: str) -> None:
    """Write a table in its order with DuckDB; one thread, so that the bytes are the same every time."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("frame", frame)
        target = str(path).replace("'", "''")
        connection.execute(f"COPY (SELECT {types} FROM frame) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def write_offered(truth: Truth, stores: pd.DataFrame, listed: Mask, path: Path) -> None:
    """Write the spells on the shelf; both weeks are inclusive, and nothing stood there before the store opened."""
    opened = opening_week(stores)
    rows = [
        (truth.store_ids[s], truth.product_ids[j], FIRST_WEEK + 7 * max(start, opened[s]), FIRST_WEEK + 7 * end)
        for s, j, start, end in intervals(listed)
        if end >= opened[s]
    ]
    frame = pd.DataFrame(rows, columns=["store_id", "product_id", "from_week", "to_week"])
    write_parquet(frame, path, "store_id, product_id, from_week::DATE AS from_week, to_week::DATE AS to_week")


def write_listing(truth: Truth, today: Mask, path: Path) -> None:
    """Write what stands on the shelves today."""
    s, j = np.nonzero(today)
    frame = {"store_id": np.array(truth.store_ids)[s], "product_id": np.array(truth.product_ids)[j]}
    write_csv(pd.DataFrame(frame), path)


def write_locks(world: World, truth: Truth, today: Mask, path: Path) -> None:
    """Write a few decisions that the category manager made by hand."""
    local = (world.products["origin"] == "local").to_numpy()
    quart = (world.products["size"] == "quart").to_numpy()
    keep, out = np.argwhere(today & local), np.argwhere(~today & quart & world.reach)
    rows = [
        (*keep[0], "in", "The dairy's own farm shop sends people to us."),
        (*keep[-1], "in", "Promised to the dairy until the end of the year."),
        (*out[len(out) // 2], "out", "Tried in spring, too much of it went out of date."),
    ]
    frame = pd.DataFrame(rows, columns=["store_id", "product_id", "lock", "note"])
    frame["store_id"] = np.array(truth.store_ids)[frame["store_id"].astype(int)]
    frame["product_id"] = np.array(truth.product_ids)[frame["product_id"].astype(int)]
    frame.insert(3, "author", "R. Alvarez (made-up)")
    write_csv(frame, path)


def write_truth(truth: Truth, profile: pd.DataFrame, own: Floats, world: World, folder: Path) -> None:
    """Write what only the simulator knows; no stage may read it."""
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(TRUTH_README, encoding="utf-8", newline="\n")
    parameters = json.dumps(asdict(TASTE), indent=1)
    (folder / "parameters.json").write_text(parameters + "\n", encoding="utf-8", newline="\n")
    z = standardised(profile).add_prefix("z_")
    stores = pd.concat([profile, z], axis=1).round(6)
    stores.insert(1, "occasions_per_week", truth.occasions)
    write_csv(stores, folder / "stores.csv")
    kinds = np.unique(world.products["type"])
    products = {"product_id": truth.product_ids, "nest": truth.nest, "type": kinds[truth.nest]}
    write_csv(pd.DataFrame({**products, "margin_per_unit": truth.margin}), folder / "products.csv")
    pairs = pd.MultiIndex.from_product([truth.store_ids, truth.product_ids], names=["store_id", "product_id"])
    values = {"attraction": truth.attraction.ravel(), "store_taste": own.ravel().round(5)}
    write_csv(pd.DataFrame(values, index=pairs).reset_index(), folder / "attraction.csv")


TRUTH_README = """\
What only the simulator knows, for tests. **No stage may read this folder.** See `data/README.md` for the model.
"""

CHAIN_TOML = """\
name = "Valley Grocers (made-up)"
currency = "USD"
crs = "EPSG:4269"  # of the neighbourhoods; stores, suppliers and competitors are longitude and latitude
promotion = ["promotion"]
notes = [
  "Real: the 403 census tracts of the Sacramento area and who lives there (US Census Bureau, Census 2000).",
  "Made up: the chain, its stores, competitors, suppliers, products, prices, shelves and sales.",
  "The sales are simulated from a choice model in which tastes follow income, age and ethnicity (data/README.md).",
]

[tables]
stores = "stores.csv"
shelves = "shelves.csv"
neighbourhoods = "neighbourhoods.geojson"
products = "products.csv"
sales = "sales.parquet"
offered = "offered.parquet"
listing = "listing.csv"
suppliers = "suppliers.csv"
competitors = "competitors.csv"
locks = "locks.csv"

[neighbourhoods]
id = "neighbourhood_id"
counts = [
  "people", "under_16", "over_65", "white", "black", "asian", "hispanic", "multiracial",
  "in_poverty", "poverty_base",
]
source = "US Census Bureau, Census 2000, Summary File 3; outlines simplified"

[neighbourhoods.rates]  # each with the count that weighs it
median_income = "people"
median_house_value = "people"

[neighbourhoods.units]
people = "people"
under_16 = "people"
over_65 = "people"
white = "people"
black = "people"
asian = "people"
hispanic = "people"
multiracial = "people"
in_poverty = "people"
poverty_base = "people"
median_income = "1999 dollars a year"
median_house_value = "dollars"
"""


def make(out: Path, seed: int) -> Truth:
    """Make the whole chain into `out`, where neighbourhoods.geojson must be."""
    world = make_world(gpd.read_file(out / "neighbourhoods.geojson"), seed)
    profile = store_profiles(world, huff_people(world, TASTE))
    z = standardised(profile)
    utility, own = make_utility(world, z, TASTE, stream(seed, "taste"))
    truth = make_truth(world, profile, utility, TASTE)
    listed = make_listings(world, truth, stream(seed, "listings"))
    guess = truth.occasions * np.exp(stream(seed, "shelves").normal(0, 0.03, len(truth.occasions)))
    shelves = pd.DataFrame({"store_id": truth.store_ids, "category": "milk", "shelf_cm": world.shelf_cm})
    shelves["occasions_per_week"] = np.round(guess).astype(int)
    (out / "chain.toml").write_text(CHAIN_TOML, encoding="utf-8", newline="\n")
    for name in ("stores", "competitors", "suppliers", "products"):
        write_csv(getattr(world, name), out / f"{name}.csv")
    write_csv(shelves, out / "shelves.csv")
    write_listing(truth, listed[-1], out / "listing.csv")
    write_locks(world, truth, listed[-1], out / "locks.csv")
    write_offered(truth, world.stores, listed, out / "offered.parquet")
    sales = make_sales(world, truth, listed, z, taste=TASTE, seed=seed)
    types = "week::DATE AS week, store_id, product_id, units::INTEGER AS units, price, promotion::TINYINT AS promotion"
    write_parquet(sales, out / "sales.parquet", types)
    write_truth(truth, profile, own, world, out / "truth")
    return truth


def main() -> None:
    """Read the arguments and make the chain."""
    parser = argparse.ArgumentParser(description="Make the embedded example chain data/sacramento.")
    parser.add_argument("--seed", type=int, default=2000, help="same seed, same bytes (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=HOME, help="folder to write (default: data/sacramento)")
    parser.add_argument("--census", type=Path, help="folder of the PySAL data; makes neighbourhoods.geojson anew")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.census:
        write_neighbourhoods(arguments.census, arguments.out / "neighbourhoods.geojson")
    elif arguments.out.resolve() != HOME:
        shutil.copyfile(HOME / "neighbourhoods.geojson", arguments.out / "neighbourhoods.geojson")
    make(arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
