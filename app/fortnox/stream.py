"""The protocol of Fortnox's WebSocket: commands and their answers, and the events in between.

Source: Fortnox's developer guide to WebSockets. Order: tenants, topics, subscribe. An answer is
matched by the name of its command, because events may come before it.
"""

import json
import logging
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from app.errors import BridgeError

ANSWER_SECONDS = 15.0
PING_SECONDS = 30.0
MOST_AT_ONCE = 256
LARGEST_FRAME = 16 * 1024 * 1024  # an answer repeats every token that it is about
BEARER = "Bearer "

_wire = logging.getLogger(__name__)
_wire.setLevel(logging.WARNING)  # below that the library writes down whole frames: our secrets


class StreamLost(BridgeError):
    """The socket has ended, does not answer, or refuses without saying what."""


class TokensRefused(BridgeError):
    def __init__(self, tokens: Collection[str]) -> None:
        super().__init__(f"{len(tokens)} tokens were refused")
        self.tokens = frozenset(tokens)


class TopicsRefused(BridgeError):
    def __init__(self, topics: Collection[str]) -> None:
        super().__init__(f"refused: {', '.join(sorted(topics))}")
        self.topics = frozenset(topics)


class Stream:
    """Used by one thread; `close` may be called by any."""

    def __init__(
        self, url: str, *, patience: float = ANSWER_SECONDS, ping_every: float = PING_SECONDS
    ) -> None:
        self._patience = patience
        self._early: deque[bytes] = deque()
        self._open = ExitStack()
        try:
            self._socket = self._open.enter_context(
                connect(
                    url,
                    open_timeout=patience,
                    close_timeout=1,
                    ping_interval=ping_every,
                    ping_timeout=ping_every,
                    max_queue=MOST_AT_ONCE,
                    max_size=LARGEST_FRAME,
                    proxy=None,
                    logger=_wire,
                )
            )
        except (OSError, WebSocketException) as error:
            raise StreamLost(f"cannot be opened: {type(error).__name__}") from error

    def add_tenants(self, client_secret: str, tokens: Sequence[str]) -> dict[str, str]:
        """The TenantId behind each token. TokensRefused: none of them counts, some were named."""
        answer = self._ask(
            "add-tenants-v1",
            clientSecret=client_secret,
            accessTokens=[f"{BEARER}{token}" for token in tokens],
        )
        if _is_ok(answer):
            found = answer.get("tenantIds")
            ids = found if isinstance(found, dict) else {}
            return {str(token).removeprefix(BEARER): str(ids[token]) for token in ids}
        named = {token.removeprefix(BEARER) for token in _texts(answer.get("invalidTokens"))}
        raise TokensRefused(named & set(tokens) or tokens)

    def add_topics(self, topics: Mapping[str, str | None]) -> None:
        """With the offset to start from; None: from now on."""
        asked = [
            {"topic": topic} | ({"offset": offset} if offset else {})
            for topic, offset in topics.items()
        ]
        answer = self._ask("add-topics-v1", topics=asked)
        if _is_ok(answer):
            return
        named = set(_texts(answer.get("invalidTopics"))) & set(topics)
        if not named:
            raise StreamLost("the topics were refused without a name")
        raise TopicsRefused(named)

    def subscribe(self) -> None:
        if not _is_ok(self._ask("subscribe-v1")):
            raise StreamLost("the subscription was refused")

    def remove_tenants(self, tenants: Sequence[str]) -> None:
        numbers = [int(one) if one.isdecimal() else one for one in tenants]
        if not _is_ok(self._ask("remove-tenants-v1", tenants=numbers)):
            raise StreamLost("the removal of tenants was refused")

    def events(self, timeout: float) -> list[bytes]:
        """What has arrived, as it came; waits up to `timeout` seconds for the first."""
        found = list(self._early)
        self._early.clear()
        while len(found) < MOST_AT_ONCE:
            try:
                message = self._receive(0 if found else timeout)
            except StreamLost:
                if found:  # these first; the next call says it again
                    return found
                raise
            if message is None:
                return found
            if _answer(message) is None:
                found.append(message)
        return found

    def close(self) -> None:
        self._open.close()

    def _ask(self, command: str, **fields: Any) -> dict[str, Any]:
        try:
            self._socket.send(json.dumps({"command": command, **fields}))
        except (OSError, WebSocketException) as error:
            raise StreamLost(type(error).__name__) from error
        deadline = monotonic() + self._patience
        while (left := deadline - monotonic()) > 0:
            message = self._receive(left)
            answer = _answer(message) if message is not None else None
            if answer is not None and answer["response"] == command:
                return answer
            if message is not None and answer is None:
                self._early.append(message)
        raise StreamLost(f"no answer to {command}")

    def _receive(self, timeout: float) -> bytes | None:
        try:
            message: bytes = self._socket.recv(timeout, decode=False)
        except TimeoutError:
            return None
        except (OSError, WebSocketException) as error:
            raise StreamLost(type(error).__name__) from error
        return message


def _answer(message: bytes) -> dict[str, Any] | None:
    """None: it is an event."""
    if b'"response"' not in message:
        return None
    try:
        said = json.loads(message)
    except ValueError:
        return None
    return said if isinstance(said, dict) and "response" in said else None


def _is_ok(answer: dict[str, Any]) -> bool:
    return answer.get("result") == "ok"


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
