"""A scenario file says everything once, and nothing in it is ignored."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import pi
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from shapely import box
from shapely.geometry import mapping

from assortment import pipeline
from assortment.errors import AssortmentWarning, GeographyError, InputError, ScenarioError
from assortment.geo import TradeAreas, calibrate_huff, chain_areas
from assortment.inputs import read_chain
from assortment.optimiser import RULES, Costs
from assortment.optimiser.rules.rules import SOFT
from assortment.pipeline import prepare
from assortment.report.assumptions import assumptions
from assortment.report.facts import Facts
from assortment.scenario import RuleSettings, Scenario

README = Path(__file__).resolve().parents[1] / "README.md"
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


def test_no_limit_is_not_written_as_infinite(tmp_path: Path) -> None:
    """A number that the manifest cannot hold is refused before the work and not after it."""
    scenario = tmp_path / "milk.toml"
    scenario.write_text('title = "Milk"\nchain = "."\ncategory = "milk"\n', encoding="utf-8")
    for name in ("time_limit_s", "prices_time_limit_s", "gap"):
        with pytest.raises(ScenarioError, match=f"solve.{name}: found inf; input should be a finite number"):
            Scenario.read(scenario, [f"solve.{name}=inf"])


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


ALL_RULES = """
[rules]
core = { min = 2, max = 3 }
core_by = "format"
products_max = 30
local_products_max = 20
local_min_stores = 2
local_per_store = [1, 8]
local_share = [0.2, 0.8]
changes_max = 6
assortments_max = 4
groups = [{ attribute = "type", least = 1 }]

[rules.soft]
shelf = 0.8
groups = 3.0
products_max = 10
local_products_max = 5
local_min_stores = 2
local_per_store = 1
changes_max = 5

[costs]
listing = 1
product = 2
local_product = 3
delivery = 40
"""


def test_every_rule_and_cost_can_be_asked_for_in_a_scenario(tmp_path: Path) -> None:
    """Under the name that it has everywhere; what the optimiser gets is what the file says, and no rule is left out."""
    scenario = Scenario.read(write(tmp_path, SMALLEST + ALL_RULES))
    spec = scenario.rules.spec()
    assert (spec.core_min, spec.core_max, spec.core_by) == (2, 3, "format")
    assert (spec.local_per_store, spec.local_share, spec.assortments_max) == ((1, 8), (0.2, 0.8), 4)
    assert spec.soft == {name: float(price) for name, price in scenario.rules.soft.given().items()}
    assert set(spec.soft) == set(SOFT)
    assert Costs(**scenario.costs.given()).delivery == 40
    # Allowed and required come from the tables; the shelf is there without being asked for.
    asked = {rule.name for rule in RULES} - {"shelf", "allowed", "required"}
    assert asked - {"core"} <= scenario.rules.model_fields_set


def test_the_readme_tells_every_rule() -> None:
    """With its sentence, a setting that a scenario may have, and a price where it may have one; no other rule."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) ?\|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: (sentence, settings, price.strip()) for name, sentence, settings, price in rows}
    assert [name for name in told if name in {rule.name for rule in RULES}] == [rule.name for rule in RULES]
    for rule in RULES:
        sentence, settings, price = told[rule.name]
        assert sentence == rule.sentence
        assert price == (f"per {rule.unit}" if rule.unit else "")
        shown = [text for text in re.findall(r"`([^`]*)`", settings) if "=" in text]
        assert shown or settings.startswith("table")
        for text in shown:
            assert RuleSettings(**tomllib.loads(text)).model_fields_set


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[rules.soft]\nshelv = 1\n", r"rules\.soft\.shelv: unknown key; did you mean 'shelf'"),
        ("[rules.soft]\nshelf = -1\n", r"rules\.soft\.shelf: found -1"),
        ("[rules.soft]\ncore = 1\n", r"rules\.soft\.core: unknown key"),
        ("[rules.soft]\nproducts_max = 1\n", r"soft gives products_max a price, but there is no such limit"),
        ("[rules]\nlocal_share = [0.1, 1.5]\n", r"rules\.local_share\.1: found 1\.5"),
        ("[rules]\nassortments_max = 0\n", r"rules\.assortments_max: found 0"),
        ("[costs]\ndelivery = -2\n", r"costs\.delivery: found -2"),
    ],
)
def test_a_rule_or_cost_that_makes_no_sense_is_named(tmp_path: Path, text: str, message: str) -> None:
    """A price below 0, a price of a rule that cannot have one or is not asked for, a share above 1."""
    with pytest.raises(ScenarioError, match=message):
        Scenario.read(write(tmp_path, SMALLEST + text))


