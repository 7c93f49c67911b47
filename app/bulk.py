"""Many rows by one statement, whose text is made once.

SQLAlchemy makes the statement and its parameters anew for each batch, which costs more than the
database itself. Values go in as the driver takes them: text, numbers, bytes; an instant as its
microseconds. PostgreSQL gets all rows as one parameter, as JSON.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    FromClause,
    LargeBinary,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy import Connection as Tx
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.selectable import TableValuedAlias

from app.db import insert_into

Rows = Sequence[Sequence[Any]]
Answers = Sequence[tuple[Any, ...]]
AT_ONCE = 64  # SQLite keeps a statement for each number of rows that ever came


class Bulk:
    """An INSERT. `finish`: what follows on a conflict and what is answered; it binds nothing."""

    def __init__(
        self,
        table: Table,
        columns: Sequence[str],
        finish: Callable[[Insert], Insert | ReturningInsert[Any]],
    ) -> None:
        self._table, self._finish = table, finish
        self._columns = [one.name for one in table.c if one.name in columns]
        if self._columns != list(columns):
            raise ValueError("the columns are given in the order of the table")
        self._texts: dict[tuple[str, int], str] = {}

    def insert(self, tx: Tx, rows: Rows) -> list[tuple[Any, ...]]:
        """Each row in the order of the columns; answers what `finish` wants returned."""
        return [row for part in _parts(rows) for row in self._insert(tx, part)]

    def _insert(self, tx: Tx, rows: Rows) -> Answers:
        if tx.dialect.name == "sqlite":
            return _of_sqlite(tx, self._text(tx, len(rows)), tuple(chain.from_iterable(rows)))
        return answers(tx, self._text(tx, 0), as_json(self._columns, rows))

    def _text(self, tx: Tx, rows: int) -> str:
        at = tx.dialect.name, rows
        if at not in self._texts:
            self._texts[at] = self._values(tx, rows) if rows else self._from_json(tx)
        return self._texts[at]

    def _values(self, tx: Tx, rows: int) -> str:
        statement = self._finish(insert_into(self._table, "sqlite"))
        text = str(statement.compile(dialect=tx.dialect, column_keys=self._columns))
        one = _places(len(self._columns))
        return text.replace(f"VALUES {one}", f"VALUES {', '.join([one] * rows)}", 1)

    def _from_json(self, tx: Tx) -> str:
        columns = [self._table.c[name] for name in self._columns]
        given = recordset(columns)
        values = [value_of(given, one) for one in columns]
        statement = insert_into(self._table, "postgresql").from_select(columns, select(*values))
        return str(self._finish(statement).compile(dialect=tx.dialect))


class Lookup:
    """A SELECT of the rows that have one of many keys, text all of it; `key` is a unique index."""

    def __init__(self, answer: Sequence[Column[Any]], key: Sequence[Column[Any]]) -> None:
        table = key[0].table
        if "connection" in table.c and table.c.connection not in key:
            raise ValueError("a condition on the connection is missing")
        self._table, self._answer, self._key = table, answer, key
        self._texts: dict[str, str] = {}

    def find(self, tx: Tx, keys: Rows) -> list[tuple[Any, ...]]:
        return [row for part in _parts(keys) for row in self._find(tx, part)]

    def _find(self, tx: Tx, keys: Rows) -> Answers:
        name = tx.dialect.name
        if name not in self._texts:
            statement = self._in_array() if name == "sqlite" else self._in_recordset()
            self._texts[name] = str(statement.compile(dialect=tx.dialect))
        if name == "sqlite":
            return _of_sqlite(tx, self._texts[name], (json.dumps(keys),))
        return answers(tx, self._texts[name], as_json([one.name for one in self._key], keys))

    def _in_array(self) -> Select[Any]:
        given = func.json_each(bindparam("rows", type_=Text)).table_valued("value", name="given")
        parts = [
            one == func.json_extract(given.c.value, column(f"'$[{place}]'", is_literal=True))
            for place, one in enumerate(self._key)
        ]
        return select(*self._answer).select_from(given.join(self._table, and_(*parts)))

    def _in_recordset(self) -> Select[Any]:
        given = recordset(self._key)
        parts = [one == given.c[one.name] for one in self._key]
        return select(*self._answer).select_from(given.join(self._table, and_(*parts)))


def _parts(rows: Rows) -> Iterator[Rows]:
    return (rows[first : first + AT_ONCE] for first in range(0, len(rows), AT_ONCE))


def answers(tx: Tx, statement: str, given: Any) -> Answers:
    result = tx.exec_driver_sql(statement, given)
    return [tuple(row) for row in result] if result.returns_rows else []


def _of_sqlite(tx: Tx, statement: str, given: Any) -> Answers:
    """By the driver itself: SQLAlchemy's cursor around it costs more than SQLite does."""
    cursor = tx.connection.cursor()
    try:
        cursor.execute(statement, given)
        return cursor.fetchall()
    except sqlite3.Error as error:
        raise DBAPIError.instance(
            statement, None, error, sqlite3.Error, hide_parameters=True, dialect=tx.dialect
        ) from error
    finally:
        cursor.close()


def _places(columns: int) -> str:
    return f"({', '.join('?' * columns)})"


def as_json(names: Sequence[str], rows: Rows) -> dict[str, str]:
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    return {"rows": json.dumps(objects, default=bytes.hex)}


def recordset(columns: Sequence[Column[Any]]) -> TableValuedAlias:
    """What PostgreSQL reads out of the parameter: bytes come in hexadecimal."""
    parts = [column(one.name, BigInteger if _is_number(one) else Text) for one in columns]
    given = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    return given.table_valued(*parts, name="given").render_derived(with_types=True)


def _is_number(one: Column[Any]) -> bool:
    return one.type.python_type is not str and not isinstance(one.type, LargeBinary)


def value_of(given: FromClause, one: Column[Any]) -> Any:
    """As the table keeps it, out of a recordset."""
    value = given.c[one.name]
    if isinstance(one.type, LargeBinary):
        return func.decode(value, column("'hex'", is_literal=True))
    return value
