"""The test bench for webhooks: a request that was turned away is pasted, and told what it lacks."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from starlette.responses import Response

from app import said, signatures
from app.connections import Connection
from app.console.visit import Form, Here, Sent, Visit, router
from app.console.words import _
from app.documents import MASK, Door
from app.errors import Invalid
from app.fortnox import webhook as fortnox_webhook
from app.inbox import Source
from app.severa import webhook as severa_webhook
from app.sync import wants
from app.sync.wants import Follows

routes = router()
SOURCES: tuple[Source, ...] = get_args(Source)
TOKEN = re.compile(r"^(\s*authorization\s*:).*$", re.IGNORECASE | re.MULTILINE)
# What the door says to the operator, in its own words: each has its sentence here.
FAILS = {
    "the source is closed: it has no secret and no token": _(
        "This door is closed: it has neither a secret nor a token. Add one under Connect."
    ),
    "neither webhook-signature nor a bearer token was sent": _(
        "Neither the header webhook-signature nor a bearer token was sent."
    ),
    "no bearer token matches": _("The bearer token is none of those of this door."),
    "webhook-id is missing": _("The header webhook-id is missing."),
    "webhook-timestamp is not a number of seconds": _(
        "The header webhook-timestamp is missing, or is not a number of seconds since 1970."
    ),
    "webhook-timestamp is too far from our clock": _(
        "The header webhook-timestamp is more than five minutes from our clock."
    ),
    "the source takes bearer tokens only, it has no secret": _(
        "This door takes bearer tokens only: it has no secret to check a signature with."
    ),
    "webhook-signature has no v1, followed by base64": _(
        "The header webhook-signature has nothing of the form v1,<base64>."
    ),
    "no signature matches a secret": _("The signature matches none of the secrets of this door."),
}
CAUSES = {
    "the secret was used as text; what follows whsec_ is base64": _(
        "The sender used the secret as text. What follows whsec_ is base64 and has to be decoded."
    ),
    "the body was changed after it was signed": _(
        "The body was changed after it was signed: other spaces, line ends or letters."
    ),
    "the body alone was signed, without id and timestamp": _(
        "The sender signed the body alone. Sign id.timestamp.body, with the dots."
    ),
}


@dataclass(frozen=True)
class Result:
    """`wrong`: the field of the body that is not understood; `follows`: what would be looked at."""

    is_genuine: bool
    failed: str = ""
    cause: str = ""
    wrong: str = ""
    event: str = ""
    follows: Follows | None = None


@routes.get("/c/{connection}/webhook-test")
def read_bench(visit: Here) -> Response:
    return _show(visit, visit.connection(), {}, None)


@routes.post("/c/{connection}/webhook-test")
def try_out(visit: Here, form: Sent) -> Response:
    """The checks of the door itself; nothing is stored, and no secret is shown."""
    visit.need("operate")
    connection = visit.connection()
    source: Source = "fortnox" if form.get("source") == "fortnox" else "severa"
    door = getattr(connection.document.webhooks, source)
    headers = _headers(form.get("headers", ""))
    tried = [_tried(visit, door, headers, body, form) for body in _bodies(form)]
    body, result = next((one for one in tried if one[1].is_genuine), tried[0])
    return _show(visit, connection, form, _understood(connection, source, body, result))


def _show(visit: Visit, connection: Connection, form: Form, result: Result | None) -> Response:
    base = visit.desk.hall.settings.public_url.rstrip("/")
    headers = TOKEN.sub(rf"\1 Bearer {MASK}", form.get("headers", ""))
    return visit.show(
        "webhook_test.html",
        connection=connection,
        given=dict(form) | {"headers": headers},
        result=result,
        doors={name: f"{base}/webhooks/{connection.name}/{name}" for name in SOURCES},
        fails=FAILS,
        causes=CAUSES,
    )


def _headers(text: str) -> dict[str, str]:
    """Names in lower case, as the door sees them; lines that are no header are left out."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _bodies(form: Form) -> list[bytes]:
    """A browser sends every line end as two characters, whichever was pasted."""
    text = form.get("body", "")
    spelt = (text.replace("\r\n", "\n"), text)
    return [one.encode("utf-8", "surrogatepass") for one in dict.fromkeys(spelt)]


def _tried(
    visit: Visit, door: Door, headers: dict[str, str], body: bytes, form: Form
) -> tuple[bytes, Result]:
    now = visit.desk.hall.clock()
    verdict = signatures.verify(
        headers, body, door, _sent(headers, now) if form.get("old") else now
    )
    cause = ""
    if verdict.failed == signatures.NO_MATCH:
        secrets = [one.get_secret_value() for one in door.secrets]
        cause = signatures.likely_cause(headers, body, secrets)
    return body, Result(verdict.ok, verdict.failed, cause)


def _sent(headers: dict[str, str], now: datetime) -> datetime:
    """When it was sent, as it says itself."""
    stamp = headers.get("webhook-timestamp", "")
    plain = stamp.isascii() and stamp.isdigit() and len(stamp) <= 10
    return datetime.fromtimestamp(int(stamp), UTC) if plain else now


def _understood(connection: Connection, source: Source, body: bytes, result: Result) -> Result:
    given = (result.is_genuine, result.failed, result.cause)
    try:
        content = said.read_json(body)
        if source == "severa":
            event = severa_webhook.read(content)
            return Result(*given, "", event.type, wants.of_severa(connection.name, event))
        told = fortnox_webhook.read(content)
        return Result(*given, "", told.type, wants.of_fortnox(connection.name, told))
    except Invalid as error:
        return Result(*given, wrong=f"{error.field} {error.message}")
