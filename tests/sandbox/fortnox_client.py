"""A company in the sandbox, and an httpx client that may do everything in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from app.sandbox.fortnox import Fortnox, FortnoxOptions, Tenant
from app.sandbox.serving import served

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
STILL: dict[str, Any] = {
    "rate": None,
    "access_token_seconds": 10**7,
    "clock": lambda: NOON,
}
REFERENCE = "severa:6f1c2a52-3a57-4b0e-9d3b-0c5f7a7d1e21"


@dataclass
class Company:
    fortnox: Fortnox
    tenant: Tenant
    http: httpx.Client
    url: str

    def get(self, url: str, /, **query: Any) -> Any:
        return ok(self.http.get(url, params=query), 200)

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        return ok(self.http.post(path, json=body), status)

    def put(self, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.http.put(path) if body is None else self.http.put(path, json=body)
        return ok(answer, status)

    def invoice(self, **fields: Any) -> Any:
        rows = [{"ArticleNumber": "100", "DeliveredQuantity": "1", "Price": 100}]
        payload = {"CustomerNumber": "10", "InvoiceRows": rows, **fields}
        return self.post("/3/invoices", {"Invoice": payload})["Invoice"]

    def refused(self, method: str, path: str, body: Any = None, status: int = 400) -> int:
        """The code of a refusal worded in lower case (404: in capitals)."""
        answer = self.http.request(method, path, json=body)
        found = ok(answer, status)["ErrorInformation"]
        return int(found["Code" if status == 404 else "code"])

    def kinds(self, topic: str = "") -> list[str]:
        return [each["type"] for each in self.fortnox.events if topic in ("", each["topic"])]


def ok(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@contextmanager
def company(**options: Any) -> Iterator[Company]:
    """Customer 10, article 100 on 3041, project P1, cost centre STH; no limit, a still clock."""
    fortnox = Fortnox(FortnoxOptions(**{**STILL, **options}))
    fortnox.add_client("app", "secret")
    tenant = fortnox.add_tenant("654896")
    fortnox.consent("app", "654896")
    tenant.add_customer(CustomerNumber="10", Name="Kund AB", Email="faktura@kund.example")
    tenant.add_article(ArticleNumber="100", Description="Konsult", Unit="h", SalesAccount=3041)
    tenant.add_project("P1", "Införande")
    tenant.add_cost_center("STH")
    fortnox.events.clear()
    token = fortnox.access_token("app", "654896")
    with served(fortnox.app) as url:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers) as http:
            yield Company(fortnox, tenant, http, url)
