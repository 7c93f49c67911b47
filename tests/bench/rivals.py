"""What a user would pick instead, turn about on this machine: the same invoices through each.

    python -m tests.bench.rivals            # fetches n8n and Node-RED by npm, into var/rivals
    python -m tests.bench.rivals plain ours --events 200

Each takes signed events at its door and answers; reads the invoice from the Severa sandbox, makes
it in the Fortnox one, moves it in Severa. Then it is killed with SIGKILL while it works, everything
of it at once, and started again: what was answered for and never carried over is lost.
"""

import argparse
import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

from app.sandbox.serving import free_port
from app.sandbox.severa import RECEIVED, TRANSFER
from app.sandbox.severa.demo import CLIENT_ID, CLIENT_SECRET
from tests import servers
from tests.bench import rival_flows
from tests.bench.acks import at
from tests.bench.figures import Row, table
from tests.bench.processes import UVICORN
from tests.bench.rival import Rival
from tests.bench.rival_flows import Flow
from tests.installation import (
    ADMIN_KEY,
    SECRET,
    Vendors,
    document,
    severa_event,
    signed,
    vendors,
)

EVENTS = 300
KILLED = 120
STILL = 20.0  # seconds without anything new after which nothing more is expected
VERSIONS = {"node-red": "4.1.15", "n8n": "1.123.81"}
BUILT = {"n8n": ["sqlite3"]}  # what it cannot do without; the rest would need a compiler


def flow_of(partners: Vendors) -> Flow:
    severa, fortnox = f"{partners.severa_url}/rest-api", partners.fortnox_url
    scope = "invoices:read invoices:write"
    asked = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "scope": scope}
    first = httpx.post(f"{severa}/v1/token", json=asked, trust_env=False).raise_for_status()
    second = httpx.post(
        f"{fortnox}/oauth-v1/token",
        data={"grant_type": "client_credentials", "scope": "invoice"},
        headers={"TenantId": "654896"},
        auth=("demo-client", "demo-secret"),
        trust_env=False,
    ).raise_for_status()
    partners.books.add_customer(CustomerNumber="1001", Name="Nordbygg AB")
    tokens = first.json()["access_token"], second.json()["access_token"]
    return Flow(severa, fortnox, *tokens, customer="1001", received=RECEIVED)


