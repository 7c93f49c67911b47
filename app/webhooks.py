"""The doors: check who knocks, keep what is said, answer at once.

Plain Starlette routes inside the FastAPI application: its machinery for parameters costs more than
the signature, the validation and the durable insert together.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence

from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app import figures, inbox, said, signatures, tracing, webhook_docs
from app.api.problems import problem
from app.connections import Connection
from app.db import storing
from app.deadline import Deadline
from app.errors import CannotStore, Invalid
from app.fortnox import webhook as fortnox_webhook
from app.groupcommit import GroupCommit
from app.hall import Hall
from app.inbox import Heard, Receipt, Source
from app.ingest_limit import IngestLimit
from app.severa import webhook as severa_webhook
from app.sync import wants

AT_A_DOOR = re.compile(r"/webhooks/([^/]+)/(severa|fortnox)")
LARGEST = 256 * 1024
READ_SECONDS = 15.0
STORE_SECONDS = 10.0
DOOR = "webhook"
READ = {name.encode(): name for name in ("content-length", *signatures.HEADERS)}
STATUS = {"accepted": 202, "ignored": 202, "duplicate": 200}
JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Told:
    """A short answer, as an ASGI application like Starlette's, which would cost much more."""

    def __init__(self, said: Mapping[str, str], status: int) -> None:
        self._body, self._status = JSON.encode(said).encode(), status

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [
            (b"content-length", b"%d" % len(self._body)),
            (b"content-type", b"application/json"),
        ]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


class Doors:
    """Both doors of all connections; `ring(rows)` tells the workers, after the commit.

    `patience`: seconds that the database may take before the sender is asked to come again.
    """

    def __init__(
        self, hall: Hall, ring: Callable[[int], None], *, patience: float = STORE_SECONDS
    ) -> None:
        self._hall, self._ring, self._patience = hall, ring, patience
        self.reading, self._storing = Deadline(READ_SECONDS), Deadline(patience)
        self._limit = IngestLimit(hall.settings.ingest_rate)
        self.commit: GroupCommit[Heard, Receipt] = GroupCommit(self._store)

    async def severa(self, request: Request) -> ASGIApp:
        return await self._timed(request, "severa")

    async def fortnox(self, request: Request) -> ASGIApp:
        return await self._timed(request, "fortnox")

    async def _timed(self, request: Request, source: Source) -> ASGIApp:
        begun = time.monotonic()
        response = await self._knock(request, source)
        seconds = time.monotonic() - begun
        figures.HERE.observe(figures.ACK_SECONDS, source, seconds=seconds)
        return response

    async def _knock(self, request: Request, source: Source) -> ASGIApp:
        headers = _headers(request.scope)
        try:
            body = await _read(headers, request.receive, self.reading)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return problem(413, "Content Too Large", f"The body is over {LARGEST // 1024} KiB.")
        try:
            connection = await self._whose(request.path_params["connection"])
        except (CannotStore, TimeoutError):
            figures.heard(source, DOOR, ["refused"])
            return _not_now()
        if not self._is_genuine(connection, source, headers, body) or connection is None:
            figures.heard(source, DOOR, ["unsigned"])
            return _refused()
        wait = self._limit.wait(connection.name)
        if wait:
            figures.heard(source, DOOR, ["limited"])
            return problem(
                429, "Too Many Requests", "Over the ingest limit.", headers={"Retry-After": wait}
            )
        try:
            heard = _understand(connection.name, source, headers, body)
        except Invalid as error:
            figures.heard(source, DOOR, ["malformed"])
            return problem(
                400,
                "Bad Request",
                f"{error.field} {error.message}.",
                errors=[{"field": error.field, "message": error.message}],
            )
        return await self._keep(heard)

    async def _whose(self, name: str) -> Connection | None:
        directory = self._hall.directory
        if not directory.is_fresh:
            await asyncio.wait_for(asyncio.to_thread(self._refresh), self._patience)
        return directory.get(name)

    def _refresh(self) -> None:
        with storing():
            self._hall.directory.refresh()

    def _is_genuine(
        self, connection: Connection | None, source: str, headers: Mapping[str, str], body: bytes
    ) -> bool:
        if connection is None:
            return False
        door = getattr(connection.document.webhooks, source)
        return signatures.verify(headers, body, door, self._hall.clock()).ok

    async def _keep(self, heard: Heard) -> ASGIApp:
        try:
            receipt = await self._storing.within(self.commit.submit(heard))
        except (CannotStore, TimeoutError):
            figures.heard(heard.source, DOOR, ["refused"])
            return _not_now()
        figures.HERE.count(figures.EVENTS, heard.source, DOOR, receipt.status)
        tracing.note({"bridge.event_id": receipt.id, "bridge.event_status": receipt.status})
        if receipt.status == "conflict":
            return problem(
                409, "Conflict", "This identity was stored with another body.", id=receipt.id
            )
        answer = {"id": receipt.id, "status": receipt.status}
        if receipt.status == "ignored" and heard.reason:
            answer["reason"] = heard.reason
        return Told(answer, STATUS[receipt.status])

    def _store(self, heard: Sequence[Heard]) -> list[Receipt]:
        with storing():
            try:
                receipts = self._receive(heard)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # A dead connection. Should it have been stored, it is found now, as a duplicate.
                receipts = self._receive(heard)
        self._ring(sum(receipt.status == "accepted" for receipt in receipts))
        return receipts

    def _receive(self, heard: Sequence[Heard]) -> list[Receipt]:
        with self._hall.db.single() as tx:
            return inbox.receive(tx, heard, self._hall.clock())


