"""Seals every secret anew with the newest of ENCRYPTION_KEYS, so that the older ones can go.

One row, one commit: it may run while everything works, be cut off, and be started again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, select, update

from app import audit
from app.db import Database
from app.identity import Identity
from app.models import connections, grants, tokens
from app.vault import CannotDecrypt, Vault

SEALED: tuple[Column[Any], ...] = (connections.c.secrets, grants.c.sealed, tokens.c.sealed)
PAGE = 100


@dataclass
class Report:
    """`unreadable`: table and owner of what no key opens; it was left as it is."""

    resealed: int = 0
    fresh: int = 0
    unreadable: list[str] = field(default_factory=list)


def reseal_all(db: Database, vault: Vault, who: Identity, now: datetime) -> Report:
    report = Report()
    for column in SEALED:
        for row in _rows(db, column):
            _reseal(db, vault, column, row, report)
    if report.resealed:
        with db.transaction() as tx:
            audit.write(tx, who, "secrets.resealed", None, now, rows=report.resealed)
    return report


def _rows(db: Database, column: Column[Any]) -> Iterator[Any]:
    """The primary keys and the sealed text of every row, page by page."""
    ids = [*column.table.primary_key.columns]
    query = select(*ids, column.label("sealed")).order_by(*ids).limit(PAGE)
    start = 0
    while True:
        with db.reading() as tx:
            page: Sequence[Any] = tx.execute(query.offset(start)).all()
        yield from page
        start += len(page)
        if len(page) < PAGE:
            return


def _reseal(db: Database, vault: Vault, column: Column[Any], row: Any, report: Report) -> None:
    if vault.is_fresh(row.sealed):
        report.fresh += 1
        return
    try:
        anew = vault.reseal(row.sealed)
    except CannotDecrypt:
        report.unreadable.append(f"{column.table.name} of {row[0]}")
        return
    ids = [*column.table.primary_key.columns]
    same = [name == value for name, value in zip(ids, row, strict=False)]
    with db.transaction() as tx:  # whoever changed it meanwhile has sealed it anew himself
        statement = update(column.table).where(*same, column == row.sealed)
        report.resealed += tx.execute(statement.values({column.name: anew})).rowcount
