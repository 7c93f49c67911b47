"""A whole installation in processes of its own, between two sandboxes; and a sender of events."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from app import signatures
from app.sandbox.fortnox import Fortnox, FortnoxOptions, Tenant
from app.sandbox.fortnox import seed_demo as seed_fortnox
from app.sandbox.serving import free_port, served
from app.sandbox.severa import PAID, RECEIVED, TRANSFER, Severa, SeveraOptions
from app.sandbox.severa import seed_demo as seed_severa
from app.sandbox.severa.demo import CLIENT_ID, CLIENT_SECRET
from tests import canaries

SECRET = "whsec_dGVzdC1zZWNyZXQtb2YtdGhlLWluc3RhbGxhdGlvbg=="
ADMIN_KEY = "adm_of_the_test_installation"
PATIENCE = 180.0


def document(name: str = "acme", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": "Acme Konsult AB",
        "severa": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        "fortnox": {
            "client_id": "demo-client",
            "client_secret": "demo-secret",
            "tenant_id": "654896",
        },
        "webhooks": {"severa": {"secrets": [SECRET]}, "fortnox": {"secrets": [SECRET]}},
        "invoice_statuses": {"transfer": TRANSFER, "received": RECEIVED, "paid": PAID},
    } | changes


@dataclass
class Vendors:
    """Both partner systems, seeded, without a limit on calls unless a test sets one."""

    severa: Severa
    fortnox: Fortnox
    severa_url: str
    fortnox_url: str

    @property
    def books(self) -> Tenant:
        return self.fortnox.tenants["654896"]

    def invoices_by_reference(self) -> Counter[str]:
        """How many living invoices each of our references has in Fortnox."""
        return Counter(
            str(one["ExternalInvoiceReference1"])
            for one in self.books.invoices.values()
            if not one["Cancelled"]
        )

    def severa_statuses(self) -> Counter[str]:
        return Counter(one["status"] for one in self.severa.books()["invoices"])

    def written(self) -> list[str]:
        """The calls that changed something, in order of time; tokens are not counted."""
        calls = sorted(
            [*self.severa.chaos.calls, *self.fortnox.chaos.calls], key=lambda call: call.at
        )
        return [
            f"{call.method} {call.path} {call.status}"
            for call in calls
            if call.method != "GET" and "token" not in call.path
        ]

    def writes(self) -> int:
        return len(self.written())

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SEVERA_URL": f"{self.severa_url}/rest-api",
            "FORTNOX_URL": self.fortnox_url,
            "FORTNOX_AUTH_URL": f"{self.fortnox_url}/oauth-v1",
            "FORTNOX_WEBSOCKET_URL": f"{self.fortnox_url.replace('http', 'ws')}/topics-v1",
        }


class Address:
    """An application that can be exchanged while it is served: a server starts and ends slowly."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@dataclass
class Addresses:
    """Where one pair of vendors after the other lives."""

    severa: Address
    fortnox: Address
    severa_url: str
    fortnox_url: str

    def move_in(self) -> Vendors:
        severa, fortnox = Severa(SeveraOptions(rate=None)), Fortnox(FortnoxOptions(rate=None))
        seed_severa(severa)
        seed_fortnox(fortnox)
        self.severa.app, self.fortnox.app = severa.app, fortnox.app
        return Vendors(severa, fortnox, self.severa_url, self.fortnox_url)


@contextmanager
def addresses() -> Iterator[Addresses]:
    severa, fortnox = Address(), Address()
    with served(severa) as severa_url, served(fortnox) as fortnox_url:
        yield Addresses(severa, fortnox, severa_url, fortnox_url)


@contextmanager
def vendors() -> Iterator[Vendors]:
    with addresses() as both:
        yield both.move_in()


