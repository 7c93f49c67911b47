"""`/_sandbox`: to look into the books, to act as a Fortnox user, and to make things go wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.sandbox.chaos import Fault
from app.sandbox.fortnox.calls import encode
from app.sandbox.fortnox.documents import Document, words
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.options import FortnoxOptions
from app.sandbox.fortnox.page import render
from app.sandbox.fortnox.tenant import Tenant
from app.sandbox.fortnox.tokens import SCOPES

if TYPE_CHECKING:
    from app.sandbox.fortnox import Fortnox

SHOWN = words(
    "DocumentNumber CustomerNumber CustomerName ExternalInvoiceReference1"
    " ExternalInvoiceReference2 InvoiceDate DueDate Currency Net TotalVAT Total"
    " RoundOff Balance Booked Cancelled Sent Credit CreditInvoiceReference"
    " FinalPayDate Project"
)
ACTIONS: dict[str, Callable[[Tenant, str, dict[str, Any]], Any]] = {
    "book": lambda tenant, number, _: tenant.book(number),
    "cancel": lambda tenant, number, _: tenant.cancel(number),
    "credit": lambda tenant, number, _: tenant.credit(number),
    "pay": lambda tenant, number, form: _pay(tenant, number, form),
    "unpay": lambda tenant, number, _: _unpay(tenant, number),
}
SUPPLIER_ACTIONS: dict[str, Callable[[Tenant, str], Any]] = {
    "book": lambda tenant, number: tenant.book_supplier_invoice(number),
    "cancel": lambda tenant, number: tenant.cancel_supplier_invoice(number),
    "credit": lambda tenant, number: tenant.credit_supplier_invoice(number),
    "pay": lambda tenant, number: tenant.pay_supplier_invoice(number),
}


class Control:
    """Forms are answered with the page again, JSON with JSON; `tenant` names the company."""

    def __init__(self, fortnox: "Fortnox") -> None:
        self.fortnox = fortnox

    def routes(self) -> list[Route]:
        root = "/_sandbox"
        return [
            Route(f"{root}/", self.page),
            Route(f"{root}/state", self.state),
            Route(f"{root}/calls", self.calls, methods=["GET", "DELETE"]),
            Route(f"{root}/events", self.events),
            Route(f"{root}/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route(f"{root}/options", self.change_options, methods=["GET", "PATCH"]),
            Route(f"{root}/tenants", self.add_tenant, methods=["POST"]),
            Route(f"{root}/expire-tokens", self.expire_tokens, methods=["POST"]),
            Route(f"{root}/drop-websockets", self.drop_sockets, methods=["POST"]),
            Route(f"{root}/invoices/{{number}}/{{action}}", self.act, methods=["POST"]),
            Route(f"{root}/supplierinvoices", self.add_supplier_invoice, methods=["POST"]),
            Route(
                f"{root}/supplierinvoices/{{number}}/{{action}}",
                self.act_supplier,
                methods=["POST"],
            ),
        ]

    async def page(self, request: Request) -> Response:
        with self.fortnox.lock:
            tenants = list(self.fortnox.tenants.values())
            tenant = self._tenant(dict(request.query_params)) if tenants else None
            html = render(tenants, tenant, request.query_params.get("message", ""))
        return Response(html, media_type="text/html")

    async def state(self, _: Request) -> Response:
        with self.fortnox.lock:
            return _json({"tenants": [_state(each) for each in self.fortnox.tenants.values()]})

    async def calls(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.fortnox.chaos.calls.clear()
        return _json({"calls": [asdict(each) for each in list(self.fortnox.chaos.calls)]})

    async def events(self, _: Request) -> Response:
        with self.fortnox.lock:
            return _json({"events": list(self.fortnox.events)})

    async def faults(self, request: Request) -> Response:
        chaos = self.fortnox.chaos
        if request.method == "DELETE":
            chaos.faults.clear()
        if request.method == "POST":
            wanted = await request.json()
            with _bad_input():
                chaos.faults += [
                    Fault(**each) for each in (wanted if isinstance(wanted, list) else [wanted])
                ]
        return _json({"faults": [asdict(each) for each in chaos.faults]})

    async def change_options(self, request: Request) -> Response:
        options = self.fortnox.options
        names = {each.name for each in fields(FortnoxOptions)} - {"clock", "notify"}
        if request.method == "PATCH":
            changes = await request.json()
            if unknown := changes.keys() - names:
                raise HTTPException(422, f"unknown option: {min(unknown)}")
            for name, value in changes.items():
                setattr(options, name, tuple(value) if isinstance(value, list) else value)
        return _json({name: getattr(options, name) for name in sorted(names)})

    async def add_tenant(self, request: Request) -> Response:
        """{"tenant_id", "name", "client_id", "client_secret", "scopes"}; the client is optional."""
        wanted = await request.json()
        with self.fortnox.lock:
            tenant = self.fortnox.add_tenant(wanted["tenant_id"], wanted.get("name", "Bolag AB"))
            client_id = wanted.get("client_id")
            if client_id and "client_secret" in wanted:
                self.fortnox.add_client(client_id, wanted["client_secret"])
            if client_id:
                scopes = wanted.get("scopes", SCOPES)
                self.fortnox.consent(client_id, tenant.tenant_id, scopes)
            return _json(_state(tenant), 201)

    async def expire_tokens(self, _: Request) -> Response:
        self.fortnox.expire_tokens()
        return Response(status_code=204)

    async def drop_sockets(self, _: Request) -> Response:
        self.fortnox.drop_sockets()
        return Response(status_code=204)

    async def act(self, request: Request) -> Response:
        values = await _values(request)
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            raise HTTPException(404, "no such action")
        with self.fortnox.lock:
            tenant, number = self._tenant(values), request.path_params["number"]
            if number not in tenant.invoices:
                raise HTTPException(404, "no such invoice")
            return self._done(request, tenant, lambda: action(tenant, number, values))

    async def act_supplier(self, request: Request) -> Response:
        values = await _values(request)
        action = SUPPLIER_ACTIONS.get(request.path_params["action"])
        if action is None:
            raise HTTPException(404, "no such action")
        with self.fortnox.lock:
            tenant, number = self._tenant(values), request.path_params["number"]
            if number not in tenant.supplier_invoices:
                raise HTTPException(404, "no such supplier invoice")
            return self._done(request, tenant, lambda: action(tenant, number))

    async def add_supplier_invoice(self, request: Request) -> Response:
        """One cost row: {"amount" without VAT, "project", "account", "invoice_number", "book"}."""
        values = await _values(request)
        with self.fortnox.lock:
            tenant = self._tenant(values)
            return self._done(request, tenant, lambda: _receive(tenant, values))

    def _tenant(self, values: dict[str, Any]) -> Tenant:
        tenants = self.fortnox.tenants
        wanted = str(values.get("tenant") or next(iter(tenants), ""))
        if wanted not in tenants:
            raise HTTPException(404, "no such tenant")
        return tenants[wanted]

    def _done(self, request: Request, tenant: Tenant, act: Callable[[], Any]) -> Response:
        """The document as JSON, or the page again for a browser's form."""
        form = "form-urlencoded" in request.headers.get("content-type", "")
        try:
            document, message = act(), ""
        except Refused as refused:
            if not form:
                return _json(refused.body(), 400)
            document, message = None, refused.message
        if form:
            url = request.url_for("page").include_query_params(
                tenant=tenant.tenant_id, message=message
            )
            return RedirectResponse(url, 303)
        return _json(document) if isinstance(document, Document) else Response(status_code=204)


