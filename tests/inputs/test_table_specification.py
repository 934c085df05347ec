"""The tables are those of the design, and the documentation is made from them."""

from __future__ import annotations

import pytest

from assortment.inputs import TABLES, tables_markdown

# table: (columns it must have, columns it may have), as the design lists them
DESIGN = {
    "stores": ("store_id name", "longitude latitude x y format cluster size_m2 opened"),
    "shelves": ("store_id category shelf_cm", "occasions_per_week"),
    "neighbourhoods": ("neighbourhood_id geometry", ""),
    "products": (
        "product_id name category price unit_cost width_cm",
        "brand supplier_id status facings pack_size unit pack_units",
    ),
    "prices": ("store_id product_id", "price unit_cost facings"),
    "sales": ("week store_id product_id units", "price"),
    "offered": ("store_id product_id", "from_week to_week"),
    "listing": ("store_id product_id", ""),
    "households": ("household_id", "neighbourhood_id longitude latitude store_id"),
    "baskets": ("household_id product_id units", "week store_id price"),
    "survey": ("product_id respondents chose", ""),
    "suppliers": ("supplier_id name", "longitude latitude delivers_within_km minimum_stores delivery_cost"),
    "competitors": ("longitude latitude", "size_m2"),
    "travel_times": ("store_id neighbourhood_id minutes", ""),
    "flows": ("store_id neighbourhood_id trips", ""),
    "ancillary": ("longitude latitude count", ""),
    "locks": ("store_id product_id lock author note", ""),
}


@pytest.mark.parametrize("name", DESIGN)
def test_each_table_has_the_columns_of_the_design(name: str) -> None:
    """A table declares exactly the columns of the design, and requires exactly those it must have."""
    must, may = (set(names.split()) for names in DESIGN[name])
    columns = {column.name: column.required for column in TABLES[name].columns}
    assert set(columns) == must | may
    assert {column for column, required in columns.items() if required} == must


def test_there_is_no_other_table() -> None:
    """The tables are those of the design, in its order."""
    assert list(TABLES) == list(DESIGN)


def test_the_documentation_names_every_column() -> None:
    """Each table has a section, and each of its columns a line that says what it holds."""
    sections = tables_markdown().split("## ")[1:]
    assert [section.split("\n")[0] for section in sections] == list(TABLES)
    for section, table in zip(sections, TABLES.values(), strict=True):
        for column in table.columns:
            line = next(line for line in section.splitlines() if line.startswith(f"| `{column.name}` |"))
            assert column.expected in line
            assert (line.split("|")[2].strip() == "yes") == column.required
    assert "`<col>_moe`" in tables_markdown()


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_table_refers_only_to_itself_and_to_tables_that_exist(table) -> None:  # type: ignore[no-untyped-def]
    """Keys, order, places, references and defaults of a table name columns and tables that are declared."""
    named = {*table.key, *(name for pair in table.ordered for name in pair)}
    named |= {name for names in table.location for name in names if name != "geometry"}
    named |= {column.default_from for column in table.columns if column.default_from}
    assert named <= set(table.names)
    assert all(column.refers in TABLES for column in table.columns if column.refers)
    assert all(column.choices for column in table.columns if column.kind == "choice")
