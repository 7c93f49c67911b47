"""A partner system whose answers are spoiled on the way, although it did what it was asked.

Each way takes the true body apart: what is left is not JSON, or JSON of another shape.
What is well-formed and merely untrue nobody can see; a number for a text is that, with Fortnox.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.calls import LARGEST
from app.sandbox.chaos import App, Message, Receive, Scope, Send
from tests.installation import Vendors

Way = Callable[[bytes], bytes]


def _each(change: Callable[[Any], Any]) -> Way:
    """Of the true body, whose every value, list and object is asked about from within."""

    def walk(data: Any) -> Any:
        if isinstance(data, dict):
            return change({name: walk(value) for name, value in data.items()})
        return change([walk(one) for one in data] if isinstance(data, list) else data)

    return lambda body: json.dumps(walk(json.loads(body or b"null"))).encode()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_value(value: Any) -> bool:
    return not isinstance(value, dict | list)


WAYS: dict[str, Way] = {
    "a page of HTML": lambda _: b"<html><body>Underh\xc3\xa5ll</body></html>",
    "nothing": lambda _: b"",
    "cut short": lambda body: body[: len(body) // 2] or b'{"',
    "null": lambda _: b"null",
    "a list around it": lambda body: b"[" + (body or b"null") + b"]",
    "only what it lacks": lambda _: b"{}",
    "an error": lambda _: b'{"ErrorInformation": {"error": 1, "message": "Fel", "code": 2000000}}',
    "said twice": lambda body: (body or b"{}") * 2,
    "without end": lambda _: b"[" * 100_000,
    "too large": lambda body: body + b" " * LARGEST,
    "in Latin-1": lambda body: body.replace(b'"', b'"\xe5', 1) or b"\xe5",
    "every value null": _each(lambda one: None if _is_value(one) else one),
    "every value an object": _each(lambda one: {"odd": [1]} if _is_value(one) else one),
    "every number a word": _each(lambda one: "sju" if _is_number(one) else one),
    "no number a number": _each(lambda one: math.nan if _is_number(one) else one),
    "every text a yes": _each(lambda one: True if isinstance(one, str) else one),
    "every object empty": _each(lambda one: {} if isinstance(one, dict) else one),
    "every list an object": _each(lambda one: {"0": one} if isinstance(one, list) else one),
    "every object a list": _each(lambda one: [one] if isinstance(one, dict) else one),
}


@dataclass
class Babble:
    """Counts the calls to both from 0; the answer to `at` is spoiled in this `way`.

    `at`: the number of a call, or how all of those begin that are meant, as `GET severa`.
    """

    way: str = ""
    at: int | str | None = None
    heard: list[str] = field(default_factory=list)
    spoiled: str = ""

    def before(self, partners: Vendors) -> None:
        for name, one in (("severa", partners.severa), ("fortnox", partners.fortnox)):
            one.chaos.app = self._around(name, one.chaos.app)

    def listen(self, way: str = "", at: int | str | None = None) -> None:
        self.way, self.at, self.heard, self.spoiled = way, at, [], ""

    def _around(self, name: str, app: App) -> App:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return await app(scope, receive, send)
            number, call = len(self.heard), f"{scope['method']} {name} {scope['path']}"
            self.heard.append(call)
            meant = call.startswith(self.at) if isinstance(self.at, str) else number == self.at
            if not meant:
                return await app(scope, receive, send)
            messages: list[Message] = []

            async def keep(message: Message) -> None:
                messages.append(message)

            await app(scope, receive, keep)
            for message in self._spoil(messages, call):
                await send(message)
            return None

        return answer

    def _spoil(self, messages: list[Message], call: str) -> list[Message]:
        """A file is handed on as it is: nobody can see that its bytes are others."""
        start, body = messages[0], b"".join(one.get("body", b"") for one in messages[1:])
        headers = {name.lower(): value for name, value in start.get("headers", [])}
        if body and b"json" not in headers.get(b"content-type", b""):
            return messages
        self.spoiled = call
        kind = b"text/html" if self.way == "a page of HTML" else b"application/json"
        kept = [one for one in start["headers"] if not one[0].lower().startswith(b"content-")]
        return [
            {**start, "status": 200, "headers": [*kept, (b"content-type", kind)]},
            {"type": "http.response.body", "body": WAYS[self.way](body), "more_body": False},
        ]