@contextmanager
def _bad_input() -> Iterator[None]:
    try:
        yield
    except TypeError as error:
        raise HTTPException(422, str(error)) from error


async def _values(request: Request) -> dict[str, Any]:
    """The query, then the form or the JSON body."""
    body = await request.body()
    if "form-urlencoded" in request.headers.get("content-type", ""):
        return {**request.query_params, **dict(parse_qsl(body.decode()))}
    return {**request.query_params, **(await request.json() if body.strip() else {})}


def _json(body: Any, status: int = 200) -> Response:
    return Response(encode(body), status, media_type="application/json")


def _pay(tenant: Tenant, number: str, form: dict[str, Any]) -> Document:
    amount = str(form.get("amount") or "").replace(",", ".") or None
    return tenant.pay(number, amount, form.get("date") or None, form.get("mode") or "BG")


def _unpay(tenant: Tenant, number: str) -> None:
    """The last payment of the invoice."""
    found = [key for key, each in tenant.payments.items() if str(each["InvoiceNumber"]) == number]
    if not found:
        raise HTTPException(404, "no payment")
    tenant.unpay(found[-1])


def _receive(tenant: Tenant, values: dict[str, Any]) -> Document:
    amount = str(values.get("amount") or "1000").replace(",", ".")
    row = {
        "Account": values.get("account") or 4600,
        "Debit": amount,
        "Project": values.get("project") or "",
    }
    number = values.get("invoice_number") or f"LF-{len(tenant.supplier_invoices) + 1}"
    invoice = tenant.add_supplier_invoice(
        [row], InvoiceNumber=number, Comments=values.get("comments") or ""
    )
    if str(values.get("book", "")).lower() in ("true", "1", "on"):
        tenant.book_supplier_invoice(invoice["GivenNumber"])
    return invoice


def _state(tenant: Tenant) -> dict[str, Any]:
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "counts": {path: len(shelf) for path, shelf in tenant.shelves.items()},
        "invoices": [{name: each[name] for name in SHOWN} for each in tenant.invoices.in_order()],
        "payments": [dict(each) for each in tenant.payments.in_order()],
        "supplier_invoices": [
            {
                name: each[name]
                for name in words(
                    "GivenNumber SupplierName InvoiceNumber Total Balance Booked Cancelled"
                )
            }
            for each in tenant.supplier_invoices.in_order()
        ],
        "customers": [
            {name: each[name] for name in ("CustomerNumber", "Name", "Active")}
            for each in tenant.customers.in_order()
        ],
    }
