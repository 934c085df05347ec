"""A scenario file says everything once, and nothing in it is ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from assortment.errors import ScenarioError
from assortment.scenario import Scenario

SMALLEST = 'title = "T"\nchain = "chain"\ncategory = "milk"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "question.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_smallest_scenario_takes_every_default_and_finds_its_chain_beside_the_file(tmp_path: Path) -> None:
    """Three lines are enough; the chain is looked for from the scenario's own folder."""
    scenario = Scenario.read(write(tmp_path, SMALLEST))
    assert scenario.chain == tmp_path / "chain"
    assert scenario.name == "question"
    assert scenario.rules.core_max is None and scenario.solve.workers == 2


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("core.max=8", 8),
        ("core_max=8", 8),
        ("rules.core_max=8", 8),
        ("rules.core.max=8", 8),
    ],
)
@pytest.mark.parametrize("rules", ["[rules]\ncore_max = 10\n", "[rules]\ncore = { max = 10 }\n", ""])
def test_set_replaces_what_the_file_says_however_the_rule_is_written(
    tmp_path: Path, rules: str, override: str, expected: int
) -> None:
    """The command line wins over the file, and ``core.max`` is ``rules.core_max``."""
    assert Scenario.read(write(tmp_path, SMALLEST + rules), [override]).rules.core_max == expected


def test_set_takes_toml_values_and_bare_words(tmp_path: Path) -> None:
    """Numbers, lists and booleans are TOML; anything else is text."""
    path = write(tmp_path, SMALLEST)
    scenario = Scenario.read(path, ["solve.prove=false", "trade_area.method=ring", "demand.demographics=['a', 'b']"])
    assert scenario.solve.prove is False
    assert scenario.trade_area.method == "ring"
    assert scenario.demand.demographics == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALLEST + "[rules]\ncore_mx = 3\n", r"rules\.core_mx: unknown key; did you mean 'core_max'"),
        (SMALLEST + "[ruels]\n", r"ruels: unknown key; did you mean 'rules'"),
        (SMALLEST + "[solve]\nworkers = 0\n", r"solve\.workers: found 0"),
        (SMALLEST + '[trade_area]\nmethod = "circle"\n', r"trade_area\.method: found 'circle'.*ring"),
        ('chain = "x"\ncategory = "milk"\n', r"title: is missing"),
        ("title = \n", r"not valid TOML.*line 1"),
    ],
)
def test_a_fault_names_the_key_and_the_next_step(tmp_path: Path, text: str, message: str) -> None:
    """No traceback, no silent default: the key, what was found, what is known."""
    with pytest.raises(ScenarioError, match=message):
        Scenario.read(write(tmp_path, text))


def test_all_faults_of_a_scenario_are_reported_together(tmp_path: Path) -> None:
    """A user mends a file once, not once per fault."""
    with pytest.raises(ScenarioError) as caught:
        Scenario.read(write(tmp_path, 'chain = "x"\ncategory = "milk"\n[rules]\nzore = 1\n[solve]\ngap = -1\n'))
    assert all(word in str(caught.value) for word in ("title", "rules.zore", "solve.gap"))


@pytest.mark.parametrize("order", [1, -1])
def test_another_trade_area_method_forgets_the_settings_of_the_files(tmp_path: Path, order: int) -> None:
    """Huff's decay in the file does not stand in the way of a ring asked for on the command line, in either order."""
    path = write(tmp_path, SMALLEST + '[trade_area]\nmethod = "huff"\ndecay = 1.5\n')
    asked = ["trade_area.method=ring", "trade_area.radius_m=5000"][::order]
    assert Scenario.read(path, asked).trade_area.given() == {"method": "ring", "radius_m": 5000.0}


@pytest.mark.parametrize("override", ["core.mxa=3", "nonsense", "=3", "nothing_like_it=1"])
def test_an_unusable_override_is_refused(tmp_path: Path, override: str) -> None:
    """A mistyped ``--set`` never runs the scenario unchanged."""
    with pytest.raises(ScenarioError, match="--set"):
        Scenario.read(write(tmp_path, SMALLEST), [override])


def test_a_missing_file_names_a_near_one(tmp_path: Path) -> None:
    """The likely typo is offered."""
    path = write(tmp_path, SMALLEST)
    with pytest.raises(ScenarioError, match=r"did you mean .*question\.toml"):
        Scenario.read(path.with_name("questoin.toml"))
