"""``assortment run|check|report|model|prices|sells``: arguments to the pipeline, and errors to exit codes."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from assortment.errors import AssortmentError, AssortmentWarning
from assortment.geo.sells.area_sales import ASSUMPTION, area_sales
from assortment.geo.sells.area_table import AreaTable
from assortment.geo.sells.drawn import read_area
from assortment.geo.sells.weekly_sales import in_words
from assortment.inputs import Chain, read_chain
from assortment.optimiser.programme.model_file import require_ending
from assortment.pipeline import prepare, state
from assortment.pipeline import run as run_scenario
from assortment.report import render
from assortment.report.area_files import named, require_files, save_area
from assortment.report.facts import Facts
from assortment.report.folder import refuse_foreign
from assortment.report.numbers import money, number, percent
from assortment.report.price_files import price_files, require_folder
from assortment.report.rule_prices import chain_prices
from assortment.scenario import Scenario

_STAGE_WORDS = {
    "inputs": "Reading the chain",
    "geo": "Trade areas and profiles",
    "demand": "Local demand",
    "optimiser": "Core and local products",
    "prices": "Prices of the rules",
    "report": "Reports",
}
_USAGE, _INTERRUPTED = 64, 130

app = App(
    name="assortment",
    help="Choose what each store of a chain carries: a core everywhere, plus products that fit the place.",
    suppress_keyboard_interrupt=False,  # ours says what was written
)
_out, _err = Console(highlight=False), Console(stderr=True, highlight=False)


@app.command
def run(
    scenario: Path,
    *,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    out: Path | None = None,
    workers: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    prices_: Annotated[bool, Parameter(name="--prices", negative=())] = False,
) -> None:
    """Run a scenario and write its reports.

    Parameters
    ----------
    scenario
        Scenario file, such as scenarios/milk.toml.
    set_
        Replace a setting of the file: --set core.max=8. May be given more than once.
    out
        Folder for the reports; default: reports/ and the name of the scenario.
    workers
        Processes to use; default: as the scenario says.
    dry_run
        Read and check the inputs, say what would be done, and stop.
    prices_
        Tell in the reports what each rule costs and more room is worth; the chain is planned again for each.
    """
    asked = Scenario.read(scenario, (*set_, *(("solve.prices=true",) if prices_ else ())))
    folder = out or Path("reports") / asked.name
    refuse_foreign(folder)
    if dry_run:
        _out.print(_contents(prepare(asked).chain, asked.chain))
        _out.print(f"{asked.title}: nothing was solved or written; a run would write to {folder}", soft_wrap=True)
        return
    with _bars() as bars:
        finished = run_scenario(asked, workers=workers, progress=bars.report)
        finished.save(folder, progress=bars.report)
    table = Table(title=Text(finished.title), show_header=False, title_justify="left")
    for name, value in {**finished.summary(), "Files": str(folder)}.items():
        table.add_row(name, Text(value))
    _out.print(table)
    if finished.plan.status == "interrupted":
        _err.print("stopped early: the reports hold the best plan found so far", soft_wrap=True)
        sys.exit(_INTERRUPTED)
    if asked.solve.prices and (finished.worth is None or finished.worth.interrupted):
        _err.print("stopped early: the plan is finished, but not every rule has a price", soft_wrap=True)
        sys.exit(_INTERRUPTED)


@app.command
def check(chain: Path) -> None:
    """Read a chain folder, report every fault of its tables, and say what it holds.

    Parameters
    ----------
    chain
        Folder with a chain.toml, such as data/sacramento.
    """
    _out.print(_contents(read_chain(chain), chain))


@app.command
def report(run_folder: Path, *, store: Annotated[tuple[str, ...], Parameter(negative=())] = ()) -> None:
    """Make the PDFs of a finished run again, from what it saved.

    Parameters
    ----------
    run_folder
        Folder of a run, such as reports/milk.
    store
        Only these stores; may be given more than once. Default: all stores and the chain.
    """
    with _bars() as bars:
        written = render(run_folder, store or None, progress=lambda done, total: bars.report("report", done, total))
    _out.print(f"{len(written)} PDF{'' if len(written) == 1 else 's'} written to {run_folder}", soft_wrap=True)


@app.command
def model(
    scenario: Path,
    file: Path,
    *,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
) -> None:
    """Write the complete linear programme of a scenario, for people and other solvers; nothing is solved.

    Parameters
    ----------
    scenario
        Scenario file, such as scenarios/milk.toml.
    file
        File to write, ending in .lp or .mps. Beside it goes a table of what each variable is of.
    set_
        Replace a setting of the file: --set core.max=8. May be given more than once.
    """
    require_ending(file)
    asked = Scenario.read(scenario, set_)
    with _bars() as bars:
        problem = state(asked, progress=bars.report)
    written = problem.write(file)
    _out.print(f"written to {written} and {written.with_suffix('.names.csv')}", soft_wrap=True)


@app.command
def prices(
    scenario: Path,
    *,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    out: Path | None = None,
    workers: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    time_limit: Annotated[float | None, Parameter(validator=Number(gt=0))] = None,
) -> None:
    """Say what each rule of a scenario costs the chain and each store, and what a little more room is worth.

    The chain is planned, then planned again without each rule and with one more of each thing that the rules count.

    Parameters
    ----------
    scenario
        Scenario file, such as scenarios/milk.toml.
    set_
        Replace a setting of the file: --set solve.prove=false, which is faster but bounds nothing. May be given more
        than once.
    out
        Folder for the CSV files; default: reports/ and the name of the scenario with -prices.
    workers
        Processes to use; default: as the scenario says.
    time_limit
        Seconds for all the planning again; what is not begun by then is left out. Default: none for all together, and
        for each the time limit of the scenario.
    """
    limit = () if time_limit is None else (f"solve.prices_time_limit_s={time_limit}",)
    asked = Scenario.read(scenario, (*set_, "solve.prices=true", *limit))
    folder = out or Path("reports") / f"{asked.name}-prices"
    require_folder(folder)
    with _bars() as bars:
        finished = run_scenario(asked, workers=workers, progress=bars.report)
    if finished.worth is None:
        raise KeyboardInterrupt  # before the first rule
    told = Facts.of(finished)
    # Printed first: a full disk must not cost what took minutes.
    for table in _what_rules_cost(told):
        _out.print(table)
    for file in price_files(told, folder):
        _out.print(f"written to {file}", soft_wrap=True)
    if finished.worth.interrupted:
        _err.print("stopped early: not every rule has a price", soft_wrap=True)
        sys.exit(_INTERRUPTED)


@app.command
def sells(
    scenario: Path,
    *,
    by: Annotated[tuple[str, ...], Parameter(negative=())] = ("product_id",),
    near: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    within_km: Annotated[float | None, Parameter(validator=Number(gt=0))] = None,
    polygon: Path | None = None,
    neighbourhood: str | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    out: Path | None = None,
    map_: Annotated[Path | None, Parameter(name="--map")] = None,
    top: Annotated[int, Parameter(validator=Number(gte=1))] = 20,
) -> None:
    """Say what sells to the people of an area, against the chain; without an area, in the whole chain.

    Parameters
    ----------
    scenario
        Scenario file, such as scenarios/milk.toml: it names the chain, the category and the trade areas.
    by
        Column of the products to add sales up by, such as type or brand. May be given more than once.
    near
        A place, as longitude,latitude in degrees: --near -121.49,38.58. Goes with --within-km.
    within_km
        How far around the place, in kilometres.
    polygon
        File with the outline of the area: GeoJSON, GeoPackage, Shapefile or GeoParquet.
    neighbourhood
        Id of one neighbourhood.
    set_
        Replace a setting of the file: --set trade_area.decay=1.5. May be given more than once.
    out
        CSV file to write: the table, or every neighbourhood where no area is given.
    map_
        PNG file to draw.
    top
        Rows to print.
    """
    place = _one_area(near, within_km, polygon, neighbourhood)
    require_files(csv=out, png=map_)
    asked = Scenario.read(scenario, set_)
    drawn = None if polygon is None else read_area(polygon)
    with _bars() as bars:
        ready = prepare(asked, progress=bars.report)
    chain = ready.chain
    sold = area_sales(chain.sales, chain.products, ready.areas, chain.neighbourhoods, by=by, prices=chain.prices)
    if place is not None and within_km is not None:
        area = sold.near(*place, 1000.0 * within_km)
    elif drawn is not None:
        area = sold.within(drawn)
    else:
        area = sold.chain if neighbourhood is None else sold.neighbourhood(neighbourhood)
    save_area(sold, area, chain, csv=out, png=map_)
    _out.print(_what_sells(area, chain, top))
    for file in (out, map_):
        if file is not None:
            _out.print(f"written to {file}", soft_wrap=True)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the ``assortment`` command; ends the process with the exit code of the error, if any."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            app(arguments, result_action="return_value", exit_on_error=False, error_console=_err)
        except CycloptsError:
            sys.exit(_USAGE)  # the library has said what is wrong
        except AssortmentError as error:
            _err.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            _err.print("stopped; nothing was written")
            sys.exit(_INTERRUPTED)


def _contents(chain: Chain, place: Path) -> Table:
    table = Table("table", "rows", "file", title=Text(f"{chain.name} ({place})"), title_justify="left")
    for name, frame in chain.tables.items():
        file = chain.files.get(name)
        table.add_row(name, f"{len(frame):,}", Text(file.name if file else "made by the reader"))
    table.caption = Text("\n".join(chain.notes))
    table.caption_justify = "left"
    return table


def _one_area(
    near: str | None, within_km: float | None, polygon: Path | None, neighbourhood: str | None
) -> tuple[float, float] | None:
    """The place of --near; ends the process where the options do not say one area."""
    given = [
        option
        for option, value in (("--near", near), ("--polygon", polygon), ("--neighbourhood", neighbourhood))
        if value is not None
    ]
    if len(given) > 1:
        _misused(f"{' and '.join(given)} are each an area; give one of them")
    if (near is None) != (within_km is None):
        _misused("--near and --within-km go together: --near -121.49,38.58 --within-km 3")
    if near is None:
        return None
    try:
        longitude, latitude = (float(part) for part in near.split(","))
    except ValueError:
        _misused(f"--near: expected longitude,latitude in degrees, such as -121.49,38.58; found '{near}'")
    return longitude, latitude


def _misused(message: str) -> NoReturn:
    _err.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)
    sys.exit(_USAGE)


def _what_sells(area: AreaTable, chain: Chain, top: int) -> Table:
    frame = named(area.table.head(top), chain)
    keys = dict.fromkeys(column for column in ("product_id", "name", *area.by) if column in frame)
    table = Table(title=Text(f"{chain.name}: what sells per week in {area.where}"), title_justify="left")
    for column in keys:
        table.add_column(column.replace("_", " "), overflow="fold")
    for heading in ("units", "sales", "margin", "share", "in chain", "index"):
        table.add_column(heading, justify="right", no_wrap=True)  # a narrow window must not cut figures off
    cents = 0 if frame["sales_per_week"].max() >= 1000.0 else 2
    for row in frame.to_dict("records"):
        table.add_row(
            *(Text(in_words(row[key])) for key in keys),
            number(row["units_per_week"], 1),
            money(row["sales_per_week"], chain.currency, cents),
            money(row["margin_per_week"], chain.currency, cents),
            percent(row["share_of_units"], 1),
            percent(row["chain_share_of_units"], 1),
            number(row["index"]),
        )
    table.caption, table.caption_justify = Text("\n".join(_said(area, chain, top))), "left"
    return table


def _what_rules_cost(told: Facts) -> list[Table]:
    page = chain_prices(told)
    assert page is not None
    title = f"{told.run.chain.name}: {told.run.title}"
    more = f"more {page['worth']} per week"
    rules = _priced(title, ("without this rule", more, "proven range", "stores that pay most, per week"))
    for row in page["rules"]:
        rules.add_row(
            *(Text(part) for part in (row["words"], row["cost"] or row["state"], row["range"], row["stores"]))
        )
    room = _priced("", ("with this", more, "proven range"))
    for row in page["room"]:
        room.add_row(*(Text(part) for part in (row["step"], row["worth"] or row["state"], row["range"])))
    tables = [table for table in (rules, room) if table.row_count] or [rules]
    tables[-1].caption = Text("\n".join([*page["notes"], page["shelf"], *told.run.chain.notes]))
    return tables


def _priced(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(title=Text(title) if title else None, title_justify="left", caption_justify="left")
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="right" if at in (1, 2) else "left", overflow="fold")
    return table


def _said(area: AreaTable, chain: Chain, top: int) -> list[str]:
    """What belongs below the table: who lives there, where it was bought, what was assumed and made up."""
    first, stores = area.from_stores.iloc[0], len(area.from_stores)
    names = chain.stores.frame.set_index("store_id")["name"]
    store = f"{names[first['store_id']]} ({first['store_id']})"
    more = len(area.table) - top
    return [
        *([f"{more} more rows; --top {len(area.table)} prints all, --out FILE.csv writes them"] if more > 0 else []),
        f"{area.people_column.replace('_', ' ')} who live there: {number(area.people)}",
        f"bought in {number(stores)} stores, {percent(first['part_of_area'])} of it in {store}"
        if stores > 1
        else f"all bought in {store}",
        "share: part of all units; index: that share against the chain's, 100 = the same",
        ASSUMPTION,
        *chain.notes,
    ]


class _Bars:
    """One progress bar a stage, on stderr so that what a script reads from stdout stays clean."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def report(self, stage: str, done: int, total: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(_STAGE_WORDS[stage], total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)


@contextmanager
def _bars() -> Iterator[_Bars]:
    columns = (TextColumn("{task.description:<26}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err) as bars:
        yield _Bars(bars)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    word = "note" if issubclass(category, AssortmentWarning) else category.__name__
    _err.print(Text.assemble((f"{word}: ", "yellow"), str(message)), soft_wrap=True)
