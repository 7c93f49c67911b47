"""Acknowledging: durable answers of one API process over those of a bare FastAPI endpoint."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from app import connections
from app.documents import Document
from app.hall import open_hall
from app.sandbox.serving import free_port
from app.settings import Settings
from tests import servers
from tests.bench.figures import Row
from tests.bench.processes import UVICORN, cpu_seconds, peak_mib, running, wait_for
from tests.installation import SECRET, document

EVENTS = 6000
ROUNDS = 5


@dataclass
class Runner:
    name: str
    url: str
    pid: int
    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, events: int) -> None:
        before = cpu_seconds(self.pid)
        said = load(self.url, events)
        self.cpu.append((cpu_seconds(self.pid) - before) / events * 1e6)
        assert said["statuses"] == {"202": events}, said["statuses"]
        self.rates.append(events / said["seconds"])
        self.p50.append(at(said["took"], 0.50))
        self.p99.append(at(said["took"], 0.99))


def load(url: str, events: int) -> dict[str, Any]:
    arguments = [url, "--secret", SECRET, "--events", str(events)]
    command = [sys.executable, "-m", "tests.bench.load", *arguments]
    answer = subprocess.run(command, capture_output=True, check=True)
    said: dict[str, Any] = json.loads(answer.stdout)
    return said


def at(took: list[float], share: float) -> float:
    """Milliseconds."""
    return took[min(len(took) - 1, int(len(took) * share))] * 1000


def measure(events: int = EVENTS, rounds: int = ROUNDS) -> dict[str, Row]:
    with ExitStack() as stack:
        everybody = [
            stack.enter_context(bare()),
            stack.enter_context(plain()),
            *(stack.enter_context(ours(name)) for name in ("sqlite", "postgresql")),
        ]
        for one in everybody:
            one.run(events // 4)  # warm
            for figures in (one.rates, one.p50, one.p99, one.cpu):
                figures.clear()
        for _ in range(rounds):
            for one in everybody:
                one.run(events)
        return {one.name: row(one, everybody[0]) for one in everybody}


def row(one: Runner, reference: Runner) -> Row:
    ratios = [ours / bare for ours, bare in zip(one.rates, reference.rates, strict=True)]
    return {
        "acks_per_second": round(median(one.rates)),
        "ratio": round(median(ratios), 2),
        "p50_ms": round(median(one.p50), 1),
        "p99_ms": round(median(one.p99), 1),
        "p99_ratio": round(median(a / b for a, b in zip(one.p99, reference.p99, strict=True)), 2),
        "cpu_us_per_event": round(median(one.cpu)),
        "cpu_ratio": round(median(b / a for a, b in zip(one.cpu, reference.cpu, strict=True)), 2),
        "peak_mib": round(peak_mib(one.pid)),
    }


@contextmanager
def bare() -> Iterator[Runner]:
    port = free_port()
    arguments = [*UVICORN, "--port", str(port), "tests.bench.bare:app"]
    with running(arguments, {}) as process:
        wait_for(f"http://127.0.0.1:{port}/", process)
        yield Runner("bare", f"http://127.0.0.1:{port}/webhooks/acme/severa", process.pid)


@contextmanager
def plain() -> Iterator[Runner]:
    port = free_port()
    arguments = [*UVICORN, "--port", str(port), "tests.bench.plain:app"]
    with (
        servers.redis_server() as redis,
        running(arguments, {"REDIS_URL": redis.url}) as process,
    ):
        wait_for(f"http://127.0.0.1:{port}/", process)
        url = f"http://127.0.0.1:{port}/webhooks/acme/severa"
        yield Runner("FastAPI and Celery delay()", url, process.pid)


@contextmanager
def ours(database: str) -> Iterator[Runner]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(servers.redis_server())
        url = f"sqlite:///{folder}/bridge.db"
        if database == "postgresql":
            server = stack.enter_context(servers.postgres_server(durable=True))
            assert server is not None, servers.NO_POSTGRES
            url = server.new_database()
        connect(url, folder / "var")
        port = free_port()
        env = {
            "DATABASE_URL": url,
            "REDIS_URL": redis.url,
            "VAR_DIR": str(folder / "var"),
            "INGEST_RATE": "1000000/1",
        }
        arguments = [*UVICORN, "--port", str(port), "--factory", "app.main:from_environment"]
        process = stack.enter_context(running(arguments, env))
        wait_for(f"http://127.0.0.1:{port}/health", process)
        yield Runner(database, f"http://127.0.0.1:{port}/webhooks/acme/severa", process.pid)


def connect(database_url: str, var: Path) -> None:
    hall = open_hall(Settings(database_url=database_url, var_dir=var))
    with hall.db.transaction() as tx:
        connections.put(tx, hall.vault, Document.model_validate(document()), hall.clock())
    hall.db.close()
