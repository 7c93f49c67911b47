"""Logging in at the organisation: sent away with a sealed cookie, believed when it comes back."""

import hmac
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog
from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app import audit, people
from app.api.desk import Desk, origin
from app.console.door import Patience, ask_to_log_in, inside, let_in
from app.console.sheets import HEADERS
from app.console.visit import router, tongue_of
from app.identity import Identity
from app.oidc import CALLBACK, Asked, CannotSignOn, Guest, SignOn
from app.vault import CannotDecrypt

log = structlog.get_logger()
routes = router()

COOKIE, OWNER = "signing_on", "sign-on"
LIFETIME = timedelta(minutes=10)
LONGEST = 4000  # of what the browser brings back


@routes.get("/log-in/oidc")
def leave(request: Request) -> Response:
    sign_on = _sign_on(request)
    if sign_on is None:
        return RedirectResponse("/log-in", 303, headers=HEADERS)
    try:
        url, asked = sign_on.begin()
    except CannotSignOn as error:
        return _sorry(request, error)
    desk: Desk = request.app.state.desk
    kept = asdict(asked) | {
        "next": inside(request.query_params.get("next", "")),
        "until": (desk.hall.clock() + LIFETIME).isoformat(),
    }
    answer = RedirectResponse(url, 303, headers=HEADERS)
    answer.set_cookie(
        COOKIE,
        desk.hall.vault.seal(OWNER, kept),
        max_age=int(LIFETIME.total_seconds()),
        path="/log-in/oidc",
        httponly=True,
        samesite="lax",
        secure=desk.hall.settings.public_url.startswith("https:"),
    )
    return answer


@routes.get(CALLBACK)
def come_back(request: Request) -> Response:
    """Uses up what was kept, whatever becomes of it."""
    sign_on, patience = _sign_on(request), _patience(request)
    address = origin(request)
    if sign_on is None:
        return RedirectResponse("/log-in", 303, headers=HEADERS)
    if patience.is_over(address):
        say = tongue_of(request, request.app.state.desk).text
        return ask_to_log_in(
            request, 429, say("Too many attempts. Wait five minutes and try again.")
        )
    try:
        asked, place = _kept(request)
        guest = sign_on.finish(asked, _code(request, sign_on, asked))
        answer = let_in(request, _welcome(request, guest), place)
    except CannotSignOn as error:
        patience.note(address)
        answer = _sorry(request, error)
    answer.delete_cookie(COOKIE, path="/log-in/oidc")
    return answer


def _kept(request: Request) -> tuple[Asked, str]:
    """What this browser was sent away with: what began elsewhere does not end here."""
    desk: Desk = request.app.state.desk
    try:
        kept = desk.hall.vault.open(OWNER, request.cookies.get(COOKIE, ""))
    except CannotDecrypt:
        raise CannotSignOn("late", "begun in another browser, or too long ago") from None
    if datetime.fromisoformat(kept["until"]) <= desk.hall.clock():
        raise CannotSignOn("late", "begun too long ago")
    return Asked(kept["state"], kept["nonce"], kept["verifier"]), str(kept["next"])


def _code(request: Request, sign_on: SignOn, asked: Asked) -> str:
    brought = request.query_params
    state = brought.get("state", "").encode("utf-8", "replace")
    if not hmac.compare_digest(state, asked.state.encode()):
        raise CannotSignOn("late", "another state")
    if brought.get("iss", sign_on.issuer) != sign_on.issuer:
        raise CannotSignOn("wrong", "another issuer")
    code = brought.get("code", "")
    if not code or len(code) > LONGEST:
        error = brought.get("error", "")
        known = error if error.isascii() and error.replace("_", "").isalpha() else "no code"
        raise CannotSignOn("refused", known[:60])
    return code


def _welcome(request: Request, guest: Guest) -> Identity:
    """Written down when they come for the first time, and when their role is another one."""
    desk: Desk = request.app.state.desk
    now = desk.hall.clock()
    with desk.hall.db.transaction() as tx:
        who, change = people.welcome(tx, guest.id, guest.label, guest.scope, now)
        if who is None:
            raise CannotSignOn("nobody", "shut out here")
        if change:
            by = Identity("session", who.id, who.name, who.scope, origin(request))
            audit.write(tx, by, change, None, now, person=who.id, scope=who.scope)
    return who


def _sorry(request: Request, error: CannotSignOn) -> Response:
    log.warning("console.sign_on_failed", why=error.why, detail=str(error))
    say = tongue_of(request, request.app.state.desk).text
    told = {
        "silent": say("Your organisation's log-in does not answer. Try again in a while."),
        "late": say("The log-in took too long or was begun elsewhere. Try again."),
        "wrong": say(
            "What your organisation's log-in answered cannot be believed. The log says why."
        ),
        "refused": say("Your organisation's log-in refused."),
        "nobody": say("You have no role here. Ask whoever runs this installation."),
    }
    status = {"silent": 502, "late": 400, "wrong": 400, "refused": 403, "nobody": 403}
    return ask_to_log_in(request, status[error.why], told[error.why])


def _sign_on(request: Request) -> SignOn | None:
    found: SignOn | None = request.app.state.sign_on
    return found


def _patience(request: Request) -> Patience:
    found: Patience = request.app.state.patience
    return found
