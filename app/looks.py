"""What a look at a whole list found in Fortnox: one row for each connection, shared by all workers.

Kept in the database, so that it goes back in time with it: where a backup is restored, the next
look asks for everything since the look that the backup knows of.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy import Connection as Tx

from app.db import upsert
from app.models import effects, looks

AGAIN_AFTER = timedelta(seconds=5)  # whoever asks has so long before another may
DISBELIEVED = timedelta(hours=1)
MOST_AT_ONCE = 500
FEW = 20
REFERENCE = "ExternalInvoiceReference1"
MAKES: tuple[ColumnElement[bool], ...] = (
    effects.c.system == "fortnox",
    effects.c.action == "create_invoice",
    effects.c.creates,
)


@dataclass(frozen=True)
class Look:
    """`strangers`: references that stand in Fortnox and that this database did not put there."""

    looked_at: datetime | None
    strangers: frozenset[str]


NEVER = Look(None, frozenset())


def find(tx: Tx, connection: str, company: str) -> Look:
    """`company`: whose books were looked at; another company's are no answer."""
    row = tx.execute(
        select(looks).where(looks.c.connection == connection, looks.c.company == company)
    ).one_or_none()
    return NEVER if row is None else Look(row.looked_at, frozenset(row.strangers))


def begin(tx: Tx, connection: str, company: str, now: datetime) -> bool:
    """Whether the caller is to look; False: another does just now, or looks are not believed."""
    new: dict[str, Any] = {"company": company, "looked_at": None, "strangers": [], "asked_at": now}
    statement = upsert(tx, looks).values(connection=connection, **new)
    is_first = statement.on_conflict_do_update(
        index_elements=[looks.c.connection], set_=new, where=looks.c.company != company
    )
    if tx.execute(is_first.returning(looks.c.connection)).first():
        return True
    was_believed = looks.c.looked_at.is_not(None)
    waited = or_(
        and_(was_believed, looks.c.asked_at <= now - AGAIN_AFTER),
        looks.c.asked_at <= now - DISBELIEVED,
    )
    mine = update(looks).where(looks.c.connection == connection, waited)
    return bool(tx.execute(mine.values(asked_at=now)).rowcount)


def keep(
    tx: Tx, connection: str, company: str, looked_at: datetime, found: Collection[str]
) -> Look:
    """`found`: our references that the look brought, together with those it knew before."""
    strangers = frozenset(found) - _sent_from_here(tx, connection, sorted(found))
    tx.execute(
        update(looks)
        .where(looks.c.connection == connection, looks.c.company == company)
        .values(looked_at=looked_at, strangers=sorted(strangers))
    )
    return Look(looked_at, strangers)


def disbelieve(tx: Tx, connection: str) -> None:
    """From now on everybody asks for each reference by itself, and not for lists, for a while."""
    tx.execute(update(looks).where(looks.c.connection == connection).values(looked_at=None))


def witness(tx: Tx, connection: str, after: datetime, before: datetime) -> str | None:
    """The reference of an invoice made here between these: a list that lacks it is not believed."""
    made = select(effects.c.ref, effects.c.payload).where(
        effects.c.connection == connection,
        *MAKES,
        effects.c.state == "done",
        effects.c.settled_at > after,
        effects.c.settled_at <= before,
    )
    latest = tx.execute(made.order_by(effects.c.id.desc()).limit(FEW))
    return next((row.ref for row in latest if REFERENCE in (row.payload or {})), None)


def _sent_from_here(tx: Tx, connection: str, refs: Sequence[str]) -> set[str]:
    """Those that were sent; one that is only intended may be a stranger all the same."""
    known: set[str] = set()
    for first in range(0, len(refs), MOST_AT_ONCE):
        some = refs[first : first + MOST_AT_ONCE]
        sent = or_(effects.c.sends > 0, effects.c.state == "done")
        query = select(effects.c.ref).where(
            effects.c.connection == connection, *MAKES, effects.c.ref.in_(some), sent
        )
        known.update(tx.scalars(query))
    return known
