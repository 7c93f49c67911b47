"""The two ways in which Severa hands out long lists."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any, Literal

from starlette.responses import Response

from app.sandbox.severa.asking import Ask, answer
from app.sandbox.severa.filters import Test
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

Style = Literal["cursor", "offset", "whole"]
ROW_COUNT = 20


def page(
    world: World, ask: Ask, style: Style, records: Iterable[Record], tests: list[Test]
) -> Response:
    kept = [record for record in records if all(test(record) for test in tests)]
    if style == "whole":
        return answer(kept)
    size = min(ask.whole("rowCount", ROW_COUNT, 1), world.options.max_row_count)
    if style == "offset":
        first = ask.whole("firstRow", 0, 0)
        return answer(_sorted(kept, ask)[first : first + size])
    return _cursor(world, ask, kept, size)


def _cursor(world: World, ask: Ask, kept: list[Record], size: int) -> Response:
    """A page ends at a record, not at a count: changes meanwhile skip and repeat nothing."""
    token = ask.one("pageToken")
    if token:
        after = _read_token(token)
        kept = [record for record in kept if world.born[record["guid"]] > after]
    shown = kept[:size]
    headers = {}
    if len(kept) > size:
        headers["NextPageToken"] = _write_token(world.born[shown[-1]["guid"]])
    return answer(shown, headers=headers)


def _write_token(after: int) -> str:
    return urlsafe_b64encode(f"after:{after}".encode()).decode()


def _read_token(token: str) -> int:
    try:
        return int(urlsafe_b64decode(token.encode()).decode().removeprefix("after:"))
    except ValueError as error:
        message = "The page token is not valid."
        raise Problem("InvalidParameter", message, "UriParameter", "pageToken") from error


def _sorted(records: list[Record], ask: Ask) -> list[Record]:
    key = ask.one("sortings[0].key")
    if not key:
        return records
    name = key[:1].lower() + key[1:]
    down = (ask.one("sortings[0].value") or "").lower() == "desc"
    return sorted(records, key=lambda record: _order(record.get(name)), reverse=down)


def _order(value: Any) -> tuple[bool, str | float]:
    if isinstance(value, int | float):
        return (True, float(value))
    return (False, str(value or "").lower())
