"""A Fortnox administrator lets the integration in, and takes it back; refresh tokens never race."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app import api, connections, grants
from app.api import consent
from app.documents import Document
from app.fortnox.auth import SCOPES
from app.models import grants as grant_rows
from app.models import invitations, tokens
from app.notary import Notary
from app.sandbox.chaos import Fault
from app.sandbox.fortnox import Client
from app.spending import QUIET
from tests.installation import Vendors, document
from tests.workshop import Workshop

APP = {"client_id": "demo-client", "client_secret": "demo-secret"}
LINK = "/api/v1/connections/acme/fortnox/consent"
CALLBACK = "/oauth/fortnox/callback"
TENANT = "654896"


@dataclass
class Office:
    """The bridge's HTTP doors, and the browser of a Fortnox administrator."""

    shop: Workshop
    client: TestClient

    def connect(self, **changes: Any) -> None:
        """Everything but the tenant, which the consent brings."""
        given = Document.model_validate(document("acme", **{"fortnox": APP} | changes))
        with self.shop.hall.db.transaction() as tx:
            connections.put(tx, self.shop.hall.vault, given, self.shop.clock())

    def link(self) -> str:
        answer = self.client.post(LINK)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    def answer(self, link: str) -> str:
        """What Fortnox sends the browser back to, once the administrator has answered."""
        sent = httpx.get(link, follow_redirects=False, trust_env=False)
        assert sent.status_code == 302, sent.text
        address = sent.headers["location"]
        assert address.startswith(f"https://bridge.example{CALLBACK}?")
        return str(address.removeprefix("https://bridge.example"))

    def consent(self) -> httpx.Response:
        return self.client.get(self.answer(self.link()))

    def rows(self, table: Any) -> list[Any]:
        with self.shop.hall.db.reading() as tx:
            return list(tx.execute(select(table)))

    def grant(self) -> Any:
        [row] = self.rows(grant_rows)
        return row

    def asked(self) -> Counter[str]:
        """How often each way to a token was asked for."""
        return Counter(
            parse_qs(call.body.decode())["grant_type"][0]
            for call in self.shop.partners.fortnox.chaos.calls
            if call.path.endswith("/token")
        )


@pytest.fixture
def office(hall: Any, redis_url: str, partners: Vendors) -> Iterator[Office]:
    from tests.workshop import workshop

    public = hall.settings.model_copy(update={"public_url": "https://bridge.example/"})
    from dataclasses import replace

    with workshop(replace(hall, settings=public), redis_url, partners) as shop:
        partners.fortnox.tokens.consents.clear()
        app = FastAPI(openapi_url=None)
        api.mount(app, shop.hall, hint=lambda _: None, plan=lambda _: [], look=_nobody)
        consent.mount(app, Notary(shop.process.room))
        client = TestClient(app, raise_server_exceptions=False)
        client.headers["Authorization"] = f"Bearer {shop.hall.keys.admin}"
        yield Office(shop, client)


def _nobody(connection: object) -> Any:
    raise AssertionError("nothing here looks at the registers")
