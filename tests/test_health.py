"""Health and readiness: true, quick, and silent about everything that is secret."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis.exceptions
from fastapi import FastAPI
from sqlalchemy import delete, insert, text, update
from starlette.testclient import TestClient

from app import connections, cursors, health, listened, processes, worklist
from app.documents import Document
from app.errors import because
from app.hall import Hall, open_hall
from app.limits import Limits
from app.models import cursors as cursors_table
from app.models import outages, work
from app.settings import Settings
from app.worklist import Want
from tests.servers import redis_server

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/bridge.db", var_dir=tmp_path)
    hall = open_hall(settings, now=lambda: NOW)
    processes.beat(hall.db, "worker-1", "worker", NOW - timedelta(seconds=59))
    yield hall
    hall.db.close()


def client(hall: Hall, redis: Any = None, patience: float = 2.0) -> TestClient:
    app = FastAPI()
    health.mount(app, hall, redis or fakeredis.FakeRedis(), patience=patience)
    return TestClient(app)


def due(hall: Hall, since: datetime) -> None:
    with hall.db.transaction() as tx:
        connections.put(tx, hall.vault, Document(name="acme"), NOW)
        connections.set_active(tx, "acme", NOW, active=True)
        worklist.enqueue(tx, [Want("acme", "invoice", "1")], since)
        tx.execute(update(work).values(due_at=since))


def checks(client: TestClient) -> tuple[int, list[str]]:
    """The status, and the names of the checks that fail."""
    answer = client.get("/ready")
    found = answer.json()["checks"]
    assert list(found) == ["database", "redis", "worker", "backlog", "coverage"]
    assert all(set(one) == {"ok", "detail"} and one["detail"] for one in found.values())
    return answer.status_code, [name for name, one in found.items() if not one["ok"]]


def test_a_process_that_answers_is_healthy(hall: Hall) -> None:
    with hall.db.transaction() as tx:
        tx.execute(text("DROP TABLE work"))
    answer = client(hall, Deaf()).get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_when_everything_answers(hall: Hall) -> None:
    assert checks(client(hall)) == (200, [])


def test_not_ready_without_a_worker_for_a_minute(hall: Hall) -> None:
    processes.beat(hall.db, "sweeper-1", "sweeper", NOW)
    with hall.db.transaction() as tx:
        tx.execute(text("DELETE FROM processes WHERE kind = 'worker'"))
    processes.beat(hall.db, "worker-2", "worker", NOW - timedelta(seconds=61))
    assert checks(client(hall)) == (503, ["worker"])


def test_a_new_sign_of_life_replaces_the_old_one(hall: Hall) -> None:
    processes.beat(hall.db, "worker-1", "worker", NOW)
    with hall.db.reading() as tx:
        assert processes.seen_since(tx, "worker", NOW) == ["worker-1"]
        assert processes.seen_since(tx, "worker", NOW + timedelta(seconds=1)) == []


@pytest.mark.parametrize(("age", "status"), [(300, 200), (301, 503)])
def test_not_ready_when_something_has_been_due_for_five_minutes(
    hall: Hall, age: int, status: int
) -> None:
    due(hall, NOW - timedelta(seconds=age))
    assert client(hall).get("/ready").status_code == status


def test_what_may_not_run_holds_nothing_up(hall: Hall) -> None:
    due(hall, NOW - timedelta(hours=1))
    with hall.db.transaction() as tx:
        connections.set_active(tx, "acme", NOW, active=False)
    assert checks(client(hall)) == (200, [])


def connected(hall: Hall, since: datetime) -> None:
    with hall.db.transaction() as tx:
        connections.put(tx, hall.vault, Document(name="acme"), since)
        connections.set_active(tx, "acme", since, active=True)


def asked(hall: Hall, at: datetime, *keys: str) -> None:
    with hall.db.transaction() as tx:
        for key in keys:
            cursors.put(tx, "acme", key, "", at, told=True)


LONG_AGO = NOW - timedelta(days=1)
POLLS = ("poll:severa:invoices", "poll:fortnox:invoices")


@pytest.mark.parametrize(("age", "failing"), [(300, []), (301, ["coverage"])])
def test_not_ready_when_a_company_is_not_listened_to_for_five_minutes(
    hall: Hall, age: int, failing: list[str]
) -> None:
    connected(hall, LONG_AGO)
    asked(hall, NOW, *POLLS)
    asked(hall, NOW - timedelta(seconds=age), listened.STANDING)
    assert checks(client(hall))[1] == failing


@pytest.mark.parametrize(("age", "failing"), [(300, []), (301, ["coverage"])])
@pytest.mark.parametrize("late", POLLS)
def test_not_ready_when_five_polls_in_a_row_are_missing(
    hall: Hall, late: str, age: int, failing: list[str]
) -> None:
    connected(hall, LONG_AGO)
    asked(hall, NOW, *POLLS, listened.STANDING)
    asked(hall, NOW - timedelta(seconds=age), late)
    assert checks(client(hall))[1] == failing


def test_a_company_has_five_minutes_to_be_listened_to_from_its_activation(hall: Hall) -> None:
    connected(hall, NOW - timedelta(minutes=5))
    assert checks(client(hall)) == (200, [])


def test_a_company_that_waits_for_a_person_says_nothing_about_the_bridge(hall: Hall) -> None:
    connected(hall, LONG_AGO)
    assert checks(client(hall)) == (503, ["coverage"])
    why = because("token_refused", system="fortnox")
    asked(hall, NOW, *POLLS)
    with hall.db.transaction() as tx:
        listened.say(tx, [], {"acme": why}, NOW)
    assert checks(client(hall)) == (200, [])
    with hall.db.transaction() as tx:
        tx.execute(delete(cursors_table))
        connections.stop(tx, "acme", why, NOW)
    assert checks(client(hall)) == (200, [])


def test_not_ready_without_a_database(hall: Hall) -> None:
    with hall.db.transaction() as tx:
        tx.execute(text("DROP TABLE processes"))
        tx.execute(text("DROP TABLE work"))
    assert checks(client(hall)) == (503, ["worker", "backlog"])


class Away:
    def ping(self) -> None:
        raise redis.exceptions.ConnectionError("redis://:canary@127.0.0.1 refused")


class Deaf:
    """Takes the question and never answers; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.end = threading.Event()

    def ping(self) -> None:
        self.asked += 1
        self.end.wait(30)


