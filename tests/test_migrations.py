"""The migrations lead to exactly the tables that the code works with."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Inspector, create_engine, inspect

from app import migrating
from app.hall import Hall
from app.models import metadata

VERSIONS = migrating.MIGRATIONS / "versions"
# What a migration takes away that the version before has, and why that does not need it.
TAKEN_AWAY = {("0002", "index work.ix_work_due"): "only slower without it"}


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


def test_a_migration_only_adds_so_that_the_version_before_works_beside_the_new_one(
    tmp_path: Path,
) -> None:
    """What was there stays as it was; what is new can be left out by whoever does not know it."""
    engine = create_engine(f"sqlite:///{tmp_path}/bridge.db")
    config = Config()
    config.set_main_option("script_location", str(migrating.MIGRATIONS))
    before: dict[str, str] = {}
    hurt = {}
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        for revision in sorted(path.name[:4] for path in VERSIONS.glob("[0-9]*.py")):
            command.upgrade(config, revision)
            now = features(inspect(connection), before)
            hurt |= {(revision, name): told for name, told in changed(before, now).items()}
            before = now
    assert set(hurt) == set(TAKEN_AWAY), hurt


def features(schema: Inspector, before: dict[str, str]) -> dict[str, str]:
    """Tables, columns, indexes and constraints, by name, with all that matters to who writes."""
    found: dict[str, str] = {}
    for table in schema.get_table_names():
        found[table] = str(schema.get_pk_constraint(table)["constrained_columns"])
        for column in schema.get_columns(table):
            can_be_left_out = column["nullable"] or column["default"] is not None
            name = f"column {table}.{column['name']}"
            is_known = table not in before or name in before
            left_out = "" if can_be_left_out or is_known else ", and must be given"
            found[name] = f"{column['type']}{left_out}"
        for index in schema.get_indexes(table):
            unique = "unique " if index["unique"] else ""
            found[f"{unique}index {table}.{index['name']}"] = str(index["column_names"])
        for constraint in schema.get_unique_constraints(table):
            name = f"unique {table}.{constraint['name']}"
            found[name] = str(constraint["column_names"])
    return found


def changed(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """What is gone, is another, or binds who does not know of it."""
    gone = {name: "is gone" for name in before if name not in now}
    other = {name: told for name, told in now.items() if before.get(name, told) != told}
    binds = {
        name: told
        for name, told in now.items()
        if name not in before
        and (told.endswith("must be given") or name.startswith("unique"))
        and table_of(name) in before
    }
    return gone | other | binds


def table_of(name: str) -> str:
    return name.rpartition(" ")[2].partition(".")[0]


@pytest.mark.parametrize(
    ("now", "hurt"),
    [
        ({"a": "['id']", "column a.id": "TEXT"}, {"index a.ix"}),
        ({"a": "['id']", "column a.id": "INTEGER", "index a.ix": "['id']"}, {"column a.id"}),
        (
            {
                "a": "['id']",
                "column a.id": "TEXT",
                "index a.ix": "['id']",
                "column a.n": "TEXT, and must be given",
                "column a.m": "TEXT",
                "unique a.uq": "['n']",
                "b": "['id']",
                "unique b.uq": "['id']",
            },
            {"column a.n", "unique a.uq"},
        ),
    ],
)
def test_what_takes_away_or_binds_is_seen(now: dict[str, str], hurt: set[str]) -> None:
    before = {"a": "['id']", "column a.id": "TEXT", "index a.ix": "['id']"}
    assert set(changed(before, now)) == hurt
