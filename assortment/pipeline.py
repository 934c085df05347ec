"""``run(scenario) -> Run``: the only place that knows the order of the stages."""

from __future__ import annotations

import hashlib
import platform
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from math import isfinite
from os import environ
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from assortment.demand import ChoiceModel, Demand, calibrate, fit_demand
from assortment.errors import AssortmentWarning, ScenarioError, listed
from assortment.geo import HuffFit, StoreProfiles, TradeAreas, chain_areas, income_bands, store_profiles
from assortment.inputs import Chain, read_chain
from assortment.optimiser import Costs, Plan, PlanWorth, Problem, plan_worth, require_possible, solve
from assortment.report import save, summary
from assortment.report.folder import replacing
from assortment.scenario import Scenario

STAGES = ("inputs", "geo", "demand", "optimiser", "report")
"""The folders of the stages, in order; each may import only those before it."""

Progress = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)``; stage is one of ``STAGES``, or ``prices`` where these are asked for."""

_RECORDED = (
    *("assortment", "numpy", "scipy", "threadpoolctl", "pandas", "duckdb", "geopandas", "shapely", "pyproj"),
    *("PuLP", "highspy", "typst"),
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A scenario with every intermediate, so that a report or a notebook never computes anything again.

    Attributes
    ----------
    scenario, chain, areas, profiles, model, demand, problem, plan
        What each stage was given and what it gave.
    calibration
        Predicted against actual units per store for today's listing, from a fit that had not seen the store; empty
        where the chain has no till sales.
    huff_fit
        How well alpha and decay of the trade areas are known, where the scenario has them estimated.
    worth
        What each rule costs and a little more room is worth, where the scenario asks for it (``prices`` under
        ``[solve]``) and nobody stopped the run before.
    seconds
        Wall time by stage.
    warnings
        What a reader of the results should know.
    """

    scenario: Scenario
    chain: Chain
    areas: TradeAreas
    profiles: StoreProfiles
    model: ChoiceModel
    demand: Demand
    problem: Problem
    plan: Plan
    calibration: pd.DataFrame
    huff_fit: HuffFit | None = None
    worth: PlanWorth | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The scenario's title."""
        return self.scenario.title

    def summary(self) -> dict[str, str]:
        """The run in a few lines, for people: stores, core, local, margin against today's range, gap to the bound."""
        return summary(self)

    @property
    def manifest(self) -> dict[str, Any]:
        """What it takes to reproduce the run and to judge its proof, as plain JSON values."""
        plan = self.plan
        return {
            "title": self.title,
            "scenario": self.scenario.name,
            "settings": self.scenario.model_dump(mode="json", exclude={"source", "chain"}),
            "chain": self.chain.name,
            "date": _today().isoformat(),
            "inputs": _hashes(self.scenario, self.chain),
            "versions": {"python": platform.python_version(), **{name: version(name) for name in _RECORDED}},
            "seed": self.scenario.seed,
            "huff_fit": None if self.huff_fit is None else _fitted(self.huff_fit),
            # A run that stopped before the demand stage has none.
            "demand": _told(self.model, self.demand) if self.demand else None,
            "status": str(plan.status),
            "value_per_week": plan.value,
            "bound_per_week": plan.bound if isfinite(plan.bound) else None,  # JSON knows no infinity
            "gap": plan.gap if isfinite(plan.gap) else None,
            "seconds": {stage: round(seconds, 2) for stage, seconds in self.seconds.items()},
            "warnings": list(self.warnings),
        }

    def save(self, folder: str | Path, *, progress: Progress | None = None) -> Path:
        """Write the reports: PDFs, workbook, tables and manifest.

        Everything is written beside ``folder`` and renamed when complete: a failure leaves what was there untouched.

        Raises
        ------
        ReportError
            ``folder`` holds something other than an earlier run, or cannot be written.
        """
        with replacing(Path(folder)) as unfinished:
            save(self, unfinished, progress=_of("report", progress))
        return Path(folder)


