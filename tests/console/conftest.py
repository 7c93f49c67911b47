"""The console in front of an empty SQLite, asked without a browser."""

import re
from dataclasses import dataclass

import httpx2
import pytest
from starlette.testclient import TestClient

from app import console, people
from app.identity import Scope
from tests.api.conftest import ADMIN_KEY, Stage, database_url, stage

__all__ = ["database_url", "stage"]

PASSWORD = "correct horse battery"


@dataclass
class Guest:
    """A browser: keeps cookies, follows no redirect, and finds the token on the page."""

    stage: Stage
    client: TestClient

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.client.get(path, headers=headers)

    def log_in(self, secret: str = ADMIN_KEY, name: str = "", **more: str) -> httpx2.Response:
        return self.client.post("/log-in", data={"name": name, "secret": secret} | more)

    def log_in_as(self, scope: Scope) -> None:
        with self.stage.hall.db.transaction() as tx:
            people.add(tx, f"a-{scope}", PASSWORD, scope, self.stage.now)
        assert self.log_in(PASSWORD, f"a-{scope}").status_code == 303

    def token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/c/acme/").text)
        assert found is not None
        return found[1]

    def post(self, path: str, **form: str) -> httpx2.Response:
        return self.client.post(path, data={"csrf": self.token()} | form)


@pytest.fixture
def guest(stage: Stage) -> Guest:
    stage.connect()
    console.mount(stage.client.app)  # type: ignore[arg-type]
    client = TestClient(stage.client.app, "https://testserver", follow_redirects=False)
    client.headers["accept-language"] = "en"
    return Guest(stage, client)
