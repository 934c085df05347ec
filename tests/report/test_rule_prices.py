"""What rules cost, on paper and in tables: told where it was asked for, blank where no money is claimed, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from assortment import cli
from assortment.optimiser import PlanWorth, RulePrices
from assortment.report import save
from assortment.report.facts import Facts
from assortment.report.rule_prices import chain_prices, rule_store_table, rule_table, store_prices, store_rule_table

Maker = Callable[..., Any]
FILES = ("rule_prices.csv", "rule_prices_by_store.csv", "room_worth.csv", "shelf_worth.csv")


def known(problem: Any, *, proven: bool = True, reached: bool = True) -> PlanWorth:
    """Prices set by hand: the shelf costs 40 in all, the core 0.5, the groups nothing."""
    most = [52.25, 3.0, 1.0] if proven else [np.nan] * 3
    last = "optimal" if reached else "not_reached"
    chain = pd.DataFrame(
        {
            "rule": ["shelf", "core", "groups"],
            "sentence": ["", "", ""],
            "cost_per_week": [40.0, 0.5, 0.0 if reached else np.nan],
            "at_least_per_week": [31.5, 0.0, 0.0 if reached else np.nan],
            "at_most_per_week": [*most[:2], most[2] if reached else np.nan],
            "status": ["optimal", "time_limit", last],
        }
    )
    paid = {"shelf": [1.0, 30.25, -2.0, 10.75], "core": [0.0, 0.0, 0.5, 0.0], "groups": [0.0] * 4}
    stores = [
        (rule, store, cost)
        for rule, costs in paid.items()
        for store, cost in zip(problem.store_ids, costs, strict=True)
        if reached or rule != "groups"
    ]
    return PlanWorth(
        RulePrices(chain, pd.DataFrame(stores, columns=["rule", "store_id", "cost_per_week"])),
        pd.DataFrame(
            [("core", "one more core product, which must then be", -4.5, -9.0, -1.25, "optimal")],
            columns=["rule", "step", "worth_per_week", "at_least_per_week", "at_most_per_week", "status"],
        ),
        pd.DataFrame(
            {
                "store_id": problem.store_ids,
                "shelf_cm": 75.0,
                "free_cm": [5.0, 0.0, 0.0, 12.5],
                "worth_per_cm_per_week": [0.0, 0.125, 0.5, 0.0],
            }
        ),
        interrupted=not reached,
        stopped=not reached,
    )


def priced(made: Maker, *, objective: str = "margin", proven: bool = True, reached: bool = True, **world: Any) -> Any:
    """A run that knows what its rules cost."""
    run = made(**world)
    run.problem = run.problem.replace(objective=objective)
    run.plan = replace(run.plan, problem=run.problem)
    run.worth = known(run.problem, proven=proven, reached=reached)
    return run


def words(path: Path) -> str:
    text = " ".join(page.extract_text() for page in PdfReader(path).pages)
    return " ".join(text.replace("\u200b", "").replace("\xa0", " ").split())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, made: Maker) -> tuple[Path, Any]:
    folder, run = tmp_path_factory.mktemp("priced"), priced(made)
    save(run, folder)
    return folder, run


def test_the_page_of_the_chain_tells_rule_cost_range_and_who_pays(saved: tuple[Path, Any]) -> None:
    """Each rule in words with its limits, cost, proven range, the stores that pay most; what more room is worth."""
    text = words(saved[0] / "chain.pdf")
    assert "What the rules cost, and what more room is worth" in text
    assert "more margin / week" in text
    assert (
        "What a store carries fits on its shelf: 75 cm. $40.00 $31.50 to $52.25 S02 $30.25, S04 $10.75, S01 $1.00"
        in text
    )
    assert "$0.50 stopped by the time limit $0.00 to $3.00 S03 $0.50" in text
    assert "One more core product, which must then be –$4.50 –$9.00 to –$1.25" in text
    assert "A centimetre more shelf would bring something in 2 of 4 stores. It is worth most in S03 $0.50" in text


def test_the_page_of_a_store_tells_its_own(saved: tuple[Path, Any]) -> None:
    """Rules that cost the store something, the dearest first, with their sign; the shelf; rules that cost nothing."""
    text = words(saved[0] / "stores" / "S03.pdf")
    assert text.index("+$0.50") < text.index("–$2.00")
    assert "1 other rule costs this store nothing. A centimetre more shelf is worth about $0.50 a week here" in text
    assert "More shelf would bring this store nothing; 12.5 cm are left free." in words(saved[0] / "stores" / "S04.pdf")


def test_tables_hold_the_same(saved: tuple[Path, Any]) -> None:
    """Four CSV files with ids as text, units in the names of columns, and the same figures in the workbook."""
    folder, run = saved
    tables = {name: pd.read_csv(folder / name, dtype={"store_id": str}) for name in FILES}
    rules, stores, _, shelf = tables.values()
    amounts = {"cost_per_week", "at_least_per_week", "at_most_per_week"}
    assert list(rules) == ["rule", "sentence", *sorted(amounts, key=list(rules).index), "status", "money_claimed"]
    assert rules.loc[0, "sentence"] == "What a store carries fits on its shelf: 75 cm."
    assert len(stores) == 3 * 4 and set(stores["store"]) == {f"Store {store}" for store in run.problem.store_ids}
    assert shelf["worth_per_cm_per_week"].tolist() == [0.0, 0.125, 0.5, 0.0]
    book = CalamineWorkbook.from_path(folder / "workbook.xlsx")
    head, *body = book.get_sheet_by_name("Rule prices by store").to_python()
    assert head[:3] == ["store_id", "store", "shelf_cost_per_week"]
    assert [row[2] for row in body] == [1.0, 30.25, -2.0, 10.75]
    assert {"Rule prices", "Room"} < set(book.sheet_names)


def test_nothing_is_told_where_nobody_asked(tmp_path: Path, made: Maker) -> None:
    """Without prices there is no section, no sheet and no file."""
    save(made(), tmp_path)
    assert "What the rules cost" not in words(tmp_path / "chain.pdf") + words(tmp_path / "stores" / "S01.pdf")
    assert "Rule prices" not in CalamineWorkbook.from_path(tmp_path / "workbook.xlsx").sheet_names
    assert not any((tmp_path / name).exists() for name in FILES)


def test_no_money_where_none_is_claimed(made: Maker) -> None:
    """A forecast that is off leaves the amounts blank, on pages and in tables, and says why; units are told."""
    off = Facts.of(priced(made, error=0.3))
    page = chain_prices(off)
    assert page is not None and page["rules"] == page["room"] == []
    assert page["notes"] == ["No money is claimed for the chain, so what its rules cost is not told."]
    assert "$" not in page["shelf"]
    assert store_prices(off, "S02") is None
    for table in (rule_table(off), rule_store_table(off), store_rule_table(off)):
        amounts = [name for name in table if name.endswith("_per_week")]
        assert amounts and table[amounts].isna().all(axis=None) and not table["money_claimed"].any()
    units = chain_prices(Facts.of(priced(made, error=0.3, objective="units")))
    assert units is not None and (units["worth"], units["rules"][0]["cost"]) == ("units", "40.00")


def test_what_is_not_proven_or_not_reached_is_told(made: Maker) -> None:
    """Without a proof there is no range; a rule that was not reached has no figure, and the note counts it."""
    page = chain_prices(Facts.of(priced(made, proven=False)))
    assert page is not None and {row["range"] for row in page["rules"]} == {"not proven"}
    assert not any("range" in note for note in page["notes"])
    stopped = chain_prices(Facts.of(priced(made, reached=False)))
    assert stopped is not None and stopped["notes"][-1].startswith("It was interrupted: 1 of the lines were not worked")
    assert [stopped["rules"][2][part] for part in ("cost", "range", "state")] == ["", "", "not worked out"]


def test_ctrl_c_on_the_command_line(
    made: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was reached is printed and written, the exit code is that of an interruption; before it, nothing is."""
    run = priced(made, reached=False)
    scenario = tmp_path / "milk.toml"
    scenario.write_text('title = "Milk"\nchain = "."\ncategory = "milk"\n', encoding="utf-8")
    monkeypatch.setattr(cli, "run_scenario", lambda *_, **__: run)
    with pytest.raises(SystemExit) as ended:
        cli.main(["prices", str(scenario), "--out", str(tmp_path / "out")])
    told = capsys.readouterr()
    assert ended.value.code == 130
    assert "not worked out" in told.out and "$40.00" in told.out and "not every rule has a price" in told.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
    run.worth = None
    with pytest.raises(SystemExit) as ended:
        cli.main(["prices", str(scenario), "--out", str(tmp_path / "none")])
    assert ended.value.code == 130 and "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_files_are_written_all_or_none(
    made: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where one of the files cannot be written none is, and what was worked out is printed all the same."""
    scenario = tmp_path / "milk.toml"
    scenario.write_text('title = "Milk"\nchain = "."\ncategory = "milk"\n', encoding="utf-8")
    monkeypatch.setattr(cli, "run_scenario", lambda *_, **__: priced(made))
    (tmp_path / "out" / FILES[2]).mkdir(parents=True)
    with pytest.raises(SystemExit) as ended:
        cli.main(["prices", str(scenario), "--out", str(tmp_path / "out")])
    told = capsys.readouterr()
    assert ended.value.code == 8 and "is a folder" in told.err and "$40.00" in told.out
    assert [path.name for path in (tmp_path / "out").iterdir()] == [FILES[2]]


def test_a_place_that_cannot_be_is_refused_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder below a file is refused before anything is read or solved."""
    scenario = tmp_path / "milk.toml"
    scenario.write_text('title = "Milk"\nchain = "none"\ncategory = "milk"\n', encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        cli.main(["prices", str(scenario), "--out", str(scenario / "deep" / "er")])
    assert ended.value.code == 8 and "milk.toml is a file" in capsys.readouterr().err.replace("\n", "")


def test_nothing_reached_is_told_too(made: Maker, tmp_path: Path) -> None:
    """When the time was over before the first rule, pages, workbook and files are written without figures."""
    run = priced(made)
    rules = run.worth.rules.chain.assign(cost_per_week=np.nan, at_least_per_week=np.nan, at_most_per_week=np.nan)
    none = RulePrices(rules.assign(status="not_reached"), run.worth.rules.stores.head(0))
    run.worth = replace(run.worth, rules=none, room=run.worth.room.head(0), stopped=True)
    save(run, tmp_path)
    assert "not worked out" in words(tmp_path / "chain.pdf")
    assert len(pd.read_csv(tmp_path / FILES[1])) == 0
    # Frames without rows know no types.
    run.worth = replace(run.worth, rules=RulePrices(rules, pd.DataFrame([], columns=list(none.stores))))
    assert len(store_rule_table(Facts.of(run))) == len(run.problem.store_ids)


def test_ctrl_c_pressed_again_keeps_the_plan(
    made: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where prices were asked for and none came, the reports are written and the exit code says interrupted."""
    run = made()
    run.worth, run.summary, run.save = None, dict, lambda folder, progress: save(run, folder)
    scenario = tmp_path / "milk.toml"
    scenario.write_text('title = "Milk"\nchain = "."\ncategory = "milk"\n', encoding="utf-8")
    monkeypatch.setattr(cli, "run_scenario", lambda *_, **__: run)
    (tmp_path / "out").mkdir()
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", str(scenario), "--prices", "--out", str(tmp_path / "out")])
    assert ended.value.code == 130 and "not every rule has a price" in capsys.readouterr().err
    assert (tmp_path / "out" / "chain.pdf").exists()
