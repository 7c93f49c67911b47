"""One call to the API, and one answer to it."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.documents import number
from app.sandbox.fortnox.errors import Refused


@dataclass(frozen=True)
class Call:
    method: str
    path: list[str]  # unquoted, without the leading "3"
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    books: Books

    def wrapped(self, name: str) -> Any:
        """The object inside `{"<name>": …}`."""
        payload = self.json()
        if not isinstance(payload, dict) or name not in payload:
            raise Refused(errors.BAD_BODY, "Felaktig eller saknad indata.")
        if unknown := payload.keys() - {name}:
            raise Refused(errors.UNKNOWN_FIELD, f"Ogiltigt fältnamn: {min(unknown)}.")
        return payload[name]

    def json(self) -> Any:
        if not self.body.strip():
            raise Refused(errors.BAD_BODY, "Felaktig eller saknad indata.")
        if "json" not in self.headers.get("content-type", "application/json"):
            raise Refused(errors.BAD_CONTENT_TYPE, "Ogiltig innehållstyp.")
        try:
            return json.loads(self.body, parse_float=Decimal)
        except ValueError:
            raise Refused(errors.BAD_JSON, "Ogiltig JSON.") from None


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None  # bytes as they are, anything else as JSON, None: empty
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else encode(self.body)


def encode(body: Any) -> bytes:
    """As Fortnox writes JSON: ASCII only, and every slash escaped."""
    text = json.dumps(body, default=number, separators=(",", ":"))
    return text.replace("/", "\\/").encode()


def created(resource: str, body: Any) -> Answer:
    return Answer(201, body, {"Location": resource})


def no_such_method() -> Refused:
    return Refused(errors.BAD_METHOD, "Metoden stöds inte.", 405)
