"""The bridge as the commands see it: its HTTP doors, at an address, with the admin key."""

from typing import Any
from urllib.parse import quote

import httpx
import typer

from app import keys
from app.cli import printing
from app.settings import Settings, settings

TIMEOUT = httpx.Timeout(60, connect=5)


class Remote:
    """`quiet`: what is refused is printed as JSON, because everything else is."""

    def __init__(self, url: str, key: str, *, quiet: bool = False) -> None:
        known = settings()
        self.url = (url or known.public_url).rstrip("/")
        self._key, self._quiet = key or _own_key(known), quiet
        if not self.url.startswith(("http://", "https://")):
            printing.fail("--url must begin with http:// or https://", 2)

    def ask(self, method: str, *path: str, json: Any = None, **query: Any) -> Any:
        """The answer's JSON, None where there is none; ends the command when it is refused."""
        steps = "/".join(quote(step, safe="") for step in path)
        response = self._send(method, f"{self.url}/api/v1/{steps}", json, query)
        if response.status_code >= 400:
            self._refused(response)
        return answer_of(response) if response.content else None

    def text(self, *path: str, **query: Any) -> str:
        """An answer that is a file."""
        steps = "/".join(quote(step, safe="") for step in path)
        response = self._send("GET", f"{self.url}/api/v1/{steps}", None, query)
        if response.status_code >= 400:
            self._refused(response)
        return response.text

    def ready(self) -> Any:
        """The checks, whether they are well or not."""
        return answer_of(self._send("GET", f"{self.url}/ready", None, {}))

    def _send(self, method: str, url: str, body: Any, query: dict[str, Any]) -> httpx.Response:
        given = {name: value for name, value in query.items() if value not in (None, "", [])}
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
                return client.request(method, url, params=given, json=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            printing.fail(f"{self.url} does not answer: {type(error).__name__}")

    def _refused(self, response: httpx.Response) -> None:
        problem = answer_of(response)
        if self._quiet:
            printing.as_json(problem)
            raise typer.Exit(1)
        title = f"{response.status_code} {problem.get('title', '')}"
        printing.fail(f"{title}: {problem['detail']}" if problem.get("detail") else title)


def answer_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        printing.fail(f"{response.status_code}: this is not an answer of the bridge")


def _own_key(known: Settings) -> str:
    """The key of this installation; a command never makes one where there is none."""
    kept = (known.var_dir / "admin.key").exists()
    if not known.admin_key.get_secret_value() and not kept:
        printing.fail("there is no admin key here: give --key or ADMIN_KEY", 2)
    return keys.ensure(known).admin
