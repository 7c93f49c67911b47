"""A sandbox that is served, and a client that is logged in to it."""

import atexit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from app.sandbox.chaos import App, Receive, Scope, Send
from app.sandbox.serving import served
from app.sandbox.severa import Severa, SeveraOptions, seed_demo
from app.sandbox.severa.demo import CLIENT_ID, CLIENT_SECRET

LOGIN = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class Stage:
    """One server on which each test puts its own sandbox: a start takes longer than a test."""

    def __init__(self) -> None:
        self.app: App = Severa().app
        served_until_exit = ExitStack()
        self.url = served_until_exit.enter_context(served(self))
        atexit.register(served_until_exit.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


stage = cache(Stage)


@dataclass
class Company:
    severa: Severa
    http: httpx.Client
    url: str

    def get(self, path: str, **query: Any) -> Any:
        response = self.http.get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def patch(self, path: str, field: str, value: Any) -> httpx.Response:
        return self.http.patch(path, json=[{"op": "replace", "path": field, "value": value}])

    def log_in(self, **changes: str) -> httpx.Response:
        response = self.http.post("/token", json={**LOGIN, **changes})
        if response.status_code == 200:
            self.http.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        return response

    def invoice(self, place: int = 0) -> dict[str, Any]:
        return self.severa.records("invoices")[place]


@contextmanager
def company(**options: Any) -> Iterator[Company]:
    severa = Severa(SeveraOptions(**{"rate": None, **options}))
    seed_demo(severa)
    url = stage().url
    stage().app = severa.app
    with httpx.Client(base_url=f"{url}/rest-api/v1", trust_env=False) as http:
        made = Company(severa, http, url)
        made.log_in()
        yield made
