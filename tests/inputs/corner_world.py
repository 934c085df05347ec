"""Corner: a chain of three stores in four square blocks, small enough to know by heart."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
from shapely.geometry import box

TOML = """
name = "Corner"
currency = "EUR"
promotion = ["promotion"]
notes = ["Made up."]

[tables]
stores = "stores.csv"
shelves = "shelves.csv"
neighbourhoods = "neighbourhoods.geojson"
products = "products.csv"
sales = "sales.csv"
listing = "listing.csv"
suppliers = "suppliers.csv"
locks = "locks.csv"

[neighbourhoods]
counts = ["people"]

[neighbourhoods.rates]
median_income = "people"
"""
STORES = """store_id,name,longitude,latitude,format
01,North,-121.5,38.5,small
02,South,-121.4,38.4,large
03,East,-121.3,38.5,small
"""
SHELVES = """store_id,category,shelf_cm
01,milk,200
02,milk,400
03,milk,250
"""
PRODUCTS = """product_id,name,category,price,unit_cost,width_cm,brand,supplier_id,fat_percent,zip
0001,Whole,milk,2.50,1.50,10,Meadow,A,3.5,01234
0002,Skim,milk,2.40,1.40,10,Meadow,A,0.1,01234
0003,Oat,milk,3.10,2.00,9,Field,B,,98765
0004,Cheddar,cheese,5.00,3.00,12,Meadow,A,33,98765
"""
SALES = """week,store_id,product_id,units,price,promotion
2024-01-01,01,0001,12,2.50,0
2024-01-01,01,0002,7,2.40,1
2024-01-01,02,0001,20,2.50,
2024-01-08,02,0003,4,3.10,0
2024-01-08,03,0004,3,5.00,0
"""
LISTING = """store_id,product_id
01,0001
01,0002
02,0001
02,0003
03,0004
"""
SUPPLIERS = """supplier_id,name,longitude,latitude,delivers_within_km,minimum_stores
A,Meadow Dairy,,,,
B,Field,-121.5,38.6,40,2
"""
LOCKS = """store_id,product_id,lock,author,note
*,0001,in,Ada,staple
03,0003,out,Ada,
"""


def blocks() -> gpd.GeoDataFrame:
    """Four square blocks of 0.1 degrees."""
    return gpd.GeoDataFrame(
        {
            "neighbourhood_id": ["001", "002", "003", "004"],
            "people": [100.0, 200.0, 300.0, None],
            "median_income": [30_000.0, 50_000.0, None, 70_000.0],
        },
        geometry=[box(x, 38.4, x + 0.1, 38.5) for x in (-121.6, -121.5, -121.4, -121.3)],
        crs="EPSG:4326",
    )


@dataclass
class Corner:
    """The files of the chain; a test plants its faults in them before it writes them."""

    folder: Path
    toml: str = TOML
    tables: dict[str, str] = field(
        default_factory=lambda: {
            "stores.csv": STORES,
            "shelves.csv": SHELVES,
            "products.csv": PRODUCTS,
            "sales.csv": SALES,
            "listing.csv": LISTING,
            "suppliers.csv": SUPPLIERS,
            "locks.csv": LOCKS,
            "neighbourhoods.geojson": json.dumps(json.loads(blocks().to_json())),
        }
    )

    def plant(self, file: str, old: str, new: str) -> None:
        """Replace the one place where ``old`` stands."""
        assert self.tables[file].count(old) == 1, (file, old)
        self.tables[file] = self.tables[file].replace(old, new)

    def write(self) -> Path:
        """Write the files and give their folder."""
        (self.folder / "chain.toml").write_text(self.toml, encoding="utf-8")
        for name, text in self.tables.items():
            (self.folder / name).write_text(text, encoding="utf-8", newline="")
        return self.folder
