"""Lists: filters that find substrings, sorting, and pages of 100, at most 500."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.calls import Answer, Call
from app.sandbox.fortnox.documents import Document, rank
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.events import STOCKHOLM

Test = Callable[[Document], bool]
Param = Callable[[Call, str], Test]
GLOBAL = {
    "page", "limit", "offset", "sortby", "sortorder", "lastmodified", "financialyear",
    "financialyeardate",
}  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """What a resource can be filtered and sorted by; `item` makes a list row of a document."""

    plural: str
    item: Callable[[dict[str, Any]], dict[str, Any]]
    params: dict[str, Param] = field(default_factory=dict)
    sorts: dict[str, str] = field(default_factory=dict)  # name in sortby: field

    def answer(self, call: Call, documents: Iterable[Document]) -> Answer:
        found = list(documents)
        if call.books.options.search_delay:
            found = [each for each in found if call.books.searchable(each.created)]
        for test in self._tests(call):
            found = [each for each in found if test(each)]
        self._sort(call, found)
        page, meta = _page(call, found)
        shown = (call.books.shown(each) for each in page)
        rows = [self.item(each) for each in shown if each is not None]
        return Answer(200, {"MetaInformation": meta, self.plural: rows})

    def _tests(self, call: Call) -> list[Test]:
        tests = []
        for name, value in call.query.items():
            if "<" in value or ">" in value:
                raise Refused(errors.BAD_PARAMETER, "Ogiltigt tecken i sökparameter.")
            if name in self.params:
                tests.append(self.params[name](call, value))
            elif name == "lastmodified":
                tests.append(_modified_since(value))
            elif name not in GLOBAL and call.books.options.unknown_parameter == "refuse":
                raise Refused(errors.BAD_PARAMETER, f"Ogiltig parameter: {name}.")
        return tests

    def _sort(self, call: Call, found: list[Document]) -> None:
        order = call.query.get("sortorder", "ascending")
        if order not in ("ascending", "descending"):
            raise Refused(errors.BAD_PARAMETER, "Ogiltig sorteringsordning.")
        by = call.query.get("sortby")
        if by is None:
            if order == "descending":
                found.reverse()
            return
        if by not in self.sorts:
            raise Refused(errors.BAD_PARAMETER, f"Ogiltig sortering: {by}.")
        name = self.sorts[by]
        found.sort(key=lambda each: _sort_key(each[name]), reverse=order == "descending")


def _sort_key(value: Any) -> Any:
    if value is None:
        return (-1, 0, "")
    return rank(value.lower()) if isinstance(value, str) else (0, value, "")


def _page(call: Call, found: list[Document]) -> tuple[list[Document], dict[str, int]]:
    limit = _count(call, "limit", 100)
    if limit > 500:
        if call.books.options.limit_over_500 == "refuse":
            raise Refused(errors.BAD_PARAMETER, "Ogiltig parameter: limit.")
        limit = 500
    start = (_count(call, "page", 1) - 1) * limit
    if "offset" in call.query:
        start = _count(call, "offset", 0, least=0)
    total = len(found) if start < len(found) or "offset" not in call.query else 0
    meta = {
        "@TotalResources": total,
        "@TotalPages": -(-total // limit),
        "@CurrentPage": start // limit + 1,
    }
    return found[start : start + limit], meta


def _count(call: Call, name: str, default: int, least: int = 1) -> int:
    text = call.query.get(name, str(default))
    if not text.isdigit() or int(text) < least:
        raise Refused(errors.BAD_PARAMETER, f"Ogiltig parameter: {name}.")
    return int(text)


def _modified_since(value: str) -> Test:
    """Local Swedish time, without a zone."""
    try:
        since = datetime.fromisoformat(value)
    except ValueError:
        raise Refused(errors.BAD_PARAMETER, "Ogiltig parameter: lastmodified.") from None
    since = since.replace(tzinfo=since.tzinfo or STOCKHOLM).astimezone(UTC)
    return lambda each: each.modified >= since


def text(name: str) -> Param:
    """Found anywhere in the field, whatever the case."""

    def param(call: Call, value: str) -> Test:
        wanted, mode = value.lower(), call.books.options.search
        if mode == "exact":
            return lambda each: str(each[name] or "").lower() == wanted
        if mode == "prefix":
            return lambda each: str(each[name] or "").lower().startswith(wanted)
        return lambda each: wanted in str(each[name] or "").lower()

    return param


def truth(name: str) -> Param:
    def param(_: Call, value: str) -> Test:
        if value not in ("true", "false", "1", "0"):
            raise Refused(errors.BAD_PARAMETER, f"Ogiltig parameter: {name}.")
        wanted = value in ("true", "1")
        return lambda each: (str(each[name]).lower() == "true") == wanted

    return param


def since(name: str) -> Param:
    return lambda _, value: lambda each: bool(each[name]) and each[name] >= value


def until(name: str) -> Param:
    return lambda _, value: lambda each: bool(each[name]) and each[name] <= value


def named(filters: dict[str, Test]) -> Param:
    """`filter=` with one of the known names."""

    def param(_: Call, value: str) -> Test:
        if value not in filters:
            raise Refused(errors.BAD_FILTER, "Ett ogiltigt filter har använts.")
        return filters[value]

    return param


def columns(notation: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """ "Name Phone=Phone1" → a list row of those fields."""
    pairs = [(word.split("=")[0], word.split("=")[-1]) for word in notation.split()]
    return lambda each: {name: each.get(source, "") for name, source in pairs}
