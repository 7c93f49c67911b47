"""What every handler of the admin API works with, and the guard in front of them."""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from sqlalchemy import Connection as Tx
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive

from app import access, connections
from app.api.permits import scope_of
from app.api.problems import ProblemResponse, not_found, problem
from app.connections import Connection
from app.hall import Hall
from app.identity import Identity, Scope
from app.languages import Language, language_of
from app.sync.sides import Sides

LARGEST_BODY = 1024 * 1024

Hint = Callable[[int], None]
Plan = Callable[[str], list[dict[str, Any]]]
Look = Callable[[Connection], Sides]


@dataclass(frozen=True)
class Desk:
    """`hint`: tells the queue that so many rows are due; `plan`: the writes a run would make;
    `look`: both windows of a connection, for reading only.
    """

    hall: Hall
    hint: Hint
    plan: Plan
    look: Look

    def known(self, tx: Tx, name: str) -> Connection | None:
        return connections.find(tx, self.hall.vault, name) if is_name(name) else None

    def connection(self, tx: Tx, name: str) -> Connection:
        found = self.known(tx, name)
        if found is None:
            raise not_found("connection")
        return found


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(_desk)]


def who(request: Request) -> Identity:
    """Whoever the door let in, the admin API's or the console's: each sets `state.who`."""
    found: Identity = request.state.who
    return found


async def _who(request: Request) -> Identity:
    return who(request)


Who = Annotated[Identity, Depends(_who)]


class TooLarge(HTTPException):
    def __init__(self) -> None:
        detail = f"A request of the admin API has at most {LARGEST_BODY} bytes."
        super().__init__(413, detail, {"Connection": "close"})


class GuardedRoute(APIRoute):
    """Asks for a key of the right scope before the body is read, and stops reading at the limit."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        self.needs = scope_of(self.methods or (), path)
        self.openapi_extra = (self.openapi_extra or {}) | {"x-scope": self.needs}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            found = await run_in_threadpool(_identify, request)
            if found is None:
                return _unauthorised()
            if not found.may(self.needs):
                return _forbidden(found, self.needs)
            request.state.who = found
            counted = Request(request.scope, _up_to(request.receive, LARGEST_BODY))
            response = await handler(counted)
            response.headers["Cache-Control"] = "no-store"
            return response

        return guarded


def router(tag: str) -> APIRouter:
    return APIRouter(
        prefix="/api/v1",
        tags=[tag],
        route_class=GuardedRoute,
        dependencies=[Depends(HTTPBearer(auto_error=False, description="The admin key."))],
        responses={"4XX": REFUSED},
    )


REFUSED: dict[str, Any] = {
    "description": "Refused; a problem document says why (RFC 9457).",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "field": {"type": "string"},
                                "message": {"type": "string"},
                            },
                        },
                    },
                },
            }
        }
    },
}


def is_name(text: str) -> bool:
    """Whether it can be the name or id of a row at all: not every text may be asked for."""
    return re.fullmatch(r"[0-9a-z_-]{1,63}", text) is not None


def language(request: Request, connection: Connection) -> Language:
    header = request.headers.get("accept-language", "")
    return language_of(header, connection.document.language)


def origin(request: Request) -> str:
    """The address of whoever asks, as uvicorn has it from the nearest proxy it trusts."""
    return request.client.host[:64] if request.client else ""


def _identify(request: Request) -> Identity | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    hall: Hall = request.app.state.desk.hall
    found = access.identify(hall.db, hall.keys.admin, given.strip(), hall.clock())
    return replace(found, origin=origin(request)) if found else None


def _forbidden(found: Identity, needed: Scope) -> ProblemResponse:
    return problem(403, None, f"This takes a key that may {needed}; this one may {found.scope}.")


def _unauthorised() -> ProblemResponse:
    detail = "Send the admin key as: Authorization: Bearer <key>"
    return problem(401, None, detail, {"WWW-Authenticate": "Bearer"})


def _up_to(receive: Receive, limit: int) -> Receive:
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise TooLarge
        return message

    return counting
