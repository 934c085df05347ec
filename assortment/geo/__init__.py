"""Who a store serves: trade areas, and the profiles of those who live in them."""

from assortment.geo.areas import TradeAreas
from assortment.geo.calibration.calibration import calibrate_huff
from assortment.geo.calibration.fit import HuffFit
from assortment.geo.ground.competitors import Competitors
from assortment.geo.methods.catalogue import METHODS, trade_areas
from assortment.geo.methods.chain_areas import chain_areas
from assortment.geo.methods.ring import rings
from assortment.geo.overlap.overlap import Overlap, overlap
from assortment.geo.profiles.income import income_bands
from assortment.geo.profiles.profiles import StoreProfiles, store_profiles
from assortment.geo.sells.area_sales import AreaSales, area_sales
from assortment.geo.sells.area_table import AreaTable
from assortment.geo.shapes import AreaMap, MapShapes, NeighbourhoodShape

__all__ = [
    "METHODS",
    "AreaMap",
    "AreaSales",
    "AreaTable",
    "Competitors",
    "HuffFit",
    "MapShapes",
    "NeighbourhoodShape",
    "Overlap",
    "StoreProfiles",
    "TradeAreas",
    "area_sales",
    "calibrate_huff",
    "chain_areas",
    "income_bands",
    "overlap",
    "rings",
    "store_profiles",
    "trade_areas",
]