@pytest.mark.parametrize("key", ["rules.soft.shelf", "soft.shelf"])
def test_a_price_can_be_set_on_the_command_line(tmp_path: Path, key: str) -> None:
    """With or without its section."""
    assert Scenario.read(write(tmp_path, SMALLEST), [f"{key}=0.8"]).rules.spec().soft == {"shelf": 0.8}


HUFF = 'method = "huff"\nattractiveness = "size_m2"\ndistance_floor_m = 1113.195\n'
STREET = {
    "stores.csv": "store_id,name,longitude,latitude,format,size_m2\nA,West,0.005,0.005,small,400\n"
    "B,East,0.035,0.005,large,1600\n",
    "shelves.csv": "store_id,category,shelf_cm\nA,milk,100\nB,milk,100\n",
    "products.csv": "product_id,name,category,price,unit_cost,width_cm\n1,Whole,milk,2,1,10\n2,Oat,milk,3,2,10\n",
    "sales.csv": "week,store_id,product_id,units\n1,A,1,5\n1,B,2,5\n",
    "competitors.csv": "longitude,latitude,size_m2\n0.025,0.005,800\n",
    "travel_times.csv": "store_id,neighbourhood_id,minutes\nA,n0,2\nA,n1,5\nB,n2,5\nB,n1,9\nB,n3,1\n",
    "flows.csv": "store_id,neighbourhood_id,trips\nA,n0,90\nA,n1,60\nB,n2,70\nB,n1,20\nB,n3,95\n",
    "ancillary.csv": "longitude,latitude,count\n0.004,0.005,9\n0.0099,0.005,1\n"
    "0.015,0.005,5\n0.025,0.005,5\n0.035,0.005,5\n",
    "households.csv": "household_id,neighbourhood_id,store_id\n1,n0,A\n2,n1,A\n3,n2,B\n4,n3,B\n5,n1,B\n",
    "baskets.csv": "household_id,product_id,units,price\n1,1,1,2\n2,1,2,2\n2,2,1,3\n3,1,4,2\n4,2,3,3\n5,1,1,1\n",
}
"""Two stores on a street of four blocks along the equator, each 0.01 degrees (1.1 km) wide."""


