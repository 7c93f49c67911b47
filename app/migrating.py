"""Brings the tables up to the version of this code, once, whichever process starts first.

A process of an older version starts on newer tables too: migrations only add, so that both versions
can run side by side while one takes the other's place.
"""

from pathlib import Path

import structlog
from sqlalchemy import inspect, text

from app import locks
from app.db import Database

log = structlog.get_logger()

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def upgrade(db: Database, var_dir: Path) -> None:
    found = version(db)
    if found is None or found < NEWEST:
        with locks.alone(db, "migrating", var_dir):
            _run(db)
    elif found > NEWEST:
        log.warning("tables.newer", tables=found, code=NEWEST)


def version(db: Database) -> str | None:
    """Of the tables, as the number of the last migration; None: there are none yet."""
    with db.reading() as tx:
        if not inspect(tx).has_table("alembic_version"):
            return None
        found: str | None = tx.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def _run(db: Database) -> None:
    # Nearly every process finds the tables as they should be, and Alembic takes long to load.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with db.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
