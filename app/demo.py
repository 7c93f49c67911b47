"""`bridge demo`: a newcomer's first minute, an invoice on its way to Fortnox and back."""

import base64
import shutil
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import typer

from app.sandbox.serving import free_port
from app.settings import Settings, environment
from app.supervisor import Child

T = TypeVar("T")
NAME = "demo"
SIGNING_KEY = "bridge-demo-signing-key-not-a-secret"
SECRET = "whsec_" + base64.b64encode(SIGNING_KEY.encode()).decode()
PATIENCE_SECONDS = 60.0
STATUS = "55000000-0000-4000-8000-00000000000{}"
DOCUMENT: dict[str, Any] = {
    "name": NAME,
    "label": "Demobolaget AB",
    "severa": {"client_id": "demo.apps.vismasevera.com", "client_secret": "demo-secret"},
    "fortnox": {
        "client_id": "demo-client",
        "client_secret": "demo-secret",
        "tenant_id": "654896",
    },
    "webhooks": {"severa": {"secrets": [SECRET]}, "fortnox": {"secrets": [SECRET]}},
    "invoice_statuses": {
        "transfer": STATUS.format(2),
        "received": STATUS.format(3),
        "paid": STATUS.format(4),
        "error": STATUS.format(5),
    },
    "error_emails": ["ekonomi@demobolaget.example"],
    "cost_centers": {"from": "row", "map": {"10": "STH", "20": "GBG"}},
}


class DidNotHappen(RuntimeError):
    """A step of the demo did not come about in time."""


@dataclass(frozen=True)
class Place:
    """Where this demo's servers listen, and the settings its bridge runs with."""

    settings: Settings
    severa_port: int
    fortnox_port: int

    @property
    def bridge(self) -> str:
        return self.settings.public_url

    @property
    def severa(self) -> str:
        return f"http://127.0.0.1:{self.severa_port}"

    @property
    def fortnox(self) -> str:
        return f"http://127.0.0.1:{self.fortnox_port}"

    @property
    def changes(self) -> dict[str, str]:
        """What differs in the environment of the bridge's processes."""
        given = self.settings
        return {
            "DATABASE_URL": given.database_url,
            "REDIS_URL": "",
            "VAR_DIR": str(given.var_dir),
            "PORT": str(given.port),
            "PUBLIC_URL": given.public_url,
            "SEVERA_URL": given.severa_url,
            "FORTNOX_URL": given.fortnox_url,
            "SEVERA_PAGE": given.severa_page,
            "FORTNOX_PAGE": given.fortnox_page,
            "FORTNOX_AUTH_URL": given.fortnox_auth_url,
            "FORTNOX_WEBSOCKET_URL": given.fortnox_websocket_url,
            "SANDBOX": "true",
        }


def prepare(given: Settings, name: str = "demo") -> Place:
    """A fresh folder of this name, free ports, and settings that point at the sandbox."""
    folder = given.var_dir / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port = given.port if _is_free(given.port) else free_port()
    severa_port, fortnox_port = free_port(), free_port()
    return Place(
        given.model_copy(
            update={
                "database_url": f"sqlite:///{folder.absolute()}/bridge.db",
                "redis_url": "",
                "var_dir": folder.absolute(),
                "port": port,
                "public_url": f"http://127.0.0.1:{port}",
                "severa_url": f"http://127.0.0.1:{severa_port}/rest-api",
                "fortnox_url": f"http://127.0.0.1:{fortnox_port}",
                "severa_page": f"http://127.0.0.1:{severa_port}/_sandbox/#{{kind}}-{{id}}",
                "fortnox_page": f"http://127.0.0.1:{fortnox_port}/_sandbox/#{{kind}}-{{id}}",
                "fortnox_auth_url": f"http://127.0.0.1:{fortnox_port}/oauth-v1",
                "fortnox_websocket_url": f"ws://127.0.0.1:{fortnox_port}/topics-v1",
            }
        ),
        severa_port,
        fortnox_port,
    )


def sandbox(place: Place) -> Child:
    argv = [
        *(sys.executable, "-m", "app.sandbox"),
        *("--severa-port", str(place.severa_port), "--fortnox-port", str(place.fortnox_port)),
        *("--webhooks", f"{place.bridge}/webhooks/{NAME}", "--secret", SECRET),
    ]
    return Child("sandbox", argv, environment())


