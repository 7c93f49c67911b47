"""Many requests share a transaction, and each of them is told the truth about its own item."""

import asyncio
from collections.abc import Callable, Sequence
from threading import Event

import pytest

from app.errors import CannotStore
from app.groupcommit import LARGEST, GroupCommit


class Store:
    """Keeps what it is given, batch by batch; the first write waits until the gate is opened."""

    def __init__(self, refuse: Callable[[Sequence[int]], None] = lambda _items: None) -> None:
        self.batches: list[list[int]] = []
        self.gate = Event()
        self._refuse = refuse

    def write(self, items: Sequence[int]) -> list[str]:
        assert self.gate.wait(10)
        self._refuse(items)
        self.batches.append(list(items))
        return [f"kept {item}" for item in items]

    @property
    def kept(self) -> list[int]:
        return [item for batch in self.batches for item in batch]


def submit_all(store: Store, items: Sequence[int]) -> list[object]:
    """All at once; what each was told."""

    async def story() -> list[object]:
        commit: GroupCommit[int, str] = GroupCommit(store.write)
        tasks = [asyncio.create_task(commit.submit(item)) for item in items]
        await asyncio.sleep(0)
        store.gate.set()
        told = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        await commit.close()
        return list(told)

    return asyncio.run(story())


def refusing(error: Exception, when: Callable[[Sequence[int]], bool]) -> Store:
    def refuse(items: Sequence[int]) -> None:
        if when(items):
            raise error

    return Store(refuse)


def test_what_comes_while_a_batch_is_written_is_the_next_batch() -> None:
    store = Store()

    async def story() -> list[str]:
        commit: GroupCommit[int, str] = GroupCommit(store.write)
        first = asyncio.create_task(commit.submit(0))
        await asyncio.sleep(0.01)  # the thread is at the gate with one item
        others = [asyncio.create_task(commit.submit(number)) for number in range(1, 100)]
        await asyncio.sleep(0)
        store.gate.set()
        told = [await one for one in (first, *others)]
        await commit.close()
        return told

    assert asyncio.run(story()) == [f"kept {number}" for number in range(100)]
    assert [len(batch) for batch in store.batches] == [1, 99]


def test_a_thousand_at_once_share_four_transactions() -> None:
    store = Store()
    assert submit_all(store, range(1000)) == [f"kept {number}" for number in range(1000)]
    assert [len(batch) for batch in store.batches] == [
        LARGEST,
        LARGEST,
        LARGEST,
        1000 - 3 * LARGEST,
    ]


def test_one_bad_item_does_not_take_the_others_along() -> None:
    bad = CannotStore("DataError", is_about_content=True)
    store = refusing(bad, lambda items: 13 in items)
    told = submit_all(store, range(20))
    assert told[13] is bad
    assert told[:13] + told[14:] == [f"kept {number}" for number in range(20) if number != 13]
    assert store.kept == [number for number in range(20) if number != 13]


def test_a_database_that_is_away_is_told_to_everybody_and_asked_once_for_each_batch() -> None:
    asked = []
    away = CannotStore("OperationalError")
    store = refusing(away, lambda items: asked.append(len(items)) or True)  # type: ignore[func-returns-value]
    assert submit_all(store, range(300)) == [away] * 300
    assert asked == [256, 44]
    assert store.kept == []


def test_it_goes_on_when_the_database_is_back() -> None:
    away = CannotStore("OperationalError")
    store = refusing(away, lambda items: 0 in items)
    told = submit_all(store, range(300))
    assert told[:256] == [away] * 256
    assert told[256:] == [f"kept {number}" for number in range(256, 300)]


@pytest.mark.parametrize("culprit", [0, 299])
def test_a_bug_is_told_to_its_batch_and_the_next_one_is_still_written(culprit: int) -> None:
    bug = ZeroDivisionError()
    store = refusing(bug, lambda items: culprit in items)
    told = submit_all(store, range(300))
    first, second = told[:256], told[256:]
    if culprit == 0:
        assert first == [bug] * 256
        assert second == [f"kept {number}" for number in range(256, 300)]
    else:
        assert first == [f"kept {number}" for number in range(256)]
        assert second == [bug] * 44


def test_a_bug_met_while_items_are_tried_one_by_one_leaves_nobody_without_an_answer() -> None:
    def refuse(items: Sequence[int]) -> None:
        if len(items) > 1:
            raise CannotStore("DataError", is_about_content=True)
        if items[0] == 1:
            raise ZeroDivisionError

    told = submit_all(Store(refuse), range(4))
    assert isinstance(told[1], ZeroDivisionError)
    assert [told[0], *told[2:]] == ["kept 0", "kept 2", "kept 3"]


def test_a_client_that_went_away_does_not_disturb_the_others() -> None:
    store = Store()

    async def story() -> list[object]:
        commit: GroupCommit[int, str] = GroupCommit(store.write)
        tasks = [asyncio.create_task(commit.submit(number)) for number in range(5)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()
        tasks[3].cancel()
        await asyncio.sleep(0)
        store.gate.set()
        told = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        await commit.close()
        return list(told)

    told = asyncio.run(story())
    assert [told[1], told[2], told[4]] == ["kept 1", "kept 2", "kept 4"]
    assert [type(told[0]), type(told[3])] == [asyncio.CancelledError] * 2


def test_closing_waits_for_what_is_being_written() -> None:
    store = Store()

    async def story() -> tuple[bool, str]:
        commit: GroupCommit[int, str] = GroupCommit(store.write)
        task = asyncio.create_task(commit.submit(1))
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(commit.close())
        await asyncio.sleep(0.01)
        early = closing.done()
        store.gate.set()
        await closing
        return early, await task

    assert asyncio.run(story()) == (False, "kept 1")


def test_it_can_rest_and_begin_again() -> None:
    store = Store()
    store.gate.set()

    async def story() -> None:
        commit: GroupCommit[int, str] = GroupCommit(store.write)
        for number in range(3):
            assert await commit.submit(number) == f"kept {number}"
        await commit.close()

    asyncio.run(story())
    assert store.batches == [[0], [1], [2]]