@dataclass
class Installation:
    """`bridge run`, as a user starts it; nothing but environment and one document."""

    url: str
    process: subprocess.Popen[bytes]
    output: Path
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30, trust_env=False))

    def admin(self, method: str, path: str, **sent: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        return self.http.request(method, f"{self.url}/api/v1{path}", headers=headers, **sent)

    def connect(self, given: dict[str, Any]) -> None:
        name = given["name"]
        assert self.admin("PUT", f"/connections/{name}", json=given).status_code == 201
        assert self.admin("POST", f"/connections/{name}/activate").status_code == 200

    def is_ready(self) -> bool:
        try:
            return self.http.get(f"{self.url}/ready").status_code == 200
        except httpx.TransportError:
            return False

    def transfers(self, name: str = "acme", **query: Any) -> list[dict[str, Any]]:
        found, cursor = [], None
        while True:
            params = {"limit": 200, **query} | ({"cursor": cursor} if cursor else {})
            page = self.admin("GET", f"/connections/{name}/transfers", params=params).json()
            found += page["transfers"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def open_transfers(self) -> list[dict[str, Any]]:
        return self.transfers(state="queued,running,waiting")

    def pids(self, part: str) -> list[int]:
        """The living processes of this installation whose command line has this part."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and part in command:
                found.append(int(entry.name))
        return found

    def kill(self, part: str) -> int:
        """SIGKILL to every such process; answers how many."""
        pids = self.pids(part)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return len(pids)


@contextmanager
def installation(
    database_url: str, redis_url: str, partners: Vendors, **changes: str
) -> Iterator[Installation]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        env = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **partners.environment,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "ADMIN_KEY": ADMIN_KEY,
            "VAR_DIR": str(folder / "var"),
            "QUARANTINE": "2",
            "FORTNOX_RATE": "1000/1",
            "SEVERA_RATE": "1000/1",
            "RETRY_SCHEDULE": "1s 1s 2s 2s 5s",
            **changes,
        }
        output = folder / "output.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "run"], env=env, stdout=file, stderr=file
            )
        running = Installation(f"http://127.0.0.1:{port}", process, output)
        try:
            until("the installation is ready", running.is_ready, told=running.output)
            yield running
        finally:
            running.http.close()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
            leaks = canaries.found_in(output.read_bytes())
            assert not leaks, f"the processes printed {leaks}"


def until(
    what: str, ask: Callable[[], object], patience: float = PATIENCE, told: Path | None = None
) -> None:
    """Asks again and again; after `patience` seconds says what did not come about."""
    deadline = time.monotonic() + patience
    while not ask():
        if time.monotonic() > deadline:
            said = told.read_text(errors="replace")[-6000:] if told else ""
            raise AssertionError(f"{what}: not within {patience:.0f} s\n{said}")
        time.sleep(0.05)


def severa_event(guid: str, kind: str = "invoice.status_changed") -> bytes:
    stamp = "2026-11-24T08:15:30Z"
    return json.dumps({"type": kind, "timestamp": stamp, "data": {"guid": guid}}).encode()


def signed(body: bytes, message_id: str = "", secret: str = SECRET) -> dict[str, str]:
    message_id, stamp = message_id or f"msg_{uuid4().hex}", int(time.time())
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": signatures.sign(secret, message_id, stamp, body),
    }


def post_all(
    base: str, knocks: Sequence[tuple[str, bytes]], name: str = "acme", at_once: int = 16
) -> Counter[tuple[int, str]]:
    """Posts (message id, body) pairs to Severa's door; what is not taken is sent again, as
    senders do. Answers how often each (status, word) was answered.
    """
    answers: Counter[tuple[int, str]] = Counter()

    async def post(client: httpx.AsyncClient, knock: tuple[str, bytes]) -> None:
        message_id, body = knock
        for _ in range(100):
            try:
                answer = await client.post(
                    f"{base}/webhooks/{name}/severa",
                    content=body,
                    headers=signed(body, message_id),
                )
            except httpx.TransportError:
                answers[0, "no answer"] += 1
            else:
                answers[answer.status_code, answer.json().get("status", "")] += 1
                if answer.status_code < 500:
                    return
            await asyncio.sleep(0.1)
        raise AssertionError("an event was refused a hundred times")

    async def post_everything() -> None:
        turn = asyncio.Semaphore(at_once)

        async def in_turn(knock: tuple[str, bytes]) -> None:
            async with turn:
                await post(client, knock)

        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            await asyncio.gather(*(in_turn(knock) for knock in knocks))

    asyncio.run(post_everything())
    return answers
