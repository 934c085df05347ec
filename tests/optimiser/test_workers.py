"""Workers: the same results in the same order whoever works, also when workers die."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from typing import Any

import pytest

from assortment.errors import AssortmentError, AssortmentWarning
from assortment.optimiser.workers import Clock, Workers, lend

FORKS = pytest.mark.skipif(sys.platform != "linux", reason="workers are processes only where they can be forked")


def doubled(number: int) -> int:
    return 2 * number


def doubled_or_dead(task: tuple[int, Path]) -> int:
    """Double a number; the first worker that meets 7 dies as one that runs out of memory does."""
    number, flag = task
    if number == 7 and not flag.exists():
        flag.touch()
        os._exit(1)
    return 2 * number


def dead(number: int) -> int:
    os._exit(1)


def slowly_doubled(number: int) -> int:
    time.sleep(0.02)
    return 2 * number


class Broken(Executor):
    """An executor whose workers die after so many tasks, and that stays broken."""

    def __init__(self, tasks: int) -> None:
        self.tasks = tasks

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.tasks == 0:
            raise BrokenExecutor("a worker died")
        self.tasks -= 1
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


@pytest.mark.parametrize("count", [1, 2, 3])
def test_results_come_in_order(count: int) -> None:
    """Every item is worked on once, and results come in the order of the items."""
    with lend(count, None) as team:
        assert list(team.map(doubled, range(100))) == list(range(0, 200, 2))
        assert list(team.map_until(Clock(None), doubled, range(9), dead)) == list(range(0, 18, 2))


@FORKS
@pytest.mark.parametrize("until", [False, True])
def test_a_worker_that_dies_is_replaced(tmp_path: Path, until: bool) -> None:
    """What a dead worker had not finished is done again; nothing is lost, nothing doubled."""
    tasks = [(number, tmp_path / "flag") for number in range(40)]
    with lend(2, None) as team:
        found = team.map_until(Clock(None), doubled_or_dead, tasks, len) if until else team.map(doubled_or_dead, tasks)
        assert list(found) == list(range(0, 80, 2))
    assert (tmp_path / "flag").exists()


@FORKS
def test_workers_that_always_die_are_an_error() -> None:
    """A task that kills every worker ends in a sentence that says what to do, not in an endless loop."""
    with lend(2, None) as team, pytest.raises(AssortmentError, match="workers died 4 times"):
        list(team.map(dead, range(4)))


@pytest.mark.parametrize("tasks", [0, 3])
def test_an_executor_that_breaks_is_told_and_the_work_goes_on(tasks: int) -> None:
    """An executor that was handed in cannot be replaced: the rest is done here, and the user is told."""
    team = Workers(Broken(tasks))
    with pytest.warns(AssortmentWarning, match="goes on in this process"):
        assert list(team.map_until(Clock(None), doubled, range(6), dead)) == list(range(0, 12, 2))


def test_the_clock_cuts_off_what_has_not_begun() -> None:
    """Once the time is over, items that nobody works on get the other answer."""
    assert list(Workers(None).map_until(Clock(0.0), doubled, range(3), str)) == ["0", "1", "2"]
    with lend(2, None) as team:
        found = list(team.map_until(Clock(0.0), slowly_doubled, range(50), str))
    assert found[-1] == "49"
    assert all(item in (2 * i, str(i)) for i, item in enumerate(found))
