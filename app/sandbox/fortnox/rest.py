"""`/3` and `/api/fileattachments`: who is calling, may they, how often, and who answers."""

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

from starlette.types import Receive, Scope, Send

from app.sandbox.bodies import whole_body
from app.sandbox.fortnox import (
    attachments,
    company_calls,
    document_calls,
    errors,
    files,
    invoice_calls,
    parties,
    small_registers,
)
from app.sandbox.fortnox.calls import Answer, Call, encode
from app.sandbox.fortnox.errors import FileRefused, Refused
from app.sandbox.fortnox.registers import Register
from app.sandbox.fortnox.tenant import Tenant
from app.sandbox.fortnox.tokens import Grant, Tokens
from app.sandbox.window import Window

Handle = Callable[[Call], Answer]
REGISTERS: dict[str, tuple[Register, str]] = {
    "customers": (parties.CUSTOMERS, "customer"),
    "suppliers": (parties.SUPPLIERS, "supplier"),
    "articles": (parties.ARTICLES, "article"),
    "units": (small_registers.UNITS, "settings"),
    "projects": (small_registers.PROJECTS, "project"),
    "costcenters": (small_registers.COST_CENTERS, "costcenter"),
    "currencies": (small_registers.CURRENCIES, "currency"),
    "termsofpayments": (small_registers.TERMS_OF_PAYMENTS, "settings"),
    "modesofpayments": (small_registers.MODES_OF_PAYMENTS, "settings"),
    "voucherseries": (small_registers.VOUCHER_SERIES, "bookkeeping"),
    "predefinedvoucherseries": (small_registers.PREDEFINED_VOUCHER_SERIES, "settings"),
    "predefinedaccounts": (small_registers.PREDEFINED_ACCOUNTS, "settings"),
    "accounts": (small_registers.ACCOUNTS, "bookkeeping"),
    "financialyears": (small_registers.FINANCIAL_YEARS, "bookkeeping"),
    "supplierinvoicefileconnections": (files.SUPPLIER_INVOICE_FILES, "connectfile"),
}
HANDLERS: dict[str, tuple[Handle, str]] = {
    **{path: (register.handle, scope) for path, (register, scope) in REGISTERS.items()},
    "invoices": (invoice_calls.handle, "invoice"),
    "invoicepayments": (document_calls.handle_payments, "payment"),
    "supplierinvoices": (document_calls.handle_supplier_invoices, "supplierinvoice"),
    "vouchers": (document_calls.handle_vouchers, "bookkeeping"),
    "companyinformation": (company_calls.handle_information, "companyinformation"),
    "settings": (company_calls.handle_settings, "settings"),
    "prices": (company_calls.handle_prices, "price"),
    "archive": (files.handle, "archive"),
    "inbox": (files.handle, "inbox"),
    "me": (company_calls.handle_me, "profile"),
    "attachments-v1": (attachments.handle, "invoice"),
}


class Rest:
    """An ASGI endpoint for all resources and methods."""

    def __init__(self, tokens: Tokens, tenants: dict[str, Tenant]) -> None:
        self.tokens, self.tenants, self.options = tokens, tenants, tokens.options
        self._window, self._rate = Window(25, 5.0), (25, 5.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive)
        if self.options.latency:
            await asyncio.sleep(self.options.latency)
        answer = self.answer(scope, body)
        content = answer.content()
        headers = {"Content-Type": "application/json", "Server": "Fortnox", **answer.headers}
        if not content:
            headers.pop("Content-Type")
        sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        sent.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        await send({"type": "http.response.body", "body": content})

    def answer(self, scope: Scope, body: bytes) -> Answer:
        headers = {
            name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]
        }
        grant = self.tokens.bearer(headers.get("authorization", ""))
        tenant = self.tenants.get(grant.tenant_id) if grant else None
        if grant is None or tenant is None:
            return Answer(401, {"message": "unauthorized"})
        with tenant.lock:
            if not self._admit(f"{grant.client_id}:{grant.tenant_id}"):
                return self._too_many()
            path = [unquote(part) for part in scope["raw_path"].decode().strip("/").split("/")]
            path = path[1:] if path[0] == "3" else path[2:]
            query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=False))
            call = Call(scope["method"], path, query, headers, body, tenant)
            try:
                return self._handle(call, grant)
            except (Refused, FileRefused) as refused:
                return Answer(refused.status, refused.body())

    def _admit(self, key: str) -> bool:
        if self.options.rate is None:
            return True
        if self.options.rate != self._rate:
            self._rate = self.options.rate
            self._window = Window(*self._rate)
        return self._window.admit(key)

    def _too_many(self) -> Answer:
        headers = {"Content-Type": "text/plain"}
        if self.options.retry_after:
            headers["Retry-After"] = str(round(self._rate[1]))
        return Answer(429, self.options.rate_body.encode(), headers)

    def _handle(self, call: Call, grant: Grant) -> Answer:
        handle, scope = HANDLERS.get(call.path[0] if call.path else "", (None, ""))
        if handle is None:
            raise errors.missing(errors.NO_SUCH_PATH, "Kan inte hitta resursen.")
        if scope not in grant.scopes.split():
            raise Refused(
                errors.NO_SCOPE, "Har inte behörighet för scope.", self.options.permission_status
            )
        if scope in getattr(call.books, "unlicensed", ()):
            raise Refused(errors.NO_LICENCE, "Licens saknas.", self.options.permission_status)
        accept = call.headers.get("accept", "*/*")
        if "application/xml" in accept and "json" not in accept:
            raise Refused(errors.BAD_ACCEPT, "Ogiltig svarstyp.")
        # Encoded while the books are locked: nobody changes them in the middle of the text.
        answer = handle(call)
        raw = answer.body is None or isinstance(answer.body, bytes)
        return answer if raw else Answer(answer.status, encode(answer.body), answer.headers)
