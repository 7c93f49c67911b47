"""One call to a vendor, and the one place where a status becomes data or an error.

Nothing is sent twice from here: no retries in the transport, no redirects followed. What was never
sent, what was refused, and what may have happened are told apart (errors.py).
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from app import figures, tracing
from app.db import in_transaction
from app.errors import Busy, Missing, NotSent, Refused, System, Unauthorized, Unclear, VendorError

TIMEOUT = httpx.Timeout(connect=5, read=30, write=30, pool=5)
PATIENT = httpx.Timeout(connect=5, read=120, write=120, pool=5)  # for what must not be cut short
LARGEST = 16 * 1024 * 1024
TOO_LARGE = "too_large"  # our own word for a file that is larger than was asked for


def new_client() -> httpx.Client:
    """One for each process, so that connections to the vendors are kept and shared."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=100, keepalive_expiry=30)
    return httpx.Client(timeout=TIMEOUT, limits=limits, follow_redirects=False, trust_env=False)


@dataclass(frozen=True)
class Answer:
    """`data`: parsed JSON with Decimal for every fraction; None where the body was empty.

    The bytes themselves where a file was asked for.
    """

    status: int
    headers: httpx.Headers
    data: Any


@dataclass(frozen=True)
class Ask:
    """`told`: the vendor's own code and words, taken from the parsed body of a refusal."""

    system: System
    told: Callable[[Any], tuple[str, str]]

    def __call__(
        self,
        client: httpx.Client,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Any = None,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        largest_file: int | None = None,
        timeout: Any = httpx.USE_CLIENT_DEFAULT,
    ) -> Answer:
        """`files`: (name, content, type) by field, sent as multipart. `largest_file`: the answer
        is a file of at most so many bytes; a larger one is Refused as TOO_LARGE.
        """
        if in_transaction():
            raise RuntimeError("a vendor may not be called while a transaction is open")
        is_file = largest_file is not None
        sent = dict(headers or {}) | {"Accept": "*/*" if is_file else "application/json"}
        content = None
        if json_body is not None:
            sent["Content-Type"] = "application/json"
            content = to_json(json_body)
        request = client.build_request(
            method,
            url,
            headers=sent,
            params=params,
            content=content,
            data=form,
            files=files,
            timeout=timeout,
        )
        about = {
            "http.request.method": method,
            "server.address": request.url.host,
            "url.path": request.url.path,
            "peer.service": self.system,
        }
        with (
            tracing.span(f"{method} {self.system}", "client", facts=about),
            _counted(self.system, f"{method} {request.url.path}"),
        ):
            response, body = self._send(client, request, largest_file)
            tracing.note({"http.response.status_code": response.status_code})
            if is_file and response.is_success:
                return Answer(response.status_code, response.headers, body)
            return self._understand(response, body)

    def _send(
        self, client: httpx.Client, request: httpx.Request, largest_file: int | None
    ) -> tuple[httpx.Response, bytes]:
        try:
            response = client.send(request, stream=True)
            try:
                return response, _read(response, min(largest_file or LARGEST, LARGEST))
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(self.system, type(error).__name__) from error
        except Larger as error:
            if largest_file is None:
                raise Unclear(self.system, "the answer is too large") from error
            raise Refused(self.system, "the file is too large", code=TOO_LARGE) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Unclear(self.system, type(error).__name__) from error

    def _understand(self, response: httpx.Response, body: bytes) -> Answer:
        status = response.status_code
        if status == 429:
            raise Busy(self.system, "too many calls", status=status, after=_retry_after(response))
        data = _parse(body)
        if 200 <= status < 300 and data is not NOT_JSON:
            return Answer(status, response.headers, data)
        code, words = ("", _plain(response, body)) if data is NOT_JSON else self.told(data)
        if status == 401:
            raise Unauthorized(self.system, words, status=status, code=code)
        if status == 404 and data is not NOT_JSON:
            raise Missing(self.system, words, status=status, code=code)
        if 400 <= status < 500 and status not in (404, 408):
            raise Refused(self.system, words, status=status, code=code)
        raise Unclear(self.system, words, status=status, code=code, after=_retry_after(response))


@contextmanager
def _counted(system: System, at: str) -> Iterator[None]:
    """Every call that is made, by what became of it: `ok`, or the error's name."""
    begun, outcome = time.monotonic(), "broken"
    try:
        yield
        outcome = "ok"
    except VendorError as error:
        error.at = at
        outcome = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
        raise
    finally:
        figures.HERE.count(figures.CALLS, system, outcome)
        if outcome != "not_sent":
            seconds = time.monotonic() - begun
            figures.HERE.observe(figures.CALL_SECONDS, system, seconds=seconds)


NOT_JSON = object()


class Larger(Exception):
    pass


def to_json(data: Any) -> bytes:
    return json.dumps(data, default=_number, ensure_ascii=False, allow_nan=False).encode()


def _number(value: Any) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} cannot be sent")
    if value == value.to_integral_value():
        return int(value)
    shortest = float(value)
    if Decimal(repr(shortest)) != value:
        raise ValueError("this amount has more digits than can be sent")
    return shortest


def _parse(body: bytes) -> Any:
    if not body.strip():
        return None
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return NOT_JSON


def _plain(response: httpx.Response, body: bytes) -> str:
    """What a gateway says in a sentence of its own; a page of HTML is not for people to read."""
    if not response.headers.get("content-type", "").startswith("text/plain"):
        return ""
    return " ".join(body.decode("utf-8", "replace").split())


def _read(response: httpx.Response, largest: int) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > largest:
            raise Larger
        chunks.append(chunk)
    return b"".join(chunks)


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() else None
