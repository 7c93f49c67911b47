"""Access tokens: one request however many ask at once, sealed at rest, renewed when refused."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from app import vault
from app.errors import NotSent
from app.hall import Hall
from app.models import tokens
from app.tokens import EARLY, Token, TokenStore
from app.vault import Vault
from tests.halls import emptied

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def hall(opened: Hall) -> Hall:
    return emptied(opened)


@dataclass
class Vendor:
    """Gives a new token to every request."""

    lifetime: timedelta = HOUR
    asked: int = 0
    moment: list[datetime] = field(default_factory=lambda: [NOW])

    def fetch(self) -> tuple[str, timedelta]:
        self.asked += 1
        return f"canary-{self.asked}", self.lifetime

    def clock(self) -> datetime:
        return self.moment[0]

    def store(self, hall: Hall) -> TokenStore:
        """As another process would have it."""
        return TokenStore(hall.db, hall.vault, hall.settings.var_dir, self.clock)


def test_a_token_is_asked_for_once_and_then_known(hall: Hall) -> None:
    vendor = Vendor()
    keeper = vendor.store(hall).keeper("acme", "severa", vendor.fetch)
    assert [keeper.current() for _ in range(5)] == ["canary-1"] * 5
    assert vendor.asked == 1


def test_another_process_takes_the_token_that_is_stored(hall: Hall) -> None:
    vendor = Vendor()
    for _ in range(3):
        keeper = vendor.store(hall).keeper("acme", "severa", vendor.fetch)
        assert keeper.current() == "canary-1"
    assert vendor.asked == 1


def test_a_token_belongs_to_its_connection_and_system(hall: Hall) -> None:
    vendor = Vendor()
    store = vendor.store(hall)
    owners: list[tuple[str, Any]] = [("acme", "severa"), ("acme", "fortnox"), ("other", "severa")]
    texts = [store.keeper(*owner, vendor.fetch).current() for owner in owners]
    assert texts == ["canary-1", "canary-2", "canary-3"]
    assert [store.keeper(*owner, vendor.fetch).current() for owner in owners] == texts


def test_a_token_is_renewed_two_minutes_before_its_end(hall: Hall) -> None:
    vendor = Vendor()
    keeper = vendor.store(hall).keeper("acme", "severa", vendor.fetch)
    keeper.current()
    vendor.moment[0] = NOW + HOUR - EARLY - timedelta(seconds=1)
    assert keeper.current() == "canary-1"
    vendor.moment[0] = NOW + HOUR - EARLY
    assert keeper.current() == "canary-2"
    assert vendor.store(hall).keeper("acme", "severa", vendor.fetch).current() == "canary-2"


def test_one_that_lasts_is_asked_for_early_and_while_the_vendor_is_away_the_present_one_does(
    hall: Hall,
) -> None:
    vendor = Vendor()
    keeper = vendor.store(hall).keeper("acme", "fortnox", vendor.fetch)
    half = HOUR / 2
    assert [keeper.lasting(half).text for _ in range(2)] == ["canary-1"] * 2
    vendor.moment[0] = NOW + half

    def away() -> tuple[str, timedelta]:
        raise NotSent("fortnox")

    alone = vendor.store(hall).keeper("acme", "fortnox", away)
    assert alone.lasting(half) == Token("canary-1", NOW + HOUR)
    assert keeper.lasting(half) == Token("canary-2", NOW + half + HOUR)
    assert alone.lasting(half).text == "canary-2"


def test_a_refused_token_is_renewed_once_whoever_asks(hall: Hall) -> None:
    vendor = Vendor()
    stores = [vendor.store(hall) for _ in range(4)]
    keepers = [store.keeper("acme", "severa", vendor.fetch) for store in stores]
    assert [keeper.current() for keeper in keepers] == ["canary-1"] * 4
    assert [keeper.renew("canary-1") for keeper in keepers] == ["canary-2"] * 4
    assert [keeper.current() for keeper in keepers] == ["canary-2"] * 4
    assert vendor.asked == 2


def test_a_request_that_fails_stores_nothing_and_is_made_again(hall: Hall) -> None:
    vendor = Vendor()
    store = vendor.store(hall)

    def fail() -> tuple[str, timedelta]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.keeper("acme", "severa", fail).current()
    assert store.keeper("acme", "severa", vendor.fetch).current() == "canary-1"


def test_a_token_is_sealed_at_rest_and_opens_in_its_own_row_only(hall: Hall) -> None:
    vendor = Vendor()
    keeper = vendor.store(hall).keeper("acme", "severa", vendor.fetch)
    keeper.current()
    with hall.db.reading() as tx:
        [row] = tx.execute(select(tokens))
    assert "canary" not in str(tuple(row))
    assert hall.vault.open("acme severa", row.sealed) == "canary-1"
    with pytest.raises(vault.CannotDecrypt):
        hall.vault.open("other severa", row.sealed)
    assert "canary" not in repr(Token("canary-1", NOW))


def test_a_token_that_no_key_opens_is_fetched_anew(hall: Hall) -> None:
    vendor = Vendor()
    vendor.store(hall).keeper("acme", "severa", vendor.fetch).current()
    strange = Vault([vault.new_key()]).seal("acme severa", "canary-1")
    with hall.db.transaction() as tx:
        tx.execute(update(tokens).values(sealed=strange))
    assert vendor.store(hall).keeper("acme", "severa", vendor.fetch).current() == "canary-2"


def test_sixteen_threads_without_a_token_make_one_request(hall: Hall) -> None:
    vendor = Vendor()
    barrier = Barrier(16)
    stores = [vendor.store(hall) for _ in range(4)]  # as four processes have them

    def ask(number: int) -> str:
        barrier.wait()
        return stores[number % 4].keeper("acme", "severa", vendor.fetch).current()

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(ask, range(16))) == {"canary-1"}
    assert vendor.asked == 1


def test_a_vendor_that_is_slow_with_one_token_does_not_hold_up_the_others(hall: Hall) -> None:
    vendor, asked, answered = Vendor(), Event(), Event()
    store = vendor.store(hall)

    def slow() -> tuple[str, timedelta]:
        asked.set()
        assert answered.wait(10)
        return "late", HOUR

    with ThreadPoolExecutor(2) as threads:
        late = threads.submit(store.keeper("acme", "severa", slow).current)
        assert asked.wait(10)
        try:
            other = threads.submit(store.keeper("acme", "fortnox", vendor.fetch).current)
            assert other.result(5) == "canary-1"
        finally:
            answered.set()
        assert late.result(10) == "late"


ASK = """
import json, sys, urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from app import clock
from app.db import Database
from app.tokens import TokenStore
from app.vault import Vault

