"""One call of a client, read once: path, query, body."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import Response

from app.sandbox.severa.problems import Problem

Query = dict[str, list[str]]


@dataclass(frozen=True)
class Ask:
    """`parts`: the path below the version; `query`: names in lower case, as case is ignored."""

    method: str
    parts: tuple[str, ...]
    query: Query
    headers: Headers
    body: bytes

    @property
    def guid(self) -> str:
        return self.parts[1]

    def token(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def one(self, name: str) -> str | None:
        values = self.query.get(name.lower())
        return values[-1] if values else None

    def whole(self, name: str, usual: int, least: int) -> int:
        text = self.one(name)
        if not text:
            return usual
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            message = f"'{text}' is not a valid {name}."
            raise Problem("InvalidParameter", message, "UriParameter", name)
        return number

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Problem("InvalidRequest", "The body is not valid JSON.") from error

    def object(self) -> dict[str, Any]:
        given = self.json()
        if not isinstance(given, dict):
            raise Problem("InvalidRequest", "A JSON object is expected.")
        return given


def read_query(raw: bytes) -> Query:
    query: Query = {}
    for name, values in parse_qs(raw.decode(), keep_blank_values=True).items():
        query.setdefault(name.lower(), []).extend(values)
    return query


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json; charset=utf-8")
