"""The migrations lead to exactly the tables that the code works with."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app import migrating
from app.hall import Hall
from app.models import metadata


def test_the_migrations_make_the_tables_of_the_models(hall: Hall) -> None:
    with hall.db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_upgrading_again_changes_nothing(hall: Hall) -> None:
    migrating.upgrade(hall.db, hall.settings.var_dir)
    hall.db.ping()
