"""Every process is ended by SIGTERM and started anew, one after another, while events arrive."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import httpx
import pytest

from app.cli.processes import CELERY, GRACE_SECONDS
from app.sandbox.chaos import Fault
from app.sandbox.serving import free_port
from tests.installation import ADMIN_KEY, Vendors, document, severa_event, signed, until, vendors
from tests.journeys.test_thousand_events import RECEIVED_NAME, TRANSFER_NAME

SLOW = 0.5  # seconds that Fortnox takes to make an invoice: whoever is ended is busy
PATIENCE = 120.0
BRIDGE = str(Path(sys.executable).parent / "bridge")


@dataclass
class Fleet:
    """Two APIs behind a balancer that tries the other one, two workers, and a sweeper; the first
    of each by the command that containers, pods and units start.
    """

    environment: dict[str, str]
    folder: Path
    ports: list[int] = field(default_factory=lambda: [free_port(), free_port()])
    living: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str) -> None:
        kind, number = name[:-1], int(name[-1])
        env = self.environment | {"PORT": str(self.ports[number])}
        commands = {
            "api": ["-m", "app.cli", "api"],
            "worker": list(CELERY),
        }
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            command = [sys.executable, *commands[kind]] if number else [BRIDGE, kind]
            self.living[name] = subprocess.Popen(command, env=env, stdout=output, stderr=output)
        if kind == "api":
            url = f"http://127.0.0.1:{self.ports[number]}/health"
            with httpx.Client(trust_env=False, timeout=10) as http:
                until(f"{name} answers", lambda: _answers(http, url), PATIENCE, told=log)

    def end(self, name: str) -> float:
        """By SIGTERM; the seconds that it took."""
        process, began = self.living.pop(name), time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(GRACE_SECONDS) in (0, -signal.SIGTERM), self.log(name)
        return time.monotonic() - began

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def send(self, http: httpx.Client, message_id: str, body: bytes) -> int:
        """As a balancer does it: to whichever answers; how often it had to be tried."""
        deadline, tries = time.monotonic() + PATIENCE, 0
        while time.monotonic() < deadline:
            url = f"http://127.0.0.1:{self.ports[tries % 2]}/webhooks/acme/severa"
            tries += 1
            try:
                answer = http.post(url, content=body, headers=signed(body, message_id))
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            assert answer.status_code == 202, answer.text
            return tries
        raise AssertionError("neither API took an event")


@contextmanager
def fleet(environment: dict[str, str], folder: Path) -> Iterator[Fleet]:
    opened = Fleet(environment, folder)
    try:
        yield opened
    finally:
        for process in opened.living.values():
            process.kill()
            process.wait()


def _answers(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url).status_code == 200
    except httpx.TransportError:
        return False


def keep_sending(fleet: Fleet, partners: Vendors, enough: Event) -> list[str]:
    """One new invoice after another, until it is enough."""
    guids: list[str] = []
    with httpx.Client(trust_env=False, timeout=10) as http:
        while not enough.wait(0.5):
            guid = partners.severa.add_simple_invoice()["guid"]
            partners.severa.set_status(guid, TRANSFER_NAME)
            fleet.send(http, f"msg_{len(guids)}", severa_event(guid))
            guids.append(guid)
    return guids


@pytest.mark.processes
@pytest.mark.timeout(300)
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_nothing_is_lost_and_no_run_is_cut_off(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    with vendors() as partners:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **partners.environment,
            "FORTNOX_WEBSOCKET_URL": "",
            "POLL_INTERVAL": "0",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(tmp_path / "var"),
            "ADMIN_KEY": ADMIN_KEY,
            "WORKER_CONCURRENCY": "4",
        }
        everybody = ["api0", "worker0", "api1", "worker1", "sweeper0"]
        with fleet(environment, tmp_path) as running, ThreadPoolExecutor(1) as sender:
            for name in everybody:
                running.start(name)
            api = f"http://127.0.0.1:{running.ports[0]}/api/v1/connections/acme"
            key = {"Authorization": f"Bearer {ADMIN_KEY}"}
            httpx.put(api, json=document(), headers=key, trust_env=False).raise_for_status()
            httpx.post(f"{api}/activate", headers=key, trust_env=False).raise_for_status()
            slow = Fault("stall", "/3/invoices$", "POST", times=None, delay=SLOW)
            partners.fortnox.chaos.faults.append(slow)
            enough = Event()
            sending = sender.submit(keep_sending, running, partners, enough)
            try:
                until("work is done", lambda: len(partners.books.invoices) > 3, patience=PATIENCE)
                for name in everybody:
                    running.end(name)
                    running.start(name)
            finally:
                enough.set()
            guids = sending.result()
            until(
                "everything is received",
                lambda: partners.severa_statuses()[RECEIVED_NAME] == len(guids),
                patience=PATIENCE,
            )
        assert partners.invoices_by_reference() == {f"severa:{guid}": 1 for guid in guids}
        for name in everybody:
            assert "work.taken_back" not in running.log(name)
