"""A scenario: one question asked of a chain, as a small TOML file.

Order of precedence, later wins: the defaults below, the file, ``--set key=value`` on the command line. An unknown key
is an error that names the nearest known one; nothing is ignored in silence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeGuard, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from assortment.errors import ScenarioError
from assortment.optimiser import Cover, RuleSpec


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def given(self) -> dict[str, Any]:
        """The settings that the scenario states, so that each stage keeps its own defaults for the rest."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _per_store(given: object) -> object:
    """Accept what stages take as a number for each store; what the column or the formats hold, they check."""
    if isinstance(given, str) or _is_number(given):
        return given
    if isinstance(given, Mapping) and given and all(_is_number(value) for value in given.values()):
        return {str(name): float(value) for name, value in given.items()}
    raise PydanticCustomError(
        "per_store", "expected a number of at least 0, a store column, or numbers by format such as {{ small = 1 }}"
    )


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value < inf


PerStore: TypeAlias = Annotated[Any, BeforeValidator(_per_store)]
"""A number for all stores, the store column that holds it, or a table of numbers by format (or by store id)."""


class TradeAreaSettings(_Section):
    """``[trade_area]``: who a store serves; see ``assortment.trade_areas``.

    The tables that a method takes are those of the chain folder.
    """

    method: Literal["huff", "ring", "nearest", "thiessen", "travel_time", "customers"] = "huff"
    attractiveness: PerStore = Field(1.0, description="huff")
    alpha: PerStore = Field(1.0, description="huff: exponent of the attractiveness")
    decay: PerStore = Field(2.0, description="huff: exponent of the distance")
    distance_floor_m: float | None = Field(None, ge=0, description="huff: shorter distances count as this one")
    competitors: bool = Field(True, description="huff: count the rival stores of the chain folder in")
    competitor_attractiveness: PerStore = Field(None, description="huff: default, as the stores'")
    competitor_alpha: PerStore = Field(None, description="huff: default, as the stores'")
    competitor_decay: PerStore = Field(None, description="huff: default, as the stores'")
    calibrate: Literal["households", "flows"] | None = Field(
        None, description="huff: estimate alpha and decay from this table of the chain folder"
    )
    calibrate_by: str | None = Field(None, description="huff: store column whose groups get an alpha and a decay each")
    radius_m: PerStore = Field(None, description="ring: metres")
    inner_m: PerStore = Field(None, description="ring: leave out who lives within these metres")
    within: PerStore = Field(None, description="travel_time: minutes")
    nearest_only: bool = Field(False, description="travel_time: each neighbourhood to the store it reaches soonest")
    share: PerStore = Field(0.7, description="customers: nearest part of each store's customers, at most 1")
    weight: str | None = Field(None, description="customers: household column the share is of; spend: from baskets too")
    ancillary: bool = Field(
        True, description="ring, thiessen, customers: split by the table ancillary where there is one"
    )


class IncomeBandSettings(_Section):
    """``[income_bands]``: people by income band, spread around each neighbourhood's median; see ``income_bands``."""

    edges: tuple[float, ...] = Field(min_length=1)
    income: str = "median_income"
    base: str = "people"
    sigma: float | None = Field(None, gt=0)
    dollars: float | None = Field(None, gt=0)


DemandSource = Literal["sales", "baskets", "survey"]


def _sources(given: object) -> object:
    """Accept one source by its name, or several in a list."""
    several = [given] if isinstance(given, str) else given
    if isinstance(several, list | tuple) and several and all(name in get_args(DemandSource) for name in several):
        return tuple(several)
    raise PydanticCustomError(
        "sources", "expected one of {known}, or several in a list", {"known": ", ".join(get_args(DemandSource))}
    )


class DemandSettings(_Section):
    """``[demand]``: what people would buy; see ``assortment.fit_demand``."""

    source: Annotated[tuple[DemandSource, ...], BeforeValidator(_sources)] = Field(
        ("sales",), description="one source of demand, or several in a list"
    )
    source_weights: dict[DemandSource, Annotated[float, Field(ge=0, lt=inf)]] | None = Field(
        None, description="how often each purchase of a source counts; default: once"
    )
    attributes: tuple[str, ...] | None = None
    demographics: tuple[str, ...] | None = None
    walk_away: float = Field(0.1, gt=0, lt=1, description="assumed where the size of the category is not known")
    classes: int | None = Field(None, ge=1, description="sales: kinds of shoppers; absent: as many as forecast best")
    nests: bool | str | None = Field(
        None, description="sales: whether to look for an attribute whose levels share buyers, or its name; absent: look"
    )
    segment: str | None = Field(
        None, description="column of households and survey whose values are the shopper classes"
    )
    segments: dict[str, str] | None = Field(None, description="value of that column -> profile count")

    @model_validator(mode="after")
    def _weighs_what_there_is(self) -> DemandSettings:
        """Refuse a weight of a source that is not asked for."""
        unused = [name for name in self.source_weights or {} if name not in self.source]
        if unused:
            raise PydanticCustomError(
                "unused_weight", "source_weights names {names}, which source does not", {"names": ", ".join(unused)}
            )
        return self


