"""The example chain is what `data/README.md` says, and its maker gives the same bytes every time."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from types import ModuleType

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[2] / "data"
CHAIN = DATA / "sacramento"
TEXT = {"store_id": str, "product_id": str, "supplier_id": str}


def made(simulator: ModuleType, folder: Path, seed: int) -> Path:
    folder.mkdir()
    (folder / "neighbourhoods.geojson").write_bytes((CHAIN / "neighbourhoods.geojson").read_bytes())
    simulator.make(folder, seed)
    return folder


@pytest.fixture(scope="module")
def again(simulator: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(simulator, tmp_path_factory.mktemp("sacramento") / "again", 2000)


def table(name: str, folder: Path = CHAIN) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", dtype=TEXT)


def parquet(name: str, folder: Path = CHAIN) -> pd.DataFrame:
    return duckdb.read_parquet(str(folder / f"{name}.parquet")).df()


@pytest.fixture(scope="module")
def stores() -> pd.DataFrame:
    return table("stores").merge(table("shelves"), on="store_id")


@pytest.fixture(scope="module")
def products() -> pd.DataFrame:
    return table("products")


@pytest.fixture(scope="module")
def listed(products: pd.DataFrame) -> pd.DataFrame:
    return table("listing").merge(products, on="product_id")


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    return parquet("sales")


@pytest.fixture(scope="module")
def tracts() -> gpd.GeoDataFrame:
    return gpd.read_file(CHAIN / "neighbourhoods.geojson")


@pytest.fixture(scope="module")
def today(simulator: ModuleType) -> NDArray[np.bool_]:
    truth = simulator.read_truth()
    listing = table("listing").assign(carried=True).pivot(index="store_id", columns="product_id", values="carried")
    return listing.reindex(index=truth.store_ids, columns=truth.product_ids).notna().to_numpy()


def store_listing(stores: pd.DataFrame, carried: pd.Series) -> pd.Series:
    return carried.reindex(stores["store_id"]).fillna(0)


class TestMaking:
    def test_same_seed_same_bytes(self, simulator: ModuleType, again: Path, tmp_path: Path) -> None:
        """Two runs with one seed write the same files, byte by byte."""
        twin = made(simulator, tmp_path / "twin", 2000)
        names = sorted(str(path.relative_to(again)) for path in again.rglob("*") if path.is_file())
        assert names == sorted(str(path.relative_to(twin)) for path in twin.rglob("*") if path.is_file())
        assert [name for name in names if (again / name).read_bytes() != (twin / name).read_bytes()] == []

    def test_another_seed_makes_another_chain(self, simulator: ModuleType, tmp_path: Path) -> None:
        """Another seed moves the stores, and the chain still has 40 of them with a listing each."""
        other = made(simulator, tmp_path / "other", 1)
        assert (table("stores", other)["latitude"] != table("stores")["latitude"]).all()
        assert table("listing", other)["store_id"].nunique() == 40

    @pytest.mark.parametrize(
        "name", ["stores", "shelves", "products", "suppliers", "competitors", "listing", "locks", "truth/attraction"]
    )
    def test_the_tables_beside_the_script_are_the_ones_it_makes(self, again: Path, name: str) -> None:
        """A CSV of the repository equals the one that the script makes."""
        pd.testing.assert_frame_equal(table(name), table(name, again))

    @pytest.mark.parametrize("name", ["sales", "offered"])
    def test_the_records_beside_the_script_are_the_ones_it_makes(self, again: Path, name: str) -> None:
        """A Parquet table of the repository equals the one that the script makes."""
        pd.testing.assert_frame_equal(parquet(name), parquet(name, again))

    @pytest.mark.parametrize("name", ["chain.toml", "truth/parameters.json", "truth/README.md"])
    def test_the_texts_beside_the_script_are_the_ones_it_writes(self, again: Path, name: str) -> None:
        """chain.toml and the parameters of the repository equal those that the script writes."""
        assert (CHAIN / name).read_text(encoding="utf-8") == (again / name).read_text(encoding="utf-8")


class TestNeighbourhoods:
    def test_it_is_a_valid_coverage_of_all_tracts(self, tracts: gpd.GeoDataFrame) -> None:
        """403 valid polygons, NAD83, without gaps or overlaps, in a file under 1 MB."""
        assert (CHAIN / "neighbourhoods.geojson").stat().st_size < 1_000_000
        assert tracts.crs.to_epsg() == 4269
        assert len(tracts) == 403
        assert tracts.is_valid.all()
        assert shapely.coverage_is_valid(tracts.geometry.to_numpy())
        whole = tracts.union_all()
        assert whole.geom_type == "Polygon"
        assert len(whole.interiors) == 0

    def test_the_people_are_all_there(self, tracts: gpd.GeoDataFrame) -> None:
        """The population is that of the census, and no part of it exceeds it."""
        assert tracts["people"].sum() == 1_796_857
        parts = ["under_16", "over_65", "white", "black", "asian", "hispanic", "multiracial", "poverty_base"]
        assert (tracts[parts].le(tracts["people"], axis=0)).all(axis=None)
        assert (tracts["in_poverty"] <= tracts["poverty_base"]).all()

    def test_ids_are_fips_codes_as_text(self, tracts: gpd.GeoDataFrame) -> None:
        """Every id has the leading zero of California and occurs once."""
        assert tracts["neighbourhood_id"].is_unique
        assert tracts["neighbourhood_id"].str.fullmatch(r"06\d{9}").all()

    def test_sentinels_are_unknown(self, tracts: gpd.GeoDataFrame) -> None:
        """House values of 0 and 1,000,001 mean unknown."""
        assert tracts["median_house_value"].isna().sum() == 4
        assert tracts["median_house_value"].dropna().between(1, 1_000_000).all()

    def test_a_house_value_that_the_census_does_not_give_is_null(self, simulator: ModuleType, tmp_path: Path) -> None:
        """Making the file from census columns keeps the coordinates and turns the two sentinels into null."""
        square = {"type": "Polygon", "coordinates": [[[0.1, 0], [1, 0], [1, 1.00001], [0.1, 0]]]}
        ids, values = ("06067000002", "06067000001", "06067000003"), (0, 1_000_001, 90_000)
        features = [{"type": "Feature", "properties": {"FIPS": name}, "geometry": square} for name in ids]
        (tmp_path / "simplified.geojson").write_text(json.dumps({"features": features}))
        (tmp_path / "PySAL_LICENSE.txt").write_text("licence")
        counts = dict.fromkeys(simulator.CENSUS_COLUMNS, 5)
        rows = pd.DataFrame([counts | {"FIPS": i, "HSG_VAL": v} for i, v in zip(ids, values, strict=True)])
        gpd.GeoDataFrame(rows, geometry=[shapely.Point(0, 0)] * 3, crs=4269).to_file(tmp_path / "sacramentot2.shp")
        (tmp_path / "out").mkdir()
        simulator.write_neighbourhoods(tmp_path, tmp_path / "out" / "neighbourhoods.geojson")
        written = json.loads((tmp_path / "out" / "neighbourhoods.geojson").read_text())["features"]
        found = {f["properties"]["neighbourhood_id"]: f["properties"]["median_house_value"] for f in written}
        assert found == {"06067000001": None, "06067000002": None, "06067000003": 90_000}
        assert list(found) == sorted(found)
        assert all(feature["geometry"] == square for feature in written)


class TestChain:
    def test_the_facts(self, stores: pd.DataFrame, products: pd.DataFrame, sales: pd.DataFrame) -> None:
        """40 stores of three formats, 60 products with leading zeros, 78 weeks from Monday to Monday."""
        assert len(stores) == stores["store_id"].nunique() == stores["name"].nunique() == 40
        assert set(stores["format"]) == {"small", "medium", "large"}
        assert len(products) == products["name"].nunique() == 60
        assert products["product_id"].str.fullmatch(r"00\d\d").all()
        assert products["status"].value_counts().to_dict() == {"may": 58, "must": 1, "never": 1}
        assert sales["week"].nunique() == 78
        assert (sales["week"].dt.day_of_week == 0).all()

    def test_chain_toml_names_the_tables_and_says_what_is_made_up(self) -> None:
        """Every table named exists, counts and rates are columns, and the notes tell real from made up."""
        chain = tomllib.loads((CHAIN / "chain.toml").read_text(encoding="utf-8"))
        assert all((CHAIN / name).is_file() for name in chain["tables"].values())
        columns = json.loads((CHAIN / "neighbourhoods.geojson").read_text())["features"][0]["properties"]
        named = {chain["neighbourhoods"]["id"], *chain["neighbourhoods"]["counts"], *chain["neighbourhoods"]["rates"]}
        assert named == set(columns)
        assert "made-up" in chain["name"]
        assert [note.split(":")[0] for note in chain["notes"][:2]] == ["Real", "Made up"]

    def test_every_store_lies_in_a_tract_and_none_on_another(
        self, simulator: ModuleType, stores: pd.DataFrame, tracts: gpd.GeoDataFrame
    ) -> None:
        """Stores stand inside the region, 2.4 km apart at least."""
        points = gpd.points_from_xy(stores["longitude"], stores["latitude"])
        assert shapely.contains(tracts.union_all(), points).all()
        places = simulator.metres(stores["longitude"].to_numpy(), stores["latitude"].to_numpy())
        apart = simulator.distances(places, places) + np.where(np.eye(len(places)), np.inf, 0)
        assert apart.min() >= 2400

    def test_each_local_dairy_reaches_a_part_of_the_stores(self, simulator: ModuleType, stores: pd.DataFrame) -> None:
        """Four dairies, each within reach of 8 to 30 stores, no store so near the limit that the map decides."""
        dairies = table("suppliers").dropna(subset="delivers_within_km")
        places = simulator.metres(stores["longitude"].to_numpy(), stores["latitude"].to_numpy())
        homes = simulator.metres(dairies["longitude"].to_numpy(), dairies["latitude"].to_numpy())
        part = simulator.distances(places, homes) / (1000 * dairies["delivers_within_km"].to_numpy())
        reached = (part <= 1).sum(axis=0)
        assert len(dairies) == 4
        assert reached.min() >= 8
        assert reached.max() <= 30
        assert np.abs(part - 1).min() > 0.01

    def test_money_makes_sense(self, products: pd.DataFrame) -> None:
        """Every product leaves a margin of 15 to 50 % of its price."""
        assert (1 - products["unit_cost"] / products["price"]).between(0.15, 0.5).all()

    def test_a_core_of_ten_fits_the_smallest_store(self, stores: pd.DataFrame, products: pd.DataFrame) -> None:
        """Even ten gallons side by side leave room on the smallest shelf."""
        space = products["width_cm"] * products["facings"]
        assert 10 * space[products["size"] == "gallon"].median() < 0.8 * stores["shelf_cm"].min()


class TestListing:
    def test_it_fits_the_shelf_and_uses_it(self, stores: pd.DataFrame, listed: pd.DataFrame) -> None:
        """Between 95 % and all of each shelf is taken."""
        space = (listed["width_cm"] * listed["facings"]).groupby(listed["store_id"]).sum()
        used = store_listing(stores, space).to_numpy() / stores["shelf_cm"].to_numpy()
        assert used.max() <= 1
        assert used.min() >= 0.95

    def test_formats_hold_from_18_to_40_products(self, stores: pd.DataFrame, listed: pd.DataFrame) -> None:
        """A small store holds about 18 of the 60 products, a large one almost 40."""
        count = store_listing(stores, listed.groupby("store_id").size())
        mean = pd.Series(count.to_numpy()).groupby(stores["format"].to_numpy()).mean()
        assert 17 <= mean["small"] <= 20
        assert mean["small"] < mean["medium"] < mean["large"]
        assert 35 <= mean["large"] <= 41

    def test_it_obeys_status_and_covers_each_type(self, listed: pd.DataFrame, products: pd.DataFrame) -> None:
        """Must stands everywhere, never nowhere, and every store has each of the seven types."""
        status = listed["status"].value_counts()
        assert status["must"] == 40
        assert "never" not in status
        assert (listed.groupby("store_id")["type"].nunique() == products["type"].nunique()).all()

    def test_it_obeys_the_reach_of_the_dairies(
        self, simulator: ModuleType, stores: pd.DataFrame, products: pd.DataFrame, today: NDArray[np.bool_]
    ) -> None:
        """No store lists a product that its dairy cannot bring, and each dairy has its least number of stores."""
        suppliers = table("suppliers")
        assert not (today & ~simulator.supplier_reach(stores, suppliers, products)).any()
        for dairy in suppliers.dropna(subset="minimum_stores").itertuples():
            served = today[:, (products["supplier_id"] == dairy.supplier_id).to_numpy()].any(axis=1)
            assert served.sum() >= dairy.minimum_stores

    def test_locks_can_be_kept(self, simulator: ModuleType, stores: pd.DataFrame, products: pd.DataFrame) -> None:
        """No lock asks for a product that cannot come, and each has an author and a note."""
        locks = table("locks")
        reach = pd.DataFrame(
            simulator.supplier_reach(stores, table("suppliers"), products), stores["store_id"], products["product_id"]
        )
        wanted = locks[locks["lock"] == "in"]
        assert all(reach.loc[row.store_id, row.product_id] for row in wanted.itertuples())
        assert locks.notna().all(axis=None)


class TestSales:
    def test_only_what_was_offered_was_sold(self, sales: pd.DataFrame) -> None:
        """Each row lies in exactly one spell of its product on that shelf."""
        spells = duckdb.read_parquet(str(CHAIN / "offered.parquet"))
        hits = duckdb.sql(
            "SELECT count(*) AS n FROM sales JOIN spells ON sales.store_id = spells.store_id "
            "AND sales.product_id = spells.product_id AND week BETWEEN from_week AND to_week"
        ).fetchall()
        assert spells.columns == ["store_id", "product_id", "from_week", "to_week"]
        assert hits == [(len(sales),)]

    def test_what_is_offered_in_the_last_week_is_the_listing(self, sales: pd.DataFrame) -> None:
        """Today's listing is what stood there in the last week."""
        offered = parquet("offered")
        last = offered.loc[offered["to_week"] == sales["week"].max(), ["store_id", "product_id"]]
        pairs = sorted(map(tuple, last.to_numpy()))
        assert pairs == sorted(map(tuple, table("listing").to_numpy()))

    def test_there_is_at_most_one_row_per_week_store_and_product(self, sales: pd.DataFrame) -> None:
        """No row occurs twice; units are counts, zero among them; prices are above zero."""
        assert not sales.duplicated(["week", "store_id", "product_id"]).any()
        assert sales["units"].min() == 0
        assert sales["price"].min() > 0

    def test_the_record_has_gaps(self, sales: pd.DataFrame) -> None:
        """Some stores lack weeks, and some rows of offered products are missing."""
        weeks = sales.groupby("store_id")["week"].nunique()
        assert 20 <= (weeks == 78).sum() < 40
        offered = parquet("offered")
        length = ((offered["to_week"] - offered["from_week"]).dt.days // 7 + 1).sum()
        assert 0.005 < 1 - len(sales) / length < 0.03

    def test_promotions_lower_the_price_and_sell_more(self, sales: pd.DataFrame) -> None:
        """In a promotion the price is 15 to 30 % off on average, and a product sells more than usual."""
        mean = sales.groupby(["product_id", "promotion"])[["price", "units"]].mean().unstack()
        assert (mean["price"][1] / mean["price"][0]).dropna().between(0.65, 0.9).all()
        assert (mean["units"][1] / mean["units"][0]).dropna().median() > 1.5

    def test_regular_prices_move_and_end_at_todays(self, sales: pd.DataFrame, products: pd.DataFrame) -> None:
        """Most products change their regular price; the last one is that of the product table."""
        regular = sales[sales["promotion"] == 0]
        assert (regular.groupby("product_id")["price"].nunique() > 1).mean() > 0.7
        latest = regular[regular["week"] == regular["week"].max()].merge(products, on="product_id")
        assert len(latest) > 900
        assert (latest["price_x"] == latest["price_y"]).all()

    def test_products_come_and_go(self, sales: pd.DataFrame) -> None:
        """One product was never sold, one left before the end, three came after the beginning."""
        weeks = sales.groupby("product_id")["week"].agg(["min", "max"])
        assert len(weeks) == 59
        assert (weeks["max"] < sales["week"].max()).sum() == 1
        assert (weeks["min"] > sales["week"].min()).sum() >= 3

    @pytest.mark.parametrize(
        ("kind", "demographic", "sign"),
        [
            ("organic=yes", "income", 1),
            ("type=plant based", "income", 1),
            ("origin=private", "income", -1),
            ("type=lactose free", "asian", 1),
            ("type=lactose free", "hispanic", 1),
            ("size=gallon", "under_16", 1),
            ("size=quart", "over_65", 1),
        ],
    )
    def test_demographics_show(
        self, sales: pd.DataFrame, products: pd.DataFrame, *, kind: str, demographic: str, sign: int
    ) -> None:
        """Units per listed product, against the other products of a store, follow the demographics of its people."""
        attribute, value = kind.split("=")
        rows = sales.merge(products[["product_id", attribute]], on="product_id")
        mean = rows.groupby(["store_id", rows[attribute] == value])["units"].mean().unstack()
        profile = pd.read_csv(CHAIN / "truth" / "stores.csv", index_col="store_id")[demographic]
        lift = np.log(mean[True] / mean[False])
        assert sign * np.corrcoef(lift, profile.reindex(lift.index))[0, 1] > 0.4


class TestTruth:
    def test_units_and_walk_away_are_the_occasions(self, simulator: ModuleType, today: NDArray[np.bool_]) -> None:
        """At today's listing 8 to 15 % of the chain's occasions, 5 to 25 % of a store's, end without a purchase."""
        truth = simulator.read_truth()
        units = simulator.true_units(truth, today)
        assert (units[~today] == 0).all()
        assert (units[today] > 0).all()
        walk_away = 1 - units.sum(axis=1) / truth.occasions
        assert walk_away.min() > 0.05
        assert walk_away.max() < 0.25
        assert 0.08 < 1 - units.sum() / truth.occasions.sum() < 0.15

    def test_a_store_that_carries_nothing_sells_nothing(self, simulator: ModuleType) -> None:
        """An empty shelf has no units and no margin."""
        truth = simulator.read_truth()
        nothing = np.zeros(truth.attraction.shape, dtype=bool)
        assert simulator.true_units(truth, nothing).sum() == 0
        assert simulator.true_margin(truth, nothing).sum() == 0

    def test_it_is_a_plain_logit_when_the_nests_do_not_bind(self, simulator: ModuleType) -> None:
        """With dissimilarity 1 the shares are attraction over the sum of attractions and no-purchase."""
        attraction = np.array([[2.0, 1.0, 0.0, 4.0]])
        shares = simulator.nested_shares(attraction, np.array([0, 0, 1, 1]), no_purchase=3.0, dissimilarity=1.0)
        np.testing.assert_allclose(shares, attraction / 10)

    def test_a_lost_product_hands_more_to_its_own_type(self, simulator: ModuleType, today: NDArray[np.bool_]) -> None:
        """Taking a product out raises the others, and those of its type by the larger factor; no one is created."""
        truth = simulator.read_truth()
        j = int(np.flatnonzero(today.all(axis=0))[0])
        without = today.copy()
        without[:, j] = False
        before, after = simulator.true_units(truth, today), simulator.true_units(truth, without)
        assert (after.sum(axis=1) < before.sum(axis=1)).all()
        same = truth.nest == truth.nest[j]
        kin = after[:, same].sum(axis=1) / (before[:, same].sum(axis=1) - before[:, j])
        others = after[:, ~same].sum(axis=1) / before[:, ~same].sum(axis=1)
        several = (today & same).sum(axis=1) > 1
        assert several.sum() > 30
        assert (kin[several] > others[several]).all()
        assert (others > 1).all()

    def test_the_record_agrees_with_the_truth(
        self, simulator: ModuleType, sales: pd.DataFrame, today: NDArray[np.bool_]
    ) -> None:
        """In the last quarter a store sold within 12 % of what the truth expects of today's listing, all in all."""
        truth = simulator.read_truth()
        recent = sales[sales["week"] > sales["week"].max() - pd.Timedelta(weeks=13)]
        sold = recent.groupby(["store_id", "week"])["units"].sum().groupby("store_id").mean()
        expected = simulator.true_units(truth, today).sum(axis=1)
        np.testing.assert_allclose(sold.reindex(truth.store_ids), expected, rtol=0.12)

    def test_the_retailer_knows_the_occasions_with_an_error(self, simulator: ModuleType) -> None:
        """What the shelf table says is off by about 3 %, and never by more than 12 %."""
        error = table("shelves")["occasions_per_week"].to_numpy() / simulator.read_truth().occasions - 1
        assert 0.015 < error.std() < 0.045
        assert np.abs(error).max() < 0.12

    def test_the_readme_says_that_no_stage_may_read_it(self) -> None:
        """Whoever opens the folder of the truth is told to keep out of it."""
        assert "No stage may read" in (CHAIN / "truth" / "README.md").read_text(encoding="utf-8")
