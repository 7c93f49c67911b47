"""How Fortnox's API is spoken: tokens, turns, pages, and one name around every answer."""

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from app.calls import Answer
from app.errors import Busy, System, Unauthorized, Unclear
from app.fortnox.auth import ask
from app.line import Line

T = TypeVar("T")
PAGE = 500
Payload = dict[str, Any]


@cache
def _reader(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


class Rest:
    system: System = "fortnox"

    def __init__(self, line: Line, url: str) -> None:
        self._line, self._url = line, url.rstrip("/")

    def prepay(self) -> None:
        self._line.prepay()

    def _one(
        self, shape: type[T], wrapper: str, method: str, path: str, body: Payload | None = None
    ) -> T:
        return self._shape(shape, self._call(method, path, json_body=body), wrapper)

    def _pages(self, shape: type[T], path: str, wrapper: str, **query: str) -> Iterator[T]:
        page = 1
        while True:
            params = query | {"limit": str(PAGE), "page": str(page)}
            answer = self._call("GET", path, params=params)
            found: list[T] = self._shape(list[shape], answer, wrapper)  # type: ignore[valid-type]
            yield from found
            total = total_pages(answer.data)
            if total is None and len(found) == PAGE:
                raise Unclear("fortnox", f"a full page that may not be the last: {wrapper}")
            if page >= (total or 1) or not found:
                return
            page += 1

    def _call(self, method: str, path: str, **sent: Any) -> Answer:
        token = self._line.tokens.current()
        try:
            return self._send(token, method, path, **sent)
        except Unauthorized:  # a definite no: the token may just have ended
            return self._send(self._line.tokens.renew(token), method, path, **sent)

    def _send(self, token: str, method: str, path: str, **sent: Any) -> Answer:
        self._line.turn()
        headers = {"Authorization": f"Bearer {token}"}
        try:
            url = self._url + (path if path.startswith("/") else f"/3/{path}")
            return ask(self._line.client, method, url, headers=headers, **sent)
        except Busy as error:
            self._line.note(error)
            raise

    @classmethod
    def _listed(cls, shape: type[T], answer: Answer) -> list[T]:
        """Of the calls that answer a list without a name around it; no list is not an empty one."""
        wrapped = Answer(answer.status, answer.headers, {"list": answer.data})
        found: list[T] = cls._shape(list[shape], wrapped, "list")  # type: ignore[valid-type]
        return found

    @staticmethod
    def _shape(shape: type[T], answer: Answer, wrapper: str) -> T:
        data = answer.data.get(wrapper) if isinstance(answer.data, dict) else None
        try:
            record: T = _reader(cast("Any", shape)).validate_python(data)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:5])
            raise Unclear("fortnox", f"an answer of another shape: {wrapper} {fields}") from error
        return record


def total_pages(data: Any) -> int | None:
    """None where nothing is said of pages."""
    information = data.get("MetaInformation") if isinstance(data, dict) else None
    if information is None:
        return None
    pages = information.get("@TotalPages") if isinstance(information, dict) else None
    if not str(pages).isdecimal():
        raise Unclear("fortnox", "an answer of another shape: MetaInformation")
    return int(str(pages))
