"""Tables with rows in them are brought up to date, and nothing that stood in them is lost."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Boolean, Column, LargeBinary, MetaData, Table, Text, insert, select

from app import migrating
from app.db import Database
from app.models import metadata

REVISIONS = sorted(path.name[:4] for path in (migrating.MIGRATIONS / "versions").glob("[0-9]*.py"))


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """With no table yet."""
    if request.param == "sqlite":
        return Database(f"sqlite:///{tmp_path}/bridge.db")
    return Database(request.getfixturevalue("postgres").new_database())


def up_to(db: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrating.MIGRATIONS))
    with db.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def tables(db: Database) -> dict[str, Table]:
    """As they stand, not as the models have them."""
    found = MetaData()
    found.reflect(db.engine)
    return {name: one for name, one in found.tables.items() if name != "alembic_version"}


def value(column: Column[Any], number: int) -> Any:
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, LargeBinary):
        return b"{}"
    if isinstance(column.type, Text):
        return "{}"
    if column.type.python_type is int:
        return number
    return f"{column.name}{number}"[: getattr(column.type, "length", None) or 40]


def write(db: Database, table: Table, number: int) -> dict[str, Any]:
    row = {column.name: value(column, number) for column in table.columns}
    with db.transaction() as tx:
        tx.execute(insert(table).values(row))
    return row


def rows(db: Database, table: Table) -> list[dict[str, Any]]:
    """Of a table, what it had as it is described here."""
    with db.reading() as tx:
        return [dict(row) for row in tx.execute(select(table)).mappings()]


def test_what_stood_in_every_version_stays_and_that_version_can_still_write(
    database: Database, tmp_path: Path
) -> None:
    """The last step is made by a process that starts."""
    first_seen: dict[str, Table] = {}
    for revision in REVISIONS:
        if revision == REVISIONS[-1]:
            migrating.upgrade(database, tmp_path)
        else:
            up_to(database, revision)
        for name, table in tables(database).items():
            if name not in first_seen:
                first_seen[name] = table
                write(database, table, 1)
    assert migrating.version(database) == REVISIONS[-1]
    assert set(first_seen) == set(metadata.tables)
    for table in first_seen.values():
        stood = {column.name: value(column, 1) for column in table.columns}
        assert rows(database, table) == [stood]
        write(database, table, 2)
        assert len(rows(database, table)) == 2
    database.close()