def run(
    scenario: str | Path | Scenario,
    *,
    overrides: Iterable[str] = (),
    workers: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Answer one scenario: who each store serves, what they would buy, what each store carries.

    Parameters
    ----------
    scenario
        A scenario file, or a scenario that was read before.
    overrides
        Settings that replace the file's, as in ``Scenario.read``.
    workers
        Workers to use; default: as the scenario says. The results do not depend on it.
    progress
        Called as ``progress(stage, done, total)``.

    Raises
    ------
    AssortmentError
        Whatever a stage cannot use, named; see ``assortment.errors``.
    """
    asked = scenario if isinstance(scenario, Scenario) else Scenario.read(scenario, overrides)
    workers = workers or asked.solve.workers
    seconds: dict[str, float] = {}
    with _remembered() as remembered:
        chain = _inputs(asked, seconds, progress)
        areas, profiles, huff_fit = _geography(asked, chain, seconds, progress)
        with _timed("demand", seconds, progress):
            model, demand, calibration = _demand(asked, chain, profiles, workers, progress)
        with _timed("optimiser", seconds, progress):
            problem = _problem(asked, chain, demand)
            plan = solve(
                problem,
                gap=asked.solve.gap,
                time_limit_s=asked.solve.time_limit_s,
                workers=workers,
                prove=asked.solve.prove,
                progress=_of("optimiser", progress),
            )
        worth = _worth(asked, plan, workers, seconds, progress)
    return Run(
        scenario=asked,
        chain=chain,
        areas=areas,
        profiles=profiles,
        model=model,
        demand=demand,
        problem=problem,
        plan=plan,
        calibration=calibration,
        huff_fit=huff_fit,
        worth=worth,
        seconds=seconds,
        warnings=tuple(remembered),
    )


def state(asked: Scenario, *, progress: Progress | None = None) -> Problem:
    """State what a scenario asks the optimiser to decide, and stop there: nothing is solved."""
    seconds: dict[str, float] = {}
    chain, _, profiles = prepare(asked, seconds, progress)
    with _timed("demand", seconds, progress):
        _, demand, _ = _demand(asked, chain, profiles, asked.solve.workers, progress)
    return _problem(asked, chain, demand)


class Prepared(NamedTuple):
    """What is known before anything is estimated."""

    chain: Chain
    areas: TradeAreas
    profiles: StoreProfiles


def prepare(asked: Scenario, seconds: dict[str, float] | None = None, progress: Progress | None = None) -> Prepared:
    """Read and check the chain of a scenario and work out who each store serves; a dry run stops here."""
    seconds = {} if seconds is None else seconds
    chain = _inputs(asked, seconds, progress)
    areas, profiles, _ = _geography(asked, chain, seconds, progress)
    return Prepared(chain, areas, profiles)


def _inputs(asked: Scenario, seconds: dict[str, float], progress: Progress | None) -> Chain:
    with _timed("inputs", seconds, progress):
        chain = read_chain(asked.chain).of(asked.category)
        require_possible(chain, category=asked.category, rules=asked.rules.spec(), costs=Costs(**asked.costs.given()))
    return chain


def _geography(
    asked: Scenario, chain: Chain, seconds: dict[str, float], progress: Progress | None
) -> tuple[TradeAreas, StoreProfiles, HuffFit | None]:
    with _timed("geo", seconds, progress):
        neighbourhoods = chain.neighbourhoods
        if asked.income_bands is not None:
            neighbourhoods = income_bands(neighbourhoods, **asked.income_bands.given())
        areas, huff_fit = chain_areas(chain, neighbourhoods, **asked.trade_area.given())
        return areas, store_profiles(areas, neighbourhoods), huff_fit


def _demand(
    asked: Scenario, chain: Chain, profiles: StoreProfiles, workers: int, progress: Progress | None
) -> tuple[ChoiceModel, Demand, pd.DataFrame]:
    settings = {name: value for name, value in asked.demand.given().items() if name != "source"}
    used = asked.demand.source
    _require_tables(chain, used)
    sales = chain.sales if "sales" in used else None
    with_households = "baskets" in used
    model = fit_demand(
        sales,
        chain.products,
        profiles,
        offered=chain.offered,
        shelves=chain.shelves,
        baskets=chain.baskets if with_households else None,
        households=chain.households if with_households else None,
        survey=chain.survey if "survey" in used else None,
        today=chain.listing,
        seed=asked.seed,
        workers=workers,
        progress=_of("demand", progress),
        **settings,
    )
    demand = model.predict(chain.stores, chain.products, profiles, listing=chain.listing)
    return model, demand, calibrate(model, demand, sales)


def _require_tables(chain: Chain, sources: Iterable[str]) -> None:
    """Refuse a source of demand that the chain does not have, where several are asked for."""
    asked = tuple(sources)
    missing = [name for name in asked if getattr(chain, name) is None]
    if missing and len(asked) > 1:
        raise ScenarioError(
            f"demand.source names {listed(missing)}, of which the chain has no table with rows of this category; "
            f"add {'it' if len(missing) == 1 else 'them'} to the chain's folder, or leave "
            f"{'it' if len(missing) == 1 else 'them'} out."
        )


def _fitted(fit: HuffFit) -> dict[str, Any]:
    """The estimate of a Huff model as plain JSON values, which know no NaN."""
    rows = fit.table.astype(object).where(fit.table.notna(), None)
    return {"source": fit.source, "observations": fit.observations, "parameters": rows.to_dict("records")}


def _told(model: ChoiceModel, demand: Demand) -> dict[str, Any]:
    """What the demand model found and assumed, as plain JSON values."""
    shares = demand.class_weight.sum(axis=0) / demand.class_weight.sum()
    return {
        "demographics_used": model.local,
        "local_tastes": model.evidence.sentence,
        "shoppers": {name: round(float(part), 4) for name, part in zip(demand.class_names, shares, strict=True)},
        "occasions_from": demand.weight_source,
        "walk_away": round(demand.walk_away, 4),
        "buying_nothing": model.walk_away_in_words,
        "cautions": list(model.cautions),
    }


def _problem(asked: Scenario, chain: Chain, demand: Demand) -> Problem:
    return Problem.from_demand(
        demand,
        chain,
        category=asked.category,
        rules=asked.rules.spec(),
        costs=Costs(**asked.costs.given()),
        objective=asked.solve.objective,
    )


def _worth(
    asked: Scenario, plan: Plan, workers: int, seconds: dict[str, float], progress: Progress | None
) -> PlanWorth | None:
    """Return what rules cost and room is worth, where it is asked for and nobody has stopped the run."""
    if not asked.solve.prices or plan.status == "interrupted":
        return None
    try:
        with _timed("prices", seconds, progress):
            return plan_worth(
                plan,
                gap=asked.solve.gap,
                time_limit_s=asked.solve.time_limit_s,
                total_time_limit_s=asked.solve.prices_time_limit_s,
                workers=workers,
                prove=asked.solve.prove,
                progress=_of("prices", progress),
            )
    except KeyboardInterrupt:
        # `plan_worth` keeps what it has; pressed again, the plan at least is kept.
        return None


def _of(stage: str, progress: Progress | None) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(stage, done, total)


@contextmanager
def _timed(stage: str, seconds: dict[str, float], progress: Progress | None) -> Iterator[None]:
    started = time.perf_counter()
    if progress:
        progress(stage, 0, 1)
    yield
    seconds[stage] = time.perf_counter() - started
    if progress:
        progress(stage, 1, 1)


@contextmanager
def _remembered() -> Iterator[list[str]]:
    """Collect the warnings of the stages for the manifest, and hand each on to whoever listens."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AssortmentWarning)
        yield texts
    for warning in caught:
        if issubclass(warning.category, AssortmentWarning) and str(warning.message) not in texts:
            texts.append(str(warning.message))
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def _today() -> datetime:
    # The convention of reproducible builds: whoever needs the same bytes on another day sets the variable.
    epoch = environ.get("SOURCE_DATE_EPOCH")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _hashes(scenario: Scenario, chain: Chain) -> dict[str, str]:
    files = dict(sorted(chain.files.items()))
    if scenario.source is not None:
        files["scenario"] = scenario.source
    return {f"{table} ({path.name})": hashlib.sha256(path.read_bytes()).hexdigest() for table, path in files.items()}
