"""An admin API of its own: a hall on an empty SQLite, and what the API told its neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from app import api, connections, inbox, journal, worklist
from app.documents import Document
from app.errors import BridgeError, Reason
from app.hall import Hall, open_hall
from app.inbox import Heard
from app.settings import Settings
from app.worklist import Settlement, Want

ADMIN_KEY = "adm_canary_of_the_admin_key"
SECRETS = {
    "severa": "canary-of-severa",
    "fortnox": "canary-of-fortnox",
    "signing": "whsec_Y2FuYXJ5LW9mLXNpZ25pbmc=",
    "token": "canary-of-a-token",
}
GUID = "1a000000-0000-4000-8000-00000000000{}"


def settings_of(name: str, **more: Any) -> dict[str, Any]:
    """A complete document, with a canary in every secret."""
    door = {"secrets": [SECRETS["signing"]], "bearer_tokens": [SECRETS["token"]]}
    return {
        "name": name,
        "label": "Åkeriet AB",
        "severa": {"client_id": "s-id", "client_secret": SECRETS["severa"]},
        "fortnox": {"client_id": "f", "client_secret": SECRETS["fortnox"], "tenant_id": "654896"},
        "webhooks": {"severa": door, "fortnox": door},
        "invoice_statuses": {"transfer": GUID.format(1), "received": GUID.format(2)},
    } | more


@dataclass
class Stage:
    """`hints`: what the queue was told; `planned`: the transfers that were looked ahead for."""

    hall: Hall
    client: TestClient
    moment: list[datetime]
    hints: list[int] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    stops: dict[str, BridgeError] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.moment[0]

    def later(self, **much: float) -> datetime:
        self.moment[0] += timedelta(**much)
        return self.now

    def connect(self, name: str = "acme", *, active: bool = True, **more: Any) -> None:
        with self.hall.db.transaction() as tx:
            document = Document.model_validate(settings_of(name, **more))
            connections.put(tx, self.hall.vault, document, self.now)
            connections.set_active(tx, name, self.now, active=active)

    def want(self, kind: str = "invoice", key: str = GUID.format(7), to: str = "acme") -> str:
        """A row of the work list, by its id."""
        want = Want(to, kind, key)
        with self.hall.db.transaction() as tx:
            return worklist.enqueue(tx, [want], self.now)[want.at]

    def hear(self, identity: str, body: bytes, want: Want | None, **more: Any) -> str:
        to = want.connection if want else "acme"
        heard = Heard(to, "severa", "webhook", identity, body, "invoice.updated", want, **more)
        with self.hall.db.transaction() as tx:
            return inbox.receive(tx, [heard], self.now)[0].id

    def end(self, want: Want, state: Any, code: str | None = None, **facts: str) -> str:
        """Runs a row to its end with this reason."""
        item = worklist.claim_now(self.hall.db, "test", want, self.now)
        assert item is not None
        reason = Reason(code, facts) if code else None
        worklist.settle(self.hall.db, item, Settlement(state, reason), self.now)
        return item.id

    def say(self, work_id: str, what: str, **facts: str) -> None:
        with self.hall.db.transaction() as tx:
            journal.write(tx, "acme", work_id, what, self.now, **facts)

    def plan(self, work_id: str) -> list[dict[str, Any]]:
        self.planned.append(work_id)
        if work_id in self.stops:
            raise self.stops[work_id]
        return [{"system": "fortnox", "action": "create_invoice", "transfer": work_id}]

    def look(self, connection: connections.Connection) -> Any:
        raise AssertionError(f"nothing here reads the partner systems of {connection.name}")

    def rows(self, table: Any) -> list[Any]:
        with self.hall.db.reading() as tx:
            return list(tx.execute(table.select()))


BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite; the tests marked BOTH ask something that the two databases could see differently."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/bridge.db"
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    settings = Settings(
        database_url=database_url,
        var_dir=tmp_path,
        admin_key=SecretStr(ADMIN_KEY),
        public_url="https://bridge.example/",
        severa_url="https://severa.example/rest-api",
        fortnox_url="https://fortnox.example",
    )
    moment = [datetime(2026, 11, 24, 8, 0, tzinfo=UTC)]
    hall = open_hall(settings, now=lambda: moment[0])
    app = FastAPI(title="bridge", openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None)
    client = TestClient(app, raise_server_exceptions=False)
    client.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
    made = Stage(hall, client, moment)
    api.mount(app, hall, hint=made.hints.append, plan=made.plan, look=made.look)
    yield made
    hall.db.close()
