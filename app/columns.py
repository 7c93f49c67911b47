"""The types of the columns, chosen so that both databases keep and sort them alike."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Dialect, Text, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """Microseconds since 1970 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + value * MICROSECOND


def microseconds(instant: datetime) -> int:
    """As it is stored."""
    return (instant - EPOCH) // MICROSECOND


def at(instant: datetime | None) -> ColumnElement[datetime | None]:
    """An instant inside an expression: there its type has to be said, or it is stored as text."""
    return literal(instant, Instant())


class Json(TypeDecorator[Any]):
    """JSON as text: neither database may reorder, merge or refuse what we wrote."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class uncased(FunctionElement[str]):  # noqa: N801 - read as a function in a query
    """A text for `like` with a pattern in small letters; of letters beyond a to z nothing is said.

    SQLite's `like` is so by itself; PostgreSQL lowers fastest where no language is looked at.
    """

    type = Text()
    inherit_cache = True


@compiles(uncased)
def _as_it_is(element: uncased, compiler: SQLCompiler, **given: Any) -> str:
    return compiler.process(element.clauses, **given)


@compiles(uncased, "postgresql")
def _lowered(element: uncased, compiler: SQLCompiler, **given: Any) -> str:
    return f'lower({compiler.process(element.clauses, **given)} COLLATE "C")'
