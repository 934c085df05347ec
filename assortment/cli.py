"""``assortment run|check|report``: arguments to the pipeline, and errors to exit codes."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from assortment.errors import AssortmentError, AssortmentWarning
from assortment.inputs import Chain, read_chain
from assortment.pipeline import prepare
from assortment.pipeline import run as run_scenario
from assortment.report import render
from assortment.report.folder import refuse_foreign
from assortment.scenario import Scenario

_STAGE_WORDS = {
    "inputs": "Reading the chain",
    "geo": "Trade areas and profiles",
    "demand": "Local demand",
    "optimiser": "Core and local products",
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
        Threads to use; default: as the scenario says.
    dry_run
        Read and check the inputs, say what would be done, and stop.
    """
    asked = Scenario.read(scenario, set_)
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
