"""A town of companies: each with a Severa and a Fortnox of its own, one bridge between them all.

The partner systems are served by this process; listener, sweeper and workers are processes of their
own, and what they use of the machine is read from the kernel.
"""

import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sqlalchemy import func, select

from app import connections, listened, overview
from app.clock import now
from app.documents import Document
from app.hall import Hall, open_hall
from app.models import events, work
from app.sandbox.fortnox import Fortnox, FortnoxOptions, Tenant
from app.sandbox.serving import served
from app.sandbox.severa import Severa, SeveraOptions
from app.sandbox.severa import seed_demo as seed_severa
from app.settings import Settings
from tests import servers
from tests.bench.processes import cpu_seconds, peak_mib, running
from tests.installation import document, until

PROJECT = 3001
CLIENT, SECRET = "town-client", "town-secret"


def yesterday() -> datetime:
    """When the registers were filled: what was there before a connection is none of its polls'."""
    return now() - timedelta(days=1)


class Severas:
    """Many organisations at one address, told apart by the client that logs in and its token."""

    def __init__(self) -> None:
        self.by_client: dict[str, Severa] = {}
        self._by_token: dict[bytes, Severa] = {}

    def add(self, client_id: str) -> Severa:
        one = Severa(SeveraOptions(rate=None), clock=yesterday)
        seed_severa(one)
        one.world.clock = now
        one.add_client(client_id, SECRET)
        self.by_client[client_id] = one
        return one

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"].endswith("/token"):
            await self._log_in(scope, receive, send)
            return
        token = dict(scope["headers"]).get(b"authorization", b"").removeprefix(b"Bearer ")
        somebody = next(iter(self.by_client.values()))  # who refuses what nobody knows
        await self._by_token.get(token, somebody).app(scope, receive, send)

    async def _log_in(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        one = self.by_client[json.loads(body)["client_id"]]
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Any:
            return messages.pop() if messages else await receive()

        async def noting(message: Any) -> None:
            if message["type"] == "http.response.body" and b"access_token" in message["body"]:
                self._by_token[json.loads(message["body"])["access_token"].encode()] = one
            await send(message)

        await one.app(scope, again, noting)


@dataclass
class Town:
    """`started`: the processes by what they are; several workers are one."""

    hall: Hall
    severas: Severas
    fortnox: Fortnox
    names: list[str]
    started: dict[str, list[int]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(10_000))

    def severa(self, name: str) -> Severa:
        return self.severas.by_client[name]

    def tenant(self, name: str) -> Tenant:
        return self.fortnox.tenants[_tenant_id(name)]

    def heard_of(self) -> int:
        """How many companies are on the socket."""
        with self.hall.db.reading() as tx:
            known = listened.standings(tx)
        return sum(name in known and known[name].reason is None for name in self.names)

    def polls(self) -> int:
        """How many polls were ever run."""
        with self.hall.db.reading() as tx:
            return int(
                tx.scalar(select(func.sum(work.c.attempts)).where(work.c.kind == "poll")) or 0
            )

    def due(self) -> int:
        """How many rows should have been run by now."""
        with self.hall.db.reading() as tx:
            return overview.backlog(tx, self.hall.clock()).due

    def calls(self) -> Counter[str]:
        """Of each vendor: all that were ever made, and those that fetched a token."""
        found: Counter[str] = Counter()
        severas = [each.chaos.calls for each in self.severas.by_client.values()]
        for vendor, ledgers in (("severa", severas), ("fortnox", [self.fortnox.chaos.calls])):
            for one in (call for ledger in ledgers for call in ledger):
                found[f"{vendor} token" if "token" in one.path else vendor] += 1
        return found

    def cpu(self) -> dict[str, float]:
        """Seconds that each kind of process has used."""
        return {kind: sum(map(cpu_seconds, each)) for kind, each in self.started.items()}

    def memory(self) -> dict[str, float]:
        """MiB at the most, of each kind of process."""
        return {kind: round(sum(map(peak_mib, pids)), 1) for kind, pids in self.started.items()}

    def event_lags(self, since: int) -> list[float]:
        """Seconds from Fortnox's own timestamp until the listener had committed to storing it."""
        with self.hall.db.reading() as tx:
            rows = tx.execute(
                select(events.c.identity, events.c.received_at).where(events.c.door == "listener")
            )
            stored = {row.identity: row.received_at.timestamp() for row in rows}
        lags = []
        for one in self.fortnox.events[since:]:
            at = stored.get(f"{one['topic']}:{one['offset']}")
            if at is not None:
                lags.append(at - datetime.fromisoformat(one["timestamp"]).timestamp())
        return lags


def figures(values: Sequence[float]) -> dict[str, float]:
    """How many, half of them, nineteen of twenty, and the longest; seconds."""
    if not values:
        return {"count": 0}
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "p50": round(ordered[len(ordered) // 2], 3),
        "p95": round(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], 3),
        "longest": round(ordered[-1], 3),
    }


@dataclass
class Life:
    """Steady changes in all companies, one after the other, and how long each was under way.

    `rate`: changes in a second, of all together. Half of them are articles made in Fortnox, which
    the listener hears of; half are projects renamed in Severa, which the polls find.
    """

    town: Town
    names: list[str]
    rate: float
    lags: dict[str, list[float]] = field(default_factory=lambda: {"fortnox": [], "severa": []})
    made: int = 0
    _open: list[tuple[float, str, Callable[[], bool]]] = field(default_factory=list)

    def live(self, seconds: float, patience: float) -> int:
        """Changes for so long, and then waits for the last; answers how many did not go through."""
        over, watcher = Event(), Thread(target=lambda: self._watch(over))
        watcher.start()
        began = time.monotonic()
        dice = random.Random(1)
        while (passed := time.monotonic() - began) < seconds:
            if self.made < passed * self.rate:
                self._change(dice.choice(self.names))
            else:
                time.sleep(0.005)
        deadline = time.monotonic() + patience
        while self._open and time.monotonic() < deadline:
            time.sleep(0.1)
        over.set()
        watcher.join()
        return len(self._open)

    def _change(self, name: str) -> None:
        self.made += 1
        severa, books = self.town.severa(name), self.town.tenant(name)
        number = next(self.town.numbers)
        if self.made % 2:
            books.add_article(ArticleNumber=str(number), Description=f"Vara {number}", Unit="st")
            self._open.append((time.monotonic(), "fortnox", lambda: _is_sold(severa, number)))
        else:
            severa.change("projects", PROJECT, name=f"Plats {number}")
            self._open.append((time.monotonic(), "severa", lambda: _is_named(books, number)))

    def _watch(self, over: Event) -> None:
        while not over.is_set():
            for one in [*self._open]:
                began, where, is_there = one
                if is_there():
                    self.lags[where].append(time.monotonic() - began)
                    self._open.remove(one)
            time.sleep(0.05)


@contextmanager
def town(companies: int, *, workers: int = 1, **environment: str) -> Iterator[Town]:
    """All of them connected and active, and every process started, but nobody waited for."""
    with ExitStack() as stack:
        enter = stack.enter_context
        folder = Path(enter(tempfile.TemporaryDirectory(prefix="town-")))
        postgres = enter(servers.postgres_server())
        assert postgres is not None, servers.NO_POSTGRES
        severas, fortnox = Severas(), Fortnox(FortnoxOptions(rate=None))
        fortnox.add_client(CLIENT, SECRET)
        severa_url, fortnox_url = enter(served(severas)), enter(served(fortnox.app))
        database, redis = postgres.new_database(), enter(servers.redis_server())
        hall = open_hall(Settings(database_url=database, var_dir=folder / "var"))
        stack.callback(hall.db.close)
        names = [f"company-{number:03}" for number in range(companies)]
        for name in names:
            _settle(hall, severas, fortnox, name)
        env = {
            "DATABASE_URL": database,
            "REDIS_URL": redis.url,
            "VAR_DIR": str(folder / "var"),
            "SEVERA_URL": f"{severa_url}/rest-api",
            "FORTNOX_URL": fortnox_url,
            "FORTNOX_AUTH_URL": f"{fortnox_url}/oauth-v1",
            "FORTNOX_WEBSOCKET_URL": f"{fortnox_url.replace('http', 'ws')}/topics-v1",
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        opened = Town(hall, severas, fortnox, names)
        for kind in ("listener", "sweeper", *["worker"] * workers):
            process = enter(running(["-m", "app.cli", kind], env))
            opened.started.setdefault(kind, []).append(process.pid)
        yield opened


def wait_for_everybody(here: Town, patience: float = 600) -> float:
    """Seconds until every company was on the socket."""
    began = time.monotonic()
    until("every company is heard", lambda: here.heard_of() == len(here.names), patience)
    return time.monotonic() - began


def _settle(hall: Hall, severas: Severas, fortnox: Fortnox, name: str) -> None:
    """A new company, with a project that is in both systems."""
    severas.add(name)
    number = _tenant_id(name)
    fortnox.options.clock = yesterday
    fortnox.add_tenant(number, name).add_project(str(PROJECT), "Plats 0")
    fortnox.options.clock = now
    fortnox.consent(CLIENT, number)
    access = {"client_id": CLIENT, "client_secret": SECRET, "tenant_id": number}
    severa = {"client_id": name, "client_secret": SECRET}
    given = Document.model_validate(document(name, severa=severa, fortnox=access))
    with hall.db.transaction() as tx:
        connections.put(tx, hall.vault, given, now())
        connections.set_active(tx, name, now(), active=True)


def _tenant_id(name: str) -> str:
    return str(700_000 + int(name.rpartition("-")[2]))


def _is_sold(severa: Severa, number: int) -> bool:
    return any(one["code"] == str(number) for one in severa.records("products"))


def _is_named(books: Tenant, number: int) -> bool:
    """So, or by a later name: two names between two polls are one change."""
    return int(books.projects[str(PROJECT)]["Description"].rpartition(" ")[2]) >= number
