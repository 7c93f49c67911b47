"""Many requests, one transaction: whatever came in while one batch was written is the next one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from app.errors import CannotStore

T = TypeVar("T")
R = TypeVar("R")
LARGEST = 256


class GroupCommit(Generic[T, R]):
    """`write` stores all or nothing, answers one result each, and has a thread of its own."""

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._write = write
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="group-commit")
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Returns once the item is committed; CannotStore when it is not."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await future

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
                await self._write_batch(batch)
        finally:
            self._writing = None

    async def _write_batch(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            items = [item for item, _ in batch]
            results = await loop.run_in_executor(self._thread, self._write, items)
        except CannotStore as error:
            if (
                error.is_about_content and len(batch) > 1
            ):  # one bad item must not take the others along
                for single in batch:
                    await self._write_batch([single])
            else:
                _tell_all(batch, error)
            return
        except Exception as error:  # noqa: BLE001 - who asked is told; the next batch goes on
            _tell_all(batch, error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():  # the client may have gone
                future.set_result(result)


def _tell_all(batch: Sequence[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
