"""Listeners as processes, killed without a word: nothing is lost, and another takes over."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import processes
from app.hearing import PREFIX, mark_of
from app.models import events
from tests.ears import all_kept, happened, kept, marks
from tests.installation import Vendors, until
from tests.journeys.test_listener import so_far, things_happen
from tests.workshop import Workshop

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def customers(partners: Vendors) -> None:
    partners.books.add_customer(CustomerNumber="10")


@contextmanager
def listeners(
    shop: Workshop, redis_url: str, count: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    running = [start(shop, redis_url) for _ in range(count)]
    try:
        yield running
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait(30)


def start(shop: Workshop, redis_url: str) -> subprocess.Popen[bytes]:
    settings = shop.hall.settings
    env = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **shop.partners.environment,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": redis_url,
        "VAR_DIR": str(settings.var_dir),
        "FORTNOX_RATE": "1000/1",
    }
    return subprocess.Popen([sys.executable, "-m", "app.cli", "listener"], env=env)


def leaders(shop: Workshop, seconds: float = 6) -> set[int]:
    """The process numbers of those who have lately said that they lead."""
    with shop.hall.db.reading() as tx:
        names = processes.seen_since(tx, "listener", shop.clock() - timedelta(seconds=seconds))
    return {int(name.rsplit("-", 2)[1]) for name in names}


def unmarked(shop: Workshop) -> list[str]:
    """Marks that stand at an event which is not kept: there must never be one."""
    found = []
    with shop.hall.db.reading() as tx:
        stored = set(tx.scalars(select(events.c.identity).where(events.c.connection == "acme")))
    for name, value in marks(shop.hall.db).items():
        if name.startswith(PREFIX):
            identity = f"{name.removeprefix(PREFIX)}:{mark_of(value).offset}"
            found += [identity] if identity not in stored else []
    return found


@pytest.mark.timeout(180)
def test_when_the_leader_is_killed_another_takes_over_within_thirty_seconds(
    shop: Workshop, redis_url: str
) -> None:
    with listeners(shop, redis_url, 2) as running:
        until("somebody leads", lambda: leaders(shop))
        until("a company is heard", lambda: "listener" in marks(shop.hall.db))
        since = so_far(shop)
        things_happen(shop, 5)
        all_kept(shop, since)
        (leader,) = leaders(shop)
        for _ in range(3):
            things_happen(shop, 1)
        os.kill(leader, signal.SIGKILL)
        began = time.monotonic()
        things_happen(shop, 20)
        other = next(one.pid for one in running if one.pid != leader)
        until("the other leads", lambda: other in leaders(shop), 30)
        all_kept(shop, since)
        assert time.monotonic() - began < 30
        assert running[[one.pid for one in running].index(other)].poll() is None


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.timeout(240)
def test_an_event_and_its_mark_are_one_commit_whenever_the_process_is_killed(
    shop: Workshop, redis_url: str
) -> None:
    since = 0
    for round_ in range(6):
        with listeners(shop, redis_url, 1) as (process,):
            if not round_:
                until("a company is heard", lambda: "listener" in marks(shop.hall.db))
                since = so_far(shop)
            things_happen(shop, 1)
            goal = len(kept(shop.hall.db)) + 1
            until("something is kept", lambda goal=goal: len(kept(shop.hall.db)) >= goal)
            things_happen(shop, 40 + 7 * round_)
            goal += round_
            until("something more", lambda goal=goal: len(kept(shop.hall.db)) >= goal)
            process.kill()
            process.wait()
        assert unmarked(shop) == []
        things_happen(shop, 5)
    with listeners(shop, redis_url, 1):
        all_kept(shop, since)
    assert set(kept(shop.hall.db)) == happened(shop, since=since)
