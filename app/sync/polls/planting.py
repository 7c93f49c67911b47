"""Puts the rows of the polls where they are missing: one for each active connection and register.

A first poll begins where its connection was activated; what is older is for a backfill.
"""

import json
from datetime import datetime
from typing import Any

from app import connections, cursors, overview, worklist
from app.clock import iso
from app.db import Database, Tx
from app.settings import Settings
from app.sync.polls import POLLS
from app.sync.polls.keeping import cursor_name
from app.sync.polls.rhythm import next_turn
from app.worklist import POLL, Want


def plant(db: Database, settings: Settings, now: datetime) -> int:
    """Answers how many were put there or set going again; none while there is no poller."""
    if not settings.poll_interval:
        return 0
    with db.reading() as tx:
        missing = _missing(tx)
    if missing:
        with db.transaction() as tx:
            for name, key, activated in missing:
                _plant(tx, want(name, key), activated, settings, now)
    return len(missing)


def want(connection: str, key: str) -> Want:
    """Those of one vendor and connection run one after the other: they must not take all places."""
    system = key.partition(":")[0]
    return Want(connection, "poll", key, lane=POLL, subject=f"poll:{system}")


def _plant(tx: Tx, one: Want, activated: datetime, settings: Settings, now: datetime) -> None:
    since = json.dumps({"since": iso(min(activated, now))})
    cursors.start(tx, one.connection, cursor_name(one.key), since, now)
    worklist.plant(tx, one, next_turn(one.connection, one.key, settings, now), now)


def _missing(tx: Tx) -> list[tuple[str, str, datetime]]:
    active = connections.active_since(tx)
    rows = overview.polls(tx, active)
    going = {(row.connection, row.key) for row in rows if _goes(row)}
    return [
        (name, key, activated)
        for name, activated in active.items()
        for key in POLLS
        if (name, key) not in going
    ]


def _goes(row: Any) -> bool:
    return row.state == "running" or row.due_at is not None or row.waits_for is not None
