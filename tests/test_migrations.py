"""The migrations lead to exactly the tables that the code works with."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import migrating
from app.hall import Hall
from app.models import metadata

VERSIONS = migrating.MIGRATIONS / "versions"


def test_the_migrations_make_the_tables_of_the_models(hall: Hall) -> None:
    with hall.db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_upgrading_again_changes_nothing(hall: Hall) -> None:
    migrating.upgrade(hall.db, hall.settings.var_dir)
    hall.db.ping()


def test_a_process_of_an_older_version_starts_on_newer_tables(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "NEWEST", "0006")
    migrating.upgrade(hall.db, hall.settings.var_dir)
    assert migrating.version(hall.db) == max(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))


def test_each_migration_follows_the_one_before_and_bears_its_number() -> None:
    """By its number alone a process knows whether anything is to be done."""
    config = Config()
    config.set_main_option("script_location", str(migrating.MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    walked = [one.revision for one in script.walk_revisions()]
    assert walked == sorted((path.name[:4] for path in VERSIONS.glob("[0-9]*.py")), reverse=True)
    assert script.get_current_head() == migrating.NEWEST
