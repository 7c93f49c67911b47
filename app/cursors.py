"""How far each topic and each poll has come; stored in the same commit as what it brought."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, select

from app.db import upsert
from app.models import cursors

EVERYBODY = ""


def get(tx: Tx, connection: str, name: str) -> str | None:
    return tx.scalar(
        select(cursors.c.value).where(cursors.c.connection == connection, cursors.c.name == name)
    )


def put(tx: Tx, connection: str, name: str, value: str, now: datetime, *, told: bool) -> None:
    """`told`: something was heard this time, not only asked."""
    row = {"connection": connection, "name": name, "value": value, "updated_at": now}
    changes: dict[str, Any] = {"value": value, "updated_at": now} | (
        {"seen_at": now} if told else {}
    )
    tx.execute(
        upsert(tx, cursors)
        .values(row | changes)
        .on_conflict_do_update(index_elements=[cursors.c.connection, cursors.c.name], set_=changes)
    )


def every(tx: Tx, connection: str) -> list[Row[Any]]:
    return list(
        tx.execute(
            select(cursors).where(cursors.c.connection == connection).order_by(cursors.c.name)
        )
    )
