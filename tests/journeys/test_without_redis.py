"""Redis in every bad state: events are taken as before, and the sweeper does the work alone."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread

import httpx
import pytest
import redis
from sqlalchemy import func, select

from app.hall import open_hall
from app.main import build
from app.models import events
from app.sandbox.serving import served
from app.sandbox.severa import RECEIVED, TRANSFER
from app.settings import Rate, Settings
from tests import servers
from tests.installation import severa_event, signed, until, vendors
from tests.servers import RedisServer
from tests.workshop import Workshop, workshop
from workers import sweeper as sweeping
from workers.sweeper import Sweeper

pytestmark = pytest.mark.processes

RATE = Rate(20, 1)
TOGETHER = 3  # events at once


@dataclass
class House:
    """One installation on SQLite: its doors, its sweeper, and no worker."""

    shop: Workshop
    url: str
    redis: RedisServer

    def order(self) -> str:
        guid: str = self.shop.partners.severa.add_simple_invoice()["guid"]
        self.shop.partners.severa.set_status(guid, TRANSFER)
        return guid

    def knock(self, guid: str) -> tuple[int, str, float]:
        """Status, word, and seconds."""
        body, began = severa_event(guid), time.monotonic()
        answer = httpx.post(
            f"{self.url}/webhooks/acme/severa", content=body, headers=signed(body), timeout=30
        )
        return answer.status_code, answer.json()["status"], time.monotonic() - began

    def stands_in(self, guid: str) -> str:
        found: str = self.shop.partners.severa.find("invoices", guid)["status"]["guid"]
        return found

    def heard(self) -> int:
        with self.shop.hall.db.reading() as tx:
            return tx.scalar(select(func.count()).select_from(events)) or 0


@contextmanager
def sweeping_in_a_thread(shop: Workshop, redis_url: str) -> Iterator[None]:
    sweeper = Sweeper(shop.hall, redis_url)
    thread = Thread(target=sweeper.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        sweeper.stop()
        thread.join(timeout=60)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("without-redis")
    settings = Settings(
        database_url=f"sqlite:///{folder}/bridge.db",
        var_dir=Path(folder),
        fortnox_rate=RATE,
        severa_rate=RATE,
        poll_interval=0,
    )
    hall = open_hall(settings)
    with (
        pytest.MonkeyPatch.context() as patch,
        servers.redis_server() as server,
        vendors() as partners,
        workshop(hall, server.url, partners) as shop,
        served(build(shop.hall, server.url)) as url,
    ):
        patch.setattr(sweeping, "EVERY_SECONDS", 0.1)
        shop.connect()
        with sweeping_in_a_thread(shop, server.url):
            yield House(shop, url, server)
    hall.db.close()


def down(server: RedisServer) -> None:
    server.kill()


def hung(server: RedisServer) -> None:
    server.pause()


def flushed(server: RedisServer) -> None:
    server.flush()


def full(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            client.set("anything", 1)


def read_only(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.replicaof("127.0.0.1", 1)
        with pytest.raises(redis.exceptions.ReadOnlyError):
            client.set("anything", 1)


def mend(server: RedisServer) -> None:
    server.resume()
    with redis.Redis.from_url(server.url) as client:
        client.replicaof("no", "one")
        client.config_set("maxmemory", 0)


@pytest.mark.parametrize("harm", [flushed, full, read_only, hung, down])
def test_events_are_taken_and_carried_over_without_redis(
    house: House, harm: Callable[[RedisServer], None]
) -> None:
    before, heard = len(house.shop.partners.books.invoices), house.heard()
    guids = [house.order() for _ in range(TOGETHER)]
    if harm is flushed:  # what was rung is forgotten
        answers = [house.knock(guid) for guid in guids]
        harm(house.redis)
        house.shop.clock.move_on(timedelta(seconds=30))
    else:
        harm(house.redis)
        answers = [house.knock(guid) for guid in guids]
    assert [answer[:2] for answer in answers] == [(202, "accepted")] * TOGETHER
    assert max(seconds for _, _, seconds in answers) < 3
    until("all are received", lambda: {house.stands_in(one) for one in guids} == {RECEIVED})
    assert house.heard() == heard + TOGETHER
    assert len(house.shop.partners.books.invoices) == before + TOGETHER
    assert set(house.shop.partners.invoices_by_reference().values()) == {1}
    for vendor in (house.shop.partners.fortnox, house.shop.partners.severa):
        assert busiest([call.at for call in vendor.chaos.calls]) <= RATE.calls
    if harm is not down:
        mend(house.redis)


def busiest(moments: list[float]) -> int:
    """The most calls in any window of the rate."""
    return max(
        sum(start <= moment < start + RATE.seconds for moment in moments) for start in moments
    )