url, keys, folder, vendor = json.loads(sys.argv[1])

def fetch():
    return urllib.request.urlopen(vendor, data=b"").read().decode(), timedelta(hours=1)

store = TokenStore(Database(url), Vault(keys), Path(folder), clock.now)
keeper = store.keeper("acme", "severa", fetch)
print("ready", flush=True)
sys.stdin.readline()
print(keeper.current(), flush=True)
refused = sys.stdin.readline().strip()
print(keeper.renew(refused), flush=True)
"""


@contextmanager
def token_server() -> Iterator[tuple[str, list[str]]]:
    """Its address, and the tokens it gave."""
    given: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given.append(f"canary-{len(given) + 1}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(given[-1].encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", given
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.processes
def test_three_processes_without_a_token_make_one_request_and_renew_it_once(hall: Hall) -> None:
    with token_server() as (vendor, given):
        url = hall.db.url.render_as_string(hide_password=False)
        argument = json.dumps([url, hall.keys.encryption, str(hall.settings.var_dir), vendor])
        askers = [
            subprocess.Popen(
                [sys.executable, "-c", ASK, argument],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]

        def answers(question: str) -> list[str]:
            for asker in askers:
                assert asker.stdin is not None
                asker.stdin.write(f"{question}\n")
                asker.stdin.flush()
            return [asker.stdout.readline().strip() for asker in askers if asker.stdout]

        assert [asker.stdout.readline() for asker in askers if asker.stdout] == ["ready\n"] * 3
        assert answers("go") == ["canary-1"] * 3
        assert answers("canary-1") == ["canary-2"] * 3
        for asker in askers:
            asker.communicate(timeout=30)
    assert given == ["canary-1", "canary-2"]


ASK_AT_ONCE = """
import json, sys, urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from app import clock
from app.db import Database
from app.tokens import TokenStore
from app.vault import Vault

url, keys, folder, vendor = json.loads(sys.argv[1])

def fetch():
    return urllib.request.urlopen(vendor, data=b"").read().decode(), timedelta(hours=1)

store, barrier = TokenStore(Database(url), Vault(keys), Path(folder), clock.now), Barrier(17)

def ask(_):
    barrier.wait()
    return store.keeper("acme", "severa", fetch).current()

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(17) as threads:
    print(json.dumps(sorted(set(threads.map(ask, range(17))))), flush=True)
"""


@pytest.mark.processes
def test_fifty_threads_of_three_processes_renew_an_expired_token_once(hall: Hall) -> None:
    vendor = Vendor(moment=[datetime(2020, 1, 1, tzinfo=UTC)])
    vendor.store(hall).keeper("acme", "severa", vendor.fetch).current()
    with token_server() as (address, given):
        url = hall.db.url.render_as_string(hide_password=False)
        argument = json.dumps([url, hall.keys.encryption, str(hall.settings.var_dir), address])
        askers = [
            subprocess.Popen(
                [sys.executable, "-c", ASK_AT_ONCE, argument],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        assert [asker.stdout.readline() for asker in askers if asker.stdout] == ["ready\n"] * 3
        for asker in askers:
            assert asker.stdin is not None
            asker.stdin.write("go\n")
            asker.stdin.flush()
        answers = [json.loads(asker.communicate(timeout=60)[0]) for asker in askers]
    assert answers == [["canary-1"]] * 3
    assert given == ["canary-1"]
