"""A limit to how long something may take, and nobody else's cancelling is taken for it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.deadline import Deadline

FOREVER = 3600.0


async def answer(seconds: float = 0) -> str:
    await asyncio.sleep(seconds)
    return "done"


def in_a_task(story: Callable[[], Awaitable[object]]) -> object:
    async def main() -> object:
        return await asyncio.wait_for(asyncio.ensure_future(story()), 10)

    return asyncio.run(main())


def test_what_is_in_time_answers() -> None:
    assert in_a_task(lambda: Deadline(FOREVER).within(answer())) == "done"


def test_what_takes_too_long_is_cancelled_and_the_task_goes_on() -> None:
    ended = []

    async def slow() -> None:
        try:
            await asyncio.sleep(FOREVER)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def story() -> tuple[int, str]:
        with pytest.raises(TimeoutError):
            await Deadline(0.01).within(slow())
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling(), await Deadline(FOREVER).within(answer(0.01))

    assert in_a_task(story) == (0, "done")
    assert ended == ["cancelled"]


def test_an_error_is_passed_on_and_no_timer_is_left() -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async def story() -> str:
        with pytest.raises(ZeroDivisionError):
            await Deadline(0.01).within(broken())
        return await answer(0.05)

    assert in_a_task(story) == "done"


@pytest.mark.parametrize("seconds", [FOREVER, 0.0])
def test_who_is_cancelled_from_outside_stays_cancelled(seconds: float) -> None:
    """Also when the time is up in the same moment."""

    async def main() -> bool:
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            await asyncio.sleep(FOREVER)

        task = asyncio.create_task(Deadline(seconds).within(work()))
        if seconds:
            await begun.wait()
        else:
            await asyncio.sleep(0)  # it has begun, and its timer is due in the next round
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(main())


def test_one_that_is_late_does_not_hurt_those_beside_it() -> None:
    """They share the timer, and those that are over do not stay in its memory."""

    async def story() -> list[str]:
        limit = Deadline(0.1)

        async def take(begin: float, seconds: float) -> str:
            await asyncio.sleep(begin)
            try:
                return await limit.within(answer(seconds))
            except TimeoutError:
                return "late"

        plans = [(0, 0), (0, FOREVER), (0.05, 0.01), (0.07, FOREVER), (0.08, 0.06)]
        return list(await asyncio.gather(*(take(*plan) for plan in plans)))

    assert in_a_task(story) == ["done", "late", "done", "late", "done"]


def test_it_serves_one_loop_after_another() -> None:
    limit = Deadline(0.05)

    async def one_of_each() -> str:
        assert await limit.within(answer()) == "done"
        with pytest.raises(TimeoutError):
            await limit.within(answer(FOREVER))
        return await limit.within(answer())

    assert [asyncio.run(one_of_each()) for _ in range(2)] == ["done", "done"]