class Story:
    """Acts as a user of both systems, and tells what the bridge does about it."""

    def __init__(
        self, place: Place, admin_key: str, say: Callable[[str], None] = typer.echo
    ) -> None:
        self._place, self._say = place, say
        self._http = httpx.Client(timeout=10, trust_env=False)
        self._admin = {"Authorization": f"Bearer {admin_key}"}

    def tell(self) -> None:
        with self._http:
            self._connect()
            guid = self._order_transfer()
            number = self._see_received(guid)
            self._pay(number)
            self._see_paid(guid, number)
            self._show_log()
            self._show_places(guid)

    def _connect(self) -> None:
        self._until("the bridge is ready", lambda: self._get(f"{self._place.bridge}/ready"))
        path = f"{self._place.bridge}/api/v1/connections/{NAME}"
        self._do("PUT", path, headers=self._admin, json=DOCUMENT)
        self._do("POST", f"{path}/activate", headers=self._admin)
        self._say("Connected Severa and Fortnox (both simulated) as “demo”.")

    def _order_transfer(self) -> str:
        base = f"{self._place.severa}/_sandbox/invoices"
        made = self._do("POST", base, json={}).json()
        guid: str = made["guid"]
        self._do("POST", f"{base}/{guid}/status", json={"status": "Klar för Fortnox"})
        self._say("Severa:  invoice set to “Klar för Fortnox”; a signed event was posted.")
        return guid

    def _see_received(self, guid: str) -> str:
        self._until("the invoice is received", lambda: self._status(guid) == "Mottagen i Fortnox")
        found = self._fortnox_invoice(guid)
        self._say(
            f"Fortnox: invoice {found['DocumentNumber']} is there, {found['Total']} SEK in all."
        )
        self._say("Severa:  the invoice moved to “Mottagen i Fortnox”.")
        return str(found["DocumentNumber"])

    def _pay(self, number: str) -> None:
        base = f"{self._place.fortnox}/_sandbox/invoices/{number}"
        self._do("POST", f"{base}/book", json={})
        self._do("POST", f"{base}/pay", json={})
        self._say(f"Fortnox: invoice {number} was booked and paid; voucher events were posted.")

    def _see_paid(self, guid: str, number: str) -> None:
        self._until("the invoice is paid", lambda: self._status(guid) == "Betald")
        self._say("Severa:  the invoice moved to “Betald”.")
        path = f"{self._place.bridge}/api/v1/connections/{NAME}/transfers"
        settled = lambda: any(  # noqa: E731 - a question, asked until it is answered
            one["kind"] == "payment" and one["state"] == "done"
            for one in self._do("GET", path, headers=self._admin).json()["transfers"]
        )
        self._until(f"the payment of {number} is settled", settled)

    def _show_log(self) -> None:
        path = f"{self._place.bridge}/api/v1/connections/{NAME}/transfers"
        self._say("\nTransfer log, newest first:")
        for one in self._do("GET", path, headers=self._admin).json()["transfers"]:
            target = (one["target"] or {}).get("label") or "–"
            self._say(f"  {one['state']:8} {one['kind']:9} {one['source']['label']} → {target}")

    def _show_places(self, guid: str) -> None:
        place = self._place
        key_file = _shown(place.settings.var_dir / "admin.key")
        key = f"$(cat {key_file})"
        self._say(
            f"""
Where to look
  Console                {place.bridge}/  (log in with the admin key: cat {key_file})
  Severa (simulated)     {place.severa}/_sandbox/
  Fortnox (simulated)    {place.fortnox}/_sandbox/
  Admin API, its docs    {place.bridge}/api/v1/docs
  The log by curl        curl -H "Authorization: Bearer {key}" \\
                           {place.bridge}/api/v1/connections/{NAME}/transfers
  Health                 {place.bridge}/ready

Post a signed test event
  {curl(place.bridge, guid)}

Everything keeps running; Ctrl-C ends it."""
        )

    def _status(self, guid: str) -> str:
        state = self._do("GET", f"{self._place.severa}/_sandbox/state").json()
        return next((str(one["status"]) for one in state["invoices"] if one["guid"] == guid), "")

    def _fortnox_invoice(self, guid: str) -> dict[str, Any]:
        state = self._do("GET", f"{self._place.fortnox}/_sandbox/state").json()
        books = (
            state["tenants"] if isinstance(state["tenants"], list) else state["tenants"].values()
        )
        found: dict[str, Any] = next(
            one
            for tenant in books
            for one in tenant["invoices"]
            if one["ExternalInvoiceReference1"] == f"severa:{guid}"
        )
        return found

    def _get(self, url: str) -> bool:
        try:
            return self._http.get(url).status_code == 200
        except httpx.TransportError:
            return False

    def _do(self, method: str, url: str, **sent: Any) -> httpx.Response:
        answer = self._http.request(method, url, **sent)
        if answer.status_code >= 400:
            raise DidNotHappen(f"{method} {url}: {answer.status_code} {answer.text[:300]}")
        return answer

    @staticmethod
    def _expect(is_so: object, what: str) -> None:
        if not is_so:
            raise DidNotHappen(what)

    @staticmethod
    def _until(what: str, ask: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ask():
            if time.monotonic() > deadline:
                raise DidNotHappen(f"{what}: not within {PATIENCE_SECONDS:.0f} s")
            time.sleep(0.1)


def curl(bridge: str, guid: str) -> str:
    """One line to paste: signs and posts an event about this invoice."""
    data = f'"data":{{"guid":"{guid}"}}'
    body = f'{{"type":"invoice.updated","timestamp":"2026-01-01T00:00:00Z",{data}}}'
    sign = (
        "python3 -c 'import sys,hmac,base64;print(base64.b64encode("
        f'hmac.digest(b"{SIGNING_KEY}",sys.argv[1].encode(),"sha256")).decode())\''
    )
    return (
        f"b='{body}'; i=msg_$RANDOM; t=$(date +%s); s=$({sign} \"$i.$t.$b\"); "
        f'curl -i {bridge}/webhooks/{NAME}/severa -H "webhook-id: $i" -H "webhook-timestamp: $t" '
        '-H "webhook-signature: v1,$s" -d "$b"'
    )


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
