"""PostgreSQL cut off, refusing, full, or with a lost answer; SQLite on a full disk.

Whatever it says against a request means 503 and nothing kept; whatever became of a commit whose
answer was lost, the same event again is stored once, and no record is written twice.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import SQLAlchemyError

from app import connections
from app.documents import Document
from app.hall import Hall, open_hall
from app.main import build
from app.models import audit, events, work
from app.sandbox.serving import served
from app.sandbox.severa import RECEIVED, TRANSFER
from app.settings import Rate, Settings
from tests.installation import document, severa_event, signed, vendors
from tests.servers import PostgresServer, RedisServer
from tests.wire import Trouble, Wire, wire_to
from tests.workshop import Workshop, workshop

pytestmark = pytest.mark.processes

GUID = "1a000000-0000-4000-8000-000000000001"


@dataclass
class Door:
    hall: Hall
    client: httpx.Client
    wire: Wire | None = None

    def knock(self, message_id: str) -> httpx.Response:
        body = severa_event(GUID)
        headers = signed(body, message_id)
        return self.client.post("/webhooks/acme/severa", content=body, headers=headers)

    def admin(self, method: str, path: str, **sent: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.hall.keys.admin}"}
        return self.client.request(method, f"/api/v1{path}", headers=headers, **sent)  # type: ignore[arg-type]

    def heard(self) -> list[str]:
        with self.hall.db.reading() as tx:
            return [row.identity for row in tx.execute(select(events).order_by(events.c.id))]

    def wanted(self) -> int:
        with self.hall.db.reading() as tx:
            return sum(row.wanted for row in tx.execute(select(work)))


@contextmanager
def door_to(url: str, folder: Path, redis_url: str, wire: Wire | None = None) -> Iterator[Door]:
    hall = open_hall(Settings(database_url=url, var_dir=folder))
    with hall.db.transaction() as tx:
        given = Document.model_validate(document())
        connections.put(tx, hall.vault, given, hall.clock())
    with (
        served(build(hall, redis_url)) as address,
        httpx.Client(base_url=address, timeout=30, trust_env=False) as client,
    ):
        yield Door(hall, client, wire)
    hall.db.close()


@pytest.fixture(scope="module")
def wired(
    postgres: PostgresServer, shared_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("wired")
    with (
        wire_to(postgres.new_database()) as wire,
        door_to(wire.url, folder, shared_redis.url, wire) as door,
    ):
        yield door


REFUSED: list[Trouble] = ["deadlock", "disk full", "serialization", "shutdown"]
DEAD: list[Trouble] = ["cut before"]


@pytest.mark.parametrize("trouble", REFUSED)
def test_an_event_that_cannot_be_stored_is_a_503_and_can_be_sent_again(
    wired: Door, trouble: Trouble
) -> None:
    assert wired.wire
    heard, wanted = wired.heard(), wired.wanted()
    fault = wired.wire.fail(trouble, b"INSERT INTO events")
    answer = wired.knock(trouble)
    assert fault.fell
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert (wired.heard(), wired.wanted()) == (heard, wanted)
    assert wired.knock(trouble).json()["status"] == "accepted"
    assert (wired.heard(), wired.wanted()) == ([*heard, trouble], wanted + 1)


@pytest.mark.parametrize("trouble", DEAD)
def test_a_connection_that_dies_before_it_stores_is_replaced_by_another(
    wired: Door, trouble: Trouble
) -> None:
    assert wired.wire
    heard, wanted = wired.heard(), wired.wanted()
    fault = wired.wire.fail(trouble, b"INSERT INTO events")
    assert wired.knock(trouble).json()["status"] == "accepted"
    assert fault.fell
    assert (wired.heard(), wired.wanted()) == ([*heard, trouble], wanted + 1)


def test_an_event_whose_answer_from_the_database_is_lost_is_stored_once(wired: Door) -> None:
    """It is stored with one statement, which is its commit; the second try finds it."""
    assert wired.wire
    heard, wanted = wired.heard(), wired.wanted()
    fault = wired.wire.fail("cut after", b"INSERT INTO events")
    assert wired.knock("answer-lost").json()["status"] == "duplicate"
    assert fault.fell
    assert wired.knock("answer-lost").json()["status"] == "duplicate"
    assert (wired.heard(), wired.wanted()) == ([*heard, "answer-lost"], wanted + 1)


def test_a_server_that_is_replaced_is_found_again(wired: Door) -> None:
    """As in a failover: every session ends, for a while nobody listens, then somebody does."""
    assert wired.wire
    wired.knock("before-failover")
    wired.wire.is_down = True
    wired.wire.cut()
    assert wired.knock("failover").status_code == 503
    assert wired.admin("GET", "/connections").status_code == 503
    assert wired.client.get("/health").status_code == 200
    wired.wire.is_down = False
    assert wired.knock("failover").json()["status"] == "accepted"
    assert wired.admin("GET", "/connections").status_code == 200
    wired.wire.cut()  # what lies in the pool is dead, and nobody said so
    assert wired.knock("after-failover").json()["status"] == "accepted"


@pytest.mark.parametrize("trouble", [*REFUSED, *DEAD, "cut after"])
def test_a_change_of_settings_is_whole_or_not_at_all(wired: Door, trouble: Trouble) -> None:
    assert wired.wire
    with wired.hall.db.reading() as tx:
        before = len(tx.execute(select(audit)).all())
    marker = b"COMMIT" if trouble == "cut after" else b"INSERT INTO audit"
    fault = wired.wire.fail(trouble, marker, after=b"INSERT INTO audit")
    answer = wired.admin("PATCH", "/connections/acme", json={"label": f"After {trouble}"})
    assert fault.fell
    assert answer.status_code == 503
    changed = wired.admin("GET", "/connections/acme").json()["label"] == f"After {trouble}"
    with wired.hall.db.reading() as tx:
        written_down = len(tx.execute(select(audit)).all()) - before
    assert (changed, written_down) == ((True, 1) if trouble == "cut after" else (False, 0))


# The workers.


@pytest.fixture(scope="module")
def shop(
    postgres: PostgresServer, shared_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Workshop, Wire]]:
    with wire_to(postgres.new_database()) as wire, vendors() as partners:
        settings = Settings(
            database_url=wire.url,
            var_dir=tmp_path_factory.mktemp("shop"),
            severa_rate=Rate(1000, 1),
            fortnox_rate=Rate(1000, 1),
        )
        hall = open_hall(settings)
        with workshop(hall, shared_redis.url, partners) as opened:
            opened.connect()
            opened.look_at("invoice", order(opened))
            yield opened, wire
        hall.db.close()


def order(shop: Workshop) -> str:
    guid: str = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    return guid


def deliver(shop: Workshop, guid: str) -> None:
    """Runs what is due, after trouble as the heart and the next claim do, until it is received."""
    for _ in range(20):
        try:
            shop.run()
        except SQLAlchemyError:
            shop.clock.move_on(timedelta(seconds=1))
        if shop.partners.severa.find("invoices", guid)["status"]["guid"] == RECEIVED:
            return
        shop.process.room.holder.take_back_lost()
        shop.clock.move_on(timedelta(minutes=11))
    raise AssertionError(f"not received: {shop.outcome('invoice', guid)}")


TROUBLES: list[Trouble] = ["cut after", "cut before", "deadlock", "disk full"]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_invoice_is_made_once_whichever_commit_goes_wrong(
    shop: tuple[Workshop, Wire], trouble: Trouble
) -> None:
    opened, wire = shop
    commits = 0
    while True:
        commits += 1
        guid = order(opened)
        opened.hear_of("invoice", guid)
        fault = wire.fail(trouble, b"COMMIT", commits)
        deliver(opened, guid)
        wire.fault = None
        assert opened.partners.invoices_by_reference()[f"severa:{guid}"] == 1
        if not fault.fell:
            break
    assert commits > 4  # claim, intent, sending, made, settled
    made = [one for one in opened.partners.written() if one.startswith("POST /3/invoices")]
    assert len(made) == len(opened.partners.books.invoices)


# SQLite.


def test_a_full_disk_is_a_503_and_nothing_is_half_stored(tmp_path: Path, redis_url: str) -> None:
    with door_to(f"sqlite:///{tmp_path}/bridge.db", tmp_path, redis_url) as door:
        assert door.knock("before").status_code == 202
        taken, refused = fill(door)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert door.heard() == ["before", *taken]
        assert door.client.get("/health").status_code == 200
        assert door.admin("GET", "/connections").status_code == 200
        limit(door, 2**30)
        assert door.knock("refused").json()["status"] == "accepted"
        assert door.wanted() == len(door.heard()) == len(taken) + 2


def fill(door: Door) -> tuple[list[str], httpx.Response]:
    """Events until the disk is full: those that were taken, and the first answer that was not."""
    with door.hall.db.reading() as tx:
        pages = tx.scalar(text("PRAGMA page_count"))
    limit(door, pages + 2)
    taken: list[str] = []
    while (answer := door.knock(f"msg_{len(taken)}")).status_code == 202:
        taken.append(f"msg_{len(taken)}")
        assert len(taken) < 1000
    return taken, answer


def limit(door: Door, pages: int) -> None:
    """The database file may have so many pages: for every connection of the pool anew."""
    door.hall.db.engine.dispose()

    @event.listens_for(door.hall.db.engine, "connect")
    def _limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}").close()
