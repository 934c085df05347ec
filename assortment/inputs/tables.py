"""What every table of a chain holds, declared once: the checks and the documentation are made from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["id", "text", "number", "whole", "week", "choice", "geometry"]

_KINDS: dict[Kind, str] = {
    "id": "an id (text or a whole number)",
    "text": "text",
    "number": "a number",
    "whole": "a whole number",
    "week": "a week (the ISO date of its Monday, or a whole number)",
    "choice": "one of",
    "geometry": "a geometry",
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name
        Its name in files and frames.
    kind
        What its cells are. Ids and text are kept as text, numbers become ``float64``, whole numbers ``int64``
        (``float64`` with NaN where cells are blank), weeks ``datetime64[us]`` or ``int64`` likewise.
    meaning
        One line for the documentation.
    required
        A file must have the column.
    blank
        A required column may have blank cells. Cells of other columns always may.
    unit
        Unit of a number.
    above, at_least, at_most
        Limits of a number.
    choices
        Values of a ``choice``, in lower case.
    default
        Value of blank cells and of an absent column.
    default_from
        Column that gives the value of blank cells and of an absent column.
    refers
        Table whose key an id must be found in, when the chain has that table.
    besides
        Ids allowed although no table has them.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    blank: bool = False
    unit: str = ""
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    choices: tuple[str, ...] = ()
    default: str | int | None = None
    default_from: str | None = None
    refers: str = ""
    besides: tuple[str, ...] = ()

    @property
    def may_be_blank(self) -> bool:
        """Whether a cell may hold nothing."""
        return self.blank or not self.required

    @property
    def limits(self) -> str:
        """The limits in words, empty when there are none."""
        words = []
        if self.above is not None:
            words.append(f"greater than {self.above:g}")
        if self.at_least is not None:
            words.append(f"at least {self.at_least:g}")
        if self.at_most is not None:
            words.append(f"at most {self.at_most:g}")
        return ", ".join(words)

    @property
    def expected(self) -> str:
        """What a cell should hold, in words, as faults and documentation say it."""
        words = _KINDS[self.kind]
        if self.choices:
            words += " " + ", ".join(self.choices)
        if self.limits:
            words += f", {self.limits}"
        return words + (f", in {self.unit}" if self.unit else "")


@dataclass(frozen=True)
class Table:
    """One table of a chain.

    Parameters
    ----------
    name
        Its name in ``chain.toml``.
    row
        What one row is.
    columns
        Its columns; those with a key column's name first by custom.
    key
        Columns that no two rows share; empty when rows may repeat.
    required
        A chain must have the table.
    empty
        The table may have no rows.
    ordered
        Pairs of columns of which the first may not exceed the second.
    location
        Alternatives of columns of which one must be there, whole, the first found being taken.
    extras
        What columns beyond those declared are for. They are allowed everywhere and kept.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    required: bool = False
    empty: bool = False
    ordered: tuple[tuple[str, str], ...] = ()
    location: tuple[tuple[str, ...], ...] = ()
    extras: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the declared columns."""
        return tuple(column.name for column in self.columns)

    def with_columns(self, columns: Iterable[Column]) -> Table:
        """The same table with further columns, such as the demographic columns that a chain declares."""
        return replace(self, columns=(*self.columns, *columns))

    def without(self, names: Iterable[str]) -> Table:
        """The same table without these columns, also in its key."""
        gone = set(names)
        columns = tuple(column for column in self.columns if column.name not in gone)
        return replace(self, columns=columns, key=tuple(name for name in self.key if name not in gone))

    def requiring(self, names: Iterable[str]) -> Table:
        """The same table with these columns required."""
        wanted = set(names)
        return replace(self, columns=tuple(replace(c, required=True) if c.name in wanted else c for c in self.columns))


_STORE = Column("store_id", "id", "the store", required=True, refers="stores")
_PRODUCT = Column("product_id", "id", "the product", required=True, refers="products")
_NEIGHBOURHOOD = Column("neighbourhood_id", "id", "the neighbourhood", required=True, refers="neighbourhoods")
_LONGITUDE = Column("longitude", "number", "longitude (EPSG:4326)", unit="degrees", at_least=-180, at_most=180)
_LATITUDE = Column("latitude", "number", "latitude (EPSG:4326)", unit="degrees", at_least=-90, at_most=90)
_PRICE_PAID = Column("price", "number", "price paid per unit", unit="currency", at_least=0)
_UNITS = Column("units", "number", "units sold", required=True, unit="units", at_least=0)
_FACINGS = Column("facings", "whole", "facings side by side on the shelf", at_least=1)

_ALL = (
    Table(
        "stores",
        "store",
        (
            Column("store_id", "id", "the store", required=True),
            Column("name", "text", "name on reports", required=True, blank=True, default_from="store_id"),
            _LONGITUDE,
            _LATITUDE,
            Column("x", "number", "easting in the chain's CRS, where there is no longitude"),
            Column("y", "number", "northing in the chain's CRS, where there is no latitude"),
            Column("format", "text", "format of the store"),
            Column("cluster", "text", "cluster the retailer puts it in"),
            Column("size_m2", "number", "sales area", unit="m²", above=0),
            Column("opened", "text", "date or year of opening"),
        ),
        key=("store_id",),
        required=True,
        location=(("geometry",), ("longitude", "latitude"), ("x", "y")),
        extras="may serve as attractiveness of a store or to group stores",
    ),
    Table(
        "shelves",
        "store × category",
        (
            _STORE,
            Column("category", "text", "the category, as products name it", required=True),
            Column("shelf_cm", "number", "length of shelf", required=True, unit="cm", above=0),
            Column(
                "occasions_per_week", "number", "shoppers who choose in the category", unit="occasions a week", above=0
            ),
        ),
        key=("store_id", "category"),
        required=True,
    ),
    Table(
        "neighbourhoods",
        "polygon",
        (
            Column("neighbourhood_id", "id", "the neighbourhood", required=True),
            Column("geometry", "geometry", "polygon or multipolygon with a CRS", required=True),
        ),
        key=("neighbourhood_id",),
        required=True,
        extras="demographic columns; those used are declared as counts or rates; margins of error as `<col>_moe`",
    ),
    Table(
        "products",
        "product",
        (
            Column("product_id", "id", "the product", required=True),
            Column("name", "text", "name on reports", required=True, blank=True, default_from="product_id"),
            Column("category", "text", "the category", required=True, default=""),
            Column("price", "number", "regular price per unit", required=True, unit="currency", above=0),
            Column("unit_cost", "number", "cost per unit", required=True, unit="currency", at_least=0),
            Column("width_cm", "number", "width of one facing", required=True, unit="cm", above=0),
            Column("brand", "text", "the brand; also an attribute"),
            Column("supplier_id", "id", "who delivers it", refers="suppliers"),
            Column(
                "status",
                "choice",
                "must: in every store; never: in none",
                choices=("must", "may", "never"),
                default="may",
            ),
            replace(_FACINGS, default=1),
            Column("pack_size", "number", "content of a pack", above=0),
            Column("unit", "text", "unit of the content"),
            Column("pack_units", "number", "packs sold together", above=0),
        ),
        key=("product_id",),
        required=True,
        extras="attributes that people may prefer or avoid, text or number",
    ),
    Table(
        "prices",
        "store × product",
        (
            _STORE,
            _PRODUCT,
            Column("price", "number", "regular price there, where it differs", unit="currency", above=0),
            Column("unit_cost", "number", "cost there, where it differs", unit="currency", at_least=0),
            replace(_FACINGS, meaning="facings there, where they differ"),
        ),
        key=("store_id", "product_id"),
        empty=True,
    ),
    Table(
        "sales",
        "week × store × product",
        (
            Column("week", "week", "the week", required=True),
            _STORE,
            _PRODUCT,
            _UNITS,
            _PRICE_PAID,
        ),
        key=("week", "store_id", "product_id"),
        extras="promotion columns are numbers and are named in `promotion`",
    ),
    Table(
        "offered",
        "store × product (× week)",
        (
            _STORE,
            _PRODUCT,
            Column("from_week", "week", "first week on offer; blank: since ever"),
            Column("to_week", "week", "last week on offer; blank: until now"),
        ),
        key=("store_id", "product_id", "from_week"),
        ordered=(("from_week", "to_week"),),
    ),
    Table("listing", "store × product on the shelf today", (_STORE, _PRODUCT), key=("store_id", "product_id")),
    Table(
        "households",
        "loyalty card",
        (
            Column("household_id", "id", "the household", required=True),
            Column("neighbourhood_id", "id", "where it lives"),
            replace(_LONGITUDE, meaning="longitude of the home"),
            replace(_LATITUDE, meaning="latitude of the home"),
            replace(_STORE, required=False, meaning="its usual store"),
        ),
        key=("household_id",),
        extras="demographic columns",
    ),
    Table(
        "baskets",
        "household × week × product",
        (
            Column("household_id", "id", "the household", required=True, refers="households"),
            _PRODUCT,
            replace(_UNITS, meaning="units bought"),
            Column("week", "week", "the week"),
            replace(_STORE, required=False),
            _PRICE_PAID,
        ),
    ),
    Table(
        "survey",
        "respondent group × product",
        (
            _PRODUCT,
            Column("respondents", "number", "people asked in the group", required=True, unit="people", above=0),
            Column("chose", "number", "of them, who chose the product", required=True, unit="people", at_least=0),
        ),
        ordered=(("chose", "respondents"),),
        extras="columns that tell the groups apart, such as a segment, or store_id for where they were asked; "
        "price, where it was not the regular one",
    ),
    Table(
        "suppliers",
        "supplier",
        (
            Column("supplier_id", "id", "the supplier", required=True),
            Column("name", "text", "name on reports", required=True, blank=True, default_from="supplier_id"),
            _LONGITUDE,
            _LATITUDE,
            Column("delivers_within_km", "number", "how far it delivers; blank: anywhere", unit="km", above=0),
            Column("minimum_stores", "whole", "fewest stores it delivers to", unit="stores", at_least=1, default=1),
            Column(
                "delivery_cost",
                "number",
                "what delivering to a store costs; blank: as the scenario says",
                unit="currency a week",
                at_least=0,
            ),
        ),
        key=("supplier_id",),
        empty=True,
    ),
    Table(
        "competitors",
        "rival store",
        (
            replace(_LONGITUDE, required=True),
            replace(_LATITUDE, required=True),
            Column("size_m2", "number", "sales area", unit="m²", above=0),
        ),
        empty=True,
    ),
    Table(
        "travel_times",
        "store × neighbourhood within reach",
        (
            _STORE,
            _NEIGHBOURHOOD,
            Column("minutes", "number", "time from there to the store", required=True, unit="minutes", at_least=0),
        ),
        key=("store_id", "neighbourhood_id"),
    ),
    Table(
        "flows",
        "store × neighbourhood",
        (
            _STORE,
            _NEIGHBOURHOOD,
            Column("trips", "number", "trips from there to the store", required=True, unit="trips", at_least=0),
        ),
        key=("store_id", "neighbourhood_id"),
    ),
    Table(
        "ancillary",
        "point where people live, such as a dwelling or the middle of a block",
        (
            replace(_LONGITUDE, required=True),
            replace(_LATITUDE, required=True),
            Column("count", "number", "how many live there: people or dwellings", required=True, at_least=0, default=1),
        ),
    ),
    Table(
        "locks",
        "store × product",
        (
            replace(_STORE, meaning="the store, or * for all", besides=("*",)),
            _PRODUCT,
            Column("lock", "choice", "in: must be carried; out: must not", required=True, choices=("in", "out")),
            Column("author", "text", "who decided", required=True, blank=True, default=""),
            Column("note", "text", "why", required=True, blank=True, default=""),
        ),
        key=("store_id", "product_id", "lock"),
        empty=True,
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL}


def tables_markdown(tables: Iterable[Table] = _ALL) -> str:
    """The documentation of the tables.

    Parameters
    ----------
    tables
        Which; default: all, in the order of the design.

    Returns
    -------
    str
        Markdown, one section for each table.
    """
    return "\n".join(_section(table) for table in tables)


def _section(table: Table) -> str:
    lines = [f"## {table.name}", "", f"One row per {table.row}."]
    if table.key:
        lines[-1] += f" No two rows share {', '.join(f'`{name}`' for name in table.key)}."
    if table.location:
        alternatives = " or ".join(" and ".join(f"`{name}`" for name in names) for names in table.location)
        lines[-1] += f" The place is {alternatives}."
    lines += ["", "| column | must | holds | when blank | meaning |", "|---|---|---|---|---|"]
    lines += [_line(column) for column in table.columns]
    if table.extras:
        lines += ["", f"Further columns: {table.extras}."]
    return "\n".join([*lines, ""])


def _line(column: Column) -> str:
    blank = "unknown" if column.may_be_blank else "not allowed"
    if column.default_from:
        blank = f"`{column.default_from}`"
    elif column.default is not None and column.may_be_blank:
        blank = f"`{column.default}`" if column.default != "" else "no text"
    meaning = column.meaning + (f"; one of `{column.refers}`" if column.refers else "")
    return f"| `{column.name}` | {'yes' if column.required else ''} | {column.expected} | {blank} | {meaning} |"
