"""Brings the tables up to the version of this code, once, whichever process starts first."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from app import locks
from app.db import Database

HERE = Path(__file__).parent


def upgrade(db: Database, var_dir: Path) -> None:
    with locks.alone(db, "migrating", var_dir), db.engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(HERE / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
