"""chain.toml: unknown keys, wrong values and broken lines are told with their line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from corner_world import Corner

from assortment.errors import Fault
from assortment.inputs import read_chain

Faults = Callable[..., tuple[Fault, ...]]


@pytest.mark.parametrize(
    ("change", "place", "expected"),
    [
        (("currency =", "curency ="), (3, "curency"), "'currency'"),
        (("counts =", "count ="), (18, "neighbourhoods.count"), "'counts'"),
        (("[neighbourhoods]", "[neighborhoods]"), (17, "neighborhoods"), "'neighbourhoods'"),
        (("shelves =", "shelfs ="), (9, "tables.shelfs"), "'shelves'"),
        (('name = "Corner"', "name = 3"), (2, "name"), "string"),
        (('name = "Corner"', ""), (None, "name"), "the key name"),
        (("EUR", "eur"), (3, "currency"), "ISO 4217"),
        (("EUR", "EUR' "), (3, "currency"), "ISO 4217"),
        (("currency", 'crs = "EPSG:0"\ncurrency'), (3, "crs"), "PROJ"),
        (('"Corner"', "Corner"), (2, None), "valid TOML"),
        (('"Corner"', '"Corner'), (2, None), "valid TOML"),
        (("[tables]", "[[tables]]"), (7, "tables"), "dictionary"),
    ],
)
def test_each_fault_of_the_settings_has_its_line(
    corner: Corner, faults_of: Faults, change: tuple[str, str], place: tuple[int | None, str | None], expected: str
) -> None:
    """A fault of chain.toml names the file, the line where it is known, the key, and the nearest known key."""
    corner.toml = corner.toml.replace(*change)
    faults = [fault for fault in faults_of(read_chain, corner.write()) if (fault.row, fault.column) == place]
    assert len(faults) == 1
    assert faults[0].file.endswith("chain.toml")
    assert expected in faults[0].expected


def test_all_faults_of_the_settings_are_told_together(corner: Corner, faults_of: Faults) -> None:
    """An unknown key, an unknown table and a wrong value come in one go."""
    corner.toml = corner.toml.replace("currency", "curency").replace("shelves =", "shelfs =").replace('"Corner"', "3")
    assert len(faults_of(read_chain, corner.write())) == 3


def test_a_folder_without_settings_is_told(corner: Corner, faults_of: Faults) -> None:
    """No folder, and a folder that is no chain, are told apart."""
    (fault,) = faults_of(read_chain, corner.folder)
    assert fault.found == "no such file"
    (fault,) = faults_of(read_chain, corner.folder / "nowhere")
    assert fault.found == "no such folder"


def test_settings_in_another_encoding_are_told(corner: Corner, faults_of: Faults) -> None:
    """A chain.toml that is not UTF-8 names the line."""
    (corner.folder / "chain.toml").write_bytes(b'currency = "EUR"\nname = "Caf\xe9"\n')
    (fault,) = faults_of(read_chain, corner.folder)
    assert (fault.row, fault.found) == (2, "text that is not UTF-8")


def test_required_tables_are_missed(corner: Corner, faults_of: Faults) -> None:
    """A chain that names no shelves and no products misses both, together with the faults of its other tables."""
    lines = [line for line in corner.toml.splitlines() if not line.startswith(("shelves", "products"))]
    corner.toml = "\n".join(lines)
    corner.plant("stores.csv", "02,South", "01,South")
    faults = faults_of(read_chain, corner.write())
    assert {fault.column for fault in faults} == {"tables.shelves", "tables.products", "store_id"}
