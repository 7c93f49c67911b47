"""The transfer log's sentences: what happened to a record, in order, as a code and its facts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, insert, select

from app import ids
from app.models import transfer_log


def write(
    tx: Tx, connection: str, work_id: str, what: str, now: datetime, /, **facts: object
) -> None:
    """`what` is a code of the catalogue in `reasons.py`."""
    tx.execute(
        insert(transfer_log).values(
            id=ids.new("log"),
            connection=connection,
            work_id=work_id,
            at=now,
            what=what,
            facts={name: str(fact) for name, fact in facts.items() if fact is not None},
        )
    )


def said_since(tx: Tx, work_id: str, instant: datetime) -> bool:
    query = select(transfer_log.c.id).where(
        transfer_log.c.work_id == work_id, transfer_log.c.at >= instant
    )
    return tx.execute(query.limit(1)).first() is not None


def read(tx: Tx, work_id: str) -> Sequence[Row[Any]]:
    return tx.execute(
        select(transfer_log).where(transfer_log.c.work_id == work_id).order_by(transfer_log.c.id)
    ).all()
