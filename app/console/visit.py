"""One request of a person to the console: who it is, in which language, about which connection."""

import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app import sessions
from app.api.desk import Desk, origin
from app.api.problems import Problem
from app.connections import Connection
from app.console.sheets import HEADERS, page
from app.console.tongue import Tongue
from app.errors import Ending, Invalid, VendorError
from app.identity import Identity, Scope
from app.languages import language_named, language_of
from app.reasons import explain
from app.sessions import Session

log = structlog.get_logger()

COOKIE = "session"
LARGEST_FORM = 256 * 1024
THEMES = ("light", "dark")
UPDATES = ("still",)
NOBODY = Session(Identity("session", "", "", "view"), "")
Form = Mapping[str, str]


class LogInFirst(Exception):
    pass


@dataclass(frozen=True)
class Visit:
    request: Request
    desk: Desk
    session: Session
    tongue: Tongue

    @property
    def name(self) -> str:
        return str(self.request.path_params["connection"])

    @property
    def has_password(self) -> bool:
        """Keys, and people of the organisation's log-in, have an id that is not their name."""
        return self.session.who.id == self.session.who.name

    def connection(self) -> Connection:
        with self.desk.hall.db.reading() as tx:
            return self.desk.connection(tx, self.name)

    def is_piece(self) -> bool:
        """Whether the rest of a page is asked for, that takes both systems to be read."""
        return "hx-request" in self.request.headers or "now" in self.request.query_params

    def need(self, scope: Scope) -> None:
        if not self.session.who.may(scope):
            raise Problem(403, self.tongue.text("Your account may not do this."))

    def show(self, sheet: str, status: int = 200, /, **facts: Any) -> HTMLResponse:
        return page(self, sheet, status, **facts)

    def go(self, path: str, said: str = "") -> RedirectResponse:
        """After a POST; `said` is shown once at the top of the next page."""
        answer = RedirectResponse(path, 303, headers=HEADERS)
        if said:
            secure = self.desk.hall.settings.public_url.startswith("https:")
            answer.set_cookie(
                "said", quote(said), max_age=30, httponly=True, samesite="lax", secure=secure
            )
        return answer


def tongue_of(request: Request, desk: Desk) -> Tongue:
    """As chosen here, else as the browser asks, else Swedish."""
    chosen = language_named(request.cookies.get("language"))
    asked = request.headers.get("accept-language", "")
    return Tongue(chosen or language_of(asked), desk.hall.clock())


def _visit(request: Request) -> Visit:
    desk: Desk = request.app.state.desk
    token = request.cookies.get(COOKIE, "")
    found = None
    if token:
        with desk.hall.db.reading() as tx:
            found = sessions.find(tx, token, desk.hall.clock(), origin(request))
    if found is None:
        raise LogInFirst
    request.state.who = found.who
    return Visit(request, desk, found, tongue_of(request, desk))


async def _form(request: Request) -> Form:
    """What a form of ours sends; never more than it can be."""
    read = bytearray()
    async for piece in request.stream():
        read += piece
        if len(read) > LARGEST_FORM:
            raise HTTPException(413)
    try:
        return dict(parse_qsl(read.decode(), keep_blank_values=True, max_num_fields=2000))
    except ValueError:
        raise HTTPException(400) from None


def is_from_here(request: Request) -> bool:
    """Browsers say from where a form was sent; who says nothing is no browser."""
    return request.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _posted(
    request: Request,
    visit: Annotated[Visit, Depends(_visit)],
    form: Annotated[Form, Depends(_form)],
) -> Form:
    given = form.get("csrf", "") or request.headers.get("x-csrf-token", "")
    same = hmac.compare_digest(given.encode("utf-8", "replace"), visit.session.csrf.encode())
    if not same or not is_from_here(request):
        raise Problem(403, visit.tongue.text("The page was too old. Load it anew and try again."))
    return form


Here = Annotated[Visit, Depends(_visit)]
Sent = Annotated[Form, Depends(_posted)]  # a form of somebody who is logged in
Stranger = Annotated[Form, Depends(_form)]


class ConsoleRoute(APIRoute):
    """What goes wrong becomes a page, not a problem document."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handler(request)
            except LogInFirst:
                return _to_log_in(request)
            except (Problem, HTTPException, Ending, Invalid, VendorError) as error:
                return _told(request, error)
            except SQLAlchemyError:
                log.exception("console.no_database")
                return _sorry(request, 503, "")

        return guarded


def router() -> APIRouter:
    return APIRouter(route_class=ConsoleRoute, include_in_schema=False)


def _to_log_in(request: Request) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": "/log-in", **HEADERS})
    wanted = _page_of(request)
    place = "/log-in" if wanted == "/" else f"/log-in?next={quote(wanted)}"
    return RedirectResponse(place, 303, headers=HEADERS)


def _page_of(request: Request) -> str:
    """Where to go on after the log-in: this page, or the one whose form was sent too late."""
    asked: URL | SplitResult = request.url
    if request.method != "GET":
        asked = urlsplit(request.headers.get("referer", ""))
        if asked.netloc != request.url.netloc:
            return "/"
    return asked.path + (f"?{asked.query}" if asked.query else "")


def _told(request: Request, error: Exception) -> Response:
    tongue = tongue_of(request, request.app.state.desk)
    if isinstance(error, Problem):
        return _sorry(request, error.status, error.detail)
    if isinstance(error, HTTPException):
        return _sorry(request, error.status_code, "")
    if isinstance(error, Invalid):
        return _sorry(request, 400, str(error))
    if isinstance(error, Ending):
        told = explain(error.reason, tongue.language)
        return _sorry(request, 409, f"{told.message} {told.next_step}".strip())
    words = error.words if isinstance(error, VendorError) else ""
    system = error.system.capitalize() if isinstance(error, VendorError) else ""
    return _sorry(request, 502, f"{system}: {words or tongue.text('no answer')}")


def _sorry(request: Request, status: int, detail: str) -> Response:
    desk: Desk = request.app.state.desk
    visit = Visit(request, desk, NOBODY, tongue_of(request, desk))
    return page(visit, "sorry.html", status, status=status, detail=detail, bare=True)
