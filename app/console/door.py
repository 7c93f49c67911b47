"""Logging in and out: with the admin key, or with an account's name and password."""

from collections import deque
from pathlib import Path
from threading import Lock
from time import monotonic
from urllib.parse import quote

import structlog
from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app import access, people, sessions
from app.api.desk import Desk
from app.console.sheets import HEADERS, page
from app.console.visit import (
    COOKIE,
    NOBODY,
    THEMES,
    UPDATES,
    Here,
    Sent,
    Stranger,
    Visit,
    is_from_here,
    router,
    tongue_of,
)
from app.identity import Identity
from app.languages import LANGUAGES
from app.sessions import LIFETIME

log = structlog.get_logger()
routes = router()

TRIES, WITHIN = 10, 300.0  # for one address
TRIES_OF_ALL = 100  # whoever has many addresses still guesses slowly
ADMIN = "admin"
CHOICES = {"language": LANGUAGES, "theme": THEMES, "updates": UPDATES}


class Patience:
    """How often somebody has tried in vain lately; counted in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures: deque[tuple[float, str]] = deque()

    def is_over(self, address: str) -> bool:
        with self._lock:
            while self._failures and self._failures[0][0] < monotonic() - WITHIN:
                self._failures.popleft()
            mine = sum(1 for _, one in self._failures if one == address)
            return mine >= TRIES or len(self._failures) >= TRIES_OF_ALL

    def note(self, address: str) -> None:
        with self._lock:
            self._failures.append((monotonic(), address))


@routes.get("/log-in")
def read_log_in(request: Request) -> Response:
    return ask_to_log_in(request, 200, "")


@routes.post("/log-in")
def log_in(request: Request, form: Stranger) -> Response:
    desk: Desk = request.app.state.desk
    patience: Patience = request.app.state.patience
    say = tongue_of(request, desk).text
    address = request.client.host if request.client else ""
    if not is_from_here(request):
        return ask_to_log_in(request, 403, say("The page was too old. Load it anew and try again."))
    if patience.is_over(address):
        return ask_to_log_in(
            request, 429, say("Too many attempts. Wait five minutes and try again.")
        )
    who = _who(desk, form.get("name", "").strip().lower(), form.get("secret", "").strip())
    if who is None:
        patience.note(address)
        log.warning("console.log_in_refused", address=address)
        return ask_to_log_in(
            request, 401, say("That is not right. Nothing else is said, on purpose.")
        )
    return let_in(request, who, form.get("next", ""))


@routes.post("/log-out")
def log_out(visit: Here, form: Sent) -> Response:  # noqa: ARG001 - its token was looked at
    with visit.desk.hall.db.transaction() as tx:
        sessions.end(tx, visit.request.cookies[COOKIE])
    answer = RedirectResponse("/log-in", 303, headers=HEADERS)
    answer.delete_cookie(COOKIE)
    return answer


@routes.post("/preferences")
def choose(request: Request, form: Stranger) -> Response:
    """How this browser shows the pages; needs no account."""
    desk: Desk = request.app.state.desk
    secure = desk.hall.settings.public_url.startswith("https:")
    answer = RedirectResponse(inside(form.get("next", "")), 303, headers=HEADERS)
    for name, allowed in CHOICES.items():
        if form.get(name) in allowed:
            answer.set_cookie(
                name, form[name], max_age=31_536_000, httponly=True, samesite="lax", secure=secure
            )
        elif form.get(name) == "":
            answer.delete_cookie(name)
    return answer


def let_in(request: Request, who: Identity, place: str) -> Response:
    """A session of a new name, whatever the browser brought along; that one ends."""
    desk: Desk = request.app.state.desk
    now = desk.hall.clock()
    with desk.hall.db.transaction() as tx:
        sessions.end(tx, request.cookies.get(COOKIE, ""))
        token = sessions.begin(tx, who, now)
        people.saw(tx, who.id, now)
    log.info("console.logged_in", who=who.id)
    answer = RedirectResponse(inside(place), 303, headers=HEADERS)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=desk.hall.settings.public_url.startswith("https:"),
    )
    return answer


def _who(desk: Desk, name: str, secret: str) -> Identity | None:
    """A key that may log in, the admin key or one made later; or a person's password."""
    hall = desk.hall
    if name in ("", ADMIN):
        return access.identify(hall.db, hall.keys.admin, secret, hall.clock())
    with hall.db.reading() as tx:
        return people.known(tx, name, secret)


def ask_to_log_in(request: Request, status: int, problem: str) -> Response:
    desk: Desk = request.app.state.desk
    visit = Visit(request, desk, NOBODY, tongue_of(request, desk))
    place = inside(request.query_params.get("next", ""))
    return page(
        visit,
        "log_in.html",
        status,
        problem=problem,
        next=place,
        path="/log-in",  # wherever it is asked from: what stood in the address there is nobody's
        query=f"next={quote(place)}" if place != "/" else "",
        elsewhere=bool(request.app.state.sign_on),
        key_file=_key_file(desk) if desk.hall.settings.sandbox else "",
        bare=True,
    )


def _key_file(desk: Desk) -> str:
    """As seen from where the bridge was started; only a sandbox shows it."""
    place, here = desk.hall.settings.var_dir / "admin.key", Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)


def inside(place: str) -> str:
    """A path of this console; never another site."""
    fine = place.startswith("/") and not place.startswith("//")
    fine = fine and "\\" not in place and place.isprintable()  # as browsers would mend it
    return place if fine else "/"
