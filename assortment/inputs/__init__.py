"""What the retailer knows: stores, neighbourhoods, products, sales, households; read and checked."""

from __future__ import annotations

from assortment.inputs.chain import Chain
from assortment.inputs.given import given_frame
from assortment.inputs.neighbourhoods import Neighbourhoods
from assortment.inputs.products import Products
from assortment.inputs.reader import read_chain
from assortment.inputs.sales import Sales
from assortment.inputs.source import Source
from assortment.inputs.stores import Stores
from assortment.inputs.tables import TABLES, Column, Table, tables_markdown

__all__ = [
    "TABLES",
    "Chain",
    "Column",
    "Neighbourhoods",
    "Products",
    "Sales",
    "Source",
    "Stores",
    "Table",
    "given_frame",
    "read_chain",
    "tables_markdown",
]
