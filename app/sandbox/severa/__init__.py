"""Severa as a real HTTP server with memory: its public REST API, its users, and its moods."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.sandbox.chaos import Chaos
from app.sandbox.severa.access import ALL_SCOPES, Access
from app.sandbox.severa.amounts import Number
from app.sandbox.severa.basics import furnish
from app.sandbox.severa.control import Control
from app.sandbox.severa.demo import seed_demo
from app.sandbox.severa.desk import Desk
from app.sandbox.severa.guids import DRAFT, ERROR, PAID, RECEIVED, TRANSFER
from app.sandbox.severa.moments import utc_now
from app.sandbox.severa.options import SeveraOptions
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.rows import Item, Key, Row
from app.sandbox.severa.user import User
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

__all__ = [
    "ALL_SCOPES",
    "DRAFT",
    "ERROR",
    "PAID",
    "RECEIVED",
    "TRANSFER",
    "Item",
    "Problem",
    "Row",
    "Severa",
    "SeveraOptions",
    "seed_demo",
]

METHODS = ["GET", "POST", "PATCH", "DELETE", "PUT"]


class Severa(User):
    """One organisation. `served(severa.app)` gives `http://host:port`; clients add `/rest-api`.

    Born with statuses, currencies, countries, languages and VAT rates; `seed_demo` adds the rest.
    """

    def __init__(
        self,
        options: SeveraOptions | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.options = options or SeveraOptions()
        self.world = World(self.options, clock)
        furnish(self.world)
        self.access = Access(self.world)
        self.chaos = self.app = Chaos(self._starlette())

    def _starlette(self) -> Starlette:
        desk = Desk(self.world, self.access)
        api = [
            Route(f"/rest-api/{version}/{{path:path}}", desk_call(desk), methods=METHODS)
            for version in ("v1", "v1.0")
        ]
        health = [
            Route(f"/rest-api/heartbeat/{name.lower()}", alive(name))
            for name in ("Server", "Database")
        ]
        authorized = Route("/rest-api/heartbeat/authorized", desk_call(desk))
        return Starlette(routes=[*api, *health, authorized, *Control(self).routes()])

    def add_client(
        self, client_id: str, client_secret: str, scopes: Iterable[str] | None = None
    ) -> None:
        """`scopes` None: all that Severa has."""
        wanted = ALL_SCOPES if scopes is None else frozenset(scopes)
        with self.world.lock:
            self.access.add_client(client_id, client_secret, wanted)

    def expire_tokens(self, *, refresh: bool = False) -> None:
        with self.world.lock:
            self.access.expire(refresh=refresh)

    def add_simple_invoice(  # noqa: PLR0913  all optional
        self,
        project: Key | None = None,
        description: str = "Konsultarbete",
        quantity: Number = 10,
        price: Number = 1100,
        rows: list[Mapping[str, Any]] | None = None,
        customer: Key | None = None,
        **header: Any,
    ) -> Record:
        """One hour row on the first project unless said otherwise; `header` as in add_invoice."""
        with self.world.lock:
            projects = self.world.all("projects")
            if project is None and not projects:
                raise LookupError("There is no project yet.")
            chosen = projects[0] if project is None else self.world.need("projects", project)
            usual = next((w for w in self.world.all("worktypes") if w["isActive"]), None)
        row = {"description": description, "quantity": quantity, "price": price, "article": usual}
        buyer = customer or chosen["customer"]
        return self.add_invoice(buyer, [chosen], rows or [row], **header)

    def books(self) -> Record:
        """Invoices in short: guid, number, customer, status, total, currency."""
        with self.world.lock:
            return {"invoices": [_short(invoice) for invoice in self.world.all("invoices")]}


def _short(invoice: Record) -> Record:
    return {
        "guid": invoice["guid"],
        "number": invoice["number"],
        "customer": invoice["billingCustomer"]["name"],
        "customerNumber": invoice["billingCustomer"]["number"],
        "date": invoice["date"],
        "status": invoice["status"]["name"],
        "statusGuid": invoice["status"]["guid"],
        "paymentDate": invoice["paymentDate"],
        "isCreditNote": invoice["isCreditNote"],
        "totalExcludingTax": invoice["totalExcludingTax"]["amount"],
        "total": invoice["totalIncludingTax"]["amount"],
        "currency": invoice["currency"]["code"],
    }


def desk_call(desk: Desk) -> Callable[[Request], Any]:
    async def call(request: Request) -> Response:
        return await desk(request)

    return call


def alive(name: str) -> Callable[[Request], Any]:
    async def call(_: Request) -> Response:
        return PlainTextResponse(f"{name} is alive.")

    return call
