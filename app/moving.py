"""Carries everything from one database to another that is empty: all of it, or nothing."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from app import migrating
from app.db import Database
from app.errors import BridgeError
from app.models import metadata, processes

AT_ONCE = 500
STREAMED = {"yield_per": AT_ONCE}
LIVES = timedelta(seconds=60)
LEFT_BEHIND = (processes,)  # who is alive says so anew


class CannotMove(BridgeError):
    """Nothing was moved; the text says why, and holds nothing of what is stored."""


@dataclass(frozen=True)
class Moved:
    table: str
    rows: int


def move(
    source: Database, target: Database, var_dir: Path, tell: Callable[[Moved], None]
) -> list[Moved]:
    """Both are brought to this version's tables first. CannotMove: the target is as it was."""
    for db in (source, target):
        migrating.upgrade(db, var_dir)
        if migrating.version(db) != migrating.NEWEST:
            raise CannotMove("the tables are of a newer version than this code")
    try:
        with _snapshot(source) as reading, target.transaction() as writing:
            _refuse_if_used(writing)
            return [_carry(table, reading, writing, tell) for table in _tables()]
    except SQLAlchemyError as error:
        raise CannotMove(f"the database refused it: {type(error).__name__}") from error


def at_work(db: Database, now: datetime) -> list[str]:
    """The processes that gave a sign of life just now, and may write while it is copied."""
    with db.reading() as tx:
        return list(tx.scalars(select(processes.c.name).where(processes.c.seen_at > now - LIVES)))


def _tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table not in LEFT_BEHIND]


def _snapshot(db: Database) -> Connection:
    """Everything is read as it stood at one moment."""
    connection = db.engine.connect()
    if db.is_sqlite:
        return connection.execution_options(write=False)
    return connection.execution_options(isolation_level="REPEATABLE READ")


def _refuse_if_used(tx: Connection) -> None:
    used = [table.name for table in _tables() if tx.scalar(_count(table))]
    if used:
        raise CannotMove(f"the target is not empty: {', '.join(used)}")


def _carry(
    table: Table, reading: Connection, writing: Connection, tell: Callable[[Moved], None]
) -> Moved:
    rows = reading.execute(select(table), execution_options=STREAMED)
    for part in rows.partitions(AT_ONCE):
        writing.execute(insert(table), [dict(row._mapping) for row in part])
    sent, come = _fingerprint(reading, table), _fingerprint(writing, table)
    if sent != come:
        raise CannotMove(f"{table.name}: {sent[0]} rows were read, and {come[0]} are there")
    moved = Moved(table.name, come[0])
    tell(moved)
    return moved


def _fingerprint(tx: Connection, table: Table) -> tuple[int, int]:
    """How many rows, and a sum over their content that no order changes."""
    count = total = 0
    for row in tx.execute(select(table), execution_options=STREAMED):
        count += 1
        total += _digest(row)
    return count, total % 2**128


def _digest(row: Row[Any]) -> int:
    text = json.dumps(list(row), default=_plain, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16])


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _count(table: Table) -> Any:
    return select(func.count()).select_from(table)
