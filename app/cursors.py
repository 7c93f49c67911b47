"""How far each topic and each poll has come; stored in the same commit as what it brought."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, or_, select

from app.db import upsert
from app.models import cursors


@dataclass(frozen=True)
class Entry:
    """`told`: something was heard this time, not only asked."""

    connection: str
    name: str
    value: str
    told: bool = False


def get(tx: Tx, connection: str, name: str) -> str | None:
    return tx.scalar(
        select(cursors.c.value).where(cursors.c.connection == connection, cursors.c.name == name)
    )


def put(  # noqa: PLR0913 - a row is that many things
    tx: Tx, connection: str, name: str, value: str, now: datetime, *, told: bool
) -> None:
    """`told`: something was heard this time, not only asked."""
    put_all(tx, [Entry(connection, name, value, told)], now)


def put_all(tx: Tx, entries: Iterable[Entry], now: datetime) -> None:
    """Many at once; always in the same order, so that two processes never wait for each other."""
    in_order = sorted(entries, key=lambda one: (one.connection, one.name))
    for told in (False, True):
        rows = [
            {"connection": one.connection, "name": one.name, "value": one.value, "updated_at": now}
            | ({"seen_at": now} if told else {})
            for one in in_order
            if one.told is told
        ]
        if rows:
            statement = upsert(tx, cursors).values(rows)
            fields = ("value", "updated_at", "seen_at") if told else ("value", "updated_at")
            tx.execute(
                statement.on_conflict_do_update(
                    index_elements=[cursors.c.connection, cursors.c.name],
                    set_={field: statement.excluded[field] for field in fields},
                )
            )


def called(tx: Tx, names: Sequence[str]) -> list[Row[Any]]:
    """The cursors of these names, of all connections."""
    return list(tx.execute(select(cursors).where(cursors.c.name.in_(names))))


def start(tx: Tx, connection: str, name: str, value: str, now: datetime) -> None:
    """Where one begins that has no place yet; what has one keeps it."""
    row = {"connection": connection, "name": name, "value": value, "updated_at": now}
    tx.execute(upsert(tx, cursors).values(row).on_conflict_do_nothing())


def beginning_with(
    tx: Tx, beginnings: Sequence[str], connection: str | None = None
) -> list[Row[Any]]:
    """Of one connection, or of all."""
    names = or_(*(cursors.c.name.startswith(one, autoescape=True) for one in beginnings))
    query = select(cursors).where(names).order_by(cursors.c.connection, cursors.c.name)
    if connection is not None:
        query = query.where(cursors.c.connection == connection)
    return list(tx.execute(query))


def every(tx: Tx, connection: str) -> list[Row[Any]]:
    return list(
        tx.execute(
            select(cursors).where(cursors.c.connection == connection).order_by(cursors.c.name)
        )
    )