@contextmanager
def ours(_flow: Flow, partners: Vendors, _tools: Path) -> Iterator[Rival]:
    """On SQLite and with the Redis that it brings along, as it is started by `bridge run`."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        env = {
            **partners.environment,
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "ADMIN_KEY": ADMIN_KEY,
            "VAR_DIR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/bridge.db",
            "INGEST_RATE": "1000000/1",
            "FORTNOX_RATE": "100000/1",
            "SEVERA_RATE": "100000/1",
            "QUARANTINE": "2",
            "RETRY_SCHEDULE": "1s 1s 2s 2s 5s",
        }

        def connect(rival: Rival) -> None:
            headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
            with httpx.Client(base_url=rival.url, headers=headers, trust_env=False) as http:
                here = "/api/v1/connections/acme"
                http.put(here, json=document()).raise_for_status()
                http.post(f"{here}/activate").raise_for_status()

        command = [sys.executable, "-m", "app.cli", "run"]
        yield Rival("the bridge", port, [command], env, "/ready", connect)


@contextmanager
def plain(flow: Flow, _partners: Vendors, _tools: Path) -> Iterator[Rival]:
    with servers.redis_server() as redis:
        port, module = free_port(), "tests.bench.plain_flow"
        env = {"REDIS_URL": redis.url, "FLOW": json.dumps(asdict(flow))}
        api = [sys.executable, *UVICORN, "--port", str(port), f"{module}:app"]
        worker = [sys.executable, "-m", "celery", "-A", f"{module}:queue", "worker"]
        worker += ["-P", "threads", "-c", "16", "--prefetch-multiplier", "1", "-l", "error"]
        yield Rival("FastAPI and Celery", port, [api, worker], env)


@contextmanager
def node_red(flow: Flow, _partners: Vendors, tools: Path) -> Iterator[Rival]:
    binary = fetched("node-red", tools)
    with tempfile.TemporaryDirectory() as folder:
        port, home = free_port(), Path(folder)
        (home / "flows.json").write_text(json.dumps(rival_flows.node_red(flow)))
        (home / "settings.js").write_text(
            f"module.exports = {{uiHost: '127.0.0.1', uiPort: {port}, flowFile: 'flows.json',"
            " telemetry: {enabled: false}}"
        )
        command = [str(binary), "--userDir", folder, "--settings", f"{folder}/settings.js"]
        yield Rival("Node-RED", port, [command], {})


@contextmanager
def n8n(flow: Flow, _partners: Vendors, tools: Path) -> Iterator[Rival]:
    binary = fetched("n8n", tools)
    with tempfile.TemporaryDirectory() as folder:
        port, file = free_port(), Path(folder) / "workflow.json"
        file.write_text(json.dumps([rival_flows.n8n(flow)]))
        env = {
            "N8N_USER_FOLDER": folder,
            "N8N_PORT": str(port),
            "N8N_LISTEN_ADDRESS": "127.0.0.1",
            "N8N_RUNNERS_BROKER_PORT": str(free_port()),
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_TEMPLATES_ENABLED": "false",
            "N8N_ENDPOINT_WEBHOOK": "hook",
            "N8N_SECURE_COOKIE": "false",
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        active = ["update:workflow", "--all", "--active=true"]
        for words in (["import:workflow", f"--input={file}"], active):
            subprocess.run(
                [str(binary), *words], env={**kept, **env}, check=True, capture_output=True
            )
        yield Rival("n8n", port, [[str(binary), "start"]], env, "/healthz/readiness")


RIVALS = {"ours": ours, "plain": plain, "node-red": node_red, "n8n": n8n}
PREFIX = {"n8n": "/hook"}  # where its doors are


def fetched(name: str, tools: Path) -> Path:
    """Its program; installed by npm where it is not there yet."""
    folder = tools / name
    binary = folder / "node_modules" / ".bin" / name
    if not binary.exists():
        folder.mkdir(parents=True, exist_ok=True)
        quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
        for words in (["install", f"{name}@{VERSIONS[name]}"], ["rebuild", *BUILT.get(name, ())]):
            subprocess.run(["npm", *words, *quietly], check=True)
    return binary


def measure(names: Sequence[str], events: int, killed: int, tools: Path) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for name in names:
        with ExitStack() as stack:
            partners = stack.enter_context(vendors())
            rival = stack.enter_context(RIVALS[name](flow_of(partners), partners, tools))
            stack.callback(rival.kill)
            rival.start()
            rival.opened(rival)
            door = f"{rival.url}{PREFIX.get(name, '')}{rival_flows.PATH}"
            warm_up(partners, door)
            found[rival.name] = carry(partners, rival, door, events)
            found[rival.name] |= killed_amid(partners, rival, door, killed)
    return found


def warm_up(partners: Vendors, door: str) -> None:
    """Also waits for a door that opens later than its house."""
    guids = orders(partners, 20)
    asyncio.run(persist(door, guids, set()))
    settle(partners, guids)


def carry(partners: Vendors, rival: Rival, door: str, events: int) -> Row:
    """All at once, 32 under way; from the first one sent until the last one is received."""
    guids, cpu = orders(partners, events), rival.cpu()
    partners.severa.chaos.calls.clear()
    began = time.time()
    said = send(door, guids)
    assert said["statuses"] == {"202": events}, said["statuses"]
    settle(partners, guids)
    moved = [one.at for one in partners.severa.chaos.calls if one.method == "PATCH"]
    return {
        "acks_per_second": round(events / said["seconds"]),
        "p99_ms": round(at(said["took"], 0.99), 1),
        "carried_over": len(received(partners, guids)),
        "carried_per_second": round(events / (max(moved) - began), 1) if moved else 0,
        "cpu_ms_per_event": round((rival.cpu() - cpu) / events * 1000, 1),
        "peak_mib": round(rival.memory()),
    }


def killed_amid(partners: Vendors, rival: Rival, door: str, events: int) -> Row:
    """Everything of it dies when a third is through; the senders send again what was not taken."""
    guids = orders(partners, events)
    taken: set[str] = set()
    sending = Thread(target=lambda: asyncio.run(persist(door, guids, taken)))
    sending.start()
    while len(received(partners, guids)) < events // 3 and sending.is_alive():
        time.sleep(0.01)
    rival.kill()
    rival.start()
    sending.join()
    assert taken == set(guids)
    settle(partners, guids)
    made = partners.invoices_by_reference()
    return {
        "killed_amid": events,
        "lost": events - len(received(partners, guids)),
        "made_twice": sum(made[f"severa:{guid}"] > 1 for guid in guids),
    }


def orders(partners: Vendors, many: int) -> list[str]:
    guids = [str(partners.severa.add_simple_invoice()["guid"]) for _ in range(many)]
    for guid in guids:
        partners.severa.set_status(guid, TRANSFER)
    return guids


def received(partners: Vendors, guids: Sequence[str]) -> list[str]:
    severa = partners.severa
    return [one for one in guids if severa.find("invoices", one)["status"]["guid"] == RECEIVED]


def settle(partners: Vendors, guids: Sequence[str]) -> None:
    """Until all are received, or nothing has happened for a while."""
    before, since = -1, time.monotonic()
    while before < len(guids) and time.monotonic() - since < STILL:
        now = len(received(partners, guids))
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(0.1)


def send(door: str, guids: Sequence[str]) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(guids))
        file.flush()
        command = [sys.executable, "-m", "tests.bench.load", door, "--secret", SECRET]
        answer = subprocess.run([*command, "--about", file.name], capture_output=True, check=True)
    said: dict[str, Any] = json.loads(answer.stdout)
    return said


async def persist(door: str, guids: Sequence[str], taken: set[str]) -> None:
    """As senders do: each event again, with the same identity, until it is taken."""
    turn = asyncio.Semaphore(16)

    async def one(http: httpx.AsyncClient, guid: str) -> None:
        body, name = severa_event(guid), f"msg_{secrets.token_hex(8)}"
        async with turn:
            while guid not in taken:
                try:
                    answer = await http.post(door, content=body, headers=signed(body, name))
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
                    continue
                if answer.status_code < 300:
                    taken.add(guid)
                else:
                    await asyncio.sleep(0.1)

    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        await asyncio.gather(*(one(http, guid) for guid in guids))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *RIVALS])
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--killed", type=int, default=KILLED)
    parser.add_argument("--tools", type=Path, default=Path("var/rivals"))
    parser.add_argument("--json", type=Path, default=Path("var/rivals.json"))
    given = parser.parse_args()
    found = measure(given.names or list(RIVALS), given.events, given.killed, given.tools.resolve())
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(found, indent=2) + "\n")
    sys.stdout.write(f"{table('rivals', found)}\n")


if __name__ == "__main__":
    main()
