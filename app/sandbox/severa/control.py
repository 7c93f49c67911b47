"""The control plane below `/_sandbox`: act as a user, switch options and faults, read the books."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.sandbox.chaos import Fault
from app.sandbox.severa.keeping import ENTITIES
from app.sandbox.severa.page import render
from app.sandbox.severa.problems import Problem

if TYPE_CHECKING:
    from app.sandbox.severa import Severa

Handler = Callable[[Request], Awaitable[Response]]
Body = dict[str, Any]
HIDDEN = ("notify",)


class Control:
    """Writes run in a thread, so that whoever is notified may call the sandbox meanwhile."""

    def __init__(self, severa: "Severa") -> None:
        self._severa = severa

    def routes(self) -> list[Route]:
        return [
            _route("GET", "/", self.page),
            _route("GET", "/state", self.state),
            _route("GET", "/calls", self.calls),
            _route("DELETE", "/calls", self.forget_calls),
            _route("GET", "/faults", self.faults),
            _route("POST", "/faults", self.add_faults),
            _route("DELETE", "/faults", self.clear_faults),
            _route("GET", "/options", self.options),
            _route("PATCH", "/options", self.set_options),
            _route("POST", "/clients", self.add_client),
            _route("POST", "/invoices", self.add_invoice),
            _route("PATCH", "/invoices/{guid}", self.change_invoice),
            _route("DELETE", "/invoices/{guid}", self.delete_invoice),
            _route("POST", "/invoices/{guid}/status", self.set_status),
            _route("POST", "/invoices/{guid}/credit", self.credit),
            _route("POST", "/invoices/{guid}/files", self.add_file),
            _route("POST", "/customers/{guid}/addresses", self.add_address),
            _route("GET", "/records/{table}", self.records),
            _route("POST", "/records/{table}", self.add_record),
            _route("PATCH", "/records/{table}/{guid}", self.change_record),
            _route("DELETE", "/records/{table}/{guid}", self.delete_record),
        ]

    async def page(self, _: Request) -> Response:
        return await run_in_threadpool(render, self._severa)

    async def state(self, _: Request) -> Response:
        return JSONResponse(self._severa.books())

    async def calls(self, _: Request) -> Response:
        return JSONResponse([asdict(call) for call in self._severa.chaos.calls])

    async def forget_calls(self, _: Request) -> Response:
        self._severa.chaos.calls.clear()
        return Response(status_code=204)

    async def faults(self, _: Request) -> Response:
        return JSONResponse([asdict(fault) for fault in self._severa.chaos.faults])

    async def add_faults(self, request: Request) -> Response:
        given = await request.json()
        faults = [Fault(**fault) for fault in (given if isinstance(given, list) else [given])]
        self._severa.chaos.faults.extend(faults)
        return JSONResponse([asdict(fault) for fault in faults], 201)

    async def clear_faults(self, _: Request) -> Response:
        self._severa.chaos.faults.clear()
        return Response(status_code=204)

    async def options(self, _: Request) -> Response:
        return JSONResponse(self._options())

    async def set_options(self, request: Request) -> Response:
        given = await request.json()
        unknown = set(given) - set(self._options())
        if unknown:
            raise LookupError(f"There is no option {', '.join(sorted(unknown))}.")
        for name, value in given.items():
            shaped = tuple(value) if isinstance(value, list) else value
            setattr(self._severa.options, name, shaped)
        return JSONResponse(self._options())

    def _options(self) -> Body:
        options = self._severa.options
        names = [field.name for field in fields(options) if field.name not in HIDDEN]
        return {name: getattr(options, name) for name in names}

    async def add_client(self, request: Request) -> Response:
        self._severa.add_client(**await _body(request))
        return Response(status_code=201)

    async def add_invoice(self, request: Request) -> Response:
        """Without a body: ten hours on the first project."""
        body = await _body(request)
        invoice = await run_in_threadpool(self._severa.add_simple_invoice, **body)
        return _made(request, invoice)

    async def change_invoice(self, request: Request) -> Response:
        guid, body = request.path_params["guid"], await _body(request)
        invoice = await run_in_threadpool(self._severa.change_invoice, guid, **body)
        return JSONResponse(invoice)

    async def delete_invoice(self, request: Request) -> Response:
        await run_in_threadpool(self._severa.delete_invoice, request.path_params["guid"])
        return Response(status_code=204)

    async def set_status(self, request: Request) -> Response:
        guid, body = request.path_params["guid"], await _body(request)
        invoice = await run_in_threadpool(self._severa.set_status, guid, body.get("status", ""))
        return _done(request, invoice)

    async def credit(self, request: Request) -> Response:
        guid, body = request.path_params["guid"], await _body(request)
        note = await run_in_threadpool(self._severa.add_credit_note, guid, **body)
        return _made(request, note)

    async def add_file(self, request: Request) -> Response:
        """The body is the file; its name is in the query."""
        name = request.query_params.get("name", "bilaga.pdf")
        content_type = request.headers.get("content-type", "application/pdf")
        guid, data = request.path_params["guid"], await request.body()
        add = self._severa.add_file
        link = await run_in_threadpool(add, guid, name, data, content_type=content_type)
        return JSONResponse(link, 201)

    async def add_address(self, request: Request) -> Response:
        guid, body = request.path_params["guid"], await _body(request)
        return JSONResponse(await run_in_threadpool(self._severa.add_address, guid, **body), 201)

    async def records(self, request: Request) -> Response:
        return JSONResponse(self._severa.records(request.path_params["table"]))

    async def add_record(self, request: Request) -> Response:
        table, body = _table(request), await _body(request)
        project = self._severa.add_project if table == "projects" else None
        add = project or partial(self._severa.add, table)
        return JSONResponse(await run_in_threadpool(add, **body), 201)

    async def change_record(self, request: Request) -> Response:
        table, guid, body = _table(request), request.path_params["guid"], await _body(request)
        return JSONResponse(await run_in_threadpool(self._severa.change, table, guid, **body))

    async def delete_record(self, request: Request) -> Response:
        table, guid = _table(request), request.path_params["guid"]
        await run_in_threadpool(self._severa.delete, table, guid)
        return Response(status_code=204)


def _table(request: Request) -> str:
    table: str = request.path_params["table"]
    if table not in ENTITIES:
        raise LookupError(f"There is no register {table}.")
    return table


def _route(method: str, path: str, handler: Handler) -> Route:
    return Route("/_sandbox" + path, _understood(handler), methods=[method])


def _understood(handler: Handler) -> Handler:
    """A mistake in a control call is told in one sentence."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Problem as problem:
            return problem.response()
        except LookupError as error:
            return JSONResponse({"error": str(error)}, 404)
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return answer


def _from_form(request: Request) -> bool:
    return "form" in request.headers.get("content-type", "")


async def _body(request: Request) -> Body:
    """JSON, or what a form on the page sends; empty is an empty body."""
    raw = await request.body()
    if _from_form(request):
        return {name: value for name, value in parse_qsl(raw.decode()) if value}
    given: Body = await request.json() if raw else {}
    return given


def _done(request: Request, record: Body, status: int = 200) -> Response:
    if _from_form(request):
        return RedirectResponse("/_sandbox/", 303)
    return JSONResponse(record, status)


def _made(request: Request, record: Body) -> Response:
    return _done(request, record, 201)