@pytest.fixture(scope="module")
def street_without(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of that chain, without the tables named; each is written once."""
    blocks = [
        {
            "type": "Feature",
            "properties": {"neighbourhood_id": f"n{i}", "people": 100},
            "geometry": mapping(box(i / 100, 0, (i + 1) / 100, 0.01)),
        }
        for i in range(4)
    ]

    @cache
    def folder(*without: str) -> Path:
        home = tmp_path_factory.mktemp("street")
        (home / "blocks.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": blocks}))
        names = {name.removesuffix(".csv"): name for name in STREET} | {"neighbourhoods": "blocks.geojson"}
        tables = "".join(f'{name} = "{file}"\n' for name, file in names.items() if name not in without)
        counts = '[neighbourhoods]\ncounts = ["people"]\n'
        (home / "chain.toml").write_text(f'name = "Street"\ncrs = "EPSG:4326"\n[tables]\n{tables}{counts}')
        for name, text in STREET.items():
            (home / name).write_text(text)
        return home

    return folder


READ_ONCE = cache(read_chain)


@pytest.fixture
def street(
    street_without: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., TradeAreas]:
    """Ask for trade areas of that chain: ``street('method = "nearest"', without=("flows",))`` runs the geography."""
    monkeypatch.setattr(pipeline, "read_chain", READ_ONCE)

    def ask(trade_area: str, *, without: tuple[str, ...] = ()) -> TradeAreas:
        chain = SMALLEST.replace('"chain"', f"'{street_without(*without)}'")
        prepared = prepare(Scenario.read(write(tmp_path, f"{chain}[trade_area]\n{trade_area}\n")))
        assert prepared.profiles.store_ids == ("A", "B")
        return prepared.areas

    return ask


def shares(areas: TradeAreas) -> list[list[float]]:
    return [areas.of_store(store).round(3).tolist() for store in areas.store_ids]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ('method = "nearest"', [[1, 1, 0, 0], [0, 0, 1, 1]]),
        ('method = "thiessen"', [[1, 1, 0, 0], [0, 0, 1, 1]]),
        ('method = "travel_time"\nwithin = 5', [[1, 1, 0, 0], [0, 0, 1, 1]]),
        ('method = "travel_time"\nwithin = { small = 3, large = 9 }', [[1, 0, 0, 0], [0, 1, 1, 1]]),
        ('method = "travel_time"\nwithin = 9\nnearest_only = true', [[1, 1, 0, 0], [0, 0, 1, 1]]),
        ('method = "customers"\nshare = 0.5', [[1, 0, 0, 0], [0, 0, 1, 1]]),
        ('method = "customers"\nshare = { A = 1, B = 0.3 }', [[1, 1, 0, 0], [0, 0, 0, 1]]),
        ('method = "customers"\nshare = 0.5\nweight = "spend"', [[1, 1, 0, 0], [0, 0, 0, 1]]),
        ('method = "ring"\nradius_m = 450', [[0.9, 0, 0, 0], [0, 0, 0, 1]]),
        ('method = "ring"\nradius_m = { small = 450, large = 5000 }', [[0.9, 0, 0, 0], [1, 1, 1, 1]]),
        ('method = "ring"\nradius_m = "size_m2"\nancillary = true', [[0.9, 0, 0, 0], [0, 0, 1, 1]]),
        (HUFF, [[0.514, 0.25, 0.04, 0.018], [0.229, 0.25, 0.64, 0.655]]),
        (HUFF + "competitors = false", [[0.692, 0.5, 0.059, 0.027], [0.308, 0.5, 0.941, 0.973]]),
        (HUFF + "alpha = { small = 1.5, large = 1 }\ndecay = 0\ncompetitors = false", [[0.833] * 4, [0.167] * 4]),
    ],
)
@pytest.mark.filterwarnings("ignore:fewer than 10 customers", "ignore:what a customer spends", "ignore:the ancillary")
def test_each_method_is_reached_from_a_scenario(
    street: Callable[..., TradeAreas], asked: str, expected: list[list[float]]
) -> None:
    """The scenario names the method and its numbers, the chain folder has the tables, the shares are as on paper."""
    areas = street(asked)
    assert shares(areas) == expected
    assert areas.method in asked


def test_a_ring_by_area_leaves_the_ancillary_table_aside(street: Callable[..., TradeAreas]) -> None:
    """With ``ancillary = false``, and where the chain has no such table, a ring takes the area of its circle."""
    block = (0.01 * 111_319.5) * (0.01 * 110_574.3)
    for areas in (
        street('method = "ring"\nradius_m = 450\nancillary = false'),
        street('method = "ring"\nradius_m = 450', without=("ancillary",)),
    ):
        assert areas.of_store("A").iloc[0] == pytest.approx(pi * 450**2 / block, rel=1e-3)


def test_tables_given_in_a_call_come_before_those_of_the_chain(street_without: Callable[..., Path]) -> None:
    """From a notebook: another table of minutes, rivals or dwellings replaces the chain's."""
    chain = READ_ONCE(street_without())
    minutes = pd.DataFrame({"store_id": ["A", "B"], "neighbourhood_id": ["n0", "n3"], "minutes": [1, 1]})
    reached = chain_areas(chain, method="travel_time", within=9, minutes=minutes).areas
    assert shares(reached) == [[1, 0, 0, 0], [0, 0, 0, 1]]
    rivals = pd.DataFrame({"longitude": [0.015, 0.016], "latitude": [0.005, 0.004], "size_m2": [9, 9]})
    assert chain_areas(chain, competitors=rivals, distance_floor_m=1).areas.parameters["competitors"] == 2


@pytest.mark.parametrize("source", ["households", "flows"])
@pytest.mark.filterwarnings("ignore:calibrate_huff")
def test_huff_is_calibrated_from_a_table_of_the_chain(
    street: Callable[..., TradeAreas], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """The areas are those of the estimate, which the run keeps and its manifest records."""
    monkeypatch.setattr(pipeline, "_demand", lambda *_: (None, None, pd.DataFrame()))
    monkeypatch.setattr(pipeline, "_problem", lambda *_: None)
    plan = SimpleNamespace(status="optimal", value=1.0, bound=1.0, gap=0.0)
    monkeypatch.setattr(pipeline, "solve", lambda *_, **__: plan)
    areas = street(f'{HUFF}calibrate = "{source}"')
    run = pipeline.run(tmp_path / "question.toml")
    chain = run.chain
    fit = calibrate_huff(
        chain.stores,
        chain.neighbourhoods,
        attractiveness="size_m2",
        distance_floor_m=1113.195,
        **{source: getattr(chain, source)},
    )
    assert run.huff_fit is not None
    assert run.huff_fit.source == source
    for name in ("alpha", "decay"):
        assert areas.parameters[name] == run.areas.parameters[name] == fit.parameters()[name]
    assert areas.parameters["competitors"] == 1
    recorded = json.loads(json.dumps(run.manifest, allow_nan=False))["huff_fit"]
    assert recorded["source"] == source
    assert [row["parameter"] for row in recorded["parameters"]] == fit.table["parameter"].tolist()
    assert recorded["parameters"][-1]["value"] == pytest.approx(fit.table["value"].iloc[-1])


@pytest.mark.filterwarnings("ignore:calibrate_huff")
def test_an_estimate_that_the_model_cannot_use_is_said(street_without: Callable[..., Path]) -> None:
    """Where people prefer the small store, alpha is below 0: the message names it and what to do."""
    places = [(store, f"n{i}") for store in "AB" for i in range(4)]
    flows = pd.DataFrame(places, columns=["store_id", "neighbourhood_id"]).assign(trips=[95, 90, 60, 30, 5, 10, 40, 70])
    chain = replace(READ_ONCE(street_without()), flows=flows)
    with pytest.raises(GeographyError, match=r"found alpha of all stores \(-.*give another attractiveness"):
        chain_areas(chain, attractiveness="size_m2", distance_floor_m=1113.195, calibrate="flows")


@pytest.mark.parametrize(
    ("asked", "table"),
    [
        ('method = "travel_time"\nwithin = 5', "travel_times"),
        ('method = "customers"', "households"),
        ('calibrate = "households"', "households"),
        ('calibrate = "flows"', "flows"),
    ],
)
def test_a_table_that_the_method_needs_is_named_with_the_file_to_add(
    street: Callable[..., TradeAreas], asked: str, table: str
) -> None:
    """The message gives table, columns and the line of chain.toml."""
    with pytest.raises(
        GeographyError, match=rf'needs the table {table} \(.*chain\.toml, such as {table} = "{table}\.csv"'
    ):
        street(asked, without=(table, "baskets"))


@pytest.mark.filterwarnings("ignore:fewer than 10 customers")
def test_spend_needs_baskets_with_prices(street: Callable[..., TradeAreas]) -> None:
    """By spend without a column spend and without baskets: what is missing is named; with them it is noted."""
    with pytest.raises(InputError, match=r"column 'spend': found no such column; expected .* baskets"):
        street('method = "customers"\nweight = "spend"', without=("baskets",))
    with pytest.warns(AssortmentWarning, match="units × price, summed over the 6 rows of the baskets"):
        street('method = "customers"\nweight = "spend"')


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("radius_m = 500", "method 'huff' has no parameter 'radius_m'"),
        ('method = "nearest"\nancillary = true', "method 'nearest' has no parameter 'ancillary'"),
        ('method = "ring"\nradius_m = 500\ncompetitors = false', "method 'ring' has no parameter 'competitors'"),
        ('method = "ring"', "method 'ring' needs radius_m"),
        ('method = "ring"\nradius_m = 500\ncalibrate = "flows"', "calibrate is for method 'huff'"),
        ('calibrate = "flows"\nalpha = 1', "alpha cannot be given and estimated too"),
        ('calibrate_by = "format"', "calibrate_by means nothing without calibrate"),
        ('method = "customers"\nshare = 2', r"at most 1, such as 0\.7; found A \(2\), B \(2\)"),
    ],
)
def test_settings_that_do_not_belong_together_are_refused(
    street: Callable[..., TradeAreas], asked: str, message: str
) -> None:
    """A setting of another method is an error, not something to be ignored."""
    with pytest.raises(GeographyError, match=message):
        street(asked)


