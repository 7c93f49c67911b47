"""A limit to how long something may take: `asyncio.timeout` at a tenth of its cost."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _UnderWay:
    task: asyncio.Task[Any]
    ends: float
    is_over: bool = False
    is_late: bool = False


class Deadline:
    """The same number of seconds each time; all that are under way share one timer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._under_way: deque[_UnderWay] = deque()  # in the order in which their time is up
        self._loop: asyncio.AbstractEventLoop | None = None  # where the timer runs

    async def within(self, work: Coroutine[Any, Any, T]) -> T:
        """TimeoutError when it takes longer; it is cancelled then."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be cancelled")
        cancelled_before = task.cancelling()
        one = self._enter(task)
        try:
            return await work
        except asyncio.CancelledError as error:
            # Else somebody else has cancelled it as well.
            if one.is_late and task.uncancel() <= cancelled_before:
                raise TimeoutError from error
            raise
        finally:
            one.is_over = True
            self._let_go()

    def _enter(self, task: asyncio.Task[Any]) -> _UnderWay:
        loop = asyncio.get_running_loop()
        one = _UnderWay(task, loop.time() + self._seconds)
        if loop is not self._loop:
            self._under_way.clear()  # of a loop that has ended
            self._loop = loop
            loop.call_at(one.ends, self._ring)
        self._under_way.append(one)
        return one

    def _let_go(self) -> None:
        under_way = self._under_way
        while under_way and under_way[0].is_over:
            under_way.popleft()

    def _ring(self) -> None:
        """Ends what is late; comes back for the next one, if there is one."""
        self._let_go()
        loop = asyncio.get_running_loop()
        while self._under_way and self._under_way[0].ends <= loop.time():
            late = self._under_way.popleft()
            late.is_late = True
            late.task.cancel()
            self._let_go()
        if self._under_way:
            loop.call_at(self._under_way[0].ends, self._ring)
        else:
            self._loop = None
