"""Which Severa record is which Fortnox record, and what was last carried over."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, delete, or_, select

from app.db import upsert
from app.models import links


@dataclass(frozen=True)
class Link:
    kind: str
    severa_id: str
    fortnox_id: str
    carried: dict[str, Any]


def of_severa(tx: Tx, connection: str, kind: str, severa_id: str) -> Link | None:
    return _one(tx, connection, kind, links.c.severa_id == severa_id)


def of_fortnox(tx: Tx, connection: str, kind: str, fortnox_id: str) -> Link | None:
    return _one(tx, connection, kind, links.c.fortnox_id == fortnox_id)


def below(tx: Tx, connection: str, kind: str, fortnox_id: str) -> list[Link]:
    """All that was made of the parts of one Fortnox record, named `<its id>/<part>`."""
    rows = tx.execute(
        select(links)
        .where(links.c.connection == connection, links.c.kind == kind)
        .where(links.c.fortnox_id.startswith(f"{fortnox_id}/", autoescape=True))
        .order_by(links.c.fortnox_id)
    )
    return [_link(row) for row in rows]


def of_many(tx: Tx, connection: str, kind: str, fortnox_ids: Collection[str]) -> dict[str, Link]:
    """Those that there are, by their ids in Fortnox."""
    rows = tx.execute(
        select(links).where(
            links.c.connection == connection,
            links.c.kind == kind,
            links.c.fortnox_id.in_(fortnox_ids),
        )
    )
    return {row.fortnox_id: _link(row) for row in rows}


def newest(tx: Tx, connection: str, kind: str, most: int) -> list[Link]:
    """By when something was last carried over."""
    rows = tx.execute(
        select(links)
        .where(links.c.connection == connection, links.c.kind == kind)
        .order_by(links.c.updated_at.desc())
        .limit(most)
    )
    return [_link(row) for row in rows]


def linked(tx: Tx, connection: str, kind: str, keys: Collection[str]) -> set[str]:
    """Which of these keys of the work list have something on the other side already."""
    numbers = {key.removeprefix("fortnox:"): key for key in keys if key.startswith("fortnox:")}
    query = select(links.c.severa_id, links.c.fortnox_id).where(
        links.c.connection == connection, links.c.kind == kind
    )
    if kind == "project_fee":  # named `<supplier invoice>/<row>`
        rows = tx.execute(query)
        return {row.fortnox_id.partition("/")[0] for row in rows} & set(keys)
    of_these = or_(links.c.severa_id.in_(keys), links.c.fortnox_id.in_(numbers))
    found: set[str] = set()
    for row in tx.execute(query.where(of_these)):
        found |= {row.severa_id, numbers.get(row.fortnox_id, row.severa_id)}
    return found & set(keys)


def remember(tx: Tx, connection: str, link: Link, now: datetime) -> None:
    values = {
        "connection": connection,
        "kind": link.kind,
        "severa_id": link.severa_id,
        "fortnox_id": link.fortnox_id,
        "carried": link.carried,
        "created_at": now,
        "updated_at": now,
    }
    statement = upsert(tx, links).values(values)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=[links.c.connection, links.c.kind, links.c.severa_id],
            set_={
                "fortnox_id": link.fortnox_id,
                "carried": statement.excluded.carried,
                "updated_at": now,
            },
        )
    )


def forget(tx: Tx, connection: str, link: Link) -> None:
    """The Severa record is gone, and its counterpart in Fortnox belongs to another one now."""
    tx.execute(
        delete(links).where(
            links.c.connection == connection,
            links.c.kind == link.kind,
            links.c.severa_id == link.severa_id,
        )
    )


def _one(tx: Tx, connection: str, kind: str, which: Any) -> Link | None:
    row = tx.execute(
        select(links).where(links.c.connection == connection, links.c.kind == kind, which)
    ).one_or_none()
    return None if row is None else _link(row)


def _link(row: Row[Any]) -> Link:
    return Link(row.kind, row.severa_id, row.fortnox_id, row.carried)
