"""What goes wrong on the way: a layer around a partner system that fails by order, and counts.

refuse     answer `status` and `body`; nothing is done
break      nothing is done, the connection ends in the middle of the answer
hang       nothing is done, the answer never comes (the client's patience decides)
lose       the work is done, the connection ends in the middle of the answer
stall      the work is done, the answer comes `delay` seconds later
late       the connection ends at once, and the work is done `delay` seconds later
mask       the work is done, the answer is `status` and `body` instead
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import time
from typing import Any, Literal

from app.sandbox.bodies import whole_body

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Kind = Literal["refuse", "break", "hang", "lose", "stall", "late", "mask"]


@dataclass
class Fault:
    """`times` None: for ever; `chance`: how often a matching call is hit; `skip`: calls let by."""

    kind: Kind
    path: str = ""
    method: str = ""
    times: int | None = 1
    skip: int = 0
    chance: float = 1.0
    status: int = 500
    body: str = ""
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 1.0

    def matches(self, method: str, target: str) -> bool:
        return self.method in ("", method) and re.search(self.path, target) is not None


@dataclass(frozen=True)
class Call:
    """One answered call; `status` 0: the client never got an answer."""

    at: float
    method: str
    path: str
    query: str
    status: int
    fault: str = ""


class Chaos:
    """Wraps `app`; paths below `control` are never disturbed and never counted."""

    control = "/_sandbox"

    def __init__(self, app: App, seed: int = 0) -> None:
        self.app = app
        self.faults: list[Fault] = []
        self.calls: list[Call] = []
        self._random = random.Random(seed)
        self._later: set[asyncio.Task[None]] = set()

    def seed(self, seed: int) -> None:
        """Which calls are hit from now on, where that is left to chance."""
        self._random.seed(seed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self.control):
            return await self.app(scope, receive, send)
        fault = self._hit(scope["method"], scope["path"])
        status = await self._answer(fault, scope, receive, send)
        self.calls.append(
            Call(
                time(),
                scope["method"],
                scope["path"],
                scope["query_string"].decode(),
                status,
                fault.kind if fault else "",
            )
        )
        return None

    def _hit(self, method: str, target: str) -> Fault | None:
        for fault in self.faults:
            if fault.times == 0 or not fault.matches(method, target):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if self._random.random() >= fault.chance:
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None

    async def _answer(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> int:
        if fault is None:
            return await self._pass(scope, receive, send)
        body = await whole_body(receive)
        if fault.kind == "hang":
            await _gone(receive)
            return 0
        if fault.kind == "late":
            task = asyncio.create_task(self._do_later(fault.delay, scope, body))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        if fault.kind in ("lose", "stall", "mask"):
            answer = await self._do(scope, body)
            if fault.kind == "stall":
                await asyncio.sleep(fault.delay)
                for message in answer:
                    await send(message)
                return int(answer[0]["status"])
        if fault.kind in ("break", "lose", "late"):
            await _cut_short(send)
            return 0
        await _send_text(send, fault)
        return fault.status

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> int:
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.app(scope, receive, noting)
        return status

    async def _do(self, scope: Scope, body: bytes) -> list[Message]:
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self.app(scope, _replay(body), keep)
        return answer

    async def _do_later(self, delay: float, scope: Scope, body: bytes) -> None:
        await asyncio.sleep(delay)
        await self._do(scope, body)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _replay(body: bytes) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


async def _cut_short(send: Send) -> None:
    """Promise more bytes than are sent: the server then closes the connection."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    with suppress(RuntimeError):  # the server says so itself, and hangs up
        await send({"type": "http.response.body", "body": b'{"', "more_body": False})


async def _send_text(send: Send, fault: Fault) -> None:
    headers = [(b"content-type", fault.content_type.encode())]
    headers += [(k.lower().encode(), v.encode()) for k, v in fault.headers.items()]
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": fault.body.encode(), "more_body": False})
