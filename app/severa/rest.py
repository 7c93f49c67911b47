"""How Severa's API is spoken: tokens, turns, paging by cursor and by offset, and JSON patches."""

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.calls import Answer
from app.errors import Busy, Refused, System, Unauthorized, Unclear
from app.line import Line
from app.severa import patches
from app.severa.auth import ask

T = TypeVar("T")
PAGE = 100
Payload = dict[str, Any]


@cache
def _reader(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


class Rest:
    system: System = "severa"

    def __init__(self, line: Line, url: str, client_id: str) -> None:
        self._line, self._url = line, url.rstrip("/")
        self._client_id = client_id

    def prepay(self) -> None:
        self._line.prepay()

    def _one(self, shape: type[T], path: str) -> T:
        record: T = self._shape(shape, self._call("GET", path).data)
        return record

    def _make(self, shape: type[T], path: str, payload: Payload) -> T:
        record: T = self._shape(shape, self._call("POST", path, json_body=payload).data)
        return record

    def _replace(self, path: str, values: Payload) -> None:
        """`values` by path: `name`, `country/guid`."""
        try:
            self._call("PATCH", path, json_body=patches.replacing(values))
        except Refused as error:
            if not patches.is_about_paths(error, values):
                raise
            self._call("PATCH", path, json_body=patches.replacing_objects(values))

    def _pages(self, shape: type[T], path: str, **query: str | list[str]) -> Iterator[T]:
        """Cursor paging: the next page's token comes in a header, and none is the end."""
        token = None
        while True:
            params = query | {"rowCount": str(PAGE)} | ({"pageToken": token} if token else {})
            answer = self._call("GET", path, params=params)
            yield from self._shape(list[shape], answer.data)  # type: ignore[valid-type]
            before, token = token, answer.headers.get("NextPageToken")
            if not token:
                return
            if token == before:
                raise Unclear("severa", f"a page that is followed by itself: {path}")

    def _offsets(self, shape: type[T], path: str, **query: str) -> Iterator[T]:
        """Offset paging: a page that is not full is the last; one too full is everything."""
        first = 0
        while True:
            params = query | {"firstRow": str(first), "rowCount": str(PAGE)}
            page: list[T] = self._shape(list[shape], self._call("GET", path, params=params).data)  # type: ignore[valid-type]
            yield from page
            first += len(page)
            if len(page) != PAGE:
                return

    def _call(self, method: str, path: str, **sent: Any) -> Answer:
        return self._ask(method, f"{self._url}/v1/{path}", **sent)

    def _ask(self, method: str, url: str, **sent: Any) -> Answer:
        token = self._line.tokens.current()
        try:
            return self._send(token, method, url, **sent)
        except Unauthorized:  # a definite no: the token may just have ended
            return self._send(self._line.tokens.renew(token), method, url, **sent)

    def _send(self, token: str, method: str, url: str, **sent: Any) -> Answer:
        self._line.turn()
        headers = {"Authorization": f"Bearer {token}", "Client_Id": self._client_id}
        try:
            return ask(self._line.client, method, url, headers=headers, **sent)
        except Busy as error:
            self._line.note(error)
            raise

    @staticmethod
    def _shape(shape: Any, data: Any) -> Any:
        try:
            return _reader(shape).validate_python(data)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:5])
            raise Unclear("severa", f"an answer of another shape: {fields}") from error
