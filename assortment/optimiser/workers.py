"""Workers: the same function over many stores, in order, here or in processes, which are replaced when they die."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TypeVar

from assortment.errors import AssortmentError, AssortmentWarning

Item = TypeVar("Item")
Result = TypeVar("Result")

_REPLACED_MOST = 3
_CHUNKS = 24
_CHUNK_MOST = 32


@dataclass
class Clock:
    """The time limit of a run; a clock is read in ``expired`` and ``left_s`` only."""

    limit_s: float | None

    def __post_init__(self) -> None:
        self._start = time.monotonic()
        self.stopped = False

    def part(self, share: float) -> Clock:
        """Return a clock that began when this one did and allows a share of its time."""
        part = Clock(None if self.limit_s is None else share * self.limit_s)
        part._start = self._start
        return part

    @property
    def left_s(self) -> float | None:
        """Seconds until the limit passes, never below 0; ``None`` without a limit."""
        return None if self.limit_s is None else max(0.0, self.limit_s - (time.monotonic() - self._start))

    @property
    def expired(self) -> bool:
        """Whether the limit has passed; once it has, the run counts as stopped by the clock."""
        if self.limit_s is not None and time.monotonic() - self._start > self.limit_s:
            self.stopped = True
        return self.stopped


class Workers:
    """Maps a function over items, through the interface of `concurrent.futures`.

    The results do not depend on how many workers there are: each item is worked on alone and results come in order.
    When a worker dies (most often for lack of memory), what it had not finished is done again: by a new pool where the
    pool is our own, in this process where the executor was handed in.

    Parameters
    ----------
    executor
        Who works; ``None``: this process.
    renew
        Makes a new executor in place of a broken one; ``None`` where the executor was handed in.
    """

    def __init__(self, executor: Executor | None, renew: Callable[[], Executor] | None = None) -> None:
        self.executor = executor
        self._renew = renew
        self._replaced = 0

    def clock_of(self, clock: Clock) -> Clock | None:
        """Return the clock that workers may read; ``None`` where they may be on another machine, with another time."""
        return clock if self.executor is None or self._renew is not None else None

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield ``function(item)`` for each item, in order."""
        if self.executor is None:
            return map(function, items)
        every = list(items)
        size = min(_CHUNK_MOST, max(1, len(every) // _CHUNKS))
        chunks = [every[i : i + size] for i in range(0, len(every), size)]
        return chain.from_iterable(self._in_order(partial(_each, function), chunks, Clock(None), None))

    def map_until(
        self,
        clock: Clock,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        otherwise: Callable[[Item], Result],
    ) -> Iterator[Result]:
        """Yield ``function(item)`` for each item, in order, and ``otherwise(item)`` for those the clock cuts off."""
        if self.executor is None:
            return (otherwise(item) if clock.expired else function(item) for item in items)
        return self._in_order(function, items, clock, otherwise)

    def _in_order(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        clock: Clock,
        otherwise: Callable[[Item], Result] | None,
    ) -> Iterator[Result]:
        futures = [self._submit(function, item) for item in items]
        for i, item in enumerate(items):
            while True:
                if otherwise is not None and clock.expired:
                    # All at once: while one is waited for, the pool would begin the next.
                    for future in reversed(futures[i:]):
                        future.cancel()
                    if futures[i].cancelled():
                        yield otherwise(item)
                        break
                try:
                    result = futures[i].result()
                except BrokenExecutor:
                    self._replace()
                    lost = [j for j in range(i, len(items)) if _is_lost(futures[j])]
                    for j in lost:
                        futures[j] = self._submit(function, items[j])
                else:
                    yield result
                    break

    def _submit(self, function: Callable[[Item], Result], item: Item) -> Future[Result]:
        while self.executor is not None:
            try:
                # A pool starts its processes here. Threads that do not matter to them, such as a progress bar's, are no
                # danger: the workers touch nothing that these hold.
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
                    return self.executor.submit(function, item)
            except BrokenExecutor:
                self._replace()
        done: Future[Result] = Future()
        done.set_result(function(item))
        return done

    def _replace(self) -> None:
        self._replaced += 1
        if self._renew is None:
            warnings.warn(
                "a worker of the executor died and the executor is broken; the work goes on in this process, slower",
                AssortmentWarning,
                stacklevel=2,
            )
            self.executor = None
            return
        if self._replaced > _REPLACED_MOST:
            raise AssortmentError(
                f"workers died {self._replaced} times, most often for lack of memory; "
                "run with one worker (workers = 1) or give the machine more memory"
            )
        self.executor = self._renew()


def _each(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]


def _is_lost(future: Future[Result]) -> bool:
    return future.done() and not future.cancelled() and isinstance(future.exception(), BrokenExecutor)


@contextmanager
def lend(count: int, executor: Executor | None) -> Iterator[Workers]:
    """Lend workers: the given executor, or ``count`` of our own; what has not begun is cancelled on the way out."""
    if executor is not None or count == 1:
        yield Workers(executor)
        return
    own = [_pool(count)]

    def renew() -> Executor:
        own.append(_pool(count))
        return own[-1]

    try:
        yield Workers(own[0], renew)
    finally:
        for pool in own:
            pool.shutdown(cancel_futures=True)


def _pool(count: int) -> Executor:
    """Return processes where they can be forked, else threads.

    Elsewhere a new process would begin by importing the planner's own script again, which ends badly unless that script
    is written for it. Threads are slower, but HiGHS works outside Python's lock.
    """
    if sys.platform == "linux":
        return ProcessPoolExecutor(count, multiprocessing.get_context("fork"), _leave_interrupts_to_the_parent)
    return ThreadPoolExecutor(count)


def _leave_interrupts_to_the_parent() -> None:
    """Ignore Ctrl-C, which a terminal sends to every process: the parent stops the run and keeps the best plan."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
