"""`bridge …` against a real server: what people read, what programs read, and the exit codes."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fakeredis
import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from pydantic import SecretStr
from starlette.responses import JSONResponse
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from app import api, connections, health, inbox, people, processes, worklist
from app.api import consent
from app.api.problems import problem
from app.cli import app as bridge
from app.clock import now
from app.documents import Document
from app.hall import Hall, open_hall
from app.identity import Identity
from app.inbox import Heard
from app.invitations import Link
from app.locks import process_name
from app.models import connections as connection_rows
from app.models import work
from app.settings import settings
from app.signatures import sign, verify
from app.worklist import Settlement, Want

ADMIN_KEY = "adm_canary"
SECRET, TOKEN = "whsec_Y2FuYXJ5LW9mLXNpZ25pbmc=", "canary-of-a-token"
GUID = "1a000000-0000-4000-8000-000000000007"
DOCUMENT = {
    "name": "acme",
    "label": "Åkeriet [red]AB",
    "severa": {"client_id": "s", "client_secret": "canary-s"},
    "fortnox": {"client_id": "f", "client_secret": "canary-f", "tenant_id": 654896},
    "webhooks": {"severa": {"secrets": [SECRET], "bearer_tokens": [TOKEN]}},
    "invoice_statuses": {"transfer": GUID, "received": GUID},
}


class House:
    """A bridge with its doors open, and what was posted to its webhook door."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.app = FastAPI(openapi_url=None)
        api.mount(self.app, hall, hint=lambda _: None, plan=self.plan, look=self.look)
        health.mount(self.app, hall, fakeredis.FakeRedis())
        self.app.add_api_route("/webhooks/{name}/{source}", self.door, methods=["POST"])

    @staticmethod
    def look(connection: connections.Connection) -> Any:
        assert connection.document.missing(), "nothing here reads the partner systems"
        return SimpleNamespace(document=connection.document)

    @staticmethod
    def plan(work_id: str) -> list[dict[str, Any]]:
        return [{"system": "fortnox", "action": "create_invoice", "transfer": work_id}]

    async def door(self, request: Request, name: str, source: str) -> JSONResponse:
        body = await request.body()
        self.hall.directory.refresh()
        found = self.hall.directory.get(name)
        door = getattr(found.document.webhooks, source) if found else None
        if door is None or not verify(request.headers, body, door, now()).ok:
            return problem(401, None, "not genuine")
        self.posted.append((f"{name}/{source}", json.loads(body)))
        return JSONResponse({"id": "evt_1", "status": "accepted"}, 202)

    def connect(self, *, active: bool = True, **changes: Any) -> None:
        with self.hall.db.transaction() as tx:
            document = Document.model_validate(DOCUMENT | changes)
            connections.put(tx, self.hall.vault, document, now())
            connections.set_active(tx, "acme", now(), active=active)
        self.hall.directory.forget()

    def blocked(self, key: str, kind: str = "invoice") -> str:
        want = Want("acme", kind, key)
        heard = Heard("acme", "severa", "webhook", key, b"{}", "invoice.updated", want)
        with self.hall.db.transaction() as tx:
            inbox.receive(tx, [heard], now())
        item = worklist.claim_now(self.hall.db, "test", want, now())
        assert item is not None
        worklist.settle(self.hall.db, item, Settlement("blocked"), now())
        return item.id

    def states(self) -> list[str]:
        with self.hall.db.reading() as tx:
            return [row.state for row in tx.execute(work.select().order_by(work.c.id))]

    def secret(self) -> str:
        with self.hall.db.reading() as tx:
            found = connections.find(tx, self.hall.vault, "acme")
        assert found is not None
        return found.document.severa.client_secret.get_secret_value()

    def names(self) -> list[str]:
        with self.hall.db.reading() as tx:
            rows = tx.execute(connection_rows.select())
            return [row.name for row in rows if row.deleted_at is None]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/bridge.db")
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    settings.cache_clear()
    hall = open_hall(settings().model_copy(update={"admin_key": SecretStr(ADMIN_KEY)}))
    made = House(hall)
    config = uvicorn.Config(made.app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    monkeypatch.setenv("PUBLIC_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("ADMIN_KEY", ADMIN_KEY)
    settings.cache_clear()
    with capture_logs():
        yield made
    server.should_exit = True
    thread.join()
    hall.db.close()
    settings.cache_clear()


def run(*words: str, code: int = 0, said: str | None = None) -> Result:
    result = CliRunner().invoke(bridge, words, input=said)
    assert result.exit_code == code, result.output
    assert "canary" not in result.output
    assert "\x1b" not in result.output
    return result


def told(*words: str, code: int = 0) -> Any:
    return json.loads(run(*words, "--json", code=code).stdout)


def test_the_server_answers_over_real_http(house: House) -> None:
    house.connect()
    url = settings().public_url
    with httpx.Client(base_url=url, trust_env=False) as client:
        refused = client.get("/api/v1/connections")
        key = {"Authorization": f"Bearer {ADMIN_KEY}"}
        answer = client.get("/api/v1/connections/acme", headers=key)
        flood = client.put("/api/v1/connections/acme", content=b"x" * 2_000_000, headers=key)
    assert (refused.status_code, answer.status_code, flood.status_code) == (401, 200, 413)
    assert answer.json()["fortnox"]["client_secret"] == "********"
    assert answer.headers["cache-control"] == "no-store"


def test_a_connection_is_put_shown_switched_and_deleted(house: House, tmp_path: Path) -> None:
    file = tmp_path / "acme.json"
    file.write_text(json.dumps(DOCUMENT))
    assert run("connections", "put", str(file)).stdout == "acme  active\n"
    shown = run("connections", "show", "acme").stdout
    assert run("connections", "put", "-", said=shown).stdout == "acme  active\n"
    assert told("connections", "activate", "acme")["active"] is True
    assert "Åkeriet [red]AB  active" in run("connections", "list").stdout
    assert [one["name"] for one in told("connections", "list")["connections"]] == ["acme"]
    assert run("connections", "deactivate", "acme").stdout == "acme  inactive\n"
    assert run("connections", "delete", "acme").stdout == "acme  deleted\n"
    assert house.names() == []


def test_settings_are_exported_and_imported_with_the_secrets_that_are_stored(
    house: House, tmp_path: Path
) -> None:
    house.connect()
    folder = tmp_path / "settings"
    [written] = told("connections", "export", str(folder))["written"]
    text = Path(written).read_text("utf-8")
    exported = json.loads(text)
    assert "canary" not in text
    assert exported["severa"] == {"client_id": "s", "client_secret": "********"}
    assert set(exported) == set(Document(name="acme").masked())
    before = house.secret()
    Path(written).write_text(json.dumps(exported | {"label": "Nytt namn"}))
    assert run("connections", "import", str(folder)).stdout == "acme  active\n"
    assert "Nytt namn" in run("connections", "list").stdout
    assert house.secret() == before == "canary-s"
    run("connections", "export", str(folder))
    again = Path(written).read_text("utf-8")
    run("connections", "import", str(folder))
    run("connections", "export", str(folder))
    assert Path(written).read_text("utf-8") == again


def test_people_are_added_and_changed_and_no_password_is_an_argument(house: House) -> None:
    typed = "canary of a password\n"
    assert run("users", "create", "Asa", "--role", "operate", said=typed).stdout == (
        "asa  operate  open\n"
    )
    assert run("users", "role", "asa", "view").stdout == "asa  view  open\n"
    assert run("users", "password", "asa", said=typed).stdout == "asa  view  open\n"
    assert told("users", "disable", "asa")["disabled_at"] is not None
    assert run("users", "enable", "asa").stdout == "asa  view  open\n"
    made = told("users", "create", "kim", "--generate")
    with house.hall.db.reading() as tx:
        assert people.known(tx, "kim", made["password"]) is not None
        assert people.known(tx, "asa", typed.strip()) is not None
    assert [one["name"] for one in told("users", "list")["users"]] == ["asa", "kim"]
    assert "password" not in told("users", "list")["users"][1]
    assert "asa" in run("users", "list").stdout
    assert run("users", "remove", "kim").stdout == "kim  removed\n"
    assert told("users", "role", "kim", "view", code=1)["status"] == 404
    assert "at least 12" in run("users", "create", "kim", said="short\n", code=1).stderr
    run("users", "create", "kim", said="", code=2)
    run("users", "role", "asa", "owner", code=2)
    assert [one["name"] for one in told("users", "list")["users"]] == ["asa"]


def test_a_masked_document_of_an_unknown_connection_is_refused(
    house: House, tmp_path: Path
) -> None:
    house.connect()
    told("connections", "export", str(tmp_path / "settings"))
    file = tmp_path / "settings" / "acme.json"
    document = json.loads(file.read_text("utf-8")) | {"name": "beta"}
    file.rename(tmp_path / "settings" / "beta.json")
    (tmp_path / "settings" / "beta.json").write_text(json.dumps(document))
    refused = run("connections", "import", str(tmp_path / "settings"), code=1)
    assert "keeps the secret that is stored in that place; there is none" in refused.stderr
    assert house.names() == ["acme"]


def test_nothing_is_imported_while_one_document_cannot_be_read(
    house: House, tmp_path: Path
) -> None:
    (tmp_path / "settings").mkdir()
    run("connections", "import", str(tmp_path / "settings"), code=2)
    (tmp_path / "settings" / "a.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "settings" / "b.json").write_text("{")
    run("connections", "import", str(tmp_path / "settings"), code=2)
    assert house.names() == []


def test_a_key_is_made_used_and_revoked_and_who_did_it_is_told(house: House) -> None:
    made = told("keys", "create", "Kim", "--scope", "operate")
    house.connect()
    assert run("connections", "list", "--key", made["key"]).exit_code == 0
    refused = run("connections", "activate", "acme", "--key", made["key"], code=1)
    assert "may configure; this one may operate" in refused.stderr
    assert "Kim" in run("keys", "list").stdout
    assert made["key"] not in told("keys", "list")["keys"][0].values()
    assert run("keys", "revoke", made["id"]).stdout == f"{made['id']}  revoked\n"
    run("connections", "list", "--key", made["key"], code=1)
    run("connections", "activate", "acme")
    assert [one["action"] for one in told("audit")["entries"]] == [
        *("connection.activated", "key.revoked", "key.created"),
    ]
    assert "127.0.0.1" in run("audit", "--connection", "acme").stdout


def test_the_history_of_a_year_is_written_to_a_file(house: House, tmp_path: Path) -> None:
    house.connect()
    file = tmp_path / "year.csv"
    told = run("history", "acme", "--year", "2026", "-o", str(file)).stdout
    assert told.replace("\n", "").endswith("0 writes")
    assert file.read_bytes().startswith(b"at,transfer,kind,source_system,")
    broken = ("--from", "2026-05-01", "--to", "2027-04-30")
    assert run("history", "acme", *broken).stdout.startswith("at,")
    run("history", "acme", code=2)
    run("history", "acme", "--year", "2026", *broken, code=2)
    too_long = run("history", "acme", "--from", "2020-01-01", "--to", "2026-01-01", code=1)
    assert "550" in too_long.stderr


def test_a_link_for_consent_is_printed(house: House) -> None:
    class Notary:
        def invite(self, connection: connections.Connection, who: Identity) -> Link:
            return Link(f"https://apps.fortnox.example/auth?of={connection.name}", now())

        def look_at_severa(self, connection: connections.Connection) -> Any:
            raise AssertionError(connection.name)

        def receive(self, brought: object) -> Any:
            raise AssertionError(brought)

    consent.mount(house.app, Notary())
    house.connect()
    link = "https://apps.fortnox.example/auth?of=acme"
    assert run("connections", "consent", "acme").stdout == f"{link}\n"
    assert told("connections", "consent", "acme")["url"] == link


def test_what_the_bridge_refuses_ends_with_one(house: House) -> None:
    result = run("connections", "show", "nobody", code=1)
    assert result.stdout == ""
    assert result.stderr == "404 Not found: There is no such connection.\n"
    assert told("connections", "show", "nobody", code=1)["status"] == 404
    assert run("connections", "list", "--key", "wrong", code=1).stderr.startswith("401")
    gone = run("connections", "list", "--url", "http://127.0.0.1:9", code=1).stderr
    assert gone == "http://127.0.0.1:9 does not answer: ConnectError\n"
    assert house.names() == []


@pytest.mark.parametrize(
    "words",
    [
        ["connections", "put", "no-such-file"],
        ["connections", "list", "--url", "bridge.example"],
        ["replay", "acme"],
        ["replay", "acme", "trf_1", "--state", "blocked"],
        ["send", "acme", "invoice.updated", GUID],
        ["send", "acme", "invoice.updated", GUID, "--secret", "whsec_%"],
        ["send", "acme", "invoice.updated", GUID, "--source", "elsewhere", "--bearer", "x"],
        ["verify-signature", "acme", "--header", "no colon", "--body", "-"],
        ["nonsense"],
    ],
)
def test_what_is_asked_wrongly_ends_with_two(house: House, words: list[str]) -> None:
    run(*words, code=2)
    assert (house.names(), house.posted) == ([], [])


def test_without_a_key_none_is_made(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN_KEY", "")
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "elsewhere"))
    settings.cache_clear()
    assert "--key" in run("connections", "list", code=2).stderr
    assert not (tmp_path / "elsewhere").exists()


def test_a_signed_event_is_sent(house: House) -> None:
    house.connect()
    words = ("send", "acme", "invoice.status_changed", GUID)
    assert run(*words, "--secret", SECRET).stdout == "202  accepted  evt_1\n"
    assert told(*words, "--bearer", TOKEN) == {"id": "evt_1", "status": "accepted"}
    assert [(door, one["type"], one["data"]) for door, one in house.posted] == [
        ("acme/severa", "invoice.status_changed", {"guid": GUID})
    ] * 2


def test_an_event_that_is_not_accepted_ends_with_one(house: House) -> None:
    house.connect()
    wrong = "whsec_d3Jvbmc="
    result = run("send", "acme", "invoice.updated", GUID, "--secret", wrong, code=1)
    assert result.stdout.startswith("401  not genuine")
    assert house.posted == []


def test_the_log_is_told_oldest_first_and_without_control_characters(house: House) -> None:
    house.connect()
    one, two = house.blocked("1\x1b[31m"), house.blocked("2")
    lines = run("tail", "acme").stdout.splitlines()
    assert [line.split("  ")[1:4] for line in lines] == [
        [one, "blocked", "invoice"],
        [two, "blocked", "invoice"],
    ]
    in_json = run("tail", "acme", "--json", "-n", "1").stdout.splitlines()
    assert [json.loads(line)["id"] for line in in_json] == [two]
    assert run("tail", "acme", "--state", "done").stdout == ""


def test_a_transfer_is_planned_and_run_again(house: House) -> None:
    house.connect()
    one, two = house.blocked("1"), house.blocked("2", "customer")
    assert told("plan", "acme", one) == {"writes": House.plan(one)}
    assert "create_invoice" in run("plan", "acme", one).stdout
    assert told("replay", "acme", "--state", "blocked", "--dry-run")["matched"] == 2
    assert house.states() == ["blocked", "blocked"]
    assert told("replay", "acme", "--kind", "customer", "--state", "blocked") == {"retried": 1}
    assert house.states() == ["blocked", "queued"]
    assert run("replay", "acme", one).stdout == "1 due again\n"
    assert house.states() == ["queued", "queued"]
    assert run("plan", "acme", "trf_unknown", code=1).stderr.startswith("404")
    assert two != one


def test_the_doctor_names_what_is_wrong(house: House) -> None:
    house.connect(severa={})
    found = told("doctor", code=1)
    assert [name for name, one in found["checks"].items() if not one["ok"]] == ["worker"]
    processes.beat(house.hall.db, "worker-1", "worker", now())
    house.connect(severa={})
    (one,) = told("doctor", code=1)["connections"]
    assert (one["ok"], one["missing"]) == (False, ["severa.client_id", "severa.client_secret"])
    assert [check["check"] for check in one["preflight"]["checks"]] == ["settings"]
    assert "missing: severa.client_id, severa.client_secret" in run("doctor", code=1).stdout


def test_the_doctor_leaves_one_in_peace_that_is_still_being_set_up(house: House) -> None:
    processes.beat(house.hall.db, "worker-1", "worker", now())
    house.connect(active=False, severa={})
    assert run("doctor").exit_code == 0
    run("doctor", "acme", code=1)
    run("doctor", "nobody", code=1)


def test_a_process_is_alive_while_it_gives_signs_of_life_on_this_host(house: House) -> None:
    run("alive", "worker", code=1)
    processes.beat(house.hall.db, "worker-elsewhere-1-a", "worker", now())
    run("alive", "worker", code=1)
    mine = process_name("worker")
    processes.beat(house.hall.db, mine, "worker", now() - timedelta(seconds=61))
    run("alive", "worker", code=1)
    processes.beat(house.hall.db, mine, "worker", now())
    assert run("alive", "worker").stdout == "worker  ok\n"
    run("alive", "sweeper", code=1)


def test_an_api_is_alive_while_it_answers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    port = settings().public_url.rpartition(":")[2]
    for number, code in ((port, 0), ("9", 1)):
        monkeypatch.setenv("PORT", number)
        settings.cache_clear()
        run("alive", "api", code=code)


def headers_of(body: bytes, secret: str, stamp: int) -> list[str]:
    signature = sign(secret, "msg_1", stamp, body)
    given = {
        "Webhook-Id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature,
    }
    return [word for name, value in given.items() for word in ("--header", f"{name}: {value}")]


def test_a_signature_is_checked_and_no_secret_is_shown(house: House, tmp_path: Path) -> None:
    house.connect()
    file = tmp_path / "body"
    file.write_bytes(b'{"type": "x"}\n')
    stamp = int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp())
    base = ["verify-signature", "acme", "--body", str(file)]
    good = headers_of(file.read_bytes(), SECRET, stamp)
    at = ["--at", "2026-01-02T03:04:35"]
    assert run(*base, *good, *at).stdout == "ok\n"
    stale = told(*base, *good, code=1)
    assert stale == {"ok": False, "failed": "webhook-timestamp is too far from our clock"}
    bad = headers_of(b"another body", SECRET, stamp)
    assert told(*base, *bad, *at, code=1)["failed"] == "no signature matches a secret"
    stripped = headers_of(file.read_bytes().strip(), SECRET, stamp)
    slip = "no signature matches a secret: the body was changed after it was signed"
    assert run(*base, *stripped, *at, code=1).stdout == f"fails  {slip}\n"
    closed = run(*base, *good, *at, "--source", "fortnox", code=1).stdout
    assert closed.startswith("fails  the source is closed")
    run("verify-signature", "nobody", "--body", str(file), *good, code=1)
