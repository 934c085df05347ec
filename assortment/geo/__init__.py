"""Who a store serves: trade areas, and the profiles of those who live in them."""

from assortment.geo.areas import TradeAreas
from assortment.geo.competitors import Competitors
from assortment.geo.income import income_bands
from assortment.geo.methods import METHODS, trade_areas
from assortment.geo.profiles import StoreProfiles, store_profiles
from assortment.geo.shapes import AreaMap, MapShapes, NeighbourhoodShape

__all__ = [
    "METHODS",
    "AreaMap",
    "Competitors",
    "MapShapes",
    "NeighbourhoodShape",
    "StoreProfiles",
    "TradeAreas",
    "income_bands",
    "store_profiles",
    "trade_areas",
]