class CoverSettings(_Section):
    """One entry of ``groups`` in ``[rules]``: at least and at most so many products of a kind per store."""

    attribute: str
    value: str | None = Field(None, description="one value; absent: each value that the attribute takes")
    least: int | None = Field(None, ge=0)
    most: int | None = Field(None, ge=0)


Price: TypeAlias = Annotated[float | None, Field(ge=0, lt=inf)]
"""Money per week, in the chain's currency (units, where the objective is units)."""

Part: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class SoftSettings(_Section):
    """``[rules.soft]``: rules that may be broken, and what each unit by which they are costs per week."""

    shelf: Price = Field(None, description="per centimetre that a store's products need beyond its shelf")
    groups: Price = Field(None, description="per product of a group that a store has too many or too few")
    products_max: Price = Field(None, description="per distinct product too many")
    local_products_max: Price = Field(None, description="per distinct product that is not core too many")
    local_min_stores: Price = Field(None, description="per store in which a product that is not core is missing")
    local_per_store: Price = Field(None, description="per product that is not core a store has too many or too few")
    changes_max: Price = Field(None, description="per change too many in a store")


class RuleSettings(_Section):
    """``[rules]``: under the names that ``assortment.Rules`` gives them."""

    core_min: int = Field(0, ge=0)
    core_max: int | None = Field(None, ge=0)
    core_by: str | None = Field(None, description="store column: each of its values has a core of its own")
    products_max: int | None = Field(None, ge=0)
    local_products_max: int | None = Field(None, ge=0)
    local_min_stores: int = Field(1, ge=0)
    local_per_store: tuple[int | None, int | None] = (None, None)
    local_share: tuple[Part | None, Part | None] = Field(
        (None, None), description="least and largest part of a store's products that is not core"
    )
    changes_max: int | None = Field(None, ge=0)
    assortments_max: int | None = Field(None, ge=1, description="most different assortments in the chain")
    groups: tuple[CoverSettings, ...] = ()
    soft: SoftSettings = SoftSettings()

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, given: Any) -> Any:
        """Let ``core = {min = 8}`` mean ``core_min = 8``, so that a rule can be written under its own name."""
        if not (isinstance(given, Mapping) and isinstance(given.get("core"), Mapping)):
            return given
        core = {f"core_{part}": value for part, value in given["core"].items()}
        return {**{name: value for name, value in given.items() if name != "core"}, **core}

    @model_validator(mode="after")
    def _prices_what_is_asked(self) -> RuleSettings:
        """Refuse a price for a rule that is not asked for; what suppliers ask of local_min_stores is in the tables."""
        always = {"shelf", "local_min_stores"}
        unused = [name for name in self.soft.given() if name not in always and name not in self.model_fields_set]
        if unused:
            raise PydanticCustomError(
                "unused_price", "soft gives {names} a price, but there is no such limit", {"names": ", ".join(unused)}
            )
        return self

    def spec(self) -> RuleSpec:
        """Return the same rules as the optimiser takes them."""
        cover = tuple(Cover(**group.given()) for group in self.groups)
        soft = {name: price for name, price in self.soft.given().items() if price is not None}
        given = {name: value for name, value in self.given().items() if name not in ("groups", "soft")}
        return RuleSpec(**given, cover=cover, soft=soft)


class CostSettings(_Section):
    """``[costs]``: money per week, in the chain's currency."""

    listing: float = Field(0.0, description="per product and store that carries it")
    product: float = Field(0.0, description="per distinct product in the chain")
    local_product: float = Field(0.0, description="per distinct product that is not core")
    delivery: float = Field(
        0.0, ge=0, description="per supplier that delivers to a store, where its delivery_cost does not say"
    )


class SolveSettings(_Section):
    """``[solve]``: how long to search, and what to prove."""

    gap: float = Field(2e-4, ge=0)
    time_limit_s: float = Field(60.0, gt=0)
    workers: int = Field(2, ge=1)
    prove: bool = True
    objective: Literal["margin", "sales", "units"] = "margin"
    prices: bool = Field(
        False, description="tell what each rule costs and more room is worth; solves again for each, which takes long"
    )
    prices_time_limit_s: float | None = Field(None, gt=0, description="of all these solves together")


