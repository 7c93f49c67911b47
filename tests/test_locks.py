"""A lock that lives as long as its process: held while paused, free when killed, lost for good."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text

from app import locks
from app.db import Database
from app.locks import AdvisoryLock, FileLock, LockLost, ProcessLock
from tests import servers

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('locks')}/bridge.db"
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def take(db: Database, tmp_path: Path) -> Iterator[Callable[[], ProcessLock]]:
    """Locks as so many processes would have them."""
    taken: list[ProcessLock] = []

    def one() -> ProcessLock:
        taken.append(locks.take(db, "worker", tmp_path))
        return taken[-1]

    yield one
    for lock in taken:
        lock.release()


def becomes_true(question: Callable[[], bool]) -> bool:
    """PostgreSQL ends a session a moment after its client is gone."""
    deadline = time.monotonic() + 10
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


HOLD = """
import json, sys
from pathlib import Path
from app import locks
from app.db import Database

url, folder = json.loads(sys.argv[1])
lock = locks.take(Database(url), "worker", Path(folder))
print(lock.name, flush=True)
sys.stdin.readline()
"""


@contextmanager
def holder(db: Database, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that holds a lock, and the lock's name."""
    url = db.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, json.dumps([url, str(folder)])],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_each_database_has_its_own_kind_of_lock(take: Any, db: Database) -> None:
    assert isinstance(take(), FileLock if db.is_sqlite else AdvisoryLock)


def test_every_life_has_a_name_of_its_own(take: Any) -> None:
    names = [take().name for _ in range(5)]
    assert len(set(names)) == 5
    assert all(name.startswith("worker-") and len(name) <= 80 for name in names)
    assert locks.process_name("k" * 16) != locks.process_name("k" * 16)


def test_a_lock_is_held_until_it_is_released(take: Any) -> None:
    mine, other = take(), take()
    assert mine.still_held()
    assert not mine.is_gone(mine.name)
    assert not other.is_gone(mine.name)
    mine.release()
    assert not mine.still_held()
    assert becomes_true(lambda: other.is_gone(mine.name))


def test_to_ask_whether_a_holder_is_gone_does_not_take_its_lock(take: Any) -> None:
    mine, other, third = take(), take(), take()
    for _ in range(5):
        assert not other.is_gone(mine.name)
    assert mine.still_held()
    mine.release()
    assert becomes_true(lambda: other.is_gone(mine.name))
    assert becomes_true(lambda: third.is_gone(mine.name))
    assert other.still_held()


def test_a_name_that_nobody_ever_held_is_gone(take: Any) -> None:
    assert take().is_gone("worker-elsewhere-1-0123456789ab")


def test_releasing_twice_is_releasing(take: Any) -> None:
    mine = take()
    mine.release()
    mine.release()
    assert not mine.still_held()


@pytest.mark.processes
def test_a_paused_process_still_holds_and_a_killed_one_is_gone(
    take: Any, db: Database, tmp_path: Path
) -> None:
    mine = take()
    with holder(db, tmp_path) as (process, name):
        assert not mine.is_gone(name)
        os.kill(process.pid, signal.SIGSTOP)
        assert not mine.is_gone(name)
        os.kill(process.pid, signal.SIGCONT)
        assert not mine.is_gone(name)
        process.kill()
        process.wait()
        assert becomes_true(lambda: mine.is_gone(name))


@pytest.mark.processes
def test_a_process_that_ends_by_itself_is_gone(take: Any, db: Database, tmp_path: Path) -> None:
    mine = take()
    with holder(db, tmp_path) as (process, name):
        process.communicate("\n", timeout=10)
        assert becomes_true(lambda: mine.is_gone(name))


@pytest.mark.processes
def test_a_child_that_outlives_its_parent_does_not_hold_its_lock(
    take: Any, db: Database, tmp_path: Path
) -> None:
    """What a process starts, an embedded Redis for example, must not keep its rows for ever."""
    mine = take()
    script = HOLD.replace("sys.stdin.readline()", "").replace(
        "print(lock.name", "import subprocess\nsubprocess.Popen(['sleep', '30'])\nprint(lock.name"
    )
    url = db.url.render_as_string(hide_password=False)
    argument = json.dumps([url, str(tmp_path)])
    script += "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    with subprocess.Popen(
        [sys.executable, "-c", script, argument],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        process.wait(10)
        try:
            assert becomes_true(lambda: mine.is_gone(name))
        finally:
            os.killpg(process.pid, signal.SIGKILL)


