"""Where calls arrive: rate, token and scope are looked at, then the call goes to its act."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.sandbox.severa import specials
from app.sandbox.severa.access import Access
from app.sandbox.severa.acts import Acts
from app.sandbox.severa.asking import Ask, answer, read_query
from app.sandbox.severa.catalogue import RESOURCES, SUBLISTS
from app.sandbox.severa.problems import NotFound, Problem
from app.sandbox.severa.world import World
from app.sandbox.window import Window

RIGHTS = {"list": "read", "get": "read", "post": "write", "patch": "write", "delete": "delete"}
METHODS = {"list": "GET", "get": "GET", "post": "POST", "patch": "PATCH", "delete": "DELETE"}
Special = Callable[[World, Ask], Response]
SPECIALS: dict[tuple[str, ...], tuple[str, Special]] = {
    ("GET", "organizationdetails"): ("organization:read", specials.organization_details),
    ("GET", "organizationsettings"): ("organization:read", specials.organization_settings),
    ("GET", "localization", "countries"): ("settings:read", specials.countries),
    ("GET", "localization", "countries", "*"): ("settings:read", specials.country),
    ("GET", "localization", "languages"): ("settings:read", specials.languages),
    ("GET", "localization", "languages", "*"): ("settings:read", specials.language),
    ("GET", "invoices", "*", "invoicesettings"): ("invoices:read", specials.invoice_settings),
    ("PATCH", "invoicesettings", "*"): ("invoices:write", specials.patch_invoice_settings),
    ("GET", "projects", "*", "phaseswithhierarchy"): ("projects:read", specials.phases),
    ("GET", "salescases"): ("projects:read", specials.sales_cases),
    ("POST", "customers", "*", "addresses"): ("customers:write", specials.post_address),
    ("GET", "files", "*"): ("files:read", specials.file),
    ("GET", "files", "*", "filedata"): ("files:read", specials.file_data),
}


@dataclass(frozen=True)
class Door:
    scope: str
    act: Callable[[Ask], Response]


class Desk:
    def __init__(self, world: World, access: Access) -> None:
        self.world, self.access = world, access
        self.acts = Acts(world)
        self._doors = self._build()
        self._open: dict[tuple[str, ...], Callable[[Ask], Response]] = {
            ("POST", "token"): self._token,
            ("POST", "refreshtoken"): self._refresh,
            ("POST", "signout"): self._sign_out,
        }
        self._window: Window | None = None
        self._rate: tuple[int, float] | None = None

    async def __call__(self, request: Request) -> Response:
        ask = await _read(request)
        if not self._admitted(ask):
            return self._over_quota()
        if self.world.options.latency:
            await asyncio.sleep(self.world.options.latency)
        response, events = self._serve(ask)
        notify = self.world.options.notify
        if notify and events:
            for event in events:
                await run_in_threadpool(notify, *event)
        return response

    def _serve(self, ask: Ask) -> tuple[Response, list[tuple[str, str]]]:
        with self.world.lock:
            self.acts.events = []
            try:
                response = self._act(ask)
            except Problem as problem:
                response = problem.response()
            except NotFound:
                response = Response(status_code=404)
            return response, self.acts.events

    def _act(self, ask: Ask) -> Response:
        if (ask.method, *ask.parts) in self._open:
            return self._open[ask.method, *ask.parts](ask)
        grant = self.access.check(ask.token(), ask.headers.get("client_id"))
        if ask.parts == ("heartbeat", "authorized"):
            return Response(status_code=204)
        door = self._find(ask)
        self.access.need(grant, door.scope)
        return door.act(ask)

    def _find(self, ask: Ask) -> Door:
        place = 2 if ask.parts[0] == "localization" else 1
        parts = tuple("*" if n == place else part for n, part in enumerate(ask.parts))
        door = self._doors.get((ask.method, *parts))
        if door is None:
            raise NotFound
        return door

    def _build(self) -> dict[tuple[str, ...], Door]:
        doors = {
            shape: Door(scope, partial(act, self.world)) for shape, (scope, act) in SPECIALS.items()
        }
        for resource in RESOURCES:
            for verb in resource.verbs:
                shape: tuple[str, ...] = (METHODS[verb], resource.path)
                if verb in ("get", "patch", "delete"):
                    shape += ("*",)
                act = partial(getattr(self.acts, verb), resource)
                doors[shape] = Door(f"{resource.scope}:{RIGHTS[verb]}", act)
        for sub in SUBLISTS:
            shape = ("GET", sub.owner, "*", sub.path)
            doors[shape] = Door(f"{sub.scope}:read", partial(self.acts.sublist, sub))
        return doors

    def _admitted(self, ask: Ask) -> bool:
        rate = self.world.options.rate
        if rate is None:
            return True
        if self._window is None or rate != self._rate:
            self._rate, self._window = rate, Window(*rate)
        return self._window.admit(self._caller(ask))

    def _caller(self, ask: Ask) -> str:
        if ask.parts == ("token",):
            return _client_in_body(ask)
        known = self.access.client_of(ask.token())
        return known or ask.headers.get("client_id") or ""

    def _over_quota(self) -> Response:
        calls, seconds = self._rate or (0, 0)
        text = f"API calls quota exceeded! maximum admitted {calls} per {seconds:g}s."
        wait = {"Retry-After": f"{max(1, round(seconds))}"}
        return PlainTextResponse(text, 429, wait if self.world.options.retry_after else None)

    def _token(self, ask: Ask) -> Response:
        given = {name.lower(): value for name, value in ask.object().items()}
        client, secret = given.get("client_id"), given.get("client_secret")
        for name, value in (("client_id", client), ("client_secret", secret)):
            if not isinstance(value, str) or not value:
                raise Problem("InvalidParameter", f"{name} is required.", name=name)
        return answer(self.access.log_in(str(client), str(secret), str(given.get("scope") or "")))

    def _refresh(self, ask: Ask) -> Response:
        return answer(self.access.renew(str(ask.json())))

    def _sign_out(self, ask: Ask) -> Response:
        self.access.sign_out(str(ask.json()))
        return PlainTextResponse("")


def _client_in_body(ask: Ask) -> str:
    try:
        given = json.loads(ask.body)
    except ValueError:
        return ""
    if not isinstance(given, dict):
        return ""
    return next((str(v) for k, v in given.items() if k.lower() == "client_id"), "")


async def _read(request: Request) -> Ask:
    path = request.path_params.get("path", "heartbeat/authorized")
    parts = tuple(path.strip("/").split("/"))
    query = read_query(request.scope["query_string"])
    return Ask(request.method, parts, query, request.headers, await request.body())