def test_not_ready_without_redis_and_its_address_is_not_told(hall: Hall) -> None:
    answer = client(hall, Away()).get("/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["redis"] == {
        "ok": False,
        "detail": "does not answer: ConnectionError",
    }


def test_a_deaf_redis_is_asked_once_and_waited_for_briefly(hall: Hall) -> None:
    deaf = Deaf()
    with client(hall, deaf, patience=0.1) as asking:
        begun = time.monotonic()
        assert [checks(asking) for _ in range(3)] == [(503, ["redis"])] * 3
        assert time.monotonic() - begun < 2
        assert deaf.asked == 1
        deaf.end.set()
        time.sleep(0.05)
        assert checks(asking) == (200, [])


@pytest.mark.processes
def test_a_redis_that_stops_answering_is_noticed_within_three_seconds(hall: Hall) -> None:
    with redis_server() as server, redis.Redis.from_url(server.url) as connected:
        asking = client(hall, connected)
        assert checks(asking) == (200, [])
        server.pause()
        begun = time.monotonic()
        assert checks(asking) == (503, ["redis"])
        assert 1.5 < time.monotonic() - begun < 3
        server.resume()


def figures(hall: Hall) -> dict[str, float]:
    answer = client(hall).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, _, value in lines}


def test_the_figures_come_from_the_tables(hall: Hall) -> None:
    due(hall, NOW - timedelta(seconds=90))
    with hall.db.transaction() as tx:
        worklist.enqueue(tx, [Want("acme", "poll", "a"), Want("acme", "sweep", "b")], NOW)
        row = {"failures": 3, "since": NOW}
        tx.execute(
            insert(outages),
            [
                row | {"connection": "acme", "system": "severa", "probe_at": NOW},
                row | {"connection": "acme", "system": "fortnox", "probe_at": None},
            ],
        )
    found = figures(hall)
    assert found['bridge_work{kind="invoice",state="queued"}'] == 1
    assert found['bridge_work{kind="upkeep",state="queued"}'] == 2
    assert (found["bridge_due"], found["bridge_oldest_due_seconds"]) == (3, 90)
    assert found['bridge_outages{system="severa"}'] == 1
    assert found['bridge_outages{system="fortnox"}'] == 0
    assert found['bridge_connections{state="active"}'] == 1
    seen = found['bridge_process_seen_timestamp_seconds{kind="worker"}']
    assert seen == (NOW - timedelta(seconds=59)).timestamp()
    assert found["bridge_database_up"] == 1
    assert [name for name in found if "acme" in name] == []


def test_without_redis_the_tables_still_tell(hall: Hall) -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    answer = client(hall, fakeredis.FakeRedis(server=server)).get("/metrics")
    assert "bridge_redis_up 0.0" in answer.text
    assert "bridge_database_up 1.0" in answer.text
    assert "bridge_due 0.0" in answer.text


def test_the_busiest_connection_tells_how_much_of_the_budget_is_used(hall: Hall) -> None:
    connected(hall, NOW)
    with redis_server() as server, redis.Redis.from_url(server.url) as shared:
        budget = Limits(shared, hall.settings.rates)
        for _ in range(5):
            budget.wait_turn("acme", "fortnox")
        lines = client(hall, shared).get("/metrics").text.splitlines()
    assert 'bridge_rate_used_ratio{system="fortnox"} 0.2' in lines
    assert 'bridge_rate_used_ratio{system="severa"} 0.0' in lines


def test_the_age_of_open_work_and_the_lag_of_every_poll_are_told(hall: Hall) -> None:
    due(hall, NOW - timedelta(seconds=90))
    asked(hall, NOW - timedelta(seconds=40), "poll:severa:invoices", "listener:invoices")
    found = figures(hall)
    assert found['bridge_work_oldest_seconds{kind="invoice",state="queued"}'] == 90
    assert found['bridge_poll_lag_seconds{register="invoices",system="severa"}'] == 40
    assert found['bridge_topic_silence_seconds{topic="invoices"}'] == 40


def test_the_figures_say_when_the_database_is_away(hall: Hall) -> None:
    with hall.db.transaction() as tx:
        tx.execute(text("DROP TABLE work"))
    found = figures(hall)
    assert found["bridge_database_up"] == 0
    assert [name for name in found if name.startswith("bridge_work")] == []
