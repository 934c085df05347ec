"""The order of the stages holds in the code, not just in the design."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import assortment
from assortment.pipeline import STAGES

PACKAGE = Path(assortment.__file__).parent
ABOVE = ("pipeline", "scenario", "cli")
ONLY_IN = {
    "pulp": {"optimiser"},
    "highspy": {"optimiser"},
    "matplotlib": {"report"},
    "typst": {"report"},
    "xlsxwriter": {"report"},
    "geopandas": {"inputs", "geo", "report"},
    "shapely": {"inputs", "geo", "report"},
    "pydantic": {"inputs", "scenario.py"},
    "cyclopts": {"cli.py"},
    "rich": {"cli.py"},
}


def imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_only_itself_errors_and_stages_before_it(stage: str) -> None:
    """A stage imports itself, ``errors`` and stages with a lower number, nothing above."""
    later = (*STAGES[STAGES.index(stage) + 1 :], *ABOVE, "app")
    files = sorted((PACKAGE / stage).rglob("*.py"))
    assert files, f"there is no stage {stage}"
    for file in files:
        found = {name for name in imports(file) for other in later if f"{name}.".startswith(f"assortment.{other}.")}
        assert not found, f"{file.relative_to(PACKAGE)} imports {found}"


def test_each_heavy_library_stays_in_its_stage() -> None:
    """PuLP is seen only by the optimiser, typst only by the report, geometry only by the stages that need it."""
    for file in sorted(PACKAGE.rglob("*.py")):
        place = file.relative_to(PACKAGE).parts[0]
        libraries = {name.split(".")[0] for name in imports(file)}
        for library, places in ONLY_IN.items():
            assert library not in libraries or place in places, f"{file.relative_to(PACKAGE)} imports {library}"


def test_no_stage_reads_the_truth_of_the_example_chain() -> None:
    """What the simulator knows is for tests alone: no file of the package names it."""
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        assert "truth/" not in text and '"truth"' not in text, file


def test_there_is_no_room_for_leftovers() -> None:
    """No module is called utils, common or helpers."""
    assert not [file for file in PACKAGE.rglob("*.py") if file.stem in {"utils", "common", "helpers", "misc"}]
