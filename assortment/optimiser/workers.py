"""Workers: the same function over many stores, in order, on one thread, several, or a given executor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Clock:
    """The time limit of a run; ``expired`` is the only place where a clock is read."""

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
    def expired(self) -> bool:
        """Whether the limit has passed; once it has, the run counts as stopped by the clock."""
        if self.limit_s is not None and time.monotonic() - self._start > self.limit_s:
            self.stopped = True
        return self.stopped


@dataclass(frozen=True)
class Workers:
    """Maps a function over items. HiGHS works outside Python's lock, so threads are enough on one machine.

    The results do not depend on how many workers there are: each item is worked on alone and results come in order.
    """

    executor: Executor | None

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield ``function(item)`` for each item, in order."""
        if self.executor is None:
            return map(function, items)
        return self.executor.map(function, items)

    def map_until(
        self,
        clock: Clock,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        otherwise: Callable[[Item], Result],
    ) -> Iterator[Result]:
        """Yield ``function(item)`` for each item, in order, and ``otherwise(item)`` for those the clock cuts off."""
        if self.executor is None:
            for item in items:
                yield otherwise(item) if clock.expired else function(item)
            return
        futures = [self.executor.submit(function, item) for item in items]
        for item, future in zip(items, futures, strict=True):
            yield otherwise(item) if clock.expired and future.cancel() else future.result()


@contextmanager
def lend(count: int, executor: Executor | None) -> Iterator[Workers]:
    """Lend workers: the given executor, or ``count`` threads; what has not begun is cancelled on the way out."""
    if executor is not None or count == 1:
        yield Workers(executor)
        return
    own = ThreadPoolExecutor(count)
    try:
        yield Workers(own)
    finally:
        own.shutdown(cancel_futures=True)