@pytest.mark.parametrize("value", ["-1", "true", "[1, 2]", "{ small = -1 }", "{}", '{ small = "wide" }', "inf"])
def test_what_is_no_number_per_store_is_refused(tmp_path: Path, value: str) -> None:
    """A number, a column or a table by format; anything else is named, once."""
    with pytest.raises(ScenarioError) as caught:
        Scenario.read(write(tmp_path, f"{SMALLEST}[trade_area]\ndecay = {value}\n"))
    assert "trade_area.decay: found" in str(caught.value)
    assert "expected a number of at least 0, a store column, or numbers by format" in str(caught.value)
    assert str(caught.value).count("trade_area.decay") == 1


def test_a_table_by_format_may_be_set_on_the_command_line(tmp_path: Path) -> None:
    """``--set`` takes a TOML table, a column and a number alike."""
    path = write(tmp_path, SMALLEST)
    for text, value in (("{ small = 1, large = 2 }", {"small": 1.0, "large": 2.0}), ("size_m2", "size_m2"), ("3", 3)):
        assert Scenario.read(path, [f"trade_area.attractiveness={text}"]).trade_area.attractiveness == value


@pytest.mark.parametrize(
    ("lines", "sources", "weights"),
    [
        ("", ("sales",), None),
        ('source = "baskets"', ("baskets",), None),
        ('source = ["sales", "survey"]\nsource_weights = { survey = 0.5 }', ("sales", "survey"), {"survey": 0.5}),
    ],
)
def test_demand_names_one_source_or_several(
    tmp_path: Path, lines: str, sources: tuple[str, ...], weights: dict[str, float] | None
) -> None:
    """A name or a list of names, with weights where they are given."""
    demand = Scenario.read(write(tmp_path, f"{SMALLEST}[demand]\n{lines}\n")).demand
    assert demand.source == sources and demand.source_weights == weights


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('source = "tills"', "demand.source: found 'tills'; expected one of sales, baskets, survey"),
        ('source = ["sales", "servey"]', "demand.source: found"),
        ("source = []", "demand.source: found"),
        ("source_weights = { sales = -1 }", "demand.source_weights.sales: found -1"),
        ("source_weights = { survey = 1 }", "source_weights names survey, which source does not"),
    ],
)
def test_a_source_that_cannot_be_is_named(tmp_path: Path, lines: str, message: str) -> None:
    """Unknown sources, none at all, and weights of none."""
    with pytest.raises(ScenarioError) as caught:
        Scenario.read(write(tmp_path, f"{SMALLEST}[demand]\n{lines}\n"))
    assert message in str(caught.value)


