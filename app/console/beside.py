"""In a sandbox: both partner systems beside the console, with the buttons that their users have."""

from typing import Any

import httpx
from starlette.responses import Response

from app.api.problems import Problem, not_found
from app.console.visit import Form, Here, Sent, Visit, router

routes = router()
MOST = 6
PATIENCE = 10.0  # seconds
READY = "Klar för Fortnox"  # the status of the simulated Severa that triggers the transfer

# What a button does: system, path below /_sandbox, body; {id} is the record's.
ACTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "severa-new": ("severa", "invoices", {}),
    "severa-ready": ("severa", "invoices/{id}/status", {"status": READY}),
    "fortnox-book": ("fortnox", "invoices/{id}/book", {}),
    "fortnox-pay": ("fortnox", "invoices/{id}/pay", {}),
    "fortnox-unpay": ("fortnox", "invoices/{id}/unpay", {}),
    "fortnox-supplier": ("fortnox", "supplierinvoices", {"amount": "1500", "book": True}),
}


@routes.get("/c/{connection}/beside")
def read_beside(visit: Here) -> Response:
    return _show(visit, "")


@routes.post("/c/{connection}/beside/{act}")
def do(visit: Here, form: Sent, act: str) -> Response:
    """As a user of that system would; then what stands there now."""
    visit.need("operate")
    if act not in ACTS:
        raise not_found("button")
    said = _act(visit, act, form)
    if visit.request.headers.get("hx-request"):
        return _show(visit, said)
    return visit.go(f"/c/{visit.name}/", said)


def _act(visit: Visit, act: str, form: Form) -> str:
    """Empty when it was done, else what the system answered."""
    system, path, body = ACTS[act]
    sent = body | {"tenant": _tenant(visit)} if system == "fortnox" else body
    if act == "fortnox-supplier":
        sent = sent | {"project": form.get("project", "")}
    place = f"{_base(visit, system)}/_sandbox/{path.format(id=_record(form))}"
    answer = _ask(system, "POST", place, sent)
    return "" if answer.is_success else answer.text[:200]


def _show(visit: Visit, said: str) -> Response:
    if not visit.desk.hall.settings.sandbox:
        raise not_found("sandbox")
    severa = _state(visit, "severa")
    tenants = _state(visit, "fortnox")["tenants"]
    wanted = _tenant(visit)
    books = next((one for one in tenants if one["tenant_id"] == wanted), tenants[0])
    return visit.show(
        "beside_now.html",
        answered=said,
        severa=severa["invoices"][::-1][:MOST],
        severa_url=f"{_base(visit, 'severa')}/_sandbox/",
        fortnox=books["invoices"][::-1][:MOST],
        suppliers=books["supplier_invoices"][::-1][:MOST],
        projects=sorted({one["Project"] for one in books["invoices"] if one["Project"]}),
        fortnox_url=f"{_base(visit, 'fortnox')}/_sandbox/",
        ready=READY,
    )


def _state(visit: Visit, system: str) -> Any:
    return _ask(system, "GET", f"{_base(visit, system)}/_sandbox/state").json()


def _ask(system: str, method: str, url: str, body: Any = None) -> httpx.Response:
    try:
        with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
            return client.request(method, url, json=body)
    except httpx.TransportError:
        raise Problem(502, f"{system.capitalize()}: –") from None


def _base(visit: Visit, system: str) -> str:
    settings = visit.desk.hall.settings
    if not settings.sandbox:
        raise not_found("sandbox")
    url = settings.severa_url if system == "severa" else settings.fortnox_url
    return url.removesuffix("/").removesuffix("/rest-api")


def _tenant(visit: Visit) -> str:
    return visit.connection().document.fortnox.tenant_id


def _record(form: Form) -> str:
    given = form.get("id", "")
    if given and not given.replace("-", "").isalnum():
        raise not_found("record")
    return given