class Doorway:
    """ASGI middleware: who knocks at a door does not go through the rest of the house.

    FastAPI's own layers would cost as much as all that is done for an event.
    """

    def __init__(self, app: ASGIApp, *, doors: Doors) -> None:
        self._app = app
        self._behind = {"severa": doors.severa, "fortnox": doors.fortnox}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = AT_A_DOOR.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["door"] = f"/webhooks/{{connection}}/{found[2]}"
        request = Request({**scope, "path_params": {"connection": found[1]}}, receive)
        response = await self._behind[found[2]](request)
        await response(scope, receive, send)


def mount(app: FastAPI, doors: Doors) -> None:
    """Both doors as routes, which also answer other methods and stand in the documents; and the
    short way to them.
    """
    for source in ("severa", "fortnox"):
        path = f"/webhooks/{{connection}}/{source}"
        app.router.routes.append(Route(path, getattr(doors, source), methods=["POST"]))
    app.add_middleware(Doorway, doors=doors)
    app.state.doors = doors
    webhook_docs.declare(app)


def _headers(scope: Scope) -> dict[str, str]:
    """Those that are looked at; the first of several with the same name counts."""
    return {
        READ[name]: value.decode("latin-1")
        for name, value in reversed(scope["headers"])
        if name in READ
    }


async def _read(headers: Mapping[str, str], receive: Receive, deadline: Deadline) -> bytes | None:
    """None when it is too large, known as soon as it is; a sender that dawdles is let go."""
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > LARGEST:
        return None
    try:
        return await deadline.within(_whole(receive))
    except TimeoutError as error:
        raise ClientDisconnect from error


async def _whole(receive: Receive) -> bytes | None:
    chunks, size, is_more = [], 0, True
    while is_more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST:
            return None
        chunks.append(chunk)
        is_more = message.get("more_body", False)
    return b"".join(chunks)


def _understand(name: str, source: Source, headers: Mapping[str, str], body: bytes) -> Heard:
    content = said.read_json(body)
    sent_id = headers.get("webhook-id", "")
    if source == "severa":
        event = severa_webhook.read(content)
        follows, kind, own = wants.of_severa(name, event), event.type, ""
    else:
        told = fortnox_webhook.read(content)
        follows, kind, own = wants.of_fortnox(name, told), told.type, told.identity
    identity = inbox.identity_of(sent_id or own) if sent_id or own else inbox.identity_of_body(body)
    return Heard(
        name,
        source,
        "webhook",
        identity,
        body,
        kind,
        follows.want,
        follows.reason,
        tracing.current(),
    )


def _refused() -> Response:
    """The same words whatever was wrong, and whether or not there is such a connection."""
    return problem(
        401,
        "Unauthorized",
        "The request is not signed by anybody we know, or the source is closed.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _not_now() -> Response:
    return problem(
        503,
        "Service Unavailable",
        "The event cannot be stored durably now; send it again.",
        headers={"Retry-After": "5"},
    )
