"""Fortnox as a real server with memory: API v3, OAuth, and the WebSocket of events."""

from threading import RLock
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.sandbox.chaos import Chaos
from app.sandbox.fortnox.control import Control
from app.sandbox.fortnox.errors import FileRefused, Refused
from app.sandbox.fortnox.events import EventLog
from app.sandbox.fortnox.oauth import OAuth
from app.sandbox.fortnox.opening import open_books
from app.sandbox.fortnox.options import FortnoxOptions
from app.sandbox.fortnox.rest import Rest
from app.sandbox.fortnox.seed import seed_demo
from app.sandbox.fortnox.socket import Subscriber
from app.sandbox.fortnox.tenant import Tenant
from app.sandbox.fortnox.tokens import SCOPES, Client, Grant, Tokens

__all__ = ["SCOPES", "FileRefused", "Fortnox", "FortnoxOptions", "Refused", "Tenant", "seed_demo"]


class Fortnox:
    """`app` is the ASGI application; `chaos` holds its faults and the ledger of its calls."""

    def __init__(self, options: FortnoxOptions | None = None) -> None:
        self.options = options or FortnoxOptions()
        self.lock = RLock()
        self.tenants: dict[str, Tenant] = {}
        self.events = EventLog(self.options)
        self.tokens = Tokens(self.options)
        self._sockets: set[Subscriber] = set()
        self.chaos = Chaos(self._routes())
        self.app = self.chaos

    def _routes(self) -> Starlette:
        oauth = OAuth(self.tokens, lambda: list(self.tenants), self.lock)
        rest = Rest(self.tokens, self.tenants)
        routes: list[BaseRoute] = [
            Route("/3/{rest:path}", rest),
            Route("/api/fileattachments/{rest:path}", rest),
            WebSocketRoute("/topics-v1", self._socket),
            *oauth.routes(),
            *Control(self).routes(),
        ]
        return Starlette(routes=routes)

    async def _socket(self, socket: WebSocket) -> None:
        subscriber = Subscriber(socket, self.tokens, self.events, self.lock)
        self._sockets.add(subscriber)
        try:
            await subscriber.run()
        finally:
            self._sockets.discard(subscriber)

    def add_client(
        self, client_id: str, secret: str, redirect_uri: str = "", scopes: str = ""
    ) -> Client:
        """An app in the developer portal; without `redirect_uri` or `scopes` it takes any."""
        client = Client(client_id, secret, redirect_uri, frozenset(scopes.split()))
        with self.lock:
            self.tokens.clients[client_id] = client
        return client

    def add_tenant(
        self, tenant_id: str | int, name: str = "Vårt bolag AB", **company: Any
    ) -> Tenant:
        """A company with opened books; `company` as in /3/settings/company."""
        tenant = Tenant(str(tenant_id), name, self.options, self.events, self.lock)
        open_books(tenant, company)
        with self.lock:
            self.tenants[tenant.tenant_id] = tenant
        return tenant

    def consent(self, client_id: str, tenant_id: str | int, scopes: str = SCOPES) -> None:
        """A system administrator lets the app in as a service account."""
        with self.lock:
            self.tokens.consents[client_id, str(tenant_id)] = scopes

    def withdraw_consent(self, client_id: str, tenant_id: str | int) -> None:
        with self.lock:
            self.tokens.withdraw(client_id, str(tenant_id))

    def access_token(self, client_id: str, tenant_id: str | int, scopes: str = SCOPES) -> str:
        """A token without the ceremony."""
        with self.lock:
            grant = Grant(client_id, str(tenant_id), scopes, self.tokens.until(0))
            return str(self.tokens.issue(grant, refreshable=False)["access_token"])

    def expire_tokens(self) -> None:
        """Every access token is an hour old; refresh tokens live on."""
        with self.lock:
            self.tokens.access.clear()

    def drop_sockets(self) -> None:
        """Every open WebSocket ends without a word."""
        with self.lock:
            for subscriber in tuple(self._sockets):
                subscriber.drop()
