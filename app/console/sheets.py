"""The templates, and what every page is sent with."""

import hashlib
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app import clock
from app.console import words
from app.console.menu import MENU

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.console.visit import Visit

HERE = Path(str(files(__package__)))
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
A_YEAR = "public, max-age=31536000, immutable"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["short"] = words.short
    made.globals |= {"static": static_url, "MENU": MENU}
    return made


def page(visit: "Visit", sheet: str, status: int = 200, /, **facts: Any) -> HTMLResponse:
    tongue, cookies = visit.tongue, visit.request.cookies
    said = unquote(cookies.get("said", ""))

    def moment(instant: datetime | None) -> Markup:
        shown = Markup('<time datetime="{}" title="{}">{}</time>')
        if instant is None:
            return Markup("–")
        local = instant.astimezone(clock.STOCKHOLM).strftime("%Y-%m-%d %H:%M:%S")
        return shown.format(clock.iso(instant), local, tongue.moment(instant))

    is_still = cookies.get("updates") == "still"

    given = {
        "_": tongue.text,
        "ngettext": tongue.texts,
        "tongue": tongue,
        "moment": moment,
        "live": partial(_live, is_still),
        "is_still": is_still,
        "kind_word": lambda word: words.kind(tongue, word),
        "state_word": lambda word: words.state(tongue, word),
        "door_word": lambda word: words.door(tongue, word),
        "event_word": lambda word: words.event(tongue, word),
        "write_word": lambda word: words.write(tongue, word),
        "heard_word": lambda word: words.heard(tongue, word),
        "act_word": lambda word: words.act(tongue, word),
        "who_word": lambda word: words.who(tongue, word),
        "way_word": lambda word: words.way(tongue, word),
        "batch_word": lambda word: words.batch(tongue, word),
        "stage_word": lambda word: words.stage(tongue, word),
        "role_word": lambda word: words.role(tongue, word),
        "check_word": lambda code: words.check(tongue, code),
        "visit": visit,
        "me": visit.session.who,
        "csrf": visit.session.csrf,
        "path": visit.request.url.path,
        "query": visit.request.url.query,
        "theme": cookies.get("theme") if cookies.get("theme") in ("light", "dark") else "",
        "said": said[:500],
        "sandbox": visit.desk.hall.settings.sandbox,
        "name": visit.request.path_params.get("connection", ""),
        "bare": False,
    }
    html = _environment().get_template(sheet).render(given | facts)
    answer = HTMLResponse(html, status, headers=HEADERS)
    if said:
        answer.delete_cookie("said")
    return answer


def _live(is_still: bool, address: str, seconds: int, *, at_once: bool = False) -> Markup:  # noqa: FBT001 - given once
    """By which a piece of a page keeps itself up to date, where the reader has not stopped that."""
    triggers = ["load"] * at_once + [f"every {seconds}s"] * (not is_still)
    if not triggers:
        return Markup("")
    attributes = Markup('hx-get="{}" hx-trigger="{}" hx-swap="morph:innerHTML"')
    return attributes.format(address, ", ".join(triggers))


def static_url(name: str) -> str:
    return f"/static/{name}?{_static()[name][1]}"


@cache
def _static() -> dict[str, tuple[bytes, str, str]]:
    """name → content, version, media type."""
    found = {}
    for path in sorted((HERE / "static").iterdir()):
        if path.suffix in KINDS:
            content = path.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:12]
            found[path.name] = (content, version, KINDS[path.suffix])
    return found


def _serve(request: "Request") -> Response:
    known = _static().get(request.path_params["name"])
    if known is None:
        return Response(status_code=404)
    content, version, media_type = known
    cache_for = A_YEAR if request.url.query == version else "no-cache"
    headers = {"Cache-Control": cache_for, "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)


STATIC = Route("/static/{name}", _serve, methods=["GET"])
