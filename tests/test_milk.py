"""The example chain, end to end: what is claimed for it holds, also against the truth that no stage may read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import assortment
from assortment.geo import METHODS
from assortment.scenario import Scenario, TradeAreaSettings

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def run() -> assortment.Run:
    return assortment.run(ROOT / "scenarios" / "milk.toml", workers=1)


def test_the_plan_is_within_two_thousandths_of_the_best_possible(run: assortment.Run) -> None:
    """The gap is proven to at most 0.2 %, from a value recomputed here and a bound that is not below it."""
    value = run.problem.value(run.plan.carried, run.plan.core)
    assert run.plan.value == pytest.approx(value, rel=1e-12)
    assert value <= run.plan.bound <= 1.002 * value
    assert run.plan.gap == pytest.approx((run.plan.bound - value) / value, abs=1e-12)


def test_the_plan_obeys_every_rule(run: assortment.Run) -> None:
    """The audit, which knows neither PuLP nor the solver, finds nothing; the loudest rules are checked here by hand."""
    plan, problem = run.plan, run.problem
    assert not assortment.audit(problem, plan.carried, plan.core)
    assert 8 <= plan.core[0].sum() <= 12 and (plan.core == plan.core[0]).all() and plan.carried[plan.core].all()
    assert ((plan.carried * problem.space_cm).sum(axis=1) <= problem.shelf_cm).all()
    assert problem.rules.today is not None
    assert ((plan.carried != problem.rules.today).sum(axis=1) <= 16).all()


def test_the_plan_earns_more_than_today_under_the_truth(run: assortment.Run, simulator: ModuleType) -> None:
    """Judged by the simulator's own choice model, which the fitted one does not match, the plan beats today's range."""
    truth = simulator.read_truth()
    assert run.problem.rules.today is not None
    today = simulator.true_margin(truth, run.problem.rules.today).sum()
    planned = simulator.true_margin(truth, run.plan.carried).sum()
    assert planned > 1.01 * today


def test_local_products_earn_their_place_under_the_truth(run: assortment.Run, simulator: ModuleType) -> None:
    """The same optimiser with the chain's average shopper in every store earns less, judged by the truth."""
    demand = run.demand
    average = np.repeat(demand.attraction.mean(axis=0, keepdims=True), len(demand.store_ids), axis=0)
    uniform = assortment.solve(run.problem.replace(attraction=average), gap=5e-3, prove=False)
    truth = simulator.read_truth()
    local = simulator.true_margin(truth, run.plan.carried).sum()
    assert local > simulator.true_margin(truth, uniform.carried).sum()


def test_the_forecast_of_stores_never_seen_comes_close(run: assortment.Run) -> None:
    """Predicted against actual units of a store that the fit had not seen: within 15 % in nine stores of ten."""
    errors = run.calibration["total_error"].abs()
    assert len(errors) == 40
    assert (errors <= 0.15).mean() >= 0.9


def test_demographics_are_found_to_help(run: assortment.Run) -> None:
    """The simulated tastes follow who lives there, and the hold-out comparison says so."""
    assert run.model.evidence.demographics_help


def test_the_same_scenario_gives_the_same_plan(run: assortment.Run) -> None:
    """Same inputs, same picks and bound, whatever the number of workers; that of the fit has tests of its own."""
    settings = run.scenario.solve
    again = assortment.solve(run.problem, gap=settings.gap, time_limit_s=settings.time_limit_s, workers=2)
    assert (again.carried == run.plan.carried).all()
    assert again.bound == run.plan.bound


def in_readme(language: str) -> list[str]:
    """All that the README shows in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_scripts_in_the_readme_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What the README shows is what works, one script after the other."""
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    for script in in_readme("python"):
        exec(compile(script, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "optimal" in printed and "counted more than once" in printed and "low fat" in printed


def test_the_settings_in_the_readme_are_settings() -> None:
    """Every section that the README shows is one that a scenario may have; it names each method of trade areas."""
    sections = [tomllib.loads(text) for text in in_readme("toml")]
    for settings in sections:
        Scenario(title="T", chain="chain", category="milk", **settings)
    shown = [settings["trade_area"] for settings in sections if "trade_area" in settings]
    assert [TradeAreaSettings(**settings).method for settings in shown] == ["ring", "huff"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{method}` |" in readme for method in METHODS)