class Scenario(_Section):
    """One question asked of a chain.

    ``source`` is the file that it was read from; ``chain`` is resolved against that file's folder.
    """

    title: str
    chain: Path
    category: str
    seed: int = Field(0, ge=0)
    trade_area: TradeAreaSettings = TradeAreaSettings()
    income_bands: IncomeBandSettings | None = None
    demand: DemandSettings = DemandSettings()
    rules: RuleSettings = RuleSettings()
    costs: CostSettings = CostSettings()
    solve: SolveSettings = SolveSettings()
    source: Path | None = None

    @property
    def name(self) -> str:
        """The file's name without its ending; it names the folder of the run."""
        return self.source.stem if self.source else "scenario"

    @classmethod
    def read(cls, path: str | Path, overrides: Iterable[str] = ()) -> Scenario:
        """Read a scenario file.

        Parameters
        ----------
        path
            The TOML file.
        overrides
            Settings that replace the file's, each ``key=value`` with the key as in the file: ``rules.core_max=8``. The
            section may be left out where only one has such a key, and ``core.max`` is the same as ``core_max``. Values
            are TOML; what is not is text. A new ``trade_area.method`` begins with that method's own defaults.

        Raises
        ------
        ScenarioError
            The file is missing or is not TOML; a key is unknown or a value does not fit (all of them together).
        """
        path = Path(path)
        settings = _load(path)
        _override(settings, overrides)
        try:
            scenario = cls.model_validate({**settings, "source": path})
        except ValidationError as error:
            faults = "\n".join(f"  - {_in_words(fault)}" for fault in error.errors())
            raise ScenarioError(f"{path} cannot be used:\n{faults}") from None
        return scenario.model_copy(update={"chain": (path.parent / scenario.chain)})


def _load(path: Path) -> dict[str, Any]:
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        folders = (path.parent / "scenarios", path.parent)
        there = {other.name: other for folder in folders for other in folder.glob("*.toml")}
        near = get_close_matches(path.name, list(there), 1, cutoff=0.75)
        advice = (
            f"; did you mean {there[near[0]]}?"
            if near
            else "; give the path of a scenario, such as scenarios/milk.toml"
        )
        raise ScenarioError(f"{path}: there is no such scenario file{advice}") from None
    except IsADirectoryError:
        raise ScenarioError(f"{path} is a folder; give a scenario file, such as scenarios/milk.toml") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path} is not UTF-8 text; save it again as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path} is not valid TOML: {error}") from None
    if "source" in settings:
        raise ScenarioError(f"{path}: 'source' is set by the reader; remove it")
    return settings


def _override(settings: dict[str, Any], texts: Iterable[str]) -> None:
    changes = [_change(text) for text in texts]
    if any(path == ["trade_area", "method"] for path, _ in changes):
        settings["trade_area"] = {}  # what the file says of another method means nothing to this one
    for (*section, name), value in changes:
        target = settings
        for part in section:
            target = target.setdefault(part, {})
        if section == ["rules"] and isinstance(target.get("core"), dict):  # the file may say core = {min = 8}
            target["core"].pop(name.removeprefix("core_"), None)
        target[name] = value


def _change(text: str) -> tuple[list[str], Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ScenarioError(f"--set {text}: expected key=value, such as --set core.max=8")
    path = _locate(key.strip())
    try:
        return path, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return path, value.strip()  # a bare word is text, as a shell user expects


def _locate(key: str) -> list[str]:
    """The path of a setting: as written, or the only one whose last part it is (dots may stand for underscores)."""
    known = dict(_settings(Scenario))
    for written in (key, key.replace("-", "_")):
        if written in known:
            return written.split(".")
        ends = [path for path in known if path.split(".", 1)[-1] in (written, written.replace(".", "_"))]
        ends += [path for path in known if "." in path and written == path.replace("core_", "core.")]
        if len(ends) == 1:
            return ends[0].split(".")
        if ends:
            raise ScenarioError(f"--set {key}: could be {' or '.join(ends)}; write it whole")
    near = get_close_matches(key, list(known), 1, cutoff=0.4)
    raise ScenarioError(f"--set {key}: there is no such setting" + (f"; did you mean {near[0]}?" if near else ""))


def _settings(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every setting's dotted path, with the section that holds it."""
    for name, field in section.model_fields.items():
        inner = _section_in(field.annotation)
        if inner is not None:
            yield from _settings(inner, f"{prefix}{name}.")
        elif name != "source":
            yield f"{prefix}{name}", section


def _section_in(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, _Section) and candidate is not CoverSettings:
            return candidate
    return None


def _in_words(fault: ErrorDetails) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        section = ".".join(str(part) for part in fault["loc"][:-1])
        siblings = [path.removeprefix(f"{section}.") for path, _ in _settings(Scenario) if path.startswith(section)]
        sections = [name for name in Scenario.model_fields if name != "source"]
        near = get_close_matches(str(fault["loc"][-1]), siblings if section else sections, 1, cutoff=0.5)
        advice = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(siblings if section else sections)}"
        return f"{place}: unknown key; {advice}"
    if fault["type"] == "missing":
        return f"{place}: is missing; every scenario needs it"
    return f"{place}: found {fault['input']!r}; {fault['msg'][:1].lower()}{fault['msg'][1:]}"
