"""Secrets of the tests, which may stand in no log line, no error and no answer of the whole suite.

A test that prints one fails, whatever else it says; so does a client that is answered with one.
"""

from collections.abc import Callable
from typing import Any

SECRETS = (
    "dGVzdC1zZWNyZXQtb2YtdGhlLWluc3RhbGxhdGlvbg",  # signs the events of every installation
    "Y2FuYXJ5LW9mLXNpZ25pbmc",
    "canary-of-severa",
    "canary-of-fortnox",
    "canary-of-a-token",
    "canary-of-a-bearer-token",
    "canary-token",
    "canary-refresh",
    "adm_of_the_test_installation",
    "adm_canary_of_the_admin_key",
    "adm_of_the_hostile_tests",
)
_BYTES = tuple(secret.encode() for secret in SECRETS)


class Leaked(AssertionError):
    pass


def found_in(said: str | bytes) -> list[str]:
    """Which of the secrets are in there, by their place in the list: a failure must not tell."""
    wanted = SECRETS if isinstance(said, str) else _BYTES
    return [f"secret {place}" for place, one in enumerate(wanted) if one in said]  # type: ignore[operator]


def watched(send: Callable[..., Any]) -> Callable[..., Any]:
    """A client's `send` that looks through every whole answer."""

    def sending(client: Any, request: Any, **more: Any) -> Any:
        response = send(client, request, **more)
        if not more.get("stream"):
            head = str(response.headers)
            leaks = found_in(response.content) or found_in(head)
            if leaks:
                raise Leaked(f"{request.method} {request.url.path} answered {leaks}")
        return response

    return sending
