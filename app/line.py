"""The line to one vendor for one connection: whose token, and whose turn it is to call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from app.errors import Busy, System, Unauthorized


class TokenSource(Protocol):
    """`renew` is told which token was refused: only the first who asks fetches a new one."""

    def current(self) -> str: ...
    def renew(self, refused: str) -> str: ...


@dataclass(frozen=True)
class OneToken:
    """Stored nowhere, and nothing renews it."""

    system: System
    text: str = field(repr=False)

    def current(self) -> str:
        return self.text

    def renew(self, refused: str) -> str:  # noqa: ARG002 - there is only the one
        raise Unauthorized(self.system, "the token was refused", status=401)


class Line:
    """Used by one run at a time. `wait` returns when one call may be sent; `busy` tells everybody
    that the vendor said 429 all the same, with the seconds it named.
    """

    def __init__(
        self,
        client: httpx.Client,
        tokens: TokenSource,
        wait: Callable[[], None] = lambda: None,
        busy: Callable[[float | None], None] = lambda _seconds: None,
    ) -> None:
        self.client, self.tokens = client, tokens
        self._wait, self._busy = wait, busy
        self._prepaid = 0

    def turn(self) -> None:
        if self._prepaid:
            self._prepaid -= 1
        else:
            self._wait()

    def prepay(self) -> None:
        """Waits now for the next call's token and turn, so that it will be sent without delay."""
        self.tokens.current()
        if not self._prepaid:
            self._wait()
            self._prepaid = 1

    def note(self, error: Busy) -> None:
        self._busy(error.after)
