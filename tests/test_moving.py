"""Everything or nothing goes from one database to another: to PostgreSQL, and back by a file."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from typer.testing import CliRunner, Result

from app import clock, connections, cursors, inbox, processes
from app.cli import app as bridge
from app.documents import Document
from app.hall import Hall, open_hall
from app.inbox import Heard
from app.models import events, metadata, work
from app.settings import Settings, settings
from app.worklist import Want
from tests.servers import PostgresServer

NOW = clock.now()


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    """An SQLite database with odd content, and the commands of its installation."""
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    hall = at(tmp_path, f"sqlite:///{tmp_path}/bridge.db", monkeypatch)
    wants = [Want("acme", "invoice", str(n)) for n in range(1200)]
    heard = [
        Heard("acme", "severa", "webhook", f"é{want.key}", b"\x00\xff{", "x", want)
        for want in wants
    ]
    with hall.db.transaction() as tx:
        connections.put(tx, hall.vault, Document(name="acme", label="Å\ud83d\ude00"), NOW)
        inbox.receive(tx, heard, NOW)
        cursors.put(tx, "acme", "poll:severa:invoices", "{}", NOW, told=True)
    yield hall
    hall.db.close()
    settings.cache_clear()


def at(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Hall:
    monkeypatch.setenv("DATABASE_URL", url)
    settings.cache_clear()
    return open_hall(Settings(database_url=url, var_dir=tmp_path / "var"))


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(bridge, ["db", *words])
    assert result.exit_code == code, result.output
    return result


def content(hall: Hall) -> dict[str, list[str]]:
    with hall.db.reading() as tx:
        return {
            table.name: sorted(repr(tuple(row)) for row in tx.execute(select(table)))
            for table in metadata.sorted_tables
            if table.name != "processes"
        }


def test_all_of_it_moves_to_postgresql_and_by_a_file_back(
    full: Hall, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, url = content(full), postgres.new_database()
    assert len(before["events"]) == 1200
    said = run("move", url).stdout
    assert "events  1200 rows" in said
    moved = at(tmp_path, url, monkeypatch)
    assert content(moved) == before
    with moved.db.reading() as tx:
        found = connections.find(tx, moved.vault, "acme")
    assert found is not None

    file = tmp_path / "kept.db"
    processes.beat(moved.db, "worker-1", "worker", clock.now())
    run("backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert "exists already" in run("backup", str(file), code=1).stderr
    run("restore", str(file), code=1)
    moved.db.close()

    back = at(tmp_path, f"sqlite:///{tmp_path}/back.db", monkeypatch)
    assert '"events": 1200' in run("restore", str(file), "--json").stdout
    assert content(back) == before
    back.db.close()


def test_a_target_that_is_used_is_refused_and_left_as_it_is(
    full: Hall, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database()
    target = at(tmp_path, url, monkeypatch)
    with target.db.transaction() as tx:
        connections.put(tx, target.vault, Document(name="other"), NOW)
    before = content(target)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/bridge.db")
    settings.cache_clear()
    assert "the target is not empty: connections" in run("move", url, code=1).stderr
    assert content(target) == before
    target.db.close()


def test_what_the_target_cannot_hold_leaves_it_empty(full: Hall, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    with full.db.transaction() as tx:
        last = tx.scalar(select(func.max(work.c.id)))
        tx.execute(update(work).where(work.c.id == last).values(source_label="canary\x00"))
    refused = run("move", url, code=1)
    assert "nothing was copied: the database refused it" in refused.stderr
    assert "canary" not in refused.output
    target = open_hall(Settings(database_url=url, var_dir=full.settings.var_dir))
    assert [name for name, rows in content(target).items() if rows] == []
    target.db.close()


def test_what_came_otherwise_than_it_was_read_is_noticed(
    full: Hall, postgres: PostgresServer
) -> None:
    url = postgres.new_database()
    target = open_hall(Settings(database_url=url, var_dir=full.settings.var_dir))
    with target.db.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN IF NEW.identity = 'é7' THEN RETURN NULL; END IF; RETURN NEW; END$$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER lose BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION lose()"
        )
    refused = run("move", url, code=1).stderr
    assert "events: 1200 rows were read, and 1199 are there" in refused
    assert [name for name, rows in content(target).items() if rows] == []
    target.db.close()


def test_nothing_moves_while_a_process_works(
    full: Hall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes.beat(full.db, "worker-1", "worker", clock.now() - timedelta(seconds=30))
    target = f"sqlite:///{tmp_path}/other.db"
    assert "stop these first" in run("move", target, code=1).stderr
    run("move", "nonsense", code=2)
    with full.db.reading() as tx:
        assert tx.scalar(select(func.count()).select_from(events)) == 1200