# PostgreSQL alone: the session may end under a living process.


@pytest.fixture
def on_postgres(db: Database) -> Database:
    if db.is_sqlite:
        pytest.skip("a file has no session")
    return db


def terminate(db: Database, lock: ProcessLock) -> None:
    """Ends the session that holds the lock, as a failover or an administrator would."""
    assert isinstance(lock, AdvisoryLock)
    query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
    key = locks._key(lock.name)
    high, low = (key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF
    with db.transaction() as tx:
        ended = tx.scalar(
            text(f"{query} AND classid = :high AND objid = :low"), {"high": high, "low": low}
        )
    assert ended


def test_a_session_that_was_ended_is_a_lock_that_is_lost_for_good(
    on_postgres: Database, take: Any
) -> None:
    mine, other = take(), take()
    assert mine.still_held()
    terminate(on_postgres, mine)
    assert [mine.still_held() for _ in range(5)] == [False] * 5
    on_postgres.ping()
    assert not mine.still_held()
    assert becomes_true(lambda: other.is_gone(mine.name))
    assert not mine.still_held()


def test_a_lock_that_was_lost_can_be_released(on_postgres: Database, take: Any) -> None:
    mine = take()
    terminate(on_postgres, mine)
    mine.release()
    assert not mine.still_held()


def test_a_name_is_never_held_twice(on_postgres: Database, take: Any) -> None:
    mine = take()
    with pytest.raises(LockLost, match="is held by another process"):
        AdvisoryLock(mine.name, on_postgres)
    assert mine.still_held()


@pytest.mark.processes
def test_a_server_that_restarts_takes_all_locks_with_it(
    on_postgres: Database, take: Any, postgres: servers.PostgresServer
) -> None:
    mine = take()
    assert mine.still_held()
    postgres.stop(immediate=True)
    assert not mine.still_held()
    postgres.start()
    assert [mine.still_held() for _ in range(5)] == [False] * 5
    assert take().is_gone(mine.name)


# At the head of something.


def test_one_process_leads_until_it_is_released(db: Database, tmp_path: Path) -> None:
    first = locks.lead(db, "listener", "listener", tmp_path)
    assert first is not None
    assert first.still_held()
    assert locks.lead(db, "listener", "listener", tmp_path) is None
    elsewhere = locks.lead(db, "poller", "poller", tmp_path)
    assert elsewhere is not None
    first.release()
    elsewhere.release()
    followers: list[ProcessLock] = []
    assert becomes_true(
        lambda: (
            bool(one := locks.lead(db, "listener", "listener", tmp_path))
            and not followers.append(one)
        )  # type: ignore[func-returns-value]
    )
    assert not first.still_held()
    followers[0].release()


# One at a time.


def test_one_at_a_time_is_alone(db: Database, tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def visit(number: int) -> None:
        with locks.alone(db, "the room", tmp_path):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(visit, range(40)))
    assert most == [1] * 40


def test_another_room_is_free_and_a_failure_leaves_the_room(db: Database, tmp_path: Path) -> None:
    with locks.alone(db, "a", tmp_path), locks.alone(db, "b", tmp_path):
        pass
    with pytest.raises(ZeroDivisionError), locks.alone(db, "a", tmp_path):
        raise ZeroDivisionError
    with locks.alone(db, "a", tmp_path):
        pass


def test_who_comes_second_waits_for_its_turn(db: Database, tmp_path: Path) -> None:
    entered, order = Event(), []

    def second() -> None:
        entered.set()
        with locks.alone(db, "the room", tmp_path):
            order.append("second")

    with ThreadPoolExecutor(1) as threads:
        with locks.alone(db, "the room", tmp_path):
            waiting = threads.submit(second)
            assert entered.wait(10)
            order.append("first")
        waiting.result(10)
    assert order == ["first", "second"]