def test_a_run_of_tills_and_survey_says_what_each_told(eight_stores: Path, tmp_path: Path) -> None:
    """From the chain's table to the assumptions of the report; a source that the chain does not have is named."""
    home = tmp_path / "asked"
    shutil.copytree(eight_stores, home)
    file = home / "milk.toml"
    text = file.read_text(encoding="utf-8").replace(
        "[demand]\n", '[demand]\nclasses = 1\nnests = false\nsource = ["sales", "survey"]\n'
    )
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match="names survey, of which the chain has no table"):
        pipeline.run(file)
    products = pd.read_csv(home / "chain" / "products.csv", dtype=str)["product_id"]
    survey = pd.DataFrame(
        {"store_id": "S05", "product_id": products, "respondents": 300, "chose": range(len(products))}
    )
    survey.to_csv(home / "chain" / "survey.csv", index=False)
    toml = home / "chain" / "chain.toml"
    declared = toml.read_text(encoding="utf-8").replace("[tables]\n", '[tables]\nsurvey = "survey.csv"\n')
    toml.write_text(declared, encoding="utf-8")
    run = pipeline.run(file)
    assert run.model.sources["source"].to_list() == ["sales", "survey"]
    told = assumptions(Facts.of(run))
    for start in ("Till sales (", "The survey (", "The survey asked 300 people in 1 groups"):
        assert any(sentence.startswith(start) for sentence in told), start
